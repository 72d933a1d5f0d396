//! Replay only: effects are off, every track ends where its record does, and nothing is written. And the count of what
//! a replay has come to, which tells whether a script still fits its record. It must not judge what does not fit.

use super::dispatcher::Dispatcher;
use super::replay::ReplayDecision;
use crate::journal::adopting::Met;
use crate::journal::history::Past;
use crate::model::run::record::TrackId;

impl Dispatcher {
    /// Turns effects off, or on again. While they are off every track ends where its record does, and nothing is
    /// written.
    pub fn set_replay_only(&self, only: bool) {
        self.replay_only.set(only);
    }

    /// Whether the track that is running ends where its record does.
    pub(super) fn replays_only(&self) -> bool {
        self.replay_only.get() || self.track(|track| track.replay_only)
    }

    /// What was come to on record while effects were off.
    #[must_use]
    pub fn met(&self) -> Met {
        self.met.borrow().clone()
    }

    /// Counts what is asked for again.
    pub(super) fn count(&self, past: &Past<'_>, verdict: &ReplayDecision) {
        let counts = past.id.track.is_scripts() && !past.gives_way;
        self.replayed.set(self.replayed.get() + usize::from(counts));
        let otherwise = matches!(verdict, ReplayDecision::Live(course) if course.is_otherwise());
        if self.replay_only.get() && !otherwise {
            self.met.borrow_mut().effects.insert(past.id.clone());
        }
    }

    /// Counts a step that is begun again.
    pub(super) fn meet_step(&self, track: TrackId, number: String) {
        if self.replay_only.get() {
            self.met.borrow_mut().steps.insert((track, number));
        }
    }
}
