//! Layouts of log records: named columns from the beginning of a line to the number of its event. What comes after
//! the number is text, and a number in a text is never an event. Compiles layouts to anchored expressions; it must not
//! read a log.

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A time as records begin with it: ISO 8601, hours to seconds alone, a date in figures, or one with English names.
pub const TIME: &str = concat!(
    r"(?:(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:T|,? +)|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}),? +",
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +)?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-9]{1,2}",
    r"|[0-9]{1,2}[ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))(?:,?[ -][0-9]{4})?,? +)?",
    r"(?:[01]?[0-9]|2[0-4]):[0-5][0-9]:[0-6][0-9](?:[.,:][0-9]{1,9})?(?: ?[AaPp][Mm])?",
    r"(?: ?Z| ?[+-][0-9]{2}:?[0-9]{2}| UTC| GMT| [A-Z]{1,4}T)?",
    r"(?: [0-9]{4})?)",
);

/// What stands between two columns if a layout says nothing else.
const BETWEEN: &str = r"[ \t]+";
/// The longest time that a free pattern may leave open, in characters.
const TIME_MAX: u32 = 64;

/// The columns of a record, in order. The last one is `number`; where `time` says nothing else, it is a usual [`TIME`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Layout {
    columns: Vec<Column>,
    between: String,
}

/// A column, with the expression that its texts match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    pattern: String,
}

impl TryFrom<BTreeMap<String, String>> for Layout {
    type Error = LayoutError;

    fn try_from(mut fields: BTreeMap<String, String>) -> Result<Self, LayoutError> {
        let names = fields.remove("columns").ok_or("a layout wants `columns`, such as \"time level number\"")?;
        let between = fields.remove("between").unwrap_or_else(|| BETWEEN.to_owned());
        let usual = |name: &str| if name == "time" { TIME } else { r"\S+" }.to_owned();
        let columns: Vec<Column> = names
            .split_whitespace()
            .map(|name| Column { name: name.to_owned(), pattern: fields.remove(name).unwrap_or_else(|| usual(name)) })
            .collect();
        if let Some(name) = fields.keys().next() {
            return Err(format!("the layout \"{names}\" has no column `{name}`").into());
        }
        if columns.last().is_none_or(|last| last.name != "number") {
            return Err(format!("the last column of the layout \"{names}\" must be `number`").into());
        }
        let layout = Self { columns, between };
        layout.check()?;
        Ok(layout)
    }
}

impl Layout {
    fn check(&self) -> Result<(), LayoutError> {
        let between = parsed(&self.between)?;
        if reaches_into_text(&between) || groups(&between) > 0 {
            return Err(format!("`between` of a layout, `{}`, may match separators only", self.between).into());
        }
        for Column { name, pattern } in self.columns.iter().filter(|column| placeholder(&column.pattern).is_none()) {
            let hir = parsed(pattern)?;
            let wanted = usize::from(name == "number");
            if groups(&hir) != wanted {
                let wants = if wanted == 1 { "one group in round brackets, the event's number" } else { "no group" };
                return Err(format!("the column `{name}`, `{pattern}`, must have {wants}").into());
            }
            if reaches_into_text(&hir) {
                return Err(format!("the column `{name}`, `{pattern}`, reaches over words into the text").into());
            }
        }
        Ok(())
    }

    /// The expression that a record of this layout matches from its first character, with one group: the number. A
    /// column whose pattern is `{name}` is that variable, to the letter.
    ///
    /// # Errors
    /// A sentence that names the variable that is not there.
    pub fn expression(&self, vars: &BTreeMap<String, String>) -> Result<String, String> {
        let mut columns = Vec::new();
        for Column { name, pattern } in &self.columns {
            columns.push(match placeholder(pattern) {
                Some(variable) => {
                    let value = vars.get(variable);
                    let unknown = || format!("`{{{variable}}}` in the column `{name}` of a layout stands for nothing");
                    regex::escape(value.ok_or_else(unknown)?)
                }
                None => format!("(?:{pattern})"),
            });
        }
        // A number that goes on is another number, and a field that goes on is another field.
        let between = format!("(?:{})", self.between);
        Ok(format!(r"\A{}(?:\s|{between}|\z)", columns.join(&between)))
    }
}

