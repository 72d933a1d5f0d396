//! Simulated runs of `genesys/confserv-ha` on one core. Runbook and model are compiled once, before. Counted in
//! processor time of the one thread, so that other load shows little.
//!
//! Whole runs: each on a fresh simulated site with a fresh journal in memory, from the start of the site to the end of
//! the run. Resumes: the runner dies after three quarters of its boundaries; on a copy of the site and of the record
//! another one takes the run up and carries it to its end. Footprints: whole runs of which is kept what they come to.

use crate::machine::processor_time;
use crate::simulation::{Between, Scene};
use crate::table::{Figure, median};
use baton::sim::CrashClock;

const PLAYS: u32 = 200;
const RUNS: usize = 7;
const AIM: f64 = 1_000.0;

pub fn figures() -> Vec<Figure> {
    let scene = Scene::new("genesys/confserv-ha", "upgrade-mode");
    let whole = rate(|seed| assert_eq!(scene.play(seed).run().exit_code, 0));
    let play = scene.play(0);
    let (ended, moments) = play.watched(|clock| play.runner(clock, &Between::nothing()));
    assert_eq!(ended.unwrap().unwrap().exit_code, 0);
    let moment = &moments[moments.len() * 3 / 4];
    let resumed = rate(|_| {
        let left = play.died_at(moment);
        let finished = left.runner(&CrashClock::never(), &Between::nothing());
        assert_eq!(finished.unwrap().unwrap().exit_code, 0);
    });
    let watched = Scene::new("genesys/confserv-ha", "upgrade-mode");
    watched.prepared().program.keep_footprints();
    let kept = rate(|seed| assert_eq!(watched.play(seed).run().exit_code, 0));
    let what = "simulated runs of genesys/confserv-ha, one core";
    vec![
        Figure { what, value: format!("{whole:.0} /s"), aim: ">= 1,000 /s", met: Some(whole >= AIM) },
        Figure::plain("the same, taken up after three quarters", format!("{resumed:.0} /s")),
        Figure::plain("whole runs with footprints kept", format!("{kept:.0} /s")),
    ]
}

/// How often a second.
fn rate(what: impl Fn(u64)) -> f64 {
    let run = |_| {
        let began = processor_time();
        (0..PLAYS).for_each(|seed| what(u64::from(seed)));
        f64::from(PLAYS) / (processor_time() - began)
    };
    median((0..RUNS).map(run).collect())
}
