//! What a person says of a run that has stopped, and the records that say so: with them any runner, on any terminal,
//! goes on in the same way. It carries nothing out.

use crate::error::{Error, Kind, Result};
use crate::journal::history::{History, Past};
use crate::journal::reopening;
use crate::journal::second_thought;
use crate::model::run::record::{EffectId, Ending, Fact, Moment, Record, StepId, Who};

/// What a person says of the effect at which a run stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OperatorRuling {
    /// Nothing of it: what failed is tried again.
    #[default]
    Retry,
    /// It happened all the same; why they know.
    Happened(String),
    /// What is in doubt did not happen; why they know.
    NotHappened(String),
    /// It is left out; why.
    Skip(String),
}

/// Whether this can be said of a run as it stands.
///
/// # Errors
/// `Usage` when nothing has failed or is in doubt, or no word can stand for what did.
pub fn admits(run: &str, history: &History, verdict: &OperatorRuling) -> Result<()> {
    reopening(run, history, verdict.clone(), &Moment::default(), &Who::default()).map(|_| ())
}

/// The records that open a run again: who did, what they say, and what is to be looked at anew.
pub(crate) fn reopening(
    run: &str,
    history: &History,
    verdict: OperatorRuling,
    at: &Moment,
    by: &Who,
) -> Result<Vec<Record>> {
    let (when, who) = (|| at.clone(), || by.clone());
    let said = match verdict {
        OperatorRuling::Retry => {
            let retries = reopening::to_retry(history).into_iter();
            retries.map(|id| Fact::Retry { id }.by(who(), when())).collect()
        }
        OperatorRuling::NotHappened(reason) => {
            let (id, attempt) = reopening::doubted(history).ok_or_else(|| nothing(run, history, "is in doubt"))?;
            vec![Fact::Settled { id, attempt, happened: false, reason }.by(who(), when())]
        }
        OperatorRuling::Happened(reason) => match happened_at(run, history)? {
            RulingSubject::Effect(id, attempt) => {
                vec![Fact::Settled { id, attempt, happened: true, reason }.by(who(), when())]
            }
            RulingSubject::Undo(step, name) => vec![left_out(step, name, (true, reason), at, by)],
        },
        OperatorRuling::Skip(reason)
            if reopening::doubted(history).is_none_or(|(id, _)| reopening::is_asked_for_itself(history, &id)) =>
        {
            match stopped_at(run, history)? {
                RulingSubject::Effect(id, _) => vec![Fact::Skipped { id, reason }.by(who(), when())],
                RulingSubject::Undo(step, name) => vec![left_out(step, name, (false, reason), at, by)],
            }
        }
        OperatorRuling::Skip(_) => return Err(must_be_told(run)),
    };
    let opened = Fact::Opened.by(who(), when());
    let mut records: Vec<Record> = std::iter::once(opened).chain(said).collect();
    for id in stale(history, &records) {
        records.push(Fact::Retry { id }.by(who(), when()));
    }
    if reopening::stopped_at(history).is_some() {
        check(run, history, &records)?;
    }
    Ok(records)
}

/// The same for a run that goes on with other texts: they may do without what was left out.
pub(super) fn reopening_edited(
    run: &str,
    history: &History,
    verdict: OperatorRuling,
    at: &Moment,
    by: &Who,
) -> Result<Vec<Record>> {
    let is_left_out = |id: &EffectId| second_thought::left_out_of_failed(history).iter().any(|past| past.id == *id);
    let mut records = reopening(run, history, verdict, at, by)?;
    records.retain(|record| !matches!(&record.fact, Fact::Retry { id } if is_left_out(id)));
    Ok(records)
}

/// The readings on a way back that are to be made anew once these records are written.
fn stale(history: &History, records: &[Record]) -> Vec<EffectId> {
    if history.way_back().is_none() {
        return Vec::new();
    }
    let mut opened = history.clone();
    if opened.add(records.iter().cloned()).is_err() {
        return Vec::new();
    }
    reopening::stale_on_way_back(&opened)
}

/// What a person can speak of.
pub(super) enum RulingSubject<'a> {
    /// A change or a wait, with its attempt.
    Effect(EffectId, u32),
    /// The undoing of a step, or something that is owed, with its name: on a way back that can be said of as a whole.
    Undo(StepId, &'a str),
}

