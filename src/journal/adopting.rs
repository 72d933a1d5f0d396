//! What other texts may change in a run that is under way, and what of its record they have to come to. What failed,
//! what was undone, and waits and questions without an outcome bind nobody; all else does. Pure reading of a history.

use super::Stored;
use super::entries::{asked_in, outcome_in};
use super::history::{History, Past, StepPhase};
use super::lifecycle::EffectPhase;
use super::slots::{EffectSlot, TrackSlots};
use crate::model::run::effect::{Class, Outcome};
use crate::model::run::record::{Asked, EffectId, Fact, TrackId, is_in_step};
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

impl History {
    /// Other texts are adopted: waits and questions under way may be asked otherwise, and steps that were broken off
    /// before anything was done in them may be others.
    pub(super) fn make_way(&mut self, all: &[Stored]) {
        let waits = |asked: usize| {
            let class = asked_in(all, asked).map(|asked| asked.effect.class());
            matches!(class, Some(Class::Wait | Class::Human))
        };
        let back = self.track_back();
        let replayed = |id: &TrackId| id.is_scripts() || back.as_ref().is_some_and(|back| id.is_within(back));
        for (id, track) in self.tracks.iter_mut().filter(|(id, _)| replayed(id)) {
            // The run turned back at what failed last: that is not asked for again, whatever the texts have there now.
            if let Some(slot) = track.slots.last_mut().filter(|_| back.is_some() && id.is_scripts()) {
                let failed = |at| matches!(outcome_in(all, at), Some(Outcome::Failed(_)));
                slot.loose |= matches!(slot.phase, EffectPhase::Outcome(at) if failed(at));
            }
            let waiting = |slot: &EffectSlot| slot.phase == EffectPhase::Open && waits(slot.asked);
            track.slots.iter_mut().filter(|slot| waiting(slot)).for_each(|slot| slot.loose = true);
            loosen_preludes(&mut track.slots, all);
        }
        for (track, number) in self.hollow_steps(all) {
            if let Some(track) = self.tracks.get_mut(&track) {
                track.steps.remove(&number);
            }
        }
    }

    /// Steps without a good end in which nothing counts. On a way back what failed in a step counts as well: it is
    /// undone under the name of that step.
    fn hollow_steps(&self, all: &[Stored]) -> Vec<(TrackId, String)> {
        let mut hollow = Vec::new();
        let goes_back = self.way_back().is_some();
        let is_change = |slot: &EffectSlot| asked_in(all, slot.asked).is_some_and(|asked| asked.effect.is_change());
        for (id, track) in self.tracks.iter().filter(|(id, _)| self.is_replayed(id)) {
            for (number, step) in &track.steps {
                let kept = |phase: &StepPhase| *phase == StepPhase::Skipped || is_complete(phase);
                let of_own = |other: &str| is_in_step(other, number);
                let is_undone = goes_back && id.is_scripts();
                let holds = |slot: &EffectSlot| {
                    slot.counts() || (is_undone && slot.phase != EffectPhase::Undone && is_change(slot))
                };
                let effects = track.slots.iter().filter(|slot| holds(slot));
                let since = first_begun(all, id, number);
                let counts = kept(&step.phase)
                    || effects.filter_map(|slot| asked_in(all, slot.asked)).any(|asked| of_own(asked.step))
                    || track.steps.iter().any(|(inner, step)| of_own(inner) && kept(&step.phase))
                    || self.tracks_below(id).any(|(_, below)| {
                        below.slots.iter().any(|slot| holds(slot) && slot.asked > since)
                            || below.steps.values().any(|inner| kept(&inner.phase) && inner.begun > since)
                    });
                if !counts {
                    hollow.push((id.clone(), number.clone()));
                }
            }
        }
        hollow
    }

    /// Whether something that counts happened on the tracks of a parallel at this position.
    #[must_use]
    pub fn forked_at(&self, id: &EffectId) -> bool {
        let children = id.track.child(id.n, 0);
        let counts = |track: &TrackSlots| !track.steps.is_empty() || track.slots.iter().any(EffectSlot::counts);
        self.tracks
            .range(children..)
            .take_while(|(track, _)| track.fork_of(&id.track) == Some(id.n))
            .any(|(_, t)| counts(t))
    }

