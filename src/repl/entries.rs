//! Going in and out of a run that is steered. Each entry is a replay: live up to where the run is to stop, or with
//! effects off, to stand where its record ends and look around. It carries out no command typed at a stop.

use super::ReplHost;
use super::conversation::{LeaveReason, OF_DOUBT, ON_AGAIN};
use super::gate::ReplGate;
use super::meant::typed_here;
use super::pages;
use super::session::ReplSession;
use super::standing::PreviousEnding;
use super::stop::Target;
use super::timeline::Timeline;
use crate::dispatch::{Dispatcher, Door, DriftCheck, Gate};
use crate::error::{Error, Kind, Result};
use crate::journal::Stored;
use crate::journal::history::History;
use crate::model::run::estate::EstateId;
use crate::model::run::record::{EffectId, Ending, Fact, Record, RollbackScope};
use crate::model::value::Fields;
use crate::script::evaluate::script_end::ScriptEnd;
use crate::script::evaluate::stage;
use crate::session::adoption::Adoption;
use crate::session::{self, Finished, OperatorRuling, Prepared, RunParts};
use std::cell::RefCell;
use std::rc::Rc;

/// How a session begins.
pub enum Start {
    /// With a new run of a runbook; one whose text is empty stands for none.
    Begin {
        /// Its parameters.
        params: Fields,
        /// Where it acts, as the journal has it.
        estate: EstateId,
    },
    /// With a run that exists.
    Run,
}

/// How a run is entered.
enum EntryMode {
    /// It begins, and goes on to its first stop.
    Begin(Fields, EstateId),
    /// It goes on.
    On,
    /// It goes on, and what failed is tried again; in tracks beside each other, these.
    Redo(Vec<EffectId>),
    /// It goes on with a person's word on what failed or is in doubt.
    Said(OperatorRuling),
    /// It goes on with edited texts, which the session has by now.
    Adopt(Adoption),
    /// It stands where its record ends.
    Look,
    /// The same, and a line is taken up again; what failed in it is asked for anew.
    Line(u32, Option<EffectId>),
}

/// What came of an entry.
struct EntryOutcome {
    /// Where the session is to go from here, if anybody said so.
    leave: Option<LeaveReason>,
    /// How the run stopped.
    finished: Finished,
    /// Somebody pressed Ctrl-C.
    interrupted: bool,
    /// What failed in tracks beside each other.
    beside: Vec<EffectId>,
}

/// Where a session goes after an entry.
enum AfterEntry {
    Enter(EntryMode),
    Out(Finished),
}

/// A session.
struct Session {
    prepared: Prepared,
    host: Rc<dyn ReplHost>,
    session: Rc<ReplSession>,
    params: Fields,
    /// What failed in tracks beside each other, to be tried again together.
    beside: Vec<EffectId>,
}

/// Steers a run until it is over or left. Gives how it stands then.
///
/// # Errors
/// When the run cannot be begun or read.
pub fn carry_on(prepared: Prepared, run: &str, start: Start, host: Rc<dyn ReplHost>) -> Result<Finished> {
    let (params, mut entry) = match start {
        Start::Begin { params, estate } => (params.clone(), EntryMode::Begin(params, estate)),
        Start::Run => {
            let history = History::read(&*host.store()?, run)?;
            if let Some(way) = history.way_back() {
                let goes = if *way == RollbackScope::Abort { "being given up" } else { "on its way back" };
                let error = Error::new(Kind::Refused, format!("run {run} is {goes}; it cannot be steered"));
                return Err(error.hint(format!("go on with it: baton resume {run}")));
            }
            (prepared.program.kept_params(&history.begun().params), EntryMode::Look)
        }
    };
    let session = Rc::new(ReplSession::new(&prepared, run, params.clone(), &host));
    let mut session = Session { prepared, host, session, params, beside: Vec::new() };
    loop {
        let left = session.enter(entry)?;
        match session.next(left)? {
            AfterEntry::Enter(next) => entry = next,
            AfterEntry::Out(finished) => return Ok(finished),
        }
    }
}

