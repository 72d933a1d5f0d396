//! The vocabulary of the house: values, durations, inventory, effects, records, events.
//! Pure data and pure functions on it; nothing here performs I/O or knows Rhai.

pub mod automaton;
pub mod effect;
pub mod event;
pub mod inventory;
pub mod mark;
pub mod profile;
pub mod record;
pub mod span;
pub mod text;
pub mod value;
