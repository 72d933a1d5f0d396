//! Questions to people. No answer is ever assumed: where nobody is there to answer, the run stops and can be resumed.

use super::primitive::Primitive;
use crate::model::run::effect::{Action, AnswerKind, Ask, Class, Effect, FailureKind, Form, SUSPEND};
use crate::model::text::{TOLD_MAX, shown};
use crate::model::value::Value;
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{Asking, ClosureArg, ClosurePlace, VerbDoc};
use crate::script::calls::failure;
use crate::script::calls::gate_name;
use crate::script::calls::options::Options;
use crate::script::compile::diagnostic;
use crate::script::values::sort::Sort;
use rhai::{Dynamic, FnPtr, ImmutableString};

const HUMAN: VerbDoc = VerbDoc { class: Some(Class::Human), limit: "none: people take their time", ..VerbDoc::NONE };

const GATE: (&str, &str) =
    ("gate", "a name of its own for the gate: letters, digits, dashes; `baton approve` and answers files use it");

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "confirm",
            gives: Some(Sort::Flag),
            asks: Some(Asking::Confirm),
            signatures: &["confirm(question)", "confirm(question, options)"],
            summary: "Asks a person; true for `yes`, false for `no`.",
            options: &[GATE],
            example: r#"guard(confirm("Is nothing pending?", #{ gate: "nothing-pending" }), "updates are pending");"#,
            ..HUMAN
        },
        body: confirm,
    },
    Primitive {
        doc: VerbDoc {
            name: "manual",
            closures: &[ClosureArg { place: ClosurePlace::Option("check"), values: 0, tells: true, only_reads: false }],
            asks: Some(Asking::Manual),
            signatures: &[
                "manual(instruction)",
                "manual(instruction, evidence)",
                "manual(instruction, evidence, options)",
            ],
            summary: "Asks a person to do something and to say when it is done. `evidence` says what counts as done. \
                      Fails when they answer `failed`, or `done` while `check` does not hold.",
            options: &[
                GATE,
                ("check", "looks whether it is done: `|| status(db) == \"running\"`; else `done` is not enough"),
            ],
            errors: &["declined", "guard"],
            example: r#"manual("Start the database", "it runs", #{ check: || status(service("db")) == "running" });"#,
            ..HUMAN
        },
        body: manual,
    },
    Primitive {
        doc: VerbDoc {
            name: "choose",
            gives: Some(Sort::Text),
            asks: Some(Asking::Choose),
            signatures: &["choose(question, words)", "choose(question, words, options)"],
            summary: "Asks a person to choose one of some words; gives the word.",
            options: &[GATE],
            example: r#"let way = choose("How shall it go on?", ["upgrade", "back"], #{ gate: "way" });"#,
            ..HUMAN
        },
        body: choose,
    },
    Primitive {
        doc: VerbDoc {
            name: "ask",
            asks: Some(Asking::Write),
            signatures: &["ask(question)", "ask(question, options)"],
            summary: "Asks a person for something that they type: a number of kind `int` is given as one, all else as \
                      text. What is of another kind is asked for again.",
            options: &[GATE, ("kind", "`\"text\"`, which is usual, `\"int\"`, `\"version\"` or `\"time\"` (of day)")],
            example: r#"
                let sessions = ask("How many sessions does the switch show?", #{ kind: "int", gate: "sessions" });
                guard(sessions == 0, `${sessions} sessions are still there`);"#,
            ..HUMAN
        },
        body: ask_for,
    },
];

/// The word a person answered with.
pub(crate) fn word(answer: &Value) -> String {
    answer.get("word").unwrap_or(answer).to_string()
}

fn ask(call: &Call<'_>, form: Form, text: String, evidence: String, options: &Options<'_, '_>) -> Fallible<Value> {
    let own = options.text("gate")?;
    if let Some(wrong) = own.as_deref().and_then(gate_name::wrong_name) {
        return Err(call.bug(wrong));
    }
    if let Some(long) = [&text, &evidence].into_iter().map(|text| text.chars().count()).find(|len| *len > TOLD_MAX) {
        return Err(call.bug(format!("a question of {long} characters is read by nobody: at most {TOLD_MAX}")));
    }
    let gate = call.track()?.run.door.gate_name(call.doc.name, own.as_deref());
    let label = format!("{}({text})", call.doc.name);
    let ask = Ask { gate, form, text, evidence };
    Ok(call
        .perform(Effect { action: Action::Ask(ask), label, host: None, service: None, undo: None, before: None })?
        .value)
}

