//! `baton runs`: every run in the state folder, oldest first, so that the latest stands above the prompt.

use super::Desk;
use crate::error::Result;
use crate::model::text::shown;
use crate::report::ending::list_line;
use crate::report::style::Tone;
use crate::report::summary::summarise;
use std::collections::BTreeMap;

/// List the runs there were, the latest last
#[derive(Debug, clap::Args)]
pub(super) struct Words {}

pub(super) fn run(_words: &Words, desk: &Desk) -> Result<u8> {
    let store = desk.store()?;
    let style = desk.screen.out_style;
    let mut page = String::new();
    for run in store.runs()? {
        // One damaged run must not hide the others.
        page += &match store.read(&run) {
            Ok(stored) => {
                let records = stored.iter().map(|entry| &entry.record);
                list_line(&summarise(&run, records, &BTreeMap::new()), &style, &desk.screen.zone)
            }
            Err(error) => format!("{run}  {} {}\n", style.paint(Tone::Bad, "✗ unreadable"), shown(&error.message)),
        };
    }
    let next = if page.is_empty() { "no runs yet\nnext: baton list" } else { "next: baton show RUN" };
    desk.screen.out.say(&format!("{page}{}\n", style.paint(Tone::Wait, next)));
    Ok(0)
}
