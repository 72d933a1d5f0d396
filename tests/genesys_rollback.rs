//! The ways back of a pair of Configuration Servers: every branch of the vendor's decision tree from the state it is
//! made for, with and without the record of the upgrade, and every step of the upgrades undone.

use crate::support::checks::{Complaint, Trial};
use crate::support::simulation::{Play, Scene};
use baton::model::run::effect::Action;
use baton::model::run::record::{Ending, Fact, RollbackScope};
use baton::model::value::Value;
use baton::session::OperatorRuling;
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger, oracle};

const RUNBOOK: &str = "genesys/rollback";
const OLD: &str = "8.1.300.23";
const OLD_85: &str = "8.5.000.20";
const NEW: &str = "8.5.101.10";

/// Each starting state: its scenario, the branch it leads to, the version it goes back to, and who serves then.
const BRANCHES: [(&str, &str, &str, &str); 9] = [
    ("rb-pre", "GEN-RB-PRE", OLD, "c1"),
    ("rb-immed", "GEN-RB-IMMED", OLD, "c1"),
    ("rb-olddb", "GEN-RB-OLDDB", OLD, "c1"),
    ("rb-oper", "GEN-RB-OPER", OLD_85, "c2"),
    ("rb-oper-81", "GEN-RB-FULL(keep)", OLD, "c2"),
    ("rb-alone", "GEN-RB-FULL(keep)", OLD, "c1"),
    ("rb-full-keep", "GEN-RB-FULL(keep)", OLD_85, "c2"),
    ("rb-full-restore", "GEN-RB-FULL(restore)", OLD, "c2"),
    ("rb-full-restore-85", "GEN-RB-FULL(restore)", OLD_85, "c2"),
];

/// A server of a summary.
fn server(status: &str, role: &str, version: &str, staged: &str) -> Value {
    Value::map([
        ("status", status.into()),
        ("role", role.into()),
        ("upgrade_mode", Value::Bool(false)),
        ("version", version.into()),
        ("database", "confdb".into()),
        ("forced", "".into()),
        ("archived", "".into()),
        ("staged", staged.into()),
    ])
}

/// The whole end: `serving` serves with the old version, the other stands by, and nobody suffers. What was installed
/// lies where it was staged.
fn back_at(version: &str, serving: &str, staged: [&str; 2]) -> Value {
    let role = |name: &str| if name == serving { "primary" } else { "backup" };
    let pair = [("readonly", Value::Bool(false)), ("serving", serving.into()), ("open", Value::List(Vec::new()))];
    Value::map([
        ("c1", server("running", role("c1"), version, staged[0])),
        ("c2", server("running", role("c2"), version, staged[1])),
        ("confserv", Value::map(pair)),
    ])
}

/// How the site stands.
fn site(play: &Play<'_>) -> Value {
    play.summary().get("genesys-confserv").cloned().expect("the model's summary")
}

/// What the truth ledger says against a site that ought to be in order.
fn suffering(play: &Play<'_>) -> Vec<String> {
    let ledger = play.estate.ledger();
    oracle::broken_invariants(&ledger).into_iter().chain(oracle::open_intervals(&ledger)).collect()
}

/// Which branch a person was asked to confirm.
fn branch(play: &Play<'_>) -> String {
    asked(play).split(' ').next().unwrap_or_default().to_owned()
}

/// What a person was asked who was to confirm the branch.
fn asked(play: &Play<'_>) -> String {
    let asked = play.records().into_iter().find_map(|record| match record.fact {
        Fact::Intent { effect, .. } => match effect.action {
            Action::Ask(ask) if ask.text.contains(" leads back to ") => Some(ask.text),
            _ => None,
        },
        _ => None,
    });
    asked.unwrap_or_default()
}

/// The words of a run's end, or of its hold.
fn end_of(play: &Play<'_>) -> (Ending, String) {
    let finished = play.run();
    (finished.ending, finished.error.map(|error| error.to_string()).unwrap_or_default())
}

#[test]
fn every_branch_leads_back_from_the_state_it_is_made_for() {
    for (scenario, expected, version, serving) in BRANCHES {
        let scene = Scene::new(RUNBOOK, scenario);
        assert_eq!(Trial::of(&scene, Ending::Done).undisturbed(), [] as [Complaint; 0], "{scenario}");
        let play = scene.play(7);
        play.run();
        assert_eq!(branch(&play), expected, "{scenario}");
        let staged = match scenario {
            "rb-pre" | "rb-immed" | "rb-olddb" => ["", NEW],
            _ => [NEW, NEW],
        };
        let mut end = back_at(version, serving, staged);
        if scenario == "rb-alone" {
            let Value::Map(all) = &mut end else { unreachable!() };
            let mut gone = server("stopped", "none", NEW, "");
            let Value::Map(fields) = &mut gone else { unreachable!() };
            fields.insert("archived".into(), OLD.into());
            all.insert("c2".into(), gone);
        }
        assert_eq!(site(&play), end, "{scenario}");
    }
}

