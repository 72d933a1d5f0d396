//! The suite: one binary, one module a topic, so that the crate is linked once.

mod history;
mod inventory;
mod journal;
mod records;
mod report;
mod tidy;