impl Session {
    /// Enters the run, and stays until it stops or is left.
    fn enter(&self, entry: EntryMode) -> Result<EntryOutcome> {
        let session = &self.session;
        session.begin_anew();
        let gate = Rc::new(ReplGate::new(session));
        let gates = vec![Rc::clone(&gate) as Rc<dyn Gate>];
        let mut parts = self.host.parts(gates, Box::new(session.timeline.clone()))?;
        let (stored, mut former) = match &entry {
            EntryMode::Begin(..) => (Vec::new(), None),
            EntryMode::On | EntryMode::Redo(_) | EntryMode::Said(_) | EntryMode::Adopt(_) => self.stored(&parts)?,
            EntryMode::Look | EntryMode::Line(..) => self.stored(&parts)?,
        };
        session::tell_again(&stored, &mut parts.sinks);
        let known = if stored.is_empty() { None } else { Some(History::from(stored)?) };
        let opening = self.opening(&entry, known.as_ref(), &mut parts)?;
        let live = match &entry {
            EntryMode::Begin(..) => session.written.has_runbook(),
            EntryMode::On | EntryMode::Redo(_) | EntryMode::Adopt(_) => true,
            EntryMode::Said(_) => former.as_ref().and_then(PreviousEnding::typed_line).is_none(),
            EntryMode::Look | EntryMode::Line(..) => false,
        };
        match entry {
            EntryMode::Line(n, _) => session.lines.take_up(Some(n)),
            // What is said of a line is no way for the run to have ended.
            EntryMode::Said(_) => {
                let line = former.take_if(|former| former.typed_line().is_some());
                session.lines.take_up(line.and_then(|line| line.typed_line()));
            }
            EntryMode::Begin(..) | EntryMode::On | EntryMode::Redo(_) | EntryMode::Adopt(_) | EntryMode::Look => {}
        }
        session.standing.enter(!opening.is_empty(), former.clone().filter(|_| !live));
        let drift = DriftCheck::new(self.prepared.inventory.pairs.values(), false);
        let door = session::open(&self.prepared, parts, known, &opening, drift)?;
        door.write(opening)?;
        gate.stand_at(&door);
        let end = self.drive(&door, &gate, live);
        let interrupted = door.halt_reason().is_some_and(|halt| halt.ending == Ending::Interrupted);
        let mut beside = Vec::new();
        if let ScriptEnd::Failed { beside: failed, .. } = &end {
            beside.clone_from(failed);
        }
        let finished = if live { session::finish(session.run.clone(), &door, end) } else { self.close(&door, former)? };
        Ok(EntryOutcome { leave: gate.left_for(), finished, interrupted, beside })
    }

    /// What is on record, and how the run ended last.
    fn stored(&self, parts: &RunParts) -> Result<(Vec<Stored>, Option<PreviousEnding>)> {
        let stored = parts.store.read(&self.session.run)?;
        let former = stored.iter().rev().find_map(|entry| {
            let Fact::Ended { ending, message, effect } = &entry.record.fact else { return None };
            Some(PreviousEnding { ending: *ending, message: message.clone(), effect: effect.clone() })
        });
        Ok((stored, former))
    }

    /// The records that an entry begins with.
    fn opening(&self, entry: &EntryMode, known: Option<&History>, parts: &mut RunParts) -> Result<Vec<Record>> {
        let history = match (entry, known) {
            (EntryMode::Begin(params, estate), _) => {
                return Ok(vec![session::first_record(&self.prepared, parts, params, estate)?]);
            }
            (EntryMode::Look, _) | (_, None) => return Ok(Vec::new()),
            (_, Some(history)) => history,
        };
        let (at, by) = (parts.world.now(), parts.by.clone());
        let verdict = match entry {
            EntryMode::Said(verdict) => verdict.clone(),
            EntryMode::Begin(..) | EntryMode::On | EntryMode::Redo(_) | EntryMode::Adopt(_) => OperatorRuling::Retry,
            EntryMode::Look | EntryMode::Line(..) => OperatorRuling::Retry,
        };
        let mut records = session::reopening(&self.session.run, history, verdict, &at, &by)?;
        let again = |id: &EffectId| Fact::Retry { id: id.clone() }.by(by.clone(), at.clone());
        match entry {
            EntryMode::Redo(beside) => {
                for retry in beside.iter().map(again) {
                    add(history, &mut records, retry);
                }
            }
            EntryMode::Said(_) => {}
            EntryMode::Adopt(adoption) => records.push(adoption.record(&self.prepared, &mut *parts.store, at, by)?),
            EntryMode::Line(_, failed) => {
                records.truncate(1);
                for retry in failed.iter().map(again) {
                    add(history, &mut records, retry);
                }
            }
            EntryMode::On | EntryMode::Begin(..) | EntryMode::Look => records.truncate(1),
        }
        Ok(records)
    }

