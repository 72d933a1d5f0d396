//! The variables of a runbook that stands still: who steers a run wants to see them. They are copied whenever the
//! script calls something of ours, so that whatever is looked at is as it was there. It must not change any.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::model::run::record::TrackId;
use crate::script::calls::closure::isolate;
use crate::script::calls::context::ScriptTrack;
use crate::script::compile::footprints::Footprints;
use crate::script::compile::tree;
use crate::script::primitives;
use rhai::debugger::DebuggerCommand;
use rhai::{Dynamic, Engine, EvalContext, Scope};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A variable and its value.
pub(crate) type Variable = (String, Dynamic);

/// The variables in sight where each track last called something. Clones share them.
#[derive(Clone, Default)]
pub struct Frames(Rc<RefCell<BTreeMap<TrackId, Vec<Frame>>>>);

/// The variables of one function that is being carried out.
struct Frame {
    /// How deep in calls.
    level: usize,
    variables: Vec<Variable>,
}

impl Frames {
    /// Keeps what scripts of this engine have in sight. Costs a look at every node, so only where somebody steers.
    /// An engine has one place for somebody who looks on: what keeps footprints there goes on doing so from here.
    #[allow(deprecated, reason = "marked as open to change, not as bad; Rhai's version is pinned")]
    pub(crate) fn watch(&self, engine: &mut Engine, footprints: Option<&Rc<Footprints>>) {
        let (frames, footprints) = (self.clone(), footprints.cloned());
        engine.register_debugger(
            |_, debugger| debugger,
            move |context, _, node, _, _| {
                if let Some(footprints) = &footprints {
                    footprints.tread(&node);
                }
                if tree::call_site(&node).is_some_and(|site| primitives::find(site.name).is_some()) {
                    frames.keep(&context);
                }
                Ok(DebuggerCommand::StepInto)
            },
        );
    }

    fn keep(&self, context: &EvalContext<'_, '_, '_, '_, '_, '_>) {
        let track = context.tag().read_lock::<Rc<ScriptTrack>>().map(|track| track.run.door.step_id().track);
        let Some(track) = track else { return };
        let level = context.call_level();
        let frame = Frame { level, variables: copied(context.scope()) };
        let mut all = self.0.borrow_mut();
        let frames = all.entry(track).or_default();
        frames.retain(|frame| frame.level < level);
        frames.push(frame);
    }

    /// What is in sight of a track, outermost first; of two of the same name the inner one.
    pub(crate) fn of(&self, track: &TrackId) -> Vec<Variable> {
        let all = self.0.borrow();
        let mut seen: Vec<Variable> = Vec::new();
        let ancestors = all.iter().filter(|(id, _)| track.is_within(id));
        for (name, value) in ancestors.flat_map(|(_, frames)| frames).flat_map(|frame| &frame.variables) {
            seen.retain(|(known, _)| known != name);
            seen.push((name.clone(), value.clone()));
        }
        seen
    }

    /// Forgets all, before the script is carried out anew.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// The variables of a scope, sharing nothing with it.
fn copied(scope: &Scope<'_>) -> Vec<Variable> {
    let mut variables = in_order(scope);
    for (_, value) in &mut variables {
        *value = value.flatten_clone();
        isolate(value);
    }
    variables
}

/// The variables of a scope, oldest first: Rhai tells them the other way round.
pub(crate) fn in_order(scope: &Scope<'_>) -> Vec<Variable> {
    let all = scope.iter_raw().map(|(name, _, value)| (name.to_owned(), value.clone()));
    let mut all: Vec<Variable> = all.collect();
    all.reverse();
    all
}
