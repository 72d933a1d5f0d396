//! Waiting: pauses that tell every half minute what is waited for, and how fast a look is repeated.
//! Takes no decision about what is waited for.

use crate::exec::deadline::deadline;
use crate::exec::order::{ExecResult, Order};
use crate::model::run::effect::{LookReading, Looks, Outcome};
use crate::model::run::event::Event;
use crate::model::run::instant::Mono;
use crate::model::run::record::EffectId;
use crate::model::span::Span;
use crate::model::text::shown;
use crate::model::value::Value;
use crate::world::{Link, Stopped};

/// How long a wait may be silent: what ends sooner is not worth a line.
const PATIENCE: Span = Span::secs(2);
/// How often a wait says that it goes on.
const BEAT: Span = Span::secs(30);

/// How long to pause before the next look: longer each time, up to a most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    next: Span,
    most: Span,
}

impl Backoff {
    /// For states that change soon after a command has ended: 1 s at first, 5 s at the most.
    pub(super) fn brisk() -> Self {
        Self { next: Span::secs(1), most: Span::secs(5) }
    }

    /// For a link that is down: 1 s at first, 15 s at the most.
    pub(super) fn patient() -> Self {
        Self { next: Span::secs(1), most: Span::secs(15) }
    }

    /// Always the same pause; never below 100 ms, so that a slip of a runbook does not flood a host.
    pub(super) fn steady(every: Span) -> Self {
        let every = every.max(Span(100));
        Self { next: every, most: every }
    }

    /// The pause that is due now.
    pub(super) fn step(&mut self) -> Span {
        let due = self.next;
        self.next = Span(due.0 * 2).min(self.most);
        due
    }
}

/// Says what is waited for, soon after the wait has begun and then every half minute.
pub(super) struct Heartbeat<'a> {
    link: &'a dyn Link,
    id: &'a EffectId,
    what: String,
    reading: String,
    deadline: Mono,
    next: Mono,
}

impl<'a> Heartbeat<'a> {
    /// Begins a wait.
    pub(super) fn begin(link: &'a dyn Link, id: &'a EffectId, what: String, deadline: Mono) -> Self {
        Self { link, id, what, reading: String::new(), deadline, next: link.now().mono + PATIENCE }
    }

    /// From now on this is waited for.
    pub(super) fn wait_for(&mut self, what: String) {
        self.what = what;
    }

    /// How it stands by the last look.
    pub(super) fn reads(&mut self, reading: String) {
        self.reading = reading;
    }

    /// Says it if it is time to.
    pub(super) fn tick(&mut self) {
        let at = self.link.now();
        if at.mono < self.next {
            return;
        }
        self.next = at.mono + BEAT;
        let left = Some(self.deadline.since(at.mono));
        let (what, reading) = (self.what.clone(), self.reading.clone());
        self.link.tell(Event::Waiting { id: self.id.clone(), what, reading, left, at });
    }

    /// When the next word is due.
    pub(super) fn next(&self) -> Mono {
        self.next
    }

    /// Waits until `until`.
    pub(super) fn pause(&mut self, until: Mono) -> Result<(), Stopped> {
        while self.link.now().mono < until {
            self.link.wait_until(until.min(self.next))?;
            self.tick();
        }
        Ok(())
    }
}

/// Waits until `span` after the effect began. Of a pause `within` a wait, it is the wait that is told of.
pub(super) fn sleep(
    link: &dyn Link,
    order: Order<'_>,
    span: Span,
    within: Option<&Looks>,
) -> Result<ExecResult, Stopped> {
    let until = deadline(order.since, span, &link.now());
    let over = within.map_or(until, |looks| deadline(order.since, looks.left, &link.now()));
    let (what, reading) = match within {
        Some(looks) => stands(&order.effect.label, &looks.readings),
        None => (order.effect.label.clone(), String::new()),
    };
    let mut beat = Heartbeat::begin(link, order.id, what, over);
    if within.is_some_and(|looks| looks.waited >= PATIENCE) {
        beat.next = link.now().mono;
    }
    beat.reads(reading);
    beat.pause(until)?;
    Ok(ExecResult::Outcome(Outcome::done(Value::Null)))
}

/// What is waited for, and how it stands by what was read. Where it is a number of what was read, as in `6 clients on
/// c2`, the two become one: `4 of 6 clients on c2`.
fn stands(what: &str, readings: &[LookReading]) -> (String, String) {
    let counted = what.split_once(' ').filter(|(number, _)| number.parse::<i64>().is_ok()).map(|(_, rest)| rest);
    if let (Some(rest), [LookReading { probe, value: Value::Int(number), .. }]) = (counted, readings)
        && rest.split(' ').any(|word| word == probe)
    {
        return (format!("{number} of {what}"), String::new());
    }
    let told: Vec<String> =
        readings.iter().map(|one| format!("{} reads `{}`", one.label, shown(&one.value.to_string()))).collect();
    (what.to_owned(), told.join(", "))
}
