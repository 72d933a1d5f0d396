//! Records as text and back, the hash chain over them, and the refusals all stores share.
//! It knows no backend.

use crate::error::{Error, Kind, Result};
use crate::model::run::record::Record;

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
pub(super) fn encode(record: &Record) -> Result<String> {
    serde_json::to_string(record)
        .map_err(|error| Error::new(Kind::Internal, "a record cannot be written as JSON").cause(error))
}

/// The record that a line of JSON stands for; `seq` is its number, for the message.
pub(super) fn decode(run: &str, seq: u64, body: &str) -> Result<Record> {
    serde_json::from_str(body).map_err(|error| {
        Error::new(Kind::Refused, format!("record {seq} of run {run} is not one that this baton can read"))
            .cause(error)
            .hint("it was written by another version of baton: go on with that one")
    })
}

/// The digest under which a source text is stored.
pub(super) fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Somebody else has appended to the run since it was read.
pub(super) fn conflict(run: &str, expected: u64, found: u64) -> Box<Error> {
    Error::new(Kind::Refused, format!("another runner wrote to this run: {run} has {found} records, not {expected}"))
        .hint(format!("see what it does: baton show {run}"))
}

/// A run that the store does not hold.
pub(super) fn no_run(run: &str) -> Box<Error> {
    Error::new(Kind::Usage, format!("there is no run {run}")).hint("see which there are: baton runs")
}

/// A source text that the store does not hold.
pub(super) fn no_source(digest: &str) -> Box<Error> {
    Error::new(Kind::Refused, format!("the journal does not hold the source text {digest}"))
}
