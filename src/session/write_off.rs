//! Ending a run for good without doing anything: its hosts are there no more, so nothing can be done for it. What was
//! left undone is written down. It must not be used where a host could still be asked.

use super::ending::Finished;
use crate::error::{Kind, Result};
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::run::record::{Ending, Moment, Record, Who};
use crate::world::clock::Clock;

/// Writes a run off that is not over yet: `what` it left undone, and why a person does it.
///
/// # Errors
/// `Refused` when it is over, or another writer was there first; `Failed` when that cannot be written.
pub fn write_off(
    mut store: Box<dyn Store>,
    run: &str,
    history: &History,
    (what, reason): (String, String),
    by: Who,
) -> Result<Finished> {
    if history.is_final() {
        return Err(super::rollback::over_already(run));
    }
    let last_seq = history.records().last().map_or(0, |last| last.seq);
    // What is there no more may have had a clock of its own, in which all else is told.
    let at = history.last().map_or_else(|| Clock::real().now(), |last| time_of(last).clone());
    let message = what.clone();
    let records = [
        Record::Opened { at: at.clone(), by: by.clone() },
        Record::Deviation { what, reason, hosts: Vec::new(), at: at.clone(), by },
        Record::Ended { ending: Ending::Aborted, message, effect: None, at },
    ];
    store.append(run, last_seq, &records)?;
    let exit_code = Kind::Failed.exit_code();
    Ok(Finished { run: run.to_owned(), ending: Ending::Aborted, error: None, exit_code })
}

/// When a record was made.
fn time_of(record: &Record) -> &Moment {
    match record {
        Record::Begun { at, .. } | Record::Opened { at, .. } | Record::Ended { at, .. } | Record::Typed { at, .. } => {
            at
        }
        Record::StepBegun { at, .. } | Record::StepEnded { at, .. } | Record::StepSkipped { at, .. } => at,
        Record::Intent { at, .. } | Record::Outcome { at, .. } | Record::Read { at, .. } | Record::Doubt { at, .. } => {
            at
        }
        Record::Settled { at, .. } | Record::Retry { at, .. } | Record::Answered { at, .. } => at,
        Record::Skipped { at, .. } | Record::Adopted { at, .. } | Record::Rollback { at, .. } => at,
        Record::Undone { at, .. } | Record::Steered { at, .. } | Record::Deviation { at, .. } => at,
    }
}
