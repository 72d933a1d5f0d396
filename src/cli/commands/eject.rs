//! `baton eject`: copies a shipped runbook, and what it imports, into the current folder, where it wins over the
//! shipped one. It never writes over a file.

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::library::{self, Shelf};
use crate::model::run::source_name::SourceName;
use crate::model::text::did_you_mean;
use crate::platform::desk;
use crate::report::style::Tone;
use crate::script::compile::sources::Sources;
use std::path::Path;

/// Copy a shipped runbook and what it imports here, to be edited
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct EjectArgs {
    /// The runbook's name, as `baton list` shows it
    name: String,
}

pub(in crate::cli) fn run(args: &EjectArgs, context: &Context) -> Result<u8> {
    let Some(text) = library::runbook(&args.name) else { return Err(unknown(&args.name)) };
    let mut read = |name: &str| library::module(name).map(str::to_owned);
    let sources = Sources::collect(&args.name, text, &mut read)?;
    let mut page = String::new();
    for (name, text) in &sources.files {
        let shelf = if let SourceName::Module(_) = name { Shelf::Modules } else { Shelf::Runbooks };
        let path = shelf.path(name.bare());
        page += &match desk::write_new(Path::new(&path), text)? {
            true => format!("  {} {path}\n", context.screen.out_style.paint(Tone::Good, "+ written")),
            false => format!("  {} {path} is here already\n", context.screen.out_style.paint(Tone::Warn, "= kept   ")),
        };
    }
    context.screen.out.say(&format!("{page}next: edit it, then: baton check {}\n", args.name));
    Ok(0)
}

fn unknown(name: &str) -> Box<Error> {
    let known = library::all(Shelf::Runbooks);
    let error = Error::new(Kind::Usage, format!("there is no shipped runbook `{name}`"));
    let error = match did_you_mean(name, known.iter().map(|entry| entry.name)) {
        Some(near) => error.hint(near),
        None => error,
    };
    error.hint("see which there are: baton list")
}
