//! `baton abort`: gives a run up. Nothing is undone; what it owes is done, and it is over.

use crate::cli::context::Context;
use crate::cli::operations::acquire::{Claimed, claim};
use crate::cli::operations::estate::lab_of;
use crate::cli::operations::find_run::Purpose;
use crate::cli::operations::give_up::give_up_with;
use crate::cli::operations::go_back;
use crate::cli::operations::present;
use crate::error::{Error, Kind, Result};
use crate::journal::reopening;
use crate::lab::Lab;
use crate::model::run::record::RollbackScope;
use crate::session::{self, RollbackRequest, RunParts};
use crate::world::nowhere::Nowhere;
use std::path::PathBuf;

/// Give a run up: undo nothing, do what it owes, end it for good
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AbortArgs {
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

pub(in crate::cli) fn run(args: &AbortArgs, context: &Context) -> Result<u8> {
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
    let asked = reopening::steering(&claimed.history);
    let taken = claimed.take_up(context)?;
    // What is owed asks whoever gives the run up.
    let steering = go_back::changed(&asked, None);
    let parts = RunParts { steering, ..taken.parts(args.events.as_deref(), Vec::new(), context)? };
    let finished = give_up_with(&taken, parts, args.reason.clone(), context)?;
    present::tell(context, &finished)
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
    present::tell(context, &finished)
}
