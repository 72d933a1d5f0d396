//! Whatever a run was begun with is kept: the run it follows, its parameters, where it was to stop. Runners may die and
//! questions may wait anywhere; whoever takes the run up need not know how it was begun.

mod flags;
mod followed;
mod given;
mod tale;

use crate::support::Baton;

const STEPS: &str = r#"//! Three steps and a question
let a = host("a");
step("One", || { confirm("Go on?", #{ gate: "on" }); run(a, ["sh", "-c", "echo one >> done"]); });
step("Two", || run(a, ["sh", "-c", "echo two >> done"]));
step("Three", || run(a, ["sh", "-c", "test -e ready && echo three >> done"]));
"#;

fn machine() -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n").write("runbooks/own/steps.rhai", STEPS);
    baton
}

fn done(baton: &Baton) -> String {
    std::fs::read_to_string(baton.folder().join("done")).unwrap_or_default()
}

#[test]
fn a_run_that_was_to_stop_after_a_step_stops_there_whoever_takes_it_up() {
    let baton = machine();
    baton.run(&["run", "own/steps", "-i", "site.toml", "--until", "two"]).code(4).says("baton approve");
    baton.run(&["approve", "latest", "on"]).code(0);
    let stopped = baton.run(&["resume"]).code(4).says("stopped after step 2 `Two`, as asked");
    stopped.says("as it was asked for before: --until two");
    assert_eq!(done(&baton), "one\ntwo\n");
    baton.write("ready", "");
    let on = baton.run(&["resume"]).code(0);
    assert!(!on.err.contains("as it was asked for"), "what it was to stop after is over:\n{}", on.err);
    assert_eq!(done(&baton), "one\ntwo\nthree\n");
}

#[test]
fn another_step_to_stop_after_takes_the_place_of_the_first() {
    let baton = machine();
    baton.write("ready", "");
    baton.run(&["run", "own/steps", "-i", "site.toml", "--until", "1"]).code(4);
    baton.run(&["approve", "latest", "on"]).code(0);
    baton.run(&["resume", "--until", "two"]).code(4).says("stopped after step 2");
    baton.run(&["resume"]).code(0);
}

#[test]
fn a_run_that_was_to_undo_everything_after_a_failure_does_so_whoever_takes_it_up() {
    let baton = machine();
    let text = "//! Fails\nlet a = host(\"a\");\nstep(\"One\", || run(a, [\"touch\", \"one\"]), \
                #{ undo: || run(a, [\"rm\", \"one\"]) });\nconfirm(\"On?\", #{ gate: \"on\" });\n\
                guard(false, \"never\");\n";
    baton.write("runbooks/own/fails.rhai", text);
    baton.run(&["run", "own/fails", "-i", "site.toml", "--on-failure", "rollback"]).code(4);
    baton.run(&["approve", "latest", "on"]).code(0);
    baton.run(&["resume"]).code(6).says("--on-failure rollback").says("Undo: One");
    assert!(!baton.folder().join("one").exists());
}
