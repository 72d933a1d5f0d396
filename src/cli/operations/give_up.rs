//! Giving a run up: nothing is undone, what it owes is done, and it is over. It must not decide that it is given up.

use super::acquire::AcquiredRun;
use super::go_back;
use crate::cli::context::Context;
use crate::error::Result;
use crate::model::run::record::RollbackScope;
use crate::session::{self, Finished, RollbackRequest, RunParts};
use std::path::Path;

/// Gives a run up that this command has taken up and that has stopped.
///
/// # Errors
/// When it is over, or its record cannot be written.
pub(in crate::cli) fn give_up(
    taken: &AcquiredRun,
    events: Option<&Path>,
    reason: String,
    context: &Context,
) -> Result<Finished> {
    give_up_with(taken, taken.parts(events, Vec::new(), context)?, reason, context)
}

/// The same with these parts.
///
/// # Errors
/// As above.
pub(in crate::cli) fn give_up_with(
    taken: &AcquiredRun,
    parts: RunParts,
    reason: String,
    context: &Context,
) -> Result<Finished> {
    let back = session::way_back(
        &taken.prepared,
        parts,
        RollbackRequest { reason, ..RollbackRequest::of(RollbackScope::Abort) },
    )?;
    go_back::show(&back, &taken.run, context);
    back.go()
}
