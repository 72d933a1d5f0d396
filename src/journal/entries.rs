//! Single records, read for one thing: what was asked, what came of it, what a person said. It must not know what came
//! before a record or after it.

use super::Stored;
use super::lifecycle::EffectState;
use crate::model::run::effect::{Class, Effect, Outcome};
use crate::model::run::place::PlaceData;
use crate::model::run::record::{Moment, Record};

/// The asking half of an intent or a reading.
pub(super) struct Asked<'a> {
    pub(super) step: &'a str,
    pub(super) effect: &'a Effect,
    pub(super) digest: &'a str,
    pub(super) at: &'a Moment,
    pub(super) place: &'a Option<PlaceData>,
    pub(super) kept_in: Option<&'a str>,
}

pub(super) fn asked_in(records: &[Stored], index: usize) -> Option<Asked<'_>> {
    match &records.get(index)?.record {
        Record::Intent { step, effect, digest, at, place, kept_in, .. } => {
            Some(Asked { step, effect, digest, at, place, kept_in: kept_in.as_deref() })
        }
        Record::Read { step, effect, digest, at, place, .. } => {
            Some(Asked { step, effect, digest, at, place, kept_in: None })
        }
        Record::Begun { .. } | Record::Opened { .. } | Record::StepBegun { .. } | Record::StepEnded { .. } => None,
        Record::Outcome { .. } | Record::Doubt { .. } | Record::Settled { .. } | Record::Retry { .. } => None,
        Record::Answered { .. } | Record::Skipped { .. } | Record::StepSkipped { .. } | Record::Undone { .. } => None,
        Record::Adopted { .. } | Record::Rollback { .. } | Record::Typed { .. } | Record::Deviation { .. } => None,
        Record::Steered { .. } | Record::Ended { .. } => None,
    }
}

pub(super) fn outcome_in(records: &[Stored], index: usize) -> Option<&Outcome> {
    if let Record::Outcome { outcome, .. } | Record::Read { outcome, .. } = &records.get(index)?.record {
        return Some(outcome);
    }
    None
}

/// Whether what was to be done is not: it failed, or a person had it left out.
pub(super) fn is_not_done(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed(_) | Outcome::Skipped { .. } => true,
        Outcome::Done { .. } => false,
    }
}

pub(super) fn doubt_in(records: &[Stored], index: usize) -> Option<&str> {
    if let Record::Doubt { reason, .. } = &records.get(index)?.record { Some(reason) } else { None }
}

/// What a person said of an effect from elsewhere.
pub(super) fn said_in(records: &[Stored], index: usize) -> Option<EffectState<'_>> {
    let record = &records.get(index)?.record;
    if let Record::Answered { word, note, name, .. } = record {
        return Some(EffectState::Answered { word, note, by: name });
    }
    if let Record::Skipped { reason, by, .. } = record {
        return Some(EffectState::Skipped { reason, by: &by.user });
    }
    None
}

/// Whether an effect only finds something out, from hosts or from people: it can be found out again.
pub(super) fn lapses(effect: &Effect) -> bool {
    match effect.class() {
        Class::Probe | Class::Meta => true,
        Class::Human => !effect.may_change(),
        Class::Idempotent | Class::Once | Class::Wait => false,
    }
}
