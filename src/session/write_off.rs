//! Ending a run for good without doing anything: its hosts are there no more, so nothing can be done for it. What was
//! left undone is written down. It must not be used where a host could still be asked.

use super::ending::Finished;
use crate::error::{Kind, Result};
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::run::record::{Ending, Fact, Who};
use crate::world::clock::Clock;
use std::rc::Rc;

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
    let at = history.records().last().map_or_else(|| Clock::real().now(), |last| last.record.at.clone());
    let message = what.clone();
    let records = [
        Fact::Opened.by(by.clone(), at.clone()),
        Fact::Deviation { what, reason, hosts: Vec::new() }.by(by, at.clone()),
        Fact::Ended { ending: Ending::Aborted, message, effect: None }.at(at),
    ];
    store.append(run, last_seq, &records.map(Rc::new))?;
    let exit_code = Kind::Failed.exit_code();
    Ok(Finished { run: run.to_owned(), ending: Ending::Aborted, error: None, exit_code })
}
