//! The suite: one binary, one module a topic.

mod exec;
mod history;
mod inventory;
mod journal;
mod records;
