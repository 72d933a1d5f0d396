//! The way back: which changes of a run are to be undone, in which order and how. Pure reading of a history and of what
//! the replayed script says of its steps; it undoes nothing.

use super::entries::asked_in;
use super::history::{EffectState, History, Past, StepPast, StepPhase};
use super::slots::{EffectSlot, TrackSlots};
use crate::error::{Error, Kind, Result};
use crate::model::run::effect::{Action, Effect, FailureKind, Outcome, Undo};
use crate::model::run::record::{EffectId, Fact, Moment, RollbackScope, StepId, TrackId, is_in_step};
use crate::model::text::did_you_mean;
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the replayed script says of its steps.
#[derive(Debug, Clone, Default)]
pub struct ReplayedSteps {
    /// Those that say themselves how they are undone.
    pub own: BTreeSet<StepId>,
    /// The innermost step in which a track was forked, by that track.
    pub forks: BTreeMap<TrackId, StepId>,
}

/// Whether a change happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It did.
    Happened,
    /// It began, and nobody can say how far it went.
    Unclear,
    /// It was asked for, and its job has to be looked at before anybody can tell.
    Unseen,
    /// It did not.
    Never,
}

/// A change that a run made, or may have made.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which effect.
    pub id: EffectId,
    /// What was asked.
    pub effect: Effect,
    /// Whether it happened.
    pub fate: Happened,
    attempt: u32,
    step: String,
    seq: u64,
}

/// One thing to do on the way back.
#[derive(Debug, Clone, PartialEq)]
pub struct RollbackStep {
    /// The step it belongs to, with its name; none outside steps.
    pub step: Option<(StepId, String)>,
    /// How it is done.
    pub how: UndoMethod,
}

/// How something is undone.
#[derive(Debug, Clone, PartialEq)]
pub enum UndoMethod {
    /// As the step says, once for all these changes, newest first.
    Own(Vec<Change>),
    /// By putting back what was recorded.
    Recorded(Change),
    /// By a person.
    ByHand(Change),
    /// Not at all: nothing of it needs to be put back.
    Nothing(Change),
}

impl RollbackStep {
    /// The changes it is about, newest first.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match &self.how {
            UndoMethod::Own(changes) => changes,
            UndoMethod::Recorded(change) | UndoMethod::ByHand(change) | UndoMethod::Nothing(change) => {
                std::slice::from_ref(change)
            }
        }
    }
}

/// A step of the main track that a run can go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackTarget {
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// The number of the record that first begins it.
    pub seq: u64,
}

impl History {
    /// The track of the way back that is under way.
    #[must_use]
    pub fn track_back(&self) -> Option<TrackId> {
        self.way_back().map(|_| TrackId::rollback(self.rollbacks()))
    }

    /// Whether a track is the script's own, or that of the way back that is under way: whoever goes on comes to
    /// everything on it again.
    #[must_use]
    pub fn is_replayed(&self, track: &TrackId) -> bool {
        track.is_scripts() || self.track_back().is_some_and(|back| track.is_within(&back))
    }

    /// The last number that a step of a track, and what was forked in it, has on the track; 0 when it has none.
    #[must_use]
    pub fn last_number_in(&self, step: &StepId) -> u64 {
        let inside = |slot: &&EffectSlot| {
            let number = asked_in(self.records(), slot.asked).map_or("", |asked| asked.step);
            is_in_step(number, &step.number)
        };
        let on_track = |(id, track): (&TrackId, &TrackSlots)| {
            let last = track.slots.iter().filter(inside).map(|slot| slot.n).max()?;
            if *id == step.track { Some(last) } else { id.fork_of(&step.track) }
        };
        self.tracks.iter().filter_map(on_track).max().unwrap_or(0)
    }

