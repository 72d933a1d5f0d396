//! The record that is replayed: what is on it, how much of it the script has come to, and whether effects are off, so
//! that every track ends where its record does. It judges by [`replay`] and writes nothing.

use super::core::RunCore;
use super::replay::{self, ReplayDecision};
use crate::error::Error;
use crate::journal::adopting::Met;
use crate::journal::history::{History, Past, StepPast, StepPhase};
use crate::model::run::effect::Effect;
use crate::model::run::record::{EffectId, TrackId};
use std::cell::{Cell, RefCell};

/// What is on record of a run, and how far a replay has come.
pub(super) struct Replayer {
    /// What was recorded before this runner, and what it opened the run with.
    pub(super) history: History,
    replayed: Cell<usize>,
    /// Effects are off.
    only: Cell<bool>,
    /// What was met while effects were off.
    met: RefCell<Met>,
}

impl Replayer {
    /// At the beginning of this record.
    pub(super) fn new(history: History) -> Self {
        Self { history, replayed: Cell::default(), only: Cell::default(), met: RefCell::default() }
    }

    /// Turns effects off, or on again.
    pub(super) fn set_only(&self, only: bool) {
        self.only.set(only);
    }

    /// Whether the track that is running ends where its record does.
    pub(super) fn is_only(&self, core: &RunCore) -> bool {
        self.only.get() || core.track(|track| track.replay_only)
    }

    /// What was come to on record while effects were off.
    pub(super) fn met(&self) -> Met {
        self.met.borrow().clone()
    }

    /// What the record says of an effect that it knows, asked for in this step. It is counted as come to.
    pub(super) fn judge(&self, run: &str, past: &Past<'_>, effect: &Effect, step: &str) -> ReplayDecision {
        let decision = replay::verdict(run, &past.id, past, effect, step);
        let counts = past.id.track.is_scripts() && !past.gives_way;
        self.replayed.set(self.replayed.get() + usize::from(counts));
        let otherwise = matches!(&decision, ReplayDecision::Live(course) if course.is_otherwise());
        if self.only.get() && !otherwise {
            self.met.borrow_mut().effects.insert(past.id.clone());
        }
        decision
    }

    /// Counts a step that is begun again.
    pub(super) fn meet_step(&self, track: TrackId, number: String) {
        if self.only.get() {
            self.met.borrow_mut().steps.insert((track, number));
        }
    }

    /// Whether a step that failed before is entered again because something in it is tried again.
    pub(super) fn begins_again(&self, track: &TrackId, number: &str) -> bool {
        let failed = |step: &StepPast| matches!(step.phase, StepPhase::Ended { failed: Some(_) });
        self.history.step(track, number).is_some_and(failed) && self.history.retries_in(track, number)
    }

    /// The digest under which an effect is on record, if it is.
    pub(super) fn digest_of(&self, id: &EffectId) -> Option<String> {
        self.history.recorded(id).map(|past| past.digest.to_owned())
    }

    /// What was recorded but not asked for again, when the script has come to its end: it has changed, or something it
    /// depends on has.
    ///
    /// # Errors
    /// `Refused` naming the counts.
    pub(super) fn check_exhausted(&self) -> Result<(), Box<Error>> {
        let (replayed, recorded) = (self.replayed.get(), self.history.effects());
        if replayed >= recorded { Ok(()) } else { Err(replay::left_over(replayed, recorded)) }
    }
}
