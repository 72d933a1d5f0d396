//! How a run ended or stands: the ending, its words, the exit code, and what can be done next. It reads what is on
//! record and closes the door; it carries nothing out.

use super::verdict::ways_with;
use crate::dispatch::{Dispatcher, Door};
use crate::error::{Error, Kind};
use crate::journal::acted;
use crate::journal::history::History;
use crate::journal::left_out::LeftOut;
use crate::journal::reopening;
use crate::journal::rollback_plan;
use crate::journal::second_thought;
use crate::model::run::record::{Ending, Fact};
use crate::model::text::typed;
use crate::script::evaluate::script_end::ScriptEnd;
use std::rc::Rc;

/// How a run ended, for the exit code and the last lines on the screen.
#[derive(Debug)]
pub struct Finished {
    /// The run.
    pub run: String,
    /// As it is on record.
    pub ending: Ending,
    /// What to tell, unless it is done.
    pub error: Option<Box<Error>>,
    /// The exit code of the process.
    pub exit_code: u8,
}

/// Says how the run ended, and writes it down.
pub(crate) fn finish(run: String, door: &Rc<Dispatcher>, end: ScriptEnd) -> Finished {
    let touched = door.has_changed();
    let halted = door.halt_reason().filter(|_| !matches!(end, ScriptEnd::Failed { .. }));
    let (ending, error, effect) = match (halted, end) {
        (Some(halt), _) => (halt.ending, Some(halt.error), halt.effect),
        (None, ScriptEnd::Done) => match door.check_exhausted() {
            Ok(()) => (Ending::Done, None, None),
            Err(error) => (Ending::Refused, Some(error), None),
        },
        (None, ScriptEnd::Held { reason, instructions }) => {
            (Ending::Held, Some(held(&run, reason, &instructions)), None)
        }
        (None, ScriptEnd::Failed { mut error, effect, guard, owed, .. }) => {
            let ending = if guard && !touched { Ending::Unmet } else { Ending::Failed };
            error.kind = if ending == Ending::Unmet { Kind::Precondition } else { Kind::Failed };
            let error = next_after_failure(&run, ending, error, (&owed, way_out_of(&run, door)));
            (ending, Some(if effect.is_none() { after_leaving_out(&run, door, ending, error) } else { error }), effect)
        }
        (None, ScriptEnd::Bug(mut error)) => {
            error.kind = if touched { Kind::Failed } else { Kind::Script };
            let back = way_out_of(&run, door).filter(|_| touched);
            let error = after_mistake(&run, error, back);
            (Ending::Bug, Some(if touched { after_leaving_out(&run, door, Ending::Bug, error) } else { error }), None)
        }
        (None, ScriptEnd::Halted) => (
            Ending::Interrupted,
            Some(Error::new(Kind::Internal, "the script was stopped for no recorded reason")),
            None,
        ),
    };
    let message = error.as_ref().map_or_else(String::new, |error| in_words(ending, error));
    let unwritten = door.close(ending, &message, effect).err();
    if matches!(ending, Ending::Done | Ending::Held) && unwritten.is_none() {
        door.release();
    }
    let error = error.or(unwritten);
    let exit_code = error.as_ref().map_or(0, |error| error.kind.exit_code());
    Finished { run, ending, error, exit_code }
}

/// How a run ended that is over: its runner may have died after the last record was written. Nothing else is done.
#[must_use]
pub fn over(run: &str, history: &History) -> Option<Finished> {
    let Fact::Ended { ending, message, .. } = history.last()? else { return None };
    if !history.is_final() {
        return None;
    }
    let (reason, instructions) = message.split_once('\n').unwrap_or((message, ""));
    let error = (*ending == Ending::Held).then(|| held(run, reason.to_owned(), instructions));
    let exit_code = match ending {
        Ending::RolledBack => gone_back(is_in_part(history, Some(0))).exit_code(),
        Ending::Aborted => Kind::Failed.exit_code(),
        Ending::Done | Ending::Held | Ending::Failed | Ending::Unmet | Ending::Suspended | Ending::Doubt => {
            error.as_ref().map_or(0, |error| error.kind.exit_code())
        }
        Ending::Interrupted | Ending::Bug | Ending::Refused => 0,
    };
    Some(Finished { run: run.to_owned(), ending: *ending, error, exit_code })
}