/// A free pattern as an anchored one, in which the number cannot stand in a text: the only thing left open before it
/// may be the time, at the very beginning and with a limit (`^.{8,40}?\s…`), and is then read as a [`TIME`].
///
/// # Errors
/// What the pattern may not be, as a fragment behind "the pattern `…`".
pub fn anchored(pattern: &str) -> Result<String, String> {
    let hir = regex_syntax::parse(pattern).map_err(|_| "is not a regular expression".to_owned())?;
    if groups(&hir) != 1 {
        return Err("must have one group in round brackets, the event's number".into());
    }
    let narrowed = with_time(pattern);
    let parts = before_number(&parsed(&narrowed).map_err(|wrong| wrong.0)?);
    if !matches!(parts.first().map(Hir::kind), Some(HirKind::Look(Look::Start))) {
        return Err("must begin with `^`: a number in the midst of a text is no event".into());
    }
    if parts.iter().any(reaches_into_text) {
        return Err("leaves open what stands before the number, so a number in a text would pass for an event: only \
                    the time may be left open, right behind `^` and with a limit, as in `^.{8,40}?`; or declare \
                    `layouts`"
            .into());
    }
    Ok(narrowed)
}

/// The expressions that the records of a log match, ready to be used.
#[derive(Debug, Clone, Default)]
pub struct Records(Vec<Regex>);

impl Records {
    /// Compiles them; one that is none finds nothing.
    #[must_use]
    pub fn of(expressions: &[String]) -> Self {
        Self(expressions.iter().filter_map(|expression| Regex::new(expression).ok()).collect())
    }

    /// What a record of this event says behind its columns, which one of the expressions finds. Nothing where none
    /// does.
    #[must_use]
    pub fn behind_columns<'l>(&self, number: i64, line: &'l str) -> Option<&'l str> {
        self.0.iter().find_map(|record| {
            let found = record.captures(line)?;
            let (whole, digits) = (found.get(0)?, found.get(1)?);
            (digits.as_str().parse() == Ok(number)).then(|| {
                // An expression may have taken the text as well.
                let end = if whole.end() < line.len() { whole.end() } else { digits.end() };
                &line[end..]
            })
        })
    }
}

/// The pattern with a bounded run of any characters right behind its `^` read as a time.
fn with_time(pattern: &str) -> String {
    let read = || {
        let rest = pattern.strip_prefix("^.{")?;
        let (bounds, rest) = rest.split_once('}')?;
        let most: u32 = bounds.rsplit(',').next()?.parse().ok().filter(|most| *most <= TIME_MAX)?;
        let rest = rest.strip_prefix('?').unwrap_or(rest);
        (most > 0).then(|| format!("^{TIME}{rest}"))
    };
    read().unwrap_or_else(|| pattern.to_owned())
}

/// The parts of an expression up to the one that holds the group.
fn before_number(hir: &Hir) -> Vec<Hir> {
    let HirKind::Concat(parts) = hir.kind() else { return vec![hir.clone()] };
    let number = parts.iter().position(|part| groups(part) > 0).unwrap_or(parts.len());
    parts.iter().take(number + 1).cloned().collect()
}

/// Whether some part of it matches white space and letters alike: such a part runs over words.
fn reaches_into_text(hir: &Hir) -> bool {
    let holds = |class: &Class, char: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&char)),
        Class::Bytes(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&(char as u8))),
    };
    match hir.kind() {
        HirKind::Class(class) => holds(class, ' ') && holds(class, 'e'),
        HirKind::Repetition(repetition) => {
            // `(?:\S+ )*` runs over words as well.
            let many = repetition.max.is_none_or(|most| most > 1);
            reaches_into_text(&repetition.sub) || (many && holds_any(&repetition.sub, ' ') && words(&repetition.sub))
        }
        HirKind::Capture(capture) => reaches_into_text(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(reaches_into_text),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => false,
    }
}

/// Whether an open class somewhere in it matches letters.
fn words(hir: &Hir) -> bool {
    holds_any(hir, 'e')
}

fn holds_any(hir: &Hir, char: char) -> bool {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&char))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&(char as u8)))
        }
        HirKind::Literal(literal) => char == ' ' && literal.0.contains(&b' '),
        HirKind::Repetition(repetition) => holds_any(&repetition.sub, char),
        HirKind::Capture(capture) => holds_any(&capture.sub, char),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(|part| holds_any(part, char)),
        HirKind::Empty | HirKind::Look(_) => false,
    }
}

fn groups(hir: &Hir) -> usize {
    hir.properties().explicit_captures_len()
}

fn parsed(pattern: &str) -> Result<Hir, LayoutError> {
    regex_syntax::parse(pattern).map_err(|_| format!("`{pattern}` is not a regular expression").into())
}

/// The variable that a column's pattern is, if it is one.
fn placeholder(pattern: &str) -> Option<&str> {
    let name = pattern.strip_prefix('{')?.strip_suffix('}')?;
    name.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(name)
}

/// Why a layout cannot be used, as a sentence.
#[derive(Debug)]
pub struct LayoutError(String);

