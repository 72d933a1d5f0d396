//! What a runbook says must hold is looked at before each change and while something is waited for, forward and on the
//! way back; where it does not hold, or cannot be read, the run stops before it does anything more.

use crate::support::Baton;
use crate::support::simulation::{Between, Play, Scene, unlike};
use baton::model::run::record::{Ending, RollbackScope};
use baton::session::Finished;
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};

/// Two changes, and something that must hold all the time.
const TWO_CHANGES: &str = r#"//! Two changes
let c1 = service("c1");
let c2 = service("c2");
invariant("c1 takes changes", || !is_readonly(c1));
step("Mark", || set_option(c2, "confserv", "x", "1"));
confirm("On?", #{ gate: "on" });
step("Mark again", || set_option(c2, "confserv", "x", "2"));
"#;

fn at(verb: &str, subject: &str, harm: Harm) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: subject.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm }], ..FaultPlan::default() }
}

/// Stops before the second change, with nobody there to answer.
fn stopped(scene: &Scene) -> Play<'_> {
    let play = scene.play_with(1, &at("confirm", "on", Harm::Nobody));
    assert_eq!(play.run().ending, Ending::Suspended);
    play
}

fn told(finished: &Finished) -> String {
    finished.error.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn marks(play: &Play<'_>) -> usize {
    play.deeds().get("c2 set_option").copied().unwrap_or_default()
}

#[test]
fn what_holds_costs_no_record_and_changes_nothing() {
    let scene = Scene::of_text(TWO_CHANGES);
    let without: String =
        TWO_CHANGES.lines().filter(|line| !line.starts_with("invariant")).map(|l| format!("{l}\n")).collect();
    let without = Scene::of_text(&without);
    let (play, plain) = (scene.play(1), without.play(1));
    assert_eq!((play.run().ending, plain.run().ending), (Ending::Done, Ending::Done));
    assert_eq!(play.records().len(), plain.records().len());
    assert_eq!(play.deeds(), plain.deeds());
}

#[test]
fn a_run_stops_before_its_next_change_and_goes_on_when_it_is_put_right() {
    let scene = Scene::of_text(TWO_CHANGES);
    let play = stopped(&scene);
    play.meddle("c1", "set_readonly", &[]);
    let broken = play.run();
    assert_eq!((broken.ending, marks(&play)), (Ending::Failed, 1), "{}", told(&broken));
    let words = told(&broken);
    assert!(words.contains("the invariant “c1 takes changes” does not hold"), "{words}");
    assert!(words.contains("readonly(c1) reads `true`") && words.contains("--adopt-edited"), "{words}");
    assert!(words.contains("test.rhai:4"), "where it stands: {words}");
    assert_eq!(play.run().ending, Ending::Failed, "it is looked at each time");
    play.meddle("c1", "unset_readonly", &[]);
    let done = play.run();
    assert_eq!((done.ending, marks(&play)), (Ending::Done, 2), "{}", told(&done));
}

#[test]
fn what_does_not_hold_already_is_told_on_the_way_back_and_stops_none_of_it() {
    let scene = Scene::of_text(TWO_CHANGES);
    let play = stopped(&scene);
    play.meddle("c1", "set_readonly", &[]);
    let back = play.back(&RollbackScope::All);
    assert_eq!(back.ending, Ending::RolledBack, "{}", told(&back));
    assert_eq!(play.notes(), ["the invariant “c1 takes changes” does not hold: readonly(c1) reads `true`"]);
}

#[test]
fn what_ceases_to_hold_on_the_way_back_stops_it() {
    let scene = Scene::of_text(
        r#"//! An undo that does harm
let c1 = service("c1");
let c2 = service("c2");
invariant("c1 takes changes", || !is_readonly(c1));
step("Mark", || set_option(c2, "confserv", "x", "1"));
step("Mark again", || set_option(c2, "confserv", "y", "1"), #{ undo: || set_readonly(c1) });
guard(false, "no");
"#,
    );
    let play = scene.play(1);
    play.run();
    let back = play.back(&RollbackScope::All);
    assert_eq!((back.ending, back.exit_code), (Ending::Failed, 7), "{}", told(&back));
    assert!(told(&back).contains("c1 takes changes"), "{}", told(&back));
    assert_eq!(play.deeds().get("c2 restore_option"), None);
}

#[test]
fn nothing_is_done_before_it_was_looked_at() {
    let scene = Scene::of_text(
        "//! Breaks it at last\nlet c1 = service(\"c1\");\ninvariant(\"c1 takes changes\", || !is_readonly(c1));\n\
         set_readonly(c1);\n",
    );
    let broken = scene.play(1).run();
    assert_eq!(broken.ending, Ending::Failed, "{}", told(&broken));
}

#[test]
fn what_is_owed_and_how_to_go_back_is_named_where_it_stops_a_run() {
    let scene = Scene::of_text(
        "//! Owes\nlet c1 = service(\"c1\");\ninvariant(\"c1 takes changes\", || !is_readonly(c1));\n\
         ensure(\"Lift\", || unset_readonly(c1));\nset_readonly(c1);\nset_option(c1, \"confserv\", \"x\", \"1\");\n",
    );
    let broken = told(&scene.play(1).run());
    assert!(broken.contains("owed and not done yet, in this order: `Lift`"), "{broken}");
    assert!(broken.contains("baton rollback sim") && broken.contains("baton resume sim"), "{broken}");
}

#[test]
fn where_it_does_not_hold_from_the_first_nothing_is_begun() {
    let text = "//! Never\ninvariant(\"It holds\", || false);\nset_option(service(\"c2\"), \"a\", \"b\", \"1\");\n";
    let unmet = Scene::of_text(text).play(1).run();
    assert_eq!(unmet.ending, Ending::Unmet, "{}", told(&unmet));
    assert!(told(&unmet).contains("nothing was touched"), "{}", told(&unmet));
}

#[test]
fn what_has_one_name_twice_is_watched_twice() {
    let scene = Scene::of_text(
        "//! Two of one name\nlet c1 = service(\"c1\");\nlet c2 = service(\"c2\");\n\
         for one in [c1, c2] { invariant(\"it takes changes\", || !is_readonly(one)); }\n\
         set_readonly(c1);\nset_option(c2, \"confserv\", \"x\", \"1\");\n",
    );
    let play = scene.play(1);
    let broken = play.run();
    assert_eq!((broken.ending, marks(&play)), (Ending::Failed, 0), "{}", told(&broken));
    assert!(told(&broken).contains("readonly(c1) reads `true`"), "{}", told(&broken));
}

#[test]
fn a_run_has_no_more_of_them_than_can_be_looked_at() {
    let text = "//! Too many\nfor n in 0..200 { invariant(`It holds ${n}`, || true); }\n";
    let wrong = Scene::of_text(text).play(1).run();
    assert_eq!(wrong.ending, Ending::Bug);
    assert!(told(&wrong).contains("a run has 100 invariants at the most"), "{}", told(&wrong));
}

#[test]
fn what_cannot_be_looked_at_does_not_hold() {
    let cannot = "|| { if is_readonly(c1) { throw \"c1 cannot be asked\"; } true }";
    let scene = Scene::of_text(&TWO_CHANGES.replace("|| !is_readonly(c1)", cannot));
    let play = stopped(&scene);
    play.meddle("c1", "set_readonly", &[]);
    let broken = play.run();
    assert_eq!((broken.ending, marks(&play)), (Ending::Failed, 1), "{}", told(&broken));
    assert!(told(&broken).contains("c1 cannot be asked"), "{}", told(&broken));
    play.meddle("c1", "unset_readonly", &[]);
    assert_eq!(play.run().ending, Ending::Done);
}

/// Starts something, and rests for longer than it takes.
const RESTS: &str = r#"//! Rests
let c2 = service("c2");
shutdown(c2);
invariant("c2 is not up yet", || status(c2) != "running", #{ every: "5s" BREACH });
start(c2);
sleep("2h");
note("rested");
set_option(c2, "confserv", "x", "1");
"#;

#[test]
fn a_wait_is_ended_when_it_ceases_to_hold_meanwhile() {
    let scene = Scene::of_text(&RESTS.replace("BREACH", ""));
    let play = scene.play(1);
    let began = play.estate.now().0;
    let broken = play.run();
    let took = play.estate.now().0 - began;
    assert_eq!((broken.ending, marks(&play)), (Ending::Failed, 0), "{}", told(&broken));
    assert!(took < 3_600_000, "it did not sleep on: {took}");
    assert!(told(&broken).contains("status(c2) reads `running`"), "{}", told(&broken));
    assert!(play.notes().is_empty());
}

#[test]
fn people_are_warned_once_where_it_stops_nothing() {
    let scene = Scene::of_text(&RESTS.replace("BREACH", ", breach: \"warn\""));
    let play = scene.play(1);
    let done = play.run();
    assert_eq!((done.ending, marks(&play)), (Ending::Done, 1), "{}", told(&done));
    let warned = "the invariant “c2 is not up yet” does not hold: status(c2) reads `running`";
    assert_eq!(play.notes(), [warned, "rested"]);
    // What was written by who looked is in nobody's way who reads the record.
    let again = Scene::of_text(&RESTS.replace("BREACH", ", breach: \"warn\""));
    assert_eq!(again.play_after(&play).run().ending, Ending::Done);
}

#[test]
fn an_invariant_that_does_more_than_read_is_a_mistake_of_the_runbook() {
    for (body, says) in [
        ("|| start(service(\"c1\"))", "`start` in an invariant: an invariant only reads"),
        ("|| { note(\"looked\"); true }", "`note` in an invariant"),
        ("|| { sleep(\"1s\"); true }", "`sleep` in an invariant"),
        ("|| role(service(\"c1\"))", "an invariant gives text `primary`, not true or false"),
    ] {
        let text =
            format!("//! Wrong\ninvariant(\"It holds\", {body});\nset_option(service(\"c2\"), \"a\", \"b\", \"1\");\n");
        let scene = Scene::of_text(&text);
        let play = scene.play(1);
        let wrong = play.run();
        assert_eq!((wrong.ending, marks(&play)), (Ending::Bug, 0), "{body}: {}", told(&wrong));
        assert!(told(&wrong).contains(says), "{body}: {}", told(&wrong));
    }
}

#[test]
fn tracks_are_watched_together_and_it_is_said_once() {
    let scene = Scene::of_text(
        "//! Several wait\nlet c2 = service(\"c2\");\nshutdown(c2);\n\
         invariant(\"c2 is not up yet\", || status(c2) != \"running\", #{ breach: \"warn\" });\nstart(c2);\n\
         parallel([1, 2, 3], |n| { sleep(`${n}h`); set_option(c2, \"confserv\", `x${n}`, \"1\") });\n",
    );
    let play = scene.play(1);
    let done = play.run();
    assert_eq!((done.ending, marks(&play)), (Ending::Done, 3), "{}", told(&done));
    assert_eq!(play.notes().len(), 1, "{:?}", play.notes());
}

#[test]
fn whoever_dies_while_it_is_watched_is_followed_by_one_who_comes_to_the_same_end() {
    let scene = Scene::of_text(&RESTS.replace("BREACH", ", breach: \"warn\"").replace("\"5s\"", "\"3min\""));
    let calm = scene.play(1);
    let (done, moments) = calm.watched(|clock: &CrashClock| calm.runner(clock, &Between::nothing()));
    assert_eq!(done.expect("not refused").expect("it lives").ending, Ending::Done);
    for (point, moment) in unlike(&moments) {
        let play = calm.died_at(moment);
        let done = play.run();
        assert_eq!(done.ending, Ending::Done, "died at {point}: {}", told(&done));
        assert_eq!(play.deeds(), calm.deeds(), "died at {point}");
    }
}

#[test]
fn what_an_invariant_cannot_do_is_found_before_anything_is_done() {
    let baton = Baton::new();
    for (body, says) in [
        ("|| { if status(c1) == \"stopped\" { start(c1); } true }", "`start` in `invariant`: its closure only reads"),
        ("|| { sleep(\"1s\"); true }", "`sleep` in `invariant`"),
        ("|| { guard(true, \"x\"); true }", "`guard` in `invariant`"),
        ("|| role(c1)", "gives text, not true or false"),
    ] {
        let text = format!("//! Wrong\nlet c1 = service(\"c1\");\ninvariant(\"It holds\", {body});\n");
        baton.write("wrong.rhai", &text).run(&["check", "wrong.rhai"]).code(2).says(says).says("wrong.rhai:3:");
    }
    let reads = "//! Reads\nlet c1 = service(\"c1\");\ninvariant(\"It runs\", || { let now = status(c1); c1.tags.len() > 0 || now == \"running\" });\n";
    baton.write("reads.rhai", reads).run(&["check", "reads.rhai"]).code(0);
}