    /// Runs the script on the main track; when effects are off, stands where the record ends.
    fn drive(&self, door: &Rc<Dispatcher>, gate: &Rc<ReplGate>, live: bool) -> ScriptEnd {
        let end = Rc::new(RefCell::new(ScriptEnd::Halted));
        let (program, inventory) = (Rc::clone(&self.prepared.program), Rc::clone(&self.prepared.inventory));
        let (params, frames, gate) = (self.params.clone(), self.session.lines.frames(), Rc::clone(gate));
        let (slot, door_inside) = (Rc::clone(&end), Rc::clone(door));
        door.set_replay_only(!live);
        door.drive(Box::new(move || {
            let script_door = Rc::clone(&door_inside) as Rc<dyn Door>;
            let ended = stage::run_watched(&program, script_door, inventory, params, Some(&frames));
            slot.replace(ended);
            if !live && !door_inside.is_halted() {
                door_inside.set_replay_only(false);
                gate.rest(&door_inside);
            }
        }));
        end.replace(ScriptEnd::Halted)
    }

    /// Closes a run that was only looked at: it ends as it had ended, if anything was written at all.
    fn close(&self, door: &Dispatcher, former: Option<PreviousEnding>) -> Result<Finished> {
        let run = &self.session.run;
        let left = || PreviousEnding { ending: Ending::Suspended, message: "left by hand".to_owned(), effect: None };
        let PreviousEnding { ending, message, effect } =
            match door.halt_reason().filter(|halt| halt.ending == Ending::Doubt) {
                Some(halt) => PreviousEnding { ending: halt.ending, message: halt.error.message, effect: halt.effect },
                None => former.unwrap_or_else(left),
            };
        if !self.session.standing.is_unopened() {
            door.close(ending, &message, effect)?;
        }
        match door.halt_reason().filter(|halt| halt.ending != Ending::Interrupted) {
            Some(halt) => {
                let exit_code = halt.error.kind.exit_code();
                Ok(Finished { run: run.clone(), ending: halt.ending, error: Some(halt.error), exit_code })
            }
            None if ending == Ending::RolledBack => Ok(session::undone_in_part(run, door.history())),
            None => Ok(session::stopped(run, ending, &message, door.has_changed())),
        }
    }

    /// Where the session goes from here.
    fn next(&mut self, left: EntryOutcome) -> Result<AfterEntry> {
        let session = Rc::clone(&self.session);
        self.beside = left.beside;
        let Some(leave) = left.leave else { return self.stopped(left.finished, left.interrupted) };
        Ok(AfterEntry::Enter(match leave {
            LeaveReason::Quit => {
                let finished = session.standing.take_over().unwrap_or(left.finished);
                return Ok(AfterEntry::Out(self.graded(finished)));
            }
            LeaveReason::On => EntryMode::On,
            LeaveReason::Redo => {
                session.rules.aim_at(self.past_failure());
                EntryMode::Redo(std::mem::take(&mut self.beside))
            }
            LeaveReason::Said(verdict) => match self.admits(&verdict) {
                Ok(()) => {
                    session.rules.aim_at(self.past_failure());
                    EntryMode::Said(verdict)
                }
                Err(error) => {
                    session.typist.refuse(&error);
                    EntryMode::Look
                }
            },
            LeaveReason::RedoLine(n) => {
                let failed = session.lines.take_broken().and_then(|line| line.failed);
                EntryMode::Line(n, failed)
            }
            LeaveReason::Edit => self.edited(),
            LeaveReason::Back(step) => {
                match self.host.go_back(&self.prepared, step.map_or(RollbackScope::All, RollbackScope::To)) {
                    Ok(finished) if finished.ending != Ending::RolledBack || self.is_over()? => {
                        return Ok(AfterEntry::Out(finished));
                    }
                    Ok(_) => {
                        session.standing.take_over();
                        EntryMode::Look
                    }
                    Err(error) => {
                        session.typist.refuse(&error);
                        EntryMode::Look
                    }
                }
            }
        }))
    }

    /// Whether this can be said of the run as it stands; the error names what can be typed instead.
    fn admits(&self, verdict: &OperatorRuling) -> Result<()> {
        let history = History::read(&*self.host.store()?, &self.session.run)?;
        session::admits(&self.session.run, &history, verdict).map_err(|why| {
            let error = Error::new(why.kind, why.message);
            ON_AGAIN.iter().fold(error, |error, way| error.hint(*way))
        })
    }

