//! What is to be done and what came of it: the words between the door and whoever does an effect. It must not do it.

use crate::exec::scanners::Scanners;
use crate::model::run::effect::{Effect, Failure, FailureKind, Outcome};
use crate::model::run::record::{EffectId, Moment};
use crate::world::Trouble;
use crate::world::lease::Denied;

/// Everything exec has to know of the effect it performs.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The run.
    pub run: &'a str,
    /// Which effect.
    pub id: &'a EffectId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The first attempt that asked for the same and still counts: what became of earlier ones is of no concern, as
    /// long as they do not run any more.
    pub base: u32,
    /// What is to be done.
    pub effect: &'a Effect,
    /// When its first intent of this attempt was journaled: limits count from here, across restarts of the runner.
    pub since: &'a Moment,
    /// A former runner journaled the intent and died: find out what became of it before doing anything.
    pub recovering: bool,
    /// Where the host keeps what it knows of the run's jobs, as its intent says; or why that place could not be made,
    /// so that nothing may be started. Nothing in a world that loses nothing.
    pub kept_in: Result<Option<&'a str>, &'a Trouble>,
    /// Where scanners of logs are kept.
    pub scanners: &'a Scanners,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum ExecResult {
    /// It is settled.
    Outcome(Outcome),
    /// A job is known not to run and to have left no result: do it again as a new attempt, with a new intent.
    Again {
        /// Why, as a clause for people: of the host, of the question or of what is hidden.
        reason: String,
    },
    /// Nobody can tell whether it happened.
    Doubt {
        /// Which evidence is missing.
        reason: String,
    },
    /// A question that nobody is there to answer.
    Unanswered {
        /// Why, as a clause for people: of the host, of the question or of what is hidden.
        reason: String,
    },
    /// The host is not leased to this runner: nothing was done.
    Leased {
        /// Why not.
        denied: Denied,
    },
}

/// What was found out about a job that a former runner left.
#[derive(Debug, Clone, PartialEq)]
pub enum JobFound {
    /// It has ended: this came of it.
    Ended(Outcome),
    /// It was never started, or its check says that it did not happen.
    Never,
    /// Nobody can tell whether it happened.
    Doubt {
        /// Which evidence is missing.
        reason: String,
    },
    /// It runs, and has for the whole time that it was given.
    Runs {
        /// Under which name, for people.
        job: String,
    },
    /// It could not be found out now.
    Hidden {
        /// Why, as a clause for people: of the host, of the question or of what is hidden.
        reason: String,
    },
}

impl ExecResult {
    /// Settled as a failure.
    pub(crate) fn failed(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::Outcome(Outcome::Failed(failure(kind, message)))
    }
}

/// A failure without an exit code and without output.
pub(super) fn failure(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into(), exit: None, output: String::new() }
}