    /// What is to be done to undo everything from record `since` on, newest first. `fates` are those of changes that
    /// were looked at.
    #[must_use]
    pub fn acts_back(
        &self,
        since: u64,
        steps: &ReplayedSteps,
        fates: &BTreeMap<EffectId, Happened>,
    ) -> Vec<RollbackStep> {
        let mut acts: Vec<RollbackStep> = Vec::new();
        for mut change in self.changes_since(since) {
            if change.fate == Happened::Unseen {
                change.fate = fates.get(&change.id).copied().unwrap_or(Happened::Unseen);
            }
            if change.fate == Happened::Never {
                continue;
            }
            let around = self.around(&change, steps);
            let owner = around.iter().rev().find(|step| steps.own.contains(step) && self.begins_from(step, since));
            let step = owner.or(around.first()).map(|step| (step.clone(), self.name_of(step)));
            if owner.is_some() {
                let same = |act: &&mut RollbackStep| matches!(act.how, UndoMethod::Own(_)) && act.step == step;
                match acts.iter_mut().find(same).map(|act| &mut act.how) {
                    Some(UndoMethod::Own(changes)) => changes.push(change),
                    Some(UndoMethod::Recorded(_) | UndoMethod::ByHand(_) | UndoMethod::Nothing(_)) | None => {
                        acts.push(RollbackStep { step, how: UndoMethod::Own(vec![change]) });
                    }
                }
                continue;
            }
            let how = match &change.effect.undo {
                Some(undo) if undo.verb == Undo::NOTHING => UndoMethod::Nothing(change),
                Some(_) => UndoMethod::Recorded(change),
                None => UndoMethod::ByHand(change),
            };
            acts.push(RollbackStep { step, how });
        }
        acts
    }

    /// The changes from record `since` on whose jobs have to be looked at before anybody can tell whether they
    /// happened, newest first.
    #[must_use]
    pub fn unseen_since(&self, since: u64) -> Vec<EffectId> {
        let unseen = |change: &Change| change.fate == Happened::Unseen;
        self.changes_since(since).into_iter().filter(unseen).map(|change| change.id).collect()
    }

    /// Changes from record `since` on that happened or may have, newest first. What was asked in place of something
    /// that had failed does not make that undone.
    fn changes_since(&self, since: u64) -> Vec<Change> {
        let mut found: Vec<(Change, String)> = Vec::new();
        for stored in self.records() {
            if let Fact::Intent { id, attempt, step, effect, digest, .. } = &stored.record.fact
                && id.track.is_scripts()
                && effect.is_change()
            {
                found.retain(|(change, before)| change.id != *id || before != digest);
                let (id, effect, step) = (id.clone(), effect.clone(), step.clone());
                let change = Change { id, effect, fate: Happened::Unseen, attempt: *attempt, step, seq: stored.seq };
                found.push((change, digest.clone()));
            } else if let Fact::Outcome { id, attempt, outcome } = &stored.record.fact {
                let same = |change: &&mut Change| change.id == *id && change.attempt == *attempt;
                if let Some(change) = found.iter_mut().map(|(change, _)| change).find(same) {
                    change.fate = fate_of(outcome);
                }
            } else if let Fact::Undone { since } = &stored.record.fact {
                found.retain(|(change, _)| change.seq < *since);
            }
        }
        let mut changes: Vec<Change> = found.into_iter().map(|(change, _)| change).collect();
        let unstarted = self.unstarted();
        for change in &mut changes {
            if unstarted.get(&change.id) == Some(&change.attempt) {
                change.fate = Happened::Never;
            } else if let Some(past) = self.recorded(&change.id).filter(|past| past.attempt == change.attempt) {
                change.fate = fate_now(&past, change.fate);
            } else if change.fate == Happened::Unseen {
                // A later attempt was only made when this one was known not to run.
                change.fate = Happened::Unclear;
            }
        }
        changes.retain(|change| change.seq >= since && change.fate != Happened::Never);
        changes.reverse();
        changes
    }

    /// The names of the steps that are behind the way back which is under way: they ended well, or were left out.
    #[must_use]
    pub fn behind(&self) -> Vec<&str> {
        let Some(steps) = self.track_back().and_then(|back| self.tracks.get(&back)).map(|track| &track.steps) else {
            return Vec::new();
        };
        let is_over = |step: &&StepPast| matches!(step.phase, StepPhase::Ended { failed: None } | StepPhase::Skipped);
        steps.values().filter(is_over).map(|step| step.name.as_str()).collect()
    }

    /// Whether a run has changed something: `Some(false)` when all that is known is that it may have; nothing when
    /// it is on record that nothing was started.
    #[must_use]
    pub fn has_changed(&self) -> Option<bool> {
        let changes = self.changes_since(0);
        let happened = changes.iter().any(|change| change.fate == Happened::Happened);
        (happened || (!changes.is_empty() && self.has_acted())).then_some(happened)
    }

