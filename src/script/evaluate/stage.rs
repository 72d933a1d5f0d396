//! A program on its stage: all that it needs to be evaluated, from the first line to the last thing it owes. It must
//! not know any primitive. A run costs an engine of a few microseconds; all that belongs to it hangs on the engine's
//! tag.

use super::frames::Frames;
use super::obligations;
use super::script_end::{ScriptEnd, ended};
use crate::dispatch::Door;
use crate::error::Result;
use crate::holdings::{self, EvaluationWatch, Excess, Pulse};
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::calls::context::{Fallible, Obligation, OnHold, Run, ScriptTrack};
use crate::script::calls::failure::Bug;
use crate::script::compile::program::Program;
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use std::cell::RefCell;
use std::rc::Rc;

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
            // It failed like any guard, but for that nothing could catch it.
            if let Some(error) = stage.main.run.door.breach() {
                end = ScriptEnd::Failed { error, effect: None, beside: Vec::new(), guard: true, owed: Vec::new() };
            }
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
            frames.watch(&mut engine, program.footprints());
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
        let door = &self.main.run.door;
        // Whoever says that it is done has looked. A run that was handed over is a person's, with all that holds there.
        if held.is_none() && door.look_at_invariants().is_err() {
            return Err(ScriptEnd::Halted);
        }
        door.go_home();
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
    holdings::watch(&mut engine, EvaluationWatch { whose, raise: exceeded, this_in_loops, closures_hold: true, stop });
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
