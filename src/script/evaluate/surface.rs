//! Every function a script can see: the language's, ours, the program's own. Feeds messages, lint, and the test that
//! holds the whole list.

use crate::engine::BACK_TRACE;
use crate::script::compile::program::Program;
use crate::script::compile::script_engine;
use crate::script::compile::tree::CLOSURE;
use crate::script::primitives;
use rhai::{AST, Engine};
use std::collections::{BTreeMap, BTreeSet};

/// Functions by name, with the numbers of arguments they take.
#[derive(Clone)]
pub(crate) struct Functions {
    known: BTreeMap<String, BTreeSet<usize>>,
}

impl Functions {
    /// All that a program's runbook can call without a module's name before it.
    pub(crate) fn of(program: &Program) -> Self {
        let mut functions = Self::of_engine(&program.engine());
        functions.add(&program.main.ast);
        functions
    }

    /// All that an engine offers.
    pub(crate) fn of_engine(engine: &Engine) -> Self {
        let mut known: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let all = engine.collect_fn_metadata(
            None,
            |info| Some((info.metadata.name.to_string(), info.metadata.num_params)),
            true,
        );
        for (name, arity) in all.into_iter().filter(|(name, _)| name != BACK_TRACE) {
            known.entry(name).or_default().insert(arity);
        }
        // The language has these as keywords, not as functions.
        for (name, arities) in [
            ("Fn", 1..=1),
            ("call", 1..=20),
            ("curry", 2..=20),
            ("type_of", 1..=1),
            ("is_def_var", 1..=1),
            ("is_shared", 1..=1),
        ] {
            known.entry(name.to_owned()).or_default().extend(arities);
        }
        Self { known }
    }

    /// The functions of a file as well.
    pub(crate) fn add(&mut self, ast: &AST) {
        for function in ast.iter_functions().filter(|function| !function.name.starts_with(CLOSURE)) {
            self.known.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
    }

    /// Whether a call with so many arguments finds a function.
    pub(crate) fn knows(&self, name: &str, arity: usize) -> bool {
        self.known.get(name).is_some_and(|arities| arities.contains(&arity))
    }

    /// Names that can be typed: no operators, no getters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str).filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    }

    /// The message and the hint for a known function with a wrong number of arguments.
    pub(crate) fn wrong_arity(&self, name: &str, given: usize) -> Option<(String, String)> {
        let arities = self.known.get(name)?;
        let plural = if given == 1 { "" } else { "s" };
        let message = format!("`{name}` does not take {given} argument{plural}");
        let hint = match primitives::find(name) {
            Some(doc) => format!("call it as {}", doc.usage()),
            None => {
                let numbers: Vec<String> = arities.iter().map(ToString::to_string).collect();
                format!("it takes {}", numbers.join(" or "))
            }
        };
        Some((message, hint))
    }
}

/// Every function a script can see, a line each, sorted: what the test of the sandbox compares.
#[must_use]
pub fn listing() -> Vec<String> {
    let engine = script_engine::bare_engine(&primitives::vocabulary());
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for (name, arities) in Functions::of_engine(&engine).known {
        lines.extend(arities.into_iter().map(|arity| format!("{name}/{arity}")));
    }
    lines.into_iter().collect()
}
