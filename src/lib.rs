//! baton carries high-availability systems through upgrades, from editable runbooks.
//!
//! # The house
//!
//! `src/` is a house with floors. A file may use what lies below it, never above; `tests/tidy.rs` enforces it.
//!
//! | floor | room | what it is for |
//! |---|---|---|
//! | 11 | `main`, `lib` | start, and this map |
//! | 10 | [`cli`] | typed words become a session; the exit code |
//! | 9 | [`session`], [`repl`], [`lab`], [`doctor`] | puts a run together; by hand; the rehearsal site; a look before |
//! | 8 | [`script`] | the Rhai host: verbs, diagnostics, lint, documentation |
//! | 7 | [`dispatch`] | **the door**: replay, intent, perform, outcome, event; the scheduler of tracks |
//! | 6 | [`exec`] | how an effect is done: jobs, probes, logs, waits, questions |
//! | 6 | [`report`] | events become a screen, JSON lines, a summary |
//! | 5 | [`sim`] | a simulated world: virtual time, faults, product models, oracles |
//! | 4 | [`journal`] | the durable record, and the pure reading of it |
//! | 3 | [`world`] | the only code that touches processes, files, clocks and terminals |
//! | 3 | [`engine`], [`holdings`], [`convert`], [`library`] | sandboxed Rhai; what it holds; plain data; our texts |
//! | 2 | [`model`] | the vocabulary: values, inventory, effects, records, events |
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
//! Suggested reading order: [`model::effect`], [`world`], [`exec`], [`dispatch`], [`script`], [`session`].

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
pub mod repl;
pub mod report;
pub mod script;
pub mod session;
pub mod sim;
pub mod world;

use std::ffi::OsString;
use std::process::ExitCode;

/// Carries out one command line on the process's own standard streams.
#[must_use]
pub fn start(words: Vec<OsString>) -> ExitCode {
    world::desk::keep_memory_private();
    ExitCode::from(cli::main_on(words, cli::Screen::of_process()))
}
