//! The last lines of a run: how it ended, what it cost each service, what deviated, and the next command to type.
//! It must not judge: what it says is in the [`Summary`].

use crate::error::Error;
use crate::journal::left_out::{LeftOutRuling, Spoken};
use crate::model::run::instant::Wall;
use crate::model::run::record::Ending;
use crate::model::text::{lines_shown, shown};
use crate::report::clients::{Arrived, Moved};
use crate::report::layout::{Badge, badge, date_and_time, day, hanging, padded, time_of_day, width, wrap};
use crate::report::questions::next_commands;
use crate::report::redundancy::{Condition, ObservedInterval};
use crate::report::style::{Style, Tone};
use crate::report::summary::Summary;
use jiff::tz::TimeZone;

/// Where the runbook begins in a list of runs.
const LIST_COLUMN: usize = 48;

/// Where further lines begin in a list of runs.
const LIST_INDENT: usize = 14;

/// How many columns the word for an ending has in a list of runs.
const WORD_WIDTH: usize = 12;
/// What a way back is that did not come to its end.
const NOT_COMPLETE: &str = "rollback not complete";
/// What a run is that could not do what it owes when it was given up.
const NOT_GIVEN_UP: &str = "giving up not complete";

/// How an ending is marked; none means the run is under way or its runner died.
#[must_use]
pub fn ending_badge(ending: Option<Ending>) -> Badge {
    match ending {
        Some(Ending::Done) => badge('✓', "done", Tone::Good),
        Some(Ending::Held) => badge('‖', "held", Tone::Wait),
        Some(Ending::Failed) => badge('✗', "failed", Tone::Bad),
        Some(Ending::Unmet) => badge('✗', "not begun", Tone::Warn),
        Some(Ending::Suspended) => badge('?', "suspended", Tone::Wait),
        Some(Ending::Doubt) => badge('?', "in doubt", Tone::Bad),
        Some(Ending::Interrupted) => badge('‖', "interrupted", Tone::Warn),
        Some(Ending::Bug) => badge('✗', "script error", Tone::Bad),
        Some(Ending::Refused) => badge('✗', "refused", Tone::Bad),
        Some(Ending::RolledBack) => badge('↶', "rolled back", Tone::Warn),
        Some(Ending::Aborted) => badge('✗', "given up", Tone::Warn),
        None => badge('…', "unfinished", Tone::Warn),
    }
}

/// How a run stands. A way back that is not at its end is called the same wherever it is told.
#[must_use]
pub fn standing(sum: &Summary) -> Badge {
    let stays = !sum.goes_on && sum.typed + sum.typed_unclear > 0;
    let is_complete = !stays && !sum.spoken.iter().any(|spoken| spoken.word == LeftOutRuling::LeftOut);
    let not_complete = if sum.gives_up { NOT_GIVEN_UP } else { NOT_COMPLETE };
    match sum.ending {
        Some(Ending::Failed | Ending::Bug | Ending::Doubt) if sum.goes_back => badge('✗', not_complete, Tone::Bad),
        None if sum.goes_back => badge('…', not_complete, Tone::Warn),
        Some(Ending::RolledBack) if !is_complete => badge('↶', "rolled back in part", Tone::Bad),
        ending => ending_badge(ending),
    }
}

/// What was left out of the way back, or is done by somebody's word alone, and what a run that was given up leaves
/// behind, one a line.
fn exceptions(sum: &Summary) -> Vec<String> {
    let told = |spoken: &Spoken| {
        let Spoken { what, by, reason, .. } = spoken;
        match spoken.word {
            LeftOutRuling::LeftOut => format!("not undone: {what} (skipped by {by}: {reason})"),
            LeftOutRuling::Done => format!("by {by}'s word: {what} ({reason})"),
        }
    };
    let counts = sum.goes_back || matches!(sum.ending, Some(Ending::RolledBack | Ending::Aborted));
    let spoken = sum.spoken.iter().filter(|_| counts).map(|spoken| lines_shown(&told(spoken)));
    let unknown = |what: &String| lines_shown(&format!("nobody knows what became of: {what}"));
    spoken.chain(sum.unknown.iter().map(unknown)).collect()
}

