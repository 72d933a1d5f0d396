//! What is special about this machine as a host: an agent is begun at the other end of a pipe, and what is only read,
//! commands and files, needs none. It must not start what changes something: that is the agent's.

pub(in crate::world) mod commands;
pub(in crate::world) mod files;
pub(in crate::world) mod pipes;
pub(in crate::world) mod sources;
pub(in crate::world) mod watches;
