//! The one integration binary: every topic is a module, so that the crate is linked once.

mod report;
mod tidy;
