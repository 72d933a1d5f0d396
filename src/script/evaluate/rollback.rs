//! The way back of a script: replayed to where its record stands, it lends its steps' own undo closures and what it
//! owes. Everything goes through the door, on the track of the way back; which change is undone how is read elsewhere.

use crate::dispatch::{Door, Halted, StepEntry};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::reopening;
use crate::journal::rollback_plan;
use crate::journal::rollback_plan::{Change, ReplayedSteps, RollbackStep, UndoMethod};
use crate::model::run::effect::{Ask, Effect, Form, Goal, Probe};
use crate::model::site::inventory::Inventory;
use crate::model::value::{Fields, Value};
use crate::script::calls::calling;
use crate::script::calls::context::{Obligation, ScriptTrack};
use crate::script::calls::gate_name::UNDO_BY_HAND;
use crate::script::compile::program::Program;
use crate::script::evaluate::obligations;
use crate::script::evaluate::put_back::{RestoreResult, Restorer, failed, formers};
use crate::script::evaluate::script_end::{ScriptEnd, ended};
use crate::script::evaluate::stage::Stage;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The last step of a way back.
const COMPARE: &str = "Look whether it is as it was before";

/// What the step is called that undoes these acts, which belong to one step.
fn step_that_undoes<A: std::borrow::Borrow<RollbackStep>>(acts: &[A]) -> String {
    let step = acts.first().and_then(|act| act.borrow().step.as_ref());
    format!("Undo: {}", step.map_or("what was done outside steps", |(_, name)| name.as_str()))
}

/// What a step of the way back is to put as it was before.
#[derive(Debug, Clone, PartialEq)]
pub struct FormerState {
    /// The change that made it another.
    pub effect: Effect,
    /// What reads it.
    pub probe: Probe,
    /// What it was.
    pub value: Value,
}

/// What is to be done on a way back.
#[derive(Debug, Clone, Copy)]
pub struct RollbackTask {
    /// Everything recorded from here on is undone; nothing without it.
    pub undo_since: Option<u64>,
    /// Whether what the script owes is done.
    pub owed: bool,
}

/// A script that was replayed to where its record stands.
pub struct ReplayedScript {
    stage: Stage,
    inventory: Rc<Inventory>,
}

impl ReplayedScript {
    /// Replays a script. The door must be set to replay only: every track ends where its record does. Belongs on the
    /// main track.
    ///
    /// # Errors
    /// `Usage` when the parameters do not fit. What the replay found wrong is the door's to tell.
    pub fn replay(program: &Rc<Program>, door: Rc<dyn Door>, inventory: Rc<Inventory>, params: Fields) -> Result<Self> {
        let stage = Stage::set(program, door, Rc::clone(&inventory), params, None)?;
        // How the script ended is on record. A bug in it would stop what follows.
        let _on_record = stage.play();
        stage.main.run.bug.take();
        Ok(Self { stage, inventory })
    }

    /// Which steps say themselves how they are undone, and where tracks were forked.
    #[must_use]
    pub fn steps(&self) -> ReplayedSteps {
        let undos = self.stage.main.run.undos.borrow();
        ReplayedSteps { own: undos.closures.keys().cloned().collect(), forks: undos.forks.clone() }
    }

    /// What the script owes, newest first: what it has done already as well.
    #[must_use]
    pub fn owes(&self) -> Vec<String> {
        self.obligations().into_iter().map(|obligation| obligation.name).collect()
    }

