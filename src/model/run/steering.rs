//! How a run is steered, as it was asked for: kept in its record, so that whoever takes it up goes on the same way. It
//! says what was asked for, and neither checks nor does it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterFailure {
    /// A person is asked for a word.
    Ask,
    /// The run stops.
    Stop,
    /// What was done is undone.
    Rollback,
}

impl AfterFailure {
    /// How it is typed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Stop => "stop",
            Self::Rollback => "rollback",
        }
    }
}

/// How a run is steered, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steering {
    /// Somebody is asked before each change.
    pub step: bool,
    /// It stops when this step has ended: the words that name it, as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What follows a failure; nothing was said without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<AfterFailure>,
    /// The answers to gates that were given before they are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<GivenAnswers>,
}

/// The answers of a file as it was when it was given: it may be gone, or another one, when the run is taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswers {
    /// What the file was called.
    pub file: String,
    /// Who gave it.
    pub user: String,
    /// What it said, by the names of the gates.
    pub words: BTreeMap<String, GivenWord>,
}

/// One of these answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenWord {
    /// The word.
    pub word: String,
    /// What was added to it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
