//! What was explored and what was not, in numbers, and what was found. Plain data; it explores nothing.

use super::schedule::Schedule;
use super::violation::Violation;
use crate::script::compile::reached::Reached;
use std::collections::BTreeMap;

/// A finding with the smallest schedule that leads to it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// In which scenario.
    pub scenario: String,
    /// What goes wrong.
    pub schedule: Schedule,
    /// What speaks against it.
    pub finding: Violation,
    /// In how many schedules the same was found.
    pub times: u64,
    /// After how many milliseconds it was first found.
    pub after_ms: u64,
}

/// Numbers of an exploration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Schedules that were walked, those included that led to what was known at once.
    pub schedules: u64,
    /// How many of them were played.
    pub plays: u64,
    /// How many plays ended where all was known.
    pub merged: u64,
    /// Distinct states of site and record.
    pub states: u64,
    /// How the plays ended that did not end in something known.
    pub ends: BTreeMap<&'static str, u64>,
    /// Schedules that are planned and not walked yet.
    pub left: u64,
    /// How long it took, in milliseconds.
    pub spent_ms: u64,
}

impl Tally {
    /// How many schedules a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        self.schedules * 1_000 / self.spent_ms.max(1)
    }
}

/// What came of an exploration.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// The numbers.
    pub tally: Tally,
    /// What was found, the first first.
    pub found: Vec<Counterexample>,
    /// Whether everything within the bound was walked.
    pub is_exhausted: bool,
    /// What of the runbook and its library was reached.
    pub reached: Reached,
}
