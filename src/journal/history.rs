//! The pure reading of a run's records: what each effect came to, and whether the sequence is one that a
//! runner can have written. It decides nothing, and a sequence it cannot explain is refused, never guessed at.

pub use super::lifecycle::{EffectState, StepPhase};
pub use super::mismatch::mismatch;
pub use super::slots::StepPast;

use super::entries::{asked_in, doubt_in, outcome_in, said_in};
use super::index::{self, EffectIndex};
use super::lifecycle::{EffectEvent, EffectPhase};
use super::misplaced::{Misplaced, damaged, refusal};
use super::{OtherFormat, Store, Stored};
use crate::error::{Error, Kind, Result};
use crate::model::run::effect::Effect;
use crate::model::run::estate::EstateId;
use crate::model::run::record::{
    Asked, EffectId, Ending, FORMAT, Fact, Moment, Record, RollbackScope, SourceName, TrackId, Who,
};
use crate::model::value::Fields;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The records of one run, indexed by effect and by step. Holds the records once; answers borrow from them.
#[derive(Debug, Clone)]
pub struct History {
    begun: Opening,
    records: Vec<Stored>,
    effects: EffectIndex,
    changes: u64,
    last_ending: Option<Ending>,
    /// The way back that is under way.
    way: Option<RollbackScope>,
    /// The place in the list of the record that began it.
    way_began: Option<usize>,
    rollbacks: u32,
    /// The texts in use, if others than at the beginning were adopted.
    adopted: Option<BTreeMap<SourceName, String>>,
}

/// What the first record says of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The version of baton that began it.
    pub baton: String,
    /// The runbook's name.
    pub runbook: String,
    /// Its sources by name, with their digests.
    pub sources: BTreeMap<SourceName, String>,
    /// Its parameters.
    pub params: Fields,
    /// Where it acts.
    pub estate: EstateId,
    /// When it began.
    pub at: Moment,
    /// Who began it.
    pub by: Who,
}

/// What is recorded of one effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Past<'a> {
    /// Which effect.
    pub id: EffectId,
    /// The present attempt, from 1.
    pub attempt: u32,
    /// The first attempt that asked for the same and still counts.
    pub base: u32,
    /// The number of the step it belongs to; empty outside steps.
    pub step: &'a str,
    /// What was asked in the present attempt.
    pub effect: &'a Effect,
    /// Its digest.
    pub digest: &'a str,
    /// When the present attempt was recorded: limits count from here.
    pub since: &'a Moment,
    /// Where the host keeps what it knows of a job, if that was known before it was asked for.
    pub kept_in: Option<&'a str>,
    /// What came of it.
    pub state: EffectState<'a>,
    /// Whether something else may be asked for in its place: what there was does not count any more.
    pub gives_way: bool,
    /// What came of it was found out on the way back that is under way: the script never came past it.
    pub found_on_way_back: bool,
}

impl History {
    /// What is on record of a run.
    ///
    /// # Errors
    /// When it cannot be read, or is refused as it is by [`History::from`].
    pub fn read(store: &dyn Store, run: &str) -> Result<Self> {
        Self::from(store.read(run)?)
    }

    /// Reads the records of a run.
    ///
    /// # Errors
    /// `Refused`, naming the record, when no runner can have written this sequence, or it is in another format.
    pub fn from(records: Vec<Stored>) -> Result<Self> {
        let begun = Opening::first_of(&records)?;
        let mut history = Self {
            begun,
            records: Vec::new(),
            effects: EffectIndex::default(),
            changes: 0,
            last_ending: None,
            way: None,
            way_began: None,
            rollbacks: 0,
            adopted: None,
        };
        history.extend(records)?;
        Ok(history)
    }

    /// Reads records of a run that are not numbered yet, from its first on.
    ///
    /// # Errors
    /// As above.
    pub fn of(records: impl IntoIterator<Item = impl Into<Rc<Record>>>) -> Result<Self> {
        Self::from((1..).zip(records).map(|(seq, record)| Stored::new(seq, record)).collect())
    }

    /// Reads records that follow those known.
    ///
    /// # Errors
    /// As above.
    pub fn extend(&mut self, records: Vec<Stored>) -> Result<()> {
        let mut all = std::mem::take(&mut self.records);
        let known = all.len();
        all.extend(records);
        for (index, stored) in all.iter().enumerate().skip(known) {
            self.index(index, &stored.record.fact, &all).map_err(|wrong| refusal(&wrong, index, &all))?;
        }
        self.records = all;
        Ok(())
    }

