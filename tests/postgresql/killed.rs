//! The runner is killed at random moments while a client writes, and resumed each time.

use super::client::{assert_nothing_lost, while_writing};
use super::site::Site;
use super::switchover::RUN;
use crate::support::Dice;
use std::time::Duration;

/// How many kills the ordinary suite does; more with `BATON_PG_KILLS`.
const KILLS: u32 = 10;

#[test]
#[allow(clippy::print_stderr)]
fn a_runner_killed_at_random_moments_and_resumed_loses_nothing() {
    let seed = std::process::id().into();
    let mut dice = Dice::new(seed);
    let wanted = std::env::var("BATON_PG_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let site = Site::new();
    let ((kills, runs), told) = while_writing(&site, || {
        let (mut kills, mut runs) = (0, 0);
        while kills < wanted {
            runs += 1;
            let settings = format!("settings=max_connections={},work_mem=8MB", 110 + runs);
            let run = [&RUN[..], &["-p", &settings, "-p", "return_roles=true"]].concat();
            let mut begun = false;
            loop {
                let mut runner = site.spawn(if begun { &["resume", "latest"] } else { &run });
                std::thread::sleep(Duration::from_millis(50 + dice.roll(1000)));
                if kills < wanted && runner.try_wait().expect("looks at the runner").is_none() {
                    runner.kill().expect("kills the runner");
                    kills += 1;
                }
                let status = runner.wait().expect("buries the runner");
                begun = begun
                    || site.baton(&["runs"]).out.lines().filter(|line| line.contains("switchover")).count() == runs;
                if status.code().is_some() {
                    runner.ended_with(status, 0, &format!("seed {seed}, run {runs}, after {kills} kills"));
                    break;
                }
            }
            site.baton(&["show", "latest"]).code(0).says("pg-a primary, pg-b backup");
        }
        (kills, runs)
    });
    eprintln!(
        "seed {seed}: {kills} kills in {runs} runs; {} writes acknowledged, none lost; longest gap {:?}",
        told.acknowledged.len(),
        told.longest_gap
    );
    assert_nothing_lost(&site, &told);
    let pair = site.pair().map(|shown| format!("{shown:?}"));
    let settings = format!("settings: \"{} 8MB off\"", 110 + runs);
    assert!(pair.iter().all(|shown| shown.contains(&settings)), "seed {seed}: {pair:?}");
}
