//! scratch map
pub mod dispatch;
pub mod error;
pub mod exec;
pub mod journal;
pub mod model;
pub mod report;
pub mod world;
