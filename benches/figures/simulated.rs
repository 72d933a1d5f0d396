//! Simulated runs: how many whole runs of `genesys/confserv-ha` one core does in a second, each on a fresh simulated
//! site with a fresh journal in memory, from the start of the site to the end of the run. Runbook and model are
//! compiled once, before. Counted in processor time of the one thread, so that other load shows little.

use crate::machine::processor_time;
use crate::simulation::Scene;
use crate::table::{Figure, median};

const PLAYS: u32 = 200;
const RUNS: usize = 7;
const AIM: f64 = 1_000.0;

pub fn figures() -> Vec<Figure> {
    let scene = Scene::new("genesys/confserv-ha", "upgrade-mode");
    let run = |_| {
        let began = processor_time();
        for seed in 0..PLAYS {
            assert_eq!(scene.play(u64::from(seed)).run().exit_code, 0);
        }
        f64::from(PLAYS) / (processor_time() - began)
    };
    let rate = median((0..RUNS).map(run).collect());
    let what = "simulated runs of genesys/confserv-ha, one core";
    vec![Figure { what, value: format!("{rate:.0} /s"), aim: ">= 1,000 /s", met: Some(rate >= AIM) }]
}
