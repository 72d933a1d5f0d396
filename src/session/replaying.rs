//! The script, run through a door that is open: forwards from its beginning, and back from where its record ends. With
//! effects off that tells where the run stands. It writes no records and says nothing of how a run ended.

use super::texts::Prepared;
use crate::dispatch::{Dispatcher, Door};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::rollback_plan;
use crate::model::run::record::{RollbackScope, TrackId};
use crate::model::value::Fields;
use crate::script::evaluate::rollback::{ReplayedScript, RollbackTask};
use crate::script::evaluate::script_end::ScriptEnd;
use crate::script::evaluate::stage;
use std::cell::RefCell;
use std::rc::Rc;

/// Runs the script on the main track.
pub(super) fn perform(prepared: &Prepared, door: &Rc<Dispatcher>, params: Fields) -> ScriptEnd {
    let end = Rc::new(RefCell::new(ScriptEnd::Halted));
    let (program, inventory) = (Rc::clone(&prepared.program), Rc::clone(&prepared.inventory));
    let (slot, script_door) = (Rc::clone(&end), Rc::clone(door) as Rc<dyn Door>);
    let lines_door = Rc::clone(door);
    door.drive(Box::new(move || {
        // What was typed in the REPL and is under way comes to its end before anything is done beside it.
        if lines_door.settle_typed().is_ok() {
            slot.replace(stage::run(&program, script_door, inventory, params));
        }
    }));
    end.replace(ScriptEnd::Halted)
}

/// Replays the script with effects off.
pub(super) fn stand(prepared: &Prepared, door: &Rc<Dispatcher>, params: Fields) -> Result<ReplayedScript> {
    let slot: Rc<RefCell<Option<Result<ReplayedScript>>>> = Rc::default();
    let (program, inventory) = (Rc::clone(&prepared.program), Rc::clone(&prepared.inventory));
    let (result, script_door) = (Rc::clone(&slot), Rc::clone(door) as Rc<dyn Door>);
    door.set_replay_only(true);
    door.drive(Box::new(move || {
        result.replace(Some(ReplayedScript::replay(&program, script_door, inventory, params)));
    }));
    door.set_replay_only(false);
    if let Some(halt) = door.halt_reason() {
        return Err(halt.error);
    }
    slot.take().unwrap_or_else(|| Err(Error::new(Kind::Internal, "the script was not replayed")))
}

/// Goes the way back that is under way once more with effects off, up to where its record ends.
///
/// # Errors
/// What the replay of the script finds wrong. What that of the way back does is the door's to tell, or `ScriptEnd`'s.
pub(super) fn retrace(prepared: &Prepared, door: &Rc<Dispatcher>, params: Fields) -> Result<ScriptEnd> {
    let standing = Rc::new(stand(prepared, door, params)?);
    let Some(way) = door.history().way_back().cloned() else { return Ok(ScriptEnd::Halted) };
    let errand = errand(door.history(), &way)?;
    door.set_replay_only(true);
    Ok(walk(door, &standing, errand))
}

/// Goes back on the track of the present way back.
pub(super) fn walk(door: &Rc<Dispatcher>, standing: &Rc<ReplayedScript>, errand: RollbackTask) -> ScriptEnd {
    let track = TrackId::rollback(door.history().rollbacks());
    let gives_up = door.history().way_back() == Some(&RollbackScope::Abort);
    let end = Rc::new(RefCell::new(ScriptEnd::Halted));
    let (inner, standing, slot) = (Rc::clone(door), Rc::clone(standing), Rc::clone(&end));
    door.drive(Box::new(move || {
        let at_door = Rc::clone(&inner);
        let body = move || {
            // What is under way comes to its end before anything is done beside it.
            let settled = if gives_up { at_door.settle_all() } else { at_door.settle_typed() };
            if settled.is_ok() {
                slot.replace(standing.go(at_door.history(), errand));
            }
        };
        // A halt is kept by the door.
        let _halted = inner.aside(track, Box::new(body));
    }));
    end.replace(ScriptEnd::Halted)
}

/// What is to be done on this way.
pub(super) fn errand(history: &History, way: &RollbackScope) -> Result<RollbackTask> {
    Ok(RollbackTask { undo_since: rollback_plan::since(history, way)?, owed: !matches!(way, RollbackScope::To(_)) })
}
