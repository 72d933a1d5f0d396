//! The program: words in, exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    baton::start(std::env::args_os().collect())
}
//! The binary. It must hold no logic: everything is in the library, where tests reach it.

fn main() {}
