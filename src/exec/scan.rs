//! Finding the lines of a log that matter. Whole chunks are searched with one combined expression; only where it
//! hits is the line cut out and looked at closely. Pure, so that it can be measured by itself.

use crate::exec::followed::LINE_MAX;
use crate::exec::literal;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::BTreeSet;

/// What is looked for in lines: event numbers and regular expressions.
#[derive(Debug, Clone)]
pub struct Scanner {
    /// Finds lines that may matter, in a whole chunk. None: every line has to be looked at.
    filter: Option<Regex>,
    event_patterns: Vec<Regex>,
    events: BTreeSet<i64>,
    patterns: Vec<Regex>,
}

/// A line that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<'b> {
    /// The line without its line end, at most [`LINE_MAX`] bytes of it.
    pub line: &'b [u8],
    /// Where the next line begins in the bytes searched.
    pub end: usize,
    /// The number of the event it records, if it records one.
    pub event: Option<i64>,
    /// Which expression it matches; none if it counts for its event number.
    pub pattern: Option<usize>,
}

impl Scanner {
    /// Looks for lines that record one of `events`, told by `event_patterns`, or match one of `patterns`. Expressions
    /// work on bytes, `\w` and the like mean ASCII, so that a log in any encoding matches; `^` and `$` are those of
    /// a line.
    ///
    /// # Errors
    /// Which expression is not one, in words.
    pub fn new(event_patterns: &[String], events: &[i64], patterns: &[String]) -> Result<Self, String> {
        let compile = |texts: &[String]| texts.iter().map(|text| of_a_line(text)).collect::<Result<Vec<_>, _>>();
        let (event_patterns, compiled) = (compile(event_patterns)?, compile(patterns)?);
        // The anchored event patterns are slow on a chunk. The digits of the wanted numbers are not, and a line
        // that records an event contains them.
        let numbers = events.iter().map(i64::to_string);
        // Nor are texts that an expression cannot do without, where there are any.
        let sought = |text: &String| literal::required(text).map_or_else(|| text.clone(), |text| regex::escape(&text));
        let alternatives: Vec<String> =
            numbers.chain(patterns.iter().map(sought)).map(|one| format!("(?:{one})")).collect();
        let whole_text = patterns.iter().any(|text| is_of_one_line(text));
        let filter = if whole_text { None } else { built(&alternatives.join("|"), true, false).ok() };
        Ok(Self { filter, event_patterns, events: events.iter().copied().collect(), patterns: compiled })
    }

    /// The first line of `bytes`, from `start` on, that matters. `start` must be the beginning of a line.
    #[must_use]
    pub fn scan<'b>(&self, bytes: &'b [u8], start: usize) -> Option<Hit<'b>> {
        if self.events.is_empty() && self.patterns.is_empty() {
            return None;
        }
        let mut at = start;
        while at < bytes.len() {
            let candidate = match &self.filter {
                Some(filter) => at + filter.find(&bytes[at..])?.start(),
                None => at,
            };
            let begin =
                bytes[at..candidate].iter().rposition(|byte| *byte == b'\n').map_or(at, |before| at + before + 1);
            let length = bytes[candidate..].iter().position(|byte| *byte == b'\n');
            let end = length.map_or(bytes.len(), |length| candidate + length + 1);
            let line = whole_line(&bytes[begin..end]);
            if let Some((event, pattern)) = self.look_at(line) {
                return Some(Hit { line: head(line), end, event, pattern });
            }
            at = end;
        }
        None
    }

    /// Whether a line matters that has no end yet. A number at its very end may go on, so it is none.
    #[must_use]
    pub fn unfinished<'b>(&self, line: &'b [u8]) -> Option<Hit<'b>> {
        let line = whole_line(line);
        let (event, pattern) = self.look_at(line)?;
        let ends = |found: regex::bytes::Match<'_>| found.end() == line.len();
        let numbers = self.event_patterns.iter().filter_map(|pattern| pattern.captures(line)?.get(1));
        if pattern.is_none() && numbers.into_iter().any(ends) {
            return None;
        }
        Some(Hit { line: head(line), end: line.len(), event, pattern })
    }

    /// Whether a line matters: the event it records, and the expression it matches.
    ///
    /// Of a line that is too long only the columns at its beginning are looked at: they are those of a record, while
    /// where its text was cut off nobody can say what it matches.
    fn look_at(&self, line: &[u8]) -> Option<(Option<i64>, Option<usize>)> {
        let event = self.event_of(head(line));
        if event.is_some_and(|number| self.events.contains(&number)) {
            return Some((event, None));
        }
        if line.len() > LINE_MAX {
            return None;
        }
        let pattern = self.patterns.iter().position(|pattern| pattern.is_match(line))?;
        Some((event, Some(pattern)))
    }

    /// The number of the event that a line records.
    fn event_of(&self, line: &[u8]) -> Option<i64> {
        self.event_patterns.iter().find_map(|pattern| {
            let number = pattern.captures(line)?.get(1)?.as_bytes();
            std::str::from_utf8(number).ok()?.parse().ok()
        })
    }

    /// What the groups of the expression that a line matched have captured; empty for groups that took no part.
    #[must_use]
    pub fn captures(&self, hit: &Hit<'_>) -> Vec<String> {
        let Some(found) = hit.pattern.and_then(|index| self.patterns.get(index)?.captures(hit.line)) else {
            return Vec::new();
        };
        let text = |group: Option<regex::bytes::Match<'_>>| {
            group.map(|group| String::from_utf8_lossy(group.as_bytes()).into_owned()).unwrap_or_default()
        };
        found.iter().skip(1).map(text).collect()
    }
}

