//! The one integration binary: every topic is a module, so that the crate is linked once.

mod tidy;
//! The suite: one binary, one module a topic.

mod inventory;
mod journal;
