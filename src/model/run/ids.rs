//! Where something stands in a run: its track, its number on it, its step. The one place that knows how tracks are
//! written; it must not know what stands there.

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A track of a run, written `0` for the main one; `0.7-2` is item 2 of the parallel begun at position 7 of it, `r1` is
/// the first way back, `t3` the third line typed by hand, `w9` a look at the runbook's invariants, `r1~0:5` what was
/// found out on `r1` about the effect `0:5`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId {
    root: TrackRoot,
    forks: Vec<Fork>,
    beside: Option<Box<Beside>>,
}

/// What a track belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum TrackRoot {
    /// The script itself.
    Script,
    /// The way back of this number.
    Rollback(u32),
    /// The line of this number, typed by hand.
    Typed(u32),
    /// The look of this number at what must hold.
    Look(u64),
}

/// An item of a parallel, by the position at which that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Fork {
    n: u64,
    item: usize,
}

/// What is found out about an effect of another track.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Beside {
    by: Aside,
    about: EffectId,
}

/// Who says what became of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aside {
    /// Its host.
    Seen,
    /// A person.
    Told,
}

impl Aside {
    /// The name for what is found out about `id` on the way back of this track.
    #[must_use]
    pub fn of(self, id: &EffectId, back: &TrackId) -> EffectId {
        let beside = Beside { by: self, about: id.clone() };
        EffectId { track: TrackId { beside: Some(Box::new(beside)), ..back.clone() }, n: 1 }
    }

    fn sign(self) -> char {
        match self {
            Self::Seen => '~',
            Self::Told => '?',
        }
    }
}

impl TrackId {
    fn of(root: TrackRoot) -> Self {
        Self { root, forks: Vec::new(), beside: None }
    }

    /// The main track.
    #[must_use]
    pub fn main() -> Self {
        Self::of(TrackRoot::Script)
    }

    /// The `n`th way back of a run, from 1.
    #[must_use]
    pub fn rollback(n: u32) -> Self {
        Self::of(TrackRoot::Rollback(n))
    }

    /// The `n`th line typed in the REPL, from 1.
    #[must_use]
    pub fn typed(n: u32) -> Self {
        Self::of(TrackRoot::Typed(n))
    }

    /// The look of this number at the invariants of a runbook: what is read on it is not recorded, what is broken is.
    #[must_use]
    pub fn look(n: u64) -> Self {
        Self::of(TrackRoot::Look(n))
    }

    /// Whether it is such a look.
    #[must_use]
    pub fn is_look(&self) -> bool {
        matches!(self.root, TrackRoot::Look(_))
    }

    /// The track of item `index` of the parallel begun at position `n` of this one.
    #[must_use]
    pub fn child(&self, n: u64, index: usize) -> Self {
        let mut child = self.clone();
        child.forks.push(Fork { n, item: index });
        child
    }

