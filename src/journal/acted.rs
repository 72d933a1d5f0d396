//! Whether a run has done anything at all: the pure reading of its records for whoever asks which run is meant. It
//! must not take for done what is on record as never started, nor for undone what nobody knows.

use super::Stored;
use super::history::History;
use crate::model::run::effect::Outcome;
use crate::model::run::record::{EffectId, Ending, Record};
use std::collections::{BTreeMap, BTreeSet};

impl History {
    /// Whether something outside may be another because of this run, or a host is held by it. What is on record as
    /// never started does not count; what nobody knows does.
    #[must_use]
    pub fn has_acted(&self) -> bool {
        let unstarted = self.unstarted();
        let mut asked: BTreeSet<(&EffectId, u32)> = BTreeSet::new();
        for Stored { record, .. } in self.records() {
            match record {
                Record::Intent { id, attempt, effect, .. } if effect.may_change() => {
                    asked.insert((id, *attempt));
                }
                Record::Outcome { id, attempt, outcome: Outcome::Failed(why), .. } if !why.may_have_changed() => {
                    asked.remove(&(id, *attempt));
                }
                Record::Settled { id, attempt, happened: false, .. } => {
                    asked.remove(&(id, *attempt));
                }
                Record::Deviation { hosts, .. } if !hosts.is_empty() => return true,
                Record::Begun { .. } | Record::StepBegun { .. } | Record::StepEnded { .. } => {}
                Record::Intent { .. } | Record::Outcome { .. } | Record::Read { .. } | Record::Doubt { .. } => {}
                Record::Settled { .. } | Record::Retry { .. } | Record::Answered { .. } | Record::Skipped { .. } => {}
                Record::StepSkipped { .. } | Record::Adopted { .. } | Record::Rollback { .. } => {}
                Record::Undone { .. } | Record::Steered { .. } | Record::Typed { .. } | Record::Opened { .. } => {}
                Record::Deviation { .. } | Record::Ended { .. } => {}
            }
        }
        asked.iter().any(|(id, attempt)| unstarted.get(*id) != Some(attempt))
    }

    /// The changes, each with its last attempt, of which the record says that they were not started: the run was
    /// refused at them, and nobody has taken it up again to start them since.
    pub(super) fn unstarted(&self) -> BTreeMap<EffectId, u32> {
        let (mut asked, mut unstarted) = (BTreeMap::new(), BTreeMap::new());
        let mut goes_back = false;
        for Stored { record, .. } in self.records() {
            match record {
                Record::Intent { id, attempt, effect, .. } if effect.may_change() => {
                    asked.insert(id.clone(), *attempt);
                    unstarted.remove(id);
                }
                Record::Ended { ending: Ending::Refused, effect: Some(id), .. } => {
                    unstarted.extend(asked.remove_entry(id));
                }
                // On its way back a run starts nothing of that.
                Record::Opened { .. } if !goes_back => asked = std::mem::take(&mut unstarted),
                Record::Opened { .. } => asked.clear(),
                Record::Rollback { .. } => goes_back = true,
                Record::Ended { ending: Ending::RolledBack, .. } => goes_back = false,
                Record::Begun { .. } | Record::StepBegun { .. } | Record::StepEnded { .. } => {}
                Record::Intent { .. } | Record::Outcome { .. } | Record::Read { .. } | Record::Doubt { .. } => {}
                Record::Settled { .. } | Record::Retry { .. } | Record::Answered { .. } | Record::Skipped { .. } => {}
                Record::StepSkipped { .. } | Record::Adopted { .. } | Record::Undone { .. } => {}
                Record::Steered { .. } | Record::Typed { .. } | Record::Deviation { .. } | Record::Ended { .. } => {}
            }
        }
        unstarted
    }
}
