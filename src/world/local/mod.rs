//! Hosts that are this machine: jobs, commands that read, files, transfers and leases of local hosts. What a host over
//! SSH does stands in its own room; both answer the same requests.

pub(in crate::world) mod commands;
pub(in crate::world) mod files;
pub mod job;
mod job_mark;
mod kept_attributes;
pub mod leases;
pub(in crate::world) mod run_folder;
pub(in crate::world) mod transfer;
pub(in crate::world) mod watches;
