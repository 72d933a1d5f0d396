//! What `verify` says to people: how it stands while it works, and at the end no violation, or stories. It must not
//! explore anything.

use crate::cli::screen::Screen;
use crate::model::text::{lines_shown, shown, typed};
use crate::report::layout::{hanging, wrap};
use crate::report::style::{Style, Tone};
use crate::report::terminal::REWRITE;
use crate::script::analysis::coverage::Unreached;
use crate::verify::Violation;
use crate::verify::formats::Verified;
use crate::verify::story::{Story, StoryLine, Told, time};
use crate::verify::tally::{Counterexample, Explored};
use std::io::Write;

/// How far apart two lines are that say how it stands where nothing can be rewritten, in milliseconds.
const HEARTBEAT_MS: u64 = 10_000;
/// The same where it can, in milliseconds.
const REDRAW_MS: u64 = 250;
/// How many lines of a story are shown before the first thing that is wrong.
const LINES_BEFORE: usize = 24;
/// How many unreached lines are listed.
const UNREACHED_SHOWN: usize = 20;
/// Where the text of a story begins.
const INDENT: usize = 12;

/// Says how it stands.
pub(in crate::cli) struct ProgressView {
    screen: Screen,
    runbook: String,
    told_ms: u64,
    budget_ms: u64,
}

impl ProgressView {
    /// Of the exploration of this runbook.
    pub(in crate::cli) fn new(screen: &Screen, runbook: &str, budget_ms: u64) -> Self {
        Self { screen: screen.clone(), runbook: runbook.to_owned(), told_ms: 0, budget_ms }
    }

    /// It stands like this.
    pub(in crate::cli) fn tell(&mut self, explored: &Explored, percent_reached: impl FnOnce() -> usize) {
        let tally = &explored.tally;
        let live = self.screen.err_style.live;
        let pause = if live { REDRAW_MS } else { HEARTBEAT_MS };
        if tally.spent_ms < self.told_ms + pause {
            return;
        }
        self.told_ms = tally.spent_ms;
        let left = self.budget_ms.saturating_sub(tally.spent_ms) / 1_000;
        let line = format!(
            "{}: {} schedules, {} states, {} to go, {} % reached, {}, {left} s left",
            shown(&self.runbook),
            grouped(tally.schedules),
            grouped(tally.states),
            grouped(tally.left),
            percent_reached(),
            plural(explored.found.len(), "violation"),
        );
        if live {
            let _ = self.screen.err.write_all(REWRITE.as_bytes());
            self.screen.err.say(&line.chars().take(self.screen.err_style.width).collect::<String>());
        } else {
            self.screen.remark(&line);
        }
    }

    /// It is over: what was rewritten is wiped away.
    pub(in crate::cli) fn end(mut self) {
        if self.screen.err_style.live {
            let _ = self.screen.err.write_all(REWRITE.as_bytes());
        }
    }
}

/// The result of one runbook.
pub(in crate::cli) fn text(verified: &Verified, budget: &str, style: &Style) -> String {
    let Verified { explored, .. } = verified;
    let mut text = String::new();
    for (index, found) in explored.found.iter().enumerate() {
        let replay = verified.replays.get(index).map_or("", String::as_str);
        text += &counterexample(verified, found, (verified.stories.get(index), replay), style);
    }
    text += &verdict(verified, budget, style);
    text += &numbers(verified, style);
    text += &unreached(verified, style);
    text
}

