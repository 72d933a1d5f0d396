//! What a runner that takes a run up again has to look at anew: the failure that stopped the run, readings that
//! may be stale by now, and an effect in doubt. Pure reading of a history; it writes nothing.

use super::history::{EffectState, History, Past, StepPhase};
use super::lifecycle::EffectPhase;
use super::slots::EffectSlot;
use crate::journal::second_thought;
use crate::model::run::effect::{Action, Effect, Form, Outcome};
use crate::model::run::ids::{Aside, is_outermost_on_way_back};
use crate::model::run::record::{EffectId, Ending, Fact, StepId, TrackId, Who, is_in_step};
use crate::model::run::steering::Steering;
use crate::model::run::step_name::StepName;
use crate::model::value::Value;

/// How the run is to be steered, as it was asked for last.
#[must_use]
pub fn steering(history: &History) -> Steering {
    let steered = history.records().iter().rev().find_map(|stored| {
        if let Fact::Steered { steering } = &stored.record.fact { Some(steering.clone()) } else { None }
    });
    steered.unwrap_or_default()
}

/// Whether this step ended well and its runner died behind it, without another one having come to a stop or an end:
/// who was to stop there has not.
#[must_use]
pub fn died_behind(history: &History, track: &TrackId, number: &str) -> bool {
    let mut latest = history.records().iter().rev().map(|stored| &stored.record.fact);
    let is_end = |fact: &Fact| {
        let Fact::StepEnded { track: of, number: same, failed: None } = fact else { return false };
        of == track && same == number
    };
    latest.find(|fact| matches!(fact, Fact::Ended { .. }) || is_end(fact)).is_some_and(is_end)
}

/// Whether the run has come to the end of a step that is meant by this, and to a stop or an end behind it.
#[must_use]
pub fn came_behind(history: &History, meant: &StepName) -> bool {
    history.records().iter().any(|stored| {
        let (Fact::StepBegun { track, number, name, .. } | Fact::StepSkipped { track, number, name, .. }) =
            &stored.record.fact
        else {
            return false;
        };
        let step = history.step(track, number).filter(|_| track.is_scripts() && meant.fits(number, name));
        let is_over =
            step.is_some_and(|step| matches!(step.phase, StepPhase::Ended { failed: None } | StepPhase::Skipped));
        is_over && !died_behind(history, track, number)
    })
}

/// Whether a run that stopped like this is taken back where that was asked for after a failure, and is not yet.
#[must_use]
pub fn is_to_go_back(history: &History, ending: Ending) -> bool {
    let failed = match ending {
        Ending::Failed => true,
        Ending::Bug => history.changes() > 0,
        Ending::Done | Ending::Held | Ending::Unmet | Ending::Suspended | Ending::Doubt => false,
        Ending::Interrupted | Ending::Refused | Ending::RolledBack | Ending::Aborted => false,
    };
    failed && history.way_back().is_none()
}

/// The effect in doubt and its attempt, when that is why the run stopped.
#[must_use]
pub fn doubted(history: &History) -> Option<(EffectId, u32)> {
    let Some(Fact::Ended { ending: Ending::Doubt, effect: Some(id), .. }) = history.last() else {
        return None;
    };
    let past = history.recorded(id)?;
    matches!(past.state, EffectState::Doubted { .. }).then_some((past.id, past.attempt))
}

/// Whether a person had something in this step left out.
#[must_use]
pub fn left_out_in(history: &History, step: &StepId) -> bool {
    history.records().iter().any(|stored| {
        let Fact::Skipped { id, .. } = &stored.record.fact else { return false };
        let inside = |past: Past<'_>| is_in_step(past.step, &step.number);
        id.track.is_within(&step.track) && history.recorded(id).is_some_and(inside)
    })
}

/// Whether an effect was asked for itself. What is found out about another one on a way back was not.
#[must_use]
pub fn is_asked_for_itself(history: &History, id: &EffectId) -> bool {
    history.recorded(id).is_some_and(|past| !matches!(past.effect.action, Action::Note { .. }))
}

/// The effect that `id` is about: itself, or the one that is found out about under this name on a way back.
#[must_use]
pub fn spoken_of<'h>(history: &'h History, id: &EffectId) -> Option<Past<'h>> {
    if is_asked_for_itself(history, id) {
        return history.recorded(id);
    }
    let back = history.track_back()?;
    let about = history.records().iter().find_map(|stored| {
        let Fact::Intent { id: other, .. } = &stored.record.fact else { return None };
        let names = [Aside::Seen, Aside::Told].map(|what| what.of(other, &back));
        names.contains(id).then_some(other)
    });
    about.and_then(|about| history.recorded(about))
}