fn confirm(call: &Call<'_>) -> Fallible<Dynamic> {
    let answer = ask(call, Form::Confirm, call.text(0)?, String::new(), &Options::of(call, 1)?)?;
    Ok((answer == Value::Bool(true) || word(&answer) == "yes").into())
}

fn manual(call: &Call<'_>) -> Fallible<Dynamic> {
    let text = call.text(0)?;
    let evidence = if call.len() > 1 { call.text(1)? } else { String::new() };
    let options = Options::of(call, 2)?;
    let check = options.closure("check")?;
    let answer = ask(call, Form::Manual, text.clone(), evidence, &options)?;
    if word(&answer) == "done" {
        return check.map_or(Ok(Dynamic::UNIT), |check| see(call, &check, &text));
    }
    if answer.get("skipped").is_some() {
        return Ok(Dynamic::UNIT);
    }
    let note = answer.get("note").map(ToString::to_string).filter(|note| !note.is_empty());
    let note = note.map(|note| format!(": {note}")).unwrap_or_default();
    let why = failure::plain(FailureKind::Declined, format!("a person says that it failed: {text}{note}"));
    Err(call.raise(&why, None, None, None))
}

/// Looks whether what a person calls done is so. It fails like a guard: a resume looks again, and asks nobody.
fn see(call: &Call<'_>, check: &FnPtr, text: &str) -> Fallible<Dynamic> {
    let holds = call.invoke(check, vec![])?;
    match holds.as_bool() {
        Ok(true) => Ok(Dynamic::UNIT),
        Ok(false) => {
            let message = format!("a person says done, but the check does not hold: {text}");
            let warning = Action::Note { text: message.clone(), warning: true };
            let label = "warn(the check does not hold)".to_owned();
            call.perform(Effect { action: warning, label, host: None, service: None, undo: None, before: None })?;
            Err(call.raise(&failure::plain(FailureKind::Guard, message), None, None, None))
        }
        Err(_) => {
            let kind = diagnostic::kind_of(&holds);
            Err(call.bug(format!("the check of `manual` gives {kind}, not true or false")))
        }
    }
}

fn ask_for(call: &Call<'_>) -> Fallible<Dynamic> {
    let (question, options) = (call.text(0)?, Options::of(call, 1)?);
    let named = options.text("kind")?.unwrap_or_else(|| AnswerKind::Text.name().to_owned());
    let Some(kind) = AnswerKind::ALL.into_iter().find(|kind| kind.name() == named) else {
        let known: Vec<String> = AnswerKind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
        return Err(call.bug(format!("option `kind` is one of {}, not `{}`", known.join(", "), shown(&named))));
    };
    let typed = word(&ask(call, Form::Write(kind), question, String::new(), &options)?);
    Ok(match (kind, typed.parse::<i64>()) {
        (AnswerKind::Int, Ok(number)) => number.into(),
        (AnswerKind::Int | AnswerKind::Text | AnswerKind::Version | AnswerKind::Time, _) => typed.into(),
    })
}

fn choose(call: &Call<'_>) -> Fallible<Dynamic> {
    let question = call.text(0)?;
    let words: Option<Vec<String>> =
        call.list(1)?.iter().map(|item| item.read_lock::<ImmutableString>().map(|word| word.to_string())).collect();
    let Some(words) = words.filter(|words| words.len() > 1) else {
        return Err(call.bug("`choose` wants a list of at least two words to choose from"));
    };
    if let Some(word) = words.iter().find(|word| word.trim().is_empty() || word.trim().to_lowercase() == SUSPEND) {
        return Err(call.bug(format!("`choose` cannot offer the word `{word}`: `{SUSPEND}` leaves the run suspended")));
    }
    let twice = words.iter().enumerate().find(|(at, word)| words[..*at].contains(word));
    if let Some((_, word)) = twice {
        return Err(call.bug(format!("`choose` offers `{word}` twice: nobody could tell which is meant")));
    }
    let answer = ask(call, Form::Choose(words), question, String::new(), &Options::of(call, 2)?)?;
    Ok(word(&answer).into())
}
