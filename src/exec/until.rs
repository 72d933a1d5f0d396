//! Waiting for a probe to read a wanted value, and to go on reading it. Also how the goal of a job is awaited.
//! A probe that fails meanwhile is no reason to give up: only the deadline is, and one look after it.

use crate::exec::calls::Site;
use crate::exec::deadline::deadline;
use crate::exec::order::{Order, Verdict};
use crate::exec::probe::{self, Allowed};
use crate::exec::reading::{choices, wanted};
use crate::exec::waiting::{Beat, Pace};
use crate::model::run::effect::{FailureKind, Outcome, Probe, Until};
use crate::model::span::Span;
use crate::model::text::shown;
use crate::model::value::Value;
use crate::world::{Link, Stopped};

/// What is watched for.
pub(super) struct Watch<'a> {
    /// Reads it.
    pub(super) probe: &'a Probe,
    /// The values wanted.
    pub(super) wants: &'a [Value],
    /// How long it must go on reading one of them.
    pub(super) stays: Span,
    /// How fast it is looked at again.
    pub(super) pace: Pace,
    /// When to give up, on the `mono` clock.
    pub(super) deadline: u64,
}

/// What came of watching.
pub(super) enum Seen {
    /// This wanted value was read, for long enough.
    Wanted(Value),
    /// The deadline is over; what was read last, in words.
    Over(String),
}

/// Performs an `Until` effect.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, until: &Until) -> Result<Verdict, Stopped> {
    let site = match Site::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let (what, wants) = (format!("`{}` of `{}`", until.probe.what, site.name()), choices(&until.wants));
    let mut deadline = deadline(order.since, until.limit, &link.now());
    if order.recovering {
        // Who takes it up late must give a state that has to last the time to last.
        deadline = deadline.max(link.now().mono.saturating_add(until.stays.0));
    }
    let mut beat = Beat::begin(link, order.id, format!("{what} to read {wants}"), deadline);
    let pace = Pace::steady(until.every);
    let watch = Watch { probe: &until.probe, wants: &until.wants, stays: until.stays, pace, deadline };
    Ok(match watch.run(link, site, &mut beat)? {
        Seen::Wanted(value) => Verdict::Outcome(Outcome::done(value)),
        Seen::Over(last) => {
            Verdict::failed(FailureKind::Limit, format!("{what} {last}, not {wants}, when {} were over", until.limit))
        }
    })
}

impl Watch<'_> {
    /// Looks until it reads what is wanted or the deadline is over. The last look is never before the deadline.
    pub(super) fn run(mut self, link: &dyn Link, site: Site<'_>, beat: &mut Beat<'_>) -> Result<Seen, Stopped> {
        let mut held_since = None;
        loop {
            let looked = link.now().mono;
            let read = probe::read(link, site, self.probe, Allowed::until(self.deadline))?;
            let now = link.now().mono;
            let last = match read {
                Ok(value) if wanted(self.wants, &value) => {
                    let since = *held_since.get_or_insert(now);
                    if now - since >= self.stays.0 {
                        return Ok(Seen::Wanted(value));
                    }
                    format!("reads `{}`, but not yet for {}", shown(&value.to_string()), self.stays)
                }
                Ok(value) => {
                    held_since = None;
                    format!("reads `{}`", shown(&value.to_string()))
                }
                Err(failure) => {
                    held_since = None;
                    format!("could not be read ({})", failure.message)
                }
            };
            if looked >= self.deadline {
                return Ok(Seen::Over(last));
            }
            beat.reads(last);
            let held_until = held_since.map_or(u64::MAX, |since| since + self.stays.0);
            beat.pause((now + self.pace.step()).min(held_until).min(self.deadline.max(now + 1)))?;
        }
    }
}
