//! The durable record of runs. `Store` is what a backend must offer; `sqlite` and `memory` are two; `history`
//! is the pure reading of records. Nothing here prints, and nothing here acts on a host.

pub mod acted;
pub mod adopting;
mod codec;
mod entries;
pub mod happened;
pub mod history;
mod index;
pub mod left_out;
mod lifecycle;
pub mod memory;
mod mismatch;
mod misplaced;
mod over;
pub mod reopening;
pub mod rollback_plan;
pub mod run_facts;
pub mod second_thought;
mod slots;
pub mod sqlite;
mod store_error;
mod witness;

pub use over::is_over;
pub use store_error::{OtherFormat, StoreError};

use crate::model::run::record::Record;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A run's identity: 28 hex digits, of which the first 12 rise with time.
pub type RunId = String;

/// One record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its number in the run, from 1.
    pub seq: u64,
    /// What it says. Shared: long runs have many, and several look at them.
    pub record: Rc<Record>,
}

impl Stored {
    /// The record of this number.
    #[must_use]
    pub fn new(seq: u64, record: impl Into<Rc<Record>>) -> Self {
        Self { seq, record: record.into() }
    }
}

/// What a store gives, or why it does not.
pub type StoreResult<T> = Result<T, StoreError>;

/// A durable, append-only store of runs and of the sources they run from.
pub trait Store {
    /// Appends `records` to a run in one durable write, if its last record has the number `expected` (0 for a
    /// new run). Returns the number of the last record. All or none of them are stored.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another writer was there first.
    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64>;
    /// All records of a run, in order, their hash chain checked.
    ///
    /// # Errors
    /// [`StoreError::NoRun`]; [`StoreError::OtherFormat`]; [`StoreError::Unusable`], naming the last good record, when
    /// the chain is broken.
    fn read(&self, run: &str) -> StoreResult<Vec<Stored>>;
    /// The first record of a run, for a look at what it is; its hash chain is not checked.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn first(&self, run: &str) -> StoreResult<Option<Stored>> {
        Ok(self.read(run)?.into_iter().next())
    }
    /// The latest record of a run that `wanted` picks, for a look at how it stands; no more is read than it takes to
    /// come to it from the end, and its hash chain is not checked.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn latest(&self, run: &str, wanted: &mut dyn FnMut(&Record) -> bool) -> StoreResult<Option<Stored>> {
        Ok(self.read(run)?.into_iter().rev().find(|stored| wanted(&stored.record)))
    }
    /// The identities of all runs, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn runs(&self) -> StoreResult<Vec<RunId>>;
    /// The number of the last record that was written of each run, as far as is known beside the records themselves: a
    /// store that reads less has lost its last part.
    fn written(&self) -> BTreeMap<RunId, u64> {
        BTreeMap::new()
    }
    /// Whether a runner works on a run at this moment; nothing where that cannot be told.
    fn is_worked_on(&self, _run: &str) -> Option<bool> {
        None
    }
    /// Stores a source text under its digest (blake3, hex), which it returns. It is durable with the next append:
    /// before the record that names it.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn put_source(&mut self, text: &str) -> StoreResult<String>;
    /// The source text of a digest.
    ///
    /// # Errors
    /// When it is not there or does not have that digest.
    fn source(&self, digest: &str) -> StoreResult<String>;
}
