//! What a runbook owes: steps that are done at its end, whatever that is. Where doing one now could do harm, a person
//! is asked first. It must not decide when a run is at its end.

use crate::dispatch::{Halted, StepEntry};
use crate::error::{Error, Kind};
use crate::model::run::effect::{Action, Ask, Effect, Form, Outcome};
use crate::model::value::Value;
use crate::script::calls::calling;
use crate::script::calls::context::{Fallible, Obligation, OnHold, ScriptTrack, terminated};
use crate::script::compile::diagnostic;
use crate::script::evaluate::script_end::{ScriptEnd, ended};
use crate::script::primitives::{answer_word, end_step};
use rhai::{Dynamic, Engine, ImmutableString, Position};
use std::rc::Rc;

/// Does what is owed, as a step of `track`; tells when that handed over to a person.
pub(super) fn meet(
    obligation: &Obligation,
    engine: &Engine,
    track: &Rc<ScriptTrack>,
) -> std::result::Result<Option<OnHold>, ScriptEnd> {
    match track.run.door.step_begin(&obligation.name, obligation.place.clone(), false) {
        Ok(StepEntry::Enter) => {}
        Ok(StepEntry::Skip) => return Ok(None),
        Err(Halted) => return Err(ScriptEnd::Halted),
    }
    let result = body(obligation, engine, track);
    let result = end_step(track, result, Position::NONE).map(|_| ());
    ended(track, result)
}

fn body(obligation: &Obligation, engine: &Engine, track: &Rc<ScriptTrack>) -> Fallible<Dynamic> {
    let harm = match &obligation.harm {
        Some(harm) => told(obligation, track, calling::call(harm, engine, track, vec![])?)?,
        None => String::new(),
    };
    if !harm.is_empty() && !confirmed(track, &harm)? {
        let text = format!("`{}` was left undone: {harm}", obligation.name);
        perform(track, "warn", Action::Note { text, warning: true })?;
        return Ok(Dynamic::UNIT);
    }
    calling::call(&obligation.body, engine, track, vec![])
}

/// What `harm` gave: text, or nothing.
fn told(obligation: &Obligation, track: &Rc<ScriptTrack>, given: Dynamic) -> Fallible<String> {
    if track.is_over() {
        return Err(terminated(Position::NONE));
    }
    let given = given.flatten();
    if given.is_unit() {
        return Ok(String::new());
    }
    if let Some(text) = given.read_lock::<ImmutableString>() {
        return Ok(text.trim().to_owned());
    }
    let (name, kind) = (&obligation.name, diagnostic::kind_of(&given));
    let mut error = Error::new(Kind::Script, format!("`harm` of `{name}` must give text, not {kind}"));
    error.place.clone_from(&obligation.place);
    track.run.bug.borrow_mut().get_or_insert(error);
    Err(terminated(Position::NONE))
}

fn confirmed(track: &Rc<ScriptTrack>, harm: &str) -> Fallible<bool> {
    let (gate, text) = (track.run.door.gate_name("confirm", None), format!("{harm} Do it all the same?"));
    let ask = Ask { gate, form: Form::Confirm, text, evidence: String::new() };
    let answer = perform(track, &format!("confirm({})", ask.text), Action::Ask(ask))?;
    Ok(answer_word(&answer) == "yes")
}

fn perform(track: &Rc<ScriptTrack>, label: &str, action: Action) -> Fallible<Value> {
    let effect = Effect { action, label: label.to_owned(), host: None, service: None, undo: None, before: None };
    match track.run.door.perform(effect, None) {
        Ok((_, Outcome::Done { value, .. })) => Ok(value),
        // Questions and notes do not fail; one that a person left out has no answer.
        Ok((_, Outcome::Failed(_) | Outcome::Skipped { .. })) => Ok(Value::Null),
        Err(Halted) => Err(track.leave(Position::NONE)),
    }
}
