//! How a record stands, as a number: which steps and effects it has and what came of each, without when and by whom,
//! and without what no longer counts. Two runs whose records have the same number go on alike. It reads records and
//! nothing else.

use crate::model::run::record::{EffectId, Fact, Record, TrackId};
use crate::sim::timeless;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// What of a record has an entry of its own, which a later one replaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum RecordSubject {
    Effect(EffectId),
    Step(TrackId, String),
}

/// An entry: its number, and whether it only reads.
#[derive(Debug, Clone, Copy)]
struct Entry {
    number: u64,
    reads: bool,
}

/// How a record stands.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordHash {
    entries: Rc<BTreeMap<RecordSubject, Entry>>,
    /// Of all that a later entry does not replace.
    rest: u64,
    all: u64,
    changes: u64,
}

impl RecordHash {
    /// The number of all of it.
    pub(super) fn number(&self) -> u64 {
        mixed(self.rest, self.all)
    }

    /// The number of what a way back goes by: changes, steps and what people said, without readings.
    pub(super) fn changes(&self) -> u64 {
        mixed(self.rest, self.changes)
    }

    /// One more entry. What only says that a runner came or went changes nothing.
    pub(super) fn add(&mut self, record: &Record) {
        match &record.fact {
            Fact::Opened | Fact::Ended { .. } | Fact::Steered { .. } | Fact::Begun { .. } | Fact::Doubt { .. } => {}
            Fact::Intent { id, effect, .. } => {
                self.put(RecordSubject::Effect(id.clone()), mixed(1, written(effect)), false)
            }
            // What an effect does may have a time in it, such as the label of a backup.
            Fact::Read { id, effect, outcome, .. } => {
                self.put(RecordSubject::Effect(id.clone()), mixed(mixed(3, written(effect)), written(outcome)), true);
            }
            Fact::Outcome { id, outcome, .. } => self.amend(id, written(outcome)),
            Fact::Settled { id, happened, .. } => self.amend(id, mixed(4, happened)),
            Fact::Retry { id } => self.remove(&RecordSubject::Effect(id.clone())),
            Fact::StepBegun { track, number, .. } => {
                self.put(RecordSubject::Step(track.clone(), number.clone()), 5, false);
            }
            Fact::StepEnded { track, number, failed } => {
                let number_of = mixed(6, failed.is_some());
                self.put(RecordSubject::Step(track.clone(), number.clone()), number_of, false);
            }
            Fact::Answered { .. } | Fact::Skipped { .. } | Fact::StepSkipped { .. } | Fact::Adopted { .. } => {
                self.rest = mixed(self.rest, written(&record.fact));
            }
            Fact::Rollback { .. } | Fact::Undone { .. } | Fact::Typed { .. } | Fact::Deviation { .. } => {
                self.rest = mixed(self.rest, written(&record.fact));
            }
        }
    }

    /// What came of an effect that is known.
    fn amend(&mut self, id: &EffectId, what: u64) {
        let subject = RecordSubject::Effect(id.clone());
        let before = self.entries.get(&subject).map_or(0, |entry| entry.number);
        self.put(subject, mixed(before, what), false);
    }

    fn put(&mut self, subject: RecordSubject, number: u64, reads: bool) {
        self.remove(&subject);
        let number = mixed(number, &subject);
        self.all ^= number;
        self.changes ^= if reads { 0 } else { number };
        Rc::make_mut(&mut self.entries).insert(subject, Entry { number, reads });
    }

    fn remove(&mut self, subject: &RecordSubject) {
        if let Some(Entry { number, reads }) = self.entries.get(subject).copied() {
            self.all ^= number;
            self.changes ^= if reads { 0 } else { number };
            Rc::make_mut(&mut self.entries).remove(subject);
        }
    }
}

fn mixed(number: u64, what: impl Hash) -> u64 {
    let mut hash = DefaultHasher::new();
    (number, what).hash(&mut hash);
    hash.finish()
}

/// Whatever can be written down has a number; what cannot counts as nothing. When something was is no difference.
fn written(what: &impl serde::Serialize) -> u64 {
    let mut hash = DefaultHasher::new();
    timeless::hash(&serde_json::to_vec(what).unwrap_or_default(), &mut hash);
    hash.finish()
}
