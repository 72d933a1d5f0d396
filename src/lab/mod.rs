//! The lab: a rehearsal site on this machine. Its hosts are folders, its services are processes that do nothing, its
//! logs and jobs are real, and a product's model decides what happens, on a clock that runs faster. It must never be
//! mistaken for a site, and never claims to have done what it only imitates.
//!
//! - [`template`]: what a lab is made from · [`place`]: the folder it lives in
//! - [`plan`]: beginning one, finding one again · [`calls`]: from a command line back to a verb
//! - [`animator`]: the model on a real clock · [`server`]: the lab's process · [`tool`]: the command its hosts call

pub mod animator;
pub mod calls;
pub mod place;
pub mod plan;
pub mod server;
pub mod template;
pub mod tool;

pub use crate::model::run::estate::LabChoice;
pub use plan::{Lab, LabPlan};