impl From<String> for LayoutError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for LayoutError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn layout(fields: &[(&str, &str)]) -> Result<Layout, String> {
        let fields: BTreeMap<String, String> = fields.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Layout::try_from(fields).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_time_is_a_time_in_each_form_and_never_a_text() {
        let time = Regex::new(&format!(r"\A{TIME}\z")).unwrap();
        for text in [
            "2026-11-29T00:25:01.123",
            "2026-11-29 00:25:01,123 +0100",
            "2026/11/29 00:25:01Z",
            "00:25:01.123",
            "29.11.2026 00:25:01",
            "11/29/26 12:25:01 AM",
            "Sun Nov 29 00:25:01 2026",
            "Nov  9 00:25:01",
            "29 Nov 2026 00:25:01 CEST",
            "Sun, 29-Nov-2026 00:25:01.5 UTC",
        ] {
            assert!(time.is_match(text), "{text}");
        }
        for text in [
            "2026-11-29T00:25:01.123 Trc 24200 rule:",
            "rule:",
            "        ",
            "next: 10:00:00",
            "2026-11-29",
            "99:99:99",
            "25:00:00",
        ] {
            assert!(!time.is_match(text), "{text}");
        }
    }

    #[test]
    fn only_the_columns_of_a_record_tell_its_number() {
        let full = [
            ("columns", "time level host application number"),
            ("level", "Standard"),
            ("application", "{app}"),
            ("number", r"GCTI-21-(\d{5})"),
        ];
        let vars = BTreeMap::from([("app".to_owned(), "cfg 1.(a)".to_owned())]);
        let record = Regex::new(&layout(&full).unwrap().expression(&vars).unwrap()).unwrap();
        let number = |line: &str| record.captures(line).map(|found| found[1].to_owned());
        assert_eq!(number("22:00:07 Standard h cfg 1.(a) GCTI-21-25301 Upgrade").as_deref(), Some("25301"));
        assert_eq!(number("22:00:07 Standard h cfg 1.(a) GCTI-21-25301").as_deref(), Some("25301"));
        for line in [
            "22:00:07 Standard h cfg 1.(b) GCTI-21-25301 Upgrade",
            "22:00:07 Trace h cfg 1.(a) GCTI-21-25301 Upgrade",
            "22:00:07 Standard h cfg 1.(a) GCTI-21-05060 see GCTI-21-25301 Upgrade\r22:00:07 Standard h",
            "22:00:07 Standard h cfg 1.(a) GCTI-21-253011 Upgrade",
            " 22:00:07 Standard h cfg 1.(a) GCTI-21-25301 Upgrade",
            "text: 22:00:07 Standard h cfg 1.(a) GCTI-21-25301 Upgrade",
        ] {
            assert!(number(line).is_none_or(|number| number != "25301"), "{line}");
        }
    }

    #[test]
    fn a_layout_that_would_reach_into_texts_is_refused() {
        for (fields, part) in [
            (vec![("columns", "time number"), ("number", r"(\d+)"), ("time", ".*")], "reaches over words"),
            (vec![("columns", "time number"), ("number", r".*(\d+)")], "reaches over words"),
            (vec![("columns", "time number"), ("number", r"\d+")], "must have one group"),
            (vec![("columns", "number time"), ("number", r"(\d+)")], "must be `number`"),
            (vec![("columns", "time number"), ("number", r"(\d+)"), ("levl", "Std")], "has no column `levl`"),
            (vec![("columns", "time number"), ("number", r"(\d+)"), ("between", ".+")], "separators only"),
        ] {
            let wrong = layout(&fields).expect_err(part);
            assert!(wrong.contains(part), "{wrong}");
        }
    }

    #[test]
    fn a_free_pattern_is_narrowed_to_columns_or_refused() {
        let record = Regex::new(&anchored(r"^.{8,40}?\sStd\s+(?:21-)?(\d{5})\s").unwrap()).unwrap();
        assert!(record.is_match("22:00:06 Std 10001 first"));
        assert!(!record.is_match("2026-11-29T00:25:01.123 Trc 24200 rule: Std 25301 raises an alarm"));
        assert!(!record.is_match("    continued: Std 25301 raises an alarm"));
        for pattern in [r"^\S+ Std (\d+) ", r"^(\d+) ", r"^\[[^\] ]+\] (\d+)", r"\A[A-Z]{2}-(\d+):"] {
            assert!(anchored(pattern).is_ok(), "{pattern}");
        }
        for pattern in [
            r"\sGCTI-21-(\d{5})\s",
            r"Std (\d{5})",
            r"^.*Std (\d{5})",
            r"^.{8,400}Std (\d{5})",
            r"^\S+ [^:]+: (\d{5})",
            r"^(?:\S+ )*(\d{5})",
            r"(?m)^(\d{5})",
            r"^x|(\d{5})",
        ] {
            assert!(anchored(pattern).is_err(), "{pattern}");
        }
    }
}
