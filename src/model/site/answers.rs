//! A file of answers to gates that are known before they are asked, for rehearsals. It says what it holds and what is
//! wrong with it, and neither reads files nor knows which gates there are.

use super::document::{Document, only};
use crate::error::{Kind, Result};
use crate::model::run::effect::Form;
use crate::model::run::steering::{GivenAnswers, GivenWord};
use crate::model::text::did_you_mean;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The answers of a file, by the names of the gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    file: String,
    text: String,
    user: String,
    given: BTreeMap<String, GivenAnswer>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GivenAnswer {
    word: String,
    note: String,
    span: Range<usize>,
    word_span: Range<usize>,
}

/// What is known of an answer before its gate is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// A gate may have this name and take this word.
    Fits,
    /// Only the run knows the names of some gates, and one that takes this word may have this name.
    Unsure,
    /// No gate can have this name.
    NoGate,
    /// No gate that can have this name takes this word.
    NoWord {
        /// Those that they take.
        words: Vec<String>,
        /// What is to be typed where there are none, for people.
        kinds: Vec<String>,
    },
}

/// What a file says to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// This answer.
    Answer {
        /// One of the words of its form.
        word: String,
        /// What the file adds.
        note: String,
        /// `answers file FILE (user)`.
        by: String,
    },
    /// A word that does not answer it; what is wrong, as a sentence without its full stop.
    NoAnswer(String),
    /// The file has no word for this gate.
    Nothing,
}

impl Answers {
    /// Reads the text of a file that `user` has given: `[answers]` with `gate = "word"`, or
    /// `gate = { word = "…", note = "…" }`.
    ///
    /// # Errors
    /// `Usage`, with its place, for whatever is wrong with it.
    pub fn parse(file: &str, text: &str, user: &str) -> Result<Self> {
        let given = read(Document::new(file, text)).map_err(|mut error| {
            error.kind = Kind::Usage;
            error
        })?;
        Ok(Self { file: file.to_owned(), text: text.to_owned(), user: user.to_owned(), given })
    }

    /// Those that were given before, when the file was read and held against the runbook.
    #[must_use]
    pub fn kept(before: &GivenAnswers) -> Self {
        let given = |(name, GivenWord { word, note }): (&String, &GivenWord)| {
            (name.clone(), GivenAnswer { word: word.clone(), note: note.clone(), span: 0..0, word_span: 0..0 })
        };
        let (file, user) = (before.file.clone(), before.user.clone());
        Self { file, text: String::new(), user, given: before.words.iter().map(given).collect() }
    }

    /// What of them is to be kept for whoever takes the run up.
    #[must_use]
    pub fn to_keep(&self) -> GivenAnswers {
        let word = |(name, given): (&String, &GivenAnswer)| {
            (name.clone(), GivenWord { word: given.word.clone(), note: given.note.clone() })
        };
        let (file, user) = (self.file.clone(), self.user.clone());
        GivenAnswers { file, user, words: self.given.iter().map(word).collect() }
    }

