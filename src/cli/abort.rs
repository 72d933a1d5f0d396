//! `baton abort`: gives a run up. Nothing is undone; what it owes is done, and it is over.

use super::estate::lab_of;
use super::find_run::Purpose;
use super::take_up::{AcquiredRun, Claimed, claim};
use super::{Context, carry, rollback};
use crate::error::{Error, Kind, Result};
use crate::lab::Lab;
use crate::model::run::record::RollbackScope;
use crate::session::{self, Finished, RollbackRequest, RunParts};
use crate::world::nowhere::Nowhere;
use std::path::{Path, PathBuf};

/// Give a run up: undo nothing, do what it owes, end it for good
#[derive(Debug, clap::Args)]
pub(super) struct AbortArgs {
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

pub(super) fn run(args: &AbortArgs, context: &Context) -> Result<u8> {
    let claimed = claim(&args.run, Purpose::GoOn, context)?;
    if args.reason.trim().is_empty() && !claimed.history.is_final() {
        return Err(Error::new(Kind::Usage, "giving a run up needs a reason: it goes into the record")
            .hint(format!("say why: baton abort {} --reason \"why\"", claimed.run)));
    }
    if let Some(lab) = lab_of(&claimed.history)
        && let Some(gone) = Lab::gone(lab, &context.state, &claimed.run)?
    {
        return write_off(&claimed, &gone, &args.reason, context);
    }
    let asked = claimed.history.steering();
    let taken = claimed.take_up(context)?;
    // What is owed asks whoever gives the run up.
    let steering = rollback::changed(&asked, None);
    let parts = RunParts { steering, ..taken.parts(args.events.as_deref(), Vec::new(), context)? };
    let finished = give_up_with(&taken, parts, args.reason.clone(), context)?;
    carry::tell(context, &finished)
}

/// Gives a run up that this command has taken up and that has stopped.
///
/// # Errors
/// When it is over, or its record cannot be written.
pub(super) fn give_up(
    taken: &AcquiredRun,
    events: Option<&Path>,
    reason: String,
    context: &Context,
) -> Result<Finished> {
    give_up_with(taken, taken.parts(events, Vec::new(), context)?, reason, context)
}

fn give_up_with(taken: &AcquiredRun, parts: RunParts, reason: String, context: &Context) -> Result<Finished> {
    let back = session::way_back(
        &taken.prepared,
        parts,
        RollbackRequest { reason, ..RollbackRequest::of(RollbackScope::Abort) },
    )?;
    rollback::show(&back, &taken.run, context);
    back.go()
}

/// Ends a run for good whose lab is there no more: nothing can be done for it, and that is what is written down.
fn write_off(claimed: &Claimed, gone: &str, reason: &str, context: &Context) -> Result<u8> {
    if claimed.history.is_final() {
        return Err(Error::new(Kind::Refused, format!("run {} is over; there is nothing to give up", claimed.run))
            .cause(gone)
            .hint(format!("see what was done: baton show {}", claimed.run)));
    }
    let store = context.store()?;
    let prepared = session::snapshot(&*store, &claimed.history).and_then(session::prepare);
    let owes = prepared.and_then(|prepared| {
        let parts = RunParts {
            run: claimed.run.clone(),
            store: context.store()?,
            world: Box::new(Nowhere),
            sinks: Vec::new(),
            by: context.who(),
            gates: Vec::new(),
            steering: None,
        };
        let wish = RollbackRequest::of(RollbackScope::Abort);
        Ok(session::way_back(&prepared, parts, wish)?.owes())
    });
    let left = match owes {
        Ok(owes) if owes.is_empty() => "nothing was owed".to_owned(),
        Ok(owes) => {
            let names: Vec<String> = owes.iter().map(|name| format!("`{name}`")).collect();
            format!("owed and never done: {}", names.join(", "))
        }
        Err(_) => "what it owed cannot be told, and was not done".to_owned(),
    };
    let what = format!("{gone}: the run was given up without it; {left}");
    context.screen.remark(&what);
    let finished = session::write_off(store, &claimed.run, &claimed.history, (what, reason.to_owned()), context.who())?;
    carry::tell(context, &finished)
}
