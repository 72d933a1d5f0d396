//! The vocabulary of the house: values, durations, inventory, effects, records, events.
//! Pure data and pure functions on it; nothing here performs I/O or knows Rhai.

pub mod value;
pub mod span;
pub mod text;
pub mod mark;
pub mod inventory;
pub mod profile;
pub mod effect;
pub mod automaton;
pub mod record;
pub mod event;
