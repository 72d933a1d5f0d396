//! The door: the one way from a script to the world. Replay, gate, journal, perform, journal, event;
//! and the scheduler of tracks. It knows no Rhai, no SSH and no terminal.

mod core;
mod dispatcher;
mod drift;
mod gate;
mod gatekeeper;
mod guards;
mod invariants;
mod leases;
mod places;
mod reconcile;
mod recorder;
mod replay;
mod replayer;
mod scheduler;
mod setup;
mod stepwise;
mod switch;
mod track;
mod tracks;
mod until;
mod words;
mod written_effect;

pub use dispatcher::Dispatcher;
pub use drift::DriftCheck;
pub use gate::{EffectAhead, Gate, GateDecision, StepAhead};
pub use invariants::{Breach, InvariantReading, RunInvariant};
pub use leases::{hosts_changed, obstacle, runner};
pub use setup::Setup;
pub use stepwise::Stepwise;
pub use until::UntilStep;

use crate::error::{Error, Place};
use crate::journal::happened::Happened;
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::mark::Mark;
use crate::model::run::record::{EffectId, Ending, StepId, TrackId};

/// The script of this track is over: every primitive must return at once. Not catchable. Either the whole run is
/// halted, or ([`Door::is_halted`] says no) this track has come to the end of what is on record while effects are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halted;

/// Why a run is over before the script came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// How the run ends or stops.
    pub ending: Ending,
    /// What to tell.
    pub error: Box<Error>,
    /// The effect it happened at, if any.
    pub effect: Option<EffectId>,
}

/// A body of one track, to be run once as straight-line code.
pub type Body = Box<dyn FnOnce()>;

/// What became of a step that was to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEntry {
    /// Its body is to be carried out, then [`Door::step_end`] called.
    Enter,
    /// It is left out: neither its body nor its end.
    Skip,
}

/// What a script can do. Every method acts for the track that is running.
pub trait Door {
    /// Performs an effect, or hands back its recorded outcome. Returns its id for error maps.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here; the reason is kept in [`Door::halt_reason`].
    fn perform(&self, effect: Effect, place: Option<Place>) -> Result<(EffectId, Outcome), Halted>;
    /// Begins a named step inside the current one. `undoes` is said of a part of a way back that undoes what steps of
    /// the script have done.
    ///
    /// # Errors
    /// [`Halted`] as above.
    fn step_begin(&self, name: &str, place: Option<Place>, undoes: bool) -> Result<StepEntry, Halted>;
    /// Ends the innermost step; `failed` says what went wrong.
    ///
    /// # Errors
    /// [`Halted`] as above.
    fn step_end(&self, failed: Option<String>) -> Result<(), Halted>;
    /// The innermost step of the running track.
    fn step_id(&self) -> StepId;
    /// The number of the innermost step, such as `3.1`; empty outside steps.
    fn step_number(&self) -> String {
        self.step_id().number
    }
    /// Runs each body on a track of its own and returns when all have ended.
    ///
    /// # Errors
    /// [`Halted`] as above.
    fn fork(&self, bodies: Vec<Body>) -> Result<(), Halted>;
    /// Finds out what became of a change that was asked for before, and starts nothing. Stops the run when it cannot
    /// be found out.
    ///
    /// # Errors
    /// [`Halted`] as above.
    fn look(&self, id: &EffectId) -> Result<Happened, Halted>;
    /// Whether a change happened, of which nobody can tell for this reason: what a person said. Stops the run in doubt
    /// until they do.
    ///
    /// # Errors
    /// [`Halted`] as above.
    fn word_on(&self, id: &EffectId, reason: &str) -> Result<bool, Halted>;
    /// Runs `body` on a side track of this name, which no replay of the script asks for again, and waits for its end.
    ///
    /// # Errors
    /// [`Halted`] as above.
    fn aside(&self, track: TrackId, body: Body) -> Result<(), Halted>;
    /// The run, as `baton runs` lists it.
    fn run(&self) -> &str;
    /// From now on this must hold, until the run is over.
    fn invariant(&self, _: RunInvariant) {}
    /// Looks whether everything holds that must.
    ///
    /// # Errors
    /// [`Halted`] when something does not that stops the run.
    fn look_at_invariants(&self) -> Result<(), Halted> {
        Ok(())
    }
    /// From here on things are put back: what must hold and does not already stops none of it.
    fn go_home(&self) {}
    /// What the run was stopped for that must hold and does not.
    fn breach(&self) -> Option<Box<Error>> {
        None
    }
    /// A guard held that says this: before the first change after a resume, what it was decided by is looked at again.
    fn guarded(&self, message: &str);
    /// Where the service's log stands for this track: the mark of the last outcome that had one.
    fn mark_of(&self, service: &str) -> Option<Mark>;
    /// A name for the next question of the run on this track: its `own`, or one such as `confirm-2`. No name is given
    /// twice on a track; the second to ask for `own` gets `own-2`.
    fn gate_name(&self, form: &str, own: Option<&str>) -> String;
    /// Stops the run for this reason, if it is not stopped already.
    fn halt(&self, halt: Halt) -> Halted;
    /// The script computes, and asks for nothing: stops the run if somebody wants it stopped meanwhile.
    fn breathe(&self) {}
    /// Whether the run is stopped: the sticky flag that primitives and the engine's progress hook read.
    fn is_halted(&self) -> bool;
    /// Why the run is stopped.
    fn halt_reason(&self) -> Option<Halt>;
}
