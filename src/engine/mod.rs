//! A sandboxed Rhai engine: chosen packages, every limit set, no optimiser, nothing that sleeps, tells the
//! time or evaluates text. It must not register primitives; runbooks and models add their own natives.
//!
//! One [`standard_package`] is built at the start and shared; with it an engine costs well under a microsecond,
//! so every simulated run has an engine of its own.

// Here the seed of hashes is set before anything is hashed; elsewhere that could be forgotten.
#![allow(clippy::disallowed_methods)]

mod lists;

use crate::holdings::{self, EvaluationWatch, Excess};
use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, BitFieldPackage, CorePackage, LogicPackage,
    MoreStringPackage, Package,
};
use rhai::{
    Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, ImmutableString, Module, OptimizationLevel, Shared, Token,
    def_package,
};

/// How deep script functions may call each other. Holds on stacks of [`STACK_BYTES`]: a Rhai stack overflow is an
/// abort of the process, not an error, so whoever makes stacks for scripts makes them at least that large.
pub const CALL_LEVELS_MAX: usize = 48;

/// The least stack, in bytes, on which a script may run.
///
/// Values hold each other as deep as [`holdings`](crate::holdings) finds too deep only after some operations, and a
/// function of 48 levels may stand in an expression of 64 at each. Only what is used of a stack takes memory.
pub const STACK_BYTES: usize = 32 << 20;

/// A function that comes with Rhai's debugger and looks at the engine itself: no script may call it.
pub const BACK_TRACE: &str = "back_trace";

/// What a script may use before it is stopped as runaway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Elementary operations in one evaluation.
    pub operations: u64,
    /// Modules it may import.
    pub modules: usize,
    /// Functions it may define.
    pub functions: usize,
    /// Variables alive at once.
    pub variables: usize,
    /// Bytes in one text.
    pub string_bytes: usize,
    /// Items in one array.
    pub array_items: usize,
    /// Entries in one map.
    pub map_entries: usize,
}

impl Limits {
    /// For runbooks: long campaigns over many services.
    pub const RUNBOOK: Self = Self {
        operations: 50_000_000,
        modules: 200,
        functions: 2_000,
        variables: 2_000,
        string_bytes: 1 << 20,
        array_items: 100_000,
        map_entries: 100_000,
    };
    /// For one call of a product's model, which only ever answers one request.
    pub const MODEL: Self = Self { operations: 2_000_000, modules: 0, ..Self::RUNBOOK };
}

/// A sandboxed engine with the functions of `package` and nothing else. The caller adds natives, a module
/// resolver, and an `on_progress` hook by which a run can be stopped.
#[must_use]
pub fn sandbox(limits: Limits, package: Shared<Module>) -> Engine {
    fix_hashing();
    let mut engine = Engine::new_raw();
    engine
        .register_global_module(package)
        // The optimiser would call natives at compile time and remove code that diagnostics point at.
        .set_optimization_level(OptimizationLevel::None)
        .set_strict_variables(true)
        .disable_symbol("eval")
        .set_max_call_levels(CALL_LEVELS_MAX)
        .set_max_expr_depths(64, 64)
        .set_max_operations(limits.operations)
        .set_max_modules(limits.modules)
        .set_max_functions(limits.functions)
        .set_max_variables(limits.variables)
        .set_max_string_size(limits.string_bytes)
        .set_max_array_size(limits.array_items)
        .set_max_map_size(limits.map_entries);
    free_our_words(&mut engine);
    watch(&mut engine, true);
    engine
}

/// No closure that this engine evaluates holds anything, captured or curried: what its texts hold is measured less
/// often.
pub fn expect_bare_closures(engine: &mut Engine) {
    watch(engine, false);
}

fn watch(engine: &mut Engine, closures_hold: bool) {
    let raise = |_: &Dynamic, excess: Excess| -> Box<EvalAltResult> { excess.to_string().into() };
    let stop = Box::new(|_| false);
    holdings::watch(engine, EvaluationWatch { whose: |_| None, raise, this_in_loops: true, closures_hold, stop });
}

/// Rhai keeps `var` and `default` for a future that may never come; scripts need them: `service.var("app")`,
/// `#{ default: false }`. And one of its words is none for scripts.
#[allow(deprecated, reason = "the hook is not deprecated, only marked as open to change; Rhai's version is pinned")]
fn free_our_words(engine: &mut Engine) {
    engine.on_parse_token(|token, _, _| {
        if let Token::Reserved(word) = &token
            && matches!(word.as_str(), "var" | "default")
        {
            return Token::Identifier(word.clone());
        }
        if let Token::Identifier(word) = &token
            && word.as_str() == BACK_TRACE
        {
            return Token::Reserved(word.clone());
        }
        token
    });
}

/// The functions of the language itself, built once and shared by all engines: arithmetic, logic, text, arrays,
/// maps. Without byte arrays and clocks; `sleep` with a number, which would stop the whole program, is refused.
#[must_use]
pub fn standard_package() -> Shared<Module> {
    // A module hashed before the seed is set would not be found by an engine made after it.
    fix_hashing();
    Language::new().as_shared_module()
}

/// An empty module, for functions of our own. The only way to get one: a module that is hashed before the seed is set
/// would not be found by an engine made after it.
#[must_use]
pub fn module() -> Module {
    fix_hashing();
    Module::new()
}

def_package! {
    /// The functions of the language itself.
    Language(module):
        CorePackage, LogicPackage, BasicMathPackage, BitFieldPackage, BasicArrayPackage, BasicMapPackage,
        MoreStringPackage
    {
        // Functions set by hand win over those a package brings along.
        module.set_native_fn("sleep", |_: i64| refuse_number_of_seconds());
        module.set_native_fn("sleep", |_: f64| refuse_number_of_seconds());
        // Rhai's own shows what a closure has captured, which may be itself.
        FuncRegistration::new("to_debug")
            .with_purity(true)
            .set_into_module(module, |closure: &mut FnPtr| ImmutableString::from(closure.to_string()));
        lists::set_into(module);
    }
}

fn refuse_number_of_seconds() -> Result<(), Box<EvalAltResult>> {
    Err("`sleep` wants a length of time with its unit; write for example `sleep(\"10s\")`".into())
}

/// Makes the names Rhai gives to closures the same in every process. Whatever makes an engine or a module here sets it
/// first; later calls change nothing. Nothing durable may depend on those names all the same.
pub fn fix_hashing() {
    let _already_set = rhai::config::hashing::set_hashing_seed(Some([0x6261_746f_6e00, 1, 2, 3]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_cannot_stall_the_program() {
        let engine = sandbox(Limits::MODEL, standard_package());
        for script in
            ["sleep(5)", "sleep(0.5)", "eval(\"1\")", "timestamp()", "back_trace()", "loop {}", "fn f() { f() } f()"]
        {
            assert!(engine.run(script).is_err(), "{script}");
        }
    }

    #[test]
    fn words_of_our_vocabulary_are_not_reserved() {
        let mut engine = sandbox(Limits::RUNBOOK, standard_package());
        engine.register_fn("var", |of: rhai::Map, name: &str| of.get(name).cloned().unwrap_or_default());
        assert_eq!(engine.eval::<i64>("#{ default: 5 }.var(\"default\")").unwrap(), 5);
    }

    #[test]
    fn the_language_itself_is_there() {
        let engine = sandbox(Limits::RUNBOOK, standard_package());
        let script =
            r#"let m = #{ a: [1, 2] }; m.a.map(|x| x + 1).len() == 2 && "ab".to_upper() == "AB" && max(1, 2) == 2"#;
        assert!(engine.eval::<bool>(script).unwrap());
    }
}
