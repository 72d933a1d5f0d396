//! What speaks against a play, as plain data. It must not judge anything.

use crate::error::Error;

/// Who complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// The product: something that must hold did not.
    Invariant,
    /// What baton promises: nothing is done twice, without an intent or unseen, and a run can be taken up again.
    Promise,
    /// A sentence that baton said was not true when it was said.
    Sentence,
    /// The run said that it was done, and something is left.
    Left,
    /// The runbook has a mistake on this path.
    Mistake,
    /// The run comes to no end.
    Endless,
    /// The run, or its way back, fails although nothing has gone wrong.
    Stuck,
}

/// All of them.
pub(super) const ALL: [Oracle; 7] = [
    Oracle::Invariant,
    Oracle::Promise,
    Oracle::Sentence,
    Oracle::Left,
    Oracle::Mistake,
    Oracle::Endless,
    Oracle::Stuck,
];

impl Oracle {
    /// What sort of violation it is, in a word or two.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Invariant => "broken invariant",
            Self::Promise => "broken promise",
            Self::Sentence => "untrue sentence",
            Self::Left => "left behind",
            Self::Mistake => "mistake in the runbook",
            Self::Endless => "no end",
            Self::Stuck => "no way through",
        }
    }

    /// The same as one word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Invariant => "invariant",
            Self::Promise => "promise",
            Self::Sentence => "sentence",
            Self::Left => "left-behind",
            Self::Mistake => "mistake",
            Self::Endless => "endless",
            Self::Stuck => "stuck",
        }
    }
}

/// Something that speaks against a play. The same text from two plays is the same finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Who complains.
    pub oracle: Oracle,
    /// What, in words that hold no times.
    pub text: String,
}

impl Violation {
    /// A complaint.
    #[must_use]
    pub(super) fn new(oracle: Oracle, text: impl Into<String>) -> Self {
        Self { oracle, text: text.into() }
    }

    /// A run cannot be taken up again, for this reason.
    #[must_use]
    pub(super) fn not_taken_up(error: &Error) -> Self {
        let why: Vec<&str> = std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect();
        Self::new(Oracle::Promise, format!("the run cannot be taken up again: {}", why.join("; ")))
    }

    /// The run fails although nothing has gone wrong, for this reason.
    #[must_use]
    pub(super) fn stuck(failure: &str) -> Self {
        Self::new(Oracle::Stuck, format!("nothing has gone wrong, and it fails: {failure}"))
    }

    /// A runner comes to no end.
    #[must_use]
    pub(super) fn endless() -> Self {
        Self::new(Oracle::Endless, "the run asks and asks, and comes to no end")
    }
}
