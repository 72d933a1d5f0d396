//! Restarts of hosts: told by the boot id, waited for, settled after a crash. In the simulation, and with a command of
//! the inventory on this machine, whose boot id stays what it is.

use crate::support::Baton;
use crate::support::simulation::{Between, Play, Scene};
use baton::model::run::record::{Ending, Fact};
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};
use std::collections::BTreeMap;

fn scene(text: &str) -> Scene {
    let inventory = "[hosts.h1]\naddress = \"h1\"\nreboot = [\"shutdown\", \"-r\", \"now\"]\nbecome = \"root\"\n";
    Scene::of_texts(text, &BTreeMap::from([("inventory".to_owned(), inventory.to_owned())]))
}

/// How often the host was told to restart.
fn restarts(play: &Play<'_>) -> usize {
    play.estate.places().iter().filter(|place| place.verb == "reboot").count()
}

fn plan(harm: Harm) -> FaultPlan {
    let at = Trigger { verb: "reboot".into(), subject: "h1".into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm }], crashes: vec![] }
}

const TEXT: &str = "//! Restart\nlet h = host(\"h1\");\nlet looked = now();\n\
                    let done = step(\"Restart\", || reboot(h, #{ stable: \"20s\", expect_new_host_key: true, \
                    ready: |h| now() - looked > 120000 }));\nguard(done.changed, \"it restarted\");\n";

#[test]
fn a_host_is_told_to_restart_once_and_waited_for() {
    let scene = scene(TEXT);
    let play = scene.play(1);
    let finished = play.run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    assert_eq!(restarts(&play), 1);
    let labels: Vec<String> = play
        .records()
        .into_iter()
        .filter_map(|record| match record.fact {
            Fact::Intent { effect, .. } | Fact::Read { effect, .. } => Some(effect.label),
            _ => None,
        })
        .filter(|label| label.contains("h1") && !label.starts_with("h1 is ready"))
        .collect();
    let wanted = [
        "boot_id(h1)",
        "expect_new_host_key(h1)",
        "reboot(h1)",
        "wait until h1 has restarted",
        "boot_id(h1)",
        "wait until h1 has been up for 20s",
    ];
    assert_eq!(labels, wanted);
    let argv = play.records().into_iter().find_map(|record| match record.fact {
        Fact::Intent { effect, .. } => match effect.action {
            baton::model::run::effect::Action::Job(job) => Some(job.argv.join(" ")),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(argv.as_deref(), Some("sudo -n -u root -- shutdown -r now"));
}

#[test]
fn a_runner_may_die_at_any_point_of_a_restart() {
    let scene = scene(TEXT);
    let mut point = 1;
    loop {
        let play = scene.play(1);
        if play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_some() {
            break;
        }
        let finished = play.run();
        assert_eq!((finished.ending, finished.error), (Ending::Done, None), "died at point {point}");
        assert_eq!(restarts(&play), 1, "died at point {point}");
        point += 1;
    }
    assert!(point > 20, "only {point} points");
}

#[test]
fn the_boot_id_settles_what_became_of_the_command() {
    let scene = scene(TEXT);
    for (harm, ending, told) in [
        (Harm::ReplyLost, Ending::Done, 1),
        (Harm::JobLost { happened: true }, Ending::Done, 1),
        (Harm::HostRestarts { ms: 60_000 }, Ending::Done, 1),
        // It certainly did not happen: the same is asked again.
        (Harm::JobLost { happened: false }, Ending::Done, 2),
        (Harm::FailsBefore, Ending::Failed, 1),
    ] {
        let play = scene.play_with(1, &plan(harm.clone()));
        let finished = play.run();
        assert_eq!((finished.ending, restarts(&play)), (ending, told), "{harm:?}: {:?}", finished.error);
    }
}

#[test]
fn fewer_restarts_than_expected_are_a_failure_and_none_needs_to_be_put_back() {
    let twice = scene("//! Twice\nreboot(host(\"h1\"), #{ times: 2, limit: \"5min\" });\n");
    let play = twice.play(1);
    let told = play.run().error.expect("it restarts once only").to_string();
    assert!(told.contains("when 5min were over"), "{told}");
    assert_eq!(play.back(&baton::model::run::record::RollbackScope::All).ending, Ending::RolledBack);
    assert_eq!(restarts(&play), 1);
}

#[test]
fn a_command_that_restarts_nothing_is_found_out() {
    let baton = Baton::new();
    let folder = baton.folder().display().to_string();
    let site = format!("[hosts.here]\naddress = \"local\"\nreboot = [\"sh\", \"-c\", \"echo x >>{folder}/told\"]\n");
    baton.write("site.toml", &site);
    baton.write("book.rhai", "//! Here\nreboot(host(\"here\"), #{ limit: \"2s\" });\n");
    let ended = baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(1);
    ended.says("wait until here has restarted").says("when 2s were over");
    assert_eq!(std::fs::read_to_string(baton.folder().join("told")).expect("it was told"), "x\n");
    baton.write("wrong.toml", "[hosts.here]\naddress = \"local\"\nreboot = \"reboot\"\n");
    baton.run(&["run", "book.rhai", "-i", "wrong.toml"]).code(2).says("`reboot` is a list of words");
}
