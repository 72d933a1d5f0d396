//! Where a play takes place: a site and a record that outlive its runners, and whoever watches and listens. Clones are
//! the same; forks stand as it stands and go their own way. It carries nothing out.

use super::record_hash::RecordHash;
use super::scene::RUN;
use super::violation::Violation;
use super::witness::Witness;
use crate::journal::memory::MemoryStore;
use crate::journal::{Store, Stored};
use crate::model::run::effect::Action;
use crate::model::run::record::{EffectId, Fact, Record};
use crate::sim::SimEstate;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A site and a record.
#[derive(Clone)]
pub(super) struct Situation {
    pub(super) estate: SimEstate,
    pub(super) store: MemoryStore,
    /// How the record stands, as a number.
    pub(super) record: Rc<Cell<u64>>,
    pub(super) hash: Rc<RefCell<RecordHash>>,
    pub(super) witness: Witness,
    /// How many runners there were.
    pub(super) runners: Rc<Cell<usize>>,
}

impl Situation {
    /// A site on which nothing has happened.
    pub(super) fn new(estate: SimEstate, witness: Witness) -> Self {
        let record = Rc::new(Cell::new(0));
        estate.explore(None, Rc::clone(&record));
        Self { estate, store: MemoryStore::new(), record, hash: Rc::default(), witness, runners: Rc::default() }
    }

    /// The same as it stands now, without its runner.
    pub(super) fn fork(&self) -> Self {
        let (estate, record) = (self.estate.fork(), Rc::new(Cell::new(self.record.get())));
        estate.explore(Some(&self.estate), Rc::clone(&record));
        let store = self.store.fork(RUN, self.store.count(RUN));
        let hash = Rc::new(RefCell::new(self.hash.borrow().clone()));
        let (witness, runners) = (self.witness.fork(), Rc::new(Cell::new(self.runners.get())));
        Self { estate, store, record, hash, witness, runners }
    }

    /// What speaks against it by what was heard.
    pub(super) fn heard(&self) -> Vec<Violation> {
        self.witness.wrong()
    }

    /// What is on record.
    pub(super) fn records(&self) -> Vec<Record> {
        let stored = self.store.read(RUN).unwrap_or_default();
        stored.into_iter().map(|Stored { record, .. }| record.as_ref().clone()).collect()
    }

    /// Whether the run is on its way back.
    pub(super) fn goes_back(&self) -> bool {
        self.records().iter().any(|record| matches!(record.fact, Fact::Rollback { .. }))
    }

    /// Whether the last change of which nobody could tell has happened: what a person finds out who looks at the host.
    pub(super) fn has_happened(&self) -> bool {
        let records = self.records();
        let Some(id) = doubted(&records) else { return false };
        let begun = records.iter().find_map(|record| {
            let Fact::Intent { id: this, effect, .. } = &record.fact else { return None };
            (this == id).then_some(effect)
        });
        let Some((Action::Job(job), service)) = begun.map(|effect| (&effect.action, &effect.service)) else {
            return false;
        };
        let ledger = self.estate.ledger();
        ledger
            .effects
            .iter()
            .any(|deed| Some(&deed.service) == service.as_ref() && deed.verb == job.verb && deed.args == job.args)
    }
}

/// The effect that was last in doubt, or else the last one that nothing is known to have come of.
fn doubted(records: &[Record]) -> Option<&EffectId> {
    let in_doubt = records.iter().rev().find_map(|record| {
        let Fact::Doubt { id, .. } = &record.fact else { return None };
        Some(id)
    });
    let ended = |id: &EffectId| {
        records.iter().any(|record| matches!(&record.fact, Fact::Outcome { id: this, .. } if this == id))
    };
    let open = records.iter().rev().find_map(|record| {
        let Fact::Intent { id, .. } = &record.fact else { return None };
        (!ended(id)).then_some(id)
    });
    open.or(in_doubt)
}