    /// The steps around a change, innermost first; on the tracks that forked its own as well.
    fn around(&self, change: &Change, steps: &ReplayedSteps) -> Vec<StepId> {
        let mut found = Vec::new();
        let (mut track, mut number) = (change.id.track.clone(), change.step.clone());
        loop {
            while !number.is_empty() {
                if self.step(&track, &number).is_some() {
                    found.push(StepId { track: track.clone(), number: number.clone() });
                }
                number = number.rsplit_once('.').map(|(outer, _)| outer.to_owned()).unwrap_or_default();
            }
            let Some(fork) = steps.forks.get(&track) else { return found };
            (track, number) = (fork.track.clone(), fork.number.clone());
        }
    }

    fn name_of(&self, step: &StepId) -> String {
        self.step(&step.track, &step.number).map(|past| past.name.clone()).unwrap_or_default()
    }

    fn begins_from(&self, step: &StepId, since: u64) -> bool {
        since == 0 || self.begins(step).is_some_and(|seq| seq >= since)
    }

    /// The record that first begins a step that was not undone since.
    fn begins(&self, step: &StepId) -> Option<u64> {
        let mut first = None;
        for stored in self.records() {
            if let Fact::StepBegun { track, number, .. } = &stored.record.fact
                && *track == step.track
                && *number == step.number
            {
                first = first.or(Some(stored.seq));
            } else if let Fact::Undone { since } = &stored.record.fact {
                first = first.filter(|seq| seq < since);
            }
        }
        first
    }

    /// The steps that the run can be told to go back to, in the order they began: on tracks beside each other those
    /// before which no other had something under way.
    #[must_use]
    pub fn stops(&self) -> Vec<RollbackTarget> {
        let mut stops: Vec<RollbackTarget> = Vec::new();
        for stored in self.records() {
            let Fact::StepBegun { track, number, name, .. } = &stored.record.fact else { continue };
            let step = StepId { track: track.clone(), number: number.clone() };
            let begins = track.is_scripts() && self.begins(&step) == Some(stored.seq);
            if begins && (*track == TrackId::main() || self.stands_alone(track, stored.seq)) {
                stops.push(RollbackTarget { number: number.clone(), name: name.clone(), seq: stored.seq });
            }
        }
        stops
    }

    /// Whether everything on the tracks beside this one was over, or not begun, at this record.
    fn stands_alone(&self, track: &TrackId, seq: u64) -> bool {
        let beside = |other: &TrackId| other.is_scripts() && !other.is_within(track) && !track.is_within(other);
        let mut spans: BTreeMap<&TrackId, (u64, u64)> = BTreeMap::new();
        for stored in self.records() {
            let fact = &stored.record.fact;
            let other = if let Fact::StepBegun { track, .. } | Fact::StepEnded { track, .. } = fact {
                track
            } else if let Fact::Intent { id, .. } | Fact::Outcome { id, .. } | Fact::Read { id, .. } = fact {
                &id.track
            } else {
                continue;
            };
            if beside(other) {
                spans.entry(other).or_insert((stored.seq, stored.seq)).1 = stored.seq;
            }
        }
        spans.values().all(|(first, last)| *last < seq || *first > seq)
    }

    /// The step that `given` means: its number, its name, both, or a part of its name that no other has; of several of
    /// the same number and name the one that `#2` behind them counts.
    ///
    /// # Errors
    /// `Usage` when there is none, or several; the message names them.
    pub fn stop(&self, given: &str) -> Result<RollbackTarget> {
        let stops = self.stops();
        let labels = labels(&stops);
        if let Some(at) = labels.iter().position(|label| label == given) {
            return Ok(stops[at].clone());
        }
        let label = |stop: &RollbackTarget| {
            stops.iter().position(|one| one == stop).map(|at| labels[at].clone()).unwrap_or_default()
        };
        let exact: Vec<&RollbackTarget> =
            stops.iter().filter(|stop| stop.number == given || stop.name == given).collect();
        if let [one] = exact.as_slice() {
            return Ok((*one).clone());
        }
        let wanted = given.to_lowercase();
        let part = || stops.iter().filter(|stop| stop.name.to_lowercase().contains(&wanted)).collect();
        let fitting: Vec<&RollbackTarget> = if exact.is_empty() { part() } else { exact };
        match fitting.as_slice() {
            [one] => Ok((*one).clone()),
            [] => {
                let near = did_you_mean(given, stops.iter().map(|stop| stop.name.as_str()));
                let error = Error::new(Kind::Usage, format!("no step `{given}` began in this run"));
                let error = near.into_iter().fold(error, Error::hint);
                Err(error.hint(format!("these did: {}", listed(&labels, " · "))))
            }
            several => {
                let names: Vec<String> = several.iter().map(|stop| format!("`{}`", label(stop))).collect();
                Err(Error::new(Kind::Usage, format!("`{given}` may mean {}", listed(&names, " or ")))
                    .hint("give one of these as it stands here, in quotes"))
            }
        }
    }

