//! `baton takeover`: makes a run the holder of its hosts, whoever works there, and lets it be taken up again. It
//! carries nothing on: that is `baton resume`.

use crate::cli::context::Context;
use crate::cli::operations::estate::{Estate, break_lease, lease};
use crate::cli::operations::find_run::{Purpose, find_run_to_act_on};
use crate::cli::operations::ruling::sound;
use crate::cli::operations::{holders, machine};
use crate::error::{Error, Kind, Result};
use crate::journal::StoreError;
use crate::journal::history::History;
use crate::platform::runner_lock::Holder;
use crate::report::style::Tone;
use crate::session::{self, Takeover};
use crate::world::World;

/// How often the record is read again because a runner that was not fenced out yet still wrote to it.
const TRIES: u32 = 5;

/// Make a run the holder of its hosts, whoever works there now
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TakeoverArgs {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// Why; it goes into the record
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// Who wants it, if it is not you
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// A host that cannot be reached and stays as it is; may be given several times
    #[arg(long, value_name = "HOST")]
    without: Vec<String>,
}

pub(in crate::cli) fn run(args: &TakeoverArgs, context: &Context) -> Result<u8> {
    sound("--reason", &args.reason)?;
    let mut store = context.store()?;
    let run = find_run_to_act_on(&*store, &args.run, Purpose::GoOn, context)?;
    let history = History::read(&*store, &run)?;
    let site = session::site(&session::snapshot(&*store, &history)?)?;
    // What is over needs no host; but from where it was carried to, it could not be taken back without this.
    let is_here = machine::same(&run, &history, &site, &context.who()).is_ok();
    if history.is_final() && is_here {
        return Err(Error::new(Kind::Refused, format!("run {run} is over: it needs no host any more"))
            .hint(format!("see how it ended: baton show {run}")));
    }
    if let Some(unknown) = args.without.iter().find(|host| !site.hosts.contains_key(*host)) {
        return Err(Error::new(Kind::Usage, format!("run {run} has no host `{unknown}`"))
            .hint(format!("its hosts: {}", site.hosts.keys().cloned().collect::<Vec<_>>().join(", "))));
    }
    let hosts = site.hosts.keys().filter(|host| !args.without.contains(host));
    let takeover = Takeover {
        hosts: if history.is_final() { Vec::new() } else { hosts.cloned().collect() },
        run: run.clone(),
        without: args.without.clone(),
        reason: args.reason.clone(),
        name: args.name.clone(),
        by: context.who(),
    };
    let estate = Estate::of(&history, &run, context)?;
    let mut world = estate.world(&site, context)?;
    let mut last_seq = history.len();
    let mut former = None;
    for tries in 1.. {
        let numbers = takeover.raise(&mut world, last_seq)?;
        // Who holds them is fenced out by now, and finds out when it next wants to change or to write something.
        for name in [run.clone(), estate.lease_name(&site)] {
            former = break_lease(context, &name)?.or(former);
        }
        let _lease = lease(context, &run, &run)?;
        match takeover.record(&mut *store, last_seq, &numbers, world.now()) {
            Err(StoreError::Conflict { .. }) if tries < TRIES => {
                last_seq = store.read(&run)?.last().map_or(0, |last| last.seq);
            }
            Err(error) => return Err(unwritten(error, former.as_ref(), &run)),
            Ok(_) => {
                let held: Vec<String> =
                    numbers.iter().map(|(host, number)| format!("{host} (lease {number})")).collect();
                let style = context.screen.out_style;
                if let Some(former) = former {
                    context.screen.remark(&format!("taken from {former}; it does nothing any more"));
                }
                let (told, next) = match held.is_empty() {
                    true => (format!("✓ run {run}, which is over, belongs here now"), format!("baton show {run}")),
                    false => (format!("✓ run {run} holds {}", held.join(", ")), format!("baton resume {run}")),
                };
                if matches!(estate, Estate::Site) {
                    holders::tell_of_jobs(&run, &site, context);
                }
                let (told, word) = (style.paint(Tone::Good, &told), style.paint(Tone::Wait, "next:"));
                context.screen.out.say(&format!("{told}\n{word} {next}\n"));
                return Ok(0);
            }
        }
    }
    Ok(0)
}

/// The journal cannot be written: perhaps because whoever was fenced out was stopped in the midst of writing to it.
fn unwritten(error: StoreError, former: Option<&Holder>, run: &str) -> Box<Error> {
    let (StoreError::Unwritten(error), Some(Holder { pid, .. })) = (error.clone(), former) else {
        return error.into();
    };
    error
        .hint(format!(
            "process {pid} may be stopped in the midst of a write: let it finish (kill -CONT {pid}) or end it"
        ))
        .hint(format!("then again: baton takeover {run} --reason \"why\""))
}
