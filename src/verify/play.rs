//! One play: runners that take a run up one after the other until it is over, as a schedule has them die. Whoever plays
//! the operator looks at the site and says what is the case. It judges nothing.

use super::scene::{RUN, Scene};
use super::schedule::{Death, Schedule};
use super::situation::Situation;
use super::violation::Violation;
use super::witness::{Ears, Heard, Witness};
use super::witnessed_store::WitnessedStore;
use crate::error::{Error, Kind, Result};
use crate::model::run::record::{Ending, RollbackScope, Who};
use crate::model::span::Span;
use crate::session::{self, Finished, OperatorRuling, RunParts};
use crate::sim::{Boundary, CrashClock, CrashingStore, SimWorld};
use std::cell::Cell;
use std::rc::Rc;

/// More points than these are passed by no runner that gets anywhere.
const POINTS_MAX: u64 = 200_000;
/// How often a run that stopped is taken up again before it is taken back.
const TRIES: usize = 2;
/// How often a run may stop in all.
const STOPS_MAX: usize = 8;
/// How long it takes until somebody takes up a run that stopped.
const UNTIL_TAKEN_UP: Span = Span::mins(2);

/// A play of a scene.
pub(super) struct Play<'a> {
    pub(super) scene: &'a Scene,
    pub(super) situation: Situation,
}

/// An instant of a play at which its runner passes a point.
pub(super) struct Passing<'a> {
    pub(super) situation: &'a Situation,
    /// Which runner, from 0.
    pub(super) runner: usize,
    /// Which of its points, from 1.
    pub(super) point: u64,
    pub(super) boundary: Boundary,
    /// The schedule wants nothing more of the play: all its faults have struck, and no runner is to die.
    pub(super) is_free: bool,
}

/// Who watches a play: true ends it there.
pub(super) type Watch = Rc<dyn Fn(&Passing<'_>) -> bool>;

/// How a play came to its end.
pub(super) enum PlayEnd {
    /// Its last runner lived.
    Over(Finished),
    /// Whoever watches ended it.
    Left,
    /// A runner came to no end.
    Endless,
    /// It could not be taken up, or back.
    Refused,
}

/// Why a runner did not live.
#[derive(Debug, Clone, Copy)]
enum RunnerFate {
    Dies(Death),
    Leaves,
    Endless,
}

/// What the next runner is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Errand {
    back: bool,
    ruling: OperatorRuling,
}

impl<'a> Play<'a> {
    /// The curtain rises on a fresh site, with what this schedule has in store for it.
    pub(super) fn new(scene: &'a Scene, schedule: &Schedule, witness: Witness) -> Self {
        Self { scene, situation: Situation::new(scene.site(&schedule.faults), witness) }
    }

    /// On a situation as it was left.
    pub(super) fn on(scene: &'a Scene, situation: Situation) -> Self {
        Self { scene, situation }
    }

    /// Plays on until the run is over, or `watch` ends it. `back`: the first runner takes the run back.
    ///
    /// # Errors
    /// The defect of a model.
    pub(super) fn go(&self, schedule: &Schedule, back: bool, watch: &Watch) -> Result<PlayEnd> {
        let mut errand = Errand { back: back || self.situation.goes_back(), ruling: OperatorRuling::Retry };
        let mut stops = 0;
        loop {
            let runner = self.situation.runners.get();
            self.situation.runners.set(runner + 1);
            let (clock, fate) = self.clock(schedule, runner, watch);
            let finished = self.carry(&errand, &clock);
            self.situation.witness.catch_up(&self.situation.estate);
            if let Some(defect) = self.situation.estate.defect() {
                return Err(defect);
            }
            match fate.get() {
                Some(RunnerFate::Dies(Death { back, .. })) => {
                    self.situation.witness.note(Heard::Died { runner, back });
                    errand = Errand { back: back || errand.back, ruling: OperatorRuling::Retry };
                    continue;
                }
                Some(RunnerFate::Leaves) => return Ok(PlayEnd::Left),
                Some(RunnerFate::Endless) => return Ok(PlayEnd::Endless),
                None => stops += 1,
            }
            errand = match finished {
                Ok(finished) => match self.next(&finished, &errand, stops) {
                    Some(next) => next,
                    None => return Ok(PlayEnd::Over(finished)),
                },
                // What is in doubt has to be settled before the way back and on it; whoever looks at the host knows.
                Err(error) if matches!(error.kind, Kind::InDoubt | Kind::RollbackIncomplete) && stops <= STOPS_MAX => {
                    Errand { back: errand.back, ruling: self.looked_up() }
                }
                Err(error) => return Ok(self.refused(&error, errand.back)),
            };
        }
    }