/// How a run stands that was only looked at, from the words of its record; `touched` when it has asked for a change.
pub(crate) fn stopped(run: &str, ending: Ending, message: &str, touched: bool) -> Finished {
    let kind = match ending {
        Ending::Done => return Finished { run: run.to_owned(), ending, error: None, exit_code: 0 },
        Ending::Failed | Ending::Aborted => Kind::Failed,
        Ending::Held | Ending::Suspended => Kind::Suspended,
        Ending::Unmet => Kind::Precondition,
        Ending::Doubt => Kind::InDoubt,
        Ending::Interrupted => Kind::Interrupted,
        Ending::Bug if touched => Kind::Failed,
        Ending::Bug => Kind::Script,
        Ending::Refused => Kind::Refused,
        Ending::RolledBack => Kind::RolledBack,
    };
    let error = Error::new(kind, message).hint(format!("go on by hand:   baton repl --run {run}"));
    let error = error.hint(if ending == Ending::Bug {
        format!("edit the runbook, then go on by itself: baton resume {run} --adopt-edited")
    } else {
        format!("go on by itself: baton resume {run}")
    });
    Finished { run: run.to_owned(), ending, exit_code: error.kind.exit_code(), error: Some(error) }
}

/// How a run stands that was undone to before a step and only looked at since. It is no error.
pub(crate) fn undone_in_part(run: &str, history: &History) -> Finished {
    let exit_code = gone_back(LeftOut::of(history).is_something()).exit_code();
    Finished { run: run.to_owned(), ending: Ending::RolledBack, error: None, exit_code }
}

/// Whether something of what a way back from this record on is about is not undone: a person left it out, or typed it.
pub(super) fn is_in_part(history: &History, since: Option<u64>) -> bool {
    LeftOut::of(history).is_something() || since.is_some_and(|since| !acted::typed_since(history, since).is_empty())
}

/// What a way back that came to its end is: one on which something was left out is never complete.
pub(super) fn gone_back(left_out: bool) -> Kind {
    if left_out { Kind::RollbackIncomplete } else { Kind::RolledBack }
}

/// What the record keeps of an ending: for a person who has to decide, the instructions as well.
fn in_words(ending: Ending, error: &Error) -> String {
    if ending != Ending::Held {
        return error.message.clone();
    }
    std::iter::once(&error.message).chain(&error.causes).cloned().collect::<Vec<_>>().join("\n")
}

fn held(run: &str, reason: String, instructions: &str) -> Box<Error> {
    let mut error = Error::new(Kind::Suspended, reason);
    error.causes.extend(instructions.lines().map(str::to_owned));
    error.hint(format!("baton show {run}"))
}

/// What can be done when the script turned out to be wrong in the midst of the run.
fn after_mistake(run: &str, error: Box<Error>, back: Option<String>) -> Box<Error> {
    let error = error.hint(format!("edit the runbook, then go on from here: baton resume {run} --adopt-edited"));
    back.into_iter().fold(error, |error, back| error.hint(format!("or {back}")))
}

/// What can be done where the run could not go on without something that a person had left out.
fn after_leaving_out(run: &str, door: &Dispatcher, ending: Ending, mut error: Box<Error>) -> Box<Error> {
    let Ok(history) = door.recorded_now() else { return error };
    match second_thought::left_out_of_failed(&history).first() {
        Some(past) => {
            // What trying again comes to is said in its place.
            error.hints.truncate(error.hints.len().saturating_sub(usize::from(ending == Ending::Failed)));
            ways_with(run, &past.effect.label, reopening::retries_left_out(&history, ending), error)
        }
        None => error,
    }
}

/// The way back that is open now, with what this runner has written.
fn way_out_of(run: &str, door: &Dispatcher) -> Option<String> {
    way_out(run, &door.recorded_now().ok()?)
}

/// The way back that is open to a run which stopped: all of it, or what came after its point of no return.
pub(super) fn way_out(run: &str, history: &History) -> Option<String> {
    let what = if rollback_plan::has_changed(history)? { "was" } else { "may have been" };
    if rollback_plan::no_return_since(history, 0).is_none() {
        return Some(format!("take back what {what} changed: baton rollback {run}"));
    }
    let step = rollback_plan::stops(history)
        .into_iter()
        .find(|stop| rollback_plan::no_return_since(history, stop.seq).is_none())?;
    let name = if rollback_plan::stop(history, &step.number).is_ok() { step.number } else { step.name };
    Some(format!("take back what came after its point of no return: baton rollback {run} --to {}", typed(&name)))
}

fn next_after_failure(
    run: &str,
    ending: Ending,
    mut error: Box<Error>,
    (owed, back): (&[String], Option<String>),
) -> Box<Error> {
    if ending == Ending::Unmet {
        return error
            .hint("nothing was touched")
            .hint(format!("put it right, then have it looked at again: baton resume {run}"));
    }
    if !owed.is_empty() {
        let names: Vec<String> = owed.iter().map(|name| format!("`{name}`")).collect();
        error = error.hint(format!("owed and not done yet, in this order: {}", names.join(", ")));
    }
    let error = back.into_iter().fold(error, Error::hint);
    error.hint(format!("put it right, then try the failed step again: baton resume {run}"))
}
