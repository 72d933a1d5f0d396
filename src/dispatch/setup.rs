//! What a door is made of: put together above, taken apart by the dispatcher. It must not do anything.

use super::drift::DriftCheck;
use crate::dispatch::gate::Gate;
use crate::exec::Scanners;
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::run::event::Sink;
use crate::model::run::record::Who;
use crate::world::World;
use std::rc::Rc;

/// What a run needs to be carried out.
pub struct Setup {
    /// The run.
    pub run: String,
    /// Its durable record.
    pub store: Box<dyn Store>,
    /// Where it acts.
    pub world: Box<dyn World>,
    /// Who is told.
    pub sinks: Vec<Box<dyn Sink>>,
    /// What was recorded before this runner.
    pub history: History,
    /// The number of the last record.
    pub last_seq: u64,
    /// Where scanners of logs are kept.
    pub scanners: Rc<Scanners>,
    /// Who is asked before steps and effects, in this order.
    pub gates: Vec<Rc<dyn Gate>>,
    /// How guards are looked at again.
    pub drift: DriftCheck,
    /// Who carries it out.
    pub by: Who,
}
