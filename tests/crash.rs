//! Crash everywhere: for every shipped runbook in every scenario the runner dies at each boundary it crosses (before
//! and after each journal write and each dispatch, before each reply), is resumed, and dies again at each boundary of
//! the resume. Whatever the moment: the same end, no `once` effect twice, none lost.

use crate::support::checks::{Complaint, Trial};
use crate::support::simulation::Scene;
use baton::model::record::Ending::{self, Done, Held};

/// Every runbook with every scenario it is made for, and how that ends.
pub const SCENES: [(&str, &str, Ending); 24] = [
    ("genesys/confserv-ha", "upgrade-mode", Done),
    ("genesys/confserv-ha", "new-database", Done),
    ("genesys/confserv-ha", "compatible", Done),
    ("genesys/confserv-ha", "undetected", Done),
    ("genesys/confserv-ha", "same-schema", Done),
    ("genesys/confserv-ha", "wrong-database", Held),
    ("genesys/confserv-ha", "never-ready", Held),
    ("genesys/confserv-ha", "exits", Held),
    ("genesys/confserv-ha", "original-dies", Done),
    ("genesys/confserv-ha", "upgraded-dies", Done),
    ("genesys/confserv-ha", "leftovers", Done),
    ("genesys/confserv-ha", "late-event", Done),
    ("genesys/confserv-ha", "second-exits", Held),
    ("genesys/confserv-ha", "not-promoted", Held),
    ("genesys/confserv-ha", "peer-not-promoted", Held),
    ("genesys/confserv-ha-same-schema", "same-schema", Done),
    ("genesys/confserv-ha-same-schema", "undetected", Done),
    ("genesys/rollback", "rb-pre", Done),
    ("genesys/rollback", "rb-olddb", Done),
    ("genesys/rollback", "rb-oper", Done),
    ("genesys/rollback", "rb-full-restore", Done),
    ("postgresql/switchover", "clean", Done),
    ("postgresql/switchover", "bad-settings", Held),
    ("postgresql/switchover", "no-promotion", Held),
];

const NONE: &[Complaint] = &[];

#[test]
fn a_runner_may_die_at_any_point_and_nothing_is_lost_or_done_twice() {
    for (runbook, scenario, ending) in SCENES {
        let scene = Scene::new(runbook, scenario);
        let trial = Trial::of(&scene, ending);
        assert_eq!(trial.undisturbed(), NONE, "{runbook} in {scenario}: undisturbed");
        let mut point = 1;
        while let Some(complaints) = trial.died_at(&[point]) {
            assert_eq!(complaints, NONE, "{runbook} in {scenario}: died at point {point}");
            point += 1;
        }
        assert!(point > 100, "{runbook} in {scenario}: only {point} points");
    }
}

/// A few first deaths of each scene, at other points in each, and every second one; `BATON_CRASHES=all` takes every
/// first one as well (hours) and says after each scene how many it tried.
#[test]
#[allow(clippy::print_stderr)]
fn a_resume_may_die_at_any_point_as_well() {
    let all = std::env::var("BATON_CRASHES").is_ok_and(|text| text == "all");
    let stride = if all { 1 } else { 367 };
    let mut schedules = 0_u64;
    for (at, (runbook, scenario, ending)) in SCENES.into_iter().enumerate() {
        let scene = Scene::new(runbook, scenario);
        let trial = Trial::of(&scene, ending);
        let mut first = 1 + at as u64;
        let mut tried = 0;
        loop {
            let mut second = 1;
            while let Some(complaints) = trial.died_at(&[first, second]) {
                assert_eq!(complaints, NONE, "{runbook} in {scenario}: died at points {first} and {second}");
                second += 1;
            }
            if second == 1 {
                break;
            }
            tried += second;
            first += stride;
        }
        schedules += tried;
        if all {
            eprintln!("{runbook} in {scenario}: {tried} schedules of two deaths, {schedules} so far");
        }
    }
    assert!(schedules > 1000, "only {schedules} schedules");
}

#[test]
fn the_same_seed_gives_the_same_journal_byte_for_byte() {
    for (runbook, scenario, _) in SCENES {
        for seed in [1, 7, 20_261_121] {
            let journals = [(); 2].map(|()| {
                let scene = Scene::new(runbook, scenario);
                let play = scene.play(seed);
                play.run();
                play.bytes()
            });
            assert!(!journals[0].is_empty());
            assert!(journals[0] == journals[1], "{runbook} in {scenario}, seed {seed}: the journals differ");
        }
    }
}
