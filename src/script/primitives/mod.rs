//! The vocabulary of runbooks. Each file holds one theme: a table of [`Primitive`]s, each a function beside what is
//! said about it. A primitive performs nothing itself.
//!
//! - [`flow`]: parameters, steps, obligations, guards, holds · [`parallel`], [`rolling`]: tracks
//! - [`inventory`]: hosts, services, pairs · [`probes`]: reading · [`changes`]: changing · [`reboot`]: restarting hosts
//! - [`logs`]: following logs · [`table`]: decision tables from plain data
//! - [`files`]: carrying files to and from hosts
//! - [`secrets`]: what only commands may know
//! - [`comparisons`]: what must not be compared
//! - [`waits`]: states and time · [`people`]: asking · [`values`]: versions, text for the record

mod changes;
mod comparisons;
mod files;
mod flow;
mod inventory;
mod logs;
mod parallel;
mod people;
mod probes;
mod reboot;
mod results;
mod rolling;
mod secrets;
mod table;
mod values;
mod waits;

pub(crate) use flow::end_step;
pub(crate) use inventory::unknown as unknown_name;
pub(crate) use people::word as answer_word;
pub(crate) use probes::{in_order, labelled};
pub(crate) use results::{of_probe, of_verb};

use crate::script::call::Call;
use crate::script::context::Fallible;
use crate::script::doc::VerbDoc;
use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext, Shared};

/// A function that scripts can call.
pub(crate) struct Primitive {
    /// What is said about it.
    pub(crate) doc: VerbDoc,
    /// What it does.
    pub(crate) body: fn(&Call<'_>) -> Fallible<Dynamic>,
}

/// All of them, by theme.
pub(crate) fn all() -> impl Iterator<Item = &'static Primitive> {
    [
        flow::PRIMITIVES,
        rolling::PRIMITIVES,
        inventory::PRIMITIVES,
        probes::PRIMITIVES,
        changes::PRIMITIVES,
        files::PRIMITIVES,
        reboot::PRIMITIVES,
        secrets::PRIMITIVES,
        logs::PRIMITIVES,
        waits::PRIMITIVES,
        people::PRIMITIVES,
        values::PRIMITIVES,
    ]
    .into_iter()
    .flatten()
}

/// Whether what the primitive gives is looked up in the inventory by a name.
pub(crate) fn reads_inventory(name: &str) -> bool {
    inventory::PRIMITIVES.iter().chain(secrets::PRIMITIVES).any(|primitive| primitive.doc.name == name)
}

/// The module that gives them to an engine. Built once, shared by all runs.
pub(crate) fn module() -> Shared<Module> {
    let mut module = Module::new();
    for primitive in all() {
        for arity in primitive.doc.arities() {
            register(&mut module, primitive, arity);
        }
    }
    inventory::handles(&mut module);
    values::refusals(&mut module);
    secrets::refusals(&mut module);
    comparisons::refuse_unlike(&mut module);
    module.into()
}

/// Arguments come in as they are, whatever their type: what is wrong with them is said by [`Call`], in its own words.
fn register(module: &mut Module, primitive: &'static Primitive, arity: usize) {
    type D = Dynamic;
    let run = move |context: NativeCallContext<'_>, args: Vec<D>| {
        let call = Call::begin(&context, &primitive.doc, args)?;
        (primitive.body)(&call)
    };
    let name = FuncRegistration::new(primitive.doc.name);
    match arity {
        0 => name.set_into_module(module, move |c: NativeCallContext<'_>| run(c, vec![])),
        1 => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D| run(c, vec![a])),
        2 => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D| run(c, vec![a, b])),
        3 => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D, d: D| run(c, vec![a, b, d])),
        4 => name
            .set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D, d: D, e: D| run(c, vec![a, b, d, e])),
        _ => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D, d: D, e: D, f: D| {
            run(c, vec![a, b, d, e, f])
        }),
    };
}
