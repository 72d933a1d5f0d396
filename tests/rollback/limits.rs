//! Where a way back is closed, or stops: points of no return, doubt, edits of the record's own kind.

use super::{deeds, fault, rolled_back};
use crate::support::simulation::Scene;
use baton::model::run::record::{Ending, Fact, RollbackScope};
use baton::session::OperatorRuling;
use baton::sim::{CrashClock, Harm};

#[test]
fn beyond_the_point_of_no_return_only_later_steps_can_be_undone() {
    let scene = Scene::of_text(
        r#"//! A point of no return
step("One", || set_readonly(service("c1")));
step("Two", || point_of_no_return("the old database is gone"));
step("Three", || set_option(service("c2"), "confserv", "upgrade-mode", "1"));
guard(false, "no");
"#,
    );
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    let before = play.bytes();
    for way in [RollbackScope::All, RollbackScope::To("One".into()), RollbackScope::To("Two".into())] {
        let refused = play.no_way_back(&way);
        assert!(
            refused.contains("the old database is gone") && refused.contains("baton rollback sim --to 3"),
            "{refused}"
        );
    }
    assert_eq!(play.bytes(), before, "nothing was written");
    rolled_back(&play.back(&RollbackScope::To("Three".into())));
    assert_eq!(deeds(&play), ["set_readonly c1", "set_option c2", "restore_option c2"]);
    assert_eq!(play.run().ending, Ending::Failed, "it did the step again");
    assert_eq!(play.back(&RollbackScope::Abort).ending, Ending::Aborted, "it can still be given up");
}

#[test]
fn a_doubt_on_the_way_back_stops_it_and_is_never_skipped() {
    let scene = Scene::of_text(
        r#"//! A command that nobody can tell of
let c2 = service("c2");
step("One", || set_readonly(service("c1")));
step("Two", || backup(service("confdb"), "b"), #{ undo: || run(c2, ["drop", "b"]) });
guard(false, "no");
"#,
    );
    for happened in [true, false] {
        let play = scene.play_with(1, &fault("run", "c2", 1, Harm::JobLost { happened }));
        play.run();
        let doubt = play.back(&RollbackScope::All);
        assert_eq!((doubt.ending, doubt.exit_code), (Ending::Doubt, 7), "{:?}", doubt.error);
        let refused = play.no_way_back(&RollbackScope::All);
        assert!(refused.contains("baton resume sim --happened"), "{refused}");
        rolled_back(&play.resume_with(happened));
        let expected = ["set_readonly c1", "backup confdb", "run c2", "unset_readonly c1"];
        assert_eq!(deeds(&play), expected, "{happened}: done once, whoever did it");
    }
}

#[test]
fn a_doubt_of_the_run_itself_is_settled_before_it_goes_back() {
    let scene = Scene::of_text(
        r#"//! A command that nobody can tell of
step("One", || set_readonly(service("c1")));
step("Two", || run(service("c2"), ["touch", "x"]), #{ undo: || note("two") });
"#,
    );
    for happened in [true, false] {
        let play = scene.play_with(1, &fault("run", "c2", 1, Harm::JobLost { happened }));
        assert_eq!(play.run().ending, Ending::Doubt);
        let refused = play.no_way_back(&RollbackScope::All);
        assert!(refused.contains("baton rollback sim --happened"), "{refused}");
        let why = "looked".to_owned();
        let verdict = if happened { OperatorRuling::Happened(why) } else { OperatorRuling::NotHappened(why) };
        let back = play
            .back_runner(&CrashClock::never(), &RollbackScope::All, verdict)
            .expect("not refused")
            .expect("it lives");
        rolled_back(&back);
        assert_eq!(play.notes().contains(&"two".to_owned()), happened);
    }
}

#[test]
fn a_runner_that_died_leaves_nothing_open_behind_its_way_back() {
    let scene = Scene::of_text(
        r#"//! Three changes
let c2 = service("c2");
step("Stage", || stage_install(c2, "9.0.1"));
step("Stop", || shutdown(c2));
step("Swap", || swap_folder(c2, "9.0.1"));
"#,
    );
    let fresh = super::fresh(&scene);
    let mut point = 1;
    loop {
        let play = scene.play(1);
        let clock = CrashClock::at(point);
        if play.runner(&clock, &crate::support::simulation::Between::nothing()).expect("not refused").is_some() {
            break;
        }
        let begun = !play.bytes().is_empty();
        if begun {
            rolled_back(&play.back(&RollbackScope::All));
            assert_eq!(super::settled(&play), fresh, "died at {point}: {:?}", deeds(&play));
            let records = play.records();
            let open = records.iter().filter(|record| matches!(record.fact, Fact::Intent { .. })).count();
            let closed = records.iter().filter(|record| matches!(record.fact, Fact::Outcome { .. })).count();
            assert_eq!(open, closed, "died at {point}: an effect was left open");
        }
        point += 1;
    }
    assert!(point > 20, "only {point} points");
}

#[test]
fn a_bug_of_the_runbook_does_not_close_the_way_back() {
    let scene = Scene::of_text(
        r#"//! A bug, behind a failure that was caught
let c2 = service("c2");
step("One", || set_readonly(service("c1")), #{ undo: || { note("one"); unset_readonly(service("c1")); } });
try { backup(service("confdb"), 7); } catch { note("never"); }
"#,
    );
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Bug);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(play.notes(), ["one"]);
}

#[test]
fn a_failure_that_was_caught_is_replayed_as_it_was() {
    let scene = Scene::of_text(
        r#"//! Goes on after a failure
try { backup(service("confdb"), "b"); }
catch (problem) { note(problem.kind); set_readonly(service("c1")); }
"#,
    );
    for harm in [Harm::FailsBefore, Harm::FailsAfter] {
        let play = scene.play_with(1, &fault("backup", "confdb", 1, harm));
        assert_eq!(play.run().ending, Ending::Done);
        rolled_back(&play.back(&RollbackScope::All));
        assert_eq!(deeds(&play).last().map(String::as_str), Some("unset_readonly c1"));
    }
}

#[test]
fn a_held_and_a_suspended_run_can_be_taken_back() {
    let held = Scene::of_text("//! Holds\nset_readonly(service(\"c1\"));\nhold(\"look\");\n");
    let play = held.play(1);
    assert_eq!(play.run().ending, Ending::Held);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(deeds(&play), ["set_readonly c1", "unset_readonly c1"]);
    let asks = Scene::of_text("//! Asks\nset_readonly(service(\"c1\"));\nconfirm(\"well?\");\n");
    let play = asks.play_with(1, &fault("confirm", "confirm-1", 1, Harm::Nobody));
    assert_eq!(play.run().ending, Ending::Suspended);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(deeds(&play), ["set_readonly c1", "unset_readonly c1"]);
    let unmet = Scene::of_text("//! Not begun\nguard(false, \"no\");\n");
    let play = unmet.play(1);
    assert_eq!(play.run().ending, Ending::Unmet);
    rolled_back(&play.back(&RollbackScope::All));
}