/// In the vendor's second reading the first old server is the configured backup, whatever was replaced.
#[test]
fn the_other_reading_of_the_vendors_sentence_can_be_chosen() {
    let scene = Scene::new(RUNBOOK, "rb-full-keep");
    let usual = scene.play(7);
    usual.run();
    assert_eq!(branch(&usual), "GEN-RB-FULL(keep)");
    assert!(asked(&usual).contains("-p first_old=configured-backup"), "{}", asked(&usual));
    let scene = Scene::new(RUNBOOK, "rb-full-keep").given("first_old", "configured-backup");
    let other = scene.play(7);
    assert_eq!(end_of(&other), (Ending::Done, String::new()));
    assert_eq!(branch(&other), "GEN-RB-IMMED");
    assert!(asked(&other).contains("is read as the configured backup, c2"), "{}", asked(&other));
    assert_eq!(site(&other), back_at(OLD_85, "c2", [NEW, NEW]));
    assert_eq!(suffering(&other), [] as [String; 0]);
    // Where one was never replaced both lead the same way, and damaged content can be read by no old server.
    for scenario in ["rb-immed", "rb-oper", "rb-full-restore"] {
        let scene = Scene::new(RUNBOOK, scenario);
        let play = scene.play(7);
        play.run();
        assert!(!asked(&play).contains("first_old"), "{scenario}: {}", asked(&play));
    }
}

#[test]
fn nobody_is_without_service_where_servers_can_change_places() {
    for (scenario, _, version, _) in BRANCHES {
        let scene = Scene::new(RUNBOOK, scenario);
        let play = scene.play(7);
        play.run();
        let ledger = play.estate.ledger();
        let out = ledger.intervals.iter().any(|interval| interval.kind == "OUT");
        let in_turn = scenario == "rb-pre" || version == OLD_85;
        assert_eq!(out, !in_turn, "{scenario}: {:?}", ledger.intervals);
    }
}

/// Carries out an upgrade in which something goes wrong, then the way back with its record.
fn after_upgrade(upgrade: (&str, &str), fault: Option<Fault>, given: &[(&str, &str)], expected: &str, end: &Value) {
    let (runbook, scenario) = upgrade;
    let first = Scene::new(runbook, scenario);
    let plan = FaultPlan { faults: fault.into_iter().collect(), crashes: Vec::new() };
    let former = first.play_with(3, &plan);
    let finished = former.run();
    let scene = Scene::new(RUNBOOK, scenario).following(former.gist());
    let scene = given.iter().fold(scene, |scene, (name, value)| scene.given(name, value));
    let play = scene.play_after(&former);
    let ended = end_of(&play);
    let place = format!("{runbook} in {scenario}, {:?}, {plan}", finished.ending);
    assert_eq!(ended, (Ending::Done, String::new()), "{place}");
    assert_eq!(branch(&play), expected, "{place}");
    assert_eq!(site(&play), *end, "{place}");
    assert_eq!(suffering(&play), [] as [String; 0], "{place}");
}

fn fails(verb: &str, service: &str, nth: u32) -> Option<Fault> {
    let at = Trigger { verb: verb.into(), subject: service.into(), nth };
    Some(Fault { at, harm: Harm::FailsBefore })
}

fn says_no(form: &str, gate: &str) -> Option<Fault> {
    let at = Trigger { verb: form.into(), subject: gate.into(), nth: 1 };
    Some(Fault { at, harm: Harm::SaysNo })
}

#[test]
fn the_record_of_an_upgrade_leads_back_from_wherever_it_stopped() {
    let general = "genesys/confserv-ha";
    // C1 was never shut down; the new C2 was stopped, and left so. What was staged for C1 stays beside its folder.
    let left_stopped = says_no("choose", "old-version-back");
    let end = back_at(OLD, "c1", [NEW, NEW]);
    after_upgrade((general, "exits"), left_stopped, &[], "GEN-RB-PRE", &end);
    // The folder of C2 was not even swapped.
    after_upgrade((general, "upgrade-mode"), fails("swap_folder", "c2", 1), &[], "GEN-RB-PRE", &end);
    // C1 is down with its old version, C2 serves, and may be trusted or not.
    let before_replacing = || fails("swap_folder", "c1", 1);
    after_upgrade((general, "upgrade-mode"), before_replacing(), &[], "GEN-RB-FULL(keep)", &end);
    after_upgrade((general, "upgrade-mode"), before_replacing(), &[("trusted", "no")], "GEN-RB-IMMED", &end);
    after_upgrade((general, "new-database"), before_replacing(), &[("trusted", "no")], "GEN-RB-OLDDB", &end);
    let end = back_at(OLD_85, "c1", [NEW, NEW]);
    after_upgrade((general, "compatible"), before_replacing(), &[], "GEN-RB-OPER", &end);
    // Both are replaced; the second one did not start, or everything went well.
    let end = back_at(OLD, "c1", [NEW, NEW]);
    after_upgrade((general, "second-exits"), None, &[], "GEN-RB-FULL(keep)", &end);
    let end = back_at(OLD, "c2", [NEW, NEW]);
    after_upgrade((general, "upgrade-mode"), None, &[], "GEN-RB-FULL(keep)", &end);
    after_upgrade((general, "new-database"), None, &[], "GEN-RB-NEWDB", &end);
    after_upgrade(("genesys/confserv-ha-same-schema", "same-schema"), None, &[], "GEN-RB-FULL(keep)", &end);
    let end = back_at(OLD_85, "c1", [NEW, NEW]);
    after_upgrade((general, "compatible"), None, &[], "GEN-RB-OPER", &end);
}

