//! The commands of baton, a file each: what can be typed, and which operations that comes to. It must not do the work
//! itself; no command calls another one.

pub(super) mod abort;
pub(super) mod approve;
pub(super) mod check;
pub(super) mod completions;
pub(super) mod doc;
pub(super) mod doctor;
pub(super) mod eject;
pub(super) mod lab;
pub(super) mod list;
pub(super) mod repl;
pub(super) mod resume;
pub(super) mod rollback;
pub(super) mod run;
pub(super) mod runs;
pub(super) mod show;
pub(super) mod takeover;
pub(super) mod verify;
