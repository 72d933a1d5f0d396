//! What a person thinks better of: a failure that is tried again or settled by a word, and what they had left out and
//! the runbook cannot do without. What followed from it does not count any more. Pure reading of a history.

use super::Stored;
use super::entries::{asked_in, lapses};
use super::history::{EffectState, History, Past, StepPhase};
use super::lifecycle::EffectPhase;
use super::misplaced::{Misplaced, Why};
use super::slots::EffectSlot;
use crate::model::run::effect::Outcome;
use crate::model::run::record::{EffectId, Ending, Fact, TrackId, is_in_step};

impl History {
    /// What a person had left out last in the step that then failed, though nothing in it did: the runbook itself could
    /// not go on without. It can be done after all, or be said to be done.
    #[must_use]
    pub fn missed(&self) -> Option<Past<'_>> {
        let Some(Fact::Ended { ending: Ending::Failed | Ending::Bug, effect: None, .. }) = self.last() else {
            return None;
        };
        self.left_out_of_failed().into_iter().next()
    }

    /// What people had left out of the steps that have failed, the last first, as far as nothing followed from it but
    /// readings and questions.
    #[must_use]
    pub fn left_out_of_failed(&self) -> Vec<Past<'_>> {
        if self.way_back().is_some() {
            return Vec::new();
        }
        let mut found: Vec<Past<'_>> = Vec::new();
        for stored in self.records().iter().rev() {
            let Fact::Skipped { id, .. } = &stored.record.fact else { continue };
            let is_known = found.iter().any(|past| past.id == *id);
            let past =
                self.recorded(id).filter(|past| matches!(past.state, EffectState::Settled(Outcome::Skipped { .. })));
            found.extend(past.filter(|past| !is_known && self.is_of_failed_step(past) && self.is_last(id)));
        }
        found
    }

    /// Whether a step around it has failed; where there are no steps, the whole runbook has.
    fn is_of_failed_step(&self, past: &Past<'_>) -> bool {
        let failed = self.steps_around(&past.id, past.step).any(|(track, number)| {
            let step = self.step(track, number);
            step.is_some_and(|step| matches!(step.phase, StepPhase::Ended { failed: Some(_) }))
        });
        past.step.is_empty() || failed
    }

    /// Whether nothing was asked for after it that would stay as it is.
    fn is_last(&self, id: &EffectId) -> bool {
        let lapses = |slot: &EffectSlot| asked_in(self.records(), slot.asked).is_some_and(|asked| lapses(asked.effect));
        self.tracks.iter().all(|(name, track)| {
            // The track it was forked from has gone on.
            let joined = id.track.fork_of(name).is_some_and(|fork| track.slots.iter().any(|slot| slot.n > fork));
            let stays = track.slots.iter().any(|slot| is_later(name, slot.n, id) && !lapses(slot));
            !joined && !stays
        })
    }

    /// The steps on record that an effect of the step `within` stands in.
    fn steps_around<'a>(
        &'a self,
        id: &'a EffectId,
        within: &'a str,
    ) -> impl Iterator<Item = (&'a TrackId, &'a str)> + 'a {
        let tracks = self.tracks.iter().filter(|(name, _)| id.track.is_within(name));
        let steps = tracks.flat_map(|(name, track)| track.steps.keys().map(move |number| (name, number.as_str())));
        steps.filter(move |(_, number)| is_in_step(within, number))
    }

    /// What had been left out is done after all: the steps around it have not come to their end.
    fn reopen_around(&mut self, id: &EffectId, all: &[Stored]) {
        let again = |phase: EffectPhase| matches!(phase, EffectPhase::Retry | EffectPhase::Person { .. });
        let Some(slot) = self.slot(id).filter(|slot| again(slot.phase)) else { return };
        let Some(asked) = asked_in(all, slot.asked) else { return };
        let left_out = |stored: &Stored| matches!(&stored.record.fact, Fact::Skipped { id: of, .. } if of == id);
        if !all.iter().any(left_out) {
            return;
        }
        let around: Vec<(TrackId, String)> =
            self.steps_around(id, asked.step).map(|(track, number)| (track.clone(), number.to_owned())).collect();
        for (track, number) in around {
            let step = self.tracks.get_mut(&track).and_then(|track| track.steps.get_mut(&number));
            if let Some(step) = step.filter(|step| step.phase == (StepPhase::Ended { failed: None })) {
                step.phase = StepPhase::Begun;
            }
        }
    }

    /// What a runbook read, noted and asked because of a failure does not count any more when the failure is tried
    /// again or settled by a word. What it changed because of it does, by its own hand or a person's: then nothing can
    /// be done about it alone.
    pub(super) fn forget_after(&mut self, id: &EffectId, all: &[Stored]) -> std::result::Result<(), Misplaced> {
        let since = self.slot_mut(id)?.asked;
        self.reopen_around(id, all);
        let later = |track: &TrackId, n: u64| is_later(track, n, id);
        for (name, track) in &mut self.tracks {
            let lapses = |slot: &EffectSlot| asked_in(all, slot.asked).is_some_and(|asked| lapses(asked.effect));
            if track.slots.iter().any(|slot| later(name, slot.n) && !lapses(slot)) {
                return Err(Misplaced::Call(id.clone(), Why::Followed));
            }
            track.slots.retain(|slot| !later(name, slot.n));
            if *name == id.track || later(name, 0) {
                track.steps.retain(|_, step| step.begun < since);
            }
        }
        Ok(())
    }
}

/// Whether effect `n` of a track comes behind `id`, on its own track or on one that was forked from it since.
fn is_later(track: &TrackId, n: u64, id: &EffectId) -> bool {
    (*track == id.track && n > id.n) || track.fork_of(&id.track).is_some_and(|fork| fork > id.n)
}
