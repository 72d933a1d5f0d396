//! The vocabulary of runbooks. Each file holds one theme: a table of [`Primitive`]s, each a function beside what is
//! said about it. A primitive performs nothing itself, and no other may know what a script is evaluated for.
//!
//! - [`flow`]: parameters, steps, obligations, guards, holds · [`parallel`], [`rolling`]: tracks
//! - [`invariants`]: what must hold all the time
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
mod invariants;
mod inventory;
mod logs;
mod parallel;
mod people;
mod primitive;
mod probes;
mod reboot;
mod results;
mod rolling;
mod secrets;
mod table;
mod values;
mod waits;

pub(crate) use flow::end_step;
pub(crate) use people::word as answer_word;
pub(crate) use probes::{in_order, labelled};
pub(crate) use results::of_probe;

use crate::engine;
use crate::script::calls::doc::VerbDoc;
use crate::script::values::sort::Sort;
use primitive::{Primitive, register};
use rhai::{Module, Shared};

/// All of them, by theme.
fn all() -> impl Iterator<Item = &'static Primitive> {
    [
        flow::PRIMITIVES,
        invariants::PRIMITIVES,
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
pub(crate) fn vocabulary() -> Shared<Module> {
    let mut module = engine::module();
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

/// Every primitive, by theme, in the order a reader would learn them.
#[must_use]
pub fn docs() -> Vec<&'static VerbDoc> {
    all().map(|primitive| &primitive.doc).collect()
}

/// The primitive called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static VerbDoc> {
    all().map(|primitive| &primitive.doc).find(|doc| doc.name == name)
}

/// Of which kind what a primitive or a function of the language gives is, where it is always of one.
pub(crate) fn of_verb(name: &str) -> Option<Sort> {
    find(name).and_then(|doc| doc.gives).or_else(|| results::of_language(name))
}
