//! What a script did wrong while it was evaluated: the place, and what the program knows that is near to what was
//! meant. It must not run anything, and it never prints.

use super::surface::Functions;
use crate::error::{Error, Kind};
use crate::model::text::did_you_mean;
use crate::script::compile::diagnostic::{innermost, place, raced, reworded, split, trace, type_words};
use crate::script::compile::program::Program;
use crate::script::compile::tree;
use rhai::EvalAltResult;
use std::collections::BTreeSet;

/// How many calls are named where it is not known which one went wrong.
const CALLS_SHOWN: usize = 5;

/// An error while a script was evaluated: a bug of the script.
pub(crate) fn of(program: &Program, raised: &EvalAltResult) -> Box<Error> {
    let (file, inner) = innermost(&program.main.file, raised);
    let mut error = Error::new(Kind::Script, reworded(inner));
    if let EvalAltResult::ErrorFunctionNotFound(signature, _) = inner {
        let (message, hints) = unknown_function(program, signature);
        error.message = message;
        error.hints = hints;
    }
    if let EvalAltResult::ErrorPropertyNotFound(key, _) = inner {
        error.hints = missing_key(program, key);
    }
    error.place = place(&file, inner.position());
    if let (EvalAltResult::ErrorDataRace(what, _), None) = (inner, &error.place) {
        // Rhai does not say where. One call can only be the one; of several, each may be.
        match &program.calls_of(raced(what))[..] {
            [call] => error.place = Some(call.clone()),
            calls => {
                error.hints.extend(calls.iter().take(CALLS_SHOWN).map(|call| format!("it may be this one: {call}")))
            }
        }
    }
    error.snippet = error.place.as_ref().and_then(|place| program.snippet(place)).map(Box::new);
    error.trace = trace(&program.main.file, raised);
    error
}

/// What to do about a key that a map does not have. Which keys it has is not told; those the program knows are.
fn missing_key(program: &Program, key: &str) -> Vec<String> {
    let known: BTreeSet<String> = program.units().flat_map(|unit| tree::keys(&unit.ast)).collect();
    let near = did_you_mean(key, known.iter().map(String::as_str).chain(RESULT_KEYS).filter(|known| *known != key));
    let ask = format!("a key that may be missing is asked for with `map.get(\"{key}\")`, or `\"{key}\" in map`");
    near.into_iter().chain([ask]).collect()
}

/// The keys of what verbs give back.
const RESULT_KEYS: [&str; 21] = [
    "captures", "changed", "counts", "digest", "effect", "error", "event", "events", "exit", "item", "kind", "line",
    "message", "ok", "outcome", "output", "skipped", "state", "tries", "value", "warnings",
];

/// A call that no function fits: a name nobody knows, a wrong number of arguments, or arguments of wrong types.
fn unknown_function(program: &Program, signature: &str) -> (String, Vec<String>) {
    let (name, types) = split(signature);
    let bare = name.rsplit("::").next().unwrap_or(&name).trim();
    let functions = Functions::of(program);
    let given: Vec<String> = types.iter().map(|kind| type_words(kind)).collect();
    if !name.contains("::") && functions.knows(bare, types.len()) {
        let given = if given.is_empty() { "nothing".to_owned() } else { given.join(" and ") };
        return (format!("`{bare}` does not work on {given}"), Vec::new());
    }
    match functions.wrong_arity(bare, types.len()) {
        Some(message) if !name.contains("::") => (message.0, vec![message.1]),
        _ => {
            let hint = did_you_mean(bare, functions.names());
            (format!("unknown function `{}`", name.trim()), hint.into_iter().collect())
        }
    }
}
