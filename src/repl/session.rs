//! The state of a steered session, which is also the gate of its run: it stops the run where it was aimed at, and
//! brings lines typed earlier back at the places where they were typed. It carries out no command itself.

use super::ReplHost;
use super::stop::{Stop, Target, breaks_at_effect, breaks_at_step};
use super::timeline::{Timeline, TimelineLine, cut_off};
use crate::dispatch::{Dispatcher, Door, EffectAhead, Gate, GateDecision, Halt, Halted, StepAhead};
use crate::error::{Error, Kind};
use crate::model::run::record::{EffectId, Ending, Fact, Record, ScriptPoint, TrackId, Who};
use crate::model::run::step_name::StepNames;
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::analysis::outline::{self, OutlineLine, WrittenStep};
use crate::script::evaluate::frames::Frames;
use crate::script::evaluate::repl::{LineEnd, Notebook};
use crate::session::{OperatorRuling, Prepared};
use crate::world::{Link, Stopped};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

/// What ends the conversation at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The script goes on.
    Go,
    /// What is ahead is left out.
    Skip(String),
    /// The run is left, for this.
    Leave(LeaveReason),
}

/// Why a run is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaveReason {
    /// The session is over.
    Quit,
    /// To go on from the record's end.
    On,
    /// To try again what failed.
    Redo,
    /// To take up again a line that was given up, or failed.
    RedoLine(u32),
    /// To go on with a person's word on what failed or is in doubt.
    Said(OperatorRuling),
    /// To have the runbook edited.
    Edit,
    /// To go back to before this step of the main track; without one, all the way.
    Back(Option<String>),
}

/// How a run had ended: how, in words, and at which effect.
pub(crate) type PreviousEnding = (Ending, String, Option<EffectId>);

/// The state of a session.
pub(crate) struct ReplSession {
    pub(crate) run: String,
    pub(crate) host: Rc<dyn ReplHost>,
    pub(crate) inventory: Rc<Inventory>,
    pub(crate) notebook: Notebook,
    pub(crate) frames: Frames,
    pub(crate) diary: Timeline,
    pub(crate) by: Who,
    /// The steps that are written in the runbook; none when there is no runbook.
    pub(crate) written: Vec<WrittenStep>,
    /// How they are named.
    pub(crate) names: StepNames,
    /// The same with what decides whether they happen, each line with how deep it stands.
    pub(crate) outline: Vec<(usize, OutlineLine)>,
    /// Whether there is a runbook.
    pub(crate) has_runbook: bool,
    pub(crate) aim: RefCell<Target>,
    pub(crate) breaks: RefCell<Vec<String>>,
    pub(crate) watches: RefCell<Vec<String>>,
    /// The door of the present entry.
    pub(crate) door: RefCell<Weak<Dispatcher>>,
    /// The gate itself, to be handed to bodies of tracks.
    pub(crate) me: Weak<ReplSession>,
    /// Somebody is asked for a line right now.
    pub(crate) asking: Cell<bool>,
    /// Where the script came to last.
    pub(crate) point: RefCell<ScriptPoint>,
    /// Lines that have been evaluated in this entry.
    pub(crate) evaluated: RefCell<BTreeSet<u32>>,
    /// Lines that worked.
    pub(crate) worked: RefCell<BTreeMap<u32, String>>,
    /// How the run had ended when it was entered to look at it.
    pub(crate) former: RefCell<Option<PreviousEnding>>,
    /// The last line that was given up, or failed at an effect, which is named then.
    pub(crate) broken: RefCell<Option<(u32, Option<EffectId>)>>,
    /// A line that is to be taken up again in this entry.
    pub(crate) again: Cell<Option<u32>>,
    /// Whether any line or command failed.
    pub(crate) any_failed: Cell<bool>,
    pub(crate) leave: RefCell<Option<LeaveReason>>,
    /// The record must say first that the run was taken up again.
    pub(crate) unopened: Cell<bool>,
    /// The run has come to its end: it is only looked at.
    pub(crate) over: Cell<bool>,
}

impl ReplSession {
    /// A session of a run of `prepared`, before it was entered.
    pub(crate) fn new(prepared: &Prepared, run: &str, params: Fields, host: &Rc<dyn ReplHost>) -> Rc<Self> {
        let frames = Frames::default();
        let (program, inventory) = (Rc::clone(&prepared.program), Rc::clone(&prepared.inventory));
        let (written, has_runbook) = (outline::steps(&program), !program.is_empty());
        let notebook = Notebook::new(program, Rc::clone(&inventory), params, frames.clone());
        Rc::new_cyclic(|me| Self {
            run: run.to_owned(),
            host: Rc::clone(host),
            inventory,
            notebook,
            frames,
            diary: Timeline::default(),
            by: host.by(),
            names: outline::step_names(&prepared.program),
            outline: outline::outline(&prepared.program),
            written,
            has_runbook,
            aim: RefCell::new(Target::Step(None)),
            breaks: RefCell::default(),
            watches: RefCell::default(),
            door: RefCell::default(),
            me: me.clone(),
            asking: Cell::default(),
            point: RefCell::default(),
            evaluated: RefCell::default(),
            worked: RefCell::default(),
            former: RefCell::default(),
            broken: RefCell::default(),
            again: Cell::default(),
            any_failed: Cell::default(),
            leave: RefCell::default(),
            unopened: Cell::default(),
            over: Cell::default(),
        })
    }

