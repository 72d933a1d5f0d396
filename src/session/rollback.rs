//! The way back, put together: the script is replayed with effects off, which gives the plan; then the run goes back on
//! a track of its own. Until it does, nothing is written and nothing is asked of any host.

use super::{Finished, Parts, Prepared, Verdict};
use crate::dispatch::{Dispatcher, Door, SecondLook, Setup};
use crate::error::{Error, Kind, Result};
use crate::journal::Stored;
use crate::journal::history::History;
use crate::journal::way_back::Act;
use crate::model::event::Event;
use crate::model::record::{Ending, Moment, Record, TrackId, Way, Who};
use crate::script::program::ScriptEnd;
use crate::script::rollback::{Errand, Standing};
use crate::world::{Line, Link, Reply, Request};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A run that could go back.
pub struct Return {
    run: String,
    way: Way,
    door: Rc<Dispatcher>,
    standing: Rc<Standing>,
    opening: Vec<Record>,
    errand: Errand,
}

/// What a person wants of a way back.
#[derive(Debug, Clone)]
pub struct Wish {
    /// How far.
    pub way: Way,
    /// What they say of the effect in doubt.
    pub verdict: Verdict,
    /// Why they want it, for the record; may be empty.
    pub reason: String,
}

/// Makes a run ready to go back, and touches nothing.
///
/// # Errors
/// `Refused` when there is no way back, another one is under way, or the script departs from the record; `InDoubt` when
/// a doubt has to be settled first; `Usage` when there is no such step, or nothing in doubt to give a verdict on.
pub fn way_back(prepared: &Prepared, mut parts: Parts, wish: Wish) -> Result<Return> {
    let stored = parts.store.read(&parts.run)?;
    let last_seq = stored.last().map_or(0, |last| last.seq);
    let mut history = History::from(stored)?;
    let by = (parts.world.now(), parts.by.clone());
    let wish = Wish { way: named(&history, wish.way)?, ..wish };
    let way = wish.way.clone();
    let opening = opening(&parts.run, &history, wish, &by)?;
    let errand = Errand { undo_since: history.since(&way)?, owed: !matches!(way, Way::To(_)) };
    let opened = (last_seq + 1..).zip(&opening).map(|(seq, record)| Stored { seq, record: record.clone() });
    history.extend(opened.collect())?;
    let params = super::adoption::kept_params(&prepared.program, &history);
    let Parts { run, store, world, sinks, by, gates } = parts;
    let scanners = Rc::clone(&prepared.scanners);
    let (second_look, name) = (SecondLook::default(), run.clone());
    let setup = Setup { run: name, store, world, sinks, history, last_seq, scanners, gates, second_look, by };
    let door = Dispatcher::new(setup);
    let slot: Rc<RefCell<Option<Result<Standing>>>> = Rc::default();
    let (program, inventory) = (Rc::clone(&prepared.program), Rc::clone(&prepared.inventory));
    let (result, script_door) = (Rc::clone(&slot), Rc::clone(&door) as Rc<dyn Door>);
    door.wall(true);
    door.drive(Box::new(move || {
        result.replace(Some(Standing::replay(&program, script_door, inventory, params)));
    }));
    door.wall(false);
    if let Some(halt) = door.halt_reason() {
        return Err(halt.error);
    }
    let standing = slot.take().unwrap_or_else(|| Err(Error::new(Kind::Internal, "the script was not replayed")))?;
    Ok(Return { run, way, door, standing: Rc::new(standing), opening, errand })
}

/// Goes back, or further back where a former runner stopped.
///
/// # Errors
/// As [`way_back`], and when the first records cannot be written: nothing was touched then.
pub fn rollback(prepared: &Prepared, parts: Parts, way: &Way, verdict: Verdict) -> Result<Finished> {
    way_back(prepared, parts, Wish { way: way.clone(), verdict, reason: String::new() })?.go()
}

impl Return {
    /// What would be done, in this order, as far as the record tells.
    #[must_use]
    pub fn acts(&self) -> Vec<Act> {
        let steps = self.standing.steps();
        self.errand
            .undo_since
            .map_or_else(Vec::new, |since| self.door.history().acts_back(since, &steps, &BTreeMap::new()))
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
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Puts a prompt to whoever steers, before anything is done; none when nobody types.
    #[must_use]
    pub fn asks(&self, prompt: &str) -> Option<String> {
        let line = Rc::new(RefCell::new(None));
        let (slot, door, prompt) = (Rc::clone(&line), Rc::clone(&self.door), prompt.to_owned());
        self.door.drive(Box::new(move || {
            if let Ok(Reply::Line(Line::Typed(typed))) = door.call(Request::Line { prompt }) {
                slot.replace(Some(typed));
            }
        }));
        line.take()
    }

    /// Whether a former runner had begun to go.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.opening.iter().any(|record| matches!(record, Record::Opened { .. }))
    }

