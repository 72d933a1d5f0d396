//! How a record stands, as a number: what a run has asked for and what came of it, without when and by whom. Two runs
//! whose records have the same number go on alike. It reads records and nothing else.

use crate::model::run::effect::Outcome;
use crate::model::run::record::{Fact, Record};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};

/// The number of a record with one more entry. What only says that a runner came or went changes nothing.
#[must_use]
pub(super) fn with(number: u64, record: &Record) -> u64 {
    let mut hash = DefaultHasher::new();
    hash.write_u64(number);
    match &record.fact {
        Fact::Opened | Fact::Ended { .. } | Fact::Steered { .. } | Fact::Begun { .. } => return number,
        Fact::Intent { id, attempt, digest, .. } => (1_u8, id, attempt, digest).hash(&mut hash),
        Fact::Outcome { id, attempt, outcome } => {
            (2_u8, id, attempt).hash(&mut hash);
            add(&mut hash, outcome);
        }
        Fact::Read { id, digest, outcome, .. } => {
            (3_u8, id, digest).hash(&mut hash);
            add(&mut hash, outcome);
        }
        Fact::StepBegun { track, number, .. } => (4_u8, track, number).hash(&mut hash),
        Fact::StepEnded { track, number, failed } => (5_u8, track, number, failed.is_some()).hash(&mut hash),
        Fact::Doubt { .. } | Fact::Settled { .. } | Fact::Retry { .. } | Fact::Answered { .. } => {
            write(&mut hash, &record.fact)
        }
        Fact::Skipped { .. } | Fact::StepSkipped { .. } | Fact::Adopted { .. } | Fact::Rollback { .. } => {
            write(&mut hash, &record.fact)
        }
        Fact::Undone { .. } | Fact::Typed { .. } | Fact::Deviation { .. } => write(&mut hash, &record.fact),
    }
    hash.finish()
}

fn add(hash: &mut DefaultHasher, outcome: &Outcome) {
    write(hash, outcome);
}

/// A hash as something that can be written to.
struct Sponge<'a>(&'a mut DefaultHasher);

impl Write for Sponge<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whatever can be written down can be hashed; what cannot counts as its kind alone.
fn write(hash: &mut DefaultHasher, what: &impl serde::Serialize) {
    let _unwritten = serde_json::to_writer(Sponge(hash), what);
}
