//! The way back, put together: the script is replayed with effects off, which gives the plan; then the run goes back on
//! a track of its own. Until it does, nothing is written and nothing is asked of any host.

use super::adoption::Adoption;
use super::ending::{Finished, gone_back, is_in_part, way_out};
use super::hearing::{self, StateSeen};
use super::opening::{RunParts, departures, open};
use super::replaying::{errand, stand, walk};
use super::texts::Prepared;
use super::verdict::{OperatorRuling, reopening};
use crate::dispatch::{Dispatcher, Door, DriftCheck};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::left_out::LeftOut;
use crate::journal::rollback_plan;
use crate::journal::rollback_plan::{RollbackStep, RollbackTarget};
use crate::model::run::event::Event;
use crate::model::run::record::{Ending, Fact, Moment, Record, RollbackScope, Who};
use crate::model::text::typed;
use crate::script::evaluate::rollback::{ReplayedScript, RollbackTask};
use crate::script::evaluate::script_end::ScriptEnd;
use crate::world::Line;
use crate::world::request::ReadLine;
use std::cell::RefCell;
use std::rc::Rc;

/// A run that could go back.
pub struct PreparedRollback {
    run: String,
    way: RollbackScope,
    door: Rc<Dispatcher>,
    standing: Rc<ReplayedScript>,
    opening: Vec<Record>,
    errand: RollbackTask,
}

/// What a person wants of a way back.
#[derive(Debug, Clone)]
pub struct RollbackRequest {
    /// How far.
    pub way: RollbackScope,
    /// What they say of the effect in doubt.
    pub verdict: OperatorRuling,
    /// What was seen when they said it, and does not bear it out.
    pub seen: Vec<StateSeen>,
    /// Why they want it, for the record; may be empty.
    pub reason: String,
}

impl RollbackRequest {
    /// To go this way, with nothing to be said.
    #[must_use]
    pub fn of(way: RollbackScope) -> Self {
        Self { way, verdict: OperatorRuling::Retry, seen: Vec::new(), reason: String::new() }
    }
}

/// Makes a run ready to go back, and touches nothing.
///
/// # Errors
/// `Refused` when there is no way back, another one is under way, or the script departs from the record; `InDoubt` when
/// a doubt has to be settled first; `Usage` when there is no such step, or nothing in doubt to give a verdict on.
pub fn way_back(prepared: &Prepared, parts: RunParts, wish: RollbackRequest) -> Result<PreparedRollback> {
    way_back_with(prepared, parts, wish, None)
}

/// The same from other texts than those on record, which fit them.
pub(super) fn way_back_with(
    prepared: &Prepared,
    mut parts: RunParts,
    wish: RollbackRequest,
    adoption: Option<Adoption>,
) -> Result<PreparedRollback> {
    let history = History::from(parts.store.read(&parts.run)?)?;
    let by = (parts.world.now(), parts.by.clone());
    let see =
        |error: Box<Error>| error.hint(format!("see all steps, and what each of them did: baton show {}", parts.run));
    let wish = RollbackRequest { way: named(&history, wish.way).map_err(see)?, ..wish };
    let way = wish.way.clone();
    let mut opening = opening(&parts.run, &history, wish, &by)?;
    opening.extend(departures(&parts, &by.0));
    if let Some(adoption) = adoption.filter(|adoption| adoption.differs) {
        adoption.check_given_up(&mut *parts.world, &parts.run)?;
        opening.push(adoption.record(prepared, &mut *parts.store, by.0, by.1)?);
    }
    let errand = errand(&history, &way)?;
    let (run, params) = (parts.run.clone(), prepared.program.kept_params(&history.begun().params));
    let door = open(prepared, parts, Some(history), &opening, DriftCheck::default())?;
    let standing = stand(prepared, &door, params)?;
    Ok(PreparedRollback { run, way, door, standing: Rc::new(standing), opening, errand })
}

/// Goes back, or further back where a former runner stopped.
///
/// # Errors
/// As [`way_back`], and when the first records cannot be written: nothing was touched then.
pub fn rollback(
    prepared: &Prepared,
    parts: RunParts,
    way: &RollbackScope,
    verdict: OperatorRuling,
) -> Result<Finished> {
    way_back(prepared, parts, RollbackRequest { verdict, ..RollbackRequest::of(way.clone()) })?.go()
}

impl PreparedRollback {
    /// What would be done, in this order, as far as the record tells.
    #[must_use]
    pub fn acts(&self) -> Vec<RollbackStep> {
        self.still().0
    }

    /// How many steps of it are done or left out already.
    #[must_use]
    pub fn gone(&self) -> usize {
        self.still().1
    }

