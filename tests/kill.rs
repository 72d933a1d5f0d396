//! The real thing: the real binary is killed at random moments of a fast lab run and resumed, again and again.
//! Whatever the moment, the run ends as if nothing had happened and no `once` effect happens twice.

use crate::support::{Baton, Dice};
use std::time::Duration;

/// How many kills the ordinary suite does; more with `BATON_KILLS`.
const KILLS: u32 = 200;
/// The lab's clock: an upgrade of about ten minutes takes a few seconds.
const SPEED: &str = "300";
/// What may happen only once, and must: the ledger of a run that nobody disturbed.
const ONCE: [&str; 5] = ["confdb backup", "c2 stage_install", "c2 swap_folder", "c1 stage_install", "c1 swap_folder"];

fn once_only(ledger: &[String]) -> Vec<(String, usize)> {
    ONCE.iter().map(|effect| ((*effect).to_owned(), ledger.iter().filter(|line| line == effect).count())).collect()
}

#[test]
fn a_run_killed_anywhere_and_resumed_ends_as_if_nothing_had_happened() {
    let seed = 20_261_121;
    let mut dice = Dice::new(seed);
    let wanted = std::env::var("BATON_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let (mut kills, mut runs) = (0, 0);
    while kills < wanted {
        let baton = Baton::new();
        runs += 1;
        loop {
            let begun = baton.run(&["runs"]).out.contains("genesys/confserv-ha");
            let words: &[&str] = if begun {
                &["resume", "latest"]
            } else {
                &["run", "genesys/confserv-ha", "--lab", "genesys", "--speed", SPEED]
            };
            let mut runner = baton.spawn(words);
            std::thread::sleep(Duration::from_millis(dice.roll(500)));
            if let Some(status) = runner.try_wait().expect("looks at the runner") {
                let when = format!("seed {seed}, lab run {runs}, after {kills} kills: {words:?}");
                runner.ended_with(status, 0, &when);
                break;
            }
            runner.kill().expect("kills the runner");
            runner.wait().expect("buries the runner");
            kills += 1;
        }
        for (effect, count) in once_only(&baton.lab_ledger("genesys")) {
            assert_eq!(count, 1, "seed {seed}, lab run {runs}, after {kills} kills: `{effect}` happened {count} times");
        }
    }
    assert!(runs > 1, "the kills must fall on more than one run");
}