    /// What the `nth` step of this name on the way back is to put as it was before, or to compare, as far as that is
    /// on record; from 0. What is owed puts back what only its closure knows.
    #[must_use]
    pub fn formers(&self, history: &History, since: u64, (name, nth): (&str, usize)) -> Vec<FormerState> {
        let mut acts = rollback_plan::acts_back(history, since, &self.steps(), &BTreeMap::new());
        acts.retain(|act| !matches!(act.how, UndoMethod::Nothing(_)));
        let all: Vec<&Change> = acts.iter().flat_map(RollbackStep::changes).collect();
        let found = if name == COMPARE {
            let own = acts.iter().filter(|act| matches!(act.how, UndoMethod::Own(_)));
            formers(&all, &own.flat_map(RollbackStep::changes).collect::<Vec<_>>())
        } else {
            let mut steps = acts.chunk_by(|a, b| a.step == b.step).filter(|acts| step_that_undoes(acts) == name);
            let changes: Vec<&Change> = steps.nth(nth).into_iter().flatten().flat_map(RollbackStep::changes).collect();
            formers(&changes, &changes)
        };
        let former = |(change, goal, value): (&Change, &Goal, &Value)| FormerState {
            effect: change.effect.clone(),
            probe: goal.probe.clone(),
            value: value.clone(),
        };
        found.into_iter().map(former).collect()
    }

    /// What is to be done to undo what was recorded from `since` on, newest first, as far as it is not behind the way
    /// back that is under way; and how many steps of that are.
    #[must_use]
    pub fn still(&self, history: &History, since: u64) -> (Vec<RollbackStep>, usize) {
        let acts = rollback_plan::acts_back(history, since, &self.steps(), &BTreeMap::new());
        let stays = |act: &RollbackStep| matches!(act.how, UndoMethod::Nothing(_));
        let undone: Vec<&RollbackStep> = acts.iter().filter(|act| !stays(act)).collect();
        let (mut behind, mut over, mut gone) = (rollback_plan::behind(history), Vec::new(), 0);
        for step in undone.chunk_by(|a, b| a.step == b.step) {
            let name = step_that_undoes(step);
            let is_over = behind.iter().position(|known| *known == name).map(|at| behind.remove(at)).is_some();
            gone += usize::from(is_over);
            over.extend(step.iter().map(|_| is_over));
        }
        let mut over = over.into_iter();
        let still = acts.iter().filter(|act| stays(act) || !over.next().unwrap_or(false)).cloned().collect();
        (still, gone)
    }

    fn obligations(&self) -> Vec<Obligation> {
        let open = self.stage.main.obligations.borrow();
        let met = self.stage.met.borrow();
        met.iter().chain(open.iter().rev()).cloned().collect()
    }

    /// Goes back. Belongs on the track of the way back, with the door open.
    #[must_use]
    pub fn go(&self, history: &History, errand: RollbackTask) -> ScriptEnd {
        let track = ScriptTrack::new(&self.stage.main.run);
        let door = &*self.stage.main.run.door;
        door.go_home();
        let back = Back { standing: self, track, door, undone: RefCell::default() };
        let undone = errand.undo_since.map_or(Ok(Vec::new()), |since| back.undo(history, since));
        let gone = undone.and_then(|acts| {
            if errand.owed {
                back.meet()?;
            }
            // What is owed may be what puts things back: while it stays owed, nobody can expect them to be as before.
            if errand.owed || self.obligations().is_empty() { back.compare(&acts) } else { Ok(()) }
        });
        gone.err().unwrap_or(ScriptEnd::Done)
    }
}

/// One way back, while it is gone.
struct Back<'a> {
    standing: &'a ReplayedScript,
    track: Rc<ScriptTrack>,
    door: &'a dyn Door,
    /// What steps have undone as they say themselves, newest first.
    undone: RefCell<Vec<Change>>,
}