    fn still(&self) -> (Vec<RollbackStep>, usize) {
        let history = self.door.history();
        self.errand.undo_since.map_or((Vec::new(), 0), |since| self.standing.still(history, since))
    }

    /// What the script owes and would be done after that, newest first.
    #[must_use]
    pub fn owes(&self) -> Vec<String> {
        if self.errand.owed { self.standing.owes() } else { Vec::new() }
    }

    /// The record of the run.
    #[must_use]
    pub fn history(&self) -> &History {
        self.door.history()
    }

    /// How far it goes.
    #[must_use]
    pub fn way(&self) -> &RollbackScope {
        &self.way
    }

    /// Puts a prompt to whoever steers, before anything is done; none when nobody types.
    #[must_use]
    pub fn asks(&self, prompt: &str) -> Option<String> {
        let line = Rc::new(RefCell::new(None));
        let (slot, door, prompt) = (Rc::clone(&line), Rc::clone(&self.door), prompt.to_owned());
        self.door.drive(Box::new(move || {
            if let Ok(Ok(Line::Typed(typed))) = door.link().ask(ReadLine { prompt }) {
                slot.replace(Some(typed));
            }
        }));
        line.take()
    }

    /// Whether who was asked pressed Ctrl-C, or their terminal went away.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.door.halt_reason().is_some_and(|halt| halt.ending == Ending::Interrupted)
    }

    /// Whether a former runner had begun to go.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.opening.iter().any(|record| matches!(record.fact, Fact::Opened))
    }

    /// Goes back, as the record has it to.
    ///
    /// # Errors
    /// When the first records cannot be written: nothing was touched then.
    pub fn go(self) -> Result<Finished> {
        let history = self.door.history();
        let before = history.records().len().saturating_sub(self.opening.len());
        for stored in history.records().iter().take(before) {
            self.door.emit(&Event::Recorded { seq: stored.seq, record: Rc::clone(&stored.record), replayed: true });
        }
        self.door.write(self.opening.clone())?;
        let end = walk(&self.door, &self.standing, self.errand);
        Ok(self.finish(end))
    }

    fn finish(self, end: ScriptEnd) -> Finished {
        let Self { run, way, door, errand, standing, .. } = self;
        let (ending, error, effect) = match (door.halt_reason(), end) {
            (Some(halt), _) => (halt.ending, Some(halt.error), halt.effect),
            (None, ScriptEnd::Done) => {
                (if way == RollbackScope::Abort { Ending::Aborted } else { Ending::RolledBack }, None, None)
            }
            (None, ScriptEnd::Failed { error, effect, .. }) => {
                (Ending::Failed, Some(broken(&run, &way, Ending::Failed, error)), effect)
            }
            (None, ScriptEnd::Bug(error)) => (Ending::Bug, Some(broken(&run, &way, Ending::Bug, error)), None),
            (None, ScriptEnd::Held { reason, instructions }) => {
                let error = Error::new(Kind::RollbackIncomplete, format!("the way back was held: {reason}"));
                let error = instructions.lines().fold(error, |error, line| error.cause(line));
                (Ending::Failed, Some(broken(&run, &way, Ending::Failed, error)), None)
            }
            (None, ScriptEnd::Halted) => {
                let error = Error::new(Kind::Internal, "the way back was stopped for no recorded reason");
                (Ending::Interrupted, Some(error), None)
            }
        };
        let error = error.map(|error| incomplete(ending, error));
        let left_out = door.recorded_now().map(|history| is_in_part(&history, errand.undo_since)).unwrap_or(true);
        let message = match (&error, &way) {
            (Some(error), _) => error.message.clone(),
            (None, RollbackScope::To(step)) => undone_to(door.history(), step, left_out, !standing.owes().is_empty()),
            (None, RollbackScope::All | RollbackScope::Abort) => String::new(),
        };
        if let (Ending::RolledBack, RollbackScope::To(_), Some(since)) = (ending, &way, errand.undo_since) {
            door.keep(Fact::Undone { since }.at(door.moment()));
        }
        let unwritten = door.close(ending, &message, effect).err();
        let over = ending == Ending::Aborted || (ending == Ending::RolledBack && way == RollbackScope::All);
        if over && unwritten.is_none() {
            door.release();
        }
        let error = error.or(unwritten);
        let exit_code = match (&error, ending) {
            (Some(error), _) => error.kind.exit_code(),
            (None, Ending::Aborted) => Kind::Failed.exit_code(),
            (None, _) => gone_back(left_out).exit_code(),
        };
        Finished { run, ending, error, exit_code }
    }
}

