//! A look at a site before the first change: every host, probe and log that a runbook can use is read, twice, all hosts
//! at once, through the door and the world of a run. It has no record of its own, takes no lease, starts no job, and
//! must never do more than read.
//!
//! - [`wanted`]: what is asked for · [`plan`]: what is read · [`spelling`]: what cannot be · [`round`]: reading it ·
//!   [`judge`]: what will not work · [`chart`]: what was found · [`page`]: saying so

mod chart;
mod judge;
mod page;
mod plan;
mod round;
mod spelling;
mod wanted;

pub use chart::{Advice, Chart, ChartEntry, SiteFinding, Weight};
pub use page::page;
pub use wanted::{DoctorScope, UselessSecret};

use crate::dispatch::{Dispatcher, Door, DriftCheck, Setup};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::memory::MemoryStore;
use crate::model::run::estate::EstateId;
use crate::model::run::record::{FORMAT, Fact, Who};
use crate::world::World;
use plan::ReadingPlan;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Looks at the site in this world.
///
/// # Errors
/// `Interrupted` when the person does not wait for it; `Inventory` when there is nothing to look at.
pub fn examine(wanted: &DoctorScope, run: &str, world: Box<dyn World>, by: Who) -> Result<Chart> {
    let plan = Rc::new(ReadingPlan::of(wanted));
    if plan.hosts.is_empty() {
        return Err(Error::new(Kind::Inventory, "there is no host to look at")
            .hint("name your hosts in the inventory: [hosts.NAME]"));
    }
    let door = door(run, world, by)?;
    let seen: Rc<RefCell<round::HostReplies>> = Rc::default();
    let (link, theirs, what) = (Rc::clone(&door), Rc::clone(&seen), Rc::clone(&plan));
    door.drive(Box::new(move || round::read_all(&link, &what, &theirs)));
    match door.halt_reason() {
        Some(halt) if halt.error.kind == Kind::Interrupted => {
            Err(Error::new(Kind::Interrupted, "interrupted; nothing was changed anywhere"))
        }
        Some(halt) => Err(halt.error),
        None => Ok(judge::chart(wanted, &plan, &seen.take(), door.moment().wall)),
    }
}

/// A door whose record nobody keeps.
fn door(run: &str, mut world: Box<dyn World>, by: Who) -> Result<Rc<Dispatcher>> {
    let begun = Fact::Begun {
        format: FORMAT,
        baton: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: "doctor".to_owned(),
        sources: BTreeMap::new(),
        params: BTreeMap::new(),
        estate: EstateId::Site,
    }
    .by(by.clone(), world.now());
    Ok(Dispatcher::new(Setup {
        run: run.to_owned(),
        store: Box::new(MemoryStore::new()),
        world,
        sinks: Vec::new(),
        history: History::of([begun])?,
        last_seq: 1,
        scanners: Rc::default(),
        gates: Vec::new(),
        drift: DriftCheck::default(),
        by,
    }))
}