    /// The first record of what goes with this way; nothing goes when a run is given up.
    ///
    /// # Errors
    /// `Usage` when there is no such step.
    pub fn since(&self, way: &RollbackScope) -> Result<Option<u64>> {
        match way {
            RollbackScope::All => Ok(Some(0)),
            RollbackScope::To(step) => Ok(Some(self.stop(step)?.seq)),
            RollbackScope::Abort => Ok(None),
        }
    }

    /// Why and since when there is no way back to what was before record `since`.
    #[must_use]
    pub fn no_return_since(&self, since: u64) -> Option<(&str, &Moment)> {
        self.records().iter().rev().filter(|stored| stored.seq >= since).find_map(|stored| {
            let Fact::Read { id, effect, .. } = &stored.record.fact else { return None };
            let Action::NoReturn { why } = &effect.action else { return None };
            let counts = |past: Past<'_>| matches!(past.state, EffectState::Settled(_)) && past.effect == effect;
            (id.track.is_scripts() && self.recorded(id).is_some_and(counts))
                .then_some((why.as_str(), &stored.record.at))
        })
    }

    /// An effect in doubt, with its attempt, wherever the run stopped.
    #[must_use]
    pub fn any_doubt(&self) -> Option<(Past<'_>, &str)> {
        self.records().iter().rev().find_map(|stored| {
            let Fact::Doubt { id, .. } = &stored.record.fact else { return None };
            let past = self.recorded(id)?;
            let EffectState::Doubted { reason } = past.state else { return None };
            Some((past, reason))
        })
    }
}

/// How many steps are named at the most where none or several were meant.
const NAMED_MAX: usize = 30;

/// These names, and how many more there are.
fn listed(names: &[String], between: &str) -> String {
    let mut list: Vec<String> = names.iter().take(NAMED_MAX).cloned().collect();
    if names.len() > NAMED_MAX {
        list.push(format!("{} more", names.len() - NAMED_MAX));
    }
    list.join(between)
}

/// What each step is called by its number and its name, with a count where several have both in common.
fn labels(stops: &[RollbackTarget]) -> Vec<String> {
    let same = |one: &RollbackTarget, other: &RollbackTarget| one.number == other.number && one.name == other.name;
    let label = |(at, stop): (usize, &RollbackTarget)| {
        let count = if stops.iter().filter(|other| same(stop, other)).count() > 1 {
            format!(" #{}", stops[..=at].iter().filter(|other| same(stop, other)).count())
        } else {
            String::new()
        };
        format!("{} {}{count}", stop.number, stop.name)
    };
    stops.iter().enumerate().map(label).collect()
}

fn fate_of(outcome: &Outcome) -> Happened {
    match outcome {
        Outcome::Done { value, .. } => match value.get("changed").and_then(Value::as_bool) {
            Some(false) => Happened::Never,
            Some(true) | None => Happened::Happened,
        },
        Outcome::Failed(why) => match why.kind {
            FailureKind::Exit | FailureKind::Goal => Happened::Unclear,
            FailureKind::Limit | FailureKind::Unreachable => Happened::Unseen,
            FailureKind::Missing | FailureKind::Declined | FailureKind::Guard | FailureKind::Unreadable => {
                Happened::Never
            }
        },
        Outcome::Skipped { .. } => Happened::Unseen,
    }
}

impl Past<'_> {
    /// Whether it happened, as far as its present attempt tells. What a person has left out may have.
    pub(super) fn fate(&self) -> Happened {
        fate_now(self, Happened::Unseen)
    }
}

/// How the present attempt stands; `told` is what its last outcome says.
fn fate_now(past: &Past<'_>, told: Happened) -> Happened {
    match past.state {
        EffectState::Settled(outcome) => fate_of(outcome),
        EffectState::SettledByPerson { happened: true } => Happened::Happened,
        EffectState::SettledByPerson { happened: false } | EffectState::Answered { .. } | EffectState::Undone => {
            Happened::Never
        }
        EffectState::Open | EffectState::Doubted { .. } => Happened::Unseen,
        // What a person has tried again or left out had failed before, or was in doubt.
        EffectState::ToRetry | EffectState::Skipped { .. } => told,
    }
}
