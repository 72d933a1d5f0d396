//! The suite: one binary, one module a topic, so that the crate is linked once.

mod exec;
mod genesys_model;
// Helpers of tests may fail as tests do.
#![allow(clippy::expect_used)]

mod history;
mod inventory;
mod journal;
mod records;
mod sim;
mod report;
mod tidy;
