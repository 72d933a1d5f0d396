//! What beginning and resuming a run have in common: who watches, and how the ending is told.

use super::estate::Estate;
use super::site::Site;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::{Store, Stored};
use crate::lab::Lab;
use crate::library::Shelf;
use crate::model::run::estate::EstateId;
use crate::model::run::event::Sink;
use crate::model::run::record::{Ending, SourceName};
use crate::model::text::typed;
use crate::platform::events_file;
use crate::report::ending;
use crate::report::json::{BEGINS, JsonLines};
use crate::report::summary::{Summary, summarise};
use crate::report::terminal::TerminalView;
use crate::session::{self, Finished};
use crate::world::clock::Clock;
use crate::world::operator::terminal::Terminal as Asked;
use std::path::Path;

/// Who watches a run: the screen, and the file for events if one was named.
pub(in crate::cli) fn sinks(context: &Context, estate: &Estate, events: Option<&Path>) -> Result<Vec<Box<dyn Sink>>> {
    let screen = &context.screen;
    let prompted = estate.asks_here() && screen.out_style.live && Asked::is_there();
    let view =
        TerminalView::new(Box::new(screen.out.clone()), screen.out_style, screen.zone.clone()).prompted(prompted);
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(view)];
    if let Some(path) = events {
        let file = events_file::open(path, BEGINS)?;
        let (shown, err) = (path.display().to_string(), screen.err.clone());
        let lines = JsonLines::new(
            file,
            Box::new(move |error| {
                err.say(&format!("warning: events are not written to `{shown}` any more, from here on: {error}\n"));
            }),
        );
        sinks.push(Box::new(lines.map_err(|error| {
            Error::new(Kind::Usage, format!("cannot write `{}`: {error}", path.display()))
                .hint("nothing was done; name another file with --events")
        })?));
    }
    Ok(sinks)
}

/// Tells how a run ended and what to type next; returns the exit code.
pub(in crate::cli) fn tell(context: &Context, finished: &Finished) -> Result<u8> {
    let read = context.store().and_then(|store| Ok((store.read(&finished.run)?, store)));
    let (stored, store) = read.inspect_err(|_| {
        // Why it ended is told all the same: it is often the reason.
        finished.error.iter().for_each(|error| context.screen.complain(error));
    })?;
    let sum = summary(&*store, &finished.run, stored);
    let screen = &context.screen;
    screen.out.say(&ending::render(&sum, &screen.out_style, &screen.zone));
    match &finished.error {
        Some(error) if finished.ending == Ending::Suspended && !sum.open.is_empty() => {
            screen.out.say(&ending::suspended(&sum, error, &screen.out_style));
        }
        Some(error) if matches!(finished.ending, Ending::Held | Ending::Suspended) => {
            screen.out.say(&ending::decision(error, finished.ending, &screen.out_style));
        }
        Some(error) => {
            screen.out.say("\n");
            screen.complain(error);
        }
        None => {
            if let Some(lab) = lab_of(&sum.estate, &sum.run, context)? {
                screen.out.say(&format!("\n  the lab, its logs and its ledger: {}\n", lab.folder().display()));
            }
            screen.out.say(&ending::closing(&sum, &screen.out_style));
            if let Some(back) = back_of(&sum, &*store) {
                screen.out.say(&format!("or take it back by its own runbook: {back}\n"));
            }
        }
    }
    Ok(finished.exit_code)
}

/// The command that takes a run back which was given up, where its runbook has one beside it for that: `baton rollback`
/// takes back nothing of it any more.
fn back_of(sum: &Summary, store: &dyn Store) -> Option<String> {
    let (shelf, name) = sum.runbook.split_once('/')?;
    let back = format!("{shelf}/rollback");
    let fits = sum.ending == Some(Ending::Aborted) && sum.changes > 0 && name != "rollback";
    if !fits || !Site::here().names(Shelf::Runbooks).contains(&back) {
        return None;
    }
    let history = History::read(store, &sum.run).ok()?;
    let place = match sum.estate.lab() {
        Some(_) => String::new(),
        None => {
            let file = history.sources().keys().find_map(SourceName::inventory)?;
            format!(" -i {}", typed(file))
        }
    };
    Some(format!("baton run {back} --from-run {}{place}", sum.run))
}

/// What a run came to. Of a run whose texts cannot be read any more the pairs are not known; the rest is.
pub(in crate::cli) fn summary(store: &dyn Store, run: &str, stored: Vec<Stored>) -> Summary {
    let texts = History::from(stored.clone()).and_then(|history| session::snapshot(store, &history));
    let site = texts.and_then(|texts| session::site(&texts)).unwrap_or_default();
    summarise(run, stored.iter().map(|entry| &*entry.record), &site.pairs)
}

/// The clock that counts for a run.
pub(in crate::cli) fn clock(estate: &EstateId, run: &str, context: &Context) -> Result<Clock> {
    Ok(lab_of(estate, run, context)?.map_or_else(Clock::real, |lab| lab.clock()))
}

/// The lab a run was carried out in, unless it was begun anew for another one since.
fn lab_of(estate: &EstateId, run: &str, context: &Context) -> Result<Option<Lab>> {
    let Some(name) = estate.lab() else { return Ok(None) };
    let lab = Lab::any(name, &context.state)?;
    Ok(lab.filter(|lab| lab.card().run == run))
}
