//! Whether a run has done anything at all: the pure reading of its records for whoever asks which run is meant. It
//! must not take for done what is on record as never started, nor for undone what nobody knows.

use super::Stored;
use super::history::History;
use crate::model::effect::Outcome;
use crate::model::record::{EffectId, Ending, Record};
use std::collections::{BTreeMap, BTreeSet};

impl History {
    /// Whether something outside may be another because of this run, or a host is held by it. What is on record as
    /// never started does not count; what nobody knows does.
    #[must_use]
    pub fn has_acted(&self) -> bool {
        let mut asked: BTreeSet<(&EffectId, u32)> = BTreeSet::new();
        // The last attempts that this runner has asked for.
        let mut attempts: BTreeMap<&EffectId, u32> = BTreeMap::new();
        for Stored { record, .. } in self.records() {
            match record {
                Record::Intent { id, attempt, effect, .. } if effect.may_change() => {
                    asked.insert((id, *attempt));
                    attempts.insert(id, *attempt);
                }
                Record::Outcome { id, attempt, outcome: Outcome::Failed(why), .. } if !why.may_have_changed() => {
                    asked.remove(&(id, *attempt));
                }
                Record::Settled { id, attempt, happened: false, .. } => {
                    asked.remove(&(id, *attempt));
                }
                Record::Ended { ending: Ending::Refused, effect: Some(id), .. } => {
                    if let Some(attempt) = attempts.get(id) {
                        asked.remove(&(id, *attempt));
                    }
                }
                Record::Opened { .. } => attempts.clear(),
                Record::Deviation { hosts, .. } if !hosts.is_empty() => return true,
                Record::Begun { .. } | Record::StepBegun { .. } | Record::StepEnded { .. } => {}
                Record::Intent { .. } | Record::Outcome { .. } | Record::Read { .. } | Record::Doubt { .. } => {}
                Record::Settled { .. } | Record::Retry { .. } | Record::Answered { .. } | Record::Skipped { .. } => {}
                Record::StepSkipped { .. } | Record::Adopted { .. } | Record::Rollback { .. } => {}
                Record::Undone { .. } | Record::Steered { .. } | Record::Typed { .. } => {}
                Record::Deviation { .. } | Record::Ended { .. } => {}
            }
        }
        !asked.is_empty()
    }
}
