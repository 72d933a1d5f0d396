//! A store in memory, for simulated runs. It gives what the text says that the durable store would hold, so that every
//! simulated resume proves that records survive being written and read. It must not touch a file.

use super::{RunId, Store, StoreError, StoreResult, Stored, codec};
use crate::model::run::record::Record;
use std::cell::{OnceCell, RefCell};
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
    /// The records of each run.
    records: BTreeMap<RunId, Vec<Rc<MemoryRecord>>>,
    /// Runs in the order they were begun.
    order: Vec<RunId>,
    sources: BTreeMap<String, Rc<str>>,
}

/// A record, the text that stands for it, and what that text says. Written and read back once, when it is first asked
/// for: most simulated runs are never taken up again, others thousands of times. Forks of a store share all three.
#[derive(Debug)]
struct MemoryRecord {
    record: Rc<Record>,
    body: OnceCell<String>,
    read_back: OnceCell<Rc<Record>>,
}

impl MemoryRecord {
    fn of(record: &Rc<Record>) -> Rc<Self> {
        Rc::new(Self { record: Rc::clone(record), body: OnceCell::new(), read_back: OnceCell::new() })
    }

    fn body(&self) -> StoreResult<&str> {
        if self.body.get().is_none() {
            let _ = self.body.set(codec::encode(&self.record)?);
        }
        Ok(self.body.get().map_or("", |body| body))
    }

    fn read_back(&self, run: &str, seq: u64) -> StoreResult<Rc<Record>> {
        if let Some(known) = self.read_back.get() {
            return Ok(Rc::clone(known));
        }
        let record = Rc::new(codec::decode(run, seq, self.body()?)?);
        Ok(Rc::clone(self.read_back.get_or_init(|| record)))
    }
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
        self.content.borrow().records.get(run).map_or(0, Vec::len)
    }

    /// The last record of a run.
    #[must_use]
    pub fn last(&self, run: &str) -> Option<Rc<Record>> {
        self.content.borrow().records.get(run)?.last().map(|kept| Rc::clone(&kept.record))
    }

    /// A store of its own with the first `records` of this run and the texts that are kept, and nothing else.
    #[must_use]
    pub fn fork(&self, run: &str, records: usize) -> Self {
        let content = self.content.borrow();
        let kept = content.records.get(run).map(|all| all.iter().take(records).cloned().collect::<Vec<_>>());
        let kept = kept.filter(|kept| !kept.is_empty());
        let fork = Content {
            order: kept.iter().map(|_| run.to_owned()).collect(),
            records: kept.into_iter().map(|kept| (run.to_owned(), kept)).collect(),
            sources: content.sources.clone(),
        };
        Self { content: Rc::new(RefCell::new(fork)) }
    }

    /// Everything a run's records say, one a line: equal runs have equal bytes. Empty for an unknown run.
    #[must_use]
    pub fn byte_dump(&self, run: &str) -> Vec<u8> {
        let content = self.content.borrow();
        let records = content.records.get(run).map(Vec::as_slice).unwrap_or_default();
        records.iter().filter_map(|record| record.body().ok()).flat_map(|body| body.bytes().chain([b'\n'])).collect()
    }
}

impl Store for MemoryStore {
    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64> {
        let content = &mut *self.content.borrow_mut();
        let found = content.records.get(run).map_or(0, Vec::len) as u64;
        if found != expected {
            return Err(StoreError::Conflict { run: run.to_owned(), expected, found });
        }
        if found == 0 && !records.is_empty() {
            content.order.push(run.to_owned());
        }
        let known = content.records.entry(run.to_owned()).or_default();
        known.extend(records.iter().map(MemoryRecord::of));
        Ok(known.len() as u64)
    }

    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        let content = self.content.borrow();
        let records = content.records.get(run).ok_or_else(|| StoreError::NoRun(run.to_owned()))?;
        let stored = |(seq, record): (u64, &Rc<MemoryRecord>)| Ok(Stored::new(seq, record.read_back(run, seq)?));
        (1..).zip(records).map(stored).collect()
    }

    fn runs(&self) -> StoreResult<Vec<RunId>> {
        Ok(self.content.borrow().order.clone())
    }

    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        let digest = codec::digest(text);
        self.content.borrow_mut().sources.insert(digest.clone(), text.into());
        Ok(digest)
    }

    fn source(&self, digest: &str) -> StoreResult<String> {
        self.content.borrow().sources.get(digest).map(ToString::to_string).ok_or_else(|| codec::no_source(digest))
    }
}
