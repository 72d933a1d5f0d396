//! The vocabulary of the house: values, durations, inventory, effects, records, events.
//! Pure data and pure functions on it; nothing here performs I/O or knows Rhai.

pub mod account;
pub mod answers;
pub mod ask;
pub mod automaton;
pub mod columns;
pub mod digest;
pub(crate) mod document;
pub mod effect;
pub mod event;
pub mod host;
pub mod inventory;
pub mod layout;
pub mod mark;
pub mod place;
pub mod profile;
pub mod reading;
pub mod record;
pub mod secret;
mod service;
pub mod span;
pub mod ssh;
pub mod state_folder;
pub mod steering;
pub mod step_name;
pub mod surroundings;
mod template;
pub mod text;
pub mod transfer;
pub mod value;