/// The commands that carry on from an ending, one a line, the line saying when each is to be typed.
#[must_use]
pub fn ways_on(run: &str, ending: Option<Ending>, runbook: &str) -> Vec<String> {
    // Without a runbook there is nothing that could go on by itself.
    if runbook == "repl" && matches!(ending, Some(Ending::Suspended | Ending::Doubt) | None) {
        return vec![format!("baton repl --run {run}")];
    }
    match ending {
        Some(Ending::Done | Ending::Held | Ending::Refused | Ending::RolledBack | Ending::Aborted) => {
            vec![format!("baton show {run}")]
        }
        Some(Ending::Failed | Ending::Suspended | Ending::Interrupted | Ending::Unmet) | None => {
            vec![format!("baton resume {run}")]
        }
        Some(Ending::Doubt) => vec![
            format!("if it happened: baton resume {run} --happened \"why you know\""),
            format!("if it did not:  baton resume {run} --not-happened \"why you know\""),
        ],
        // `check` has seen nothing of it: it would have been refused before.
        Some(Ending::Bug) => vec![format!("edit the runbook, then: baton resume {run} --adopt-edited")],
    }
}

/// What a run came to, several lines. What went wrong and what to do next is said behind it.
#[must_use]
pub fn render(sum: &Summary, style: &Style, zone: &TimeZone) -> String {
    let mark = standing(sum);
    let head = format!("{} {}  ", mark.symbol, mark.word);
    let mut text = format!("\n{}\n", hanging(style, (mark.tone, &head), &headline(sum), 2));
    text.extend(exceptions(sum).iter().map(|line| indented(line, style)));
    text += &indented(&shown(&counts(sum)), style);
    text += &intervals(sum, style, zone);
    let is_stopped = |one: &&ObservedInterval| one.condition == Condition::Stopped && one.until.is_none();
    let stopped = sum.intervals.iter().filter(is_stopped).map(|one| one.whose.as_str()).collect();
    if let Some(roles) = sum.roles.told(&stopped) {
        text += &indented(&shown(&format!("roles last seen: {roles}")), style);
    }
    text.extend(sum.clients.iter().map(|moved| indented(&shown(&clients(moved, sum, zone)), style)));
    if !sum.deviations.is_empty() {
        text += &format!("\n  {}\n", style.paint(Tone::Strong, "what deviated"));
    }
    for deviation in &sum.deviations {
        let lines = wrap(&lines_shown(&deviation.text), style.width - 12);
        let time = style.paint(Tone::Dim, &time_of_day(deviation.at, zone));
        text += &format!("  {time}  {}\n", lines.join(&format!("\n{}", " ".repeat(12))));
    }
    if !sum.open.is_empty() {
        text += &format!("\n  {}\n", style.paint(Tone::Strong, "what waits for an answer"));
    }
    sum.open.iter().fold(text, |text, question| text + question.shown(style, zone).as_str())
}

/// The last lines: why it ended so, and the next command. For endings that are not shown as an error.
#[must_use]
pub fn closing(sum: &Summary, style: &Style) -> String {
    let mut text = String::from("\n");
    if waits(sum) {
        return text + next_commands(&sum.run, &sum.open, style).as_str();
    }
    for line in sum.message.lines().filter(|line| !line.is_empty()) {
        text += &indented(&shown(line), style);
    }
    text + next(sum, style).as_str()
}

/// The commands that can be typed of a run as it stands, one a line. The last lines of whoever leaves it so.
#[must_use]
pub fn next(sum: &Summary, style: &Style) -> String {
    if waits(sum) {
        return next_commands(&sum.run, &sum.open, style);
    }
    let mut text = String::new();
    for (n, next) in commands(sum).iter().enumerate() {
        text += &format!("{} {}\n", style.paint(Tone::Wait, if n == 0 { "next:" } else { "     " }), shown(next));
    }
    text
}

