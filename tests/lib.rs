//! The suite: one binary, one module a topic.

mod history;
mod inventory;
mod journal;
mod records;
