//! Instants of the two clocks that baton goes by: the wall clock, which people read, and the boot-time clock, in which
//! limits are counted; and the moment, which is both. An instant is no length of time, and those of one clock are no
//! instants of the other. Knows no clock: whoever reads one makes them.

use crate::model::span::Span;
use crate::model::value::Value;
use serde::{Deserialize, Serialize};
use std::ops::Add;

/// An instant of the boot-time clock of a runner, in milliseconds. Nobody sets that clock, and it begins anew with
/// each boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    /// Later than any instant that comes: of what has no limit.
    pub const NEVER: Self = Self(u64::MAX);

    /// How long after `earlier` it is; no time at all where it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Mono {
    type Output = Self;

    /// The instant so much later, or [`NEVER`](Self::NEVER).
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// An instant of the wall clock, in milliseconds since 1970, UTC. A person can set that clock, back as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    /// How long after `earlier` it is; no time at all where it is not, as when the clock was set back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same instant for whoever writes it out; nothing beyond the years that a calendar has.
    #[must_use]
    pub fn timestamp(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.0).ok()
    }
}

impl Add<Span> for Wall {
    type Output = Self;

    /// The instant so much later, or the last there is.
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }
}

/// An instant, in three clocks: what people read, what limits are counted in, and which boot that was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moment {
    /// By the wall clock.
    pub wall: Wall,
    /// By the runner's boot-time clock.
    pub mono: Mono,
    /// Which boot of which machine `mono` belongs to.
    pub boot: String,
}

impl Moment {
    /// The instant as plain data.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mono = i64::try_from(self.mono.0).unwrap_or(i64::MAX);
        Value::map([("wall", self.wall.0.into()), ("mono", mono.into()), ("boot", self.boot.as_str().into())])
    }

    /// The instant that plain data tells of, if it tells of one.
    #[must_use]
    pub fn of_value(value: &Value) -> Option<Self> {
        let Value::Map(fields) = value else { return None };
        Some(Self {
            wall: Wall(fields.get("wall")?.as_int()?),
            mono: Mono(u64::try_from(fields.get("mono")?.as_int()?).ok()?),
            boot: fields.get("boot")?.as_text()?.to_owned(),
        })
    }

    /// How long ago `since` was. Within one boot the boot-time clock tells, which no one can set; across boots only
    /// the wall clock is left, and a step back of it counts as no time at all.
    #[must_use]
    pub fn elapsed(&self, since: &Self) -> Span {
        if since.boot == self.boot { self.mono.since(since.mono) } else { self.wall.since(since.wall) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arithmetic_leaves_the_clock() {
        assert_eq!(Mono(5) + Span(3), Mono(8));
        assert_eq!(Mono(5) + Span(u64::MAX), Mono::NEVER);
        assert_eq!(Mono::NEVER + Span(1), Mono::NEVER);
        assert_eq!((Mono(8).since(Mono(5)), Mono(5).since(Mono(8))), (Span(3), Span(0)));
        assert_eq!((Wall(3).since(Wall(-5)), Wall(-5).since(Wall(3))), (Span(8), Span(0)));
        assert_eq!(Wall(i64::MAX).since(Wall(i64::MIN)), Span(i64::MAX.unsigned_abs()));
        assert_eq!((Wall(-5) + Span(8), Wall(5) + Span(u64::MAX)), (Wall(3), Wall(i64::MAX)));
    }

    #[test]
    fn what_comes_later_is_more() {
        assert!(Mono(9) < Mono(10) && Mono(10) < Mono::NEVER && Wall(-1) < Wall(0));
        assert_eq!([Mono::NEVER, Mono(7)].into_iter().min(), Some(Mono(7)));
    }

    #[test]
    fn an_instant_beyond_the_calendar_has_no_timestamp() {
        let text = |wall: Wall| wall.timestamp().map(|time| time.to_string());
        assert_eq!(text(Wall(1_795_298_400_000)).as_deref(), Some("2026-11-21T22:00:00Z"));
        assert_eq!((text(Wall(i64::MAX)), text(Wall(i64::MIN))), (None, None));
    }

    #[test]
    fn a_moment_is_written_as_plain_numbers() {
        let moment = Moment { wall: Wall(-1), mono: Mono::NEVER, boot: "b".into() };
        let text = r#"{"wall":-1,"mono":18446744073709551615,"boot":"b"}"#;
        assert_eq!(serde_json::to_string(&moment).expect("it can be written"), text);
        assert_eq!(serde_json::from_str::<Moment>(text).expect("it can be read"), moment);
    }
}
