//! Whether a change happened, as far as its record tells. It must not guess: what nobody saw is unseen.

use super::history::{EffectState, Past};
use crate::model::run::effect::{FailureKind, Outcome};
use crate::model::value::Value;

/// Whether a change happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It did.
    Happened,
    /// It began, and nobody can say how far it went.
    Unclear,
    /// It was asked for, and its job has to be looked at before anybody can tell.
    Unseen,
    /// It did not.
    Never,
}

pub(super) fn fate_of(outcome: &Outcome) -> Happened {
    match outcome {
        Outcome::Done { value, .. } => match value.get("changed").and_then(Value::as_bool) {
            Some(false) => Happened::Never,
            Some(true) | None => Happened::Happened,
        },
        Outcome::Failed(why) => match why.kind {
            FailureKind::Exit | FailureKind::Goal => Happened::Unclear,
            FailureKind::Limit | FailureKind::Unreachable => Happened::Unseen,
            FailureKind::Missing | FailureKind::Declined | FailureKind::Guard | FailureKind::Unreadable => {
                Happened::Never
            }
        },
        Outcome::Skipped { .. } => Happened::Unseen,
    }
}

/// Whether an effect happened, as far as its present attempt tells. What a person has left out may have.
pub(super) fn fate(past: &Past<'_>) -> Happened {
    fate_now(past, Happened::Unseen)
}

/// How the present attempt stands; `told` is what its last outcome says.
pub(super) fn fate_now(past: &Past<'_>, told: Happened) -> Happened {
    match past.state {
        EffectState::Settled(outcome) => fate_of(outcome),
        EffectState::SettledByPerson { happened: true } => Happened::Happened,
        EffectState::SettledByPerson { happened: false } | EffectState::Answered { .. } | EffectState::Undone => {
            Happened::Never
        }
        EffectState::Open | EffectState::Doubted { .. } => Happened::Unseen,
        // What a person has tried again or left out had failed before, or was in doubt.
        EffectState::ToRetry | EffectState::Skipped { .. } => told,
    }
}
