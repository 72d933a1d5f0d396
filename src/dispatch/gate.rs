//! Gates: who may let a run wait, leave something out or stop it, before a step or an effect. Stepwise execution, the
//! REPL, `--until` and the drift check at guards are gates. A gate performs nothing and writes nothing.

use super::Halt;
use crate::error::Place;
use crate::model::run::effect::Effect;
use crate::model::run::record::{EffectId, ScriptPoint, TrackId, Who};
use crate::world::{Link, Stopped};

/// A step that is about to begin for the first time, or anew; or that has just ended.
#[derive(Debug, Clone, Copy)]
pub struct StepAhead<'a> {
    /// The track it stands on.
    pub track: &'a TrackId,
    /// Its number.
    pub number: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its place in the runbook.
    pub place: Option<&'a Place>,
}

/// An effect that is about to be asked for. What a former runner began is not shown: it is under way.
#[derive(Debug, Clone, Copy)]
pub struct EffectAhead<'a> {
    /// Its position.
    pub id: &'a EffectId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The number of the innermost step; empty outside steps.
    pub step: &'a str,
    /// The name of that step.
    pub step_name: &'a str,
    /// What is asked.
    pub effect: &'a Effect,
    /// Its place in the runbook.
    pub place: Option<&'a Place>,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq)]
pub enum GateDecision {
    /// Go on.
    Go,
    /// Leave it out. Every skip has a reason and a person.
    Skip {
        /// The reason the person gave.
        reason: String,
        /// The person who has it left out.
        by: Who,
    },
    /// Stop the run here.
    Stop(Box<Halt>),
}

/// Someone who is asked before a run goes on. Straight-line code on the track that asks: it may use the link.
pub trait Gate {
    /// Before a step begins.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    fn before_step(&self, link: &dyn Link, step: &StepAhead<'_>) -> Result<GateDecision, Stopped>;

    /// Before an effect's intent is written.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    fn before_effect(&self, link: &dyn Link, ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped>;

    /// The script has come to `point`, on record or not. Who kept something for this place
    /// may bring it back now.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    fn arrived(&self, _point: &ScriptPoint) -> Result<(), Stopped> {
        Ok(())
    }

    /// After a step has ended well. It cannot be left out any more: only [`GateDecision::Stop`] counts.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    fn after_step(&self, _link: &dyn Link, _step: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        Ok(GateDecision::Go)
    }

    /// How a run with this gate departs from its runbook, for the record; nothing when it does not by itself.
    fn departure(&self) -> Option<String> {
        None
    }
}
