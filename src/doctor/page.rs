//! What was found, as a page: a line for each host, service and pair, what is wrong under it, and what it comes to.
//! Pure: text out.

use super::chart::{Advice, Chart, ChartEntry, Weight};
use crate::report::layout::{padded, width, wrap};
use crate::report::style::{Style, Tone};

/// Where what is said under a line begins.
const INDENT: usize = 4;

/// The page; `time` is when it was over, as a person reads it, and `again` the command that looks once more.
#[must_use]
pub fn page(chart: &Chart, style: &Style, time: &str, again: &str) -> String {
    let longest = chart.entries.iter().map(|entry| width(&entry.name)).max().unwrap_or(0).min(style.width / 3);
    let mut page: String = chart.entries.iter().map(|entry| of_entry(entry, style, longest)).collect();
    if !chart.left_out.is_empty() {
        page += "\nnot read\n";
        page.extend(chart.left_out.iter().map(|what| hung(style, Tone::Dim, INDENT, "", what)));
    }
    page.push('\n');
    page += ending(chart, style, time, again).as_str();
    page
}

fn of_entry(entry: &ChartEntry, style: &Style, longest: usize) -> String {
    let (symbol, tone) = mark(entry.weight());
    let head = format!("{symbol} {}  ", padded(&entry.name, longest));
    let told = if entry.told.is_empty() { "not read" } else { &entry.told };
    let indent = width(&head);
    let mut text = format!("{}{}", style.paint(tone, symbol), &head[symbol.len()..]);
    let mut lines = wrap(told, style.width.saturating_sub(indent)).into_iter();
    text += &format!("{}\n", lines.next().unwrap_or_default());
    text.extend(lines.map(|line| format!("{}{line}\n", " ".repeat(indent))));
    for finding in &entry.findings {
        let (symbol, tone) = mark(finding.weight);
        text += &hung(style, tone, INDENT, &format!("{symbol} "), &finding.what);
        text.extend(finding.next.iter().enumerate().map(|(n, advice)| of_advice(advice, style, n == 0)));
    }
    text
}

/// What to do about a finding. A command has a line of its own, and is not broken: so it can be typed.
fn of_advice(Advice { words, command }: &Advice, style: &Style, is_first: bool) -> String {
    let before = if is_first { "do: " } else { "    " };
    let Some(command) = command else { return hung(style, Tone::Plain, INDENT + 2, before, words) };
    let words = hung(style, Tone::Plain, INDENT + 2, before, &format!("{words}:"));
    format!("{words}{:1$}{command}\n", "", INDENT + 2 + before.len())
}

/// Words with something before their first line, all of them moved in.
fn hung(style: &Style, tone: Tone, indent: usize, before: &str, words: &str) -> String {
    let further = indent + width(before);
    let lines = wrap(words, style.width.saturating_sub(further));
    let line = |(index, line): (usize, &String)| {
        let lead = if index == 0 { format!("{}{before}", " ".repeat(indent)) } else { " ".repeat(further) };
        format!("{}\n", style.paint(tone, &format!("{lead}{line}")))
    };
    lines.iter().enumerate().map(line).collect()
}

fn mark(weight: Weight) -> (&'static str, Tone) {
    match weight {
        Weight::Well => ("✓", Tone::Good),
        Weight::Look => ("!", Tone::Warn),
        Weight::Wrong => ("✗", Tone::Bad),
    }
}

fn ending(chart: &Chart, style: &Style, time: &str, again: &str) -> String {
    let (wrong, look) = (chart.count(Weight::Wrong), chart.count(Weight::Look));
    let look = match look {
        0 => String::new(),
        1 => "; 1 thing is worth a look".to_owned(),
        many => format!("; {many} things are worth a look"),
    };
    let next = |what: &str| format!("{} {what}{again}\n", style.paint(Tone::Wait, "next:"));
    match wrong {
        0 => {
            let said = format!("everything that could be read was read, twice, at {time}{look}");
            hung(style, Tone::Good, 0, "✓ ", &said)
        }
        1 => format!(
            "{}{}",
            hung(style, Tone::Bad, 0, "✗ ", &format!("1 thing will not work tonight{look}")),
            next("put it right, then: ")
        ),
        many => {
            let said = format!("{many} things will not work tonight{look}");
            format!("{}{}", hung(style, Tone::Bad, 0, "✗ ", &said), next("put them right, then: "))
        }
    }
}
