//! A runbook made ready: parsed once, its modules loaded once, run thousands of times. A run costs an engine of a few
//! microseconds; all that belongs to it hangs on the engine's tag. It must not know any primitive.

use crate::dispatch::Door;
use crate::engine::{self, Limits};
use crate::error::{Error, Place, Result, Snippet};
use crate::holdings::{self, EvaluationWatch, Excess, Pulse};
use crate::model::run::record::EffectId;
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::context::{Fallible, Obligation, OnHold, Run, ScriptTrack};
use crate::script::failure::{self, Bug};
use crate::script::frames::Frames;
use crate::script::params::{self, ParamDecl};
use crate::script::primitives;
use crate::script::sources::{self, Sources};
use crate::script::{diagnostic, obligations, tree};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How a script came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum ScriptEnd {
    /// It came to the end of the runbook, and what it owed is done.
    Done,
    /// It gave the decision to a person, and what it owed is done.
    Held {
        /// Why.
        reason: String,
        /// What they are to do; may be empty.
        instructions: String,
    },
    /// Something failed and nothing caught it.
    Failed {
        /// What.
        error: Box<Error>,
        /// The effect, if it was one.
        effect: Option<EffectId>,
        /// The effects at which tracks beside it had failed, itself among them, when it happened in a `parallel`.
        beside: Vec<EffectId>,
        /// Whether it was a guard that did not hold.
        guard: bool,
        /// The names of what `ensure` owes and nobody did, newest first: the order in which it is done.
        owed: Vec<String>,
    },
    /// The script is wrong.
    Bug(Box<Error>),
    /// The door was shut: the reason is [`Door::halt_reason`].
    Halted,
}

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
    this_in_loops: bool,
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
    primitives: Shared<Module>,
    params: Vec<ParamDecl>,
    /// Where each closure is written, by the name Rhai gives it.
    closures: BTreeMap<String, Home>,
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

/// The loaded modules. What is not in here cannot be imported.
#[derive(Clone, Default)]
struct Library(Rc<RefCell<BTreeMap<String, Shared<Module>>>>);

impl ModuleResolver for Library {
    fn resolve(&self, _: &Engine, _: Option<&str>, name: &str, position: Position) -> Fallible<Shared<Module>> {
        let module = self.0.borrow().get(name).cloned();
        module.ok_or_else(|| Box::new(EvalAltResult::ErrorModuleNotFound(name.to_owned(), position)))
    }
}

impl Program {
    /// The names of its modules.
    pub fn module_names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// Parses the runbook and loads its modules.
    ///
    /// # Errors
    /// `Script`, with the line, for whatever is wrong with a text.
    pub fn compile(sources: &Sources) -> Result<Rc<Self>> {
        Self::load(sources).map(Rc::new).map_err(|error| diagnostic::finish(error, &sources.runbook))
    }

    fn load(sources: &Sources) -> Result<Self> {
        let (language, primitives) = (engine::standard_package(), primitives::module());
        let library = Library::default();
        let engine = build_engine(&language, &primitives, &library);
        let mut modules = BTreeMap::new();
        let main = parse(&engine, sources::runbook_file(&sources.runbook), sources.runbook_text())?;
        load_imports(&engine, sources, &main, &library, &mut modules)?;
        let params = params::declared(&main.ast, &main.file, &main.text)?;
        let closures = modules.values().chain([&main]).flat_map(closures_of).collect();
        let runbook = sources.runbook.clone();
        Ok(Self { main, modules, runbook, library, language, primitives, params, closures })
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

    /// An engine that knows everything a script of this program can call.
    pub(crate) fn engine(&self) -> Engine {
        build_engine(&self.language, &self.primitives, &self.library)
    }
}

/// Runs a program to its end. Belongs on a stack of at least [`engine::STACK_BYTES`]; returns early with `Halted` as
/// soon as the door is shut.
#[must_use]
pub fn run(program: &Rc<Program>, door: Rc<dyn Door>, inventory: Rc<Inventory>, params: Fields) -> ScriptEnd {
    run_watched(program, door, inventory, params, None)
}

/// The same, with somebody who wants to look at its variables.
#[must_use]
pub fn run_watched(
    program: &Rc<Program>,
    door: Rc<dyn Door>,
    inventory: Rc<Inventory>,
    params: Fields,
    frames: Option<&Frames>,
) -> ScriptEnd {
    match Stage::set(program, door, inventory, params, frames) {
        Ok(stage) => {
            let mut end = stage.play();
            let left = std::mem::take(&mut *stage.main.obligations.borrow_mut());
            if let ScriptEnd::Failed { owed, .. } = &mut end {
                owed.extend(left.into_iter().rev().map(|obligation| obligation.name));
            }
            end
        }
        Err(error) => ScriptEnd::Bug(error),
    }
}

/// A program with all it needs to be evaluated. As long as it stands, closures of the script can be called.
pub(super) struct Stage {
    /// The main track.
    pub(super) main: Rc<ScriptTrack>,
    /// What evaluates it.
    pub(super) engine: Rc<Engine>,
    /// What was owed and begun to be done, in that order.
    pub(super) met: RefCell<Vec<Obligation>>,
}

impl Stage {
    /// A stage on which nothing was evaluated yet.
    ///
    /// # Errors
    /// `Usage` when the parameters do not fit.
    pub(super) fn set(
        program: &Rc<Program>,
        door: Rc<dyn Door>,
        inventory: Rc<Inventory>,
        params: Fields,
        frames: Option<&Frames>,
    ) -> Result<Self> {
        let params = program.resolve_params(&params)?;
        let run = Run::new(door, inventory, params, Rc::clone(program));
        let main = ScriptTrack::new(&run);
        let mut engine = run.program.engine();
        if let Some(frames) = frames {
            frames.watch(&mut engine);
        }
        let this_in_loops = run.program.units().any(|unit| unit.this_in_loops);
        let engine = ready(engine, &main, this_in_loops);
        Ok(Self { main, engine, met: RefCell::default() })
    }