    /// Goes.
    ///
    /// # Errors
    /// When the first records cannot be written: nothing was touched then.
    pub fn go(self) -> Result<Finished> {
        let history = self.door.history();
        let before = history.records().len().saturating_sub(self.opening.len());
        for stored in history.records().iter().take(before) {
            self.door.emit(&Event::Recorded { seq: stored.seq, record: stored.record.clone(), replayed: true });
        }
        self.door.write(self.opening.clone())?;
        let track = TrackId::rollback(history.rollbacks());
        let end = Rc::new(RefCell::new(ScriptEnd::Halted));
        let (door, standing) = (Rc::clone(&self.door), Rc::clone(&self.standing));
        let (slot, errand) = (Rc::clone(&end), self.errand);
        self.door.drive(Box::new(move || {
            let inner = Rc::clone(&door);
            let body = move || drop(slot.replace(standing.go(inner.history(), errand)));
            // A halt is kept by the door.
            let _halted = door.aside(track, Box::new(body));
        }));
        let end = end.replace(ScriptEnd::Halted);
        Ok(self.finish(end))
    }

    fn finish(self, end: ScriptEnd) -> Finished {
        let Self { run, way, door, errand, .. } = self;
        let (ending, error, effect) = match (door.halt_reason(), end) {
            (Some(halt), _) => (halt.ending, Some(halt.error), halt.effect),
            (None, ScriptEnd::Done) => {
                (if way == Way::Abort { Ending::Aborted } else { Ending::RolledBack }, None, None)
            }
            (None, ScriptEnd::Failed { error, effect, .. }) => (Ending::Failed, Some(broken(&run, error)), effect),
            (None, ScriptEnd::Bug(error)) => (Ending::Bug, Some(broken(&run, error)), None),
            (None, ScriptEnd::Held { reason, instructions }) => {
                let error = Error::new(Kind::RollbackIncomplete, format!("the way back was held: {reason}"));
                let error = instructions.lines().fold(error, |error, line| error.cause(line));
                (Ending::Failed, Some(broken(&run, error)), None)
            }
            (None, ScriptEnd::Halted) => {
                let error = Error::new(Kind::Internal, "the way back was stopped for no recorded reason");
                (Ending::Interrupted, Some(error), None)
            }
        };
        let error = error.map(|error| incomplete(ending, error));
        let message = match (&error, &way) {
            (Some(error), _) => error.message.clone(),
            (None, Way::To(step)) => format!("as before step {step}; what it owes is still owed"),
            (None, Way::All | Way::Abort) => String::new(),
        };
        if let (Ending::RolledBack, Way::To(_), Some(since)) = (ending, &way, errand.undo_since) {
            door.keep(Record::Undone { since, at: door.moment() });
        }
        let unwritten = door.close(ending, &message, effect).err();
        let over = ending == Ending::Aborted || (ending == Ending::RolledBack && way == Way::All);
        if over && unwritten.is_none() {
            door.release();
        }
        let error = error.or(unwritten);
        let exit_code = match (&error, ending) {
            (Some(error), _) => error.kind.exit_code(),
            (None, Ending::Aborted) => Kind::Failed.exit_code(),
            (None, _) => Kind::RolledBack.exit_code(),
        };
        Finished { run, ending, error, exit_code }
    }
}

/// The way as it is recorded: a step by its number.
fn named(history: &History, way: Way) -> Result<Way> {
    match way {
        Way::To(step) => Ok(Way::To(history.stop(&step)?.number)),
        Way::All | Way::Abort => Ok(way),
    }
}

/// What stops a way back in its midst is never a plain failure: it has to be gone to its end.
fn incomplete(ending: Ending, mut error: Box<Error>) -> Box<Error> {
    if matches!(ending, Ending::Failed | Ending::Doubt | Ending::Bug) {
        error.kind = Kind::RollbackIncomplete;
    }
    error
}

fn broken(run: &str, error: Box<Error>) -> Box<Error> {
    error.hint(format!("put it right, then go on with the way back: baton resume {run}"))
}

