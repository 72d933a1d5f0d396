//! The drift check: before the first change after a resume, what the guards of the enclosing steps were decided by is
//! read again. What the run itself has changed since is no drift. It writes nothing and decides nothing but to stop.

use super::core::RunCore;
use super::guards::{GuardReading, HeldGuard};
use super::replayer::Replayer;
use super::{Halt, Halted};
use crate::error::{Error, Kind};
use crate::exec;
use crate::journal::history::{EffectState, History, Past};
use crate::model::run::effect::{Action, Effect, Failure, Outcome};
use crate::model::run::event::Event;
use crate::model::run::record::{EffectId, Ending, Moment};
use crate::model::site::inventory::Pair;
use crate::model::value::Value;
use crate::world::Stopped;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// How a run looks at its guards again.
#[derive(Debug, Default)]
pub struct DriftCheck {
    /// Services that change together: the members of each pair.
    groups: Vec<[String; 2]>,
    /// The operator has accepted the drift: nothing is looked at.
    accepted: bool,
    /// Services and hosts that this runner has changed.
    changed: RefCell<BTreeSet<(Option<String>, Option<String>)>>,
}

impl DriftCheck {
    /// For a site with these pairs; none at all if the operator has `accepted` what differs.
    #[must_use]
    pub fn new<'a>(pairs: impl Iterator<Item = &'a Pair>, accepted: bool) -> Self {
        let groups = pairs.map(|pair| [pair.primary.clone(), pair.backup.clone()]).collect();
        Self { groups, accepted, changed: RefCell::default() }
    }

    /// This runner asks for a change.
    pub(super) fn touched(&self, effect: &Effect) {
        self.changed.borrow_mut().insert((effect.service.clone(), effect.host.clone()));
    }

    /// Whether a change of this service or host may have changed what was read.
    fn concerns(&self, reading: &Effect, service: Option<&str>, host: Option<&str>) -> bool {
        let (Some(read), Some(changed)) = (reading.service.as_deref(), service) else {
            // What a person does with their hands may concern anything.
            return host.is_none() || reading.host.as_deref() == host;
        };
        let of = |name: &str, group: &[String; 2]| group.iter().any(|member| member == name);
        read == changed || self.groups.iter().any(|group| of(read, group) && of(changed, group))
    }

    /// Remembers what a former runner read; a change or a wait makes it old, and so does this runner when it reads the
    /// same.
    pub(super) fn note_reading(&self, core: &RunCore, replayer: &Replayer, id: &EffectId, effect: &Effect) {
        match &effect.action {
            Action::Probe(_) => {
                let recorded = replayer.digest_of(id);
                core.track(|track| match recorded {
                    Some(digest) => {
                        track.readings.retain(|reading| reading.digest != digest);
                        track.readings.push(GuardReading { id: id.clone(), digest });
                    }
                    None if track.readings.is_empty() => {}
                    None => {
                        let digest = effect.digest();
                        track.readings.retain(|reading| reading.digest != digest);
                    }
                });
            }
            Action::Job(_) | Action::Put(_) | Action::Fetch(_) => core.track(|track| track.readings.clear()),
            Action::Log(_) | Action::Until(_) | Action::Sleep { .. } => {
                core.track(|track| track.readings.clear());
            }
            Action::Ask(_) if effect.may_change() => core.track(|track| track.readings.clear()),
            Action::Ask(_) | Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => {}
        }
    }

    /// Remembers what a guard inside a step was decided by.
    pub(super) fn note_guard(&self, core: &RunCore, message: &str) {
        let readings = core.track(|track| std::mem::take(&mut track.readings));
        let readings: Vec<EffectId> = readings.into_iter().map(|reading| reading.id).collect();
        core.track(|track| {
            let depth = track.depth();
            if depth > 0 && !readings.is_empty() {
                track.guards.push(HeldGuard { depth, message: message.to_owned(), readings });
            }
        });
    }

    /// Before a change: reads again what the guards of the enclosing steps were decided by before this runner came.
    pub(super) fn look_again(&self, core: &RunCore, history: &History, effect: &Effect) -> Result<(), Halted> {
        if !effect.is_change() {
            return Ok(());
        }
        let due = core.tracks.guards_due();
        if self.accepted {
            return Ok(());
        }
        let mut looked = BTreeSet::new();
        for (guard, id) in due.iter().flat_map(|guard| guard.readings.iter().map(move |id| (guard, id))) {
            let Some(past) = history.recorded(id) else { continue };
            let EffectState::Settled(Outcome::Done { value, .. }) = past.state else { continue };
            if self.changed_since(history, &past) || !looked.insert(past.digest) {
                continue;
            }
            let now = exec::read_again(core, past.effect).map_err(|Stopped| Halted)?;
            if now.as_ref() != Ok(value) {
                return Err(core.halt(drift((&core.run, &core.moment()), guard, &past, value, &now)));
            }
        }
        if !looked.is_empty() {
            let readings = if looked.len() == 1 { "1 guarded reading: as it was" } else { "" };
            let several = format!("{} guarded readings: as they were", looked.len());
            let what = if readings.is_empty() { several.as_str() } else { readings };
            core.recorder.emit(&Event::Notice { text: format!("looked again at {what}") });
        }
        Ok(())
    }

    /// Whether the run itself has changed what was read, since it was.
    fn changed_since(&self, history: &History, past: &Past<'_>) -> bool {
        let concerns = |service: Option<&str>, host: Option<&str>| self.concerns(past.effect, service, host);
        let mut recorded = history.changed_after(&past.id);
        recorded.any(|effect| concerns(effect.service.as_deref(), effect.host.as_deref()))
            || self.changed.borrow().iter().any(|(service, host)| concerns(service.as_deref(), host.as_deref()))
    }
}

fn drift(
    (run, now_is): (&str, &Moment),
    guard: &HeldGuard,
    past: &Past<'_>,
    before: &Value,
    now: &Result<Value, Failure>,
) -> Halt {
    let (label, ago) = (&past.effect.label, now_is.elapsed(past.since));
    let quoted = |value: &Value| if let Value::Text(text) = value { format!("\"{text}\"") } else { value.to_string() };
    let now = match now {
        Ok(value) => format!("it reads {} now", quoted(value)),
        Err(failure) => format!("it cannot be read now: {}", failure.message),
    };
    let message = format!("{label} read {} when the guard held, {ago} earlier; {now}", quoted(before));
    let error = Error::new(Kind::Failed, message)
        .cause(format!("the guard: {}", guard.message))
        .hint("the run stopped before its next change")
        .hint(format!("if it is fine as it is: baton resume {run} --accept-drift \"why\""))
        .hint(format!("put it right, then: baton resume {run}"));
    Halt { ending: Ending::Failed, error, effect: Some(past.id.clone()) }
}