fn verdict(verified: &Verified, budget: &str, style: &Style) -> String {
    let (name, explored) = (shown(&verified.runbook), &verified.explored);
    let (tone, mark, words) = match (explored.found.len(), explored.is_exhausted) {
        (0, true) if !verified.unknown.is_empty() => {
            let unknown = shown(&verified.unknown.join(", "));
            let words = format!(
                "{name}: not known. No model says how {unknown} behave; where each command may fail and each wait may \
                 be late there was no violation within: {}",
                verified.bound
            );
            (Tone::Warn, "?", words)
        }
        (0, true) => (Tone::Good, "✓", format!("{name}: no violation within: {}", verified.bound)),
        (0, false) => {
            let left = grouped(explored.tally.left);
            let more = if explored.tally.left == 0 { "more".to_owned() } else { format!("{left} planned") };
            let words = format!(
                "{name}: not known. The budget of {budget} was over before this bound was exhausted: {}; {more} \
                 schedules were not walked, and in the others there was no violation",
                verified.bound
            );
            (Tone::Warn, "?", words)
        }
        (count, exhausted) => {
            let rest = if exhausted { "" } else { "; the budget was over before the bound was exhausted" };
            (Tone::Bad, "✗", format!("{name}: {} within: {}{rest}", plural(count, "violation"), verified.bound))
        }
    };
    hanging(style, (tone, &format!("{mark} ")), &words, 2) + "\n"
}

fn numbers(verified: &Verified, style: &Style) -> String {
    let tally = &verified.explored.tally;
    let ends: Vec<String> = tally.ends.iter().map(|(end, count)| format!("{} {end}", grouped(*count))).collect();
    let seconds = format!("{}.{} s", tally.spent_ms / 1_000, tally.spent_ms % 1_000 / 100);
    let missing: usize = unexplained(verified).map(|place| place.statements).sum();
    let statements = verified.coverage.statements;
    let reached = format!(", {} of {} statements never reached", grouped(missing as u64), grouped(statements as u64));
    let mut lines = vec![
        format!(
            "{}; {} schedules, {} states{reached}; {seconds}, {} schedules a second",
            plural(verified.scenarios.len(), "scenario"),
            grouped(tally.schedules),
            grouped(tally.states),
            grouped(tally.rate()),
        ),
        format!(
            "{} were played, {} of them until they came to what was known; the others ended: {}",
            grouped(tally.plays),
            grouped(tally.merged),
            if ends.is_empty() { "none".to_owned() } else { ends.join(", ") },
        ),
    ];
    if !verified.unknown.is_empty() {
        lines.push(format!(
            "not known: no model says how {} behave; each of their commands may fail and each wait may be late, \
             and nothing is said of what they do",
            verified.unknown.join(", ")
        ));
    }
    if let Some((scenario, why)) = verified.left_out.first() {
        let names: Vec<&str> = verified.left_out.iter().map(|(name, _)| name.as_str()).collect();
        lines.push(format!("not explored: {} (`{scenario}`: {why})", names.join(", ")));
    }
    let width = style.edge().saturating_sub(2);
    let wrapped = lines.iter().flat_map(|line| wrap(&lines_shown(line), width));
    wrapped.map(|line| format!("  {}\n", style.paint(Tone::Dim, &line))).collect()
}

/// What no schedule has reached, and for which the text gives no reason.
fn unexplained(verified: &Verified) -> impl Iterator<Item = &Unreached> {
    verified.coverage.unreached.iter().filter(|place| place.reason.is_none())
}

fn unreached(verified: &Verified, style: &Style) -> String {
    let mut text = String::new();
    for (index, place) in unexplained(verified).enumerate() {
        if index == 0 {
            text += &format!("  {}\n", style.paint(Tone::Strong, "never reached"));
        }
        if index < UNREACHED_SHOWN {
            let at = format!("{}:{}", place.place.file, place.place.line);
            text += &format!("    {}  {}\n", shown(&at), shown(place.line.trim()));
        }
    }
    let more = unexplained(verified).count().saturating_sub(UNREACHED_SHOWN);
    if more > 0 {
        text += &format!("    and {more} more places: --format json lists all\n");
    }
    for wrong in &verified.coverage.false_reasons {
        let line = format!("{}:{}: {}", wrong.place.file, wrong.place.line, wrong.fault);
        text += &format!("  {}\n", style.paint(Tone::Warn, &shown(&line)));
    }
    text
}

