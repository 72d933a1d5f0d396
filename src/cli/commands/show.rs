//! `baton show`: a run as it was seen when it happened, from its records, and what it came to.

use crate::cli::context::Context;
use crate::cli::operations::estate::{cleared_away, lab_of};
use crate::cli::operations::find_run::{find_run, shortfall};
use crate::cli::operations::present;
use crate::error::Result;
use crate::journal::Stored;
use crate::journal::history::History;
use crate::lab::Lab;
use crate::model::run::event::{Event, Sink};
use crate::platform::runner_lock::RunnerLock;
use crate::report::ending;
use crate::report::style::Style;
use crate::report::terminal::TerminalView;
use std::rc::Rc;

/// Show what a run did, and how it ended
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShowArgs {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
}

pub(in crate::cli) fn run(args: &ShowArgs, context: &Context) -> Result<u8> {
    let store = context.store()?;
    let run = find_run(&*store, &args.run, context)?;
    let written = store.written();
    let stored = store.read(&run)?;
    if let Some(loss) = shortfall(&written, &run, stored.len() as u64) {
        context.screen.remark(&loss);
    }
    let screen = &context.screen;
    let style = Style { live: false, ..screen.out_style };
    let mut view = TerminalView::new(Box::new(screen.out.clone()), style, screen.zone.clone());
    for entry in &stored {
        view.event(&Event::Recorded { seq: entry.seq, record: Rc::clone(&entry.record), replayed: false });
    }
    let lab_gone = lab_gone(&stored, &run, context);
    let sum = present::summary(&*store, &run, stored);
    screen.out.say(&ending::render(&sum, &style, &screen.zone));
    screen.out.say(&match (RunnerLock::holder(&context.state, &run), lab_gone) {
        (Some(holder), _) => ending::under_way(&run, &holder.to_string(), &style),
        (None, Some((why, next))) => ending::orphaned(&why, &next, &style),
        (None, None) => ending::closing(&sum, &style),
    });
    Ok(0)
}

/// Why a run that is not over cannot go on, and what can be done: it was a rehearsal, and its lab is there no more.
fn lab_gone(stored: &[Stored], run: &str, context: &Context) -> Option<(String, String)> {
    let history = History::from(stored.to_vec()).ok().filter(|history| !history.is_final())?;
    let lab = lab_of(&history)?;
    match Lab::gone(lab, &context.state, run) {
        Ok(gone) => gone.map(|why| (why, cleared_away(lab, run, context))),
        Err(error) => Some((error.message, "baton lab stop".to_owned())),
    }
}