/// Whether an expression may mean something else on a chunk than on a line: it has an end of the whole text, or turns
/// a flag off, such as the one by which `^` is the beginning of each line.
fn is_of_one_line(text: &str) -> bool {
    let turns_off = |flags: &str| flags.split([':', ')']).next().is_some_and(|flags| flags.contains('-'));
    text.contains(r"\A") || text.contains(r"\z") || text.split("(?").skip(1).any(turns_off)
}

/// An expression on the bytes of one line. One that needs Unicode gets it. A carriage return in the midst of a line
/// ends nothing: what stands behind it is text, where no record begins.
fn of_a_line(text: &str) -> Result<Regex, String> {
    let wrong = |error| format!("`{text}` is not a regular expression: {error}");
    built(text, false, false).or_else(|_| built(text, false, true)).map_err(wrong)
}

/// An expression on bytes. With Unicode, which one that has a class with letters beyond ASCII needs, it matches no
/// bytes that are no text.
fn built(text: &str, multi_line: bool, unicode: bool) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).multi_line(multi_line).crlf(true).unicode(unicode).build()
}

/// A line without its line end, and without the mark of UTF-8 at the beginning of a file.
fn whole_line(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// As much of a line as is kept and shown.
fn head(line: &[u8]) -> &[u8] {
    &line[..line.len().min(LINE_MAX)]
}

/// How many lines end in `bytes`. The count is kept in single bytes at first, which the
/// compiler turns into wide instructions: it must not slow the search down.
#[must_use]
pub fn count_lines(bytes: &[u8]) -> u64 {
    let newlines = |block: &[u8]| block.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes.chunks(u8::MAX as usize).map(|block| u64::from(newlines(block))).sum()
}

/// The last line of `bytes`.
#[must_use]
pub fn last_line(bytes: &[u8]) -> &[u8] {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let begin = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    head(whole_line(&body[begin..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = r"\A[0-9T:.-]+ Std\s+(?:21-)?(\d{5})\s";
    const FULL: &str = r"\A[0-9T:.-]+ Standard \S+ \S+ GCTI-21-(\d{5})\s";

    fn scanner(events: &[i64], patterns: &[&str]) -> Scanner {
        let texts: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        Scanner::new(&[SHORT.into(), FULL.into()], events, &texts).expect("valid expressions")
    }

    fn found(scanner: &Scanner, log: &[u8]) -> Vec<(Option<i64>, Option<usize>)> {
        let (mut at, mut hits) = (0, Vec::new());
        while let Some(hit) = scanner.scan(log, at) {
            hits.push((hit.event, hit.pattern));
            at = hit.end;
        }
        hits
    }

    #[test]
    fn a_number_in_a_text_is_no_event() {
        let log = b"2026-11-21T22:00:05.123 Std 05060 Connected to port 25301 \n\
            2026-11-21T22:00:06.123 Std 25301 Upgrade mode\n\
            2026-11-21T22:00:07 Trc 24200 a text\r2026-11-21T22:00:07 Std 25301 goes on\n\
            2026-11-21T22:00:07 Standard host cs1 GCTI-21-22170 Initialized\r\n";
        assert_eq!(found(&scanner(&[25301, 22170], &[]), log), [(Some(25301), None), (Some(22170), None)]);
        assert_eq!(found(&scanner(&[5060], &[]), log), [(Some(5060), None)]);
    }

    #[test]
    fn anchors_are_those_of_a_line_and_bytes_need_not_be_text() {
        let scanner = scanner(&[], &["^start of (\\w+)$", "caf\u{e9}", "fail.*code (\\d+)"]);
        let log = b"a start of x\nstart of night\r\nfail \xff\xfe code 7\ncaf\xc3\xa9\n";
        assert_eq!(found(&scanner, log), [(None, Some(0)), (None, Some(2)), (None, Some(1))]);
        let hit = scanner.scan(log, 0).expect("a hit");
        assert_eq!((hit.line, scanner.captures(&hit)), (&b"start of night"[..], vec!["night".to_owned()]));
    }

    #[test]
    fn what_is_searched_for_in_a_chunk_finds_each_line_that_matches() {
        let lines =
            ["is ready now", "a <ready> sign", "READY", "already", "AB ready", "\u{e9}t\u{e9} ready", "x-y ready-"];
        let log = lines.iter().map(|line| format!("{line}\r\n")).collect::<String>();
        for pattern in [
            r"\<ready\>",
            r"\bready\b",
            r"\b{start}ready\b{end}",
            r"\b{start-half}ready\b{end-half}",
            r"\Bready",
            r"\Ais ready",
            r"ready now\z",
            r"\x41B ready",
            r"\x{41}B",
            r"\u0041B",
            r"\pLB ready",
            r"\p{Lu}B",
            r"\PL<ready",
            "(?i)ready",
            "(?i:ready) now",
            "(?x) is \\  ready",
            "(?-m)^READY",
            "(?-m:^AB) ready",
            "(?R-m)READY$",
            r"\<ready>",
            r"ready\>",
            r"\<READY\>$",
            r"\-y\ ready\-",
            r"\S+\tready|now",
            r"[^\]<]ready",
            "(?P<w>ready)>",
            "(?<w>ready)>",
            "(?s)is.ready",
            "(?U)re.*y",
            "[\u{e9}]t",
            r"\Wready",
            "re{1,2}ady*",
            "ready+?",
            r"\<{0,1}ready",
        ] {
            let Ok(whole) = of_a_line(pattern) else { continue };
            let wanted: Vec<&str> = lines.into_iter().filter(|line| whole.is_match(line.as_bytes())).collect();
            let scanner = scanner(&[], &[pattern]);
            let (mut at, mut hits) = (0, Vec::new());
            while let Some(hit) = scanner.scan(log.as_bytes(), at) {
                hits.push(String::from_utf8_lossy(hit.line).into_owned());
                at = hit.end;
            }
            assert_eq!(hits, wanted, "{pattern}");
        }
        assert_eq!(
            found(&scanner(&[], &["[\u{e9}]t", r"x.y"]), b"x\xffy\n"),
            [(None, Some(1))],
            "no text, beside letters"
        );
    }

    #[test]
    fn a_match_never_reaches_over_the_end_of_a_line() {
        let scanner = scanner(&[], &["ready\\s+now", "\\Aonly line\\z"]);
        assert_eq!(found(&scanner, b"ready\nnow\nready  now\n"), [(None, Some(0))]);
        assert_eq!(found(&scanner, b"x\nonly line\n"), [(None, Some(1))]);
    }

    #[test]
    fn of_a_line_that_is_too_long_only_the_columns_count() {
        let long = format!("22:00:05 Std 25301 {} READY", "x".repeat(LINE_MAX));
        let cut = format!("{}READY{}", "x".repeat(LINE_MAX - 5), "y".repeat(100));
        let log = format!("{long}\n{cut}\nREADY\n");
        assert_eq!(found(&scanner(&[25301], &["READY$"]), log.as_bytes()), [(Some(25301), None), (None, Some(0))]);
    }

    #[test]
    fn lines_are_counted_and_the_last_is_known() {
        let log = b"line\n".repeat(1_000);
        assert_eq!(count_lines(&log), 1_000);
        assert_eq!(last_line(b"a\nb\r\n"), b"b");
        assert_eq!(last_line(b""), b"");
    }
}
