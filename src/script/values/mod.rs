//! What scripts hold beside plain data, and what is known of a value before a script runs. Nothing here evaluates.
//!
//! - [`handles`]: hosts, services, pairs, secrets · [`literals`]: values as they are written
//! - [`sort`]: of which kind a value is · [`unwritten`]: what stands for one that only the run will tell

pub(crate) mod handles;
pub(crate) mod literals;
pub(crate) mod sort;
pub(crate) mod unwritten;
