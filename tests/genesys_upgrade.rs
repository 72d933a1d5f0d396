//! The upgrades of a pair of Configuration Servers on the paths where something else fails than a command: a member
//! goes down by itself, an earlier night has left something, a person decides otherwise. What counts is who serves.

use crate::support::simulation::{Play, Scene};
use baton::model::run::effect::Action;
use baton::model::run::record::{Ending, Fact, Record};
use baton::model::value::Value;
use baton::sim::{Fault, FaultPlan, Harm, Trigger, oracle};

const GENERAL: &str = "genesys/confserv-ha";
const SAME_SCHEMA: &str = "genesys/confserv-ha-same-schema";
const OLD: &str = "8.1.300.23";
const NEW: &str = "8.5.101.10";

fn no(form: &str, gate: &str) -> FaultPlan {
    let at = Trigger { verb: form.into(), subject: gate.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm: Harm::SaysNo }], crashes: Vec::new() }
}

fn fails(verb: &str, service: &str) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: service.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm: Harm::FailsBefore }], crashes: Vec::new() }
}

/// How it ended, and the words of the end.
fn end(play: &Play<'_>) -> (Ending, String) {
    let finished = play.run();
    (finished.ending, finished.error.map(|error| error.to_string()).unwrap_or_default())
}

/// What the model says of a member in the end.
fn member(play: &Play<'_>, name: &str, field: &str) -> String {
    let summary = play.summary();
    let found = summary.get("genesys-confserv").and_then(|site| site.get(name)).and_then(|member| member.get(field));
    found.and_then(Value::as_text).unwrap_or_default().to_owned()
}

fn stands(play: &Play<'_>) -> [(String, String); 2] {
    ["c1", "c2"].map(|name| (member(play, name, "role"), member(play, name, "version")))
}

fn is(role: &str, version: &str) -> (String, String) {
    (role.to_owned(), version.to_owned())
}

/// Everything that was asked, in order.
fn asked(play: &Play<'_>) -> Vec<String> {
    let texts = play.records().into_iter().filter_map(|record| match record.fact {
        Fact::Intent { effect, .. } => match effect.action {
            Action::Ask(ask) => Some(ask.text),
            _ => None,
        },
        _ => None,
    });
    texts.collect()
}

fn done(play: &Play<'_>) -> Vec<String> {
    play.deeds().into_keys().collect()
}

#[track_caller]
fn nothing_wrong(play: &Play<'_>) {
    assert_eq!(oracle::broken_invariants(&play.estate.ledger()), [] as [String; 0]);
}

