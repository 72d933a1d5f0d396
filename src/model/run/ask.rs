//! Questions to people: what is asked, which words answer it, and how a typed line is read. Pure; who is asked, and
//! whether somebody is there, is not known here.

use crate::model::text::shown;
use crate::model::versions::is_version;
use serde::{Deserialize, Serialize};

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// A name for the gate, unique in the run: `manual-2`.
    pub gate: String,
    /// What kind of answer it wants.
    pub form: Form,
    /// What is asked or to be done.
    pub text: String,
    /// What counts as done, or what to look at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub evidence: String,
}

/// The word that answers no question and leaves the run suspended.
pub const SUSPEND: &str = "suspend";

/// What kind of answer a question wants. The words are typed in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// `yes` or `no`.
    Confirm,
    /// `done` or `failed`.
    Manual,
    /// One of the options.
    Choose(Vec<String>),
    /// Something of this kind, in words that nobody can list.
    Write(AnswerKind),
}

/// What is typed where a question has no words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerKind {
    /// A line of text.
    Text,
    /// A whole number.
    Int,
    /// A version, as `version` reads it.
    Version,
    /// A time of day, `02:10`.
    Time,
}

/// How long an answer may be, in characters.
const ANSWER_MAX: usize = 200;

impl AnswerKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Int, Self::Version, Self::Time];

    /// How a runbook calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Version => "version",
            Self::Time => "time",
        }
    }

    /// What is to be typed, for people.
    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a line of text",
            Self::Int => "a whole number",
            Self::Version => "a version such as `8.5.101`",
            Self::Time => "a time of day such as `02:10`",
        }
    }

    /// One that is of this kind: what the operator of a rehearsal says who knows no better.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Text => "as usual",
            Self::Int => "0",
            Self::Version => "1.0",
            Self::Time => "02:00",
        }
    }

    /// What was typed, in its usual form; nothing when it is none.
    #[must_use]
    pub fn read(self, typed: &str) -> Option<String> {
        let typed = typed.trim();
        let is_line = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        match self {
            Self::Text => (is_line(typed) && typed.chars().count() <= ANSWER_MAX).then(|| typed.to_owned()),
            Self::Int => typed.parse::<i64>().ok().map(|number| number.to_string()),
            Self::Version => (is_line(typed) && is_version(typed)).then(|| typed.to_owned()),
            Self::Time => {
                let (hours, minutes) = typed.split_once(':')?;
                let two = |text: &str, most: u8| {
                    let number: u8 = text.parse().ok()?;
                    (text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()) && number < most).then_some(number)
                };
                let minutes = two(minutes, 60).filter(|_| minutes.len() == 2)?;
                Some(format!("{:02}:{minutes:02}", two(hours, 24)?))
            }
        }
    }
}

impl Form {
    /// The words that answer it; none where they cannot be listed.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Confirm => vec!["yes".into(), "no".into()],
            Self::Manual => vec!["done".into(), "failed".into()],
            Self::Choose(options) => options.clone(),
            Self::Write(_) => Vec::new(),
        }
    }

    /// The kind of what is typed, where there are no words.
    #[must_use]
    pub fn kind(&self) -> Option<AnswerKind> {
        match self {
            Self::Write(kind) => Some(*kind),
            Self::Confirm | Self::Manual | Self::Choose(_) => None,
        }
    }

    /// What answers it, for people: the words in back-ticks, or what is to be typed.
    #[must_use]
    pub fn wanted(&self) -> String {
        if let Some(kind) = self.kind() {
            return kind.wanted().to_owned();
        }
        let words: Vec<String> = self.words().iter().map(|word| format!("`{}`", shown(word))).collect();
        words.join(" or ")
    }

    /// The word that was typed, in full but in whatever case; nothing when it does not answer the question.
    #[must_use]
    pub fn word(&self, typed: &str) -> Option<String> {
        if let Some(kind) = self.kind() {
            return kind.read(typed);
        }
        let typed = typed.trim().to_lowercase();
        self.words().into_iter().find(|word| word.to_lowercase() == typed)
    }

    /// The word and the note behind it in a typed line: `yes: checked with Anna`, or with a `#`.
    #[must_use]
    pub fn word_and_note(&self, line: &str) -> Option<(String, String)> {
        if let Some(word) = self.word(line) {
            return Some((word, String::new()));
        }
        line.match_indices([':', '#']).find_map(|(at, mark)| {
            let (word, note) = (self.word(&line[..at])?, line[at + mark.len()..].trim());
            (!note.is_empty()).then(|| (word, note.to_owned()))
        })
    }

    /// The word that lets the run go on as it was meant to; none where there is a choice to be made.
    #[must_use]
    pub fn affirmative(&self) -> Option<&'static str> {
        match self {
            Self::Confirm => Some("yes"),
            Self::Manual => Some("done"),
            Self::Choose(_) | Self::Write(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AnswerKind, Form};

    #[test]
    fn an_answer_is_read_as_what_it_is() {
        for (kind, typed, read) in [
            (AnswerKind::Int, " 042 ", Some("42")),
            (AnswerKind::Int, "-7", Some("-7")),
            (AnswerKind::Int, "4 or 5", None),
            (AnswerKind::Int, "99999999999999999999", None),
            (AnswerKind::Text, "Anna, by telephone", Some("Anna, by telephone")),
            (AnswerKind::Text, "  ", None),
            (AnswerKind::Text, "\u{1b}[2J", None),
            (AnswerKind::Version, "8.5.101.10", Some("8.5.101.10")),
            (AnswerKind::Version, "the newest", None),
            (AnswerKind::Version, "8.5\u{7}", None),
            (AnswerKind::Time, "2:05", Some("02:05")),
            (AnswerKind::Time, "23:59", Some("23:59")),
            (AnswerKind::Time, "24:00", None),
            (AnswerKind::Time, "2:5", None),
            (AnswerKind::Time, "+2:05", None),
        ] {
            assert_eq!(kind.read(typed).as_deref(), read, "{kind:?} {typed:?}");
            assert_eq!(kind.read(kind.example()).as_deref(), Some(kind.example()));
        }
    }

    #[test]
    fn a_note_may_stand_behind_an_answer() {
        let note = |kind: AnswerKind, line: &str| Form::Write(kind).word_and_note(line);
        let given = |word: &str, note: &str| Some((word.to_owned(), note.to_owned()));
        assert_eq!(
            note(AnswerKind::Time, "02:10: as the duty manager says"),
            given("02:10", "as the duty manager says")
        );
        assert_eq!(note(AnswerKind::Int, "6 # counted twice"), given("6", "counted twice"));
        assert_eq!(note(AnswerKind::Text, "rack 4: left"), given("rack 4: left", ""), "a text is all of the line");
    }
}
