//! Every way the simulated pair can behave. Nothing acknowledged is lost and there are never two servers that could be
//! written to: the model sees to that. Crashes and ways back are tried with the other shipped runbooks.

use crate::support::checks::judge;
use crate::support::simulation::{Play, Scene};
use baton::model::run::record::Ending::{self, Done, Doubt, Failed, Held, RolledBack, Unmet};
use baton::model::run::record::RollbackScope;
use baton::model::value::Value;
use baton::sim::FaultPlan;

const RUNBOOK: &str = "postgresql/switchover";

const SCENARIOS: [(&str, Ending); 12] = [
    ("clean", Done),
    ("return", Done),
    ("busy", Done),
    ("lag", Done),
    ("lag-stays", Unmet),
    ("not-streaming", Unmet),
    ("bad-value", Failed),
    ("bad-settings", Held),
    ("incomplete", Held),
    ("slow-promotion", Done),
    ("no-promotion", Held),
    ("rewind-fails", Done),
];

/// What the world shows of a server.
fn shown(play: &Play<'_>, server: &str, what: &str) -> String {
    let summary = play.summary();
    summary
        .get("postgresql")
        .and_then(|site| site.get(server))
        .and_then(|server| server.get(what))
        .map(Value::to_string)
        .unwrap_or_default()
}

/// Who serves in the end; the other one follows, and neither is read-only.
#[track_caller]
fn assert_whole(play: &Play<'_>, serves: &str, follows: &str, about: &str) {
    let seen = [(serves, "role"), (follows, "role"), (follows, "streams"), (serves, "readonly"), (follows, "readonly")];
    let seen = seen.map(|(server, what)| shown(play, server, what));
    assert_eq!(seen, ["primary", "backup", "true", "false", "false"], "{about}: {:?}", play.summary());
}

#[test]
fn every_scenario_ends_as_described_and_the_pair_is_whole() {
    for (scenario, expected) in SCENARIOS {
        let scene = Scene::new(RUNBOOK, scenario);
        let play = scene.play(1);
        let finished = play.run();
        assert_eq!(finished.ending, expected, "{scenario}: {:?}", finished.error.map(|error| error.to_string()));
        let complaints = judge(&play, finished.ending);
        assert!(complaints.is_empty(), "{scenario}: {complaints:#?}");
        match scenario {
            "not-streaming" => {}
            "return" => assert_whole(&play, "pg-a", "pg-b", scenario),
            _ if expected == Done => assert_whole(&play, "pg-b", "pg-a", scenario),
            _ => assert_whole(&play, "pg-a", "pg-b", scenario),
        }
    }
}

#[test]
fn roles_are_returned_on_request_and_a_rollback_returns_everything() {
    let scene = Scene::new(RUNBOOK, "clean").given("return_roles", "true");
    let play = scene.play(1);
    assert_eq!(play.run().ending, Done);
    assert_whole(&play, "pg-a", "pg-b", "roles returned");
    assert_eq!(play.back(&RollbackScope::All).ending, RolledBack);
    assert_whole(&play, "pg-a", "pg-b", "rolled back");
    for server in ["pg-a", "pg-b"] {
        assert_eq!([shown(&play, server, "options"), shown(&play, server, "running")], ["{}", "{}"], "{server}");
    }
}

#[test]
fn after_any_single_fault_the_run_is_carried_to_an_end_with_nothing_lost() {
    let scene = Scene::new(RUNBOOK, "clean");
    let calm = scene.play(1);
    calm.run();
    let mut plans = 0;
    for plan in FaultPlan::singles(&calm.estate.places()) {
        plans += 1;
        let play = scene.play_with(1, &plan);
        let mut ending = play.run().ending;
        for _ in 0..4 {
            ending = match ending {
                Done | Held | Unmet => break,
                Doubt => play.resume_with(play.doubted_deed_happened()).ending,
                _ => play.run().ending,
            };
        }
        let complaints = judge(&play, ending);
        assert!(complaints.is_empty(), "{plan}, {ending:?}: {complaints:#?}");
        match ending {
            Done => assert_whole(&play, "pg-b", "pg-a", &plan.to_string()),
            Held | Unmet => assert_whole(&play, "pg-a", "pg-b", &plan.to_string()),
            _ => panic!("{plan}: still {ending:?}"),
        }
    }
    assert!(plans > 30, "only {plans} faults");
}