impl Back<'_> {
    /// Undoes what was recorded from `since` on, newest first: what belongs to one step and follows each other is one
    /// step of the way back.
    fn undo(&self, history: &History, since: u64) -> std::result::Result<Vec<RollbackStep>, ScriptEnd> {
        let mut fates = BTreeMap::new();
        for id in rollback_plan::unseen_since(history, since) {
            let fate = self.door.look(&id).map_err(|Halted| ScriptEnd::Halted)?;
            fates.insert(id, fate);
        }
        let mut acts = rollback_plan::acts_back(history, since, &self.standing.steps(), &fates);
        acts.retain(|act| !matches!(act.how, UndoMethod::Nothing(_)));
        for acts in acts.chunk_by(|a, b| a.step == b.step) {
            self.step(&step_that_undoes(acts), true, || acts.iter().try_for_each(|act| self.act(history, act)))?;
        }
        Ok(acts)
    }

    /// Looks whether what was undone is as it was before.
    fn compare(&self, acts: &[RollbackStep]) -> RestoreResult {
        let own = self.undone.borrow();
        if own.iter().all(|change| change.effect.undo.is_none()) {
            return Ok(());
        }
        let all: Vec<&Change> = acts.iter().flat_map(RollbackStep::changes).collect();
        let hands = Restorer { door: self.door, inventory: &self.standing.inventory };
        self.step(COMPARE, false, || hands.compare(&all, &own.iter().collect::<Vec<_>>()))
    }

    fn step(&self, name: &str, undoes: bool, body: impl FnOnce() -> RestoreResult) -> RestoreResult {
        match self.door.step_begin(name, None, undoes) {
            Ok(StepEntry::Enter) => {}
            Ok(StepEntry::Skip) => return Ok(()),
            Err(Halted) => return Err(ScriptEnd::Halted),
        }
        let part = body();
        let why = match &part {
            Ok(()) => None,
            Err(ScriptEnd::Halted) => return part,
            Err(ScriptEnd::Failed { error, .. } | ScriptEnd::Bug(error)) => Some(error.message.clone()),
            Err(ScriptEnd::Held { reason, .. }) => Some(format!("held: {reason}")),
            Err(ScriptEnd::Done) => None,
        };
        self.door.step_end(why).map_err(|Halted| ScriptEnd::Halted)?;
        part
    }

    fn act(&self, history: &History, act: &RollbackStep) -> RestoreResult {
        let hands = Restorer { door: self.door, inventory: &self.standing.inventory };
        match &act.how {
            UndoMethod::Own(changes) => {
                self.own(act)?;
                if !reopening::left_out_in(history, &self.door.step_id()) {
                    self.undone.borrow_mut().extend(changes.iter().cloned());
                }
                Ok(())
            }
            UndoMethod::Recorded(change) => hands.put_back(change),
            UndoMethod::ByHand(change) => {
                let gate = self.door.gate_name("manual", Some(UNDO_BY_HAND));
                let text = format!("Undo by hand: {}", change.effect.label);
                hands.ask(Ask { gate, form: Form::Manual, text, evidence: String::new() })
            }
            UndoMethod::Nothing(_) => Ok(()),
        }
    }

    /// Undoes a step as it says itself.
    fn own(&self, act: &RollbackStep) -> RestoreResult {
        let undos = self.track.run.undos.borrow();
        let closure = act.step.as_ref().and_then(|(step, _)| undos.closures.get(step)).cloned();
        drop(undos);
        let Some(closure) = closure else {
            return Err(failed(Error::new(Kind::Internal, "a step lost the closure that undoes it"), None));
        };
        let result = calling::call(&closure, &self.standing.stage.engine, &self.track, vec![]).map(|_| ());
        self.handed_over(ended(&self.track, result)?)
    }

    /// Does what the script owes, and what its undo closures came to owe, newest first.
    fn meet(&self) -> RestoreResult {
        let mut owed = self.standing.obligations();
        owed.reverse();
        self.track.obligations.borrow_mut().splice(0..0, owed);
        loop {
            let Some(obligation) = self.track.obligations.borrow_mut().pop() else { return Ok(()) };
            let held = obligations::meet(&obligation, &self.standing.stage.engine, &self.track)?;
            self.handed_over(held)?;
        }
    }

    /// Nothing on a way back may be left to be decided later: it has not come to its end then.
    fn handed_over(&self, held: Option<crate::script::calls::context::OnHold>) -> RestoreResult {
        match held {
            None => Ok(()),
            Some(held) => Err(ScriptEnd::Held { reason: held.reason, instructions: held.instructions }),
        }
    }
}