/// The reading that was no longer what a guard was decided by, when that is why the run stopped.
#[must_use]
pub fn drifted(history: &History) -> Option<Past<'_>> {
    let Some(Fact::Ended { ending: Ending::Failed, effect: Some(id), .. }) = history.last() else {
        return None;
    };
    let done = |past: &Past<'_>| matches!(past.state, EffectState::Settled(Outcome::Done { .. }));
    history.recorded(id).filter(|past| done(past) && matches!(past.effect.action, Action::Probe(_)))
}

/// The changes that were asked for after this effect, of hosts or of people, on any track.
pub fn changed_after<'h>(history: &'h History, id: &EffectId) -> impl Iterator<Item = &'h Effect> + use<'h> {
    let asked = history.effects_index().slot(id).map_or(usize::MAX, |slot| slot.asked);
    history.records().iter().skip(asked.saturating_add(1)).filter_map(|stored| {
        let Fact::Intent { effect, .. } = &stored.record.fact else { return None };
        effect.may_change().then_some(effect)
    })
}

/// Whether the run stopped because something failed.
#[must_use]
pub fn has_failed(history: &History) -> bool {
    matches!(history.last(), Some(Fact::Ended { ending: Ending::Failed, .. }))
}

/// The effect at which the run stopped: the one in doubt, or the one that failed.
#[must_use]
pub fn stopped_at(history: &History) -> Option<Past<'_>> {
    let Some(Fact::Ended { ending: Ending::Failed | Ending::Doubt, effect: Some(id), .. }) = history.last() else {
        return None;
    };
    let open = |state: &EffectState<'_>| {
        matches!(state, EffectState::Settled(Outcome::Failed(_)) | EffectState::Doubted { .. })
    };
    history.recorded(id).filter(|past| open(&past.state))
}

/// The effects to be tried again after a failure: the one that failed; or, when a guard did, the first of the
/// readings since the last change or wait, for they are what the guard was decided by. What was read after it is
/// read anew as well. None when the runbook did more because of the failure than read and note.
#[must_use]
pub fn to_retry(history: &History) -> Vec<EffectId> {
    let effect = match history.last() {
        Some(Fact::Ended { ending: Ending::Failed, effect, .. }) => effect,
        // Nothing was changed yet: all of it is found out anew, but what was agreed to before somebody said no.
        Some(Fact::Ended { ending: Ending::Unmet, .. }) => {
            let readings = latest_readings(history);
            let since = since_refusal(history, readings.clone());
            if since.len() < readings.len() {
                return since.into_iter().take(1).filter(|id| may_retry(history, id)).collect();
            }
            let first = history.effects_index().get(&TrackId::main()).and_then(|track| track.slots.first());
            let id = first.map(|slot| EffectId { track: TrackId::main(), n: slot.n });
            return id.into_iter().filter(|id| may_retry(history, id)).collect();
        }
        // A mistake in the text comes to the same as it is, unless it is what was left out that it misses.
        Some(Fact::Ended { ending: Ending::Bug, .. }) if second_thought::missed(history).is_some() => {
            return missed_to_do(history);
        }
        _ => return Vec::new(),
    };
    let failed = effect.as_ref().and_then(|id| history.recorded(id));
    let again = match failed {
        _ if drifted(history).is_some() => None,
        Some(past) if matches!(past.state, EffectState::Settled(Outcome::Failed(_))) => {
            Some(first_stale(history, &past).unwrap_or(past.id))
        }
        // A person said that it failed: they are asked again.
        Some(past) if matches!(past.effect.action, Action::Ask(_)) => Some(past.id),
        Some(_) | None if history.way_back().is_some() => {
            since_refusal(history, latest_readings(history)).into_iter().find(|id| is_of_open_step(history, id))
        }
        Some(_) | None => since_refusal(history, latest_readings(history)).into_iter().next(),
    };
    if again.is_none() && second_thought::missed(history).is_some() {
        return missed_to_do(history);
    }
    let beside = again.iter().flat_map(|id| failed_beside(history, id));
    again.iter().cloned().chain(beside).filter(|id| may_retry(history, id)).collect()
}

