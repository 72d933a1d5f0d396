//! What beginning and resuming a run have in common: who watches, and how the ending is told.

use super::Desk;
use super::estate::Estate;
use crate::error::Result;
use crate::model::event::Sink;
use crate::model::record::{Ending, Record};
use crate::report::ending;
use crate::report::json::JsonLines;
use crate::report::summary::summarise;
use crate::report::terminal::Terminal;
use crate::session::Finished;
use crate::world::desk;
use std::io::{self, IsTerminal};
use std::path::Path;

/// Who watches a run: the screen, and the file for events if one was named.
pub(super) fn sinks(desk: &Desk, estate: &Estate, events: Option<&Path>) -> Result<Vec<Box<dyn Sink>>> {
    let screen = &desk.screen;
    let prompted = matches!(estate, Estate::Site) && screen.out_style.live && io::stdin().is_terminal();
    let view = Terminal::new(Box::new(screen.out.clone()), screen.out_style, screen.zone.clone()).prompted(prompted);
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(view)];
    if let Some(path) = events {
        sinks.push(Box::new(JsonLines::new(desk::create(path)?)));
    }
    Ok(sinks)
}

/// Tells how a run ended and what to type next; returns the exit code.
pub(super) fn tell(desk: &Desk, finished: &Finished) -> Result<u8> {
    let stored = desk.store()?.read(&finished.run)?;
    let records: Vec<Record> = stored.into_iter().map(|entry| entry.record).collect();
    let sum = summarise(&finished.run, &records);
    let screen = &desk.screen;
    screen.out.say(&ending::render(&sum, &screen.out_style, &screen.zone));
    match &finished.error {
        Some(error) if matches!(finished.ending, Ending::Held | Ending::Suspended) => {
            screen.out.say(&ending::decision(error, finished.ending, &screen.out_style));
        }
        Some(error) => {
            screen.out.say("\n");
            screen.complain(error);
        }
        None => screen.out.say(&ending::closing(&sum, &screen.out_style)),
    }
    Ok(finished.exit_code)
}
