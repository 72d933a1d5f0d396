//! Gates: who may let a run wait, leave something out or stop it, before a step or an effect. Stepwise execution, the
//! REPL, `--until` and the drift check at guards are gates. A gate performs nothing and writes nothing.

use crate::dispatch::dispatcher::Dispatcher;
use crate::dispatch::track::TrackWant;
use crate::dispatch::{Door, Halt, Halted};
use crate::error::Place;
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Fact, ScriptPoint, TrackId, Who};
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

impl Dispatcher {
    /// Tells the gates where one of the script's own tracks has come to.
    pub(super) fn arrive(&self, track: &TrackId, point: impl Fn() -> ScriptPoint) -> Result<(), Halted> {
        if self.gates.is_empty() || !track.is_scripts() {
            return Ok(());
        }
        self.gates.iter().try_for_each(|gate| gate.arrived(&point())).map_err(|Stopped| Halted)
    }

    /// Asks the gates about an effect; gives the outcome of one that is left out.
    pub(super) fn ask_gates(
        &self,
        id: &EffectId,
        attempt: u32,
        effect: &Effect,
        place: Option<&Place>,
    ) -> Result<Option<Outcome>, Halted> {
        let (step, step_name) = self.track(|track| (track.step().to_owned(), track.step_name().to_owned()));
        let ahead = EffectAhead { id, attempt, step: &step, step_name: &step_name, effect, place };
        let Some((reason, by)) = self.pass(&id.track, |gate| gate.before_effect(self, &ahead))? else {
            return Ok(None);
        };
        let outcome = Outcome::Skipped { reason, by: by.user };
        self.append(self.read_record(id, effect, place.map(PlaceData::from), outcome.clone()))?;
        Ok(Some(outcome))
    }

    /// Asks the gates about a step; whether it is left out.
    pub(super) fn ask_gates_of_step(&self, ahead: &StepAhead<'_>) -> Result<bool, Halted> {
        let Some((reason, by)) = self.pass(ahead.track, |gate| gate.before_step(self, ahead))? else {
            return Ok(false);
        };
        let (track, number, name) = (ahead.track.clone(), ahead.number.to_owned(), ahead.name.to_owned());
        self.append(Fact::StepSkipped { track, number, name, reason, by_hand: false }.by(by, self.moment()))?;
        Ok(true)
    }

    /// Tells the gates of a step that has ended.
    pub(super) fn tell_gates(&self, ended: &StepAhead<'_>) -> Result<(), Halted> {
        self.pass(ended.track, |gate| gate.after_step(self, ended)).map(|_| ())
    }

    /// Tells the gates of a step that is on record as ended, if the runner that came to its end died before it could
    /// stop there. The order of tracks stays as it is on record: none waits for its turn.
    pub(super) fn tell_gates_late(&self, ended: &StepAhead<'_>) -> Result<(), Halted> {
        if self.gates.is_empty() || !self.history.died_behind(ended.track, ended.number) {
            return Ok(());
        }
        for gate in &self.gates {
            if let GateDecision::Stop(halt) = gate.after_step(self, ended).map_err(|Stopped| Halted)? {
                return Err(self.halt(*halt));
            }
        }
        Ok(())
    }

    /// Asks one gate after the other; who has it left out, and why. Of the script's tracks one at a time stands before
    /// the gates: a person is asked one thing at a time. Side tracks run while such a track waits for them.
    fn pass(
        &self,
        track: &TrackId,
        ask: impl Fn(&dyn Gate) -> Result<GateDecision, Stopped>,
    ) -> Result<Option<(String, Who)>, Halted> {
        if self.gates.is_empty() {
            return Ok(None);
        }
        // Who is asked must see which step it is about.
        self.catch_up()?;
        if track.is_scripts() {
            self.suspend(TrackWant::Turn)?;
        }
        let answer = self.gates.iter().map(|gate| ask(&**gate)).find(|answer| *answer != Ok(GateDecision::Go));
        if track.is_scripts() {
            self.at_gates.set(false);
        }
        match answer {
            None | Some(Ok(GateDecision::Go)) => Ok(None),
            Some(Ok(GateDecision::Skip { reason, by })) => Ok(Some((reason, by))),
            Some(Ok(GateDecision::Stop(halt))) => Err(self.halt(*halt)),
            Some(Err(Stopped)) => Err(Halted),
        }
    }
}
