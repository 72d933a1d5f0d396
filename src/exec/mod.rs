//! How an effect is done against a world: jobs with re-attachment, probes, waits on logs and states, questions.
//! Straight-line code over a [`Link`]. It knows no journal and no approval, and never looks at a clock but the link's.

use crate::model::effect::{Effect, Outcome};
use crate::model::record::{EffectId, Moment};
use crate::world::{Link, Stopped};

/// Everything exec has to know of the effect it performs.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The run.
    pub run: &'a str,
    /// Which effect.
    pub id: &'a EffectId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What is to be done.
    pub effect: &'a Effect,
    /// When its first intent of this attempt was journaled: limits count from here, across restarts of the runner.
    pub since: &'a Moment,
    /// A former runner journaled the intent and died: find out what became of it before doing anything.
    pub recovering: bool,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is settled.
    Outcome(Outcome),
    /// An idempotent job is known not to run any more and to have left no result: do it again as a new attempt.
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
}

/// Performs an effect, or finds out what became of it.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn perform(link: &dyn Link, order: Order<'_>) -> Result<Verdict, Stopped> {
    let _ = (link, order);
    Err(Stopped)
}
