//! Runs steered by hand: lines and commands over a pipe, at a terminal, and against the simulated world.

mod pipe;
mod simulated;
mod terminal;

use crate::support::{Baton, Ended};
use std::io::Write;
use std::process::Stdio;

/// A minute of the lab in a second. Faster, and a loaded machine would let limits pass that are none.
const SPEED: &str = "60";

/// A runbook that is quick to step through, with a nested step and parallel work.
const STEPS: &str = r#"//! Steps to try the REPL with
//! source: a test
let c1 = service("c1");
let before = version(c1);
step("Look at c1", || { let seen = status(c1); note(`c1 is ${seen}`); });
step("Prepare", || {
    step("Lock c1", || set_readonly(c1));
    step("Lock c2", || set_readonly(service("c2")));
});
step("Unlock", || {
    unset_readonly(c1);
    unset_readonly(service("c2"));
});
"#;

/// Types `input` into `baton repl WORDS` through a pipe.
fn typed(baton: &Baton, words: &[&str], input: &str) -> Ended {
    typed_with(baton, &[], words, input)
}

/// The same in an environment of its own.
fn typed_with(baton: &Baton, environment: &[(&str, &str)], words: &[&str], input: &str) -> Ended {
    let mut line = vec!["repl"];
    line.extend(words);
    let mut command = baton.command(&line);
    command.envs(environment.iter().copied()).stdin(Stdio::piped());
    let mut child = command.spawn().expect("starts the binary");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("types");
    Ended::from(child.wait_with_output().expect("ends"))
}

/// A machine with the runbook of steps, and the words that step through it in a fast lab.
fn stepping() -> (Baton, [&'static str; 5]) {
    let baton = Baton::new();
    baton.write("steps.rhai", STEPS);
    (baton, ["steps.rhai", "--lab", "genesys", "--speed", SPEED])
}
