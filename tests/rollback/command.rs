//! The commands as they are typed: the plan before anything is done, the word that begins it, the exit codes.

use crate::support::Baton;

/// Two changes of a local host that a person has to undo, and a failure.
const RUNBOOK: &str = r#"//! Two files
let a = host("a");
step("One", || run(a, ["touch", "DIR/one"]), #{ undo: || run(a, ["rm", "DIR/one"]) });
step("Two", || run(a, ["touch", "DIR/two"]), #{ undo: || run(a, ["rm", "DIR/two"]) });
ensure("Say", || note("said"));
step("Three", || run(a, ["false"]), #{ undo: || note("three") });
"#;

fn failed() -> Baton {
    let baton = Baton::new();
    let runbook = RUNBOOK.replace("DIR", &baton.folder().display().to_string());
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n").write("runbooks/own/two.rhai", &runbook);
    baton.run(&["run", "own/two", "-i", "site.toml"]).code(1).says("baton rollback");
    baton
}

#[test]
fn without_a_terminal_the_plan_is_shown_and_nothing_is_done() {
    let baton = failed();
    let plan = baton.run(&["rollback"]).code(4);
    let plan = plan.says("to be undone, newest first").says("Two (step 2)").says("owed, and done at the end");
    let plan = plan.says("nothing was undone: nobody was there to confirm it");
    assert!(plan.err.trim_end().ends_with("--yes"), "{}", plan.err);
    assert!(plan.out.find("Two (step 2)") < plan.out.find("One (step 1)"), "{}", plan.out);
    baton.run(&["show"]).code(0).says("✗ failed");
    baton.run(&["rollback", "--to", "Fuor"]).code(2).says("no step `Fuor` began").says("1 One");
    baton.run(&["rollback", "--happened", "x"]).code(2).says("nothing in run").says("is in doubt");
}

#[test]
fn a_run_is_taken_back_and_says_so() {
    let baton = failed();
    let back = baton.run(&["rollback", "--yes"]).code(6).says("↶ rolled back").says("Undo: Two").says("said");
    assert!(!baton.folder().join("one").exists() && !baton.folder().join("two").exists());
    assert!(back.out.lines().last().is_some_and(|line| line.starts_with("next: baton show ")), "{}", back.out);
    baton.run(&["show"]).code(0).says("rolled back").says("3 steps undone");
    baton.run(&["runs"]).code(0).says("rolled back");
    baton.run(&["rollback", "--yes"]).code(8).says("rolled back already");
    baton.run(&["resume"]).code(6).says("is over");
}

#[test]
fn a_run_goes_back_to_a_step_and_is_resumed() {
    let baton = failed();
    let back = baton.run(&["rollback", "--to", "two", "--yes"]).code(6).says("the run can be resumed after that");
    assert!(back.out.lines().last().is_some_and(|line| line.starts_with("next: baton resume ")), "{}", back.out);
    baton.run(&["resume"]).code(1).says("2  Two");
    baton.run(&["rollback", "--yes"]).code(6).says("Undo: One");
}

#[test]
fn a_run_is_given_up_for_a_reason() {
    let baton = failed();
    baton.run(&["abort"]).code(2).says("--reason");
    baton.run(&["abort", "--reason", " "]).code(2).says("needs a reason");
    baton
        .run(&["abort", "--reason", "the window is over"])
        .code(1)
        .says("✗ given up")
        .says("the window is over")
        .says("said");
    baton.run(&["rollback", "--yes"]).code(8).says("was given up");
}