#[test]
fn a_way_back_that_broke_off_is_recognised_by_the_next_run() {
    for (scenario, _, version, _) in BRANCHES {
        let scene = Scene::new(RUNBOOK, scenario);
        let places = {
            let calm = scene.play(7);
            calm.run();
            calm.estate.places()
        };
        for at in places.into_iter().filter(|at| !["confirm", "choose", "manual"].contains(&at.verb.as_str())) {
            let plan = FaultPlan { faults: vec![Fault { at, harm: Harm::FailsBefore }], crashes: Vec::new() };
            let first = scene.play_with(7, &plan);
            assert_eq!(first.run().ending, Ending::Failed, "{scenario}, {plan}");
            let second = scene.play_after(&first);
            // The first one still holds the hosts it has touched.
            assert_eq!(end_of(&second).0, Ending::Refused, "{scenario}, {plan}");
            second.take_over();
            assert_eq!(end_of(&second), (Ending::Done, String::new()), "{scenario}, {plan}");
            let end = site(&second);
            for name in if scenario == "rb-alone" { vec!["c1"] } else { vec!["c1", "c2"] } {
                let seen = end.get(name).and_then(|server| server.get("version"));
                assert_eq!(seen, Some(&Value::from(version)), "{scenario}, {plan}: {name}");
            }
            assert_eq!(suffering(&second), [] as [String; 0], "{scenario}, {plan}");
        }
    }
}

/// A run that ends held without a change.
#[track_caller]
fn held_untouched(scene: &Scene, fault: Option<Fault>, reason: &str) {
    let play = scene.play_with(5, &FaultPlan { faults: fault.into_iter().collect(), crashes: Vec::new() });
    let (ending, words) = end_of(&play);
    assert_eq!(ending, Ending::Held, "{words}");
    assert!(words.contains(reason), "{words}");
    assert!(words.contains("Nothing was changed"), "{words}");
    // What is owed at the end is read-only mode, and it is not owed yet.
    assert!(play.deeds().is_empty(), "{:?}", play.deeds());
}

#[test]
fn what_cannot_be_decided_is_held_before_anything_is_touched() {
    let scene = || Scene::new(RUNBOOK, "rb-oper-81");
    held_untouched(&scene(), says_no("confirm", "what-the-pair-shows"), "cannot be decided");
    held_untouched(&scene(), says_no("confirm", "branch"), "GEN-RB-FULL(keep) was not confirmed");
    let record = |versions: Value, changes: Vec<Value>| {
        Value::map([
            ("run", "aa".into()),
            ("runbook", "genesys/confserv-ha".into()),
            ("ended", "done".into()),
            ("roles", Value::map([("c1", "primary".into())])),
            ("versions", versions),
            ("changes", Value::List(changes)),
        ])
    };
    let other = record(Value::map([("c1", "8.0.100.01".into())]), Vec::new());
    held_untouched(&scene().following(other), None, "run aa found 8.0.100.01 on c1");
    let in_place = [("verb", "install".into()), ("service", "c2".into()), ("done", Value::Bool(true))];
    let in_place = record(Value::map([("c1", OLD.into())]), vec![Value::map(in_place)]);
    held_untouched(&scene().following(in_place), None, "installed in place on c2");
    let restore = Scene::new(RUNBOOK, "rb-full-restore");
    held_untouched(&restore.given("backup_label", "yesterday"), None, "there is no verified backup yesterday");
    let untold = Scene::new(RUNBOOK, "rb-full-restore").given("backup_label", "");
    held_untouched(&untold, None, "no record tells which backup of confdb to restore");
    held_untouched(&Scene::new(RUNBOOK, "upgrade-mode"), None, "was not upgraded: there is nothing to take back");
}

