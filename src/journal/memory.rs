//! A store in memory, for simulated runs. It holds the same text as the durable store, so that every
//! simulated resume proves that records survive being written and read. It must not touch a file.

use super::{RunId, Store, StoreError, StoreResult, Stored, codec};
use crate::model::run::record::Record;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A handle on a store in memory. Clones share it: what one wrote is there for the next runner after a
/// simulated crash.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    content: Rc<RefCell<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    /// The encoded records of each run.
    bodies: BTreeMap<RunId, Vec<String>>,
    /// Runs in the order they were begun.
    order: Vec<RunId>,
    sources: BTreeMap<String, String>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records a run has.
    #[must_use]
    pub fn count(&self, run: &str) -> usize {
        self.content.borrow().bodies.get(run).map_or(0, Vec::len)
    }

    /// A store of its own with the first `records` of this run and the texts that are kept, and nothing else.
    #[must_use]
    pub fn fork(&self, run: &str, records: usize) -> Self {
        let content = self.content.borrow();
        let bodies = content.bodies.get(run).map(|bodies| bodies.iter().take(records).cloned().collect::<Vec<_>>());
        let bodies = bodies.filter(|bodies| !bodies.is_empty());
        let fork = Content {
            order: bodies.iter().map(|_| run.to_owned()).collect(),
            bodies: bodies.into_iter().map(|bodies| (run.to_owned(), bodies)).collect(),
            sources: content.sources.clone(),
        };
        Self { content: Rc::new(RefCell::new(fork)) }
    }

    /// Everything a run's records say, one a line: equal runs have equal bytes. Empty for an unknown run.
    #[must_use]
    pub fn byte_dump(&self, run: &str) -> Vec<u8> {
        let content = self.content.borrow();
        let bodies = content.bodies.get(run).map(Vec::as_slice).unwrap_or_default();
        bodies.iter().flat_map(|body| body.bytes().chain([b'\n'])).collect()
    }
}

impl Store for MemoryStore {
    fn append(&mut self, run: &str, expected: u64, records: &[Record]) -> StoreResult<u64> {
        let encoded = records.iter().map(codec::encode).collect::<StoreResult<Vec<String>>>()?;
        let content = &mut *self.content.borrow_mut();
        let found = content.bodies.get(run).map_or(0, Vec::len) as u64;
        if found != expected {
            return Err(StoreError::Conflict { run: run.to_owned(), expected, found });
        }
        if found == 0 && !encoded.is_empty() {
            content.order.push(run.to_owned());
        }
        let bodies = content.bodies.entry(run.to_owned()).or_default();
        bodies.extend(encoded);
        Ok(bodies.len() as u64)
    }

    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        let content = self.content.borrow();
        let bodies = content.bodies.get(run).ok_or_else(|| StoreError::NoRun(run.to_owned()))?;
        let stored = |(seq, body): (u64, &String)| Ok(Stored::new(seq, codec::decode(run, seq, body)?));
        (1..).zip(bodies).map(stored).collect()
    }

    fn runs(&self) -> StoreResult<Vec<RunId>> {
        Ok(self.content.borrow().order.clone())
    }

    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        let digest = codec::digest(text);
        self.content.borrow_mut().sources.insert(digest.clone(), text.to_owned());
        Ok(digest)
    }

    fn source(&self, digest: &str) -> StoreResult<String> {
        self.content.borrow().sources.get(digest).cloned().ok_or_else(|| codec::no_source(digest))
    }
}
