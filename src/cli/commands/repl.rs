//! `baton repl`: a run steered by hand, or lines typed one by one. It finds or begins the run and hands it over.

use crate::cli::context::Context;
use crate::cli::operations::acquire::{AcquiredRun, claim};
use crate::cli::operations::begin::{Begun, NewPlace, NewRun, begin};
use crate::cli::operations::find_run::Purpose;
use crate::cli::operations::own_lab::lab_for;
use crate::cli::operations::site::Site;
use crate::cli::operations::{by_hand, present};
use crate::error::{Error, Kind, Result};
use crate::lab::LabChoice;
use crate::model::text::typed;
use crate::repl::Start;
use crate::session;
use std::path::PathBuf;

/// Steer a run by hand, or type verbs one by one
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReplArgs {
    /// A runbook to step through: a name from `baton list`, or the path of a .rhai file
    runbook: Option<String>,
    /// The site: its inventory, a TOML file
    #[arg(short, long, value_name = "FILE", conflicts_with = "lab")]
    inventory: Option<PathBuf>,
    /// A rehearsal site instead of a real one, and how it behaves
    #[arg(long, value_name = "LAB[:SCENARIO]")]
    lab: Option<String>,
    /// A parameter of the runbook; may be given several times
    #[arg(short, long = "param", value_name = "NAME=VALUE", requires = "runbook")]
    params: Vec<String>,
    /// Go on with a run: `latest`, or the first characters of its identity
    #[arg(long, value_name = "RUN", conflicts_with_all = ["runbook", "inventory", "lab", "params", "speed"])]
    run: Option<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// How many seconds pass in the lab in a real one
    #[arg(long, value_name = "N", requires = "lab", conflicts_with = "inventory")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: Option<u32>,
}

impl ReplArgs {
    /// The runbook and the inventory as they were given.
    pub(in crate::cli) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbook.iter().cloned().collect(), self.inventory.clone())
    }
}

pub(in crate::cli) fn run(args: &ReplArgs, context: &Context) -> Result<u8> {
    let place = match (&args.run, &args.inventory, &args.lab) {
        (Some(run), _, _) => return go_on(args, run, context),
        (None, Some(inventory), _) => NewPlace::Site(inventory, None),
        (None, None, Some(lab)) => {
            NewPlace::Lab { choice: LabChoice::parse(lab), speed: args.speed, unattended: false }
        }
        (None, None, None) => return Err(nowhere(args.runbook.as_deref(), context)?),
    };
    let new = NewRun { runbook: args.runbook.as_deref(), params: &args.params, place, answers: None };
    let Begun { taken, params, .. } = begin(new, |_, _| Ok(()), context)?;
    let start = Start::Begin { params, estate: taken.estate.id() };
    session(args, taken, start, context)
}

fn nowhere(runbook: Option<&str>, context: &Context) -> Result<Box<Error>> {
    let lab = lab_for(runbook, &Site::here())?;
    let named = runbook.map(|given| format!(" {}", typed(given))).unwrap_or_default();
    let error =
        Error::new(Kind::Usage, "where shall it act?").hint(format!("on a site: baton repl{named} -i INVENTORY"));
    let rehearsal = |lab| format!("as a rehearsal on this machine: baton repl{named} --lab {lab}");
    let error = lab.map(rehearsal).into_iter().fold(error, Error::hint);
    let runs = context.store().and_then(|store| Ok(store.runs()?)).unwrap_or_default();
    Ok(if runs.is_empty() || runbook.is_some() { error } else { error.hint("on with a run: baton repl --run latest") })
}

fn go_on(args: &ReplArgs, given: &str, context: &Context) -> Result<u8> {
    let claimed = claim(given, Purpose::Steer, context)?;
    if let Some(finished) = session::over(&claimed.run, &claimed.history) {
        context.screen.remark(&format!("run {} is over; nothing was done", claimed.run));
        return present::tell(context, &finished);
    }
    session(args, claimed.take_up(context)?, Start::Run, context)
}

fn session(args: &ReplArgs, taken: AcquiredRun, start: Start, context: &Context) -> Result<u8> {
    let has_runbook = !taken.prepared.program.is_empty();
    let finished = by_hand::open(&taken, args.events.as_deref(), start, context)?;
    if has_runbook || finished.error.is_some() {
        return present::tell(context, &finished);
    }
    context.screen.remark(&format!("go on with these lines: baton repl --run {}", taken.run));
    Ok(finished.exit_code)
}
