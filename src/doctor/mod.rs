//! A look at a site before the first change: every host, probe and log that a runbook can use is read, twice, all hosts
//! at once, through the door and the world of a run. It has no record of its own, takes no lease, starts no job, and
//! must never do more than read.
//!
//! - [`plan`]: what is read · [`spelling`]: what cannot be · [`round`]: reading it · [`judge`]: what will not work ·
//!   [`page`]: saying so

mod judge;
mod page;
mod plan;
mod round;
mod spelling;

pub use page::page;

use crate::dispatch::{Dispatcher, Door, SecondLook, Setup};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::memory::MemoryStore;
use crate::journal::{Store, Stored};
use crate::model::inventory::Inventory;
use crate::model::record::{FORMAT, Record, Who};
use crate::model::span::Span;
use crate::script::uses::Uses;
use crate::world::World;
use plan::Plan;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What is to be looked at, and how.
pub struct Wanted {
    /// The site.
    pub site: Rc<Inventory>,
    /// What the runbook can use; everything, where there is none.
    pub uses: Option<Uses>,
    /// How long one reading may take.
    pub limit: Span,
    /// The folder of jobs of each host that is this machine.
    pub jobs: BTreeMap<String, String>,
    /// The folder with the leases of this machine.
    pub leases: String,
    /// The runs that are known here, where there are any: they may hold hosts.
    pub runs: Option<Box<dyn Store>>,
    /// The hosts are those of a lab: they have no clocks, disks or accounts of their own.
    pub rehearsed: bool,
    /// What is wrong with the site's secrets.
    pub secrets: Vec<UselessSecret>,
}

/// A secret that is of no use to a run.
#[derive(Debug, Clone)]
pub struct UselessSecret {
    /// Its name, where that does not stand in the words.
    pub name: Option<String>,
    /// Why.
    pub why: String,
    /// What to do about it.
    pub next: Option<String>,
}

/// How much a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is wrong.
    Well,
    /// Somebody should look.
    Look,
    /// It will not work.
    Wrong,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it means.
    pub weight: Weight,
    /// What is so, as a sentence without its full stop.
    pub what: String,
    /// What to do about it, one way after the other.
    pub next: Vec<Advice>,
}

/// What to do about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// In words.
    pub words: String,
    /// The command they lead up to, which is to be typed as it is.
    pub command: Option<String>,
}

impl Advice {
    /// Without a command.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Self { words: words.into(), command: None }
    }

    /// As an error says it: where a command of baton is named, it stands behind a colon at the end.
    #[must_use]
    pub fn hint(said: &str) -> Self {
        match said.split_once(": baton ") {
            Some((words, command)) => Self::command(words, format!("baton {command}")),
            None => Self::words(said),
        }
    }

    /// With a command behind the words.
    #[must_use]
    pub fn command(words: impl Into<String>, command: impl Into<String>) -> Self {
        Self { words: words.into(), command: Some(command.into()) }
    }
}

/// What was found about a host, a service or a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub name: String,
    /// What was read, in a few words.
    pub told: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What was found at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Hosts with their services, then pairs.
    pub entries: Vec<Entry>,
    /// What was not read, and why.
    pub left_out: Vec<String>,
    /// When it was over, in milliseconds since 1970.
    pub at: i64,
}

impl Entry {
    /// The worst that was found.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.findings.iter().map(|finding| finding.weight).max().unwrap_or(Weight::Well)
    }
}

impl Chart {
    /// How many findings weigh this much.
    #[must_use]
    pub fn count(&self, weight: Weight) -> usize {
        self.entries.iter().flat_map(|entry| &entry.findings).filter(|finding| finding.weight == weight).count()
    }
}

/// Looks at the site in this world.
///
/// # Errors
/// `Interrupted` when the person does not wait for it; `Inventory` when there is nothing to look at.
pub fn examine(wanted: &Wanted, run: &str, world: Box<dyn World>, by: Who) -> Result<Chart> {
    let plan = Rc::new(Plan::of(wanted));
    if plan.hosts.is_empty() {
        return Err(Error::new(Kind::Inventory, "there is no host to look at")
            .hint("name your hosts in the inventory: [hosts.NAME]"));
    }
    let door = door(run, world, by)?;
    let seen: Rc<RefCell<round::Seen>> = Rc::default();
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
    let begun = Record::Begun {
        format: FORMAT,
        baton: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: "doctor".to_owned(),
        sources: BTreeMap::new(),
        params: BTreeMap::new(),
        estate: String::new(),
        at: world.now(),
        by: by.clone(),
    };
    Ok(Dispatcher::new(Setup {
        run: run.to_owned(),
        store: Box::new(MemoryStore::new()),
        world,
        sinks: Vec::new(),
        history: History::from(vec![Stored { seq: 1, record: begun }])?,
        last_seq: 1,
        scanners: Rc::default(),
        gates: Vec::new(),
        second_look: SecondLook::default(),
        by,
    }))
}
