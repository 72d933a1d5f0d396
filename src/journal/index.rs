//! The index of a run's records: which effect and which step stands where, and how. It is built record by record;
//! what a record makes void is taken out here. It decides nothing, and what no runner can have written it refuses.

use super::Stored;
use super::entries::{asked_in, lapses, outcome_in};
use super::lifecycle::{EffectEvent, EffectPhase, StepPhase};
use super::misplaced::{Misplaced, Why};
use super::slots::{EffectSlot, TrackSlots};
use crate::model::run::effect::{Class, Outcome};
use crate::model::run::record::{EffectId, Fact, TrackId, is_in_step};
use std::collections::BTreeMap;
use std::collections::btree_map;

/// Every track of a run with its effects and steps.
#[derive(Debug, Clone, Default)]
pub(super) struct EffectIndex {
    tracks: BTreeMap<TrackId, TrackSlots>,
}

impl EffectIndex {
    /// All tracks, in order.
    pub(super) fn iter(&self) -> btree_map::Iter<'_, TrackId, TrackSlots> {
        self.tracks.iter()
    }

    /// A track, if anything was asked for or begun on it.
    pub(super) fn get(&self, track: &TrackId) -> Option<&TrackSlots> {
        self.tracks.get(track)
    }

    /// The tracks from this one on.
    pub(super) fn from(&self, track: TrackId) -> btree_map::Range<'_, TrackId, TrackSlots> {
        self.tracks.range(track..)
    }

    /// The effect at this position, if it was asked for.
    pub(super) fn slot(&self, id: &EffectId) -> Option<&EffectSlot> {
        self.tracks.get(&id.track)?.slot(id.n)
    }

    /// The effect, or that it was never asked for.
    fn slot_mut(&mut self, id: &EffectId) -> std::result::Result<&mut EffectSlot, Misplaced> {
        let slot = self.tracks.get_mut(&id.track).and_then(|track| {
            let position = track.position(id.n).ok()?;
            track.slots.get_mut(position)
        });
        slot.ok_or_else(|| Misplaced::Call(id.clone(), Why::NeverAsked))
    }

    /// A track, which there is from now on.
    pub(super) fn track(&mut self, track: &TrackId) -> &mut TrackSlots {
        self.tracks.entry(track.clone()).or_default()
    }

    /// What became of an attempt that was asked for.
    pub(super) fn settle(
        &mut self,
        id: &EffectId,
        attempt: u32,
        event: EffectEvent,
        all: &[Stored],
    ) -> std::result::Result<(), Misplaced> {
        let slot = self.slot_mut(id)?;
        if slot.attempt != attempt {
            return Err(Misplaced::Call(id.clone(), Why::Other { attempt, now: slot.attempt }));
        }
        slot.meet(id, event, all)
    }

    /// A person's word on an effect that is open, failed or in doubt.
    pub(super) fn say(
        &mut self,
        id: &EffectId,
        event: EffectEvent,
        all: &[Stored],
    ) -> std::result::Result<(), Misplaced> {
        let failed = self.has_failed_before(id, all);
        self.slot_mut(id)?.meet(id, event, all)?;
        if failed { self.forget_after(id, all) } else { Ok(()) }
    }

    /// It is to be tried again.
    pub(super) fn retry(&mut self, id: &EffectId, all: &[Stored]) -> std::result::Result<(), Misplaced> {
        self.slot_mut(id)?.meet(id, EffectEvent::Retried, all)?;
        // A reading before a change that is asked for anew: what it leads to then may be something else.
        if self.leads_to_what_is_anew(id, all) { Ok(()) } else { self.forget_after(id, all) }
    }

    /// Whether an effect has an outcome, and what it was to do is not done.
    pub(super) fn has_failed_before(&self, id: &EffectId, all: &[Stored]) -> bool {
        self.slot(id).is_some_and(|slot| slot.facts(all).not_done)
    }

    /// What the script asked for from record `since` on does not count any more.
    pub(super) fn undo(&mut self, since: u64, all: &[Stored]) {
        let since = usize::try_from(since.saturating_sub(1)).unwrap_or(usize::MAX);
        // The steps around what is undone have not come to their end any more.
        for stored in all.iter().skip(since) {
            let Fact::StepEnded { track, number, .. } = &stored.record.fact else { continue };
            if let Some(step) = self.tracks.get_mut(track).and_then(|track| track.steps.get_mut(number)) {
                step.phase = StepPhase::Begun;
            }
        }
        for (_, track) in self.tracks.iter_mut().filter(|(id, _)| id.is_scripts()) {
            for slot in track.slots.iter_mut().filter(|slot| slot.asked >= since) {
                slot.undo();
            }
            track.steps.retain(|_, step| step.begun < since);
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

    /// The steps on record that an effect of the step `within` stands in.
    pub(super) fn steps_around<'a>(
        &'a self,
        id: &'a EffectId,
        within: &'a str,
    ) -> impl Iterator<Item = (&'a TrackId, &'a str)> + 'a {
        let tracks = self.tracks.iter().filter(|(name, _)| id.track.is_within(name));
        let steps = tracks.flat_map(|(name, track)| track.steps.keys().map(move |number| (name, number.as_str())));
        steps.filter(move |(_, number)| is_in_step(within, number))
    }

    /// Whether what was asked for after this reading, in order, is readings that do not count any more and then
    /// something that is to be asked for anew.
    fn leads_to_what_is_anew(&self, id: &EffectId, all: &[Stored]) -> bool {
        let Some(track) = self.tracks.get(&id.track) else { return false };
        let mut later = track.slots.iter().filter(|slot| slot.n > id.n);
        let is_read = |slot: &&EffectSlot| {
            matches!(all.get(slot.asked).map(|stored| &stored.record.fact), Some(Fact::Read { .. }))
        };
        let next = later.find(|slot| !is_read(slot));
        next.is_some_and(|slot| matches!(slot.phase, EffectPhase::Retry | EffectPhase::Person { happened: false }))
    }

    /// Other texts are adopted: waits and questions under way may be asked otherwise, and steps that were broken off
    /// before anything was done in them may be others.
    pub(super) fn make_way(&mut self, back: Option<&TrackId>, all: &[Stored]) {
        let waits = |asked: usize| {
            let class = asked_in(all, asked).map(|asked| asked.effect.class());
            matches!(class, Some(Class::Wait | Class::Human))
        };
        let replayed = |id: &TrackId| is_replayed(id, back);
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
        for (track, number) in self.hollow_steps(back, all) {
            if let Some(track) = self.tracks.get_mut(&track) {
                track.steps.remove(&number);
            }
        }
    }

    /// Steps without a good end in which nothing counts. On a way back what failed in a step counts as well: it is
    /// undone under the name of that step.
    fn hollow_steps(&self, back: Option<&TrackId>, all: &[Stored]) -> Vec<(TrackId, String)> {
        let mut hollow = Vec::new();
        let goes_back = back.is_some();
        let is_change = |slot: &EffectSlot| asked_in(all, slot.asked).is_some_and(|asked| asked.effect.is_change());
        for (id, track) in self.tracks.iter().filter(|(id, _)| is_replayed(id, back)) {
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

    fn tracks_below<'a>(&'a self, id: &'a TrackId) -> impl Iterator<Item = (&'a TrackId, &'a TrackSlots)> {
        self.tracks.iter().filter(move |(track, _)| track.is_below(id))
    }
}

/// Whether a replay of the script, or of the way `back` that is under way, asks for what is on this track again.
pub(super) fn is_replayed(track: &TrackId, back: Option<&TrackId>) -> bool {
    track.is_scripts() || back.is_some_and(|back| track.is_within(back))
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

/// Whether effect `n` of a track comes behind `id`, on its own track or on one that was forked from it since.
pub(super) fn is_later(track: &TrackId, n: u64, id: &EffectId) -> bool {
    (*track == id.track && n > id.n) || track.fork_of(&id.track).is_some_and(|fork| fork > id.n)
}
