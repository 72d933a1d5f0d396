//! A runner may die at any boundary of a way back: another one goes on, to the same end and with the same deeds.

use super::{deeds, fails, settled};
use crate::support::checks::judge;
use crate::support::simulation::{Play, Scene};
use baton::model::record::{Ending, Record, Way};
use baton::model::value::Value;
use baton::session::Verdict;
use baton::sim::{CrashClock, FaultPlan};

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

/// Goes back with runners that die at these points in turn, then one that lives. None when one of them ended alive.
fn back(scene: &Scene, plan: &FaultPlan, way: &Way, points: &[u64]) -> Option<End> {
    let play = scene.play_with(1, plan);
    play.run();
    for point in points {
        if is_back(&play) {
            return None;
        }
        let clock = CrashClock::at(*point);
        if play.back_runner(&clock, way, Verdict::Retry).unwrap_or_else(|why| panic!("{points:?}: {why}")).is_some() {
            return None;
        }
    }
    if is_back(&play) {
        // The runner died with its work done: after its last record.
        return Some(end(&play, Ending::RolledBack));
    }
    // Whoever goes on may not know that it went back.
    let finished = if play.records().iter().any(|record| matches!(record, Record::Rollback { .. })) {
        play.run()
    } else {
        play.back(way)
    };
    let complaints = judge(&play, finished.ending);
    let complaints: Vec<_> = complaints.iter().filter(|found| !found.text.contains("INV")).collect();
    assert!(complaints.is_empty(), "{points:?}: {complaints:?}");
    Some(end(&play, finished.ending))
}

fn is_back(play: &Play<'_>) -> bool {
    matches!(play.records().last(), Some(Record::Ended { ending: Ending::RolledBack, .. }))
}

#[track_caller]
fn same(undisturbed: &End, other: &End, points: &[u64]) {
    assert_eq!(other.ending, undisturbed.ending, "died at {points:?}");
    assert_eq!(other.summary, undisturbed.summary, "died at {points:?}");
    assert_eq!(other.deeds, undisturbed.deeds, "died at {points:?}");
}

#[test]
fn a_runner_may_die_at_any_point_of_a_way_back() {
    let scene = Scene::of_text(ALL_KINDS);
    for (plan, way) in [
        (fails("backup", "confdb"), Way::All),
        (FaultPlan::default(), Way::All),
        (fails("backup", "confdb"), Way::To("Both".into())),
        (fails("backup", "confdb"), Way::Abort),
    ] {
        let undisturbed = back(&scene, &plan, &way, &[]).expect("nobody was to die");
        let expected = if way == Way::Abort { Ending::Aborted } else { Ending::RolledBack };
        if way == Way::Abort && plan == FaultPlan::default() {
            continue;
        }
        assert_eq!(undisturbed.ending, expected);
        let mut point = 1;
        while let Some(found) = back(&scene, &plan, &way, &[point]) {
            same(&undisturbed, &found, &[point]);
            point += 1;
        }
        assert!(point > 15, "{way:?}: only {point} points");
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
        let undisturbed = back(&scene, &plan, &Way::All, &[]).expect("nobody was to die");
        assert_eq!(undisturbed.ending, Ending::RolledBack, "{scenario}");
        let mut point = 1;
        while let Some(found) = back(&scene, &plan, &Way::All, &[point]) {
            same(&undisturbed, &found, &[point]);
            point += 1;
        }
        assert!(point > 30, "{scenario}: only {point} points");
    }
}

#[test]
fn whoever_goes_on_may_die_as_well() {
    let scene = Scene::of_text(ALL_KINDS);
    let plan = fails("backup", "confdb");
    let undisturbed = back(&scene, &plan, &Way::All, &[]).expect("nobody was to die");
    let mut first = 1;
    loop {
        let mut second = 1;
        while let Some(found) = back(&scene, &plan, &Way::All, &[first, second]) {
            same(&undisturbed, &found, &[first, second]);
            second += 3;
        }
        if second == 1 {
            break;
        }
        first += 7;
    }
    assert!(first > 20, "only {first} points");
}
