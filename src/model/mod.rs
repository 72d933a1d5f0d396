//! The vocabulary of the house: what a site is, what is on record of a run, and the plain values both are made of.
//! Pure data and pure functions on it; nothing here performs I/O or knows Rhai.

pub mod columns;
pub mod digest;
pub mod run;
pub mod site;
pub mod span;
pub mod text;
pub mod value;
pub(crate) mod versions;
