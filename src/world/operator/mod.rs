//! The person at the terminal: what they are asked, what they type, the signals they send. It must not decide what a
//! word means for the run.

pub mod console;
pub(in crate::world) mod interrupts;
pub mod line_editor;
pub mod line_mode;
pub mod person;
pub mod terminal;
