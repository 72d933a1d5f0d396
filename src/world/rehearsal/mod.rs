//! The world of a rehearsal: the wall around it, its time, and how a runner holds that time. It must not know what a
//! lab makes of a command.

pub mod pace;
pub mod side;
pub mod time;
