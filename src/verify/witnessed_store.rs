//! The record of a play as its runner keeps it, with a number beside it that says how it stands. It must not change
//! what is kept.

use super::record_hash::RecordHash;
use crate::journal::memory::MemoryStore;
use crate::journal::{RunId, Store, StoreResult, Stored};
use crate::model::run::record::Record;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A store in memory that keeps count of how its one run stands.
#[derive(Debug)]
pub(super) struct WitnessedStore {
    pub(super) store: MemoryStore,
    pub(super) hash: Rc<RefCell<RecordHash>>,
    /// Its number, for the site.
    pub(super) number: Rc<Cell<u64>>,
}

impl Store for WitnessedStore {
    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64> {
        let last = self.store.append(run, expected, records)?;
        let mut hash = self.hash.borrow_mut();
        records.iter().for_each(|record| hash.add(record));
        self.number.set(hash.number());
        Ok(last)
    }

    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        self.store.read(run)
    }

    fn runs(&self) -> StoreResult<Vec<RunId>> {
        self.store.runs()
    }

    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        self.store.put_source(text)
    }

    fn source(&self, digest: &str) -> StoreResult<String> {
        self.store.source(digest)
    }
}
