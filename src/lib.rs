//! baton carries high-availability systems through upgrades, from editable runbooks.
//!
//! # The house
//!
//! `src/` is a house with floors. A file may use what lies below it, never above; `tests/tidy.rs` enforces it.
//!
//! | floor | room | what it is for |
//! |---|---|---|
//! | 13 | `main`, `lib` | start, and this map |
//! | 12 | [`cli`] | typed words become a session; the exit code |
//! | 11 | [`verify`] | every path through a runbook, walked in a simulated world and judged |
//! | 10 | [`session`], [`repl`], [`doctor`] | puts a run together; by hand; a look before |
//! | 9 | [`script`] | the Rhai host: verbs, diagnostics, lint, documentation |
//! | 8 | [`dispatch`] | **the door**: replay, intent, perform, outcome, event; the scheduler of tracks |
//! | 7 | [`exec`], [`lab`] | how an effect is done: jobs, probes, logs, waits, questions; the rehearsal site |
//! | 6 | [`report`], [`sim`] | events become a screen, JSON lines, a summary; a simulated world and its oracle |
//! | 5 | [`journal`] | the durable record, and the pure reading of it |
//! | 4 | [`world`] | hosts, time and the person at the terminal, behind one trait |
//! | 3 | [`platform`] | the machine baton is started on: accounts, locks, folders, the processes of a lab |
//! | 3 | [`engine`], [`holdings`], [`convert`], [`library`] | sandboxed Rhai; what it holds; plain data; our texts |
//! | 2 | [`model`] | the vocabulary: values; what a site is; what is on record of a run |
//! | 1 | [`error`] | kind, message, place, what to do next |
//!
//! # The way of one effect
//!
//! ```text
//! runbook: set_readonly(c1)
//!   script    checks the words, names the place, builds an Effect
//!   dispatch  on record already?  yes: hands back the recorded outcome
//!                                 begun, no outcome: exec finds out what became of it
//!             no: intent durable
//!   exec      asks the world, and waits
//!   world     a local process, or its simulation
//!   dispatch  outcome durable, event to the screen, value to the script
//! ```
//!
//! **Invariant: one door.** Nothing reaches the world but through [`dispatch::Door`]. A dry run is a run in a
//! simulated [`world::World`], not a flag.
//!
//! **Invariant: durable first.** An intent is durable before its effect is asked for, an outcome before the script
//! sees it. A write that fails stops the run before the next change.
//!
//! **Invariant: one thread decides.** Tracks are coroutines on one thread; above `world` there is no lock, no
//! `async`, no clock and no randomness, so the same record leads to the same run.
//!
//! Suggested reading order: [`model::run::effect`], [`world`], [`exec`], [`dispatch`], [`script`], [`session`].

pub mod cli;
pub mod convert;
pub mod dispatch;
pub mod doctor;
pub mod engine;
pub mod error;
pub mod exec;
pub mod holdings;
pub mod journal;
pub mod lab;
pub mod library;
pub mod model;
pub mod platform;
pub mod repl;
pub mod report;
pub mod script;
pub mod session;
pub mod sim;
pub mod verify;
pub mod world;

use std::ffi::OsString;
use std::process::ExitCode;

/// Carries out one command line on the process's own standard streams.
#[must_use]
pub fn start(words: Vec<OsString>) -> ExitCode {
    platform::desk::keep_memory_private();
    ExitCode::from(cli::main_on(words, cli::Screen::of_process()))
}