    fn tracks_below<'a>(&'a self, id: &'a TrackId) -> impl Iterator<Item = (&'a TrackId, &'a TrackSlots)> {
        self.tracks.iter().filter(move |(track, _)| track.is_below(id))
    }

    /// The name of the step with this number, on this track or one it was forked from.
    #[must_use]
    pub fn step_name(&self, track: &TrackId, number: &str) -> Option<&str> {
        let mut track = track.clone();
        loop {
            if let Some(step) = self.step(&track, number) {
                return Some(&step.name);
            }
            track = track.parent()?;
        }
    }

    /// The first thing on record that counts and that a replay did not come to.
    #[must_use]
    pub fn unmet(&self, met: &Met) -> Option<Unmet<'_>> {
        self.records().iter().enumerate().find_map(|(index, stored)| {
            if let Some(Asked { id, step, effect, .. }) = stored.record.asked() {
                let bound = self.is_replayed(&id.track)
                    && self.slot(id).is_some_and(|slot| slot.asked == index && slot.counts());
                let name = self.step_name(&id.track, step).unwrap_or_default();
                return (bound && !met.effects.contains(id)).then_some(Unmet {
                    step,
                    name,
                    label: Some(&effect.label),
                });
            }
            let (Fact::StepBegun { track, number, name, .. } | Fact::StepSkipped { track, number, name, .. }) =
                &stored.record.fact
            else {
                return None;
            };
            let bound = self.is_replayed(track) && self.step(track, number).is_some_and(|step| step.begun == index);
            let is_met = met.steps.contains(&(track.clone(), number.clone()));
            (bound && !is_met).then_some(Unmet { step: number, name, label: None })
        })
    }

    /// What is to be asked for again or is answered already, and was not met as it is on record: it is given up.
    pub fn given_up(&self, met: &Met) -> impl Iterator<Item = Past<'_>> {
        let ids = self.tracks.iter().filter(|(id, _)| self.is_replayed(id)).flat_map(|(track, slots)| {
            let given_up = slots.slots.iter().filter(|slot| !slot.counts() && slot.phase != EffectPhase::Undone);
            given_up.map(|slot| EffectId { track: track.clone(), n: slot.n })
        });
        ids.filter(|id| !met.effects.contains(id)).filter_map(|id| self.recorded(&id))
    }
}

/// What a verb read and asked before it asked for the change that failed: it goes with it.
fn loosen_preludes(slots: &mut [EffectSlot], all: &[Stored]) {
    for failed in 0..slots.len() {
        let Some((before, [slot, ..])) = slots.split_at_mut_checked(failed) else { continue };
        let Some(change) = asked_in(all, slot.asked).filter(|_| slot.phase == EffectPhase::Retry) else { continue };
        let mut next = slot.n;
        for slot in before.iter_mut().rev() {
            let of_same_call = asked_in(all, slot.asked).is_some_and(|asked| {
                let reads = matches!(asked.effect.class(), Class::Probe | Class::Meta | Class::Human);
                reads
                    && asked.place.is_some()
                    && asked.place == change.place
                    && asked.effect.service == change.effect.service
            });
            if slot.n + 1 != next || !of_same_call || !slot.counts() {
                break;
            }
            slot.loose = true;
            next = slot.n;
        }
    }
}

/// Where a step began for the first time: a step that was tried again has two beginnings.
fn first_begun(all: &[Stored], track: &TrackId, number: &str) -> usize {
    let is_it = |fact: &Fact| {
        let Fact::StepBegun { track: of, number: n, .. } = fact else { return false };
        of == track && n == number
    };
    all.iter().position(|stored| is_it(&stored.record.fact)).unwrap_or(0)
}

fn is_complete(phase: &StepPhase) -> bool {
    *phase == (StepPhase::Ended { failed: None })
}