/// Whether it is a question that keeps a run from going on.
fn waits(sum: &Summary) -> bool {
    let asked = match sum.ending {
        Some(Ending::Suspended) => true,
        Some(Ending::Interrupted) | None => sum.runbook != "repl",
        Some(Ending::Done | Ending::Held | Ending::Failed | Ending::Unmet | Ending::Doubt) => false,
        Some(Ending::Bug | Ending::Refused | Ending::RolledBack | Ending::Aborted) => false,
    };
    asked && !sum.open.is_empty()
}

/// The same commands without their label.
fn commands(sum: &Summary) -> Vec<String> {
    if waits(sum) {
        return sum.open.iter().map(|question| question.command(&sum.run)).collect();
    }
    match sum.ending {
        _ if sum.goes_on => vec![format!("baton resume {}", sum.run)],
        ending => ways_on(&sum.run, ending, &sum.runbook),
    }
}

/// The last line of a run that somebody works on at this moment: who, and what can be typed meanwhile.
#[must_use]
pub fn under_way(run: &str, by: &str, style: &Style) -> String {
    let next = style.paint(Tone::Wait, "next:");
    format!("\n  it is being run: {}\n{next} wait for it to end, or look again: baton show {run}\n", shown(by))
}

/// The last lines of a run that was suspended just now: why nobody answered, and the commands.
#[must_use]
pub fn suspended(sum: &Summary, error: &Error, style: &Style) -> String {
    let why = error.causes.iter().map(|cause| indented(&format!("nobody answered: {}", lines_shown(cause)), style));
    format!("\n{}{}", why.collect::<String>(), next_commands(&sum.run, &sum.open, style))
}

/// The last lines of a rehearsal that cannot go on because its lab is there no more: why, and the command that fits.
#[must_use]
pub fn orphaned(why: &str, next: &str, style: &Style) -> String {
    format!("\n  {}\n{} {next}\n", shown(why), style.paint(Tone::Wait, "next:"))
}

/// Why a run waits for a person, and what they are to do. It is no failure and does not look like one.
#[must_use]
pub fn decision(error: &Error, ending: Ending, style: &Style) -> String {
    let mark = ending_badge(Some(ending));
    let mut text = format!("\n{}\n", style.paint(mark.tone, &format!("{} {}", mark.symbol, mark.word)));
    for line in [&error.message].into_iter().chain(&error.causes).flat_map(|text| text.lines()) {
        text += &indented(&shown(line), style);
    }
    if let Some((next, before)) = error.hints.split_last() {
        // Broken in the midst of a command it could not be typed.
        text.extend(before.iter().map(|hint| format!("  {}\n", shown(hint))));
        text += &format!("{} {}\n", style.paint(Tone::Wait, "next:"), shown(next));
    }
    text
}

/// A run in a list: identity, when, ending, runbook, estate; on further lines what does not fit, and what it waits for.
#[must_use]
pub fn list_line(sum: &Summary, style: &Style, zone: &TimeZone) -> String {
    let mark = standing(sum);
    let is_long = mark.word.len() > WORD_WIDTH;
    let word = style.paint(mark.tone, &format!("{} {:<WORD_WIDTH$}", mark.symbol, mark.word));
    let (runbook, estate) = (shown(&sum.runbook), shown(&format!("on {}", sum.estate)));
    if LIST_COLUMN + width(&runbook).max(width(&estate)) > style.width {
        return narrow_line(sum, mark, &format!("{runbook} {estate}"), style, zone);
    }
    let fits = LIST_COLUMN + width(&runbook) + 1 + width(&estate) <= style.width;
    let indent = " ".repeat(LIST_COLUMN);
    let rest = if fits { format!("{runbook} {estate}") } else { format!("{runbook}\n{indent}{estate}") };
    let gap = if is_long { format!("\n{indent}") } else { "  ".to_owned() };
    let text = format!("{:<12}  {}  {word}{gap}{rest}\n", sum.run, date_and_time(sum.started, zone));
    text + list_rest(sum, style, zone).as_str()
}

