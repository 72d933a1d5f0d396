//! A world without anything in it, for replays that must ask nothing of any host. Whoever asks waits for ever.

use super::{Completion, Request, Ticket, World};
use crate::model::run::record::Moment;

/// Nothing is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl World for Nowhere {
    fn now(&mut self) -> Moment {
        Moment::default()
    }

    fn submit(&mut self, _: Ticket, _: Request) {}

    fn next(&mut self) -> Completion {
        Completion::Idle
    }

    fn forget(&mut self, _: Ticket) {}
}
