//! The suite: one binary, one module a topic.

mod inventory;
mod journal;
mod script;
