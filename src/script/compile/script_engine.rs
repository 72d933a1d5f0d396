//! The engine that texts are read with and evaluated by: the sandbox, what scripts can call, the modules that are
//! loaded. It must not know what the functions do that it is given.

use crate::engine::{self, Limits};
use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Shared};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The loaded modules. What is not in here cannot be imported.
#[derive(Clone, Default)]
pub(crate) struct Library(Rc<RefCell<BTreeMap<String, Shared<Module>>>>);

impl Library {
    /// Adds a module; it can be imported from here on.
    pub(super) fn add(&self, name: &str, module: Module) {
        self.0.borrow_mut().insert(name.to_owned(), module.into());
    }
}

impl ModuleResolver for Library {
    fn resolve(
        &self,
        _: &Engine,
        _: Option<&str>,
        name: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let module = self.0.borrow().get(name).cloned();
        module.ok_or_else(|| Box::new(EvalAltResult::ErrorModuleNotFound(name.to_owned(), position)))
    }
}

/// An engine of this language, with these functions and modules.
pub(super) fn build_engine(language: &Shared<Module>, vocabulary: &Shared<Module>, library: &Library) -> Engine {
    let mut engine = engine::sandbox(Limits::RUNBOOK, Shared::clone(language));
    engine.register_global_module(Shared::clone(vocabulary));
    engine.set_module_resolver(library.clone());
    // Else Rhai compares values of different kinds by itself, and finds them unequal.
    engine.set_fast_operators(false);
    // A misspelled key would read as `()` and decide.
    engine.set_fail_on_invalid_map_property(true);
    engine
}

/// An engine that only reads texts: which functions there are makes no difference to that.
pub(crate) fn parser() -> Engine {
    build_engine(&Shared::default(), &Shared::default(), &Library::default())
}

/// An engine with everything but a program's own modules.
pub(crate) fn bare_engine(vocabulary: &Shared<Module>) -> Engine {
    build_engine(&engine::standard_package(), vocabulary, &Library::default())
}
