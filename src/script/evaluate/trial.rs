//! Trying a call whose arguments are written out, before anything runs: whatever the primitive itself would say is
//! wrong with them is found by the very code that would say it. The door it meets lets nothing through; a trial must
//! never reach a world, and what is not written out it must not guess.

use crate::error::Error;
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::calls::context::{Fallible, Run, ScriptTrack};
use crate::script::compile::program::Program;
use crate::script::evaluate::sealed::Sealed;
use crate::script::evaluate::stage;
use rhai::{AST, Dynamic, Engine, FnPtr, Scope};
use std::rc::Rc;

/// What came of a trial.
pub(crate) enum Tried {
    /// The call is certain to be refused: why, without a place.
    Refused(Box<Error>),
    /// It gives this value, whatever the world is like.
    Gives(Dynamic),
    /// Nobody can tell before it runs.
    Open,
}

/// Tries the primitive `name` with these arguments; [`Unwritten`] stands for those nobody knows yet.
pub(crate) fn tried(program: &Rc<Program>, inventory: &Rc<Inventory>, name: &str, args: Vec<Dynamic>) -> Tried {
    let run = Run::new(Rc::new(Sealed), Rc::clone(inventory), Fields::new(), Rc::clone(program));
    let track = ScriptTrack::new(&run);
    let engine = stage::ready(program.engine(), &track, false);
    let given = match FnPtr::new(name) {
        Ok(function) => function.call::<Dynamic>(&engine, &AST::empty(), args),
        // A word of the language that is a primitive as well can only be called by its name.
        Err(_) => by_name(&engine, name, args),
    };
    if let Some(error) = run.bug.take() {
        return Tried::Refused(error);
    }
    match given {
        Ok(value) if !track.is_over() && !value.is_unit() => Tried::Gives(value),
        Ok(_) | Err(_) => Tried::Open,
    }
}

fn by_name(engine: &Engine, name: &str, args: Vec<Dynamic>) -> Fallible<Dynamic> {
    let (mut scope, mut names) = (Scope::new(), Vec::new());
    for (index, value) in args.into_iter().enumerate() {
        scope.push_dynamic(format!("arg{index}"), value);
        names.push(format!("arg{index}"));
    }
    engine.eval_with_scope(&mut scope, &format!("{name}({})", names.join(", ")))
}
