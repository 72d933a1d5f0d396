//! Secrets: a name that can be handed to a command, and nothing else. Their values never come into a script.

use super::primitive::Primitive;
use crate::model::site::secret::Secret;
use crate::script::calls::call::{Call, STDIN};
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::VerbDoc;
use crate::script::values::handles::{self, Listed, SecretHandle};
use rhai::{Dynamic, ImmutableString, Map, Module, NativeCallContext};

/// The option by which a command is handed a secret.
pub(super) const SECRET: (&str, &str) =
    (STDIN, "a secret that the command reads from its standard input: `secret(\"db\")`");

pub(super) const PRIMITIVES: &[Primitive] = &[Primitive {
    doc: VerbDoc {
        name: "secret",
        signatures: &["secret(name)"],
        summary: "A secret of the inventory, `[secrets.NAME]` with a `file`, a `command` or a variable `env`. It can \
                  only be handed to a command as `stdin`, which reads its value from standard input: it cannot be \
                  printed, compared, joined to a text, or kept in the record. Wherever a host says it, it is hidden.",
        example: r#"run(host("db-a"), ["psql", "-f", "-"], #{ stdin: secret("db") });"#,
        ..VerbDoc::NONE
    },
    body: find,
}];

fn find(call: &Call<'_>) -> Fallible<Dynamic> {
    let name = call.text(0)?;
    let inventory = &call.track()?.run.inventory;
    match Secret::find(inventory, &name) {
        Some(_) => Ok(Dynamic::from(SecretHandle::new(name))),
        None => Err(call.bug_with(handles::unknown::<Secret>(&name, &Secret::names(inventory)))),
    }
}

/// What the language would do with any value, and must not with a secret.
pub(super) fn refusals(module: &mut Module) {
    type C<'a> = NativeCallContext<'a>;
    type S = SecretHandle;
    module.set_custom_type::<S>("secret");
    for name in ["to_string", "to_debug", "print", "debug", "to_json"] {
        module.set_native_fn(name, |context: C<'_>, _: S| refused(&context));
    }
    for name in ["==", "!=", "+", "contains"] {
        module.set_native_fn(name, |context: C<'_>, _: S, _: S| refused(&context));
        module.set_native_fn(name, |context: C<'_>, _: S, _: Dynamic| refused(&context));
        module.set_native_fn(name, |context: C<'_>, _: Dynamic, _: S| refused(&context));
        module.set_native_fn(name, |context: C<'_>, _: S, _: ImmutableString| refused(&context));
        module.set_native_fn(name, |context: C<'_>, _: ImmutableString, _: S| refused(&context));
    }
    // The language would write a secret in a map as the name of its type.
    module.set_native_fn("to_json", |context: C<'_>, map: Map| {
        Call::begin(&context, &VerbDoc::NONE, vec![map.clone().into()])?;
        Ok(rhai::format_map_as_json(&map))
    });
    module.set_native_fn("+=", |context: C<'_>, _: &mut ImmutableString, _: S| refused(&context));
}

fn refused(context: &NativeCallContext<'_>) -> Fallible<Dynamic> {
    Err(Call::begin(context, &VerbDoc::NONE, vec![])?.secret_misused())
}