    /// The track that this one was forked from.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, forks) = self.forks.split_last()?;
        Some(Self { root: self.root, forks: forks.to_vec(), beside: None })
    }

    /// Which item of a parallel it is, from 0.
    #[must_use]
    pub fn item(&self) -> Option<usize> {
        self.forks.last().map(|fork| fork.item)
    }

    /// The line typed in the REPL that it belongs to, from 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self.root {
            TrackRoot::Typed(n) => Some(n),
            TrackRoot::Script | TrackRoot::Rollback(_) | TrackRoot::Look(_) => None,
        }
    }

    /// The way back that it belongs to, from 1. What is found out about an effect on one has a track beside it.
    #[must_use]
    pub fn way_back(&self) -> Option<u32> {
        match self.root {
            TrackRoot::Rollback(n) if self.beside.is_none() => Some(n),
            TrackRoot::Rollback(_) | TrackRoot::Script | TrackRoot::Typed(_) | TrackRoot::Look(_) => None,
        }
    }

    /// Whether it belongs to a line typed in the REPL.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.line().is_some()
    }

    /// Whether it belongs to the script itself: its effects are asked for again, in order, by every replay.
    #[must_use]
    pub fn is_scripts(&self) -> bool {
        self.root == TrackRoot::Script
    }

    /// Whether it is this track or was forked from it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self == other || self.is_below(other)
    }

    /// Whether it was forked from this track, or from one that was.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        other.beside.is_none() && self.root == other.root && self.below(other).is_some_and(|rest| !rest.is_empty())
    }

    /// The position on `other` of the parallel that this track, or one it was forked from, is an item of.
    #[must_use]
    pub fn fork_of(&self, other: &Self) -> Option<u64> {
        if self.is_below(other) { self.below(other)?.first().map(|fork| fork.n) } else { None }
    }

    /// Whether both are items of the same parallel.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        let (Some((own, before)), Some((others, same))) = (self.forks.split_last(), other.forks.split_last()) else {
            return false;
        };
        self != other && self.root == other.root && before == same && own.n == others.n
    }

    /// How many tracks it was forked from.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.forks.len()
    }

    fn below(&self, other: &Self) -> Option<&[Fork]> {
        self.forks.strip_prefix(other.forks.as_slice())
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.root {
            TrackRoot::Script => f.write_str("0"),
            TrackRoot::Rollback(n) => write!(f, "r{n}"),
            TrackRoot::Typed(n) => write!(f, "t{n}"),
            TrackRoot::Look(n) => write!(f, "w{n}"),
        }?;
        self.forks.iter().try_for_each(|Fork { n, item }| write!(f, ".{n}-{item}"))?;
        let Some(beside) = &self.beside else { return Ok(()) };
        write!(f, "{}{}", beside.by.sign(), beside.about)
    }
}

impl FromStr for TrackId {
    type Err = NoTrack;

    fn from_str(text: &str) -> Result<Self, NoTrack> {
        let (own, beside) = match text.find(['~', '?']) {
            Some(at) => {
                let by = if text[at..].starts_with(Aside::Seen.sign()) { Aside::Seen } else { Aside::Told };
                (&text[..at], Some(Box::new(Beside { by, about: text[at + 1..].parse()? })))
            }
            None => (text, None),
        };
        let mut parts = own.split('.');
        let root = parts.next().unwrap_or_default();
        let number = |text: &str| text.parse().map_err(|_| NoTrack);
        let root = match root.split_at_checked(1) {
            Some(("0", "")) => TrackRoot::Script,
            Some(("r", n)) => TrackRoot::Rollback(number(n)?),
            Some(("t", n)) => TrackRoot::Typed(number(n)?),
            Some(("w", n)) => TrackRoot::Look(n.parse().map_err(|_| NoTrack)?),
            Some(_) | None => return Err(NoTrack),
        };
        let fork = |part: &str| {
            let (n, item) = part.split_once('-').ok_or(NoTrack)?;
            Ok(Fork { n: n.parse().map_err(|_| NoTrack)?, item: item.parse().map_err(|_| NoTrack)? })
        };
        Ok(Self { root, forks: parts.map(fork).collect::<Result<_, _>>()?, beside })
    }
}

/// A text that names no track and no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTrack;

impl fmt::Display for NoTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it names no track of a run")
    }
}

impl Serialize for TrackId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::main() { serializer.serialize_str("0") } else { serializer.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for TrackId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = TrackId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a track such as `0`, `0.7-2` or `r1`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TrackId, E> {
                text.parse().map_err(|NoTrack| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Written).map_err(|error| D::Error::custom(error.to_string()))
    }
}

/// An effect's position: its track and its number on it, from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId {
    /// The track.
    pub track: TrackId,
    /// The number on the track.
    pub n: u64,
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.track, self.n)
    }
}

impl FromStr for EffectId {
    type Err = NoTrack;

    fn from_str(text: &str) -> Result<Self, NoTrack> {
        let (track, n) = text.rsplit_once(':').ok_or(NoTrack)?;
        Ok(Self { track: track.parse()?, n: n.parse().map_err(|_| NoTrack)? })
    }
}

/// A step's position: its track and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId {
    /// The track.
    pub track: TrackId,
    /// Its number, such as `3.1`; empty means outside all steps of the track.
    pub number: String,
}

