//! Lines typed by hand: evaluated one at a time, with variables and functions that stay from line to line. It writes
//! and prints nothing; what a line does goes through the door like everything else.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::dispatch::Door;
use crate::error::{Error, Kind, Place};
use crate::model::run::record::{EffectId, TrackId};
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::calls::context::{Fallible, Run, ScriptTrack};
use crate::script::calls::failure;
use crate::script::compile::program::Program;
use crate::script::compile::script_engine::parser;
use crate::script::compile::{diagnostic, tree};
use crate::script::evaluate::frames::{Frames, Variable, in_order};
use crate::script::evaluate::runtime_error;
use crate::script::evaluate::sealed::Sealed;
use crate::script::evaluate::stage::ready;
use crate::script::values::literals;
use rhai::{AST, Dynamic, EvalAltResult, LexError, ParseError, ParseErrorType, Scope};
use std::cell::RefCell;
use std::rc::Rc;

/// What a line came to.
#[derive(Debug, Clone, PartialEq)]
pub enum LineEnd {
    /// Its value as it would be written in a script; empty when it has none. Foreign text may be in it.
    Value(String),
    /// It failed, or is wrong.
    Failed {
        /// The failure or the bug, with its place in the line.
        error: Box<Error>,
        /// The effect, if it was one.
        effect: Option<EffectId>,
    },
    /// What is on record of it ends in its midst.
    CutOff,
    /// The door was shut.
    Halted,
}

/// The lines typed in one session and what they left behind.
pub struct Notebook {
    program: Rc<Program>,
    inventory: Rc<Inventory>,
    params: Fields,
    frames: Frames,
    variables: RefCell<Vec<Variable>>,
    functions: RefCell<AST>,
}

impl Notebook {
    /// An empty one, for a run of `program`; `frames` has what the runbook has in sight.
    #[must_use]
    pub fn new(program: Rc<Program>, inventory: Rc<Inventory>, params: Fields, frames: Frames) -> Self {
        let (variables, functions) = (RefCell::default(), RefCell::new(AST::empty()));
        Self { program, inventory, params, frames, variables, functions }
    }

    /// Evaluates line `n` while the script stands on `track`.
    pub fn evaluate(&self, n: u32, text: &str, track: &TrackId, door: Rc<dyn Door>) -> LineEnd {
        let around = self.frames.of(track);
        let mut scope = self.scope(&around);
        let end = self.carry_out(&file_of(n), text, &mut scope, &around, door);
        let mut kept: Vec<Variable> = Vec::new();
        for (name, value) in in_order(&scope).into_iter().skip(around.len()) {
            kept.retain(|(known, _)| *known != name);
            kept.push((name, value));
        }
        self.variables.replace(kept);
        end
    }

    /// The value of an expression, without asking anything of any host.
    ///
    /// # Errors
    /// `Script` when it is wrong or wants to ask a host.
    pub fn look(&self, text: &str, track: &TrackId) -> Result<String, Box<Error>> {
        self.look_through(Rc::new(Sealed), text, track)
    }

    /// The same with a door of the caller's: it says what may be asked.
    ///
    /// # Errors
    /// `Script` when it is wrong or wants more than that.
    pub fn look_through(&self, door: Rc<dyn Door>, text: &str, track: &TrackId) -> Result<String, Box<Error>> {
        let around = self.frames.of(track);
        let mut scope = self.scope(&around);
        match self.carry_out("expression", text, &mut scope, &around, door) {
            LineEnd::Value(value) => Ok(value),
            LineEnd::Failed { error, .. } => Err(error),
            LineEnd::CutOff | LineEnd::Halted => {
                Err(Error::new(Kind::Script, "to look at variables nothing is asked of a host")
                    .hint("type the expression as a line of its own: then it is asked, and recorded"))
            }
        }
    }

    /// The variables of the runbook that are in sight of a track, with their values as they would be written.
    #[must_use]
    pub fn runbooks_variables(&self, track: &TrackId) -> Vec<(String, String)> {
        written(&self.frames.of(track))
    }

    /// The variables of typed lines, likewise.
    #[must_use]
    pub fn own_variables(&self) -> Vec<(String, String)> {
        written(&self.variables.borrow())
    }

    /// Forgets what the lines left behind, before they are evaluated anew.
    pub fn forget(&self) {
        self.variables.borrow_mut().clear();
        self.functions.replace(AST::empty());
    }

    /// What the runbook has cannot be changed from here: a later replay would not know of it.
    fn scope(&self, around: &[Variable]) -> Scope<'static> {
        let mut scope = Scope::new();
        for (name, value) in around {
            scope.push_constant_dynamic(name.as_str(), value.clone());
        }
        for (name, value) in self.variables.borrow().iter() {
            scope.push_dynamic(name.as_str(), value.clone());
        }
        scope
    }

    fn carry_out(
        &self,
        file: &str,
        text: &str,
        scope: &mut Scope<'static>,
        around: &[Variable],
        door: Rc<dyn Door>,
    ) -> LineEnd {
        let (inventory, program) = (Rc::clone(&self.inventory), Rc::clone(&self.program));
        let run = Run::new(door, inventory, self.params.clone(), program);
        let main = ScriptTrack::new(&run);
        let engine = self.program.engine();
        let typed = match engine.compile_with_scope(scope, text) {
            Ok(typed) => typed,
            Err(error) => return wrong(diagnostic::syntax(&error, file, text)),
        };
        let mut ast = self.functions.borrow().merge(&typed);
        ast.set_source(file);
        self.functions.replace(ast.clone_functions_only());
        let engine = ready(engine, &main, tree::this_in_loops(&ast));
        let result = engine.eval_ast_with_scope::<Dynamic>(scope, &ast);
        end_of(&main, result, &EvaluatedLine { file, text, around })
    }
}

