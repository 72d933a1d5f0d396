//! The gate of a steered run: it stops the run where the session is to stop, has what is to be done there talked over,
//! and brings lines typed earlier back at the places where they were typed. It carries out no command itself.

use super::conversation::{Conversation, Decision, LeaveReason};
use super::session::ReplSession;
use super::stop::Stop;
use super::timeline::cut_off;
use crate::dispatch::{Dispatcher, Door, EffectAhead, Gate, GateDecision, Halt, StepAhead};
use crate::error::{Error, Kind};
use crate::model::run::record::{Ending, ScriptPoint};
use crate::world::{Link, Stopped};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// The gate of one entry.
pub(super) struct ReplGate {
    session: Rc<ReplSession>,
    /// The door it stands at, once that is open.
    door: RefCell<Weak<Dispatcher>>,
    /// For what the run was left.
    leave: RefCell<Option<LeaveReason>>,
}

impl ReplGate {
    /// Before the door is open.
    pub(super) fn new(session: &Rc<ReplSession>) -> Self {
        Self { session: Rc::clone(session), door: RefCell::default(), leave: RefCell::default() }
    }

    /// The door is open.
    pub(super) fn stand_at(&self, door: &Rc<Dispatcher>) {
        self.door.replace(Rc::downgrade(door));
    }

    /// For what the run was left, if anybody said so.
    pub(super) fn left_for(&self) -> Option<LeaveReason> {
        self.leave.take()
    }

    /// Stands where the record ends, brings back what was typed here, and asks what to do.
    pub(super) fn rest(&self, door: &Rc<Dispatcher>) {
        let session = &*self.session;
        let stop = Stop::at_rest(session.standing.point(), session.timeline.undone());
        let answer = session.recall(door, &stop.track, |_| true).and_then(|()| {
            if let Some(n) = session.lines.given_up() {
                session.typist.say(&cut_off(n));
            }
            Conversation { session, door, stop: &stop }.hold()
        });
        if let Ok(Decision::Leave(leave)) = answer {
            self.leave.replace(Some(leave));
        }
    }

    fn door(&self) -> Result<Rc<Dispatcher>, Stopped> {
        self.door.borrow().upgrade().ok_or(Stopped)
    }

    fn stand(&self, stop: &Stop) -> Result<GateDecision, Stopped> {
        let (session, door) = (&*self.session, self.door()?);
        Ok(match (Conversation { session, door: &door, stop }).hold()? {
            Decision::Go => GateDecision::Go,
            Decision::Skip(reason) => GateDecision::Skip { reason, by: session.typist.by().clone() },
            Decision::Leave(leave) => {
                let error = Error::new(Kind::Suspended, format!("left before {}", stop.place()))
                    .hint(format!("go on by hand:   baton repl --run {}", session.run))
                    .hint(format!("go on by itself: baton resume {}", session.run));
                self.leave.replace(Some(leave));
                GateDecision::Stop(Box::new(Halt { ending: Ending::Suspended, error, effect: None }))
            }
        })
    }
}

impl Gate for ReplGate {
    fn before_step(&self, _: &dyn Link, ahead: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        let wanted = self.session.rules.stop_at_step(ahead);
        if wanted { self.stand(&Stop::before_step(ahead)) } else { Ok(GateDecision::Go) }
    }

    fn before_effect(&self, _: &dyn Link, ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped> {
        let wanted = self.session.rules.stop_at_effect(ahead);
        if wanted { self.stand(&Stop::before_effect(ahead)) } else { Ok(GateDecision::Go) }
    }

    fn arrived(&self, point: &ScriptPoint) -> Result<(), Stopped> {
        self.session.standing.arrive(point);
        let door = self.door()?;
        let track = door.step_id().track;
        self.session.recall(&door, &track, |line| line.point == *point)
    }
}