/// A place where the script of a run can stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptPoint {
    /// Before the step of this number, such as `3.1`.
    Step(String),
    /// Before this effect.
    Effect(EffectId),
    /// Where the script, or its record, ends.
    #[default]
    End,
}

impl ScriptPoint {
    /// The track that stands there; of a step, the main one.
    #[must_use]
    pub fn track(&self) -> TrackId {
        match self {
            Self::Effect(id) => id.track.clone(),
            Self::Step(_) | Self::End => TrackId::main(),
        }
    }
}

/// Whether a step of this number is `outer` or stands in it, as `3.1` and `3.1.2` do in `3.1`.
#[must_use]
pub fn is_in_step(number: &str, outer: &str) -> bool {
    number.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a step of this number stands in no other on the way back `track`, whose steps are `r1.1`, `r1.2` …
#[must_use]
pub fn is_outermost_on_way_back(number: &str, track: &TrackId) -> bool {
    let own = number.strip_prefix(&track.to_string()).and_then(|rest| rest.strip_prefix('.'));
    own.is_some_and(|rest| !rest.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::{Aside, EffectId, TrackId, is_in_step, is_outermost_on_way_back};

    #[test]
    fn what_is_written_is_read_again() {
        let forked = TrackId::main().child(7, 2).child(12, 10);
        let about = EffectId { track: forked.clone(), n: 5 };
        let seen = Aside::Seen.of(&about, &TrackId::rollback(1).child(3, 0));
        let told = Aside::Told.of(&seen, &TrackId::rollback(2));
        let tracks = [TrackId::main(), TrackId::rollback(12), TrackId::typed(3), forked, seen.track, told.track];
        let written = ["0", "r12", "t3", "0.7-2.12-10", "r1.3-0~0.7-2.12-10:5", "r2?r1.3-0~0.7-2.12-10:5:1"];
        for (track, text) in tracks.iter().zip(written) {
            assert_eq!(track.to_string(), text);
            assert_eq!(text.parse().as_ref(), Ok(track), "{text}");
            assert_eq!(serde_json::to_string(track).unwrap(), format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<TrackId>(&format!("\"{text}\"")).unwrap(), *track);
        }
        for text in ["", "1", "00", "r", "rx", "0.", "0.7", "0.7-", "0.-1", "0.7-2x", "0~", "0~x", "0~0", "é", "0é"] {
            assert!(text.parse::<TrackId>().is_err(), "{text}");
            assert!(serde_json::from_str::<TrackId>(&format!("\"{text}\"")).is_err(), "{text}");
        }
    }

    #[test]
    fn steps_know_what_they_stand_in() {
        assert!(is_in_step("3.1", "3.1") && is_in_step("3.1.2", "3.1") && is_in_step("3.1", "3"));
        assert!(!is_in_step("3.12", "3.1") && !is_in_step("3", "3.1") && !is_in_step("", "3"));
        let outermost = |number| is_outermost_on_way_back(number, &TrackId::rollback(1));
        assert!(outermost("r1.1") && outermost("r1.12"));
        assert!(!outermost("r1.1.2") && !outermost("r11.1") && !outermost("1") && !outermost("r1"));
    }

    #[test]
    fn tracks_know_what_they_were_forked_from() {
        let main = TrackId::main();
        let (second, tenth) = (main.child(7, 2), main.child(7, 10));
        let deep = second.child(1, 0);
        assert!(deep.is_within(&main) && deep.is_within(&second) && deep.is_within(&deep) && !deep.is_within(&tenth));
        assert!(
            deep.is_below(&second)
                && !second.is_below(&second)
                && !TrackId::rollback(10).is_below(&TrackId::rollback(1))
        );
        assert_eq!((deep.fork_of(&main), deep.fork_of(&second), main.fork_of(&main)), (Some(7), Some(1), None));
        assert!(second.is_beside(&tenth) && !second.is_beside(&second) && !second.is_beside(&main.child(8, 0)));
        assert_eq!((deep.parent(), main.parent(), tenth.item()), (Some(second.clone()), None, Some(10)));
        assert!(second < tenth, "items in the order of their numbers");
    }
}
