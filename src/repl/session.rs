//! A steered session, put together from parts that own what they know. It sequences only what concerns several of
//! them; it talks to nobody and stops no run.

use super::ReplHost;
use super::standing::RunStanding;
use super::stop::Target;
use super::stop_rules::StopRules;
use super::timeline::{Timeline, TimelineLine};
use super::typed_lines::TypedLines;
use super::typist::Typist;
use super::written::WrittenSteps;
use crate::dispatch::{Dispatcher, Door, Halt};
use crate::model::run::record::{Ending, Fact, TrackId};
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::session::Prepared;
use crate::world::Stopped;
use std::rc::Rc;

/// A session of a run.
pub(super) struct ReplSession {
    /// The run.
    pub(super) run: String,
    /// Where it acts.
    pub(super) inventory: Rc<Inventory>,
    /// What its runbook says.
    pub(super) written: WrittenSteps,
    /// What has happened so far.
    pub(super) timeline: Timeline,
    /// Where it is to stop.
    pub(super) rules: StopRules,
    /// What is typed while it stands.
    pub(super) lines: TypedLines,
    /// How it stands.
    pub(super) standing: RunStanding,
    /// Who types.
    pub(super) typist: Rc<Typist>,
}

impl ReplSession {
    /// A session of a run of `prepared`, before it was entered.
    pub(super) fn new(prepared: &Prepared, run: &str, params: Fields, host: &Rc<dyn ReplHost>) -> Self {
        Self {
            run: run.to_owned(),
            inventory: Rc::clone(&prepared.inventory),
            written: WrittenSteps::of(&prepared.program),
            timeline: Timeline::default(),
            rules: StopRules::new(),
            lines: TypedLines::new(prepared, params),
            standing: RunStanding::new(),
            typist: Rc::new(Typist::new(Rc::clone(host))),
        }
    }

    /// The session goes on with an edited runbook, first as far as `aim`.
    pub(super) fn edited(&self, prepared: &Prepared, params: Fields, aim: Target) -> Self {
        Self {
            run: self.run.clone(),
            inventory: Rc::clone(&prepared.inventory),
            written: WrittenSteps::of(&prepared.program),
            timeline: Timeline::default(),
            rules: self.rules.kept_for(aim),
            lines: self.lines.kept_for(prepared, params),
            standing: RunStanding::new(),
            typist: Rc::clone(&self.typist),
        }
    }

    /// Forgets what an earlier entry left behind.
    pub(super) fn begin_anew(&self) {
        self.timeline.clear();
        self.lines.begin_anew();
        self.standing.begin_anew();
        self.typist.begin_anew();
    }

    /// Writes something about the session, first that the run was taken up again.
    ///
    /// # Errors
    /// [`Stopped`] when it cannot be written; the run stops then.
    pub(super) fn write(&self, door: &Dispatcher, fact: Fact) -> Result<(), Stopped> {
        let record = |fact: Fact| fact.by(self.typist.by().clone(), door.moment());
        let told = record(fact);
        let opened = self.standing.take_unopened().then(|| record(Fact::Opened));
        door.write(opened.into_iter().chain([told]).collect()).map_err(|error| {
            door.halt(Halt { ending: Ending::Refused, error, effect: None });
            Stopped
        })
    }

    /// Brings back the lines typed at these points that this entry has not seen yet.
    ///
    /// # Errors
    /// [`Stopped`] when the run stops meanwhile.
    pub(super) fn recall(
        &self,
        door: &Rc<Dispatcher>,
        track: &TrackId,
        fits: impl Fn(&TimelineLine) -> bool,
    ) -> Result<(), Stopped> {
        let lines: Vec<TimelineLine> = self.timeline.lines().into_iter().filter(fits).collect();
        self.lines.recall(door, &lines, track)
    }
}
