//! What is asked of the world in a run and what is on record of it: plain data that outlives the program that wrote it.
//! It must not depend on how a site is described: a record is read without the files that led to it.

pub mod ask;
pub mod automaton;
pub mod command_environment;
pub mod effect;
pub mod estate;
pub mod event;
pub mod ids;
pub mod instant;
pub mod mark;
pub mod meaning;
pub mod place;
pub mod reading;
pub mod record;
pub mod source_name;
pub mod state_folder;
pub mod steering;
pub mod step_name;
pub mod transfer;
