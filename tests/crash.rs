//! Crash everywhere: for every shipped runbook in every scenario the runner dies at each boundary it crosses (before
//! and after each journal write and each dispatch, before each reply), is resumed, and dies again at each boundary of
//! the resume. Whatever the moment: the same end, no `once` effect twice, none lost.

use crate::support::checks::{Complaint, Trial};
use crate::support::simulation::{Between, Scene};
use baton::model::run::record::Ending::{self, Done, Held};
use baton::sim::CrashClock;

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
        for point in trial.deaths() {
            assert_eq!(trial.died_at(point), NONE, "{runbook} in {scenario}: died at point {point}");
        }
        assert!(trial.points() > 100, "{runbook} in {scenario}: only {} points", trial.points());
    }
}

/// Two first deaths of each scene, half a run apart and in each scene elsewhere, and every second one;
/// `BATON_CRASHES=all` takes every first one as well (hours) and says after each scene how many it tried.
#[test]
#[allow(clippy::print_stderr)]
fn a_resume_may_die_at_any_point_as_well() {
    let all = std::env::var("BATON_CRASHES").is_ok_and(|text| text == "all");
    let mut schedules = 0_u64;
    for (at, (runbook, scenario, ending)) in SCENES.into_iter().enumerate() {
        let scene = Scene::new(runbook, scenario);
        let trial = Trial::of(&scene, ending);
        let mut tried = 0;
        let points = trial.points();
        let one = at * points / SCENES.len();
        let some = [one, (one + points / 2) % points];
        for first in (0..points).filter(|point| all || some.contains(point)).map(|point| point + 1) {
            for complaints in trial.died_again(first) {
                assert_eq!(complaints, NONE, "{runbook} in {scenario}: died twice, at point {first} first");
                tried += 1;
            }
        }
        schedules += tried;
        if all {
            eprintln!("{runbook} in {scenario}: {tried} schedules of two deaths, {schedules} so far");
        }
    }
    assert!(schedules > 1000, "only {schedules} schedules");
}

/// The tests above go on from copies of the site, taken while one runner lives, and of copies that are alike only from
/// the first: a copy is what a runner leaves that dies, and what is called alike is.
#[test]
fn a_runner_that_dies_leaves_what_was_copied_at_that_point() {
    for (runbook, scenario) in [("genesys/confserv-ha", "upgrade-mode"), ("postgresql/switchover", "clean")] {
        let scene = Scene::new(runbook, scenario);
        let calm = scene.play(1);
        let (_, moments) = calm.watched(|clock| calm.runner(clock, &Between::nothing()));
        for (pair, point) in moments.windows(2).zip(2..) {
            if pair[1].is_as(&pair[0]) {
                let [before, now] = [0, 1].map(|at| calm.died_at(&pair[at]));
                assert_eq!(now.summary(), before.summary(), "{runbook}: points {} and {point}", point - 1);
                assert_eq!(now.deeds(), before.deeds(), "{runbook}: points {} and {point}", point - 1);
                assert!(now.bytes() == before.bytes(), "{runbook}: points {} and {point}", point - 1);
            }
        }
        for (moment, point) in moments.iter().zip(1..).step_by(41) {
            let (copied, left) = (calm.died_at(moment), scene.play(1));
            let dead = left.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused");
            assert_eq!(dead.map(|end| end.ending), None, "{runbook}: it dies at point {point}");
            for (after, what) in [(false, "as it was left"), (true, "gone on with")] {
                let place = format!("{runbook}: point {point}, {what}");
                if after {
                    for play in [&copied, &left] {
                        play.run();
                    }
                }
                assert_eq!(copied.summary(), left.summary(), "{place}");
                assert_eq!(copied.deeds(), left.deeds(), "{place}");
                assert_eq!(copied.shown(), left.shown(), "{place}");
                assert!(copied.bytes() == left.bytes(), "{place}: the journals differ");
            }
        }
    }
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