/// The same where its columns do not fit.
fn narrow_line(sum: &Summary, mark: Badge, rest: &str, style: &Style, zone: &TimeZone) -> String {
    let word = style.paint(mark.tone, &format!("{} {}", mark.symbol, mark.word));
    let mut text = format!("{:<12}  {}\n", sum.run, date_and_time(sum.started, zone));
    text += &format!("{:LIST_INDENT$}{word}\n", "");
    text += &format!("{}\n", hanging(style, (Tone::Plain, &" ".repeat(LIST_INDENT)), rest, LIST_INDENT));
    text + list_rest(sum, style, zone).as_str()
}

/// What is still not as it should be, as this run saw it: nobody may forget it because its runner is gone.
fn left_so(sum: &Summary, zone: &TimeZone) -> Vec<String> {
    let is_over = matches!(sum.ending, Some(Ending::Done | Ending::RolledBack));
    let word = |one: &ObservedInterval| match one.condition {
        Condition::ReadOnly => Some("read-only"),
        Condition::Stopped if !is_over => Some("stopped"),
        Condition::Stopped | Condition::NobodyServes | Condition::NoRedundancy => None,
    };
    let still = sum.intervals.iter().filter(|one| one.until.is_none());
    still.filter_map(|one| Some(format!("{} {} since {}", one.whose, word(one)?, when(one.from, sum, zone)))).collect()
}

/// What was left out of a run in a list, how it has left things, and the commands that bring it on.
fn list_rest(sum: &Summary, style: &Style, zone: &TimeZone) -> String {
    let blank = " ".repeat(LIST_INDENT);
    let margin = (Tone::Plain, blank.as_str());
    let mut text = String::new();
    if sum.ending == Some(Ending::RolledBack) {
        text.extend(exceptions(sum).iter().map(|line| format!("{}\n", hanging(style, margin, line, LIST_INDENT))));
    }
    let left = left_so(sum, zone);
    if !left.is_empty() {
        let line = format!("as this run saw it: {}", shown(&left.join(", ")));
        text += &format!("{}\n", hanging(style, (Tone::Warn, &blank), &line, LIST_INDENT));
    }
    if sum.ending == Some(Ending::Suspended) || sum.goes_back {
        text.extend(commands(sum).iter().map(|command| format!("{:LIST_INDENT$}{command}\n", "")));
    }
    text
}

fn headline(sum: &Summary) -> String {
    let steps = if sum.steps_done == sum.steps {
        plural(sum.steps, "step")
    } else {
        format!("{} of {} steps done", sum.steps_done, sum.steps)
    };
    let undone = match (sum.steps_undone, sum.ending) {
        (0, _) => String::new(),
        (undone, Some(Ending::RolledBack)) => format!(", {} undone", plural(undone, "step")),
        (undone, _) => format!(", {} undone so far", plural(undone, "step")),
    };
    format!("{}, {steps}{undone}, {}", shown(&sum.runbook), sum.last.since(sum.started))
}

