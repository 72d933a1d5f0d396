//! A door that leads nowhere: behind it a script can compute, and ask nothing of anybody.

use crate::dispatch::{Body, Door, Halt, Halted, StepEntry};
use crate::error::Place;
use crate::journal::happened::Happened;
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::mark::Mark;
use crate::model::run::record::{EffectId, StepId, TrackId};

/// Ends every track that wants something of the world.
#[derive(Debug, Default)]
pub(crate) struct Sealed;

impl Door for Sealed {
    fn perform(&self, _: Effect, _: Option<Place>) -> Result<(EffectId, Outcome), Halted> {
        Err(Halted)
    }

    fn step_begin(&self, _: &str, _: Option<Place>, _: bool) -> Result<StepEntry, Halted> {
        Err(Halted)
    }

    fn step_end(&self, _: Option<String>) -> Result<(), Halted> {
        Err(Halted)
    }

    fn step_id(&self) -> StepId {
        StepId { track: TrackId::main(), number: String::new() }
    }

    fn step_number(&self) -> String {
        String::new()
    }

    fn fork(&self, _: Vec<Body>) -> Result<(), Halted> {
        Err(Halted)
    }

    fn aside(&self, _: TrackId, _: Body) -> Result<(), Halted> {
        Err(Halted)
    }

    fn look(&self, _: &EffectId) -> Result<Happened, Halted> {
        Err(Halted)
    }

    fn word_on(&self, _: &EffectId, _: &str) -> Result<bool, Halted> {
        Err(Halted)
    }

    fn run(&self) -> &str {
        ""
    }

    fn guarded(&self, _: &str) {}

    fn mark_of(&self, _: &str) -> Option<Mark> {
        None
    }

    fn gate_name(&self, form: &str, _: Option<&str>) -> String {
        form.to_owned()
    }

    fn halt(&self, _: Halt) -> Halted {
        Halted
    }

    fn is_halted(&self) -> bool {
        false
    }

    fn halt_reason(&self) -> Option<Halt> {
        None
    }
}
