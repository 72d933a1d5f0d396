//! Small helpers that touch nothing, words for the record, and what the language offers but a runbook must not use.

use super::primitive::Primitive;
use crate::model::run::effect::{Action, Class, Effect, FailureKind};
use crate::model::versions;
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::VerbDoc;
use crate::script::calls::failure;
use crate::script::compile::diagnostic;
use crate::script::values::sort::Sort;
use rhai::{Dynamic, Map, Module, NativeCallContext};
use std::cmp::Ordering;

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "note",
            signatures: &["note(text)"],
            class: Some(Class::Meta),
            summary: "Writes a line into the run's record.",
            example: r#"note("database is on schema 8.1.1");"#,
            ..VerbDoc::NONE
        },
        body: |call| record(call, false),
    },
    Primitive {
        doc: VerbDoc {
            name: "warn",
            signatures: &["warn(text)"],
            class: Some(Class::Meta),
            summary: "Writes a warning into the run's record; the summary at the end repeats it.",
            example: r#"warn("event 25302 was seen 12 times");"#,
            ..VerbDoc::NONE
        },
        body: |call| record(call, true),
    },
    Primitive {
        doc: VerbDoc {
            name: "print",
            signatures: &["print(value)"],
            class: Some(Class::Meta),
            summary: "The same as `note`.",
            example: r#"print(1 + 1);"#,
            ..VerbDoc::NONE
        },
        body: |call| record(call, false),
    },
    Primitive {
        doc: VerbDoc {
            name: "older",
            gives: Some(Sort::Flag),
            signatures: &["older(version, than)"],
            summary: "Whether a version is older than another: its fields are compared as numbers. Fails where a text \
                      is no version (`unknown`, `v8.4`, nothing), and where only what follows the numbers differs: \
                      nobody can tell whether `8.5 (beta)` is older than `8.5`.",
            errors: &["guard"],
            example: r#"if older("8.1.9", "8.1.10") { note("8.1.9 is older"); }"#,
            ..VerbDoc::NONE
        },
        body: |call| Ok((compared(call)? == Ordering::Less).into()),
    },
    Primitive {
        doc: VerbDoc {
            name: "same_version",
            gives: Some(Sort::Flag),
            signatures: &["same_version(version, other)"],
            summary: "Whether two versions are the same, field by field: `8.5` is `8.5.0`. Fails where `older` does.",
            errors: &["guard"],
            example: r#"guard(same_version("8.5", "8.5.0"), "versions differ");"#,
            ..VerbDoc::NONE
        },
        body: |call| Ok((compared(call)? == Ordering::Equal).into()),
    },
    Primitive {
        doc: VerbDoc {
            name: "end",
            signatures: &["end(outcome)"],
            summary: "In a decision table: the row ends the watch with this outcome.",
            example: r#"let row = ["any", "exit", end("FAILED")];"#,
            ..VerbDoc::NONE
        },
        body: end,
    },
    Primitive {
        doc: VerbDoc {
            name: "when",
            signatures: &["when(condition, row)"],
            summary: "In a decision table: the row if the condition holds; otherwise there is no such row.",
            example: r#"let row = when(1 < 2, ["any", "exit", end("FAILED")]);"#,
            ..VerbDoc::NONE
        },
        body: |call| if call.flag(0)? { Ok(call.any(1).clone()) } else { Ok(Dynamic::UNIT) },
    },
];

/// What an `end(…)` row holds under this key.
pub(super) const END_KEY: &str = "end";

fn end(call: &Call<'_>) -> Fallible<Dynamic> {
    let mut map = Map::new();
    map.insert(END_KEY.into(), call.text(0)?.into());
    Ok(map.into())
}

fn record(call: &Call<'_>, warning: bool) -> Fallible<Dynamic> {
    let text = diagnostic::shown(call.any(0));
    let label = if warning { "warn" } else { "note" }.to_owned();
    call.perform(Effect {
        action: Action::Note { text, warning },
        label,
        host: None,
        service: None,
        undo: None,
        before: None,
    })?;
    Ok(Dynamic::UNIT)
}

/// Compares the two versions of a call. What is none fails like a guard: it comes from a reading, and a resume looks
/// again.
fn compared(call: &Call<'_>) -> Fallible<Ordering> {
    let (one, other) = (call.text(0)?, call.text(1)?);
    versions::compare(&one, &other).map_err(|why| {
        let message = format!("`{}`: {why}", call.doc.name);
        call.raise(&failure::plain(FailureKind::Guard, message), None, None, None)
    })
}

/// `print` of the language would win over ours for exact types, and `exit` would end a run without a word.
pub(super) fn refusals(module: &mut Module) {
    macro_rules! prints {
        ($($kind:ty),*) => {$(
            module.set_native_fn("print", |context: NativeCallContext<'_>, value: $kind| {
                print(&context, Dynamic::from(value))
            });
        )*};
    }
    prints!(rhai::ImmutableString, i64, f64, bool, char, rhai::Array, Map, ());
    module.set_native_fn("sleep", |context: NativeCallContext<'_>, _: i64| refused(&context, SLEEP));
    module.set_native_fn("sleep", |context: NativeCallContext<'_>, _: f64| refused(&context, SLEEP));
    module.set_native_fn("exit", |context: NativeCallContext<'_>| refused(&context, EXIT));
    module.set_native_fn("exit", |context: NativeCallContext<'_>, _: Dynamic| refused(&context, EXIT));
}

const SLEEP: &str = "`sleep` wants a length of time with its unit, such as `sleep(\"10s\")`";
const EXIT: &str = "`exit` is not for runbooks; use `return` at the top, or `hold(reason)` to hand over to a person";

fn print(context: &NativeCallContext<'_>, value: Dynamic) -> Fallible<Dynamic> {
    let doc = PRIMITIVES.iter().map(|primitive| &primitive.doc).find(|doc| doc.name == "print");
    record(&Call::begin(context, doc.unwrap_or(&VerbDoc::NONE), vec![value])?, false)
}

fn refused(context: &NativeCallContext<'_>, message: &str) -> Fallible<Dynamic> {
    Err(Call::begin(context, &VerbDoc::NONE, vec![])?.bug(message))
}