#[test]
fn who_is_not_promoted_is_stopped_and_the_server_that_served_comes_back() {
    let scene = Scene::new(RUNBOOK, "rb-not-promoted");
    let play = scene.play(7);
    let (ending, words) = end_of(&play);
    assert_eq!(ending, Ending::Held, "{words}");
    assert!(words.contains("c2 did not become primary within 60s when c1 was shut down"), "{words}");
    assert!(words.contains("Then begin anew: baton run genesys/rollback -i INVENTORY"), "{words}");
    let end = site(&play);
    assert_eq!(end.get("c1").and_then(|c1| c1.get("role")), Some(&"primary".into()));
    assert_eq!(end.get("confserv").and_then(|pair| pair.get("readonly")), Some(&Value::Bool(false)));
    assert_eq!(oracle::broken_invariants(&play.estate.ledger()), [] as [String; 0]);
}

#[test]
fn an_old_server_that_cannot_read_the_database_is_held_with_what_to_look_at() {
    // Somebody who does not know that the content is damaged says that it may be kept.
    let patch = ("genesys/confserv-rollback", "[\"keep\", \"restore\"]", "[\"restore\", \"keep\"]");
    let scene = Scene::patched(RUNBOOK, "rb-full-restore", &[patch]);
    let plan = FaultPlan { faults: says_no("choose", "database-content").into_iter().collect(), crashes: Vec::new() };
    let play = scene.play_with(7, &plan);
    let (ending, words) = end_of(&play);
    assert_eq!(ending, Ending::Held, "{words}");
    for part in ["c2 did not become primary with 8.1.300.23", "this is an outage", "can it reach confdb?"] {
        assert!(words.contains(part), "{words}");
    }
}

/// Everything an upgrade's former state consists of. A summary of a pair before its upgrade.
fn before(version: &str) -> Value {
    back_at(version, "c1", ["", ""])
}

/// What a person says who has looked at the host (here: at the ledger).
fn looked(play: &Play<'_>) -> OperatorRuling {
    let why = "looked at the host".to_owned();
    if play.doubted_deed_happened() { OperatorRuling::Happened(why) } else { OperatorRuling::NotHappened(why) }
}

/// Takes a run back to the end; what is in doubt is settled by looking.
fn back_to_the_end(play: &Play<'_>) -> Result<(), String> {
    let mut verdict = OperatorRuling::Retry;
    for _ in 0..4 {
        let finished = play.back_runner(&CrashClock::never(), &RollbackScope::All, verdict);
        verdict = match finished.map(|finished| finished.expect("it lives")) {
            Ok(finished) if finished.ending == Ending::RolledBack => return Ok(()),
            Ok(finished) if finished.ending == Ending::Doubt => looked(play),
            Ok(finished) => {
                let words = finished.error.map(|error| error.to_string()).unwrap_or_default();
                return Err(format!("{:?}: {words}", finished.ending));
            }
            Err(refusal) if refusal.contains("may or may not have happened") => looked(play),
            Err(refusal) => return Err(refusal),
        };
    }
    Err("it does not get on".to_owned())
}

#[test]
fn whatever_fails_in_an_upgrade_undone_the_pair_is_as_it_was_before() {
    for (runbook, scenario, version) in [
        ("genesys/confserv-ha", "upgrade-mode", OLD),
        ("genesys/confserv-ha", "new-database", OLD),
        ("genesys/confserv-ha", "undetected", OLD),
        ("genesys/confserv-ha", "compatible", OLD_85),
        ("genesys/confserv-ha-same-schema", "same-schema", OLD),
        ("genesys/confserv-ha-same-schema", "undetected", OLD),
    ] {
        let scene = Scene::new(runbook, scenario);
        let calm = scene.play(1);
        assert_eq!(calm.run().ending, Ending::Done);
        let (mut undone, mut closed, mut wrong) = (0, 0, Vec::new());
        for plan in FaultPlan::singles(&calm.estate.places()) {
            let place = format!("{runbook} in {scenario}, {plan}");
            let play = scene.play_with(1, &plan);
            let finished = play.run();
            if finished.ending == Ending::Unmet {
                continue;
            }
            match back_to_the_end(&play) {
                Ok(()) => undone += 1,
                Err(why) if why.contains("no way back any more") => {
                    closed += 1;
                    continue;
                }
                Err(why) => wrong.push(format!("{place}, {:?}: {why}", finished.ending)),
            }
            play.estate.pass(120_000); // the last clients come back
            if site(&play) != before(version) {
                wrong.push(format!("{place}: {}", site(&play)));
            }
            wrong.extend(suffering(&play).into_iter().map(|found| format!("{place}: {found}")));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(closed > 0, scenario == "new-database", "{runbook} in {scenario}: {closed} ways were closed");
        assert!(undone > 40, "{runbook} in {scenario}: only {undone} ways back");
    }
}