/// Of a reading that failed, the first of those since the last change, wait or answer: by the time it is tried again
/// all of them may be otherwise, and what the run says and does next is decided by all of them.
fn first_stale(history: &History, failed: &Past<'_>) -> Option<EffectId> {
    let reads = |id: &EffectId| {
        let past = history.recorded(id).filter(|past| past.id.track == failed.id.track);
        past.is_some_and(|past| {
            matches!(past.effect.action, Action::Probe(_) | Action::Note { .. } | Action::Capture(_))
        })
    };
    if !matches!(failed.effect.action, Action::Probe(_)) {
        return None;
    }
    let since = latest_readings(history).into_iter().rev().take_while(reads);
    since.filter(|id| !is_told(history, id)).last()
}

/// What was left out and is to be done after all.
fn missed_to_do(history: &History) -> Vec<EffectId> {
    let left_out = second_thought::left_out_of_failed(history).into_iter().map(|past| past.id);
    left_out.filter(|id| may_retry(history, id)).collect()
}

/// Whether trying again what failed does what was left out, where the run stopped like this without it: nothing was
/// read that could be otherwise by now.
#[must_use]
pub fn retries_left_out(history: &History, ending: Ending) -> bool {
    ending == Ending::Bug || latest_readings(history).is_empty()
}

/// What tracks that were forked together with that of an effect failed at last, if they did: they are tried again
/// together.
fn failed_beside(history: &History, id: &EffectId) -> Vec<EffectId> {
    let last =
        history.effects_index().iter().filter(|(track, _)| track.is_beside(&id.track)).filter_map(|(track, known)| {
            let last = EffectId { track: track.clone(), n: known.slots.last()?.n };
            matches!(history.recorded(&last)?.state, EffectState::Settled(Outcome::Failed(_))).then_some(last)
        });
    last.collect()
}

fn may_retry(history: &History, id: &EffectId) -> bool {
    let Some(last) = history.records().last() else { return false };
    let Fact::Ended { .. } = &last.record.fact else { return false };
    let retry = Fact::Retry { id: id.clone() }.by(Who::default(), last.record.at.clone());
    history.clone().add([retry]).is_ok()
}

/// What was found out last on the track that goes on, from hosts and from people, with nothing after it: it is what
/// the failure was decided by. An answer counts as long as the step it was asked in has not come to a good end.
fn latest_readings(history: &History) -> Vec<EffectId> {
    let here = history.track_back().unwrap_or_else(TrackId::main);
    let Some(track) = history.effects_index().get(&here) else { return Vec::new() };
    let forked = history
        .effects_index()
        .iter()
        .map(|(other, _)| other)
        .filter_map(|other| other.fork_of(&here))
        .max()
        .unwrap_or(0);
    let mut next = None;
    let mut readings = Vec::new();
    for slot in track.slots.iter().rev() {
        let id = EffectId { track: here.clone(), n: slot.n };
        if slot.n <= forked || next.is_some_and(|next| slot.n + 1 != next) || !is_found_out(history, &id) {
            break;
        }
        next = Some(slot.n);
        readings.push(id);
    }
    // What was told before anything was looked at stays told: it would only be said again, unlooked at.
    while readings.last().is_some_and(|id| is_told(history, id)) {
        readings.pop();
    }
    readings.reverse();
    readings
}

/// Whether this only told people something.
fn is_told(history: &History, id: &EffectId) -> bool {
    let told = |past: Past<'_>| matches!(past.effect.action, Action::Note { .. } | Action::NoReturn { .. });
    history.recorded(id).is_some_and(told)
}

/// The same where somebody said no at last, without what stands before the last yes: what was agreed to stays so,
/// and what it was decided by is looked at again before the next change. A choice is made anew: the no may be
/// because of it.
fn since_refusal(history: &History, mut readings: Vec<EffectId>) -> Vec<EffectId> {
    let word = |id: &EffectId| {
        let past = history.recorded(id)?;
        let (Action::Ask(ask), EffectState::Settled(Outcome::Done { value, .. })) = (&past.effect.action, past.state)
        else {
            return None;
        };
        Some((ask.form == Form::Confirm, said(value)))
    };
    let said: Vec<Option<(bool, String)>> = readings.iter().map(word).collect();
    let is = |wanted: &'static str| move |said: &Option<(bool, String)>| *said == Some((true, wanted.to_owned()));
    let asked = said.iter().rposition(Option::is_some);
    let refused = asked.filter(|at| is("no")(&said[*at])).unwrap_or(0);
    let agreed = said[..refused].iter().rposition(is("yes")).map_or(0, |at| at + 1);
    readings.split_off(agreed)
}

