//! Taking a run up again after a failure: what failed is tried again, what was done is not, and what was only read or
//! noted because of the failure is forgotten.

use crate::support::simulation::Scene;
use baton::model::run::record::{Ending, Fact, Record};
use baton::sim::{Fault, FaultPlan, Harm, Trigger};

fn fails_once(verb: &str, service: &str) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: service.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm: Harm::FailsBefore }], ..FaultPlan::default() }
}

#[test]
fn a_failed_step_is_tried_again_and_nothing_else_is() {
    let scene = Scene::of_text(
        r#"//! Two changes
step("First", || stage_install(service("c2"), "9.0.1"));
step("Second", || {
    try { backup(service("confdb"), "b"); }
    catch (problem) { warn(`it failed: ${problem.kind}`); let seen = status(service("c1")); throw problem; }
});
step("Third", || backup(service("confdb"), "c"));
"#,
    );
    let play = scene.play_with(1, &fails_once("backup", "confdb"));
    let stopped = play.run();
    assert_eq!((stopped.ending, stopped.exit_code), (Ending::Failed, 1));
    assert!(stopped.error.expect("it says why").to_string().contains("baton resume sim"));
    let done = play.run();
    assert_eq!((done.ending, done.error), (Ending::Done, None));
    let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
    assert_eq!(deeds, [("c2 stage_install".to_owned(), 1), ("confdb backup".to_owned(), 2)]);
    let attempts: Vec<u32> = play
        .records()
        .iter()
        .filter_map(|record| {
            let Fact::Intent { attempt, effect, .. } = &record.fact else { return None };
            effect.label.contains("(confdb, b)").then_some(*attempt)
        })
        .collect();
    assert_eq!(attempts, [1, 2], "a new attempt has a number of its own");
}

#[test]
fn a_failure_that_led_to_changes_is_not_tried_again_alone() {
    let scene = Scene::of_text(
        r#"//! A failure that the runbook acts on
try { backup(service("confdb"), "b"); }
catch (problem) { stage_install(service("c2"), "9.0.1"); throw problem; }
"#,
    );
    let play = scene.play_with(1, &fails_once("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    assert_eq!(play.run().ending, Ending::Failed, "it stays failed, and nothing is done");
    let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
    assert_eq!(deeds, [("c2 stage_install".to_owned(), 1)]);
}

#[test]
fn a_wait_of_the_script_that_ran_out_of_time_is_waited_anew() {
    let scene = Scene::of_text(
        r#"//! A wait after a change
let c2 = service("c2");
step("Stop it", || shutdown(c2));
step("Wait", || wait_until("c2 runs", || status(c2) == "running", #{ every: "1s", limit: "5s" }));
"#,
    );
    let play = scene.play(1);
    let waits = || {
        let records = play.records();
        let since = records.iter().rposition(|record| matches!(record.fact, Fact::Opened)).unwrap_or(0);
        let pause = |record: &&Record| matches!(&record.fact, Fact::Intent { effect, .. } if effect.is_pause());
        records.iter().skip(since).filter(pause).count()
    };
    assert_eq!(play.run().ending, Ending::Failed);
    let first = waits();
    assert!(first >= 4, "{first} pauses");
    let again = play.run();
    assert_eq!(again.ending, Ending::Failed, "{:?}", again.error);
    assert_eq!(waits(), first, "as long as the first time");
    play.meddle("c2", "start", &[]);
    let done = play.run();
    assert_eq!((done.ending, done.error), (Ending::Done, None));
    let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
    assert_eq!(deeds, [("c2 shutdown".to_owned(), 1), ("c2 start".to_owned(), 1)]);
}

#[test]
fn what_a_guard_was_decided_by_is_read_anew() {
    let scene = Scene::of_text(
        r#"//! A guard after a change
stage_install(service("c2"), "9.0.1");
let name = choose("which?", ["a", "b"]);
guard(now() % 2 == 7, "never holds");
"#,
    );
    let play = scene.play(1);
    let first = play.run();
    assert_eq!(first.ending, Ending::Failed, "{:?}", first.error);
    play.estate.pass(60_000);
    assert_eq!(play.run().ending, Ending::Failed);
    let readings = play.records().iter().filter(|record| matches!(record.fact, Fact::Read { .. })).count();
    let asked = play.records().iter().filter(|record| matches!(record.fact, Fact::Outcome { .. })).count();
    assert_eq!(asked, 3, "the change is not repeated, the question is");
    assert!(readings >= 3, "only {readings} readings: the guard's was not repeated");
}
