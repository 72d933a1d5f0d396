//! The program: words in, exit code out. Everything else is in the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Scripts and records are many small values, which this hands out faster than the system's. A program has one
/// allocator: the one thing that is global here.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    baton::start(std::env::args_os().collect())
}
