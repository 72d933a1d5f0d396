//! The gates of a run, asked in their order, and who stands before them. What they say is carried out by the
//! dispatcher; here it is only asked for and written down.

use super::core::RunCore;
use super::gate::{EffectAhead, Gate, GateDecision, StepAhead};
use super::track::TrackWant;
use super::{Halted, written_effect};
use crate::error::Place;
use crate::journal::history::History;
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Fact, ScriptPoint, TrackId, Who};
use crate::world::Stopped;
use std::cell::Cell;
use std::rc::Rc;

/// All gates of a run.
pub(super) struct Gatekeeper {
    all: Vec<Rc<dyn Gate>>,
    /// Whether a track stands before them: one at a time does.
    is_taken: Cell<bool>,
}

impl Gatekeeper {
    /// These, asked in this order.
    pub(super) fn new(all: Vec<Rc<dyn Gate>>) -> Self {
        Self { all, is_taken: Cell::default() }
    }

    /// Lets a track step before the gates, if nobody stands there.
    pub(super) fn take(&self) -> bool {
        !self.is_taken.replace(true)
    }

    /// Tells the gates where one of the script's own tracks has come to.
    pub(super) fn arrive(&self, track: &TrackId, point: impl Fn() -> ScriptPoint) -> Result<(), Halted> {
        if self.all.is_empty() || !track.is_scripts() {
            return Ok(());
        }
        self.all.iter().try_for_each(|gate| gate.arrived(&point())).map_err(|Stopped| Halted)
    }

    /// Asks the gates about an effect; gives the outcome of one that is left out.
    pub(super) fn ask_of_effect(
        &self,
        core: &RunCore,
        id: &EffectId,
        attempt: u32,
        effect: &Effect,
        place: Option<&Place>,
    ) -> Result<Option<Outcome>, Halted> {
        let (step, step_name) = core.track(|track| (track.step().to_owned(), track.step_name().to_owned()));
        let ahead = EffectAhead { id, attempt, step: &step, step_name: &step_name, effect, place };
        let Some((reason, by)) = self.pass(core, &id.track, |gate| gate.before_effect(core, &ahead))? else {
            return Ok(None);
        };
        let outcome = Outcome::Skipped { reason, by: by.user };
        core.append(written_effect::both(core, id, effect, place.map(PlaceData::from), outcome.clone()))?;
        Ok(Some(outcome))
    }

    /// Asks the gates about a step; whether it is left out.
    pub(super) fn ask_of_step(&self, core: &RunCore, ahead: &StepAhead<'_>) -> Result<bool, Halted> {
        let Some((reason, by)) = self.pass(core, ahead.track, |gate| gate.before_step(core, ahead))? else {
            return Ok(false);
        };
        let (track, number, name) = (ahead.track.clone(), ahead.number.to_owned(), ahead.name.to_owned());
        core.append(Fact::StepSkipped { track, number, name, reason, by_hand: false }.by(by, core.moment()))?;
        Ok(true)
    }

    /// Tells the gates of a step that has ended.
    pub(super) fn tell(&self, core: &RunCore, ended: &StepAhead<'_>) -> Result<(), Halted> {
        self.pass(core, ended.track, |gate| gate.after_step(core, ended)).map(|_| ())
    }

    /// Tells the gates of a step that is on record as ended, if the runner that came to its end died before it could
    /// stop there. The order of tracks stays as it is on record: none waits for its turn.
    pub(super) fn tell_late(&self, core: &RunCore, history: &History, ended: &StepAhead<'_>) -> Result<(), Halted> {
        if self.all.is_empty() || !history.died_behind(ended.track, ended.number) {
            return Ok(());
        }
        for gate in &self.all {
            if let GateDecision::Stop(halt) = gate.after_step(core, ended).map_err(|Stopped| Halted)? {
                return Err(core.halt(*halt));
            }
        }
        Ok(())
    }

    /// Asks one gate after the other; who has it left out, and why. Of the script's tracks one at a time stands before
    /// the gates: a person is asked one thing at a time. Side tracks run while such a track waits for them.
    fn pass(
        &self,
        core: &RunCore,
        track: &TrackId,
        ask: impl Fn(&dyn Gate) -> Result<GateDecision, Stopped>,
    ) -> Result<Option<(String, Who)>, Halted> {
        if self.all.is_empty() {
            return Ok(None);
        }
        // Who is asked must see which step it is about.
        core.catch_up()?;
        if track.is_scripts() {
            core.suspend(TrackWant::Turn)?;
        }
        let answer = self.all.iter().map(|gate| ask(&**gate)).find(|answer| *answer != Ok(GateDecision::Go));
        if track.is_scripts() {
            self.is_taken.set(false);
        }
        match answer {
            None | Some(Ok(GateDecision::Go)) => Ok(None),
            Some(Ok(GateDecision::Skip { reason, by })) => Ok(Some((reason, by))),
            Some(Ok(GateDecision::Stop(halt))) => Err(core.halt(*halt)),
            Some(Err(Stopped)) => Err(Halted),
        }
    }
}
