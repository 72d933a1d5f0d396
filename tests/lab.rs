//! Every way the rehearsal pair can behave, through the real binary, as an operator would see it.

use crate::support::{Baton, Ended};

/// Fast enough for a suite: ten minutes of the lab in a few seconds.
const SPEED: &str = "300";

fn upgrade(baton: &Baton, scenario: &str) -> Ended {
    let runbook = if scenario == "same-schema" { "genesys/confserv-ha-same-schema" } else { "genesys/confserv-ha" };
    baton.run(&["run", runbook, "--lab", &format!("genesys:{scenario}"), "--speed", SPEED])
}

#[test]
fn scenarios_that_can_succeed_end_done_with_both_members_on_the_new_version() {
    for scenario in ["upgrade-mode", "new-database", "compatible", "undetected", "same-schema"] {
        let baton = Baton::new();
        upgrade(&baton, scenario).code(0).says("done");
        let shown = baton.run(&["show", "latest"]).code(0);
        assert!(shown.out.contains(scenario), "{}", shown.out);
        let shown = shown.says("confserv       no redundancy");
        assert!(![", and still", "not seen whole"].iter().any(|word| shown.out.contains(word)), "{}", shown.out);
    }
}

#[test]
fn scenarios_that_cannot_succeed_end_held_with_instructions() {
    for scenario in ["wrong-database", "never-ready", "exits"] {
        let baton = Baton::new();
        upgrade(&baton, scenario).code(4).says("held").says("c1 serves all clients").says("never without service");
        for words in [["show", "latest"], ["resume", "latest"]] {
            baton.run(&words).says("c1 serves all clients").says("Look at the log of the new server");
        }
    }
}

#[test]
fn a_second_runner_on_the_same_lab_is_refused_and_told_who_holds_it() {
    let baton = Baton::new();
    let words = ["run", "genesys/confserv-ha", "--lab", "genesys", "--speed", "60"];
    let mut first = baton.spawn(&words);
    while !baton.run(&["runs"]).out.contains("genesys/confserv-ha") {
        assert!(first.try_wait().expect("looks").is_none(), "the first runner has ended early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = format!("pid {}", first.id());
    baton.run(&words).code(8).says(&pid).says("since");
    baton.run(&["resume", "latest"]).code(8).says(&pid).says("since");
    first.kill().expect("ends the first runner");
    first.wait().expect("buries it");
    baton.run(&["resume", "latest"]).code(0).says("done");
}
