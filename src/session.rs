//! The composition root: puts a run together from texts, a store, a world and sinks, carries it out and says how
//! it ended. The only file that knows every concrete part; it takes no decision about steps.

pub mod adoption;
mod hearing;
mod kept_values;
mod rollback;
mod said;
mod takeover;
mod verdict;
mod write_off;

pub use hearing::{StateSeen, hear};
pub(crate) use rollback::undone_in_part;
pub use rollback::{PreparedRollback, RollbackRequest, rollback, way_back};
pub use said::{log_of, said};
pub use takeover::Takeover;
pub(crate) use verdict::reopening;
pub use verdict::{OperatorRuling, admits};
pub use write_off::write_off;

use crate::dispatch::{Dispatcher, Door, Gate, SecondLook, Setup};
use crate::error::{Error, Kind, Result};
use crate::exec::Scanners;
use crate::journal::history::History;
use crate::journal::{Store, Stored};
use crate::model::run::estate::EstateId;
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{Ending, FORMAT, Fact, Moment, Record, SourceName, Who};
use crate::model::run::steering::Steering;
use crate::model::site::inventory::Inventory;
use crate::model::value::Fields;
use crate::script::program::{self, Program, ScriptEnd};
use crate::script::sources::Sources;
use crate::world::World;
use adoption::Adoption;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The texts a run is made of, by name: what its snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The runbook's name.
    pub runbook: String,
    /// The runbook, its modules, the inventory and the profiles it names.
    pub files: BTreeMap<SourceName, String>,
}

impl Texts {
    /// The inventory: its file and its text.
    #[must_use]
    pub fn inventory(&self) -> Option<(&str, &str)> {
        self.files.iter().find_map(|(name, text)| Some((name.inventory()?, text.as_str())))
    }
}

/// A run that could be carried out: compiled, its inventory checked. Clones share all but the texts.
#[derive(Clone)]
pub struct Prepared {
    /// What it is made of.
    pub texts: Texts,
    /// The compiled runbook.
    pub program: Rc<Program>,
    /// The site.
    pub inventory: Rc<Inventory>,
    /// The scanners of logs it has needed so far.
    pub scanners: Rc<Scanners>,
}

/// How a run ended, for the exit code and the last lines on the screen.
#[derive(Debug)]
pub struct Finished {
    /// The run.
    pub run: String,
    /// How.
    pub ending: Ending,
    /// What to tell, unless it is done.
    pub error: Option<Box<Error>>,
    /// The exit code of the process.
    pub exit_code: u8,
}

/// The parts a run is carried out with.
pub struct RunParts {
    /// The run.
    pub run: String,
    /// Where its record is kept.
    pub store: Box<dyn Store>,
    /// Where it acts.
    pub world: Box<dyn World>,
    /// Who is told.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Who carries it out.
    pub by: Who,
    /// Who is asked before steps and effects, in this order.
    pub gates: Vec<Rc<dyn Gate>>,
    /// How the run is to be steered from now on, if anybody said so.
    pub steering: Option<Steering>,
}

