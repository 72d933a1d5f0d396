//! What is recorded of one track: its effects as positions in the list of records, and its steps. It only says which
//! record may follow which; what a run does about it is decided elsewhere.

use super::Stored;
use super::entries::{asked_in, is_not_done, outcome_in};
use super::lifecycle::{EffectEvent, EffectFacts, EffectPhase, StepPhase};
use super::misplaced::{Misplaced, Why};
use crate::model::run::effect::{Action, Class, Effect};
use crate::model::run::record::EffectId;
use std::collections::BTreeMap;

/// The effects and steps of one track.
#[derive(Debug, Clone, Default)]
pub(super) struct TrackSlots {
    /// By rising effect number.
    pub(super) slots: Vec<EffectSlot>,
    /// By number.
    pub(super) steps: BTreeMap<String, StepPast>,
}

/// What is recorded of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepPast {
    /// Its name.
    pub name: String,
    /// How far it is recorded.
    pub phase: StepPhase,
    /// Which record begins it.
    pub(super) begun: usize,
}

/// An effect, as positions in the list of records.
#[derive(Debug, Clone)]
pub(super) struct EffectSlot {
    /// Its number on the track.
    pub(super) n: u64,
    /// The present attempt.
    pub(super) attempt: u32,
    /// The first attempt that asked for the same and still counts; earlier ones were for something else, or undone.
    pub(super) base: u32,
    /// Which record asks for the present attempt.
    pub(super) asked: usize,
    /// How it stands.
    pub(super) phase: EffectPhase,
    /// Other texts were adopted, and something else may be asked for in its place: a wait or a question that was under
    /// way, or what was read and asked on the way to a change that failed.
    pub(super) loose: bool,
}

impl EffectSlot {
    /// What is known of it beside how it stands.
    pub(super) fn facts(&self, all: &[Stored]) -> EffectFacts {
        let asked = asked_in(all, self.asked);
        let is = |what: &dyn Fn(&Effect) -> bool| asked.as_ref().is_some_and(|asked| what(asked.effect));
        let not_done = match self.phase {
            EffectPhase::Outcome(at) => outcome_in(all, at).is_some_and(is_not_done),
            EffectPhase::Open | EffectPhase::Doubt(_) | EffectPhase::Person { .. } | EffectPhase::Retry => false,
            EffectPhase::Skipped(_) | EffectPhase::Answered(_) | EffectPhase::Undone => false,
        };
        EffectFacts {
            once: is(&|effect| effect.class() == Class::Once),
            asks: is(&|effect| matches!(effect.action, Action::Ask(_))),
            is_change: is(&Effect::is_change),
            not_done,
            loose: self.loose,
        }
    }

    /// It does not count any more, however it stands: what is asked for in its place is asked for first.
    pub(super) fn undo(&mut self) {
        self.phase = self.phase.next(EffectEvent::Undone, EffectFacts::default).unwrap_or(EffectPhase::Undone);
        self.base = self.attempt + 1;
    }

    /// Something happens to it.
    ///
    /// # Errors
    /// When no runner can have written that.
    pub(super) fn meet(&mut self, id: &EffectId, event: EffectEvent, all: &[Stored]) -> Result<(), Misplaced> {
        self.phase =
            self.phase.next(event, || self.facts(all)).map_err(|why| Misplaced::Call(id.clone(), why.into()))?;
        Ok(())
    }

    /// Whether nothing else may be asked for in its place: every replay must come to it.
    pub(super) fn counts(&self) -> bool {
        match self.phase {
            EffectPhase::Open | EffectPhase::Outcome(_) => !self.loose,
            EffectPhase::Doubt(_) | EffectPhase::Person { happened: true } | EffectPhase::Skipped(_) => true,
            EffectPhase::Person { happened: false }
            | EffectPhase::Retry
            | EffectPhase::Answered(_)
            | EffectPhase::Undone => false,
        }
    }
}

impl TrackSlots {
    /// Where the effect of this number is, or would be.
    pub(super) fn position(&self, n: u64) -> std::result::Result<usize, usize> {
        self.slots.binary_search_by_key(&n, |slot| slot.n)
    }

    /// The effect of this number.
    pub(super) fn slot(&self, n: u64) -> Option<&EffectSlot> {
        self.position(n).ok().and_then(|position| self.slots.get(position))
    }

    /// A first or a further attempt of an effect.
    pub(super) fn ask(
        &mut self,
        id: &EffectId,
        attempt: u32,
        asked: usize,
        event: EffectEvent,
        all: &[Stored],
    ) -> Result<(), Misplaced> {
        let new = |phase, base| EffectSlot { n: id.n, attempt, base, asked, phase, loose: false };
        let Some(slot) = self.position(id.n).ok().and_then(|position| self.slots.get_mut(position)) else {
            if attempt != 1 {
                return Err(Misplaced::Call(id.clone(), Why::NoFirst { attempt }));
            }
            if let Some(last) = self.slots.last().filter(|last| last.n > id.n) {
                return Err(Misplaced::Call(id.clone(), Why::Late { after: last.n }));
            }
            // One that was never asked for is like one that does not count any more.
            let first = EffectPhase::Undone.next(event, EffectFacts::default);
            self.slots.push(new(first.map_err(|why| Misplaced::Call(id.clone(), why.into()))?, 1));
            return Ok(());
        };
        if slot.attempt.checked_add(1) != Some(attempt) {
            return Err(Misplaced::Call(id.clone(), Why::NotNext { attempt, before: slot.attempt }));
        }
        let next = slot.phase.next(event, || slot.facts(all));
        let phase = next.map_err(|why| Misplaced::Call(id.clone(), why.into()))?;
        let digest = |index| asked_in(all, index).map(|asked| asked.digest);
        let base = if digest(slot.asked) == digest(asked) { slot.base } else { attempt };
        *slot = new(phase, base);
        Ok(())
    }

    /// A step begins.
    pub(super) fn begin_step(&mut self, number: &str, name: &str, begun: usize) -> Result<(), Misplaced> {
        let before = self.steps.get(number).map(|step| &step.phase);
        if !StepPhase::may_begin(before) {
            return Err(Misplaced::Step { number: number.to_owned(), before: before.cloned() });
        }
        let step = StepPast { name: name.to_owned(), phase: StepPhase::Begun, begun };
        self.steps.insert(number.to_owned(), step);
        Ok(())
    }

    /// A step that was just begun is left out.
    pub(super) fn skip_step(&mut self, number: &str) {
        if let Some(step) = self.steps.get_mut(number) {
            step.phase = StepPhase::Skipped;
        }
    }

    /// A step ends.
    pub(super) fn end_step(&mut self, number: &str, failed: &Option<String>) -> Result<(), Misplaced> {
        let Some(step) = self.steps.get_mut(number) else {
            return Err(Misplaced::Step { number: number.to_owned(), before: None });
        };
        if !step.phase.may_end() {
            return Err(Misplaced::Step { number: number.to_owned(), before: Some(step.phase.clone()) });
        }
        step.phase = StepPhase::Ended { failed: failed.clone() };
        Ok(())
    }
}
