//! Where a run that is steered is to stop, and what is shown there. It stops nothing itself.

use super::stop::{Target, breaks_at_effect, breaks_at_step};
use crate::dispatch::{EffectAhead, StepAhead};
use std::cell::RefCell;

/// How far the run was told to go, what breaks in before that, and what is watched.
pub(super) struct StopRules {
    aim: RefCell<Target>,
    breaks: RefCell<Vec<String>>,
    watches: RefCell<Vec<String>>,
}

impl StopRules {
    /// At the next step; nothing else breaks in, nothing is watched.
    pub(super) fn new() -> Self {
        Self { aim: RefCell::new(Target::Step(None)), breaks: RefCell::default(), watches: RefCell::default() }
    }

    /// Lets the run go this far.
    pub(super) fn aim_at(&self, target: Target) {
        self.aim.replace(target);
    }

    /// Whether the run stops before this step.
    pub(super) fn stop_at_step(&self, ahead: &StepAhead<'_>) -> bool {
        let breaks = || self.breaks.borrow().iter().any(|word| breaks_at_step(word, ahead));
        ahead.track.is_scripts() && (self.aim.borrow().is_step(ahead) || breaks())
    }

    /// Whether the run stops before this effect.
    pub(super) fn stop_at_effect(&self, ahead: &EffectAhead<'_>) -> bool {
        let breaks = || self.breaks.borrow().iter().any(|word| breaks_at_effect(word, ahead));
        ahead.id.track.is_scripts() && (self.aim.borrow().is_effect(ahead) || breaks())
    }

    /// The run stops wherever this is ahead, from now on.
    pub(super) fn break_at(&self, word: String) {
        self.breaks.borrow_mut().push(word);
    }

    /// What breaks in.
    pub(super) fn breakpoints(&self) -> Vec<String> {
        self.breaks.borrow().clone()
    }

    /// This is shown at each stop, from now on.
    pub(super) fn watch(&self, expression: String) {
        self.watches.borrow_mut().push(expression);
    }

    /// What is shown at each stop.
    pub(super) fn watched(&self) -> Vec<String> {
        self.watches.borrow().clone()
    }

    /// The same for an edited runbook, which goes this far first.
    pub(super) fn kept_for(&self, aim: Target) -> Self {
        Self { aim: RefCell::new(aim), breaks: self.breaks.clone(), watches: self.watches.clone() }
    }
}