#[test]
fn a_new_server_that_serves_alone_is_kept_and_a_person_decides() {
    let scene = Scene::new(GENERAL, "original-dies");
    let play = scene.play(3);
    let (ending, words) = end(&play);
    assert_eq!(ending, Ending::Done, "{words}");
    assert_eq!(stands(&play), [is("backup", NEW), is("primary", NEW)]);
    nothing_wrong(&play);

    let left = scene.play_with(3, &no("choose", "alone"));
    let (ending, words) = end(&left);
    assert_eq!(ending, Ending::Held, "{words}");
    assert_eq!(stands(&left), [is("none", OLD), is("primary", NEW)], "the only server that serves was kept");
    for part in ["c1 is stopped and has 8.1.300.23", "c2 is running with 8.5.101.10 and serves", "Leave c2 running"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    nothing_wrong(&left);
}

#[test]
fn an_upgraded_original_that_serves_alone_is_kept() {
    let scene = Scene::new(GENERAL, "upgraded-dies");
    let play = scene.play(3);
    let (ending, words) = end(&play);
    assert_eq!(ending, Ending::Done, "{words}");
    assert_eq!(stands(&play), [is("primary", NEW), is("backup", NEW)]);
    let left = no("confirm", "peer-went-down");
    let left = scene.play_with(3, &left);
    let (ending, words) = end(&left);
    assert_eq!(ending, Ending::Held, "{words}");
    assert_eq!(stands(&left), [is("primary", NEW), is("none", NEW)]);
    for part in ["c2 went down while c1 started", "c2 is stopped and has 8.5", "Leave c1 running: nobody else serves"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    nothing_wrong(&left);
}

#[test]
fn what_an_earlier_night_has_staged_is_not_taken_for_tonights() {
    let play = Scene::new(GENERAL, "leftovers");
    let play = play.play(3);
    let (ending, words) = end(&play);
    assert_eq!(ending, Ending::Done, "{words}");
    assert_eq!(member(&play, "c2", "database"), "confdb");
    assert_eq!(member(&play, "c2", "forced"), "");
    assert!(done(&play).iter().any(|deed| deed.contains("unstage")), "{:?}", done(&play));
}

#[test]
fn what_is_missing_shows_before_the_first_change() {
    let scene = Scene::new(GENERAL, "no-package");
    let play = scene.play(3);
    let (ending, words) = end(&play);
    assert_eq!(ending, Ending::Unmet, "{words}");
    assert!(words.contains("the package of 8.5.101.10 does not lie on c1's host"), "{words}");
    assert_eq!(done(&play), [] as [String; 0]);
}

#[test]
fn only_an_upgrade_to_a_newer_8_5_begins() {
    for (target, why) in [
        ("9.0.000.01", "9.0.000.01 is not 8.5"),
        ("8.1.400.01", "8.1.400.01 is not 8.5"),
        ("8.6.000.01", "8.6.000.01 is not 8.5"),
    ] {
        let scene = Scene::new(GENERAL, "upgrade-mode").given("new_version", target);
        let play = scene.play(3);
        let (ending, words) = end(&play);
        assert_eq!(ending, Ending::Unmet, "{target}: {words}");
        assert!(words.contains(why), "{target}: {words}");
        assert_eq!(done(&play), [] as [String; 0], "{target}");
    }
}

#[test]
fn a_night_that_stopped_after_the_change_over_is_taken_up_there() {
    for (scenario, serves_in_the_end) in [("upgrade-mode", "c1"), ("new-database", "c1"), ("compatible", "c2")] {
        let scene = Scene::new(GENERAL, scenario);
        let first = scene.play_with(3, &fails("swap_folder", "c1"));
        assert_eq!(end(&first).0, Ending::Failed, "{scenario}");
        let second = scene.play_after(&first);
        // The first one still holds the hosts it has touched.
        assert_eq!(end(&second).0, Ending::Refused, "{scenario}");
        second.take_over();
        let (ending, words) = end(&second);
        assert_eq!(ending, Ending::Done, "{scenario}: {words}");
        assert_eq!(member(&second, serves_in_the_end, "role"), "primary", "{scenario}");
        assert!(stands(&second).iter().all(|(_, version)| version == NEW), "{scenario}");
        assert_eq!(second.deeds().get("confdb backup"), Some(&1), "{scenario}: the backup is that of the first night");
        nothing_wrong(&second);
    }
}

#[test]
fn changes_are_kept_out_of_an_upgraded_database_until_there_is_no_way_back() {
    let play = Scene::new(GENERAL, "new-database");
    let play = play.play(3);
    assert_eq!(end(&play).0, Ending::Done);
    nothing_wrong(&play);
    let place = |wanted: &dyn Fn(&Record) -> bool| play.records().iter().position(wanted).expect("it is recorded");
    let job = |record: &Record, verb: &str, on: &str| match &record.fact {
        Fact::Intent { effect, .. } => {
            matches!(&effect.action, Action::Job(job) if job.verb == verb) && effect.service.as_deref() == Some(on)
        }
        _ => false,
    };
    let kept_out = place(&|record| job(record, "set_readonly", "c2"));
    let stopped = place(&|record| job(record, "shutdown", "c1"));
    let closed = place(&|record| match &record.fact {
        Fact::Read { effect, .. } => matches!(effect.action, Action::NoReturn { .. }),
        _ => false,
    });
    let lifted = place(&|record| job(record, "unset_readonly", "c1"));
    assert!(kept_out < stopped && stopped < closed && closed < lifted, "{kept_out} {stopped} {closed} {lifted}");
}

#[test]
fn whoever_goes_back_to_the_preserved_database_is_told_what_is_lost() {
    let upgrade = Scene::new(GENERAL, "new-database");
    let former = upgrade.play(3);
    assert_eq!(end(&former).0, Ending::Done);
    former.estate.pass(3 * 3_600_000);
    let back = Scene::new("genesys/rollback", "new-database").following(former.gist());
    let play = back.play_after(&former);
    assert_eq!(end(&play).0, Ending::Done);
    let question = asked(&play).into_iter().find(|text| text.contains("leads back to")).expect("it is asked");
    assert!(question.contains("LOST: whatever was configured since the change-over, 3 h"), "{question}");
    assert!(question.ends_with("\nGo this way?"), "{question}");
}

#[test]
fn a_late_upgrade_mode_is_for_a_person_to_judge() {
    let scene = Scene::new(GENERAL, "late-event");
    let play = scene.play(3);
    assert_eq!(end(&play).0, Ending::Done);
    let late = asked(&play).into_iter().find(|text| text.contains("only after 21-22902")).expect("it is asked");
    assert!(late.contains("8.1.300.23"), "{late}");
    let on = scene.play_with(3, &no("choose", "late-upgrade-mode"));
    assert_eq!(end(&on).0, Ending::Done, "it goes on in upgrade mode");
    assert!(!done(&on).iter().any(|deed| deed.contains("set_option")), "{:?}", done(&on));
}

#[test]
fn a_compatible_backup_takes_over_only_when_a_person_wants_it() {
    let scene = Scene::new(GENERAL, "compatible");
    let left = scene.play_with(3, &no("confirm", "upgrade-the-primary"));
    let (ending, words) = end(&left);
    assert_eq!(ending, Ending::Held, "{words}");
    assert_eq!(stands(&left), [is("primary", "8.5.000.20"), is("backup", NEW)]);
    let returned = scene.given("return_roles", "true");
    let returned = returned.play(3);
    assert_eq!(end(&returned).0, Ending::Done);
    assert_eq!(stands(&returned), [is("primary", NEW), is("backup", NEW)]);
    nothing_wrong(&returned);
}

#[test]
fn upgrade_mode_is_forced_once_and_the_reason_stands_in_the_question() {
    let scene = Scene::new(GENERAL, "undetected");
    let play = scene.play(3);
    assert_eq!(end(&play).0, Ending::Done);
    let question = asked(&play).into_iter().find(|text| text.contains("allow to force")).expect("it is asked");
    assert!(question.contains("did not enter upgrade mode by itself; its events were 22911"), "{question}");
    let read = "Read just now: c1 is running with 8.1.300.23 and serves. c2 is stopped and has 8.5.101.10.";
    assert!(question.contains(read), "{question}");
    let refused = scene.play_with(3, &no("confirm", "force-upgrade-mode"));
    let (ending, words) = end(&refused);
    assert_eq!(ending, Ending::Held, "{words}");
    assert!(words.contains("it needs upgrade mode, which may not be forced"), "{words}");
    assert!(words.contains("c1 is running with 8.1.300.23 and serves"), "{words}");
}

#[test]
fn dormant_servers_are_never_forgotten() {
    for (runbook, scenario) in [(GENERAL, "upgrade-mode"), (GENERAL, "new-database"), (SAME_SCHEMA, "same-schema")] {
        let scene = Scene::new(runbook, scenario).given("dr", "true");
        let play = scene.play(3);
        assert_eq!(end(&play).0, Ending::Done, "{runbook} in {scenario}");
        assert!(asked(&play).iter().any(|text| text.contains("dormant Configuration Servers")), "{runbook} {scenario}");
    }
}