fn left_out(
    StepId { track, number }: StepId,
    name: &str,
    (by_hand, reason): (bool, String),
    at: &Moment,
    by: &Who,
) -> Record {
    Fact::StepSkipped { track, number, name: name.to_owned(), reason, by_hand }.by(by.clone(), at.clone())
}

fn must_be_told(run: &str) -> Box<Error> {
    Error::new(Kind::Usage, "what the run has done cannot be left out: the way back depends on whether it happened")
        .hint(format!("if it happened:     baton resume {run} --happened \"why you know\""))
        .hint(format!("if it did not:      baton resume {run} --not-happened \"why you know\""))
}

/// What a person can speak of in a run that stopped.
pub(super) fn stopped_at<'a>(run: &str, history: &'a History) -> Result<RulingSubject<'a>> {
    if let Some((id, attempt)) = reopening::doubted(history) {
        return Ok(RulingSubject::Effect(id, attempt));
    }
    let left_out = |past: &Past<'_>| past.effect.may_be_left_out();
    if let Some((step, name)) =
        reopening::broken_undo(history).filter(|_| !reopening::stopped_at(history).as_ref().is_some_and(left_out))
    {
        return Ok(RulingSubject::Undo(step, name));
    }
    let Some(past) = reopening::stopped_at(history) else {
        if reopening::has_failed(history) {
            let message = "what failed is no single change or wait: it cannot be settled by a word";
            let error = Error::new(Kind::Usage, message);
            if let Some(past) = second_thought::missed(history) {
                return Err(ways_with(
                    run,
                    &past.effect.label,
                    reopening::retries_left_out(history, Ending::Failed),
                    error,
                ));
            }
            return Err(error.hint(format!("put it right, then have it looked at again: baton resume {run}")));
        }
        return Err(nothing(run, history, "has failed or is in doubt"));
    };
    if !past.effect.may_be_left_out() {
        let message =
            format!("what `{}` tells decides how the runbook goes on: no word can stand for it", past.effect.label);
        return Err(Error::new(Kind::Usage, message)
            .hint(format!("put it right, then have it tried again: baton resume {run}")));
    }
    Ok(RulingSubject::Effect(past.id, past.attempt))
}

/// What a person can say of that it happened: what stopped the run, or what they had left out and it could not do
/// without.
pub(super) fn happened_at<'a>(run: &str, history: &'a History) -> Result<RulingSubject<'a>> {
    match second_thought::missed(history) {
        Some(past) => Ok(RulingSubject::Effect(past.id, past.attempt)),
        None => stopped_at(run, history),
    }
}

fn nothing(run: &str, history: &History, is: &str) -> Box<Error> {
    again(run, history, Error::new(Kind::Usage, format!("nothing in run {run} {is}")))
}

/// What can be done about something that was left out, without which the run cannot go on.
pub(super) fn ways_with(run: &str, label: &str, is_retried: bool, error: Box<Error>) -> Box<Error> {
    let error = error.cause(format!("`{label}` was left out before"));
    let error = if is_retried {
        error.hint(format!("do it after all: baton resume {run}"))
    } else {
        error.hint(format!("put it right, then have it looked at again: baton resume {run}"))
    };
    error.hint(format!("if it is done: baton resume {run} --done \"why you know\""))
}

/// An error about a run that can be taken up again without what was said of it.
pub(super) fn again(run: &str, history: &History, error: Box<Error>) -> Box<Error> {
    if let Some(past) = second_thought::missed(history) {
        let is_retried = history.last_ending().is_some_and(|ending| reopening::retries_left_out(history, ending));
        return ways_with(run, &past.effect.label, is_retried, error);
    }
    if history.last_ending() == Some(Ending::Bug) {
        return error
            .cause("what stopped it is a mistake in its text")
            .hint(format!("edit the runbook, then go on from here: baton resume {run} --adopt-edited"));
    }
    error.hint(format!("take it up again: baton resume {run}"))
}

/// A word on a failure that the runbook has acted on would not fit what it did.
fn check(run: &str, history: &History, records: &[Record]) -> Result<()> {
    match history.clone().add(records.iter().cloned()) {
        Ok(()) => Ok(()),
        Err(why) => Err(Error::new(Kind::Usage, "the runbook went on because of the failure: no word can undo that")
            .cause(why.message)
            .hint(format!("see what it did: baton show {run}"))),
    }
}