/// Collects everything a runbook and an inventory refer to.
///
/// # Errors
/// `Script` or `Inventory` errors with their place; nothing is touched.
pub fn gather(
    runbook: &str,
    text: &str,
    inventory: (&str, &str),
    read_module: &mut dyn FnMut(&str) -> Option<String>,
    read_profile: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Texts> {
    let mut files = Sources::collect(runbook, text, read_module)?.files;
    let (file, inventory_text) = inventory;
    let mut profiles = BTreeMap::new();
    Inventory::parse(inventory_text, file, &mut |product| {
        let text = read_profile(product)?;
        profiles.insert(SourceName::Profile(product.to_owned()), text.clone());
        Some(text)
    })?;
    files.append(&mut profiles);
    files.insert(SourceName::Inventory(file.to_owned()), inventory_text.to_owned());
    Ok(Texts { runbook: runbook.to_owned(), files })
}

/// Compiles and checks the texts of a run.
///
/// # Errors
/// `Script` or `Inventory` errors with their place.
pub fn prepare(texts: Texts) -> Result<Prepared> {
    let scripts = texts.files.iter().filter(|(name, _)| name.is_script());
    let files = scripts.map(|(name, text)| (name.clone(), text.clone())).collect();
    let program = Program::compile(&Sources { runbook: texts.runbook.clone(), files })?;
    let inventory = Rc::new(site(&texts)?);
    Ok(Prepared { texts, program, inventory, scanners: Rc::default() })
}

/// The site that the texts of a run describe.
///
/// # Errors
/// `Inventory` errors with their place.
pub fn site(texts: &Texts) -> Result<Inventory> {
    match texts.inventory() {
        Some((file, text)) => Inventory::parse(text, file, &mut |product| {
            texts.files.get(&SourceName::Profile(product.to_owned())).cloned()
        }),
        None => Ok(Inventory::default()),
    }
}

/// The texts of a run: as they were when it began, or those adopted since.
///
/// # Errors
/// `Refused` when one of them is missing or damaged.
pub fn snapshot(store: &dyn Store, history: &History) -> Result<Texts> {
    let mut files = BTreeMap::new();
    for (name, digest) in history.sources() {
        files.insert(name.clone(), store.source(digest)?);
    }
    Ok(Texts { runbook: history.begun().runbook.clone(), files })
}

/// Carries out a new run.
///
/// # Errors
/// When its first records cannot be written: nothing was touched then.
pub fn begin(prepared: &Prepared, mut parts: RunParts, params: Fields, estate: &EstateId) -> Result<Finished> {
    let begun = first_record(prepared, &mut parts, &params, estate)?;
    let at = parts.world.now();
    let opening: Vec<Record> = std::iter::once(begun).chain(departures(&parts, &at)).collect();
    let history =
        History::from((1..).zip(&opening).map(|(seq, record)| Stored { seq, record: record.clone() }).collect())?;
    carry_out(prepared, parts, history, 0, opening, params, SecondLook::default()).map_err(not_begun)
}

/// How this runner is steered, and how it departs from the runbook by the gates it was given.
fn departures(parts: &RunParts, at: &Moment) -> Vec<Record> {
    let (when, who) = (|| at.clone(), || parts.by.clone());
    let steering = parts.steering.clone().map(|steering| Fact::Steered { steering }.by(who(), when()));
    let told = parts.gates.iter().filter_map(|gate| gate.departure());
    let told = told.map(|what| Fact::Deviation { what, reason: String::new(), hosts: Vec::new() }.by(who(), when()));
    steering.into_iter().chain(told).collect()
}

/// The record that begins a run; the texts it names are stored.
///
/// # Errors
/// When a text cannot be stored.
pub(crate) fn first_record(
    prepared: &Prepared,
    parts: &mut RunParts,
    params: &Fields,
    estate: &EstateId,
) -> Result<Record> {
    let mut sources = BTreeMap::new();
    for (name, text) in &prepared.texts.files {
        sources.insert(name.clone(), parts.store.put_source(text).map_err(|error| not_begun(error.into()))?);
    }
    Ok(Fact::Begun {
        format: FORMAT,
        baton: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: prepared.texts.runbook.clone(),
        sources,
        params: params.clone(),
        estate: estate.clone(),
    }
    .by(parts.by.clone(), parts.world.now()))
}

/// The first records could not be written: there is no run, and nothing was touched.
fn not_begun(mut error: Box<Error>) -> Box<Error> {
    if error.kind == Kind::Failed {
        error.kind = Kind::Precondition;
        error.hints = vec!["nothing was touched: put it right, or name another folder with `--state DIR`".to_owned()];
    }
    error
}

/// Takes a run up again where its record stands. `verdict` is what a person says of the effect at which it stopped.
///
/// # Errors
/// `Refused` when its record is damaged; `Usage` when there is nothing to give such a verdict on.
pub fn resume(prepared: &Prepared, parts: RunParts, verdict: OperatorRuling) -> Result<Finished> {
    resume_on(prepared, parts, ResumeTerms { verdict, ..ResumeTerms::default() })
}

/// On what terms a run is taken up again.
#[derive(Debug, Default)]
pub struct ResumeTerms {
    /// What a person says of the effect at which it stopped.
    pub verdict: OperatorRuling,
    /// What was seen when they said it, and does not bear it out.
    pub seen: Vec<StateSeen>,
    /// Why a person goes on although a guard was decided by something that is otherwise now.
    pub drift: Option<String>,
    /// The texts it is prepared from are others than those on record, and fit them.
    pub adoption: Option<Adoption>,
}

/// Takes a run up again on these terms.
///
/// # Errors
/// As above; `Usage` also when nothing has drifted, `Refused` when what is given up still runs.
pub fn resume_on(prepared: &Prepared, mut parts: RunParts, terms: ResumeTerms) -> Result<Finished> {
    let mut stored = parts.store.read(&parts.run)?;
    let last_seq = stored.last().map_or(0, |last| last.seq);
    let known = History::from(stored.clone())?;
    if let Some(way) = known.way_back().filter(|_| !known.is_final()) {
        let wish = RollbackRequest { verdict: terms.verdict, seen: terms.seen, ..RollbackRequest::of(way.clone()) };
        return rollback::way_back_with(prepared, parts, wish, terms.adoption)?.go();
    }
    tell_again(&mut stored, &mut parts.sinks);
    let mut history = History::from(stored)?;
    if let Some(finished) = over(&parts.run, &history) {
        return Ok(finished);
    }
    let params = prepared.program.kept_params(&history.begun().params);
    let (at, by) = (parts.world.now(), parts.by.clone());
    let seen = hearing::records(terms.seen, &terms.verdict, &at, &by);
    let reopening = if terms.adoption.is_some() { verdict::reopening_edited } else { verdict::reopening };
    let mut opening = reopening(&parts.run, &history, terms.verdict, &at, &by)?;
    opening.extend(seen);
    opening.extend(departures(&parts, &at));
    let second_look = SecondLook::new(prepared.inventory.pairs.values(), terms.drift.is_some());
    if let Some(reason) = terms.drift {
        opening.push(accepted_drift(&parts.run, &history, reason, &at, &by)?);
    }
    if let Some(adoption) = terms.adoption.filter(|adoption| adoption.differs) {
        adoption.check_given_up(&mut *parts.world, &parts.run)?;
        opening.push(adoption.record(prepared, &mut *parts.store, at, by)?);
    }
    let opened = (last_seq + 1..).zip(&opening).map(|(seq, record)| Stored { seq, record: record.clone() });
    history.extend(opened.collect())?;
    carry_out(prepared, parts, history, last_seq, opening, params, second_look)
}

/// Tells the sinks what was recorded before. A record is lent to the event and taken back: long runs have many.
pub(crate) fn tell_again(stored: &mut [Stored], sinks: &mut [Box<dyn Sink>]) {
    for Stored { seq, record } in stored {
        let lent = std::mem::replace(record, Fact::Opened.by(Who::default(), Moment::default()));
        let event = Event::Recorded { seq: *seq, record: lent, replayed: true };
        sinks.iter_mut().for_each(|sink| sink.event(&event));
        if let Event::Recorded { record: lent, .. } = event {
            *record = lent;
        }
    }
}

/// The record of a person who goes on in spite of a drift.
fn accepted_drift(run: &str, history: &History, reason: String, at: &Moment, by: &Who) -> Result<Record> {
    let Some(past) = history.drifted() else {
        let error = Error::new(Kind::Usage, format!("nothing in run {run} has drifted"));
        return Err(verdict::again(run, history, error));
    };
    let what = format!("accepted that {} is not what a guard was decided by", past.effect.label);
    Ok(Fact::Deviation { what, reason, hosts: Vec::new() }.by(by.clone(), at.clone()))
}

fn carry_out(
    prepared: &Prepared,
    parts: RunParts,
    history: History,
    last_seq: u64,
    opening: Vec<Record>,
    params: Fields,
    second_look: SecondLook,
) -> Result<Finished> {
    let RunParts { run, store, world, sinks, by, gates, steering: _ } = parts;
    let scanners = Rc::clone(&prepared.scanners);
    let setup = Setup { run: run.clone(), store, world, sinks, history, last_seq, scanners, gates, second_look, by };
    let door = Dispatcher::new(setup);
    door.write(opening)?;
    let end = perform(prepared, &door, params.clone());
    let mut finished = finish(run, &door, end);
    // Where a host failed the value is most likely sound, and whoever is in the midst of a change must not give up.
    if let (Ending::Unmet | Ending::Bug, Some(error)) = (finished.ending, &mut finished.error) {
        kept_values::tell(error, &params, &finished.run);
    }
    Ok(finished)
}

/// Runs the script on the main track.
fn perform(prepared: &Prepared, door: &Rc<Dispatcher>, params: Fields) -> ScriptEnd {
    let end = Rc::new(RefCell::new(ScriptEnd::Halted));
    let (program, inventory) = (Rc::clone(&prepared.program), Rc::clone(&prepared.inventory));
    let (slot, script_door) = (Rc::clone(&end), Rc::clone(door) as Rc<dyn Door>);
    let lines_door = Rc::clone(door);
    door.drive(Box::new(move || {
        // What was typed in the REPL and is under way comes to its end before anything is done beside it.
        if lines_door.settle_typed().is_ok() {
            slot.replace(program::run(&program, script_door, inventory, params));
        }
    }));
    end.replace(ScriptEnd::Halted)
}

/// Says how the run ended, and writes it down.
pub(crate) fn finish(run: String, door: &Rc<Dispatcher>, end: ScriptEnd) -> Finished {
    let touched = door.has_changed();
    let (ending, error, effect) = match (door.halt_reason(), end) {
        (Some(halt), _) => (halt.ending, Some(halt.error), halt.effect),
        (None, ScriptEnd::Done) => match door.check_exhausted() {
            Ok(()) => (Ending::Done, None, None),
            Err(error) => (Ending::Refused, Some(error), None),
        },
        (None, ScriptEnd::Held { reason, instructions }) => {
            (Ending::Held, Some(held(&run, reason, &instructions)), None)
        }
        (None, ScriptEnd::Failed { mut error, effect, guard, owed, .. }) => {
            let ending = if guard && !touched { Ending::Unmet } else { Ending::Failed };
            error.kind = if ending == Ending::Unmet { Kind::Precondition } else { Kind::Failed };
            let error = next_after_failure(&run, ending, error, (&owed, way_out(&run, door)));
            (ending, Some(if effect.is_none() { after_leaving_out(&run, door, ending, error) } else { error }), effect)
        }
        (None, ScriptEnd::Bug(mut error)) => {
            error.kind = if touched { Kind::Failed } else { Kind::Script };
            let after =
                |error| after_leaving_out(&run, door, Ending::Bug, after_mistake(&run, error, way_out(&run, door)));
            (Ending::Bug, Some(if touched { after(error) } else { error }), None)
        }
        (None, ScriptEnd::Halted) => (
            Ending::Interrupted,
            Some(Error::new(Kind::Internal, "the script was stopped for no recorded reason")),
            None,
        ),
    };
    let message = error.as_ref().map_or_else(String::new, |error| in_words(ending, error));
    let unwritten = door.close(ending, &message, effect).err();
    if matches!(ending, Ending::Done | Ending::Held) && unwritten.is_none() {
        door.release();
    }
    let error = error.or(unwritten);
    let exit_code = error.as_ref().map_or(0, |error| error.kind.exit_code());
    Finished { run, ending, error, exit_code }
}

/// How a run ended that is over: its runner may have died after the last record was written. Nothing else is done.
#[must_use]
pub fn over(run: &str, history: &History) -> Option<Finished> {
    let Fact::Ended { ending, message, .. } = history.last()? else { return None };
    if !history.is_final() {
        return None;
    }
    let (reason, instructions) = message.split_once('\n').unwrap_or((message, ""));
    let error = (*ending == Ending::Held).then(|| held(run, reason.to_owned(), instructions));
    let exit_code = match ending {
        Ending::RolledBack => rollback::gone_back(rollback::is_in_part(history, Some(0))).exit_code(),
        Ending::Aborted => Kind::Failed.exit_code(),
        Ending::Done | Ending::Held | Ending::Failed | Ending::Unmet | Ending::Suspended | Ending::Doubt => {
            error.as_ref().map_or(0, |error| error.kind.exit_code())
        }
        Ending::Interrupted | Ending::Bug | Ending::Refused => 0,
    };
    Some(Finished { run: run.to_owned(), ending: *ending, error, exit_code })
}

/// How a run stands that was only looked at, from the words of its record; `touched` when it has asked for a change.
pub(crate) fn stopped(run: &str, ending: Ending, message: &str, touched: bool) -> Finished {
    let kind = match ending {
        Ending::Done => return Finished { run: run.to_owned(), ending, error: None, exit_code: 0 },
        Ending::Failed | Ending::Aborted => Kind::Failed,
        Ending::Held | Ending::Suspended => Kind::Suspended,
        Ending::Unmet => Kind::Precondition,
        Ending::Doubt => Kind::InDoubt,
        Ending::Interrupted => Kind::Interrupted,
        Ending::Bug if touched => Kind::Failed,
        Ending::Bug => Kind::Script,
        Ending::Refused => Kind::Refused,
        Ending::RolledBack => Kind::RolledBack,
    };
    let error = Error::new(kind, message).hint(format!("go on by hand:   baton repl --run {run}"));
    let error = error.hint(if ending == Ending::Bug {
        format!("edit the runbook, then go on by itself: baton resume {run} --adopt-edited")
    } else {
        format!("go on by itself: baton resume {run}")
    });
    Finished { run: run.to_owned(), ending, exit_code: error.kind.exit_code(), error: Some(error) }
}

/// What the record keeps of an ending: for a person who has to decide, the instructions as well.
fn in_words(ending: Ending, error: &Error) -> String {
    if ending != Ending::Held {
        return error.message.clone();
    }
    std::iter::once(&error.message).chain(&error.causes).cloned().collect::<Vec<_>>().join("\n")
}

fn held(run: &str, reason: String, instructions: &str) -> Box<Error> {
    let mut error = Error::new(Kind::Suspended, reason);
    error.causes.extend(instructions.lines().map(str::to_owned));
    error.hint(format!("baton show {run}"))
}

/// What can be done when the script turned out to be wrong in the midst of the run.
fn after_mistake(run: &str, error: Box<Error>, back: Option<String>) -> Box<Error> {
    let error = error.hint(format!("edit the runbook, then go on from here: baton resume {run} --adopt-edited"));
    back.into_iter().fold(error, |error, back| error.hint(format!("or {back}")))
}

/// What can be done where the run could not go on without something that a person had left out.
fn after_leaving_out(run: &str, door: &Dispatcher, ending: Ending, mut error: Box<Error>) -> Box<Error> {
    let Ok(history) = door.recorded_now() else { return error };
    match history.left_out_of_failed().first() {
        Some(past) => {
            // What trying again comes to is said in its place.
            error.hints.truncate(error.hints.len().saturating_sub(usize::from(ending == Ending::Failed)));
            verdict::ways_with(run, &past.effect.label, history.retries_left_out(ending), error)
        }
        None => error,
    }
}

/// The way back that is open now, with what this runner has written.
fn way_out(run: &str, door: &Dispatcher) -> Option<String> {
    rollback::way_out(run, &door.recorded_now().ok()?)
}

fn next_after_failure(
    run: &str,
    ending: Ending,
    mut error: Box<Error>,
    (owed, back): (&[String], Option<String>),
) -> Box<Error> {
    if ending == Ending::Unmet {
        return error
            .hint("nothing was touched")
            .hint(format!("put it right, then have it looked at again: baton resume {run}"));
    }
    if !owed.is_empty() {
        let names: Vec<String> = owed.iter().map(|name| format!("`{name}`")).collect();
        error = error.hint(format!("owed and not done yet, in this order: {}", names.join(", ")));
    }
    let error = back.into_iter().fold(error, Error::hint);
    error.hint(format!("put it right, then try the failed step again: baton resume {run}"))
}
