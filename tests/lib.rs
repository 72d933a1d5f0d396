//! The suite: one binary, one module a topic.

mod genesys_model;
mod inventory;
mod journal;
