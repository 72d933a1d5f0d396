//! What a runbook owes is done at the end of every way, and not where it could do harm.

use super::{deeds, fails, fault, rolled_back};
use crate::support::simulation::Scene;
use baton::model::run::record::{Ending, Fact, Record, RollbackScope};
use baton::sim::Harm;

/// Owes two things; the first of them may do harm.
const OWES: &str = r#"//! Owes two things
let c2 = service("c2");
ensure("Unmark", || unset_option(c2, "confserv", "upgrade-mode"), #{
    harm: || if status(c2) == "running" { "c2 still runs." } else { "" }
});
step("Mark", || set_option(c2, "confserv", "upgrade-mode", "1"), #{ undo: || note("left to what is owed") });
ensure("Say", || note("said"));
step("Save", || backup(service("confdb"), "b"));
"#;

#[test]
fn what_is_owed_is_done_at_the_end_of_a_way_back_newest_first() {
    let scene = Scene::of_text(OWES);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    assert!(play.notes().is_empty(), "a failed run still owes");
    assert_eq!(play.plan_back(&RollbackScope::All).owes(), ["Say", "Unmark"]);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(play.notes(), ["left to what is owed", "said"]);
    assert_eq!(deeds(&play), ["set_option c2", "unset_option c2"], "the operator said yes");
}

#[test]
fn what_could_do_harm_is_asked_first_on_every_way() {
    let scene = Scene::of_text(OWES);
    let asked = "`Unmark` was left undone: c2 still runs.".to_owned();
    let play = scene.play_with(1, &fault("confirm", "confirm-1", 1, Harm::SaysNo));
    assert_eq!(play.run().ending, Ending::Done);
    assert_eq!(play.notes(), ["said".to_owned(), asked.clone()]);
    assert_eq!(deeds(&play), ["set_option c2", "backup confdb"]);
    let play = scene.play_with(1, &fault("confirm", "r1/confirm-1", 1, Harm::SaysNo));
    play.run();
    let kept = play.back(&RollbackScope::All);
    assert_eq!(kept.exit_code, 7, "it is not as it was before: {:?}", kept.error);
    assert_eq!(play.notes().last(), Some(&asked));
    let play = scene.play_with(1, &fault("confirm", "r1/confirm-1", 1, Harm::Nobody));
    play.run();
    assert_eq!(play.back(&RollbackScope::All).ending, Ending::Suspended, "no answer is assumed");
    rolled_back(&play.run());
}

#[test]
fn a_harm_that_is_no_text_is_a_bug() {
    let scene = Scene::of_text("//! Wrong\nensure(\"Say\", || note(\"said\"), #{ harm: || 7 });\n");
    let play = scene.play(1);
    let wrong = play.run();
    assert_eq!(wrong.ending, Ending::Bug);
    assert!(wrong.error.expect("it says why").to_string().contains("`harm` of `Say` must give text"));
}

#[test]
fn a_run_that_is_given_up_undoes_nothing_and_does_what_it_owes() {
    let scene = Scene::of_text(OWES);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    let over = play.back(&RollbackScope::Abort);
    assert_eq!((over.ending, over.exit_code, over.error), (Ending::Aborted, 1, None));
    assert_eq!(play.notes(), ["said"]);
    assert_eq!(deeds(&play), ["set_option c2", "unset_option c2"]);
    assert_eq!(play.run().ending, Ending::Aborted, "it is over");
    assert!(play.no_way_back(&RollbackScope::All).contains("was given up"));
    let done = scene.play(1);
    done.run();
    assert!(done.no_way_back(&RollbackScope::Abort).contains("is over"));
}

#[test]
fn what_an_undo_comes_to_owe_and_where_it_hands_over() {
    let scene = Scene::of_text(
        r#"//! An undo with an obligation, then one that holds
step("One", || set_readonly(service("c1")), #{ undo: || { ensure("Later", || note("later")); note("now"); } });
step("Two", || backup(service("confdb"), "b"), #{ undo: || hold("somebody has to look", "look at it") });
guard(false, "no");
"#,
    );
    let play = scene.play(1);
    play.run();
    let held = play.back(&RollbackScope::All);
    assert_eq!((held.ending, held.exit_code), (Ending::Failed, 7));
    let error = held.error.expect("it says why").to_string();
    assert!(error.contains("somebody has to look") && error.contains("look at it"), "{error}");
    let first = Scene::of_text(
        r#"//! An undo with an obligation
step("One", || set_readonly(service("c1")), #{ undo: || { ensure("Later", || note("later")); unset_readonly(service("c1")); note("now"); } });
guard(false, "no");
"#,
    );
    let play = first.play(1);
    play.run();
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(play.notes(), ["now", "later"]);
    let begun = |record: &Record| matches!(&record.fact, Fact::StepBegun { name, .. } if name == "Later");
    assert_eq!(play.records().iter().filter(|record| begun(record)).count(), 1);
}
