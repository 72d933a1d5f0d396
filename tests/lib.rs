//! The suite: one binary, one module a topic.

// Helpers of tests may fail as tests do.
#![allow(clippy::expect_used)]

mod history;
mod inventory;
mod journal;
mod records;
