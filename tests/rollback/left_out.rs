//! What a person leaves out of a way back is never told as undone, and a way back that did not come to its end is
//! called the same everywhere. What goes on with one shows first what is left, and asks.

use crate::support::simulation::Scene;
use crate::support::terminal::Session;
use crate::support::{Baton, Ended};

/// Two changes, the second of which can only be undone when a file is there, and a failure.
const TWO: &str = r#"//! Two files
let a = host("a");
step("One", || run(a, ["touch", "DIR/one"]), #{ undo: || run(a, ["rm", "DIR/one"]) });
step("Two", || run(a, ["touch", "DIR/two"]), #{ undo: || run(a, ["sh", "-c", "test -e DIR/ready && rm DIR/two"]) });
step("Three", || guard(false, "no"));
"#;

fn failed(text: &str) -> Baton {
    let baton = Baton::new();
    let runbook = text.replace("DIR", &baton.folder().display().to_string());
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n").write("runbooks/own/two.rhai", &runbook);
    baton.run(&["run", "own/two", "-i", "site.toml"]).code(1);
    baton
}

/// Everything that was said, its lines joined: what is broken at the edge of the screen is found as well.
fn words(ended: &Ended) -> String {
    format!("{} {}", ended.out, ended.err).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(ended: &Ended, parts: &[&str], never: &[&str]) {
    let words = words(ended);
    for part in parts {
        assert!(words.contains(part), "{part:?} is not said:\n{}{}", ended.out, ended.err);
    }
    for part in never {
        assert!(!words.contains(part), "{part:?} is said:\n{}{}", ended.out, ended.err);
    }
}

#[test]
fn what_is_left_out_of_a_way_back_is_not_told_as_undone() {
    let baton = failed(TWO);
    let stuck = baton.run(&["rollback", "--yes"]).code(7);
    says(&stuck, &["✗ rollback not complete"], &["✗ failed own/two"]);
    says(&baton.run(&["runs"]).code(0), &["✗ rollback not complete", "baton resume "], &["✗ failed"]);
    let shown = baton.run(&["show"]).code(0);
    says(&shown, &["✗ rollback not complete", "next: baton resume "], &[]);
    let ended = baton.run(&["resume", "--skip", "leave it"]).code(7);
    let except = "not undone: run(a, sh -c ";
    says(
        &ended,
        &["↶ rolled back in part", except, ": leave it)", "1 step undone,", "» skip step r1.1, not undone: run(a, sh"],
        &["2 steps undone", "done step r1.1"],
    );
    let last = ended.out.lines().last().unwrap_or_default();
    assert!(last.starts_with("next: baton show "), "{}", ended.out);
    assert!(baton.folder().join("two").exists() && !baton.folder().join("one").exists());
    says(&baton.run(&["runs"]).code(0), &["↶ rolled back in part", except], &[]);
    says(&baton.run(&["show"]).code(0), &["↶ rolled back in part", except, "1 step undone,"], &["2 steps undone"]);
    says(&baton.run(&["resume"]).code(7), &["is over", except], &[]);
}

#[test]
fn a_run_is_not_as_before_a_step_when_something_was_left_out_until_a_later_way_back_undoes_it() {
    for ready in [false, true] {
        let baton = failed(TWO);
        baton.run(&["rollback", "--to", "2", "--yes"]).code(7);
        let ended = baton.run(&["resume", "--skip", "leave it"]).code(7);
        let parts = ["back before step 2 `Two`, but not as before it", "not undone: run(a", "next: baton resume "];
        says(&ended, &parts, &["as before step 2 ", "1 step undone"]);
        baton.run(&["resume"]).code(1).says("2  Two");
        if ready {
            baton.write("ready", "");
            says(&baton.run(&["rollback", "--yes"]).code(6), &["↶ rolled back own/two"], &["not undone"]);
        } else {
            baton.run(&["rollback", "--yes"]).code(7);
            let ended = baton.run(&["resume", "--skip", "still"]).code(7);
            says(&ended, &["not undone: run(a", ": still)"], &[]);
        }
    }
}

#[test]
fn what_a_person_has_undone_by_hand_goes_as_far_as_their_word() {
    let baton = failed(TWO);
    baton.run(&["rollback", "--yes"]).code(7);
    let ended = baton.run(&["resume", "--done", "removed it"]).code(6);
    says(&ended, &["↶ rolled back own/two", "'s word: run(a", "(removed it)", "done step r1.1, by "], &["not undone"]);
}

#[test]
fn a_way_back_is_gone_on_with_when_its_plan_was_shown_and_somebody_says_so() {
    let baton = failed(TWO);
    baton.run(&["rollback", "--to", "one", "--yes"]).code(7);
    let asked = baton.run(&["rollback"]).code(4);
    let plan = ["going on with the way back to before step 1", "no step of it is done yet", "still to be undone"];
    says(&asked, &plan, &[]);
    says(
        &asked,
        &["under way: this goes on with it, and takes back no more", "nothing more was undone: nobody was"],
        &["resumed by"],
    );
    baton.run(&["rollback", "--to", "2"]).code(8).says("is being rolled back to before step 1");
    let mut pty = Session::start(&baton, &["rollback"]);
    pty.shows("Two (step 2)").shows("type `rollback` to go on with it").types("no");
    pty.shows("nothing more was undone: it was not confirmed");
    assert_eq!(pty.ends(), 4, "{}", pty.screen());
    assert!(!pty.screen().contains("\\u{a}") && !pty.screen().contains("--yes"), "{}", pty.screen());
    baton.write("ready", "");
    baton.run(&["rollback", "--yes"]).code(6).says("still to be undone").says("as before step 1");
    assert!(!baton.folder().join("one").exists());

    let baton = failed(&TWO.replace("rm\", \"DIR/one", "sh\", \"-c\", \"test -e DIR/ready && rm DIR/one"));
    baton.write("ready", "").run(&["rollback", "--to", "2", "--yes"]).code(6);
    std::fs::remove_file(baton.folder().join("ready")).expect("removes it");
    baton.run(&["rollback", "--yes"]).code(7).says("Undo: One");
    says(&baton.run(&["rollback"]).code(4), &["One (step 1)"], &["Two (step 2)", "this goes on with it"]);
    baton.run(&["abort", "--reason", "enough"]).code(1);
    baton.run(&["rollback", "--yes"]).code(8).says("was given up");
}

#[test]
fn steps_that_are_behind_a_way_back_are_not_in_its_plan_again() {
    let baton = failed(&TWO.replace("rm\", \"DIR/one", "sh\", \"-c\", \"test -e DIR/then && rm DIR/one"));
    baton.write("ready", "").run(&["rollback", "--yes"]).code(7).says("Undo: One");
    let asked = baton.run(&["rollback"]).code(4);
    says(&asked, &["1 step of it is done or left out already", "One (step 1)"], &["Two (step 2)"]);
}

#[test]
fn a_runner_that_dies_at_a_question_of_a_way_back_leaves_the_question_to_be_answered() {
    let asks = "#{ undo: || { confirm(\"Sure?\", #{ gate: \"sure\" }); run(a, [\"rm\", \"DIR/one\"]); } }";
    let baton = failed(&TWO.replace("#{ undo: || run(a, [\"rm\", \"DIR/one\"]) }", asks));
    baton.write("ready", "");
    let mut pty = Session::start(&baton, &["rollback", "--yes"]);
    pty.shows("Sure?").shows("type `yes`");
    pty.kill();
    let listed = baton.run(&["runs"]).code(0);
    says(&listed, &["… rollback not complete", "baton approve "], &["✗ failed"]);
    says(&baton.run(&["show"]).code(0), &["next: baton approve ", "/sure then: baton resume "], &["✗ failed own/two"]);
    baton.run(&["approve", "latest", "r1/sure"]).code(0);
    let shown = baton.run(&["show"]).code(0);
    says(&shown, &["what it waited for is answered", "next: baton resume "], &["baton approve", "waits for"]);
    baton.run(&["resume"]).code(6);
}

#[test]
fn a_gate_that_is_answered_waits_no_more() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n");
    baton.write("runbooks/own/gate.rhai", "//! Gate\nconfirm(\"First\\nand second?\", #{ gate: \"sure\" });\n");
    let asked = baton.run(&["run", "own/gate", "-i", "site.toml"]).code(4).says("and second?");
    says(&asked, &["next: baton approve "], &["\\u{a}"]);
    baton.run(&["approve", "latest", "sure"]).code(0);
    let shown = baton.run(&["show"]).code(0);
    says(&shown, &["what it waited for is answered", "next: baton resume "], &["nobody", "waits for", "\\u{a}"]);
}

#[test]
fn nobody_is_told_to_take_back_what_was_not_changed() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n");
    let text = "//! Nothing\nlet a = host(\"a\");\nstep(\"None\", || run(a, [\"no-such-program-here\"]));\n";
    baton.write("runbooks/own/none.rhai", text);
    let ended = baton.run(&["run", "own/none", "-i", "site.toml"]).code(1);
    says(&ended, &["0 changes", "take back what may have been changed: baton rollback "], &["what was changed"]);
    let text = "//! Already so\nlet c1 = service(\"c1\");\nunset_readonly(c1);\nguard(false, \"no\");\n";
    let finished = Scene::of_text(text).play(1).run();
    let error = finished.error.expect("it says why").to_string();
    assert!(!error.contains("take back"), "{error}");
}