/// The records that begin a way back or take it up again.
fn opening(
    run: &str,
    history: &History,
    Wish { way, verdict, reason: why }: Wish,
    (at, by): &(Moment, Who),
) -> Result<Vec<Record>> {
    let under_way = history.way_back();
    let mut records = Vec::new();
    match under_way {
        Some(_) if history.is_final() => return Err(back_already(run, history)),
        Some(other) if *other != way => return Err(other_way(run, other)),
        Some(_) => records.push(Record::Opened { at: at.clone(), by: by.clone() }),
        None if way == Way::Abort && history.is_final() => return Err(over_already(run)),
        None => closed(run, history, &way)?,
    }
    let said = match verdict {
        Verdict::Retry => None,
        Verdict::Happened(reason) => Some((true, reason)),
        Verdict::NotHappened(reason) => Some((false, reason)),
        Verdict::Skip(_) => return Err(nothing_is_skipped(run)),
    };
    match (history.any_doubt(), said) {
        (Some((past, _)), Some((happened, reason))) => {
            let (id, attempt) = (past.id, past.attempt);
            records.push(Record::Settled { id, attempt, happened, reason, at: at.clone(), by: by.clone() });
        }
        (None, Some(_)) => return Err(Error::new(Kind::Usage, format!("nothing in run {run} is in doubt"))),
        (Some(_), None) if way == Way::Abort => {}
        (Some((past, reason)), None) => return Err(doubtful(run, under_way.is_some(), &past.effect.label, reason)),
        (None, None) => {}
    }
    match under_way {
        Some(_) => records.extend(history.to_retry().into_iter().map(|id| Record::Retry {
            id,
            at: at.clone(),
            by: by.clone(),
        })),
        None => records.push(Record::Rollback { way, at: at.clone(), by: by.clone() }),
    }
    if !why.is_empty() {
        let (what, at, by) = ("the runbook was left".to_owned(), at.clone(), by.clone());
        records.push(Record::Deviation { what, reason: why, at, by });
    }
    Ok(records)
}

fn nothing_is_skipped(run: &str) -> Box<Error> {
    Error::new(Kind::Usage, "nothing of a way back is left out: it would not be known where it led")
        .hint(format!("put it right by hand if need be, then have it tried again: baton resume {run}"))
}

/// Refuses a way that leads across a point of no return.
fn closed(run: &str, history: &History, way: &Way) -> Result<()> {
    let Some((why, at)) = history.since(way)?.and_then(|since| history.no_return_since(since)) else { return Ok(()) };
    let when = jiff::Timestamp::from_millisecond(at.wall).map(|time| format!("{time:.0}")).unwrap_or_default();
    Err(Error::new(Kind::Refused, format!("there is no way back any more: {why}"))
        .cause(format!("the run passed its point of no return at {when}"))
        .hint("nothing was done")
        .hint("steps after it can still be undone: baton rollback --to STEP")
        .hint(format!("see what was done: baton show {run}")))
}

fn back_already(run: &str, history: &History) -> Box<Error> {
    let message = match history.way_back() {
        Some(Way::Abort) => format!("run {run} was given up"),
        Some(Way::All | Way::To(_)) | None => format!("run {run} is rolled back already"),
    };
    Error::new(Kind::Refused, message).hint("nothing was done").hint(format!("see what was done: baton show {run}"))
}

pub(super) fn over_already(run: &str) -> Box<Error> {
    Error::new(Kind::Refused, format!("run {run} is over; there is nothing to give up"))
        .hint(format!("undo what it changed: baton rollback {run}"))
}

fn other_way(run: &str, other: &Way) -> Box<Error> {
    let goes = match other {
        Way::All => "is being rolled back".to_owned(),
        Way::To(step) => format!("is being rolled back to before step {step}"),
        Way::Abort => "is being given up".to_owned(),
    };
    Error::new(Kind::Refused, format!("run {run} {goes}; that has to come to its end first"))
        .hint("nothing was done")
        .hint(format!("go on with it: baton resume {run}"))
}

fn doubtful(run: &str, under_way: bool, label: &str, reason: &str) -> Box<Error> {
    let (kind, command) = if under_way { (Kind::RollbackIncomplete, "resume") } else { (Kind::InDoubt, "rollback") };
    Error::new(kind, format!("`{label}` may or may not have happened; that has to be settled before going back"))
        .cause(reason)
        .hint("look at the host; baton does not guess")
        .hint(format!("if it happened:     baton {command} {run} --happened \"why you know\""))
        .hint(format!("if it did not:      baton {command} {run} --not-happened \"why you know\""))
}
