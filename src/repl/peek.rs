//! A door through which an expression is looked at: readings are asked of their hosts, and nothing of it is recorded.
//! Nothing else passes.

use crate::dispatch::{Body, Dispatcher, Door, Halt, Halted, StepEntry};
use crate::error::Place;
use crate::exec::read_again;
use crate::journal::happened::Happened;
use crate::model::run::effect::{Action, Effect, Outcome};
use crate::model::run::mark::Mark;
use crate::model::run::record::{EffectId, StepId, TrackId};
use crate::world::Stopped;
use std::rc::Rc;

/// Lets readings through, and ends whatever wants more.
pub(super) struct Peek(pub(super) Rc<Dispatcher>);

impl Door for Peek {
    fn perform(&self, effect: Effect, _: Option<Place>) -> Result<(EffectId, Outcome), Halted> {
        if !matches!(effect.action, Action::Probe(_)) {
            return Err(Halted);
        }
        let read = read_again(self.0.link(), &effect).map_err(|Stopped| Halted)?;
        let outcome = read.map_or_else(Outcome::Failed, Outcome::done);
        Ok((EffectId { track: TrackId::main(), n: 0 }, outcome))
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

    fn fork(&self, _: Vec<Body>) -> Result<(), Halted> {
        Err(Halted)
    }

    fn look(&self, _: &EffectId) -> Result<Happened, Halted> {
        Err(Halted)
    }

    fn word_on(&self, _: &EffectId, _: &str) -> Result<bool, Halted> {
        Err(Halted)
    }

    fn aside(&self, _: TrackId, _: Body) -> Result<(), Halted> {
        Err(Halted)
    }

    fn run(&self) -> &str {
        self.0.run()
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
        self.0.is_halted()
    }

    fn halt_reason(&self) -> Option<Halt> {
        None
    }
}
