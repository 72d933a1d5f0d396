//! Questions to people: what is asked, which words answer it, and how a typed line is read. Pure; who is asked, and
//! whether somebody is there, is not known here.

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
}

impl Form {
    /// The words that answer it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Confirm => vec!["yes".into(), "no".into()],
            Self::Manual => vec!["done".into(), "failed".into()],
            Self::Choose(options) => options.clone(),
        }
    }

    /// The word that was typed, in full but in whatever case; nothing when it is none of them.
    #[must_use]
    pub fn word(&self, typed: &str) -> Option<String> {
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
            Self::Choose(_) => None,
        }
    }
}
