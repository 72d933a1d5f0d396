//! The figures baton stands by, measured on this machine: `cargo bench`, or `cargo bench -- replay log` for some.
//! Each is the median of several runs and stands beside its aim; what each covers, from where to where, is said at
//! the head of its file in `benches/figures/`. It prints; it judges nothing but whether an aim is met.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs)]

#[path = "figures/journal.rs"]
mod journal;
#[path = "figures/log.rs"]
mod log;
#[path = "figures/machine.rs"]
mod machine;
#[path = "figures/process.rs"]
mod process;
#[path = "figures/replay.rs"]
mod replay;
#[path = "figures/simulated.rs"]
mod simulated;
#[path = "../tests/support/simulation.rs"]
#[allow(dead_code)]
mod simulation;
#[path = "figures/steps.rs"]
mod steps;
#[path = "figures/table.rs"]
mod table;

use table::Figure;

/// A family of figures: its name on the command line, and how it is measured.
type Family = (&'static str, fn() -> Vec<Figure>);

/// All of them, in the order in which they are printed.
const ALL: [Family; 7] = [
    ("process", process::figures),
    ("steps", steps::figures),
    ("journal", journal::figures),
    ("replay", replay::figures),
    ("wait", log::waits),
    ("scan", log::scans),
    ("simulated", simulated::figures),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    println!("{}", machine::describe());
    table::head();
    for (name, measure) in ALL {
        if words.is_empty() || words.iter().any(|word| word == name) {
            measure().iter().for_each(Figure::print);
        }
    }
    println!("load average at the end: {}", machine::load());
}