    /// Adds records of this runner, which follow those known in number as well.
    ///
    /// # Errors
    /// As above.
    pub fn add(&mut self, records: impl IntoIterator<Item = impl Into<Rc<Record>>>) -> Result<()> {
        let numbered = (self.len() + 1..).zip(records);
        self.extend(numbered.map(|(seq, record)| Stored::new(seq, record)).collect())
    }

    /// Enters one record into the index. The error says what is wrong with it.
    fn index(&mut self, index: usize, fact: &Fact, all: &[Stored]) -> std::result::Result<(), Misplaced> {
        // What is over can be taken back, or be carried to another place from which it is.
        let is_carried = matches!(fact, Fact::Deviation { hosts, .. } if hosts.is_empty());
        let may_follow = is_carried || matches!(fact, Fact::Rollback { .. });
        if let Some(ending) = self.last_ending.filter(|_| self.is_final())
            && !(may_follow && matches!(ending, Ending::Done | Ending::Held))
        {
            return Err(Misplaced::Run(format!("the run had ended before ({ending:?})").to_lowercase()));
        }
        match fact {
            Fact::Begun { .. } if index == 0 => Ok(()),
            Fact::Begun { .. } => Err("the run had begun before".into()),
            Fact::Opened => {
                self.last_ending = None;
                Ok(())
            }
            Fact::StepBegun { track, number, name, .. } => self.effects.track(track).begin_step(number, name, index),
            Fact::StepEnded { track, number, failed } => self.effects.track(track).end_step(number, failed),
            Fact::Intent { id, attempt, effect, .. } => {
                self.changes += u64::from(effect.may_change());
                self.effects.track(&id.track).ask(id, *attempt, index, EffectEvent::Asked, all)
            }
            Fact::Read { id, .. } => {
                let attempt = self.effects.slot(id).map_or(1, |slot| slot.attempt.saturating_add(1));
                self.effects.track(&id.track).ask(id, attempt, index, EffectEvent::Read(index), all)
            }
            Fact::Outcome { id, attempt, .. } => self.effects.settle(id, *attempt, EffectEvent::CameTo(index), all),
            Fact::Doubt { id, attempt, .. } => self.effects.settle(id, *attempt, EffectEvent::Doubted(index), all),
            Fact::Settled { id, attempt, happened, .. } => {
                let failed = self.effects.has_failed_before(id, all);
                self.effects.settle(id, *attempt, EffectEvent::Settled { happened: *happened }, all)?;
                if failed { self.effects.forget_after(id, all) } else { Ok(()) }
            }
            Fact::Retry { id } => self.effects.retry(id, all),
            Fact::Answered { id, .. } => self.effects.say(id, EffectEvent::Answered(index), all),
            Fact::Skipped { id, .. } => self.effects.say(id, EffectEvent::Skipped(index), all),
            Fact::StepSkipped { track, number, name, .. } => {
                self.effects.track(track).begin_step(number, name, index)?;
                self.effects.track(track).skip_step(number);
                Ok(())
            }
            Fact::Undone { since } => {
                self.effects.undo(*since, all);
                Ok(())
            }
            Fact::Adopted { sources, .. } => {
                self.adopted = Some(sources.clone());
                let back = self.track_back();
                self.effects.make_way(back.as_ref(), all);
                Ok(())
            }
            Fact::Rollback { way } if self.way.is_some() && !self.may_give_up(way) => {
                Err("the run is on its way back already".into())
            }
            Fact::Rollback { way } => {
                self.way = Some(way.clone());
                self.way_began.get_or_insert(index);
                self.rollbacks += 1;
                self.last_ending = None;
                Ok(())
            }
            Fact::Steered { .. } | Fact::Typed { .. } | Fact::Deviation { .. } => Ok(()),
            Fact::Ended { ending, .. } => {
                self.end(*ending);
                Ok(())
            }
        }
    }

    /// The run ended or stopped. A part of it that is undone leaves no way back under way.
    fn end(&mut self, ending: Ending) {
        self.last_ending = Some(ending);
        if ending == Ending::RolledBack && matches!(self.way, Some(RollbackScope::To(_))) {
            (self.way, self.way_began) = (None, None);
        }
    }

    /// A way back may be given up in its midst: what is owed is done then, and nothing more is undone.
    fn may_give_up(&self, way: &RollbackScope) -> bool {
        *way == RollbackScope::Abort && self.way.as_ref().is_some_and(|under_way| *under_way != RollbackScope::Abort)
    }

    /// The track of the way back that is under way.
    #[must_use]
    pub fn track_back(&self) -> Option<TrackId> {
        self.way.as_ref().map(|_| TrackId::rollback(self.rollbacks))
    }

