//! How an effect is done against a world: jobs with re-attachment, probes, waits on logs and states, questions.
//! Straight-line code over a [`Link`]. It knows no journal and no approval, and never looks at a clock but the link's.

use crate::model::effect::{Action, Effect, Failure, FailureKind, Outcome};
use crate::model::record::{EffectId, Moment};
use crate::model::value::Value;
use crate::world::lease::Denied;
use crate::world::{Link, Stopped, Trouble};
use probe::Allowed;
use transfer::Way;

mod ask;
mod calls;
mod capture;
mod copies;
mod deadline;
mod entry;
mod evidence;
pub mod follow;
mod followed;
mod job;
mod literal;
mod log_look;
mod log_mark;
mod log_names;
mod log_reader;
mod log_table;
mod log_wait;
mod output;
mod probe;
mod reading;
pub mod scan;
mod scanners;
mod seeker;
mod sight;
mod transfer;
mod until;
mod waiting;

pub use evidence::{Evidence, evidence, is_former};
pub use job::enter;
pub use log_look::{LogSeen, look_at_log};
pub(crate) use reading::value_of;
pub use scanners::Scanners;
pub use transfer::BLOCK;

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
pub enum Verdict {
    /// It is settled.
    Outcome(Outcome),
    /// A job is known not to run and to have left no result: do it again as a new attempt, with a new intent.
    Again {
        /// Why.
        reason: String,
    },
    /// Nobody can tell whether it happened.
    Doubt {
        /// Which evidence is missing.
        reason: String,
    },
    /// A question that nobody is there to answer.
    Unanswered {
        /// Why.
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
pub enum Found {
    /// It has ended: this came of it.
    Ended(Outcome),
    /// It was never started, or its check says that it did not happen.
    Never,
    /// Nobody can tell whether it happened.
    Doubt {
        /// Which evidence is missing.
        reason: String,
    },
    /// It could not be found out now.
    Hidden {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// Settled as a failure.
    pub(crate) fn failed(kind: FailureKind, message: impl Into<String>) -> Self {
        Self::Outcome(Outcome::Failed(failure(kind, message)))
    }
}

/// A failure without an exit code and without output.
fn failure(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into(), exit: None, output: String::new() }
}

/// Reads again what an effect read: the value, or why there is none.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn read_again(link: &dyn Link, effect: &Effect) -> Result<Result<Value, Failure>, Stopped> {
    match (&effect.action, calls::Site::of(effect)) {
        (Action::Probe(probe), Ok(site)) => probe::read(link, site, probe, Allowed::AS_IT_SAYS),
        _ => Ok(Err(failure(FailureKind::Missing, format!("`{}` is not a reading", effect.label)))),
    }
}

/// Finds out what became of a change that was asked for, and starts nothing. A job that still runs is awaited, for its
/// own limit from now on.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn settle(link: &dyn Link, order: Order<'_>) -> Result<Found, Stopped> {
    match &order.effect.action {
        Action::Job(job) => job::settle(link, order, job),
        Action::Put(transfer) => transfer::settle(link, order, transfer, Way::Put),
        Action::Fetch(transfer) => transfer::settle(link, order, transfer, Way::Fetch),
        Action::Probe(_) | Action::Log(_) | Action::Until(_) | Action::Sleep { .. } => Ok(Found::Never),
        Action::Ask(_) | Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => Ok(Found::Never),
    }
}

/// Performs an effect, or finds out what became of it.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn perform(link: &dyn Link, order: Order<'_>) -> Result<Verdict, Stopped> {
    match &order.effect.action {
        Action::Job(job) => job::perform(link, order, job),
        Action::Put(transfer) => transfer::perform(link, order, transfer, Way::Put),
        Action::Fetch(transfer) => transfer::perform(link, order, transfer, Way::Fetch),
        Action::Probe(probe) => probe::perform(link, order, probe),
        Action::Log(wait) => log_wait::perform(link, order, wait),
        Action::Until(until) => until::perform(link, order, until),
        Action::Sleep { span, within } => waiting::sleep(link, order, *span, within.as_ref()),
        Action::Ask(ask) => ask::perform(link, order, ask),
        Action::Capture(capture) => capture::perform(link, order, capture),
        Action::Note { .. } | Action::NoReturn { .. } => {
            Ok(Verdict::Outcome(Outcome::Done { value: Default::default(), mark: None }))
        }
    }
}
