//! What people and machines see of a run: events to a terminal, events to JSON lines, records to a summary, errors to
//! a diagnostic. It decides nothing about a run and writes only to the handles it is given.

pub mod ahead;
pub mod clients;
pub mod diagnostic;
pub mod ending;
mod fates;
pub mod json;
pub mod layout;
pub mod operator_actions;
mod outputs;
pub mod questions;
pub mod redundancy;
pub mod roles;
pub mod rollback_plan;
mod steps;
pub mod style;
pub mod summary;
pub mod terminal;
mod waits;

use crate::model::run::event::{Event, Sink};

/// Hands every event to each of several sinks, in order.
#[derive(Default)]
pub struct Fan {
    sinks: Vec<Box<dyn Sink>>,
}

impl Fan {
    /// The same fan with one more sink.
    #[must_use]
    pub fn with(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }
}

impl Sink for Fan {
    fn event(&mut self, event: &Event) {
        for sink in &mut self.sinks {
            sink.event(event);
        }
    }
}
