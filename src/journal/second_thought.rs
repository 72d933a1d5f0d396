//! What a person thinks better of: a failure that is tried again or settled by a word, and what they had left out and
//! the runbook cannot do without. What followed from it does not count any more. Pure reading of a history.

use super::entries::{asked_in, lapses};
use super::history::{EffectState, History, Past, StepPhase};
use super::slots::EffectSlot;
use crate::journal::index::is_later;
use crate::model::run::effect::Outcome;
use crate::model::run::record::{EffectId, Ending, Fact};

/// What a person had left out last in the step that then failed, though nothing in it did: the runbook itself could
/// not go on without. It can be done after all, or be said to be done.
#[must_use]
pub fn missed(history: &History) -> Option<Past<'_>> {
    let Some(Fact::Ended { ending: Ending::Failed | Ending::Bug, effect: None, .. }) = history.last() else {
        return None;
    };
    left_out_of_failed(history).into_iter().next()
}

/// What people had left out of the steps that have failed, the last first, as far as nothing followed from it but
/// readings and questions.
#[must_use]
pub fn left_out_of_failed(history: &History) -> Vec<Past<'_>> {
    if history.way_back().is_some() {
        return Vec::new();
    }
    let mut found: Vec<Past<'_>> = Vec::new();
    for stored in history.records().iter().rev() {
        let Fact::Skipped { id, .. } = &stored.record.fact else { continue };
        let is_known = found.iter().any(|past| past.id == *id);
        let past =
            history.recorded(id).filter(|past| matches!(past.state, EffectState::Settled(Outcome::Skipped { .. })));
        found.extend(past.filter(|past| !is_known && is_of_failed_step(history, past) && is_last(history, id)));
    }
    found
}

/// Whether a step around it has failed; where there are no steps, the whole runbook has.
fn is_of_failed_step(history: &History, past: &Past<'_>) -> bool {
    let failed = history.effects_index().steps_around(&past.id, past.step).any(|(track, number)| {
        let step = history.step(track, number);
        step.is_some_and(|step| matches!(step.phase, StepPhase::Ended { failed: Some(_) }))
    });
    past.step.is_empty() || failed
}

/// Whether nothing was asked for after it that would stay as it is.
fn is_last(history: &History, id: &EffectId) -> bool {
    let lapses = |slot: &EffectSlot| asked_in(history.records(), slot.asked).is_some_and(|asked| lapses(asked.effect));
    history.effects_index().iter().all(|(name, track)| {
        // The track it was forked from has gone on.
        let joined = id.track.fork_of(name).is_some_and(|fork| track.slots.iter().any(|slot| slot.n > fork));
        let stays = track.slots.iter().any(|slot| is_later(name, slot.n, id) && !lapses(slot));
        !joined && !stays
    })
}
