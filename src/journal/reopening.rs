//! What a runner that takes a run up again has to look at anew: the failure that stopped the run, readings that
//! may be stale by now, and an effect in doubt. Pure reading of a history; it writes nothing.

use super::Stored;
use super::history::{History, Past, State};
use crate::model::effect::{Action, Effect, Outcome};
use crate::model::record::{EffectId, Ending, Record, TrackId, Who};

impl History {
    /// The effect in doubt and its attempt, when that is why the run stopped.
    #[must_use]
    pub fn doubted(&self) -> Option<(EffectId, u32)> {
        let Some(Record::Ended { ending: Ending::Doubt, effect: Some(id), .. }) = self.last() else {
            return None;
        };
        let past = self.recorded(id)?;
        matches!(past.state, State::Doubted { .. }).then_some((past.id, past.attempt))
    }

    /// The reading that was no longer what a guard was decided by, when that is why the run stopped.
    #[must_use]
    pub fn drifted(&self) -> Option<Past<'_>> {
        let Some(Record::Ended { ending: Ending::Failed, effect: Some(id), .. }) = self.last() else {
            return None;
        };
        let done = |past: &Past<'_>| matches!(past.state, State::Settled(Outcome::Done { .. }));
        self.recorded(id).filter(|past| done(past) && matches!(past.effect.action, Action::Probe(_)))
    }

    /// The changes that were asked for after this effect, of hosts or of people, on any track.
    pub fn changed_after(&self, id: &EffectId) -> impl Iterator<Item = &Effect> {
        let asked = self.slot(id).map_or(usize::MAX, |slot| slot.asked);
        self.records().iter().skip(asked.saturating_add(1)).filter_map(|stored| {
            let Record::Intent { effect, .. } = &stored.record else { return None };
            effect.may_change().then_some(effect)
        })
    }

    /// Whether the run stopped because something failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.last(), Some(Record::Ended { ending: Ending::Failed, .. }))
    }

    /// The effect at which the run stopped: the one in doubt, or the one that failed.
    #[must_use]
    pub fn stopped_at(&self) -> Option<Past<'_>> {
        let Some(Record::Ended { ending: Ending::Failed | Ending::Doubt, effect: Some(id), .. }) = self.last() else {
            return None;
        };
        let open = |state: &State<'_>| matches!(state, State::Settled(Outcome::Failed(_)) | State::Doubted { .. });
        self.recorded(id).filter(|past| open(&past.state))
    }

    /// The effects to be tried again after a failure: the one that failed; or, when a guard did, the first of the
    /// readings since the last change or wait, for they are what the guard was decided by. What was read after it is
    /// read anew as well. None when the runbook did more because of the failure than read and note.
    #[must_use]
    pub fn to_retry(&self) -> Vec<EffectId> {
        let Some(Record::Ended { ending: Ending::Failed, effect, .. }) = self.last() else {
            return Vec::new();
        };
        let failed = effect.as_ref().and_then(|id| self.recorded(id));
        let again = match failed {
            _ if self.drifted().is_some() => None,
            Some(past) if matches!(past.state, State::Settled(Outcome::Failed(_))) => Some(past.id),
            // A person said that it failed: they are asked again.
            Some(past) if matches!(past.effect.action, Action::Ask(_)) => Some(past.id),
            Some(_) | None => self.latest_readings().into_iter().next(),
        };
        let beside = again.iter().flat_map(|id| self.failed_beside(id));
        again.iter().cloned().chain(beside).filter(|id| self.may_retry(id)).collect()
    }

    /// What tracks that were forked together with that of an effect failed at last, if they did: they are tried again
    /// together.
    fn failed_beside(&self, id: &EffectId) -> Vec<EffectId> {
        let Some((fork, _)) = id.track.0.rsplit_once('-') else { return Vec::new() };
        let beside = |track: &TrackId| *track != id.track && track.0.rsplit_once('-').is_some_and(|(of, _)| of == fork);
        let last = self.tracks.iter().filter(|(track, _)| beside(track)).filter_map(|(track, known)| {
            let last = EffectId { track: track.clone(), n: known.slots.last()?.n };
            matches!(self.recorded(&last)?.state, State::Settled(Outcome::Failed(_))).then_some(last)
        });
        last.collect()
    }

    fn may_retry(&self, id: &EffectId) -> bool {
        let Some(last) = self.records().last() else { return false };
        let Record::Ended { at, .. } = &last.record else { return false };
        let retry = Record::Retry { id: id.clone(), at: at.clone(), by: Who::default() };
        self.clone().extend(vec![Stored { seq: last.seq + 1, record: retry }]).is_ok()
    }

    fn latest_readings(&self) -> Vec<EffectId> {
        let here = match self.way_back() {
            Some(_) => TrackId::rollback(self.rollbacks()),
            None => TrackId::main(),
        };
        let mut readings = Vec::new();
        for stored in self.records().iter().rev() {
            match &stored.record {
                Record::Read { id, .. } if id.track == here => readings.push(id.clone()),
                Record::Read { .. } => break,
                Record::StepBegun { .. } | Record::StepEnded { .. } | Record::Ended { .. } | Record::Opened { .. } => {}
                Record::Intent { .. } | Record::Outcome { .. } | Record::Begun { .. } => break,
                Record::Doubt { .. } | Record::Settled { .. } | Record::Retry { .. } => break,
                Record::Answered { .. } | Record::Skipped { .. } | Record::StepSkipped { .. } => break,
                Record::Adopted { .. } | Record::Rollback { .. } | Record::Undone { .. } => break,
                Record::Typed { .. } | Record::Deviation { .. } | Record::Steered { .. } => {}
            }
        }
        readings.reverse();
        readings
    }

    /// Whether something inside this step is to be tried again, or was settled by a word after it had failed, so that
    /// the step begins once more.
    #[must_use]
    pub fn retries_in(&self, track: &TrackId, number: &str) -> bool {
        self.records().iter().any(|stored| {
            let (Record::Retry { id, .. } | Record::Skipped { id, .. } | Record::Settled { id, .. }) = &stored.record
            else {
                return false;
            };
            let Some(past) = self.recorded(id) else { return false };
            let anew = match past.state {
                State::ToRetry | State::Skipped { .. } | State::SettledByPerson { .. } => true,
                State::Settled(_) | State::Open | State::Doubted { .. } => false,
                State::Answered { .. } | State::Undone => false,
            };
            let inside = past.step.strip_prefix(number).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            anew && inside && id.track.0.starts_with(&track.0)
        })
    }
}