    /// Whether a replay of the script, or of the way back that is under way, asks for what is on this track again.
    #[must_use]
    pub fn is_replayed(&self, track: &TrackId) -> bool {
        index::is_replayed(track, self.track_back().as_ref())
    }

    /// Which effect and which step stands where.
    pub(super) fn effects_index(&self) -> &EffectIndex {
        &self.effects
    }

    /// What the first record says.
    #[must_use]
    pub fn begun(&self) -> &Opening {
        &self.begun
    }

    /// What is recorded of an effect; nothing when it was never asked for.
    #[must_use]
    pub fn recorded(&self, id: &EffectId) -> Option<Past<'_>> {
        let slot = self.effects.slot(id)?;
        let asked = asked_in(&self.records, slot.asked)?;
        let state = match slot.phase {
            EffectPhase::Open => EffectState::Open,
            EffectPhase::Outcome(at) => EffectState::Settled(outcome_in(&self.records, at)?),
            EffectPhase::Doubt(at) => EffectState::Doubted { reason: doubt_in(&self.records, at)? },
            EffectPhase::Person { happened } => EffectState::SettledByPerson { happened },
            EffectPhase::Retry => EffectState::ToRetry,
            EffectPhase::Undone => EffectState::Undone,
            EffectPhase::Answered(at) | EffectPhase::Skipped(at) => said_in(&self.records, at)?,
        };
        let Asked { step, effect, digest, at, kept_in, .. } = asked;
        let (attempt, base, gives_way) = (slot.attempt, slot.base, !slot.counts());
        let came_to = if let EffectPhase::Outcome(at) = slot.phase { Some(at) } else { None };
        let found_on_way_back = id.track.is_scripts() && self.way_began.is_some_and(|began| came_to > Some(began));
        let (id, since) = (id.clone(), at);
        Some(Past { id, attempt, base, step, effect, digest, since, kept_in, state, gives_way, found_on_way_back })
    }

    /// How far the step with this number on this track is recorded; nothing when it never began.
    #[must_use]
    pub fn step(&self, track: &TrackId, number: &str) -> Option<&StepPast> {
        self.effects.get(track)?.steps.get(number)
    }

    /// The records themselves, in order: the order in which outcomes arrived is part of what a replay repeats.
    #[must_use]
    pub fn records(&self) -> &[Stored] {
        &self.records
    }

    /// What the last record says.
    #[must_use]
    pub fn last(&self) -> Option<&Fact> {
        self.records.last().map(|stored| &stored.record.fact)
    }

    /// How many records there are; also the number of the last one.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// Never true: a history has at least the record that begins it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How the run ended or stopped, unless a runner opened it since.
    #[must_use]
    pub fn last_ending(&self) -> Option<Ending> {
        self.last_ending
    }

    /// Whether the run is over for good: done, held for a person, all of it undone, or given up.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.last_ending.is_some_and(|ending| ending.is_final(self.way.is_some()))
    }

    /// The way back that is under way, or was gone to its end.
    #[must_use]
    pub fn way_back(&self) -> Option<&RollbackScope> {
        self.way.as_ref()
    }

    /// How many ways back were begun: the last one has the track [`TrackId::rollback`] of this number.
    #[must_use]
    pub fn rollbacks(&self) -> u32 {
        self.rollbacks
    }

    /// The texts the run is made of now, by name, with their digests.
    #[must_use]
    pub fn sources(&self) -> &BTreeMap<SourceName, String> {
        self.adopted.as_ref().unwrap_or(&self.begun.sources)
    }

    /// How many effects of the script's own tracks are on record and count, attempts not counted.
    #[must_use]
    pub fn effects(&self) -> usize {
        let scripts = self.effects.iter().filter(|(id, _)| id.is_scripts());
        scripts.map(|(_, track)| track.slots.iter().filter(|slot| slot.counts()).count()).sum()
    }

    /// How many changes were asked for, of hosts or of people, attempts counted one by one.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

impl Opening {
    fn first_of(records: &[Stored]) -> Result<Self> {
        let Some(first) = records.first() else {
            return Err(Error::new(Kind::Refused, "the run has no records"));
        };
        let Record { at, by: Some(by), fact } = first.record.as_ref().clone() else {
            return Err(damaged(first.seq, "nobody has begun the run"));
        };
        let Fact::Begun { format, baton, runbook, sources, params, estate } = fact else {
            return Err(damaged(first.seq, "the run has not begun"));
        };
        if format != FORMAT {
            return Err(OtherFormat { format, baton }.into());
        }
        Ok(Self { baton, runbook, sources, params, estate, at, by })
    }
}
