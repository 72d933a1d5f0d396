//! How an effect is done against a world: jobs with re-attachment, probes, waits on logs and states, questions.
//! Straight-line code over a [`Link`]. It knows no journal and no approval, and never looks at a clock but the link's.

use crate::model::run::effect::{Action, Effect, Failure, FailureKind, Outcome};
use crate::model::value::Value;
use crate::world::{Link, Stopped};
use order::failure;
use probe::Allowed;
use transfer::Direction;

mod ask;
mod calls;
mod capture;
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
mod order;
mod output;
mod partial_copy;
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
pub use order::{ExecResult, JobFound, Order};
pub(crate) use reading::value_of;
pub use scanners::Scanners;
pub use transfer::BLOCK;

/// Reads again what an effect read: the value, or why there is none.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn read_again(link: &dyn Link, effect: &Effect) -> Result<Result<Value, Failure>, Stopped> {
    match (&effect.action, calls::EffectSite::of(effect)) {
        (Action::Probe(probe), Ok(site)) => probe::read(link, site, probe, Allowed::AS_IT_SAYS),
        _ => Ok(Err(failure(FailureKind::Missing, format!("`{}` is not a reading", effect.label)))),
    }
}

/// Finds out what became of a change that was asked for, and starts nothing. A job that still runs is awaited, for its
/// own limit from now on.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn settle(link: &dyn Link, order: Order<'_>) -> Result<JobFound, Stopped> {
    match &order.effect.action {
        Action::Job(job) => job::settle(link, order, job),
        Action::Put(transfer) => transfer::settle(link, order, transfer, Direction::Put),
        Action::Fetch(transfer) => transfer::settle(link, order, transfer, Direction::Fetch),
        Action::Probe(_) | Action::Log(_) | Action::Until(_) | Action::Sleep { .. } => Ok(JobFound::Never),
        Action::Ask(_) | Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => Ok(JobFound::Never),
    }
}

/// Performs an effect, or finds out what became of it.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn perform(link: &dyn Link, order: Order<'_>) -> Result<ExecResult, Stopped> {
    match &order.effect.action {
        Action::Job(job) => job::perform(link, order, job),
        Action::Put(transfer) => transfer::perform(link, order, transfer, Direction::Put),
        Action::Fetch(transfer) => transfer::perform(link, order, transfer, Direction::Fetch),
        Action::Probe(probe) => probe::perform(link, order, probe),
        Action::Log(wait) => log_wait::perform(link, order, wait),
        Action::Until(until) => until::perform(link, order, until),
        Action::Sleep { span, within, .. } => waiting::sleep(link, order, *span, within.as_ref()),
        Action::Ask(ask) => ask::perform(link, order, ask),
        Action::Capture(capture) => capture::perform(link, order, capture),
        Action::Note { .. } | Action::NoReturn { .. } => {
            Ok(ExecResult::Outcome(Outcome::Done { value: Default::default(), mark: None }))
        }
    }
}