    /// Forgets what an earlier entry left behind.
    pub(crate) fn begin_anew(&self) {
        self.diary.clear();
        self.frames.clear();
        self.notebook.forget();
        self.evaluated.borrow_mut().clear();
        self.leave.replace(None);
        self.point.replace(ScriptPoint::End);
        self.asking.set(false);
        self.again.set(None);
    }

    /// Stands where the record ends, brings back what was typed here, and asks what to do.
    pub(crate) fn rest(&self, door: &Dispatcher) {
        let stop = Stop::at_rest(self.point.borrow().clone(), self.diary.undone());
        let answer = self.recall(&stop.track, |_| true).and_then(|()| {
            let broken = self.broken.borrow().clone();
            if let Some((n, _)) = broken.filter(|(_, failed)| failed.is_none() && self.again.get().is_none()) {
                self.host.say(&cut_off(n));
            }
            self.converse(door, &stop)
        });
        if let Ok(Decision::Leave(leave)) = answer {
            self.leave.replace(Some(leave));
        }
    }

    /// The door of the present entry.
    pub(crate) fn door(&self) -> Result<Rc<Dispatcher>, Stopped> {
        self.door.borrow().upgrade().ok_or(Stopped)
    }

    /// Writes something about the session, first that the run was taken up again.
    pub(crate) fn write(&self, door: &Dispatcher, record: Record) -> Result<(), Stopped> {
        let mut records = Vec::new();
        if self.unopened.replace(false) {
            records.push(Fact::Opened.by(self.by.clone(), door.moment()));
        }
        records.push(record);
        door.write(records).map_err(|error| {
            door.halt(Halt { ending: Ending::Refused, error, effect: None });
            Stopped
        })
    }

    /// Evaluates a line on its own track; a `recalled` one only finds again what it came to.
    pub(crate) fn evaluate(&self, line: &TimelineLine, track: &TrackId, recalled: bool) -> Result<LineEnd, Stopped> {
        let door = self.door()?;
        self.evaluated.borrow_mut().insert(line.n);
        let end = Rc::new(RefCell::new(LineEnd::Halted));
        let (slot, me, script_door) = (Rc::clone(&end), self.me.clone(), Rc::clone(&door) as Rc<dyn Door>);
        let (typed, track) = (line.clone(), track.clone());
        let body = Box::new(move || {
            if let Some(session) = me.upgrade() {
                slot.replace(session.notebook.evaluate(typed.n, &typed.text, &track, script_door));
            }
        });
        let id = TrackId::typed(line.n);
        let ran = if recalled { door.recall(id, body) } else { door.aside(id, body) };
        ran.map_err(|Halted| Stopped)?;
        let end = end.replace(LineEnd::Halted);
        match &end {
            LineEnd::Value(_) => {
                self.worked.borrow_mut().insert(line.n, line.text.clone());
                self.broken.replace(None);
            }
            LineEnd::Failed { effect, .. } => {
                self.broken.replace(effect.clone().map(|effect| (line.n, Some(effect))));
            }
            LineEnd::CutOff | LineEnd::Halted => {
                self.broken.replace(Some((line.n, None)));
            }
        }
        Ok(end)
    }

    /// Brings back the lines typed at these points that this entry has not seen yet.
    pub(crate) fn recall(&self, track: &TrackId, fits: impl Fn(&TimelineLine) -> bool) -> Result<(), Stopped> {
        for line in self.diary.lines() {
            let known = self.evaluated.borrow().contains(&line.n) || self.again.get() == Some(line.n);
            if !known && fits(&line) {
                self.evaluate(&line, track, true)?;
            }
        }
        Ok(())
    }

    fn stand(&self, stop: &Stop) -> Result<GateDecision, Stopped> {
        let door = self.door()?;
        Ok(match self.converse(&door, stop)? {
            Decision::Go => GateDecision::Go,
            Decision::Skip(reason) => GateDecision::Skip { reason, by: self.by.clone() },
            Decision::Leave(leave) => {
                let error = Error::new(Kind::Suspended, format!("left before {}", stop.place()))
                    .hint(format!("go on by hand:   baton repl --run {}", self.run))
                    .hint(format!("go on by itself: baton resume {}", self.run));
                self.leave.replace(Some(leave));
                GateDecision::Stop(Box::new(Halt { ending: Ending::Suspended, error, effect: None }))
            }
        })
    }
}

impl Gate for ReplSession {
    fn before_step(&self, _: &dyn Link, ahead: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        let wanted = ahead.track.is_scripts()
            && (self.aim.borrow().is_step(ahead)
                || self.breaks.borrow().iter().any(|word| breaks_at_step(word, ahead)));
        if wanted { self.stand(&Stop::before_step(ahead)) } else { Ok(GateDecision::Go) }
    }

    fn before_effect(&self, _: &dyn Link, ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped> {
        let breaks = || self.breaks.borrow().iter().any(|word| breaks_at_effect(word, ahead));
        let wanted = ahead.id.track.is_scripts() && (self.aim.borrow().is_effect(ahead) || breaks());
        if wanted { self.stand(&Stop::before_effect(ahead)) } else { Ok(GateDecision::Go) }
    }

    fn arrived(&self, point: &ScriptPoint) -> Result<(), Stopped> {
        self.point.replace(point.clone());
        let track = self.door()?.step_id().track;
        self.recall(&track, |line| line.point == *point)
    }
}
