//! What a product's verbs and probes mean to a run, whatever the product calls them: by it the summary knows who
//! serves, who stands still and who takes no changes. The names of the language mean what the language says; for
//! others a profile says it, `means = "…"`. It must not know any product.

use serde::{Deserialize, Serialize};

/// What a verb does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerbMeaning {
    /// The service runs no more afterwards.
    Stops,
    /// The service runs afterwards.
    Starts,
    /// The service refuses changes afterwards.
    RefusesChanges,
    /// The service takes changes again.
    TakesChanges,
    /// The host restarts, with every service on it.
    RestartsHost,
}

/// What a probe reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeMeaning {
    /// Whether the service runs: `running` or `stopped`.
    Status,
    /// What it is in its pair: `primary`, `backup` or `none`.
    Role,
    /// The version that is installed.
    Version,
    /// The version that runs.
    RunningVersion,
    /// Whether it refuses changes: true or false.
    Readonly,
    /// How many clients it serves: a number.
    Clients,
}

impl VerbMeaning {
    /// What a verb of this name means in the language.
    #[must_use]
    pub fn of_verb(name: &str) -> Option<Self> {
        match name {
            "shutdown" => Some(Self::Stops),
            "start" => Some(Self::Starts),
            "set_readonly" => Some(Self::RefusesChanges),
            "unset_readonly" => Some(Self::TakesChanges),
            "reboot" => Some(Self::RestartsHost),
            _ => None,
        }
    }

    /// What a verb means whose goal is that this is read by a probe which means that.
    #[must_use]
    pub fn of_goal(probe: ProbeMeaning, reads: &str) -> Option<Self> {
        match (probe, reads) {
            (ProbeMeaning::Status, STOPPED) => Some(Self::Stops),
            (ProbeMeaning::Status, RUNNING) => Some(Self::Starts),
            (ProbeMeaning::Readonly, "true") => Some(Self::RefusesChanges),
            (ProbeMeaning::Readonly, "false") => Some(Self::TakesChanges),
            _ => None,
        }
    }
}

impl ProbeMeaning {
    /// What a probe of this name means in the language.
    #[must_use]
    pub fn of_probe(name: &str) -> Option<Self> {
        match name {
            "status" => Some(Self::Status),
            "role" => Some(Self::Role),
            "version" => Some(Self::Version),
            "running_version" => Some(Self::RunningVersion),
            "readonly" => Some(Self::Readonly),
            "clients" => Some(Self::Clients),
            _ => None,
        }
    }

    /// Whether two readings in a row agree as long as nobody changes anything, unless a profile says otherwise.
    #[must_use]
    pub fn is_steady(self) -> bool {
        match self {
            Self::Status | Self::Role | Self::Version | Self::RunningVersion => true,
            Self::Readonly | Self::Clients => false,
        }
    }
}

/// What [`ProbeMeaning::Status`] reads of a service that runs.
pub const RUNNING: &str = "running";
/// What it reads of one that does not.
pub const STOPPED: &str = "stopped";