    /// The run came to its end, failed, or was interrupted.
    fn stopped(&mut self, finished: Finished, interrupted: bool) -> Result<AfterEntry> {
        let session = Rc::clone(&self.session);
        if let Some(over) = session.standing.take_over() {
            return Ok(AfterEntry::Out(self.graded(over)));
        }
        // Whoever sits there wants to see what it has come to; lines that were written beforehand are at their end.
        let is_asked = session.typist.is_asked();
        if finished.ending == Ending::Done && session.written.has_runbook() && self.host.is_person() && !is_asked {
            self.host.say("the run has come to its end. Look around: :steps, :vars, :p EXPR. Leave: :quit\n");
            session.standing.end_with(finished);
            return Ok(AfterEntry::Enter(EntryMode::Look));
        }
        let nobody_goes_on = is_asked || (interrupted && !self.host.is_person());
        if nobody_goes_on || finished.ending == Ending::Refused || self.is_over()? {
            return Ok(AfterEntry::Out(self.graded(finished)));
        }
        if interrupted {
            self.host.say(&format!("given up waiting\n{}", pages::under_way(&session)));
        } else if let Some(error) = finished.error {
            // The commands of the shell are for whoever has left; here a word is shorter.
            let here = if finished.ending == Ending::Doubt { OF_DOUBT } else { [].as_slice() };
            let mut error = here.iter().fold(error, |error, way| error.hint(*way));
            if matches!(finished.ending, Ending::Failed | Ending::Unmet | Ending::Bug) {
                error.hints.iter_mut().for_each(|hint| *hint = typed_here(&session.run, hint));
            }
            session.typist.refuse(&error);
        }
        Ok(AfterEntry::Enter(EntryMode::Look))
    }

    fn is_over(&self) -> Result<bool> {
        Ok(History::read(&*self.host.store()?, &self.session.run)?.is_final())
    }

    /// Where all went well but for a line or two, that shows in the exit code; a session without a runbook has no
    /// other one.
    fn graded(&self, mut finished: Finished) -> Finished {
        if !self.session.written.has_runbook() && finished.ending == Ending::Suspended {
            finished.error = None;
            finished.exit_code = 0;
        }
        if finished.exit_code == 0 {
            finished.exit_code = u8::from(self.session.typist.any_failed());
        }
        finished
    }

    /// To the step behind the one that failed; of several that failed beside each other, behind what they are part of.
    fn past_failure(&self) -> Target {
        let timeline = &self.session.timeline;
        let failed = timeline.fatal().into_iter().chain(self.beside.iter().cloned());
        let mut steps: Vec<String> = failed.filter_map(|id| timeline.step_of(&id)).collect();
        if steps.is_empty() {
            let last = timeline.steps().into_iter().max_by_key(|step| step.record);
            steps.extend(last.map(|step| step.number));
        }
        let common = steps.into_iter().reduce(|one, other| common(&one, &other).to_owned());
        Target::Step(common.filter(|step| !step.is_empty()))
    }

    /// The run goes on with an edited runbook, if there is one that fits.
    fn edited(&mut self) -> EntryMode {
        match self.adopt() {
            Ok(Some(adoption)) => return EntryMode::Adopt(adoption),
            Ok(None) => {}
            Err(error) => self.session.typist.refuse(&error),
        }
        EntryMode::Look
    }

    fn adopt(&mut self) -> Result<Option<Adoption>> {
        let (prepared, adoption) = self.host.edit(&self.prepared)?;
        if !adoption.differs {
            self.host.say("nothing was changed\n");
            return Ok(None);
        }
        let mut parts = self.host.parts(Vec::new(), Box::new(Timeline::default()))?;
        adoption.check_given_up(&mut *parts.world, &parts.run)?;
        let history = History::read(&*parts.store, &parts.run)?;
        self.params = prepared.program.kept_params(&history.begun().params);
        // What had failed outside steps is not tried again before it was seen.
        let timeline = &self.session.timeline;
        let failed = timeline.fatal();
        let outside = failed.is_some_and(|id| timeline.step_of(&id).is_none_or(|step| step.is_empty()));
        let aim = if outside { Target::Effect } else { Target::Step(None) };
        let edited = self.session.edited(&prepared, self.params.clone(), aim);
        (self.session, self.prepared) = (Rc::new(edited), prepared);
        Ok(Some(adoption))
    }
}

/// The step that two steps are part of; empty when there is none.
fn common<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.split('.').zip(other.split('.')).take_while(|(one, other)| one == other);
    let length: usize = same.map(|(part, _)| part.len() + 1).sum();
    &one[..length.saturating_sub(1)]
}

/// Adds a record to those that open a run, unless it cannot stand there or is there already.
fn add(history: &History, records: &mut Vec<Record>, record: Record) {
    let mut tried = history.clone();
    if tried.add(records.iter().chain([&record]).cloned()).is_ok() {
        records.push(record);
    }
}
