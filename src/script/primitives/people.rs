//! Questions to people. No answer is ever assumed: where nobody is there to answer, the run stops and can be resumed.

use crate::model::effect::{Action, Ask, Class, Effect, FailureKind, Form};
use crate::model::value::Value;
use crate::script::call::Call;
use crate::script::context::Fallible;
use crate::script::doc::VerbDoc;
use crate::script::failure;
use crate::script::primitives::Primitive;
use rhai::{Dynamic, ImmutableString};

const HUMAN: VerbDoc = VerbDoc { class: Some(Class::Human), limit: "none: people take their time", ..VerbDoc::NONE };

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "confirm",
            signatures: &["confirm(question)"],
            summary: "Asks a person; true for `yes`, false for `no`.",
            example: r#"guard(confirm("Are no configuration updates pending?"), "updates are pending");"#,
            ..HUMAN
        },
        body: confirm,
    },
    Primitive {
        doc: VerbDoc {
            name: "manual",
            signatures: &["manual(instruction)", "manual(instruction, evidence)"],
            summary: "Asks a person to do something and to say when it is done. `evidence` says what counts as done. \
                      Fails when they answer `failed`.",
            errors: &["declined"],
            example: r#"manual("Set up replication of the new database", "the replica's lag reads 0");"#,
            ..HUMAN
        },
        body: manual,
    },
    Primitive {
        doc: VerbDoc {
            name: "choose",
            signatures: &["choose(question, words)"],
            summary: "Asks a person to choose one of some words; gives the word.",
            example: r#"let way = choose("How shall it go on?", ["upgrade", "back"]);"#,
            ..HUMAN
        },
        body: choose,
    },
];

/// The word a person answered with.
pub(crate) fn word(answer: &Value) -> String {
    answer.get("word").unwrap_or(answer).to_string()
}

fn ask(call: &Call<'_>, form: Form, text: String, evidence: String) -> Fallible<Value> {
    let gate = call.track()?.run.door.gate_name(call.doc.name);
    let label = format!("{}({text})", call.doc.name);
    let ask = Ask { gate, form, text, evidence };
    Ok(call.perform(Effect { action: Action::Ask(ask), label, host: None, service: None, undo: None })?.value)
}

fn confirm(call: &Call<'_>) -> Fallible<Dynamic> {
    let answer = ask(call, Form::Confirm, call.text(0)?, String::new())?;
    Ok((answer == Value::Bool(true) || word(&answer) == "yes").into())
}

fn manual(call: &Call<'_>) -> Fallible<Dynamic> {
    let text = call.text(0)?;
    let evidence = if call.len() > 1 { call.text(1)? } else { String::new() };
    let answer = ask(call, Form::Manual, text.clone(), evidence)?;
    if word(&answer) == "done" {
        return Ok(Dynamic::UNIT);
    }
    let note = answer.get("note").map(ToString::to_string).filter(|note| !note.is_empty());
    let note = note.map(|note| format!(": {note}")).unwrap_or_default();
    let why = failure::plain(FailureKind::Declined, format!("a person says that it failed: {text}{note}"));
    Err(failure::raise(call, &why, None, None, None))
}

fn choose(call: &Call<'_>) -> Fallible<Dynamic> {
    let question = call.text(0)?;
    let options: Option<Vec<String>> =
        call.list(1)?.iter().map(|item| item.read_lock::<ImmutableString>().map(|word| word.to_string())).collect();
    let Some(options) = options.filter(|options| options.len() > 1) else {
        return Err(call.bug("`choose` wants a list of at least two words to choose from"));
    };
    let answer = ask(call, Form::Choose(options), question, String::new())?;
    Ok(word(&answer).into())
}
