//! What was found at a site, and what to do about it. Plain data: it must not judge.

use crate::model::run::instant::Wall;

/// How much a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing is wrong.
    Well,
    /// Somebody should look.
    Look,
    /// It will not work.
    Wrong,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFinding {
    /// How much it means.
    pub weight: Weight,
    /// What is so, as a sentence without its full stop.
    pub what: String,
    /// What to do about it, one way after the other.
    pub next: Vec<Advice>,
}

/// What to do about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// In words.
    pub words: String,
    /// The command they lead up to, which is to be typed as it is.
    pub command: Option<String>,
}

impl Advice {
    /// Without a command.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Self { words: words.into(), command: None }
    }

    /// As an error says it: where a command of baton is named, it stands behind a colon at the end.
    #[must_use]
    pub fn hint(said: &str) -> Self {
        match said.split_once(": baton ") {
            Some((words, command)) => Self::command(words, format!("baton {command}")),
            None => Self::words(said),
        }
    }

    /// With a command behind the words.
    #[must_use]
    pub fn command(words: impl Into<String>, command: impl Into<String>) -> Self {
        Self { words: words.into(), command: Some(command.into()) }
    }
}

/// What was found about a host, a service or a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartEntry {
    /// What it is about.
    pub name: String,
    /// What was read, in a few words.
    pub told: String,
    /// What was found.
    pub findings: Vec<SiteFinding>,
}

/// What was found at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Hosts with their services, then pairs.
    pub entries: Vec<ChartEntry>,
    /// What was not read, and why.
    pub left_out: Vec<String>,
    /// When it was over.
    pub at: Wall,
}

impl ChartEntry {
    /// The worst that was found.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.findings.iter().map(|finding| finding.weight).max().unwrap_or(Weight::Well)
    }
}

impl Chart {
    /// How many findings weigh this much.
    #[must_use]
    pub fn count(&self, weight: Weight) -> usize {
        self.entries.iter().flat_map(|entry| &entry.findings).filter(|finding| finding.weight == weight).count()
    }
}
