//! Opening a run: the parts it is carried out with, the records that begin it, and the one door that all of them go
//! through, whether it begins, is taken up, goes back, is steered by hand or is only looked into. It decides nothing
//! about a run and runs no script.

use super::texts::Prepared;
use crate::dispatch::{Dispatcher, DriftCheck, Gate, Setup};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::memory::MemoryStore;
use crate::journal::{Store, Stored};
use crate::model::run::estate::EstateId;
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{FORMAT, Fact, Moment, Record, Who};
use crate::model::run::steering::Steering;
use crate::model::value::Fields;
use crate::world::World;
use std::collections::BTreeMap;
use std::rc::Rc;

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

/// Opens a run: over what is known of it, if it was begun before, and the records that this runner opens it with. They
/// are not written yet, and nobody was told of anything.
///
/// # Errors
/// `Refused` when these records cannot stand there.
pub(crate) fn open(
    prepared: &Prepared,
    parts: RunParts,
    known: Option<History>,
    opening: &[Record],
    drift: DriftCheck,
) -> Result<Rc<Dispatcher>> {
    let last_seq = known.as_ref().map_or(0, History::len);
    let history = match known {
        Some(mut history) => {
            history.add(opening.iter().cloned())?;
            history
        }
        None => History::of(opening.iter().cloned())?,
    };
    let RunParts { run, store, world, sinks, by, gates, steering: _ } = parts;
    let scanners = Rc::clone(&prepared.scanners);
    Ok(Dispatcher::new(Setup { run, store, world, sinks, history, last_seq, scanners, gates, drift, by }))
}

/// Opens a run to look into it: it is told to nobody, asks nobody, and whatever it writes is forgotten.
///
/// # Errors
/// As [`open`].
pub(super) fn look_into(
    prepared: &Prepared,
    world: Box<dyn World>,
    run: &str,
    history: &History,
) -> Result<Rc<Dispatcher>> {
    let parts = RunParts {
        run: run.to_owned(),
        store: Box::new(MemoryStore::new()),
        world,
        sinks: Vec::new(),
        by: Who::default(),
        gates: Vec::new(),
        steering: None,
    };
    open(prepared, parts, Some(history.clone()), &[], DriftCheck::default())
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

/// How this runner is steered, and how it departs from the runbook by the gates it was given.
pub(super) fn departures(parts: &RunParts, at: &Moment) -> Vec<Record> {
    let (when, who) = (|| at.clone(), || parts.by.clone());
    let steering = parts.steering.clone().map(|steering| Fact::Steered { steering }.by(who(), when()));
    let told = parts.gates.iter().filter_map(|gate| gate.departure());
    let told = told.map(|what| Fact::Deviation { what, reason: String::new(), hosts: Vec::new() }.by(who(), when()));
    steering.into_iter().chain(told).collect()
}

/// The first records could not be written: there is no run, and nothing was touched.
pub(super) fn not_begun(mut error: Box<Error>) -> Box<Error> {
    if error.kind == Kind::Failed {
        error.kind = Kind::Precondition;
        error.hints = vec!["nothing was touched: put it right, or name another folder with `--state DIR`".to_owned()];
    }
    error
}

/// Tells the sinks what was recorded before.
pub(crate) fn tell_again(stored: &[Stored], sinks: &mut [Box<dyn Sink>]) {
    for Stored { seq, record } in stored {
        let event = Event::Recorded { seq: *seq, record: Rc::clone(record), replayed: true };
        sinks.iter_mut().for_each(|sink| sink.event(&event));
    }
}