    /// Evaluates the runbook, then does what is owed.
    pub(super) fn play(&self) -> ScriptEnd {
        let result = self.engine.run_ast(&self.main.run.program.main.ast);
        self.finish(result).unwrap_or_else(|end| end)
    }

    /// Does what is owed after the script has ended, newest first.
    fn finish(&self, result: Fallible<()>) -> std::result::Result<ScriptEnd, ScriptEnd> {
        let mut held = ended(&self.main, result)?;
        loop {
            let Some(obligation) = self.main.obligations.borrow_mut().pop() else { break };
            self.met.borrow_mut().push(obligation.clone());
            let held_again = obligations::meet(&obligation, &self.engine, &self.main)?;
            held = held.or(held_again);
        }
        Ok(match held {
            Some(OnHold { reason, instructions }) => ScriptEnd::Held { reason, instructions },
            None => ScriptEnd::Done,
        })
    }
}

/// An engine by which calls find their track, and which stops when the run is over.
pub(crate) fn ready(mut engine: Engine, main: &Rc<ScriptTrack>, this_in_loops: bool) -> Rc<Engine> {
    engine.set_default_tag(main.tag());
    let run = Rc::clone(&main.run);
    let stop = Box::new(move |pulse| {
        match pulse {
            Pulse::Beat => {}
            Pulse::Breath => run.door.breathe(),
            Pulse::Over(excess) => run.exceeded(excess),
        }
        run.is_over()
    });
    let whose = |tag: &Dynamic| tag.read_lock::<Rc<ScriptTrack>>().map(|track| Rc::clone(&track.holdings));
    holdings::watch(&mut engine, EvaluationWatch { whose, raise: exceeded, this_in_loops, stop });
    let engine = Rc::new(engine);
    let _set_once = main.run.engine.set(Rc::downgrade(&engine));
    engine
}

fn exceeded(tag: &Dynamic, excess: Excess) -> Box<EvalAltResult> {
    if let Some(track) = tag.read_lock::<Rc<ScriptTrack>>() {
        track.run.exceeded(excess);
    }
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Bug), Position::NONE))
}

/// What a part of the script came to: flags decide, as array callbacks can swallow what was raised.
pub(super) fn ended(main: &ScriptTrack, result: Fallible<()>) -> std::result::Result<Option<OnHold>, ScriptEnd> {
    let run = &main.run;
    if run.door.is_halted() || main.left.get() {
        return Err(ScriptEnd::Halted);
    }
    let bug = run.bug.borrow_mut().take();
    if let Some(mut error) = bug {
        if let Err(raised) = &result {
            error.trace = diagnostic::trace(&run.program.main.file, raised);
            if error.place.is_none() {
                let (file, inner) = diagnostic::innermost(&run.program.main.file, raised);
                error.place = diagnostic::place(&file, inner.position());
                error.snippet = error.place.as_ref().and_then(|place| run.program.snippet(place)).map(Box::new);
            }
        }
        return Err(ScriptEnd::Bug(error));
    }
    if let Some(held) = main.held.take() {
        return Ok(Some(held));
    }
    match result {
        Ok(()) => Ok(None),
        Err(raised) => Err(failed(run, &raised)),
    }
}

fn failed(run: &Run, raised: &EvalAltResult) -> ScriptEnd {
    let program = &run.program;
    let (file, inner) = diagnostic::innermost(&program.main.file, raised);
    let EvalAltResult::ErrorRuntime(thrown, position) = inner else {
        return ScriptEnd::Bug(diagnostic::runtime(program, raised));
    };
    if thrown.is::<Bug>() {
        return ScriptEnd::Halted;
    }
    let uncaught = failure::uncaught(thrown);
    let mut error = uncaught.error;
    error.place = match uncaught.place {
        Some((file, line, column)) => Some(Place { file, line, column }),
        None => diagnostic::place(&file, *position),
    };
    error.snippet = error.place.as_ref().and_then(|place| program.snippet(place)).map(Box::new);
    error.trace = diagnostic::trace(&program.main.file, raised);
    let mut beside = run.failed_beside.borrow().clone();
    if uncaught.effect.as_ref().is_none_or(|effect| !beside.contains(effect)) {
        beside.clear();
    }
    ScriptEnd::Failed { error, effect: uncaught.effect, beside, guard: uncaught.guard, owed: Vec::new() }
}

fn build_engine(language: &Shared<Module>, primitives: &Shared<Module>, library: &Library) -> Engine {
    let mut engine = engine::sandbox(Limits::RUNBOOK, Shared::clone(language));
    engine.register_global_module(Shared::clone(primitives));
    engine.set_module_resolver(library.clone());
    // Else Rhai compares values of different kinds by itself, and finds them unequal.
    engine.set_fast_operators(false);
    // A misspelled key would read as `()` and decide.
    engine.set_fail_on_invalid_map_property(true);
    engine
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
        library.0.borrow_mut().insert(name.clone(), loaded.into());
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

/// What the names of closures begin with.
pub(crate) const CLOSURE: &str = "anon$";

/// An engine that only reads texts: which functions there are makes no difference to that.
pub(crate) fn parser() -> Engine {
    build_engine(&Shared::default(), &Shared::default(), &Library::default())
}

/// An engine with everything but a program's own modules.
pub(crate) fn bare_engine() -> Engine {
    build_engine(&engine::standard_package(), &primitives::module(), &Library::default())
}
