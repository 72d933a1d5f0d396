//! What a runner that takes a run up again has to look at anew: the failure that stopped the run, readings that
//! may be stale by now, and an effect in doubt. Pure reading of a history; it writes nothing.

use super::history::{History, State};
use crate::model::effect::Outcome;
use crate::model::record::{EffectId, Ending, Record, TrackId};

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

    /// The effects to be tried again after a failure: the one that failed; or, when a guard did, the readings since
    /// the last change or wait, for they are what the guard was decided by.
    #[must_use]
    pub fn to_retry(&self) -> Vec<EffectId> {
        let Some(Record::Ended { ending: Ending::Failed, effect, .. }) = self.last() else {
            return Vec::new();
        };
        let failed = effect.as_ref().and_then(|id| self.recorded(id));
        match failed {
            Some(past) if matches!(past.state, State::Settled(Outcome::Failed(_))) => vec![past.id],
            Some(_) | None => self.latest_readings(),
        }
    }

    fn latest_readings(&self) -> Vec<EffectId> {
        let mut readings = Vec::new();
        for stored in self.records().iter().rev() {
            match &*stored.record {
                Record::Read { id, .. } => readings.push(id.clone()),
                Record::StepBegun { .. } | Record::StepEnded { .. } | Record::Ended { .. } | Record::Opened { .. } => {}
                Record::Intent { .. } | Record::Outcome { .. } | Record::Begun { .. } => break,
                Record::Doubt { .. } | Record::Settled { .. } | Record::Retry { .. } => break,
            }
        }
        readings.reverse();
        readings
    }

    /// Whether something inside this step is to be tried again, so that the step begins once more.
    #[must_use]
    pub fn retries_in(&self, track: &TrackId, number: &str) -> bool {
        self.records().iter().any(|stored| {
            let Record::Retry { id, .. } = &*stored.record else { return false };
            let Some(past) = self.recorded(id) else { return false };
            let inside = past.step.strip_prefix(number).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            past.state == State::ToRetry && inside && id.track.0.starts_with(&track.0)
        })
    }
}