    /// That a run cannot go back may be said; that it cannot go on is no end.
    fn refused(&self, error: &Error, back: bool) -> PlayEnd {
        if !back || error.kind == Kind::Internal {
            self.situation.witness.complain(Violation::not_taken_up(error), &self.situation.estate);
        }
        PlayEnd::Refused
    }

    /// What is done about a run that came to this. Nothing when it is over, or nothing helps.
    fn next(&self, finished: &Finished, errand: &Errand, stops: usize) -> Option<Errand> {
        let again = |ruling| Some(Errand { back: errand.back, ruling });
        match finished.ending {
            Ending::Done | Ending::Held | Ending::RolledBack | Ending::Aborted | Ending::Unmet => return None,
            Ending::Bug | Ending::Refused | Ending::Interrupted => return None,
            Ending::Failed | Ending::Suspended | Ending::Doubt if stops > STOPS_MAX => return None,
            Ending::Failed | Ending::Suspended | Ending::Doubt => {}
        }
        self.situation.estate.pass(UNTIL_TAKEN_UP.0);
        if finished.ending == Ending::Doubt {
            return again(self.looked_up());
        }
        if finished.ending == Ending::Suspended || stops <= TRIES {
            return again(OperatorRuling::Retry);
        }
        (!errand.back).then_some(Errand { back: true, ruling: OperatorRuling::Retry })
    }

    /// What a person says of a doubt who has looked.
    fn looked_up(&self) -> OperatorRuling {
        let why = "looked at the host".to_owned();
        if self.situation.has_happened() { OperatorRuling::Happened(why) } else { OperatorRuling::NotHappened(why) }
    }

    fn carry(&self, errand: &Errand, clock: &CrashClock) -> Result<Finished> {
        let parts = self.parts(clock);
        let Scene { prepared, params, estate, .. } = self.scene;
        if self.situation.store.count(RUN) == 0 {
            return session::begin(prepared, parts, params.clone(), estate);
        }
        if errand.back {
            return session::rollback(prepared, parts, &RollbackScope::All, errand.ruling.clone());
        }
        session::resume(prepared, parts, errand.ruling.clone())
    }

    fn parts(&self, clock: &CrashClock) -> RunParts {
        let Situation { estate, store, record, hash, witness, .. } = self.situation.clone();
        let kept = WitnessedStore { store: store.clone(), hash, number: record };
        let world = SimWorld::on(&estate, clock.clone());
        let by = Who { user: "verify".into(), host: "sim".into(), pid: 1, machine: String::new(), state: None };
        RunParts {
            run: RUN.into(),
            store: Box::new(CrashingStore::new(kept, clock.clone())),
            world: Box::new(world),
            sinks: vec![Box::new(Ears { witness, estate, store })],
            by,
            gates: Vec::new(),
            steering: None,
        }
    }

    /// The clock of a runner, and where it says what became of it.
    fn clock(&self, schedule: &Schedule, runner: usize, watch: &Watch) -> (CrashClock, Rc<Cell<Option<RunnerFate>>>) {
        let fate: Rc<Cell<Option<RunnerFate>>> = Rc::default();
        let (told, situation, watch) = (Rc::clone(&fate), self.situation.clone(), Rc::clone(watch));
        let (death, faults) = (schedule.deaths.get(&runner).copied(), schedule.faults.len());
        let nobody_dies_later = schedule.deaths.keys().all(|dying| *dying <= runner);
        let point = Cell::new(0);
        let clock = CrashClock::ruled(Rc::new(move |boundary| {
            point.set(point.get() + 1);
            let is_free = death.is_none() && nobody_dies_later && situation.estate.strikes() >= faults;
            let passing = Passing { situation: &situation, runner, point: point.get(), boundary, is_free };
            let ends = match death {
                Some(death) if death.at == point.get() => Some(RunnerFate::Dies(death)),
                _ if point.get() > POINTS_MAX => Some(RunnerFate::Endless),
                _ => watch(&passing).then_some(RunnerFate::Leaves),
            };
            if ends.is_some() {
                told.set(ends);
            }
            ends.is_some()
        }));
        (clock, fate)
    }
}
