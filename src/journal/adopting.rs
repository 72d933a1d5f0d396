//! What other texts may change in a run that is under way, and what of its record they have to come to. What failed,
//! what was undone, and waits and questions without an outcome bind nobody; all else does. Pure reading of a history.

use super::history::{History, Past};
use super::lifecycle::EffectPhase;
use super::slots::{EffectSlot, TrackSlots};
use crate::model::run::record::{Asked, EffectId, Fact, TrackId};
use std::collections::BTreeSet;

/// What a replay has come to.
#[derive(Debug, Clone, Default)]
pub struct Met {
    /// Effects that were asked for as they are on record.
    pub effects: BTreeSet<EffectId>,
    /// Steps, by track and number.
    pub steps: BTreeSet<(TrackId, String)>,
}

/// Something on record that a replay did not come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet<'a> {
    /// The number of the innermost step; empty outside steps.
    pub step: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The effect's label; nothing for the step itself.
    pub label: Option<&'a str>,
}

/// Whether something that counts happened on the tracks of a parallel at this position.
#[must_use]
pub fn forked_at(history: &History, id: &EffectId) -> bool {
    let children = id.track.child(id.n, 0);
    let counts = |track: &TrackSlots| !track.steps.is_empty() || track.slots.iter().any(EffectSlot::counts);
    history
        .effects_index()
        .from(children)
        .take_while(|(track, _)| track.fork_of(&id.track) == Some(id.n))
        .any(|(_, t)| counts(t))
}

/// The name of the step with this number, on this track or one it was forked from.
#[must_use]
pub fn step_name<'h>(history: &'h History, track: &TrackId, number: &str) -> Option<&'h str> {
    let mut track = track.clone();
    loop {
        if let Some(step) = history.step(&track, number) {
            return Some(&step.name);
        }
        track = track.parent()?;
    }
}

/// The first thing on record that counts and that a replay did not come to.
#[must_use]
pub fn unmet<'h>(history: &'h History, met: &Met) -> Option<Unmet<'h>> {
    history.records().iter().enumerate().find_map(|(index, stored)| {
        if let Some(Asked { id, step, effect, .. }) = stored.record.asked() {
            let bound = history.is_replayed(&id.track)
                && history.effects_index().slot(id).is_some_and(|slot| slot.asked == index && slot.counts());
            let name = step_name(history, &id.track, step).unwrap_or_default();
            return (bound && !met.effects.contains(id)).then_some(Unmet { step, name, label: Some(&effect.label) });
        }
        let (Fact::StepBegun { track, number, name, .. } | Fact::StepSkipped { track, number, name, .. }) =
            &stored.record.fact
        else {
            return None;
        };
        let bound = history.is_replayed(track) && history.step(track, number).is_some_and(|step| step.begun == index);
        let is_met = met.steps.contains(&(track.clone(), number.clone()));
        (bound && !is_met).then_some(Unmet { step: number, name, label: None })
    })
}

/// What is to be asked for again or is answered already, and was not met as it is on record: it is given up.
pub fn given_up<'h>(history: &'h History, met: &'h Met) -> impl Iterator<Item = Past<'h>> {
    let ids = history.effects_index().iter().filter(|(id, _)| history.is_replayed(id)).flat_map(|(track, slots)| {
        let given_up = slots.slots.iter().filter(|slot| !slot.counts() && slot.phase != EffectPhase::Undone);
        given_up.map(|slot| EffectId { track: track.clone(), n: slot.n })
    });
    ids.filter(|id| !met.effects.contains(id)).filter_map(|id| history.recorded(&id))
}
