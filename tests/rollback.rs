//! Going back: what a run changed is undone newest first, and nothing else is; whatever happens on the way.

mod command;
mod crash;
mod left_out;
mod limits;
mod mend;
mod owed;
mod steps;
mod words;

use crate::support::simulation::{Play, Scene};
use baton::model::run::record::{Ending, RollbackScope};
use baton::model::value::Value;
use baton::session::Finished;
use baton::sim::{Fault, FaultPlan, Harm, Trigger};

fn fault(verb: &str, subject: &str, nth: u32, harm: Harm) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: subject.into(), nth };
    FaultPlan { faults: vec![Fault { at, harm }], ..FaultPlan::default() }
}

fn fails(verb: &str, subject: &str) -> FaultPlan {
    fault(verb, subject, 1, Harm::FailsBefore)
}

/// The verbs that reached the site, in order, without arguments.
fn deeds(play: &Play<'_>) -> Vec<String> {
    play.estate.ledger().effects.iter().map(|deed| format!("{} {}", deed.verb, deed.service)).collect()
}

/// A site on which nothing was ever done, after the time that a way back may take.
fn fresh(scene: &Scene) -> Value {
    settled(&scene.play(1))
}

/// The site when everything on it has come to rest.
fn settled(play: &Play<'_>) -> Value {
    play.estate.pass(3_600_000);
    play.summary()
}

#[track_caller]
fn rolled_back(finished: &Finished) {
    assert_eq!((finished.ending, finished.exit_code), (Ending::RolledBack, 6), "{:?}", finished.error);
}

/// Three changes that are put back by what they recorded.
const THREE: &str = r#"//! Three changes and a failure
step("Freeze", || set_readonly(service("c1")));
step("Mark", || set_option(service("c2"), "confserv", "upgrade-mode", "1"));
step("Save", || backup(service("confdb"), "b"));
"#;

#[test]
fn what_was_changed_is_put_back_newest_first() {
    let scene = Scene::of_text(THREE);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    let failed = play.run();
    assert_eq!(failed.ending, Ending::Failed);
    assert!(failed.error.expect("it says why").to_string().contains("baton rollback sim"));
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(deeds(&play), ["set_readonly c1", "set_option c2", "restore_option c2", "unset_readonly c1"]);
    assert_eq!(settled(&play), fresh(&scene));
}

#[test]
fn a_run_that_came_to_its_end_can_be_taken_back_and_only_once() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Done);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(settled(&play), fresh(&scene), "a backup stays, the rest is as it was");
    let (before, refused) = (play.bytes(), play.no_way_back(&RollbackScope::All));
    assert!(refused.contains("rolled back already"), "{refused}");
    rolled_back(&play.run());
    assert_eq!(play.bytes(), before, "nothing more is written");
}

#[test]
fn a_plan_is_told_without_writing_or_doing_anything() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    play.run();
    let (journal, done) = (play.bytes(), deeds(&play));
    let steps: Vec<String> =
        play.plan_back(&RollbackScope::All).acts().into_iter().filter_map(|act| Some(act.step?.1)).collect();
    assert_eq!(steps, ["Save", "Mark", "Freeze"]);
    let from: Vec<String> = play
        .plan_back(&RollbackScope::To("mark".into()))
        .acts()
        .into_iter()
        .filter_map(|act| Some(act.step?.1))
        .collect();
    assert_eq!(from, ["Save", "Mark"]);
    assert_eq!((play.bytes(), deeds(&play)), (journal, done));
}

#[test]
fn what_was_so_before_stays_so() {
    let scene = Scene::of_text(THREE);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    play.meddle("c1", "set_readonly", &[]);
    let before = play.summary();
    play.run();
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(deeds(&play), ["set_readonly c1", "set_option c2", "restore_option c2"]);
    assert_eq!(settled(&play), before);
}

#[test]
fn what_somebody_else_changed_since_is_kept_and_told() {
    let scene = Scene::of_text(THREE);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    play.run();
    play.meddle("c2", "set_option", &[("section", "confserv"), ("key", "upgrade-mode"), ("value", "7")]);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(deeds(&play), ["set_readonly c1", "set_option c2", "set_option c2", "unset_readonly c1"]);
    let kept: Vec<String> = play.notes().into_iter().filter(|note| note.starts_with("kept")).collect();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("reads `7`; this run made it `1`, before it was nothing"), "{}", kept[0]);
}

#[test]
fn what_somebody_else_has_put_back_is_not_put_back_again() {
    let scene = Scene::of_text(THREE);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    play.run();
    play.meddle("c1", "unset_readonly", &[]);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(deeds(&play), ["set_readonly c1", "set_option c2", "unset_readonly c1", "restore_option c2"]);
    assert!(play.notes().iter().any(|note| note.contains("needs no undoing")), "{:?}", play.notes());
}

/// All that a rollback can meet: the member is stopped, its folder swapped, and started.
const SIX: &str = r#"//! Six changes
let c2 = service("c2");
step("Save", || backup(service("confdb"), "b"));
step("Freeze", || set_readonly(service("c1")));
step("Stage", || stage_install(c2, "8.5.101.10"));
step("Stop", || shutdown(c2));
step("Swap", || swap_folder(c2, "8.5.101.10"));
step("Start", || start(c2));
step("Look", || guard(status(c2) == "never", "it never ends well"));
"#;

/// Whatever goes wrong with whichever change, and whether the run ended well after that or not.
#[test]
fn whatever_goes_wrong_with_a_change_all_of_it_can_be_taken_back() {
    let scene = Scene::of_text(SIX);
    let before = fresh(&scene);
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    let places = play.estate.places();
    assert_eq!(places.len(), 6, "{places:?}");
    for plan in FaultPlan::singles(&places) {
        let play = scene.play_with(1, &plan);
        let mut finished = play.run();
        assert_ne!(finished.ending, Ending::Done);
        if finished.ending == Ending::Doubt {
            assert!(play.no_way_back(&RollbackScope::All).contains("has to be settled"), "{plan}");
            finished = play.resume_with(play.doubted_deed_happened());
        }
        assert!(matches!(finished.ending, Ending::Failed), "{plan}: {:?}", finished.error);
        let back = play.back(&RollbackScope::All);
        assert_eq!(back.ending, Ending::RolledBack, "{plan}: {:?}", back.error);
        assert_eq!(settled(&play), before, "{plan}\n{:#?}", deeds(&play));
    }
}

/// The same faults while the run goes back: it stops, and goes on from there until it is back.
#[test]
fn whatever_goes_wrong_on_the_way_back_it_goes_on_to_its_end() {
    let scene = Scene::of_text(SIX);
    let before = fresh(&scene);
    let play = scene.play(1);
    play.run();
    rolled_back(&play.back(&RollbackScope::All));
    let places: Vec<Trigger> = play.estate.places().into_iter().skip(6).collect();
    assert_eq!(places.len(), 5, "{places:?}");
    for plan in FaultPlan::singles(&places) {
        let play = scene.play_with(1, &plan);
        assert_eq!(play.run().ending, Ending::Failed);
        let mut finished = play.back(&RollbackScope::All);
        let mut stops = 0;
        while finished.ending != Ending::RolledBack {
            stops += 1;
            assert!(stops < 12, "{plan}: {:?}", finished.error);
            assert_eq!(finished.exit_code, 7, "{plan}: {:?}", finished.error);
            finished = match finished.ending {
                Ending::Doubt => play.resume_with(play.doubted_deed_happened()),
                _ => play.run(),
            };
        }
        assert_eq!(settled(&play), before, "{plan}\n{:#?}", deeds(&play));
    }
}
