//! `baton runs`: every run in the state folder, oldest first, so that the latest stands above the prompt.

use crate::cli::context::Context;
use crate::error::{Error, Result};
use crate::journal::{OtherFormat, StoreError};
use crate::model::text::shown;
use crate::report::ending::list_line;
use crate::report::style::Tone;
use crate::report::summary::summarise;
use std::collections::{BTreeMap, BTreeSet};

/// How many characters of an identity are shown at least: they tell the time.
const SHORT: usize = 12;

/// List the runs there were, the latest last
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RunsArgs {}

pub(in crate::cli) fn run(_words: &RunsArgs, context: &Context) -> Result<u8> {
    let store = context.store()?;
    let style = context.screen.out_style;
    let mut page = String::new();
    let (written, runs) = (store.written(), store.runs()?);
    let known: BTreeSet<&str> = written.keys().chain(&runs).map(String::as_str).collect();
    let short = |run: &str| shortened(run, &known);
    for run in written.keys().filter(|run| !runs.contains(run)) {
        page += &format!(
            "{}  {} its records are not in the journal any more\n",
            short(run),
            style.paint(Tone::Bad, "✗ gone")
        );
    }
    for run in &runs {
        // One damaged run must not hide the others.
        page += &match store.read(run) {
            Ok(stored) => {
                let records = stored.iter().map(|entry| &*entry.record);
                list_line(&summarise(&short(run), records, &BTreeMap::new()), &style, &context.screen.zone)
            }
            Err(StoreError::OtherFormat(OtherFormat { format, baton })) => {
                let (what, baton) = (format!("· format {format}"), shown(&baton));
                format!(
                    "{}  {} begun by baton {baton}: go on with that one\n",
                    short(run),
                    style.paint(Tone::Warn, &what)
                )
            }
            Err(error) => {
                let why = shown(&Box::<Error>::from(error).message);
                format!("{}  {} {why}\n", short(run), style.paint(Tone::Bad, "✗ unreadable"))
            }
        };
    }
    let next = if page.is_empty() { "no runs yet\nnext: baton list" } else { "next: baton show RUN" };
    context.screen.out.say(&format!("{page}{}\n", style.paint(Tone::Wait, next)));
    Ok(0)
}

/// The first characters of an identity that say which of these it is: those that tell the time, and more if need be.
fn shortened(run: &str, known: &BTreeSet<&str>) -> String {
    let fits = |length: &usize| {
        let start = run.get(..*length).unwrap_or(run);
        known.iter().filter(|other| other.starts_with(start)).count() <= 1
    };
    let length = (SHORT..run.len()).find(fits).unwrap_or(run.len());
    run.get(..length).unwrap_or(run).to_owned()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn an_identity_is_shown_as_far_as_it_tells_runs_apart() {
        let known = ["6b01b46e4a740aaa", "6b01b46e4a741bbb", "6b01b46e4b000ccc", "aa01"].into_iter().collect();
        assert_eq!(shortened("6b01b46e4b000ccc", &known), "6b01b46e4b00");
        assert_eq!(shortened("6b01b46e4a741bbb", &known), "6b01b46e4a741");
        assert_eq!(shortened("aa01", &known), "aa01");
    }
}
