//! Crash everywhere: for every shipped runbook in every scenario the runner dies at each boundary it crosses (before
//! and after each journal write and each dispatch, before each reply), is resumed, and dies again at each boundary of
//! the resume. Whatever the moment: the same end, no `once` effect twice, none lost.

use crate::support::simulation::{Play, Scene};
use baton::model::record::Ending;
use baton::model::value::Value;
use baton::sim::CrashClock;
use std::collections::BTreeMap;

/// Every runbook with every scenario it is made for.
pub const SCENES: [(&str, &str); 14] = [
    ("genesys/confserv-ha", "upgrade-mode"),
    ("genesys/confserv-ha", "new-database"),
    ("genesys/confserv-ha", "compatible"),
    ("genesys/confserv-ha", "undetected"),
    ("genesys/confserv-ha", "same-schema"),
    ("genesys/confserv-ha", "wrong-database"),
    ("genesys/confserv-ha", "never-ready"),
    ("genesys/confserv-ha", "exits"),
    ("genesys/confserv-ha", "late-event"),
    ("genesys/confserv-ha", "second-exits"),
    ("genesys/confserv-ha", "not-promoted"),
    ("genesys/confserv-ha", "peer-not-promoted"),
    ("genesys/confserv-ha-same-schema", "same-schema"),
    ("genesys/confserv-ha-same-schema", "undetected"),
];

/// How a performance ended, in what must not depend on when runners died.
#[derive(Debug, PartialEq)]
struct End {
    ending: Ending,
    summary: Value,
    deeds: BTreeMap<String, usize>,
}

fn end_of(play: &Play<'_>, ending: Ending) -> End {
    End { ending, summary: play.summary(), deeds: play.deeds() }
}

fn undisturbed(scene: &Scene) -> End {
    let play = scene.play(1);
    let finished = play.run();
    assert_eq!(play.verdict(), Vec::<String>::new(), "{}: undisturbed", scene.scenario);
    end_of(&play, finished.ending)
}

/// Plays with runners that die at these points in turn, then one that lives. None when one of them ended alive.
fn disturbed(scene: &Scene, points: &[u64]) -> Option<End> {
    let play = scene.play(1);
    for point in points {
        if play.runner(&CrashClock::at(*point)).is_some() {
            return None;
        }
    }
    let finished = play.run();
    let verdict = play.verdict();
    assert!(verdict.is_empty(), "{} died at {points:?}: {verdict:#?}", scene.scenario);
    Some(end_of(&play, finished.ending))
}

#[test]
fn a_runner_may_die_at_any_point_and_nothing_is_lost_or_done_twice() {
    for (runbook, scenario) in SCENES {
        let scene = Scene::new(runbook, scenario);
        let expected = undisturbed(&scene);
        let mut point = 1;
        while let Some(end) = disturbed(&scene, &[point]) {
            assert_eq!(end, expected, "{runbook} in {scenario}: died at point {point}");
            point += 1;
        }
        assert!(point > 100, "{runbook} in {scenario}: only {point} points");
    }
}

/// Every `stride`-th first death in the ordinary suite; `BATON_CRASHES=all` takes every one and says how many.
#[test]
fn a_resume_may_die_at_any_point_as_well() {
    let all = std::env::var("BATON_CRASHES").is_ok_and(|text| text == "all");
    let stride = if all { 1 } else { 23 };
    let mut schedules = 0_u64;
    for (at, (runbook, scenario)) in SCENES.into_iter().enumerate() {
        let scene = Scene::new(runbook, scenario);
        let expected = undisturbed(&scene);
        let mut first = 1 + at as u64;
        let mut tried = 0;
        loop {
            let mut second = 1;
            while let Some(end) = disturbed(&scene, &[first, second]) {
                assert_eq!(end, expected, "{runbook} in {scenario}: died at points {first} and {second}");
                second += 1;
            }
            if second == 1 {
                break;
            }
            tried += second;
            first += stride;
        }
        schedules += tried;
    }
    assert!(schedules > 1000, "only {schedules} schedules");
    if all {
        let _ = std::fs::write(std::env::temp_dir().join("baton-crashes.txt"), format!("{schedules} schedules\n"));
    }
}

#[test]
fn the_same_seed_gives_the_same_journal_byte_for_byte() {
    for (runbook, scenario) in SCENES {
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