/// How a run stands that was undone to before a step: what is still in force.
fn undone_to(history: &History, step: &str, left_out: bool, owes: bool) -> String {
    let stops = rollback_plan::stops(history);
    let stop = stops.iter().find(|stop| stop.number == step || stop.name == step);
    let named = stop.map_or_else(|| step.to_owned(), |stop| format!("{} `{}`", stop.number, stop.name));
    let mut told = if left_out {
        vec![format!("the run is back before step {named}, but not as before it: something was left out")]
    } else {
        vec![format!("the run is as before step {named}: that step and what followed it is undone")]
    };
    // Of nested steps the outermost, which are those that people count.
    let stands = |before: &&RollbackTarget| {
        let is_around = |stop: &RollbackTarget| stop.number.split('.').next() == Some(before.number.as_str());
        !before.number.contains('.') && stop.is_some_and(|stop| before.seq < stop.seq && !is_around(stop))
    };
    let before: Vec<&str> = stops.iter().filter(stands).map(|stop| stop.number.as_str()).collect();
    match before.as_slice() {
        [] => {}
        [one] => told.push(format!("step {one} still stands as it was done")),
        several => told.push(format!("the {} steps before it still stand as they were done", several.len())),
    }
    if owes {
        told.push("what it owes is still owed".to_owned());
    }
    told.join("; ")
}

/// The way as it is recorded: a step by its number or, where steps of several batches share one, by its name.
fn named(history: &History, way: RollbackScope) -> Result<RollbackScope> {
    match way {
        RollbackScope::To(step) => {
            let stop = rollback_plan::stop(history, &step)?;
            let alone = rollback_plan::stop(history, &stop.number).is_ok_and(|same| same == stop);
            Ok(RollbackScope::To(if alone { stop.number } else { stop.name }))
        }
        RollbackScope::All | RollbackScope::Abort => Ok(way),
    }
}

/// What stops a way back in its midst is never a plain failure: it has to be gone to its end.
fn incomplete(ending: Ending, mut error: Box<Error>) -> Box<Error> {
    if matches!(ending, Ending::Failed | Ending::Doubt | Ending::Bug) {
        error.kind = Kind::RollbackIncomplete;
    }
    error
}

/// What can be done about a way back that broke off, or about giving a run up.
fn broken(run: &str, way: &RollbackScope, ending: Ending, error: Box<Error>) -> Box<Error> {
    let goes = if *way == RollbackScope::Abort { "giving it up" } else { "the way back" };
    let error = if ending == Ending::Bug {
        // As it is, it would come to the same.
        error.hint(format!("edit the runbook, then go on with {goes}: baton resume {run} --adopt-edited"))
    } else {
        error
            .hint(format!("put it right, then go on with {goes}: baton resume {run}"))
            .hint(format!("if the runbook is wrong, edit it, then: baton resume {run} --adopt-edited"))
    };
    let error = error
        .hint(format!("leave out what failed: baton resume {run} --skip \"why\""))
        .hint(format!("it is done by hand: baton resume {run} --done \"how you know\""));
    if *way == RollbackScope::Abort {
        return error;
    }
    error.hint(format!("undo nothing more: baton abort {run} --reason \"why\""))
}

/// The records that begin a way back or take it up again.
fn opening(
    run: &str,
    history: &History,
    RollbackRequest { way, verdict, seen, reason: why }: RollbackRequest,
    (at, by): &(Moment, Who),
) -> Result<Vec<Record>> {
    let seen = hearing::records(seen, &verdict, at, by);
    let mut records = match history.way_back() {
        Some(_) if history.is_final() => return Err(back_already(run, history)),
        // What is in doubt on the way back stays so: nothing more is undone.
        Some(other) if way == RollbackScope::Abort && *other != way => given_up(at, by),
        Some(other) if *other != way => return Err(other_way(run, other)),
        Some(_) => {
            if let Some((past, reason)) = rollback_plan::any_doubt(history).filter(|_| verdict == OperatorRuling::Retry)
            {
                return Err(doubtful(run, history, &way, &past.effect.label, reason));
            }
            reopening(run, history, verdict, at, by)?
        }
        None if way == RollbackScope::Abort && history.is_final() => return Err(over_already(run)),
        None => begins(run, history, way, verdict, (at, by))?,
    };
    records.extend(seen);
    if !why.is_empty() {
        let (what, at, by) = ("the runbook was left".to_owned(), at.clone(), by.clone());
        records.push(Fact::Deviation { what, reason: why, hosts: Vec::new() }.by(by, at));
    }
    Ok(records)
}

