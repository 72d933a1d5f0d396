//! The record of a run as this runner writes it, and those who are told of it. What is not durable is told to nobody.
//! It must not decide what is written.

use crate::error::Error;
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{Fact, Record, Who};
use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

/// Writes the record of one run.
pub(super) struct Recorder {
    run: String,
    store: RefCell<Box<dyn Store>>,
    sinks: RefCell<Vec<Box<dyn Sink>>>,
    /// The number of the last record that this runner knows of.
    last_seq: Cell<u64>,
}

impl Recorder {
    /// Goes on behind record `last_seq` of the run.
    pub(super) fn new(run: String, store: Box<dyn Store>, sinks: Vec<Box<dyn Sink>>, last_seq: u64) -> Self {
        Self { run, store: RefCell::new(store), sinks: RefCell::new(sinks), last_seq: Cell::new(last_seq) }
    }

    /// Makes records durable, then tells of them.
    ///
    /// # Errors
    /// When they cannot be stored, or another runner has written meanwhile.
    pub(super) fn write(&self, records: Vec<Record>) -> Result<(), Box<Error>> {
        if records.is_empty() {
            return Ok(());
        }
        let before = self.last_seq.get();
        let records: Vec<Rc<Record>> = records.into_iter().map(Rc::new).collect();
        let after = self.store.borrow_mut().append(&self.run, before, &records)?;
        self.last_seq.set(after);
        for (seq, record) in (before + 1..).zip(records) {
            self.emit(&Event::Recorded { seq, record, replayed: false });
        }
        Ok(())
    }

    /// The number of the last record that this runner knows of.
    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq.get()
    }

    /// All that is on record of the run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn history(&self) -> Result<History, Box<Error>> {
        History::read(&**self.store.borrow(), &self.run)
    }

    /// Where it is kept, with the records of other runs.
    pub(super) fn store(&self) -> Ref<'_, dyn Store> {
        Ref::map(self.store.borrow(), |store| &**store)
    }

    /// Tells every sink.
    pub(super) fn emit(&self, event: &Event) {
        for sink in self.sinks.borrow_mut().iter_mut() {
            sink.event(event);
        }
    }

    /// Says in an error who has written to this run beside this runner.
    pub(super) fn name_successor(&self, error: &mut Error) {
        let stored = self.store.borrow().read(&self.run).unwrap_or_default();
        let later = stored.iter().filter(|stored| stored.seq > self.last_seq.get());
        let by = later.filter_map(|stored| {
            let Record { by, fact: Fact::Opened | Fact::Deviation { .. }, .. } = &*stored.record else { return None };
            by.as_ref()
        });
        if let Some(Who { user, host, pid, .. }) = by.last() {
            error.causes.push(format!("{user}@{host}, pid {pid}, has taken it over since"));
        }
    }
}
