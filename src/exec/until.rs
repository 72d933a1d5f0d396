//! Waiting for a probe to read a wanted value, and to go on reading it. Also how the goal of a job is awaited.
//! A probe that fails meanwhile is no reason to give up: only the deadline is, and one look after it.

use crate::exec::calls::EffectSite;
use crate::exec::deadline::deadline;
use crate::exec::order::{ExecResult, Order};
use crate::exec::probe::{self, Allowed};
use crate::exec::reading::{HIDDEN, choices, is_hidden, wanted};
use crate::exec::waiting::{Backoff, Heartbeat};
use crate::model::run::effect::{FailureKind, Outcome, Probe, Until};
use crate::model::run::instant::Mono;
use crate::model::span::Span;
use crate::model::text::shown;
use crate::model::value::Value;
use crate::world::{Link, Stopped};

/// The shortest pause: time passes between two looks.
const SHORTEST: Span = Span(1);

/// What is watched for.
pub(super) struct WatchGoal<'a> {
    /// Reads it.
    pub(super) probe: &'a Probe,
    /// The values wanted.
    pub(super) wants: &'a [Value],
    /// How long it must go on reading one of them.
    pub(super) stays: Span,
    /// How fast it is looked at again.
    pub(super) pace: Backoff,
    /// When to give up.
    pub(super) deadline: Mono,
}

/// What came of watching.
pub(super) enum WatchResult {
    /// This wanted value was read, for long enough.
    Wanted(Value),
    /// The deadline is over; what was read last, in words.
    Over(String),
}

/// Performs an `Until` effect.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, until: &Until) -> Result<ExecResult, Stopped> {
    let site = match EffectSite::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let (what, wants) = (format!("`{}` of `{}`", until.probe.what, site.name()), choices(&until.wants));
    let mut deadline = deadline(order.since, until.limit, &link.now());
    if order.recovering {
        // Who takes it up late must give a state that has to last the time to last.
        deadline = deadline.max(link.now().mono + until.stays);
    }
    let mut beat = Heartbeat::begin(link, order.id, format!("{what} to read {wants}"), deadline);
    let pace = Backoff::steady(until.every);
    let watch = WatchGoal { probe: &until.probe, wants: &until.wants, stays: until.stays, pace, deadline };
    Ok(match watch.run(link, site, &mut beat)? {
        WatchResult::Wanted(value) => ExecResult::Outcome(Outcome::done(value)),
        WatchResult::Over(last) => ExecResult::failed(
            FailureKind::Limit,
            format!("{what} {last}, not {wants}, when {} were over", until.limit),
        ),
    })
}

impl WatchGoal<'_> {
    /// Looks until it reads what is wanted or the deadline is over. The last look is never before the deadline.
    pub(super) fn run(
        mut self,
        link: &dyn Link,
        site: EffectSite<'_>,
        beat: &mut Heartbeat<'_>,
    ) -> Result<WatchResult, Stopped> {
        let mut held_since = None;
        loop {
            let looked = link.now().mono;
            let read = probe::read(link, site, self.probe, Allowed::until(self.deadline))?;
            let now = link.now().mono;
            let last = match read {
                Ok(value) if is_hidden(self.wants, &value) => return Ok(WatchResult::Over(HIDDEN.to_owned())),
                Ok(value) if wanted(self.wants, &value) => {
                    let since = *held_since.get_or_insert(now);
                    if now.since(since) >= self.stays {
                        return Ok(WatchResult::Wanted(value));
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
                return Ok(WatchResult::Over(last));
            }
            beat.reads(last);
            let held_until = held_since.map_or(Mono::NEVER, |since| since + self.stays);
            beat.pause((now + self.pace.step()).min(held_until).min(self.deadline.max(now + SHORTEST)))?;
        }
    }
}
