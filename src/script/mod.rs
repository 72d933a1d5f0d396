//! The script host: runbooks in Rhai, over [`Door`](crate::dispatch::Door). It performs nothing itself: every
//! primitive validates its arguments, builds an effect and hands it to the door.
//!
//! From the ground up, each folder knowing only those before it:
//!
//! - [`values`]: what scripts hold, and what is known of a value
//! - [`compile`]: from texts to a program
//! - [`calls`]: one call of a primitive
//! - [`primitives`]: the vocabulary, one file a theme
//! - [`evaluate`]: a program evaluated, forwards and back
//! - [`analysis`]: what can be seen of it without running

pub mod analysis;
pub mod calls;
pub mod compile;
pub mod evaluate;
pub mod primitives;
pub(crate) mod values;

use crate::error::Result;
use compile::program::Program;
use compile::sources::Sources;
use std::rc::Rc;

/// A runbook and its modules made ready, with everything they can call.
///
/// # Errors
/// As [`Program::compile`].
pub fn program(sources: &Sources) -> Result<Rc<Program>> {
    Program::compile(sources, primitives::vocabulary())
}
