//! A runner may die at any boundary of a way back: another one goes on, to the same end and with the same deeds.

use super::{deeds, fails, settled};
use crate::support::checks::judge;
use crate::support::simulation::{Between, Moment, Play, Scene, unlike};
use baton::model::run::record::{Ending, Fact, RollbackScope};
use baton::model::value::Value;
use baton::session::OperatorRuling;
use baton::sim::FaultPlan;

/// Everything a way back can meet: own undos, steps of tracks, recorded values, a question, what is owed.
const ALL_KINDS: &str = r#"//! Everything that a way back can meet
let c2 = service("c2");
ensure("Unmark", || unset_option(c2, "confserv", "upgrade-mode"), #{ harm: || `c2 is ${status(c2)}.` });
step("Freeze", || set_readonly(service("c1")));
step("Change", || {
    stage_install(c2, "9.0.1");
    step("Stop", || shutdown(c2), #{ undo: || { start(c2); wait_status(c2, "running"); note("started"); } });
    swap_folder(c2, "9.0.1");
});
step("Both", || parallel([service("c1"), c2], |s| set_option(s, "confserv", "x", "1")));
step("Touch", || run(c2, ["touch", "x"]));
step("Mark", || set_option(c2, "confserv", "upgrade-mode", "1"));
step("Save", || backup(service("confdb"), "b"));
"#;

struct End {
    ending: Ending,
    summary: Value,
    deeds: Vec<String>,
}

fn end(play: &Play<'_>, ending: Ending) -> End {
    let mut deeds = deeds(play);
    deeds.sort();
    End { ending, summary: settled(play), deeds }
}

/// A run that has come to its end, or failed.
fn ended<'a>(scene: &'a Scene, plan: &FaultPlan) -> Play<'a> {
    let play = scene.play_with(1, plan);
    play.run();
    play
}

/// A runner that lives takes it back, or goes on with that. Gives every moment at which it could have died.
fn back(play: &Play<'_>, way: &RollbackScope, deaths: &[usize]) -> (End, Vec<Moment>) {
    let (finished, moments) = play.watched(|clock| play.back_runner(clock, way, OperatorRuling::Retry));
    let finished = finished.unwrap_or_else(|why| panic!("{deaths:?}: {why}")).expect("it lives");
    (end(play, finished.ending), moments)
}

/// What a run comes to that somebody takes up after these deaths, who may not know that it went back.
fn taken_up(play: &Play<'_>, way: &RollbackScope, deaths: &[usize]) -> End {
    if is_back(play) {
        // The runner died with its work done: after its last record.
        return end(play, Ending::RolledBack);
    }
    let finished = if play.records().iter().any(|record| matches!(record.fact, Fact::Rollback { .. })) {
        play.run()
    } else {
        play.back(way)
    };
    let complaints = judge(play, finished.ending);
    let complaints: Vec<_> = complaints.iter().filter(|found| !found.text.contains("INV")).collect();
    assert!(complaints.is_empty(), "{deaths:?}: {complaints:?}");
    end(play, finished.ending)
}

/// Takes it back with runners that die at each point in turn; how often that was. The undisturbed end is `expected`.
fn dies_everywhere(play: &Play<'_>, way: &RollbackScope, expected: Ending) -> usize {
    let (undisturbed, moments) = back(play, way, &[]);
    assert_eq!(undisturbed.ending, expected, "{way:?}");
    for (point, moment) in unlike(&moments) {
        same(&undisturbed, &taken_up(&play.died_at(moment), way, &[point]), &[point]);
    }
    moments.len()
}

fn is_back(play: &Play<'_>) -> bool {
    matches!(play.records().last().map(|last| &last.fact), Some(Fact::Ended { ending: Ending::RolledBack, .. }))
}

#[track_caller]
fn same(undisturbed: &End, other: &End, deaths: &[usize]) {
    assert_eq!(other.ending, undisturbed.ending, "died at {deaths:?}");
    assert_eq!(other.summary, undisturbed.summary, "died at {deaths:?}");
    assert_eq!(other.deeds, undisturbed.deeds, "died at {deaths:?}");
}

