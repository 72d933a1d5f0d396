//! scratch map
pub mod error;
pub mod model;
pub mod world;
pub mod journal;
pub mod exec;