fn counts(sum: &Summary) -> String {
    let mut parts = vec![plural(sum.changes, "change")];
    if sum.typed > 0 && sum.ending == Some(Ending::RolledBack) {
        parts.push(format!("{} of them typed in the REPL and not undone", sum.typed));
    }
    match sum.unclear {
        0 => {}
        1 => parts.push("1 that failed and may have changed something".to_owned()),
        n => parts.push(format!("{n} that failed and may have changed something")),
    }
    if !sum.left_in_doubt.is_empty() {
        let mut people = sum.left_in_doubt.clone();
        people.sort_unstable();
        people.dedup();
        let (count, by) = (sum.left_in_doubt.len(), people.join(", "));
        parts.push(format!("{count} that may have happened, left out by {by}"));
    }
    match sum.already {
        0 => {}
        1 => parts.push("1 was so already".to_owned()),
        n => parts.push(format!("{n} were so already")),
    }
    if !sum.answers.is_empty() {
        let mut people: Vec<&str> =
            sum.answers.iter().map(|answer| answer.by.as_str()).filter(|by| !by.is_empty()).collect();
        people.sort_unstable();
        people.dedup();
        let by = if people.is_empty() { String::new() } else { format!(" by {}", people.join(", ")) };
        parts.push(format!("{} answered{by}", plural(sum.answers.len(), "question")));
    }
    if sum.resumed > 0 {
        let times = if sum.resumed == 1 { "once".into() } else { format!("{} times", sum.resumed) };
        parts.push(format!("taken up again {times}"));
    }
    parts.join(", ")
}

fn intervals(sum: &Summary, style: &Style, zone: &TimeZone) -> String {
    if sum.intervals.is_empty() && sum.unbroken.is_empty() {
        return String::new();
    }
    let heading = "who was without service or redundancy, as this run saw it";
    let mut text = format!("\n  {}\n", style.paint(Tone::Strong, heading));
    for pair in &sum.unbroken {
        text += &format!("  {} never without service\n", padded(&shown(pair), 14));
    }
    for ObservedInterval { whose, condition, from, until } in &sum.intervals {
        let (what, at_most, still) = match condition {
            Condition::NobodyServes => ("nobody served", " at most", "none seen yet"),
            Condition::NoRedundancy => ("no redundancy", "", "not seen whole"),
            Condition::ReadOnly => ("read-only", "", "and still so"),
            Condition::Stopped => ("stopped", "", "and still so"),
        };
        let clock = |wall: Wall| when(wall, sum, zone);
        let long = format!("{:>9}", until.unwrap_or(sum.last).since(*from).to_string());
        let until = match until {
            Some(until) => format!("{}  {long}{at_most}", clock(*until)),
            None => format!("{:<8}  {}", "the end", style.paint(Tone::Warn, &format!("{long}, {still}"))),
        };
        let (whose, since) = (shown(whose), clock(*from));
        let line = format!("  {} {what:<13}  {since} - {until}", padded(&whose, 14));
        if width(&line) <= style.width || !style.breaks_lines() {
            text += &format!("{line}\n");
        } else {
            text += &indented(&format!("{whose} {what}"), style);
            text += &format!("{}\n", hanging(style, (Tone::Plain, "    "), &format!("{since} - {until}"), 4));
        }
    }
    text
}

/// The time of day, with the day where it is not the one on which the run began.
fn when(wall: Wall, sum: &Summary, zone: &TimeZone) -> String {
    if day(wall, zone) == day(sum.started, zone) { time_of_day(wall, zone) } else { date_and_time(wall, zone) }
}

/// Where the clients of a server went that went away.
fn clients(moved: &Moved, sum: &Summary, zone: &TimeZone) -> String {
    let Moved { pair, from, of, to, went, asked } = moved;
    match to {
        None if !went => format!("clients of {pair}: {of} were on {from} before it was asked to stop; not read since"),
        None => format!("clients of {pair}: {of} were on {from} before it went; not read since"),
        Some(Arrived { server, count, at, since }) if count <= of => {
            let what = if server == from { "are back on" } else { "have moved to" };
            let took = asked.map_or_else(String::new, |asked| format!(" in {}", since.since(asked)));
            format!("clients of {pair}: {count} of {of} {what} {server}{took}, last read {}", when(*at, sum, zone))
        }
        Some(Arrived { server, count, at, .. }) => {
            format!(
                "clients of {pair}: {count} are on {server}, last read {}; {of} were on {from}",
                when(*at, sum, zone)
            )
        }
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn indented(text: &str, style: &Style) -> String {
    wrap(text, style.width - 2).iter().map(|line| format!("  {line}\n")).collect()
}