#[test]
fn a_runner_may_die_at_any_point_of_a_way_back() {
    let scene = Scene::of_text(ALL_KINDS);
    for (plan, way) in [
        (fails("backup", "confdb"), RollbackScope::All),
        (FaultPlan::default(), RollbackScope::All),
        (fails("backup", "confdb"), RollbackScope::To("Both".into())),
        (fails("backup", "confdb"), RollbackScope::Abort),
    ] {
        let expected = if way == RollbackScope::Abort { Ending::Aborted } else { Ending::RolledBack };
        let points = dies_everywhere(&ended(&scene, &plan), &way, expected);
        assert!(points > 15, "{way:?}: only {points} points");
    }
}

#[test]
fn a_runner_may_die_at_any_point_of_the_way_back_from_a_shipped_upgrade() {
    for (runbook, scenario, plan) in [
        ("genesys/confserv-ha", "upgrade-mode", FaultPlan::default()),
        ("genesys/confserv-ha", "compatible", FaultPlan::default()),
        ("genesys/confserv-ha", "undetected", FaultPlan::default()),
        ("genesys/confserv-ha", "new-database", fails("swap_folder", "c1")),
        ("genesys/confserv-ha-same-schema", "same-schema", FaultPlan::default()),
        ("postgresql/switchover", "clean", FaultPlan::default()),
        ("postgresql/switchover", "clean", fails("rewind", "pg-a")),
    ] {
        let scene = Scene::new(runbook, scenario);
        let points = dies_everywhere(&ended(&scene, &plan), &RollbackScope::All, Ending::RolledBack);
        assert!(points > 30, "{scenario}: only {points} points");
    }
}

#[test]
fn whoever_goes_on_may_die_as_well() {
    let scene = Scene::of_text(ALL_KINDS);
    let play = ended(&scene, &fails("backup", "confdb"));
    let (undisturbed, moments) = back(&play, &RollbackScope::All, &[]);
    for (first, moment) in unlike(&moments).step_by(7) {
        let left = play.died_at(moment);
        if is_back(&left) {
            continue;
        }
        let (_, again) = back(&left, &RollbackScope::All, &[first]);
        for (second, moment) in unlike(&again).step_by(3) {
            same(
                &undisturbed,
                &taken_up(&left.died_at(moment), &RollbackScope::All, &[first, second]),
                &[first, second],
            );
        }
    }
    assert!(moments.len() > 20, "only {} points", moments.len());
}

/// Something is changed, and only behind it the run comes to owe something.
const OWES_LATER: &str = r#"//! Owes something later
step("Freeze", || set_readonly(service("c1")), #{ undo: || note("forgot it") });
ensure("Say", || note("said"));
step("Touch", || run(service("c2"), ["touch", "x"]));
"#;

#[test]
fn what_a_way_back_finds_out_does_not_lead_the_script_on() {
    let scene = Scene::of_text(OWES_LATER);
    let calm = scene.play(1);
    let (_, moments) = calm.watched(|clock| calm.runner(clock, &Between::nothing()));
    let mut stopped = 0;
    for (point, moment) in unlike(&moments) {
        let play = calm.died_at(moment);
        if !play.is_begun() || play.records().iter().any(|record| matches!(record.fact, Fact::Ended { .. })) {
            continue;
        }
        let first = play.back(&RollbackScope::All);
        if first.ending == Ending::RolledBack {
            continue;
        }
        stopped += 1;
        let words = first.error.map(|error| error.to_string()).unwrap_or_default();
        assert!(words.contains("is not as it was before"), "died at {point}: {words}");
        play.meddle("c1", "unset_readonly", &[]);
        let again = play.run();
        assert_eq!(again.ending, Ending::RolledBack, "died at {point}: {:?}", again.error);
    }
    assert!(stopped > 5, "{stopped}");
}
