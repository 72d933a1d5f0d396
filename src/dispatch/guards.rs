//! Guards that held, and the readings they were decided by, as a track remembers them. Plain state.

use crate::model::run::record::EffectId;

/// Something that a former runner read.
#[derive(Debug, Clone)]
pub(super) struct GuardReading {
    pub(super) id: EffectId,
    /// What tells two readings of the same from others.
    pub(super) digest: String,
}

/// A guard that held.
#[derive(Debug, Clone)]
pub(super) struct HeldGuard {
    /// How many steps it stands in.
    pub(super) depth: usize,
    pub(super) message: String,
    /// What it was decided by, as far as a former runner read it.
    pub(super) readings: Vec<EffectId>,
}
