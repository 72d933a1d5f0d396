//! The suite: one binary, one module a topic, so that the crate is linked once.

mod inventory;
mod journal;
mod report;
mod tidy;
