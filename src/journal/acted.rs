//! Whether a run has done anything at all: the pure reading of its records for whoever asks which run is meant. It
//! must not take for done what is on record as never started, nor for undone what nobody knows.

use super::Stored;
use super::happened::{Happened, fate};
use super::history::{EffectState, History, Past};
use crate::model::run::effect::{Effect, FailureKind, Outcome};
use crate::model::run::record::{EffectId, Ending, Fact};
use std::collections::{BTreeMap, BTreeSet};

/// Whether something outside may be another because of this run, or a host is held by it. What is on record as
/// never started does not count; what nobody knows does.
#[must_use]
pub fn has_acted(history: &History) -> bool {
    let unstarted = unstarted(history);
    let mut asked: BTreeSet<(&EffectId, u32)> = BTreeSet::new();
    for Stored { record, .. } in history.records() {
        if let Fact::Intent { id, attempt, effect, .. } = &record.fact {
            asked.extend(effect.may_change().then_some((id, *attempt)));
        } else if let Fact::Outcome { id, attempt, outcome: Outcome::Failed(why) } = &record.fact {
            if !why.may_have_changed() {
                asked.remove(&(id, *attempt));
            }
        } else if let Fact::Settled { id, attempt, happened: false, .. } = &record.fact {
            asked.remove(&(id, *attempt));
        } else if let Fact::Deviation { hosts, .. } = &record.fact
            && !hosts.is_empty()
        {
            return true;
        }
    }
    asked.iter().any(|(id, attempt)| unstarted.get(*id) != Some(attempt))
}

/// The changes without a known end, in the order they were asked for: those that have no outcome or are in doubt,
/// and those that were left running when their time was over. The way back that is under way comes to its own.
#[must_use]
pub fn unsettled(history: &History) -> Vec<EffectId> {
    let back = history.track_back();
    let mut found: Vec<(usize, EffectId)> = Vec::new();
    for (track, known) in history.effects_index().iter() {
        if back.as_ref().is_some_and(|back| track.is_within(back)) {
            continue;
        }
        for slot in &known.slots {
            let id = EffectId { track: track.clone(), n: slot.n };
            if history.recorded(&id).is_some_and(|past| has_no_known_end(&past)) {
                found.push((slot.asked, id));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, id)| id).collect()
}

/// The changes that may run yet although nobody waits for them: those without a known end, but for those that the
/// record knows as never started.
#[must_use]
pub fn may_run_yet(history: &History) -> Vec<EffectId> {
    let unstarted = unstarted(history);
    let is_unstarted = |id: &EffectId| {
        let attempt = unstarted.get(id);
        attempt.is_some() && history.recorded(id).map(|past| past.attempt).as_ref() == attempt
    };
    unsettled(history).into_iter().filter(|id| !is_unstarted(id)).collect()
}

/// The changes that typed lines made from record `since` on, or may have made: no way back undoes them.
#[must_use]
pub fn typed_since(history: &History, since: u64) -> Vec<&Effect> {
    let (mut asked, mut found) = (BTreeSet::new(), Vec::new());
    for Stored { seq, record } in history.records() {
        let Fact::Intent { id, effect, .. } = &record.fact else { continue };
        let counts = *seq >= since && id.track.is_typed() && effect.is_change() && asked.insert(id);
        let may_stand = |past: Past<'_>| {
            if let EffectState::Settled(Outcome::Failed(why)) = past.state {
                return why.may_have_changed();
            }
            fate(&past) != Happened::Never
        };
        found.extend((counts && history.recorded(id).is_some_and(may_stand)).then_some(effect));
    }
    found
}

/// What typed lines asked for and a person has spoken of, with its attempt and what that comes to: no replay writes
/// it down.
#[must_use]
pub fn typed_by_word(history: &History) -> Vec<(EffectId, u32, Outcome)> {
    let typed = history.effects_index().iter().filter(|(track, _)| track.is_typed());
    let ids =
        typed.flat_map(|(track, known)| known.slots.iter().map(|slot| EffectId { track: track.clone(), n: slot.n }));
    ids.filter_map(|id| {
        let past = history.recorded(&id)?;
        Some((id, past.attempt, past.state.by_word()?))
    })
    .collect()
}

/// The changes, each with its last attempt, of which the record says that they were not started: the run was
/// refused at them, and nobody has taken it up again to start them since.
pub(super) fn unstarted(history: &History) -> BTreeMap<EffectId, u32> {
    let (mut asked, mut unstarted) = (BTreeMap::new(), BTreeMap::new());
    let mut goes_back = false;
    for Stored { record, .. } in history.records() {
        if let Fact::Intent { id, attempt, effect, .. } = &record.fact {
            if effect.may_change() {
                asked.insert(id.clone(), *attempt);
                unstarted.remove(id);
            }
        } else if let Fact::Opened = &record.fact {
            // On its way back a run starts nothing of what it was refused at.
            asked = if goes_back { BTreeMap::new() } else { std::mem::take(&mut unstarted) };
        } else if let Fact::Rollback { .. } = &record.fact {
            goes_back = true;
        } else if let Fact::Ended { ending, effect, .. } = &record.fact {
            goes_back &= *ending != Ending::RolledBack;
            let refused = effect.as_ref().filter(|_| *ending == Ending::Refused);
            unstarted.extend(refused.and_then(|id| asked.remove_entry(id)));
        }
    }
    unstarted
}

fn has_no_known_end(past: &Past<'_>) -> bool {
    let left_running = |outcome: &Outcome| matches!(outcome, Outcome::Failed(why) if why.kind == FailureKind::Limit);
    past.effect.is_change()
        && match past.state {
            EffectState::Open | EffectState::Doubted { .. } => true,
            EffectState::Settled(outcome) => left_running(outcome),
            EffectState::SettledByPerson { .. } | EffectState::ToRetry | EffectState::Skipped { .. } => false,
            EffectState::Answered { .. } | EffectState::Undone => false,
        }
}