    /// Refuses names that are no gate's, and words that do not answer their gate. `judge` tells of the name and the
    /// word of each; `names` are those that could have been meant. Gives the names of which nobody can tell before a
    /// run comes to them, each with its line.
    ///
    /// # Errors
    /// `Usage`, pointing at the first that is wrong.
    pub fn check(&self, judge: &dyn Fn(&str, &str) -> Judged, names: &[String]) -> Result<Vec<(u32, &str)>> {
        let document = Document::new(&self.file, &self.text);
        let mut unsure = Vec::new();
        for (name, given) in &self.given {
            let mut error = match judge(plain(name), &given.word) {
                Judged::Fits => continue,
                Judged::Unsure => {
                    unsure.push((document.line(&given.span), name.as_str()));
                    continue;
                }
                Judged::NoGate => {
                    let mut error = document.wrong(given.span.clone(), format!("the runbook has no gate `{name}`"));
                    error.hints.extend(did_you_mean(plain(name), names.iter().map(String::as_str)));
                    error.hint(match names {
                        [] => "it asks nothing".to_owned(),
                        names => format!("its gates: {}", names.join(", ")),
                    })
                }
                Judged::NoWord { words, kinds } => {
                    let message = format!("`{}` does not answer the gate `{name}`", given.word);
                    let mut error = document.wrong(given.word_span.clone(), message);
                    error.hints.extend(did_you_mean(&given.word, words.iter().map(String::as_str)));
                    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).chain(kinds).collect();
                    error.hint(format!("its words: {}", words.join(" or ")))
                }
            };
            error.kind = Kind::Usage;
            return Err(error);
        }
        Ok(unsure)
    }

    /// What it says to the gate `gate`. A gate of parallel work, `0.3-1/drain`, is meant by `drain` as well.
    #[must_use]
    pub fn to(&self, gate: &str, form: &Form) -> Said {
        let Some(given) = self.given.get(gate).or_else(|| self.given.get(plain(gate))) else { return Said::Nothing };
        match form.word(&given.word) {
            Some(word) => {
                let by = format!("answers file {} ({})", self.file, self.user);
                Said::Answer { word, note: given.note.clone(), by }
            }
            None => {
                let (file, word, wanted) = (&self.file, &given.word, form.wanted());
                let is = if form.words().is_empty() { "is not" } else { "is none of its words," };
                Said::NoAnswer(format!("`{word}` in {file} {is} {wanted}"))
            }
        }
    }

    /// Those of its names that are not among the `asked`.
    #[must_use]
    pub fn never_asked_for(&self, asked: &[&str]) -> Vec<&str> {
        let was_asked = |name: &&str| asked.iter().any(|gate| gate == name || plain(gate) == *name);
        self.given.keys().map(String::as_str).filter(|name| !was_asked(name)).collect()
    }

    /// What the file is called.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }
}

/// The name of a gate without the track it is on.
fn plain(gate: &str) -> &str {
    gate.rsplit_once('/').map_or(gate, |(_, name)| name)
}

fn read(document: Document<'_>) -> Result<BTreeMap<String, GivenAnswer>> {
    let root = document.parse()?;
    let table = root.get_ref();
    only(document, table, &["answers"])?;
    let Some(answers) = table.get("answers") else {
        return Err(document.wrong(0..0, "there is no section [answers]").hint(HOW));
    };
    let Some(entries) = answers.get_ref().as_table() else {
        return Err(document.wrong(answers.span(), "`answers` is no section").hint(HOW));
    };
    let mut given = BTreeMap::new();
    for (name, value) in entries {
        let (word, note, word_span) = match value.get_ref() {
            DeValue::String(word) => (word.to_string(), String::new(), value.span()),
            DeValue::Table(entry) => word_and_note(document, entry, value.span())?,
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => {
                return Err(document.wrong(value.span(), format!("the answer to `{name}` is no word")).hint(HOW));
            }
        };
        if word.trim().is_empty() {
            return Err(document.wrong(value.span(), format!("the answer to `{name}` is empty")).hint(HOW));
        }
        given.insert(name.get_ref().to_string(), GivenAnswer { word, note, span: name.span(), word_span });
    }
    Ok(given)
}

fn word_and_note(
    document: Document<'_>,
    entry: &DeTable<'_>,
    span: Range<usize>,
) -> Result<(String, String, Range<usize>)> {
    only(document, entry, &["word", "note"])?;
    let text = |key: &str| match entry.get(key) {
        None => Ok(None),
        Some(value) => match value.get_ref().as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(document.wrong(value.span(), format!("`{key}` is no text")).hint(HOW)),
        },
    };
    let word = text("word")?.ok_or_else(|| document.wrong(span.clone(), "`word` is missing").hint(HOW))?;
    Ok((word, text("note")?.unwrap_or_default(), entry.get("word").map_or(span, Spanned::span)))
}

const HOW: &str = "write for example: pending-updates = \"yes\"   or   { word = \"yes\", note = \"…\" }";
