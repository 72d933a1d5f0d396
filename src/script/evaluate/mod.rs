//! A program evaluated: forwards, backwards, line by line, or only tried. Everything it does goes through a door.
//!
//! - [`stage`]: a program with all it needs · [`script_end`]: how it ended · [`runtime_error`]: what it did wrong
//! - [`obligations`]: what is owed at the end · [`rollback`]: a script that was replayed goes back, [`put_back`] what
//!   its changes recorded
//! - [`repl`]: lines typed by hand · [`frames`]: the variables they see
//! - [`trial`]: a call that is tried behind a [`sealed`] door · [`surface`]: every function a script can see

pub mod frames;
pub(crate) mod obligations;
pub(crate) mod put_back;
pub mod repl;
pub mod rollback;
pub(crate) mod runtime_error;
pub mod script_end;
pub(crate) mod sealed;
pub mod stage;
pub mod surface;
pub(crate) mod trial;