fn written(variables: &[Variable]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| (name.clone(), literals::written(value))).collect()
}

/// A line that was evaluated.
struct EvaluatedLine<'a> {
    file: &'a str,
    text: &'a str,
    around: &'a [Variable],
}

impl EvaluatedLine<'_> {
    /// The error with the line under it, if it happened there.
    fn pointed(&self, mut error: Box<Error>, place: Option<Place>) -> Box<Error> {
        if let Some(place) = place.filter(|place| place.file == self.file) {
            error.snippet = diagnostic::snippet(self.text, &place).map(Box::new);
            error.place = Some(place);
        }
        error
    }
}

/// What a line came to: flags decide, as array callbacks can swallow what was raised.
fn end_of(main: &ScriptTrack, result: Fallible<Dynamic>, typed: &EvaluatedLine<'_>) -> LineEnd {
    let run = &main.run;
    if run.door.is_halted() {
        return LineEnd::Halted;
    }
    if main.left.get() {
        return LineEnd::CutOff;
    }
    let bug = run.bug.borrow_mut().take();
    if let Some(error) = bug {
        let raised = result.as_ref().err().map(|raised| diagnostic::innermost(typed.file, raised));
        let raised = raised.and_then(|(file, inner)| diagnostic::place(&file, inner.position()));
        let place = error.place.clone().or(raised);
        return wrong(typed.pointed(error, place));
    }
    if let Some(held) = main.held.take() {
        return wrong(Error::new(Kind::Failed, format!("held: {}", held.reason)));
    }
    let owed = std::mem::take(&mut *main.obligations.borrow_mut());
    if let Some(owed) = owed.first() {
        return wrong(
            Error::new(Kind::Script, format!("`ensure` owes `{}` at the end of a runbook; a line has none", owed.name))
                .hint("type what is to be done at the end when it is time for it"),
        );
    }
    match result {
        Ok(value) if value.is_unit() => LineEnd::Value(String::new()),
        Ok(value) => LineEnd::Value(literals::written(&value.flatten())),
        Err(raised) => raised_in(run, &raised, typed),
    }
}

fn raised_in(run: &Run, raised: &EvalAltResult, typed: &EvaluatedLine<'_>) -> LineEnd {
    let (file, inner) = diagnostic::innermost(typed.file, raised);
    let place = diagnostic::place(&file, inner.position());
    match inner {
        EvalAltResult::ErrorRuntime(thrown, _) => {
            let uncaught = failure::uncaught(thrown);
            let place = uncaught.place.map(|(file, line, column)| Place { file, line, column }).or(place);
            LineEnd::Failed { error: typed.pointed(uncaught.error, place), effect: uncaught.effect }
        }
        EvalAltResult::ErrorAssignmentToConstant(name, _) if typed.around.iter().any(|(known, _)| known == name) => {
            let error = Error::new(Kind::Script, format!("`{name}` is a variable of the runbook and stays as it is"))
                .hint(format!("take a copy of your own: `let my_{name} = {name};`"))
                .hint("to change what the runbook does: :edit");
            wrong(typed.pointed(error, place))
        }
        _ => {
            let mut error = runtime_error::of(&run.program, raised);
            if file == typed.file {
                error.place = None;
                error.snippet = None;
            }
            wrong(typed.pointed(error, place))
        }
    }
}

fn wrong(error: Box<Error>) -> LineEnd {
    LineEnd::Failed { error, effect: None }
}

/// What a typed line is called in messages.
fn file_of(n: u32) -> String {
    format!("line {n}")
}

/// Whether a text stops in the midst of something, so that more is to be typed. An empty line ends it all the same.
#[must_use]
pub fn is_incomplete(text: &str) -> bool {
    let asked_for_more = text.trim_start().starts_with(':') || text.ends_with("\n\n") || text.trim().is_empty();
    if asked_for_more {
        return false;
    }
    let mut engine = parser();
    engine.set_strict_variables(false);
    let Err(error) = engine.compile(text) else { return false };
    let is_open =
        |error: &ParseError| matches!(error.err_type(), ParseErrorType::BadInput(LexError::UnterminatedString));
    if is_open(&error) {
        // A text in plain quotes ends on its line: nothing that could follow would end it.
        return engine.compile(format!("{text}`")).err().is_none_or(|error| !is_open(&error));
    }
    let end = text.trim_end();
    let last_line = end.matches('\n').count() + 1;
    let last_column = end.rsplit('\n').next().unwrap_or_default().chars().count();
    match (error.position().line(), error.position().position()) {
        (Some(line), column) => line > last_line || (line == last_line && column.unwrap_or(0) > last_column),
        (None, _) => true,
    }
}

/// The lines of a value that is a text, from the way it would be written.
#[must_use]
pub fn lines_of(value: &str) -> Option<Vec<String>> {
    literals::lines_of(value)
}

/// Whether a text can be read as a script.
#[must_use]
pub fn can_be_read(text: &str) -> bool {
    parser().compile(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_incomplete;

    #[test]
    fn what_stops_in_the_midst_wants_more() {
        for text in
            ["shutdown(", "let x = #{ a: 1,", "note(`abc", "if true {", "[1, 2", "fn f() { 1", "step(\"a\", || {"]
        {
            assert!(is_incomplete(text), "{text}");
        }
        for text in [
            "x",
            "let x = 1",
            "f()",
            "f())",
            "let = 1",
            "\"abc",
            "note(\"abc",
            ":until \"",
            "",
            "shutdown(\n\n",
            "let x = 1;\nx",
        ] {
            assert!(!is_incomplete(text), "{text}");
        }
    }
}