/// Whether this only found something out, which may be otherwise by now.
fn is_found_out(history: &History, id: &EffectId) -> bool {
    let Some(past) = history.recorded(id) else { return false };
    let EffectState::Settled(outcome) = past.state else { return false };
    let over = || {
        let step = history.step(&id.track, past.step);
        step.is_some_and(|step| matches!(step.phase, StepPhase::Ended { failed: None } | StepPhase::Skipped))
    };
    match &past.effect.action {
        Action::Probe(_) | Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => true,
        Action::Ask(ask) => match ask.form {
            Form::Confirm | Form::Choose(_) | Form::Write(_) => !over(),
            // What a person has done with their hands is done.
            Form::Manual => matches!(outcome, Outcome::Done { value, .. } if said(value) == "failed"),
        },
        // A wait that the script does itself is waited anew, and not only looked at once more behind its limit.
        Action::Sleep { pause, .. } => *pause,
        Action::Job(_) | Action::Put(_) | Action::Fetch(_) | Action::Log(_) | Action::Until(_) => false,
    }
}

/// The readings on the way back that whatever is asked for next was decided by: hours may have passed since, and
/// what somebody else has changed in the meantime must not be overwritten unseen.
#[must_use]
pub fn stale_on_way_back(history: &History) -> Vec<EffectId> {
    let Some(back) = history.track_back() else { return Vec::new() };
    let Some(track) = history.effects_index().get(&back) else { return Vec::new() };
    let is_settled = |slot: &EffectSlot| matches!(slot.phase, EffectPhase::Outcome(_));
    let settled = track.slots.iter().take_while(|slot| is_settled(slot)).count();
    let (before, [next, ..]) = track.slots.split_at(settled) else {
        return latest_readings(history).into_iter().find(|id| is_of_open_step(history, id)).into_iter().collect();
    };
    if !matches!(next.phase, EffectPhase::Retry | EffectPhase::Person { happened: false }) {
        return Vec::new();
    }
    let id = |slot: &EffectSlot| EffectId { track: back.clone(), n: slot.n };
    let step = history.recorded(&id(next)).map(|past| past.step);
    let reads = |id: &EffectId| {
        let past = history.recorded(id);
        past.is_some_and(|past| Some(past.step) == step && matches!(past.effect.action, Action::Probe(_)))
    };
    before.iter().rev().map(id).take_while(reads).collect()
}

fn is_of_open_step(history: &History, id: &EffectId) -> bool {
    let step = history.recorded(id).and_then(|past| history.step(&id.track, past.step));
    step.is_none_or(|step| matches!(step.phase, StepPhase::Begun | StepPhase::Ended { failed: Some(_) }))
}

/// The step of the way back at which it stopped: the undoing of a step, or something that is owed.
#[must_use]
pub fn broken_undo(history: &History) -> Option<(StepId, &str)> {
    let back = history.track_back()?;
    let Some(Fact::Ended { ending: Ending::Failed | Ending::Bug, .. }) = history.last() else { return None };
    let (number, name) = history.records().iter().rev().find_map(|stored| {
        let Fact::StepBegun { track, number, name, .. } = &stored.record.fact else { return None };
        (*track == back && is_outermost_on_way_back(number, &back)).then_some((number, name))
    })?;
    let step = history.step(&back, number)?;
    let is_open = matches!(step.phase, StepPhase::Begun | StepPhase::Ended { failed: Some(_) });
    is_open.then(|| (StepId { track: back.clone(), number: number.clone() }, name.as_str()))
}

/// Whether something inside this step is to be tried again, or was settled by a word after it had failed, so that
/// the step begins once more.
#[must_use]
pub fn retries_in(history: &History, track: &TrackId, number: &str) -> bool {
    history.records().iter().any(|stored| {
        let (Fact::Retry { id } | Fact::Skipped { id, .. } | Fact::Settled { id, .. }) = &stored.record.fact else {
            return false;
        };
        let Some(past) = history.recorded(id) else { return false };
        let anew = match past.state {
            EffectState::ToRetry | EffectState::Skipped { .. } | EffectState::SettledByPerson { .. } => true,
            EffectState::Settled(_) | EffectState::Open | EffectState::Doubted { .. } => false,
            EffectState::Answered { .. } | EffectState::Undone => false,
        };
        let inside = is_in_step(past.step, number);
        anew && inside && id.track.is_within(track)
    })
}

/// The word of an answer.
fn said(answer: &Value) -> String {
    answer.get("word").unwrap_or(answer).to_string()
}
