//! `baton list`: the runbooks there are, the shipped ones and the site's own. It must not read what they would do.

use crate::cli::context::Context;
use crate::cli::operations::site::Site;
use crate::error::Result;
use crate::library::{self, Shelf};
use crate::model::text::shown;
use crate::report::layout::paragraphs;
use crate::report::style::Tone;

/// List the runbooks that can be run, and the labs to rehearse them in
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {}

pub(in crate::cli) fn run(_words: &ListArgs, context: &Context) -> Result<u8> {
    let site = Site::here();
    let own = site.own_names(Shelf::Runbooks);
    let style = context.screen.out_style;
    let mut page = style.paint(Tone::Strong, "runbooks") + "\n";
    for name in site.names(Shelf::Runbooks) {
        let text = site.text(Shelf::Runbooks, &name)?.unwrap_or_default();
        let mark = if own.contains(&name) { style.paint(Tone::Warn, "  (this folder's own)") } else { String::new() };
        page += &format!("  {}{mark}\n", shown(&name));
        for line in paragraphs(&shown(library::title(&text)), style.width - 6) {
            page += &format!("      {line}\n");
        }
        let source = library::source(&text).map(|source| shown(&format!("after: {source}"))).unwrap_or_default();
        for line in paragraphs(&source, style.width - 6).iter().filter(|line| !line.is_empty()) {
            page += &format!("      {}\n", style.paint(Tone::Dim, line));
        }
    }
    page += &format!("\n{}\n", style.paint(Tone::Strong, "labs"));
    for name in site.names(Shelf::Labs) {
        let text = site.text(Shelf::Labs, &name)?.unwrap_or_default();
        page += &format!("  {}\n      {}\n", shown(&name), shown(library::title(&text)));
    }
    page += &format!("\n{} baton run RUNBOOK --help\n", style.paint(Tone::Wait, "next:"));
    context.screen.out.say(&page);
    Ok(0)
}
