//! Stopping when a step has ended: the gate of `--until`. It leaves nothing out and asks nobody.

use crate::dispatch::Halt;
use crate::dispatch::gate::{EffectAhead, Gate, GateDecision, StepAhead};
use crate::error::{Error, Kind};
use crate::model::run::record::Ending;
use crate::model::run::step_name::StepName;
use crate::world::{Link, Stopped};
use std::cell::Cell;

/// Stops a run when a step of its script has ended.
pub struct UntilStep {
    run: String,
    step: StepName,
    reached: Cell<bool>,
}

impl UntilStep {
    /// Stops `run` when this step has ended.
    #[must_use]
    pub fn new(run: String, step: StepName) -> Self {
        Self { run, step, reached: Cell::new(false) }
    }

    /// Whether the step has ended.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.reached.get()
    }
}

impl Gate for UntilStep {
    fn before_step(&self, _link: &dyn Link, _step: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        Ok(GateDecision::Go)
    }

    fn before_effect(&self, _link: &dyn Link, _ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped> {
        Ok(GateDecision::Go)
    }

    fn after_step(&self, _link: &dyn Link, step: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        let (there, missed) = (self.step.fits(step.number, step.name), self.step.is_part_of(step.number));
        if !step.track.is_scripts() || !(there || missed) {
            return Ok(GateDecision::Go);
        }
        self.reached.set(true);
        let why = if missed { format!(": it came to no {}", self.step) } else { ", as asked".to_owned() };
        let message = format!("stopped after step {} `{}`{why}", step.number, step.name);
        let error = Error::new(Kind::Suspended, message).hint(format!("baton resume {}", self.run));
        Ok(GateDecision::Stop(Box::new(Halt { ending: Ending::Suspended, error, effect: None })))
    }
}
