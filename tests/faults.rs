//! Every single fault at every place it can strike: a command that fails before or after its effect, a lost reply, a
//! host that is away, a supervisor that dies. The run ends done or held, or stops where a person takes it up again;
//! never is a `once` effect done twice, never is anything lost, never does nobody serve.

use crate::support::checks;
use crate::support::simulation::{Play, Scene};
use baton::model::run::record::Ending;
use baton::session::Finished;
use baton::sim::FaultPlan;

/// More stops than this on the way to one end means that a run does not get on.
const STOPS_MAX: usize = 4;

/// Takes a run up again until it is over: a failure is put right by the time of the resume; in doubt, a person looks at
/// the host (here: the ledger) and says what is the case.
fn to_the_end(play: &Play<'_>) -> Result<Finished, String> {
    let mut finished = play.run();
    for _ in 0..STOPS_MAX {
        finished = match finished.ending {
            Ending::Done | Ending::Held | Ending::Unmet => return Ok(finished),
            Ending::RolledBack | Ending::Aborted => return Err("nobody asked to go back".into()),
            Ending::Doubt => play.resume_with(play.doubted_deed_happened()),
            Ending::Failed | Ending::Suspended | Ending::Interrupted | Ending::Bug | Ending::Refused => play.run(),
        };
    }
    Err(format!("still {:?}: {:?}", finished.ending, finished.error.map(|error| error.to_string())))
}

#[test]
fn any_single_fault_leaves_the_pair_served_and_the_run_in_hand() {
    for (runbook, scenario) in [
        ("genesys/confserv-ha", "upgrade-mode"),
        ("genesys/confserv-ha", "undetected"),
        ("genesys/confserv-ha", "compatible"),
        ("genesys/confserv-ha-same-schema", "same-schema"),
    ] {
        let scene = Scene::new(runbook, scenario);
        let calm = scene.play(1);
        calm.run();
        let places = calm.estate.places();
        let mut plans = 0;
        for plan in FaultPlan::singles(&places) {
            plans += 1;
            let play = scene.play_with(1, &plan);
            let finished = to_the_end(&play).unwrap_or_else(|why| panic!("{runbook} in {scenario}, {plan}: {why}"));
            let verdict = checks::judge(&play, finished.ending);
            assert!(verdict.is_empty(), "{runbook} in {scenario}, {plan}, {:?}: {verdict:#?}", finished.ending);
            let ledger = play.estate.ledger();
            let out: Vec<_> = ledger.intervals.iter().filter(|interval| interval.kind == "OUT").collect();
            assert!(out.is_empty(), "{runbook} in {scenario}, {plan}: nobody served: {out:?}");
        }
        assert!(plans > 30, "{runbook} in {scenario}: only {plans} faults");
    }
}
