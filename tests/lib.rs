//! The suite: one binary, one module a topic, so that the crate is linked once.

mod exec;
mod history;
mod inventory;
mod journal;
mod tidy;
mod records;
