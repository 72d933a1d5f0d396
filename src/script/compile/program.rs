//! A runbook made ready: parsed once, its modules loaded once, run thousands of times. It evaluates no runbook, and
//! must not know any primitive.

use super::footprints::Footprints;
use super::params::{self, ParamDecl};
use super::reached::Reached;
use super::script_engine::{Library, build_engine};
use super::sources::{self, Sources};
use super::tree::CLOSURE;
use super::{diagnostic, tree};
use crate::engine;
use crate::error::{Place, Result, Snippet};
use crate::model::value::Fields;
use rhai::{AST, Engine, Module, Position, Scope, Shared};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A parsed file.
pub(crate) struct Unit {
    /// The file's name for people.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    /// Its syntax tree.
    pub(crate) ast: AST,
    /// The functions it calls, by the position of the call.
    calls: BTreeMap<Position, String>,
    /// Whether a loop in it works on `this`.
    pub(in crate::script) this_in_loops: bool,
}

/// A runbook made ready to run.
pub struct Program {
    /// The runbook.
    pub(crate) main: Unit,
    /// Its modules by name.
    pub(crate) modules: BTreeMap<String, Unit>,
    runbook: String,
    library: Library,
    language: Shared<Module>,
    vocabulary: Shared<Module>,
    params: Vec<ParamDecl>,
    /// Where each closure is written, by the name Rhai gives it.
    closures: BTreeMap<String, Home>,
    /// What its engines come to, if anybody wants to know. Only a program that lies where it stays has them.
    footprints: OnceCell<Rc<Footprints>>,
}

/// Where a closure is written: its file, and the functions of that file.
pub(crate) struct Home {
    /// The file's name for people.
    pub(crate) file: String,
    /// The file's functions, closures among them.
    pub(crate) functions: Shared<Module>,
    /// Which of the variables it captures belong to a `for`, by their order.
    pub(crate) rounds: BTreeSet<usize>,
}

impl Program {
    /// The names of its modules.
    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// Parses the runbook and loads its modules; `vocabulary` is what they can call beside the language.
    ///
    /// # Errors
    /// `Script`, with the line, for whatever is wrong with a text.
    pub fn compile(sources: &Sources, vocabulary: Shared<Module>) -> Result<Rc<Self>> {
        Self::load(sources, vocabulary).map(Rc::new).map_err(|error| diagnostic::finish(error, &sources.runbook))
    }

    fn load(sources: &Sources, vocabulary: Shared<Module>) -> Result<Self> {
        let language = engine::standard_package();
        let library = Library::default();
        let engine = build_engine(&language, &vocabulary, &library);
        let mut modules = BTreeMap::new();
        let main = parse(&engine, sources::runbook_file(&sources.runbook), sources.runbook_text())?;
        load_imports(&engine, sources, &main, &library, &mut modules)?;
        let params = params::declared(&main.ast, &main.file, &main.text)?;
        let closures = modules.values().chain([&main]).flat_map(closures_of).collect();
        let runbook = sources.runbook.clone();
        let footprints = OnceCell::new();
        Ok(Self { main, modules, runbook, library, language, vocabulary, params, closures, footprints })
    }

    /// The runbook's parameters, in the order they are declared.
    #[must_use]
    pub fn params(&self) -> &[ParamDecl] {
        &self.params
    }

    /// The parameters of a run: what was given (as text, from the command line) made to fit, and defaults.
    ///
    /// # Errors
    /// `Usage`: an unknown name, a missing value, or one of the wrong type.
    pub fn resolve_params(&self, given: &Fields) -> Result<Fields> {
        params::resolve(&self.params, given, &self.runbook)
    }

    /// What of the parameters that a run was begun with this program takes.
    #[must_use]
    pub fn kept_params(&self, recorded: &Fields) -> Fields {
        params::kept(&self.params, recorded)
    }

    /// The runbook's name.
    #[must_use]
    pub fn runbook(&self) -> &str {
        &self.runbook
    }

