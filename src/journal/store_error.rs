//! Why a store did not do what it was asked for, as whoever asked decides by it; and what people are told then. It must
//! not decide what to do about it.

use super::RunId;
use crate::error::{Error, Kind};
use crate::model::run::record::FORMAT;
use std::fmt;

/// Why a store did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Another writer was there first.
    Conflict {
        /// Whose records were to be appended.
        run: RunId,
        /// The number of the record behind which they were to stand.
        expected: u64,
        /// The number of the last record that there is.
        found: u64,
    },
    /// It does not hold this run.
    NoRun(RunId),
    /// The run is written in another format than this program's.
    OtherFormat(OtherFormat),
    /// What was to be kept is not on disk, as people are told.
    Unwritten(Box<Error>),
    /// It cannot be read, is damaged, or does not hold a text, as people are told.
    Unusable(Box<Error>),
}

/// The format of a run that this program does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherFormat {
    /// Its number.
    pub format: u32,
    /// The version of baton that began the run.
    pub baton: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Box::<Error>::from(self.clone()).fmt(f)
    }
}

impl From<StoreError> for Box<Error> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { run, expected, found } => {
                let message = format!("another runner wrote to this run: {run} has {found} records, not {expected}");
                Error::new(Kind::Refused, message).hint(format!("see what it does: baton show {run}"))
            }
            StoreError::NoRun(run) => {
                Error::new(Kind::Usage, format!("there is no run {run}")).hint("see which there are: baton runs")
            }
            StoreError::OtherFormat(other) => other.into(),
            StoreError::Unwritten(error) | StoreError::Unusable(error) => error,
        }
    }
}

impl From<Box<Error>> for StoreError {
    fn from(error: Box<Error>) -> Self {
        Self::Unusable(error)
    }
}

impl From<OtherFormat> for Box<Error> {
    fn from(OtherFormat { format, baton }: OtherFormat) -> Self {
        let message =
            format!("the run is written in format {format}, by baton {baton}; this baton reads format {FORMAT}");
        let error = Error::new(Kind::Refused, message).hint("nothing was done: nothing of that run is lost");
        if format < FORMAT {
            return error
                .hint(format!("is it not over? finish it, or take it back, with the version that began it: {baton}"))
                .hint("other runs can be begun beside it; to keep them apart, name another folder: --state DIR");
        }
        error.hint(format!("go on with it with the version that began it, {baton}, or a newer one"))
    }
}
