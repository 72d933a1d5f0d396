//! The columns of the human view: time of day, mark, words, and on the right host, class and duration. Pure: text in,
//! lines out. Everything on a page starts at the same few columns, so that a tired eye finds it.

pub use crate::model::columns::{cut, folded, hung, padded, shortened, width, wrap};
use crate::model::run::instant::Wall;
use crate::model::run::record::TrackId;
use crate::model::site::layout::Records;
use crate::model::text::shown;
use crate::report::style::{Style, Tone};
use jiff::tz::TimeZone;

/// Where the mark begins, behind the time of day.
const MARK_COLUMN: usize = 12;
/// Where the words begin, behind the mark.
pub const TEXT_COLUMN: usize = 21;

/// A symbol and its word, in its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// One character.
    pub symbol: char,
    /// At most six letters.
    pub word: &'static str,
    /// The colour.
    pub tone: Tone,
}

/// A badge, written short.
#[must_use]
pub const fn badge(symbol: char, word: &'static str, tone: Tone) -> Badge {
    Badge { symbol, word, tone }
}

/// The time of day of a wall clock reading, `22:04:59`.
#[must_use]
pub fn time_of_day(wall: Wall, zone: &TimeZone) -> String {
    local(wall, zone, "%H:%M:%S")
}

/// Date and time of a wall clock reading, `2026-11-21 22:04`.
#[must_use]
pub fn date_and_time(wall: Wall, zone: &TimeZone) -> String {
    local(wall, zone, "%Y-%m-%d %H:%M")
}

/// Which day it was on a wall clock, with its distance from UTC: both are the same within a night without a change of
/// summer time. `Saturday 2026-11-21, UTC+01:00`.
#[must_use]
pub fn day(wall: Wall, zone: &TimeZone) -> String {
    local(wall, zone, "%A %Y-%m-%d, UTC%:z")
}

fn local(wall: Wall, zone: &TimeZone, format: &str) -> String {
    let instant = wall.timestamp().unwrap_or_default();
    instant.to_zoned(zone.clone()).strftime(format).to_string()
}

/// One entry: time, badge, words and, at the right edge, what belongs to them. Words that do not fit beside `right`
/// push it to a line of its own; nothing is cut.
#[must_use]
pub fn entry(style: &Style, time: &str, badge: Badge, words: &str, right: &str) -> String {
    let mark = format!("{} {:<6}", badge.symbol, badge.word);
    let head = format!("{}  {} ", style.paint(Tone::Dim, &format!("{time:<10}")), style.paint(badge.tone, &mark));
    let room = style.edge() - TEXT_COLUMN;
    let mut lines = wrap(words, style.width - TEXT_COLUMN);
    if !right.is_empty() {
        let last = lines.pop().unwrap_or_default();
        let gap = room.saturating_sub(width(&last) + width(right));
        if gap > 0 {
            lines.push(format!("{last}{}{}", " ".repeat(gap), style.paint(Tone::Dim, right)));
        } else if !style.breaks_lines() {
            lines.push(format!("{last}  {}", right.trim()));
        } else if width(right) <= room {
            lines.push(last);
            lines.push(format!("{}{}", " ".repeat(room - width(right)), style.paint(Tone::Dim, right)));
        } else {
            // Its columns do not fit: what stands in them does, on as many lines as it needs.
            lines.push(last);
            let right = right.split_whitespace().collect::<Vec<_>>().join(" ");
            lines.extend(wrap(&right, room).iter().map(|line| style.paint(Tone::Dim, line)));
        }
    }
    let indent = " ".repeat(TEXT_COLUMN);
    format!("{head}{}", lines.join(&format!("\n{indent}")))
}

/// A heading: time, number and words, which begin where badges do. Further lines begin behind the number.
#[must_use]
pub fn heading(style: &Style, time: &str, number: &str, words: &str) -> String {
    let number = if number.is_empty() { String::new() } else { format!("{number}  ") };
    let indent = MARK_COLUMN - 2 + width(&number);
    let lines = wrap(words, style.width.saturating_sub(indent));
    let mut painted: Vec<String> = lines.iter().map(|line| style.paint(Tone::Strong, line)).collect();
    painted[0] = style.paint(Tone::Strong, &format!("{number}{}", lines[0]));
    let indent = format!("\n{}", " ".repeat(indent));
    format!("{}{}", style.paint(Tone::Dim, &format!("{time:<10}")), painted.join(&indent))
}

/// A head in its colour and words behind it, which go on in the column `indent`. A head that leaves no room for them
/// has lines of its own; nothing is cut.
#[must_use]
pub fn hanging(style: &Style, (tone, head): (Tone, &str), words: &str, indent: usize) -> String {
    let lines = wrap(words, style.width.saturating_sub(indent));
    let margin = format!("\n{}", " ".repeat(indent));
    let first = lines.first().map_or(0, |line| width(line));
    if width(head) <= indent || width(head) + first <= style.width {
        return format!("{}{}", style.paint(tone, head), lines.join(&margin));
    }
    let start = " ".repeat(head.len() - head.trim_start().len());
    let head = wrap(head.trim(), style.width.saturating_sub(start.len()));
    let head: Vec<String> = head.iter().map(|line| format!("{start}{}", style.paint(tone, line))).collect();
    format!("{}{margin}{}", head.join("\n"), lines.join(&margin))
}

/// A further line under an entry.
#[must_use]
pub fn under(style: &Style, tone: Tone, words: &str) -> String {
    let lines = wrap(words, style.width - TEXT_COLUMN);
    let painted: Vec<String> =
        lines.iter().map(|line| format!("{}{}", " ".repeat(TEXT_COLUMN), style.paint(tone, line))).collect();
    painted.join("\n")
}

/// Text whose paragraphs are parted by empty lines, each broken anew into lines of at most `width` columns.
#[must_use]
pub fn paragraphs(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.append(&mut wrap(&paragraph.split_whitespace().collect::<Vec<_>>().join(" "), width));
    }
    lines
}

/// Which strand of parallel work it belongs to stands before the words: `[2]` is its second item.
#[must_use]
pub fn lane(track: &TrackId, words: &str) -> String {
    match track.item() {
        Some(item) => format!("[{}] {words}", item + 1),
        None => words.to_owned(),
    }
}

/// An event's number and what the line says behind the columns that these expressions find; the whole line when it has
/// no number.
#[must_use]
pub fn log_words(number: Option<i64>, line: &str, records: &Records) -> String {
    let Some(number) = number else { return shown(line) };
    let behind = records.behind_columns(number, line);
    let number = number.to_string();
    let rest = behind.unwrap_or_else(|| line.split_once(&number).map_or(line, |(_, rest)| rest)).trim();
    shown(format!("{number} {rest}").trim_end())
}

#[cfg(test)]
mod tests {
    use super::{log_words, paragraphs};
    use crate::model::site::layout::Records;

    #[test]
    fn what_an_event_says_begins_behind_its_columns() {
        let words = |record: &str, line: &str| log_words(Some(100), line, &Records::of(&[record.to_owned()]));
        assert_eq!(words(r"^\S+ INFO \[(\d{3})\]", "22:00:05.100 INFO [100] ready"), "100 ready");
        assert_eq!(words(r"^\S+ (\d{3}): .*$", "22:00:05.100 100: ready"), "100 : ready");
        assert_eq!(words(r"^no (\d+)", "22:00 Std 100 ready"), "100 ready");
    }

    #[test]
    fn paragraphs_are_filled_anew_and_stay_apart() {
        assert_eq!(paragraphs("one\ntwo three\n\nfour", 9), ["one two", "three", "", "four"]);
    }
}
