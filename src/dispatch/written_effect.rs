//! What is written down of an effect: its intent, what came of it, or both at once; and that nobody can tell. It
//! performs nothing.

use super::core::RunCore;
use super::{Halted, replay};
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Fact, Moment, Record};

/// That an attempt is about to be asked for, `at` this time; `kept_in` is where its host keeps what it knows of it.
pub(super) fn intent(
    core: &RunCore,
    (id, attempt): (&EffectId, u32),
    effect: &Effect,
    place: Option<PlaceData>,
    kept_in: Option<String>,
    at: Moment,
) -> Record {
    let (id, step) = (id.clone(), core.track(|track| track.step().to_owned()));
    let (effect, digest) = (effect.as_recorded(), effect.digest());
    Fact::Intent { id, attempt, step, effect, digest, place, kept_in }.at(at)
}

/// What came of an attempt: of what needs no intent, both halves in one.
pub(super) fn outcome(
    core: &RunCore,
    (id, attempt): (&EffectId, u32),
    effect: &Effect,
    place: Option<PlaceData>,
    outcome: Outcome,
) -> Record {
    if effect.needs_intent() {
        return Fact::Outcome { id: id.clone(), attempt, outcome }.at(core.moment());
    }
    both(core, id, effect, place, outcome)
}

/// What was asked and what came of it, in one record.
pub(super) fn both(
    core: &RunCore,
    id: &EffectId,
    effect: &Effect,
    place: Option<PlaceData>,
    outcome: Outcome,
) -> Record {
    let (step, at) = (core.track(|track| track.step().to_owned()), core.moment());
    Fact::Read { id: id.clone(), step, effect: effect.clone(), digest: effect.digest(), place, outcome }.at(at)
}

/// Writes that nobody can tell whether an attempt happened, for this reason, and stops the run.
pub(super) fn doubt(core: &RunCore, (id, attempt): (&EffectId, u32), effect: &Effect, reason: String) -> Halted {
    let record = Fact::Doubt { id: id.clone(), attempt, reason: reason.clone() }.at(core.moment());
    match core.append(record) {
        Ok(()) => core.halt(replay::in_doubt(&core.run, id, effect, &reason)),
        Err(halted) => halted,
    }
}
