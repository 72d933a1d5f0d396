//! A journal store as a mortal runner sees it: its appends are points at which it can die. What was stored stays
//! stored for the next runner. It keeps no records itself.

use crate::error::{Error, Kind};
use crate::journal::{RunId, Store, StoreError, StoreResult, Stored};
use crate::model::run::record::Record;
use crate::sim::crash::{Boundary, CrashClock};
use std::rc::Rc;

/// A store that outlives the runner, seen through the runner's [`CrashClock`].
#[derive(Debug)]
pub struct CrashingStore<S> {
    store: S,
    clock: CrashClock,
}

impl<S: Store> CrashingStore<S> {
    /// The view of the runner with this clock on `store`, which must be a handle whose clones share what is stored.
    #[must_use]
    pub fn new(store: S, clock: CrashClock) -> Self {
        Self { store, clock }
    }

    fn crosses(&self, boundary: Boundary) -> StoreResult<()> {
        if self.clock.crosses(boundary) { Err(dead()) } else { Ok(()) }
    }

    fn lives(&self) -> StoreResult<()> {
        if self.clock.is_dead() { Err(dead()) } else { Ok(()) }
    }
}

/// What a dead runner gets. Nobody is there to read it: the test looks at the clock.
fn dead() -> StoreError {
    Error::new(Kind::Internal, "the simulated runner is dead").into()
}

impl<S: Store> Store for CrashingStore<S> {
    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64> {
        self.crosses(Boundary::BeforeAppend)?;
        let last = self.store.append(run, expected, records)?;
        self.crosses(Boundary::AfterAppend)?;
        Ok(last)
    }

    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        self.lives()?;
        self.store.read(run)
    }

    fn runs(&self) -> StoreResult<Vec<RunId>> {
        self.lives()?;
        self.store.runs()
    }

    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        self.lives()?;
        self.store.put_source(text)
    }

    fn source(&self, digest: &str) -> StoreResult<String> {
        self.lives()?;
        self.store.source(digest)
    }
}
