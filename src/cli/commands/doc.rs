//! `baton doc`: what a runbook can say, from the one text that stands beside each primitive.

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::model::text::did_you_mean;
use crate::report::layout::{cut, wrap};
use crate::report::style::{Style, Tone};
use crate::script::calls::doc::VerbDoc;
use crate::script::primitives;

/// Explain the verbs a runbook can use
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DocArgs {
    /// One verb; without it, all in one line each
    verb: Option<String>,
}

pub(in crate::cli) fn run(args: &DocArgs, context: &Context) -> Result<u8> {
    let style = &context.screen.out_style;
    let page = match &args.verb {
        None => overview(style),
        Some(name) => one(primitives::find(name).ok_or_else(|| unknown(name))?, style),
    };
    context.screen.out.say(&page);
    Ok(0)
}

fn unknown(name: &str) -> Box<Error> {
    let error = Error::new(Kind::Usage, format!("there is no verb `{name}`"));
    let error = match did_you_mean(name, primitives::docs().iter().map(|doc| doc.name)) {
        Some(near) => error.hint(near),
        None => error,
    };
    error.hint("see all of them: baton doc")
}

fn overview(style: &Style) -> String {
    let mut page = String::new();
    for doc in primitives::docs() {
        let name = style.paint(Tone::Strong, &format!("{:<18}", doc.name));
        page += &format!("{name}  {}\n", cut(first_sentence(doc.summary), style.width.saturating_sub(20)));
    }
    page += &format!("\n{} baton doc VERB\n", style.paint(Tone::Wait, "next:"));
    page
}

/// What a verb does, without what else is to be known of it.
fn first_sentence(summary: &str) -> &str {
    summary.find(". ").map_or(summary, |end| &summary[..=end])
}

fn one(doc: &VerbDoc, style: &Style) -> String {
    let mut page = String::new();
    for signature in doc.signatures {
        page += &format!("{}\n", style.paint(Tone::Strong, signature));
    }
    page += &format!("\n{}\n", wrap(doc.summary, style.width).join("\n"));
    if let Some(class) = doc.class {
        page += &format!("\n  class    {class}\n");
    }
    if !doc.limit.is_empty() {
        page += &format!("  limit    {}\n", doc.limit);
    }
    if !doc.errors.is_empty() {
        page += &format!("  fails    {}\n", doc.errors.join(", "));
    }
    for (index, (key, meaning)) in doc.options.iter().enumerate() {
        let word = if index == 0 { "options" } else { "" };
        let lines = wrap(meaning, style.width.saturating_sub(22));
        page += &format!("  {word:<8} {key:<10} {}\n", lines.join(&format!("\n{}", " ".repeat(22))));
    }
    if !doc.example.is_empty() {
        let lines: String = dedented(doc.example).map(|line| format!("    {line}\n")).collect();
        page += &format!("\n  example\n{}", style.paint(Tone::Dim, &lines));
    }
    page
}

/// The lines of an example without the indentation it has in our own source.
fn dedented(text: &str) -> impl Iterator<Item = &str> {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let depth = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines().map(move |line| &line[depth..])
}
