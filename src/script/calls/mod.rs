//! One call of a primitive, and what it can reach: arguments, options, the track it belongs to, the door. Nothing here
//! knows a particular primitive.
//!
//! - [`call`]: its arguments and its way to the door · [`options`]: the map at its end · [`failure`]: what it can raise
//! - [`context`]: what a run knows while it is evaluated · [`closure`], [`calling`]: closures that leave their track
//! - [`doc`]: what is said about a primitive · [`lower`]: profile templates to commands · [`gate_name`]: names of gates

pub(crate) mod call;
pub(crate) mod calling;
pub(crate) mod closure;
pub(crate) mod context;
pub mod doc;
pub(crate) mod failure;
pub(crate) mod gate_name;
pub(crate) mod lower;
pub(crate) mod options;
