//! Parallel work: one track an item. Tracks share nothing: what a body captures is copied in, results are handed back
//! in the order of the items. Who runs when is the scheduler's business, behind the door.

use crate::dispatch::{Body, Halted};
use crate::model::run::record::EffectId;
use crate::script::calls::call::Call;
use crate::script::calls::calling;
use crate::script::calls::closure::{Closure, isolate};
use crate::script::calls::context::{Fallible, ScriptTrack, terminated};
use crate::script::calls::failure;
use rhai::{Array, Dynamic, FnPtr};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// How deep parallel work may be nested: whoever waits for others keeps a stack of its own.
const NESTING_MAX: usize = 6;

/// Where a track leaves its result.
pub(super) type ResultSlot = Rc<RefCell<Option<Fallible<Dynamic>>>>;

/// A track that has ended, and its result.
pub(super) type EndedTrack = (Rc<ScriptTrack>, ResultSlot);

/// `parallel(items, |item| …)`.
pub(super) fn parallel(call: &Call<'_>) -> Fallible<Dynamic> {
    let children = run_tracks(call, call.list(0)?, &call.closure(1)?)?;
    gather(call, call.track()?, children)
}

/// Calls `body` for every item, each on a track of its own, and waits for all.
pub(super) fn run_tracks(call: &Call<'_>, items: Array, body: &FnPtr) -> Fallible<Vec<EndedTrack>> {
    let track = call.track()?;
    let Some(engine) = track.run.engine.get().and_then(Weak::upgrade) else { return Err(terminated(call.position())) };
    let within = track.run.door.step_id();
    if within.track.depth() >= NESTING_MAX {
        let message = format!("parallel work is nested more than {NESTING_MAX} deep here");
        return Err(call.bug(format!("{message}: have one list of all its items worked off instead")));
    }
    let mut children: Vec<EndedTrack> = Vec::new();
    let mut bodies: Vec<Body> = Vec::new();
    for mut item in items {
        isolate(&mut item);
        let (child, slot) = (ScriptTrack::new(&track.run), ResultSlot::default());
        children.push((Rc::clone(&child), Rc::clone(&slot)));
        let (body, engine) = (Closure::isolated(call.context, body), Rc::clone(&engine));
        let within = within.clone();
        bodies.push(Box::new(move || {
            let own = child.run.door.step_id().track;
            child.run.undos.borrow_mut().forks.insert(own, within);
            let result = calling::call(&body, &engine, &child, vec![item]);
            child.holdings.ended();
            slot.replace(Some(result));
        }));
    }
    track.run.door.fork(bodies).map_err(|Halted| track.leave(call.position()))?;
    if track.is_over() {
        return Err(terminated(call.position()));
    }
    for (child, _) in &children {
        track.obligations.borrow_mut().append(&mut child.obligations.borrow_mut());
    }
    // Effects are off and the record of a track is at its end: whoever waits for that track is there as well.
    if children.iter().any(|(child, _)| child.left.get()) {
        return Err(track.leave(call.position()));
    }
    Ok(children)
}

/// The results in the order of the items. A failure comes before a hold: what failed can be tried again, and the
/// track that was held then holds again.
fn gather(call: &Call<'_>, track: &ScriptTrack, children: Vec<EndedTrack>) -> Fallible<Dynamic> {
    let mut results = Array::new();
    let mut held = None;
    let failures = children.iter().filter(|(child, _)| child.held.borrow().is_none());
    let failures = failures.filter_map(|(_, slot)| failure::effect_of(slot.borrow().as_ref()?.as_ref().err()?));
    let failures: Vec<EffectId> = failures.collect();
    if !failures.is_empty() {
        track.run.failed_beside.replace(failures);
    }
    for (child, slot) in children {
        let of_child = child.held.take();
        let was_held = of_child.is_some();
        held = held.or(of_child);
        match slot.take() {
            Some(Ok(value)) => results.push(value.flatten()),
            Some(Err(_)) | None if was_held => {}
            Some(Err(error)) => return Err(error),
            None => return Err(terminated(call.position())),
        }
    }
    if held.is_some() {
        track.held.replace(held);
        return Err(terminated(call.position()));
    }
    Ok(results.into())
}
