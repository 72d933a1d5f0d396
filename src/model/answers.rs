//! A file of answers to gates that are known before they are asked, for rehearsals. It says what it holds and what is
//! wrong with it, and neither reads files nor knows which gates there are.

use crate::error::{Kind, Result};
use crate::model::document::{Document, only};
use crate::model::effect::Form;
use crate::model::text::did_you_mean;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The answers of a file, by the names of the gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    file: String,
    text: String,
    by: String,
    given: BTreeMap<String, Given>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    word: String,
    note: String,
    span: Range<usize>,
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
    /// Nothing.
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
        let by = format!("answers file {file} ({user})");
        Ok(Self { file: file.to_owned(), text: text.to_owned(), by, given })
    }

    /// Refuses names that are no gate's. `is_known` tells; `names` are those that could have been meant.
    ///
    /// # Errors
    /// `Usage`, pointing at the first of them.
    pub fn check(&self, is_known: &dyn Fn(&str) -> bool, names: &[&str]) -> Result<()> {
        let Some((name, given)) = self.given.iter().find(|(name, _)| !is_known(plain(name))) else { return Ok(()) };
        let mut error = Document::new(&self.file, &self.text)
            .wrong(given.span.clone(), format!("the runbook has no gate `{name}`"));
        error.kind = Kind::Usage;
        error.hints.extend(did_you_mean(plain(name), names.iter().copied()));
        Err(error.hint(match names {
            [] => "its gates have no names of their own: they are confirm-1, manual-1, choose-1, severe-1 …".to_owned(),
            names => format!("its gates: {}; others are confirm-1, manual-1, choose-1, severe-1 …", names.join(", ")),
        }))
    }

    /// What it says to the gate `gate`. A gate of parallel work, `0.3-1/drain`, is meant by `drain` as well.
    #[must_use]
    pub fn to(&self, gate: &str, form: &Form) -> Said {
        let Some(given) = self.given.get(gate).or_else(|| self.given.get(plain(gate))) else { return Said::Nothing };
        match form.word(&given.word) {
            Some(word) => Said::Answer { word, note: given.note.clone(), by: self.by.clone() },
            None => {
                let words: Vec<String> = form.words().iter().map(|word| format!("`{word}`")).collect();
                let (file, word) = (&self.file, &given.word);
                Said::NoAnswer(format!("`{word}` in {file} is none of its words, {}", words.join(" or ")))
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

fn read(document: Document<'_>) -> Result<BTreeMap<String, Given>> {
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
        let (word, note) = match value.get_ref() {
            DeValue::String(word) => (word.to_string(), String::new()),
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
        given.insert(name.get_ref().to_string(), Given { word, note, span: name.span() });
    }
    Ok(given)
}

fn word_and_note(document: Document<'_>, entry: &DeTable<'_>, span: Range<usize>) -> Result<(String, String)> {
    only(document, entry, &["word", "note"])?;
    let text = |key: &str| match entry.get(key) {
        None => Ok(None),
        Some(value) => match value.get_ref().as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(document.wrong(value.span(), format!("`{key}` is no text")).hint(HOW)),
        },
    };
    let word = text("word")?.ok_or_else(|| document.wrong(span, "`word` is missing").hint(HOW))?;
    Ok((word, text("note")?.unwrap_or_default()))
}

const HOW: &str = "write for example: pending-updates = \"yes\"   or   { word = \"yes\", note = \"…\" }";
