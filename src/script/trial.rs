//! Trying a call whose arguments are written out, before anything runs: whatever the primitive itself would say is
//! wrong with them is found by the very code that would say it. The door it meets lets nothing through; a trial must
//! never reach a world, and what is not written out it must not guess.

use crate::error::Error;
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::context::{Run, ScriptTrack};
use crate::script::program::{self, Program};
use crate::script::sealed::Sealed;
use rhai::{AST, Dynamic, FnPtr};
use std::rc::Rc;

/// Stands for an argument whose value only the run will tell. A primitive that reads it cannot be judged any further.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unwritten;

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
    let Ok(function) = FnPtr::new(name) else { return Tried::Open };
    let run = Run::new(Rc::new(Sealed), Rc::clone(inventory), Fields::new(), Rc::clone(program));
    let track = ScriptTrack::new(&run);
    let engine = program::ready(program.engine(), &track, false);
    let given = function.call::<Dynamic>(&engine, &AST::empty(), args);
    if let Some(error) = run.bug.take() {
        return Tried::Refused(error);
    }
    match given {
        Ok(value) if !track.is_over() && !value.is_unit() => Tried::Gives(value),
        Ok(_) | Err(_) => Tried::Open,
    }
}
