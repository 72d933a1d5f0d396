//! Records as text and back, the hash chain over them, and what all stores refuse.
//! It knows no backend.

use super::{OtherFormat, StoreError, StoreResult};
use crate::error::{Error, Kind};
use crate::model::run::record::{FORMAT, Fact, Record};
use serde::Deserialize;

/// A link of the chain: blake3 over the link before and the record's text. It has no key: it shows damage, and not what
/// somebody did on purpose who may write the journal.
pub(super) type Chain = [u8; 32];

/// The link that follows `previous` (all zeros before the first record).
pub(super) fn link(previous: &Chain, body: &str) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(body.as_bytes());
    *hasher.finalize().as_bytes()
}

/// A record as one line of JSON.
pub(super) fn encode(record: &Record) -> StoreResult<String> {
    serde_json::to_string(record)
        .map_err(|error| Error::new(Kind::Internal, "a record cannot be written as JSON").cause(error).into())
}

/// The record that a line of JSON stands for; `seq` is its number. Of a run in another format that is said by its first
/// record, whatever the others look like.
pub(super) fn decode(run: &str, seq: u64, body: &str) -> StoreResult<Record> {
    match serde_json::from_str::<Record>(body) {
        Ok(Record { fact: Fact::Begun { format, baton, .. }, .. }) if format != FORMAT => {
            Err(StoreError::OtherFormat(OtherFormat { format, baton }))
        }
        Ok(record) => Ok(record),
        Err(error) => Err(other_format(body).map_or_else(|| unreadable(run, seq, &error), StoreError::OtherFormat)),
    }
}

fn unreadable(run: &str, seq: u64, error: &serde_json::Error) -> StoreError {
    Error::new(Kind::Refused, format!("record {seq} of run {run} is not one that this baton can read"))
        .cause(error)
        .hint("it was written by another version of baton: go on with that one")
        .into()
}

/// The format that the first record of a run names, whatever else it holds and wherever it stands there.
fn other_format(body: &str) -> Option<OtherFormat> {
    /// What stays in every format.
    #[derive(Deserialize)]
    struct Begun {
        format: u32,
        baton: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    struct Beginning {
        begun: Begun,
    }
    #[derive(Deserialize)]
    struct Enveloped {
        fact: Beginning,
    }
    let first = serde_json::from_str::<Enveloped>(body).map(|first| first.fact);
    let Begun { format, baton } = first.or_else(|_| serde_json::from_str::<Beginning>(body)).ok()?.begun;
    (format != FORMAT).then_some(OtherFormat { format, baton })
}

/// The digest under which a source text is stored.
pub(super) fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// A source text that the store does not hold.
pub(super) fn no_source(digest: &str) -> StoreError {
    Error::new(Kind::Refused, format!("the journal does not hold the source text {digest}")).into()
}
