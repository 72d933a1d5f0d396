//! A simulated world that is not a second executor but a second [`World`](crate::world::World): virtual time,
//! memory files, services animated by product models, faults on demand. The runner above cannot tell it from a site.
//! `SimEstate` outlives the runners that connect to it, so a runner can die at any point and another resume.

pub mod oracle;
pub mod timeless;

mod choices;
mod crash;
mod due;
mod estate;
mod estate_state;
mod exploration;
mod fault;
mod fence;
mod files;
mod host;
mod invariant;
mod ledger;
mod model;
mod model_natives;
mod random;
mod service;
mod state_hash;
mod store;
mod transfers;
mod world;

pub use crash::{Boundary, CrashClock};
pub use estate::SimEstate;
pub use estate_state::ORIGIN;
pub use exploration::{Point, Struck};
pub use fault::{CHOICE, Fault, FaultPlan, Harm, Trigger};
pub use files::MemoryFiles;
pub use ledger::{Ledger, LedgerEntry, Outage};
pub use model::{ModelHost, ModelProgram, OperatorReply, Out, VerbReply};
pub use random::Random;
pub use store::CrashingStore;
pub use world::SimWorld;
