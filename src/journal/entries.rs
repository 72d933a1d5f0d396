//! Single records, read for one thing: what was asked, what came of it, what a person said. It must not know what came
//! before a record or after it.

use super::Stored;
use super::lifecycle::EffectState;
use crate::model::run::effect::{Class, Effect, Outcome};
use crate::model::run::record::{Asked, Fact};

pub(super) fn asked_in(records: &[Stored], index: usize) -> Option<Asked<'_>> {
    records.get(index)?.record.asked()
}

pub(super) fn outcome_in(records: &[Stored], index: usize) -> Option<&Outcome> {
    records.get(index)?.record.outcome()
}

/// Whether what was to be done is not: it failed, or a person had it left out.
pub(super) fn is_not_done(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed(_) | Outcome::Skipped { .. } => true,
        Outcome::Done { .. } => false,
    }
}

pub(super) fn doubt_in(records: &[Stored], index: usize) -> Option<&str> {
    if let Fact::Doubt { reason, .. } = &records.get(index)?.record.fact { Some(reason) } else { None }
}

/// What a person said of an effect from elsewhere.
pub(super) fn said_in(records: &[Stored], index: usize) -> Option<EffectState<'_>> {
    let record = &records.get(index)?.record;
    if let Fact::Answered { word, note, name, .. } = &record.fact {
        return Some(EffectState::Answered { word, note, by: name });
    }
    if let Fact::Skipped { reason, .. } = &record.fact {
        return Some(EffectState::Skipped { reason, by: record.user() });
    }
    None
}

/// Whether an effect only finds something out, from hosts or from people, or lets time pass between two looks: it can
/// be found out again.
pub(super) fn lapses(effect: &Effect) -> bool {
    match effect.class() {
        Class::Probe | Class::Meta => true,
        Class::Human => !effect.may_change(),
        Class::Wait => effect.is_pause(),
        Class::Idempotent | Class::Once => false,
    }
}
