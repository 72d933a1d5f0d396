//! `baton abort`: gives a run up. Nothing is undone; what it owes is done, and it is over.

use super::take_up::{TakenUp, claim};
use super::{Desk, carry, rollback};
use crate::error::{Error, Kind, Result};
use crate::model::record::Way;
use crate::session::{self, Finished, Verdict, Wish};
use std::path::{Path, PathBuf};

/// Give a run up: undo nothing, do what it owes, end it for good
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// Why; it goes into the record
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    if words.reason.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "giving a run up needs a reason: it goes into the record")
            .hint("say why: baton abort --reason \"why\""));
    }
    let taken = claim(&words.run, desk)?.take_up(desk)?;
    let finished = give_up(&taken, words.events.as_deref(), words.reason.clone(), desk)?;
    carry::tell(desk, &finished)
}

/// Gives a run up that this command has taken up and that has stopped.
///
/// # Errors
/// When it is over, or its record cannot be written.
pub(super) fn give_up(taken: &TakenUp, events: Option<&Path>, reason: String, desk: &Desk) -> Result<Finished> {
    let parts = taken.parts(events, Vec::new(), desk)?;
    let back = session::way_back(&taken.prepared, parts, Wish { way: Way::Abort, verdict: Verdict::Retry, reason })?;
    rollback::show(&back, &taken.run, desk);
    back.go()
}