fn counterexample(
    verified: &Verified,
    found: &Counterexample,
    (story, replay): (Option<&Story>, &str),
    style: &Style,
) -> String {
    let Counterexample { scenario, finding: Violation { oracle, text: what }, times, after_ms, .. } = found;
    let head = hanging(style, (Tone::Bad, "✗ "), &format!("{}: {}", oracle.title(), lines_shown(what)), 2) + "\n";
    let place = if scenario.is_empty() { "on the site".to_owned() } else { format!("scenario {scenario}") };
    let often = plural(usize::try_from(*times).unwrap_or(usize::MAX), "schedule");
    let found_in = format!(
        "{}, {place}; in {often}, the first after {}.{} s; this is the smallest",
        shown(&verified.runbook),
        after_ms / 1_000,
        after_ms % 1_000 / 100
    );
    let mut text = format!("{head}{}\n", hanging(style, (Tone::Dim, "  "), &shown(&found_in), 2));
    text += &story.map(|story| told(story, Some(&found.finding), style)).unwrap_or_default();
    text += &format!("  play it again: {replay}\n\n");
    text
}

/// A story, up to the first line that tells of this finding; all of it where none is named.
pub(in crate::cli) fn told(story: &Story, finding: Option<&Violation>, style: &Style) -> String {
    let wanted = finding.map(|finding| format!("{}: {}", finding.oracle.title(), finding.text));
    let is_it = |line: &StoryLine| line.told == Told::Wrong && wanted.as_ref().is_none_or(|text| *text == line.text);
    let at = story.lines.iter().position(is_it).filter(|_| wanted.is_some());
    let until = at.map_or(story.lines.len(), |at| {
        let aside = |line: &&StoryLine| line.told == Told::Aside;
        at + 1 + story.lines.iter().skip(at + 1).take_while(aside).count()
    });
    let first = at.map_or(0, |at| at.saturating_sub(LINES_BEFORE));
    let mut text = String::new();
    for line in &story.site {
        text += &placed("", "the site", (Tone::Dim, &lines_shown(line)), style);
    }
    let mut skipped = 0;
    for (index, line) in story.lines.iter().enumerate().take(until) {
        // Of what comes long before only the steps and the faults are told.
        if index < first && !matches!(line.told, Told::Step | Told::Fault) {
            skipped += 1;
            continue;
        }
        if std::mem::take(&mut skipped) > 0 {
            text += &placed("", "", (Tone::Dim, "…"), style);
        }
        text += &story_line(line, style);
    }
    text
}

fn story_line(line: &StoryLine, style: &Style) -> String {
    let when = line.when.map_or_else(String::new, time);
    let place = line.place.as_ref().map_or_else(String::new, |place| format!(" ({}:{})", place.file, place.line));
    let (tone, mark) = match line.told {
        Told::Step => (Tone::Strong, ""),
        Told::Deed => (Tone::Plain, "  "),
        Told::Fault => (Tone::Warn, "! "),
        Told::Wrong => (Tone::Bad, "✗ "),
        Told::Aside => (Tone::Dim, "  "),
        Told::End => (Tone::Strong, ""),
    };
    placed(&when, "", (tone, &lines_shown(&format!("{mark}{}{place}", line.text))), style)
}

/// A line with its time, or a word in its place, broken at the edge.
fn placed(when: &str, word: &str, (tone, words): (Tone, &str), style: &Style) -> String {
    let head = if when.is_empty() { word } else { when };
    let width = style.edge().saturating_sub(INDENT);
    let lines = words.lines().flat_map(|line| wrap(line, width)).collect::<Vec<_>>();
    let shown = lines.iter().enumerate().map(|(index, line)| {
        let head = if index == 0 { head } else { "" };
        format!("  {head:<9} {}\n", style.paint(tone, line))
    });
    shown.collect()
}

/// The command that plays a schedule again.
pub(in crate::cli) fn replay(runbook: &str, place: &str, found: &Counterexample) -> String {
    let line = found.schedule.line(&found.scenario);
    format!("baton verify {}{place} --replay {}", typed(runbook), typed(&line))
}

fn plural(count: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

/// A number with its thousands set apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let lead = digits.len() % 3;
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (index + 3 - lead).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        for (number, shown) in [(0, "0"), (12, "12"), (123, "123"), (1_234, "1,234"), (1_234_567, "1,234,567")] {
            assert_eq!(super::grouped(number), shown);
        }
    }
}
