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
    /// Those that a file has itself.
    own: BTreeMap<String, BTreeSet<usize>>,
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
        Self { known, own: BTreeMap::new() }
    }

    /// The functions of a file as well.
    pub(crate) fn add(&mut self, ast: &AST) {
        for function in ast.iter_functions().filter(|function| !function.name.starts_with(CLOSURE)) {
            self.own.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
    }

    /// Whether a call with so many arguments finds a function.
    pub(crate) fn knows(&self, name: &str, arity: usize) -> bool {
        let has = |of: &BTreeMap<String, BTreeSet<usize>>| of.get(name).is_some_and(|all| all.contains(&arity));
        has(&self.known) || has(&self.own)
    }

    /// Whether a call behind a dot with so many arguments finds one: the object is the first argument of a function of
    /// the language, and the `this` of one that a script has itself.
    pub(crate) fn knows_method(&self, name: &str, args: usize) -> bool {
        let has = |of: &BTreeMap<String, BTreeSet<usize>>, arity| of.get(name).is_some_and(|all| all.contains(&arity));
        has(&self.known, args + 1) || has(&self.own, args)
    }

    /// Whether only the file itself has a function of this name.
    fn is_own(&self, name: &str) -> bool {
        self.own.contains_key(name) && !self.known.contains_key(name)
    }

    /// Names that can be typed: no operators, no getters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.known.keys().chain(self.own.keys()).map(String::as_str);
        all.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    }

    /// The same for a call behind a dot.
    pub(crate) fn wrong_method(&self, name: &str, args: usize) -> Option<(String, String)> {
        if !self.is_own(name) {
            return self.wrong_arity(name, args + 1);
        }
        let (message, takes) = self.wrong_arity(name, args)?;
        let hint =
            format!("{takes}; what stands before the dot is its `this`: hand it over as an argument, `{name}(…)`");
        Some((format!("{message} behind a dot"), hint))
    }

    /// The message and the hint for a known function with a wrong number of arguments.
    pub(crate) fn wrong_arity(&self, name: &str, given: usize) -> Option<(String, String)> {
        let mut arities = self.known.get(name).cloned().unwrap_or_default();
        arities.extend(self.own.get(name).into_iter().flatten());
        if arities.is_empty() {
            return None;
        }
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