    /// Whether it does nothing at all: lines typed by hand have such a runbook.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.main.text.trim().is_empty()
    }

    /// What the runbook says of itself: its `//!` lines, without the marks.
    #[must_use]
    pub fn about(&self) -> String {
        let lines = self.main.ast.doc().lines().map(|line| line.trim_start_matches("//!").trim().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Where a closure is written.
    pub(crate) fn home_of(&self, closure: &str) -> Option<&Home> {
        self.closures.get(closure)
    }

    /// The file a call stands in. Rhai says `source`, which is wrong where a closure is called by another file.
    pub(crate) fn file_of_call<'s>(&'s self, source: &'s str, name: &str, position: Position) -> &'s str {
        let has_call = |unit: &&Unit| unit.calls.get(&position).is_some_and(|called| called == name);
        let is_typed = !self.units().any(|unit| unit.file == source);
        if is_typed || self.units().any(|unit| unit.file == source && has_call(&unit)) {
            return source;
        }
        self.units().find(has_call).map_or(source, |unit| &unit.file)
    }

    /// Where a function is called, in the order of the files.
    pub(crate) fn calls_of(&self, name: &str) -> Vec<Place> {
        let in_unit = |unit: &Unit| {
            let calls = unit.calls.iter().filter(|(_, called)| *called == name);
            calls.filter_map(|(position, _)| diagnostic::place(&unit.file, *position)).collect::<Vec<_>>()
        };
        self.units().flat_map(in_unit).collect()
    }

    /// The source line at a place.
    pub(crate) fn snippet(&self, place: &Place) -> Option<Snippet> {
        let text = self.units().find(|unit| unit.file == place.file).map(|unit| unit.text.as_str())?;
        diagnostic::snippet(text, place)
    }

    /// The runbook and its modules.
    pub(crate) fn units(&self) -> impl Iterator<Item = &Unit> {
        std::iter::once(&self.main).chain(self.modules.values())
    }

    /// From here on its engines keep what they come to. Costs a look at every node.
    pub fn keep_footprints(self: &Rc<Self>) {
        let files = self.units().map(|unit| (unit.file.as_str(), &unit.ast));
        self.footprints.get_or_init(|| Rc::new(Footprints::of(files)));
    }

    /// What all its engines have come to since it keeps that; nothing before.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.footprints.get().map(|footprints| footprints.reached()).unwrap_or_default()
    }

    /// What keeps what its engines come to, for whoever else looks on at an engine: there is one place for both.
    pub(crate) fn footprints(&self) -> Option<&Rc<Footprints>> {
        self.footprints.get()
    }

    /// An engine that knows everything a script of this program can call.
    pub(crate) fn engine(&self) -> Engine {
        let mut engine = build_engine(&self.language, &self.vocabulary, &self.library);
        if let Some(footprints) = self.footprints() {
            footprints.watch(&mut engine);
        }
        engine
    }
}

fn parse(engine: &Engine, file: String, text: &str) -> Result<Unit> {
    let mut ast = engine.compile(text).map_err(|error| diagnostic::syntax(&error, &file, text))?;
    ast.set_source(file.as_str());
    let mut calls = BTreeMap::new();
    ast.walk(&mut |path| {
        if let Some(site) = path.last().and_then(tree::call_site) {
            calls.insert(site.position, site.name.to_owned());
        }
        true
    });
    let this_in_loops = tree::this_in_loops(&ast);
    Ok(Unit { file, text: text.to_owned(), ast, calls, this_in_loops })
}

/// Loads what a file imports, before the file itself: modules are evaluated once, here.
fn load_imports(
    engine: &Engine,
    sources: &Sources,
    unit: &Unit,
    library: &Library,
    modules: &mut BTreeMap<String, Unit>,
) -> Result<()> {
    for name in tree::imports(&unit.ast).into_iter().filter_map(|import| import.name) {
        if modules.contains_key(&name) {
            continue;
        }
        let Some(text) = sources.module_text(&name) else { continue };
        let module = parse(engine, sources::module_file(&name), text)?;
        load_imports(engine, sources, &module, library, modules)?;
        let loaded = Module::eval_ast_as_new(Scope::new(), &module.ast, engine)
            .map_err(|error| diagnostic::of_file(&error, &module.file, &module.text))?;
        library.add(&name, loaded);
        modules.insert(name, module);
    }
    Ok(())
}

fn closures_of(unit: &Unit) -> impl Iterator<Item = (String, Home)> {
    let closures = unit.ast.iter_functions().filter(|function| function.name.starts_with(CLOSURE));
    let rounds = tree::captured_in_rounds(&unit.ast);
    closures.map(move |function| {
        let (file, functions) = (unit.file.clone(), Shared::clone(unit.ast.shared_lib()));
        let rounds = rounds.get(function.name).cloned().unwrap_or_default();
        (function.name.to_owned(), Home { file, functions, rounds })
    })
}