fn given_up(at: &Moment, by: &Who) -> Vec<Record> {
    vec![Fact::Rollback { way: RollbackScope::Abort }.by(by.clone(), at.clone())]
}

/// The records that begin a way back.
fn begins(
    run: &str,
    history: &History,
    way: RollbackScope,
    verdict: OperatorRuling,
    (at, by): (&Moment, &Who),
) -> Result<Vec<Record>> {
    closed(run, history, &way)?;
    let said = match verdict {
        OperatorRuling::Retry => None,
        OperatorRuling::Happened(reason) => Some((true, reason)),
        OperatorRuling::NotHappened(reason) => Some((false, reason)),
        OperatorRuling::Skip(_) => return Err(nothing_is_skipped(run)),
    };
    let mut records = Vec::new();
    match (rollback_plan::any_doubt(history), said) {
        (Some((past, _)), Some((happened, reason))) => {
            let (id, attempt) = (past.id, past.attempt);
            records.push(Fact::Settled { id, attempt, happened, reason }.by(by.clone(), at.clone()));
        }
        (None, Some(_)) => {
            return Err(Error::new(Kind::Usage, format!("nothing in run {run} is in doubt"))
                .hint(format!("take it back without that: baton rollback {run}")));
        }
        (Some(_), None) if way == RollbackScope::Abort => {}
        (Some((past, reason)), None) => return Err(doubtful(run, history, &way, &past.effect.label, reason)),
        (None, None) => {}
    }
    records.push(Fact::Rollback { way }.by(by.clone(), at.clone()));
    Ok(records)
}

fn nothing_is_skipped(run: &str) -> Box<Error> {
    Error::new(Kind::Usage, "nothing of a way back is left out before it has failed")
        .hint(format!("begin it: baton rollback {run}"))
}

/// Refuses a way that leads across a point of no return.
fn closed(run: &str, history: &History, way: &RollbackScope) -> Result<()> {
    let Some((why, at)) =
        rollback_plan::since(history, way)?.and_then(|since| rollback_plan::no_return_since(history, since))
    else {
        return Ok(());
    };
    let when = at.wall.timestamp().map(|time| format!("{time:.0}")).unwrap_or_default();
    let error = Error::new(Kind::Refused, format!("there is no way back any more: {why}"))
        .cause(format!("the run passed its point of no return at {when}"))
        .hint("nothing was done");
    let error = way_out(run, history).into_iter().fold(error, Error::hint);
    Err(error.hint(format!("see what was done: baton show {run}")))
}

fn back_already(run: &str, history: &History) -> Box<Error> {
    let message = match history.way_back() {
        Some(RollbackScope::Abort) => format!("run {run} was given up"),
        Some(RollbackScope::All | RollbackScope::To(_)) | None if LeftOut::of(history).is_something() => {
            format!("run {run} is rolled back already, but for what was left out")
        }
        Some(RollbackScope::All | RollbackScope::To(_)) | None => format!("run {run} is rolled back already"),
    };
    Error::new(Kind::Refused, message).hint("nothing was done").hint(format!("see what was done: baton show {run}"))
}

pub(super) fn over_already(run: &str) -> Box<Error> {
    Error::new(Kind::Refused, format!("run {run} is over; there is nothing to give up"))
        .hint(format!("undo what it changed: baton rollback {run}"))
}

fn other_way(run: &str, other: &RollbackScope) -> Box<Error> {
    let goes = match other {
        RollbackScope::All => "is being rolled back".to_owned(),
        RollbackScope::To(step) => format!("is being rolled back to before step {step}"),
        RollbackScope::Abort => "is being given up".to_owned(),
    };
    Error::new(Kind::Refused, format!("run {run} {goes}; that has to come to its end first"))
        .hint("nothing was done")
        .hint(format!("go on with it: baton resume {run}"))
}

fn doubtful(run: &str, history: &History, way: &RollbackScope, label: &str, reason: &str) -> Box<Error> {
    let (kind, command) = match (history.way_back(), way) {
        (Some(_), _) => (Kind::RollbackIncomplete, format!("resume {run}")),
        (None, RollbackScope::To(step)) => (Kind::InDoubt, format!("rollback {run} --to {}", typed(step))),
        (None, RollbackScope::All | RollbackScope::Abort) => (Kind::InDoubt, format!("rollback {run}")),
    };
    Error::new(kind, format!("`{label}` may or may not have happened; that has to be settled before going back"))
        .cause(reason)
        .hint("look at the host; baton does not guess")
        .hint(format!("if it happened:     baton {command} --happened \"why you know\""))
        .hint(format!("if it did not:      baton {command} --not-happened \"why you know\""))
}
