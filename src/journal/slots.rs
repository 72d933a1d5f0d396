//! What is recorded of one track: its effects as positions in the list of records, and its steps. It only says which
//! record may follow which; what a run does about it is decided elsewhere.

use super::Stored;
use super::history::{EffectState, StepPast, StepPhase};
use super::misplaced::{Misplaced, Why};
use crate::model::run::effect::{Class, Effect, Outcome};
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Moment, Record};
use crate::model::value::Value;
use std::collections::BTreeMap;

/// The effects and steps of one track.
#[derive(Debug, Clone, Default)]
pub(super) struct TrackSlots {
    /// By rising effect number.
    pub(super) slots: Vec<EffectSlot>,
    /// By number.
    pub(super) steps: BTreeMap<String, StepPast>,
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

/// How an effect stands; numbers are positions in the list of records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EffectPhase {
    /// Asked for, nothing else.
    Open,
    /// It has an outcome.
    Outcome(usize),
    /// Nobody could tell whether it happened.
    Doubt(usize),
    /// A person told.
    Person {
        /// What.
        happened: bool,
    },
    /// To be asked for again.
    Retry,
    /// A person has it left out.
    Skipped(usize),
    /// A question that was answered from elsewhere.
    Answered(usize),
    /// It was undone: it may be asked for again, or something else in its place.
    Undone,
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
        phase: EffectPhase,
        all: &[Stored],
    ) -> std::result::Result<(), Misplaced> {
        let new = EffectSlot { n: id.n, attempt, base: 1, asked, phase, loose: false };
        let Some(slot) = self.position(id.n).ok().and_then(|position| self.slots.get_mut(position)) else {
            if attempt != 1 {
                return Err(Misplaced::Call(id.clone(), Why::NoFirst { attempt }));
            }
            if let Some(last) = self.slots.last().filter(|last| last.n > id.n) {
                return Err(Misplaced::Call(id.clone(), Why::Late { after: last.n }));
            }
            self.slots.push(new);
            return Ok(());
        };
        if slot.attempt.checked_add(1) != Some(attempt) {
            return Err(Misplaced::Call(id.clone(), Why::NotNext { attempt, before: slot.attempt }));
        }
        let once = || asked_in(all, slot.asked).is_some_and(|asked| asked.effect.class() == Class::Once);
        let free = match slot.phase {
            EffectPhase::Open
            | EffectPhase::Retry
            | EffectPhase::Undone
            | EffectPhase::Person { happened: false }
            | EffectPhase::Answered(_) => true,
            EffectPhase::Doubt(_) => !once(),
            EffectPhase::Outcome(_) => slot.loose,
            EffectPhase::Person { happened: true } | EffectPhase::Skipped(_) => false,
        };
        if !free {
            return Err(Misplaced::Call(id.clone(), Why::Stands(slot.phase)));
        }
        let digest = |index| asked_in(all, index).map(|asked| asked.digest);
        let base = if digest(slot.asked) == digest(asked) { slot.base } else { attempt };
        *slot = EffectSlot { base, ..new };
        Ok(())
    }

    /// A step begins.
    pub(super) fn begin_step(&mut self, number: &str, name: &str, begun: usize) -> std::result::Result<(), Misplaced> {
        let before = self.steps.get(number).map(|step| &step.phase);
        if let Some(StepPhase::Begun | StepPhase::Skipped | StepPhase::Ended { failed: None }) = before {
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
    pub(super) fn end_step(&mut self, number: &str, failed: &Option<String>) -> std::result::Result<(), Misplaced> {
        let Some(step) = self.steps.get_mut(number) else {
            return Err(Misplaced::Step { number: number.to_owned(), before: None });
        };
        if step.phase == (StepPhase::Ended { failed: None }) {
            return Err(Misplaced::Step { number: number.to_owned(), before: Some(step.phase.clone()) });
        }
        step.phase = StepPhase::Ended { failed: failed.clone() };
        Ok(())
    }
}

impl EffectPhase {
    /// How it stands, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Open => "is under way",
            Self::Outcome(_) => "has an outcome",
            Self::Doubt(_) => "is in doubt",
            Self::Person { happened: true } => "was settled: it happened",
            Self::Person { happened: false } => "was settled: it did not happen",
            Self::Retry => "is to be tried again",
            Self::Skipped(_) => "is left out",
            Self::Answered(_) => "is answered",
            Self::Undone => "is undone",
        }
    }
}

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

impl EffectState<'_> {
    /// What a person's word comes to: that it happened, that it is left out, or an answer.
    #[must_use]
    pub fn by_word(&self) -> Option<Outcome> {
        match self {
            Self::SettledByPerson { happened: true } => {
                let value = Value::map([("changed", Value::from(true)), ("settled", Value::from("by a person"))]);
                Some(Outcome::done(value))
            }
            Self::Skipped { reason, by } => {
                Some(Outcome::Skipped { reason: (*reason).to_owned(), by: (*by).to_owned() })
            }
            // The same as one that is given at the terminal.
            Self::Answered { word, note, by } => {
                let fields = [("word", *word), ("note", *note), ("by", *by)];
                Some(Outcome::done(Value::map(fields.map(|(name, text)| (name, Value::from(text))))))
            }
            Self::Settled(_) | Self::Open | Self::Doubted { .. } => None,
            Self::SettledByPerson { happened: false } | Self::ToRetry | Self::Undone => None,
        }
    }
}

/// Whether an effect only finds something out, from hosts or from people: it can be found out again.
pub(super) fn lapses(effect: &Effect) -> bool {
    match effect.class() {
        Class::Probe | Class::Meta => true,
        Class::Human => !effect.may_change(),
        Class::Idempotent | Class::Once | Class::Wait => false,
    }
}
