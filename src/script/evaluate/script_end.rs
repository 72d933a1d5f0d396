//! How a script came to its end, read from what it raised and from what its run knows. It must not evaluate anything.

use super::runtime_error;
use crate::error::{Error, Place};
use crate::model::run::record::EffectId;
use crate::script::calls::context::{Fallible, OnHold, Run, ScriptTrack};
use crate::script::calls::failure::{self, Bug};
use crate::script::compile::diagnostic;
use rhai::EvalAltResult;

/// How a script came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptEnd {
    /// It came to the end of the runbook, and what it owed is done.
    Done,
    /// It gave the decision to a person, and what it owed is done.
    Held {
        /// What the runbook gives as the reason.
        reason: String,
        /// What they are to do; may be empty.
        instructions: String,
    },
    /// Something failed and nothing caught it.
    Failed {
        /// What failed, with its place in the runbook.
        error: Box<Error>,
        /// The effect, if it was one.
        effect: Option<EffectId>,
        /// The effects at which tracks beside it had failed, itself among them, when it happened in a `parallel`.
        beside: Vec<EffectId>,
        /// Whether it was a guard that did not hold.
        guard: bool,
        /// The names of what `ensure` owes and nobody did, newest first: the order in which it is done.
        owed: Vec<String>,
    },
    /// The script is wrong.
    Bug(Box<Error>),
    /// The door was shut: the reason is [`Door::halt_reason`].
    Halted,
}

/// What a part of the script came to: flags decide, as array callbacks can swallow what was raised.
pub(super) fn ended(main: &ScriptTrack, result: Fallible<()>) -> std::result::Result<Option<OnHold>, ScriptEnd> {
    let run = &main.run;
    if run.door.is_halted() || main.left.get() {
        return Err(ScriptEnd::Halted);
    }
    let bug = run.bug.borrow_mut().take();
    if let Some(mut error) = bug {
        if let Err(raised) = &result {
            error.trace = diagnostic::trace(&run.program.main.file, raised);
            if error.place.is_none() {
                let (file, inner) = diagnostic::innermost(&run.program.main.file, raised);
                error.place = diagnostic::place(&file, inner.position());
                error.snippet = error.place.as_ref().and_then(|place| run.program.snippet(place)).map(Box::new);
            }
        }
        return Err(ScriptEnd::Bug(error));
    }
    if let Some(held) = main.held.take() {
        return Ok(Some(held));
    }
    match result {
        Ok(()) => Ok(None),
        Err(raised) => Err(failed(run, &raised)),
    }
}

fn failed(run: &Run, raised: &EvalAltResult) -> ScriptEnd {
    let program = &run.program;
    let (file, inner) = diagnostic::innermost(&program.main.file, raised);
    let EvalAltResult::ErrorRuntime(thrown, position) = inner else {
        return ScriptEnd::Bug(runtime_error::of(program, raised));
    };
    if thrown.is::<Bug>() {
        return ScriptEnd::Halted;
    }
    let uncaught = failure::uncaught(thrown);
    let mut error = uncaught.error;
    error.place = match uncaught.place {
        Some((file, line, column)) => Some(Place { file, line, column }),
        None => diagnostic::place(&file, *position),
    };
    error.snippet = error.place.as_ref().and_then(|place| program.snippet(place)).map(Box::new);
    error.trace = diagnostic::trace(&program.main.file, raised);
    let mut beside = run.failed_beside.borrow().clone();
    if uncaught.effect.as_ref().is_none_or(|effect| !beside.contains(effect)) {
        beside.clear();
    }
    ScriptEnd::Failed { error, effect: uncaught.effect, beside, guard: uncaught.guard, owed: Vec::new() }
}
