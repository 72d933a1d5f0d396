//! Whatever a run was begun with is kept: the run it follows, its parameters, where it was to stop. Runners may die and
//! questions may wait anywhere; whoever takes the run up need not know how it was begun.

use crate::support::Baton;
use crate::support::simulation::{Between, Play, Scene};
use baton::model::effect::{Action, Form};
use baton::model::record::{Ending, Record, Way};
use baton::model::value::Value;
use baton::session::{Finished, Verdict};
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};
use std::collections::BTreeMap;

/// An upgrade, its scenario, what fails in it, and the parameters of the way back.
type Story = (&'static str, &'static str, Option<&'static str>, &'static [(&'static str, &'static str)]);

/// Upgrades that were carried out or broke off, each taken back with its record by another branch.
const STORIES: [Story; 5] = [
    ("genesys/confserv-ha", "upgrade-mode", Some("swap_folder"), &[]),
    ("genesys/confserv-ha", "upgrade-mode", Some("swap_folder"), &[("trusted", "no")]),
    ("genesys/confserv-ha", "compatible", None, &[("start_limit", "50min"), ("role_limit", "70s")]),
    ("genesys/confserv-ha", "new-database", None, &[("backup_label", "before")]),
    ("genesys/confserv-ha-same-schema", "same-schema", None, &[]),
];

struct Told {
    former: Scene,
    faults: FaultPlan,
    back: Scene,
}

impl Told {
    fn of((runbook, scenario, fails, given): Story) -> Self {
        let at = |verb: &str| Trigger { verb: verb.into(), subject: "c1".into(), nth: 1 };
        let faults = fails.map(|verb| Fault { at: at(verb), harm: Harm::FailsBefore }).into_iter().collect();
        let faults = FaultPlan { faults, crashes: Vec::new() };
        let former = Scene::new(runbook, scenario);
        let gist = {
            let play = former.play_with(3, &faults);
            play.run();
            play.gist()
        };
        let back = Scene::new("genesys/rollback", scenario).following(gist);
        let back = given.iter().fold(back, |scene, (name, value)| scene.given(name, value));
        Self { former, faults, back }
    }

    /// The site as the upgrade has left it, before the run that follows it begins.
    fn play(&self, wrong: &[Fault]) -> Play<'_> {
        let mut plan = self.faults.clone();
        plan.faults.extend(wrong.iter().cloned());
        let former = self.former.play_with(3, &plan);
        former.run();
        self.back.play_after(&former)
    }
}

/// How it ended, and how the site stands: what must not depend on who died when.
fn end(play: &Play<'_>, finished: &Finished) -> (Ending, String, Value, BTreeMap<String, usize>) {
    let words = finished.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
    play.estate.pass(3_600_000);
    (finished.ending, words, play.summary(), play.deeds())
}

fn begun(play: &Play<'_>) -> bool {
    !play.records_if_any().is_empty()
}

#[test]
fn a_run_that_follows_another_one_may_die_at_any_point_and_be_resumed() {
    for story in STORIES {
        let told = Told::of(story);
        let calm = told.play(&[]);
        let undisturbed = end(&calm, &calm.run());
        assert_eq!(undisturbed.0, Ending::Done, "{story:?}: {}", undisturbed.1);
        let mut point = 1;
        loop {
            let play = told.play(&[]);
            let died = play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_none();
            if !died {
                break;
            }
            assert_eq!(end(&play, &play.run()), undisturbed, "{story:?}: died at {point}");
            point += 7;
        }
        assert!(point > 60, "{story:?}: only {point} points");
    }
}

#[test]
fn a_run_that_follows_another_one_may_be_suspended_at_each_of_its_questions() {
    for story in STORIES {
        let told = Told::of(story);
        let calm = told.play(&[]);
        let undisturbed = end(&calm, &calm.run());
        let asked: Vec<(String, String, String)> = calm.records().into_iter().filter_map(question).collect();
        assert!(asked.len() > 1, "{story:?}: {asked:?}");
        for (form, gate, word) in asked {
            let at = Trigger { verb: form, subject: gate.clone(), nth: 1 };
            let play = told.play(&[Fault { at, harm: Harm::Nobody }]);
            let waits = play.run();
            assert_eq!(waits.ending, Ending::Suspended, "{story:?} at {gate}: {:?}", waits.error);
            play.answer(&word);
            assert_eq!(end(&play, &play.run()), undisturbed, "{story:?}: suspended at {gate}");
        }
    }
}

/// A question of a run, as a fault meets it, with the word that it was answered with by an operator who agrees.
fn question(record: Record) -> Option<(String, String, String)> {
    let Record::Intent { effect, .. } = record else { return None };
    let Action::Ask(ask) = effect.action else { return None };
    let form = match &ask.form {
        Form::Confirm => "confirm",
        Form::Manual => "manual",
        Form::Choose(_) => "choose",
    };
    let word = ask.form.affirmative().map(str::to_owned).or_else(|| ask.form.words().first().cloned());
    Some((form.to_owned(), ask.gate, word.unwrap_or_default()))
}

#[test]
fn a_run_that_follows_another_one_can_be_taken_back_or_given_up_after_any_death() {
    let told = Told::of(STORIES[2]);
    for way in [Way::All, Way::Abort] {
        let mut point = 20;
        loop {
            let play = told.play(&[]);
            let died = play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_none();
            if !died {
                break;
            }
            if begun(&play) && !matches!(play.records().last(), Some(Record::Ended { .. })) {
                let finished = play.back_runner(&CrashClock::never(), &way, Verdict::Retry);
                let finished = finished.unwrap_or_else(|why| panic!("{way:?} after a death at {point}: {why}"));
                let ending = finished.expect("it lives").ending;
                assert!(matches!(ending, Ending::RolledBack | Ending::Aborted), "{way:?}, died at {point}: {ending:?}");
            }
            point += 11;
        }
    }
}

const STEPS: &str = r#"//! Three steps and a question
let a = host("a");
step("One", || { confirm("Go on?", #{ gate: "on" }); run(a, ["sh", "-c", "echo one >> done"]); });
step("Two", || run(a, ["sh", "-c", "echo two >> done"]));
step("Three", || run(a, ["sh", "-c", "test -e ready && echo three >> done"]));
"#;

fn machine() -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n").write("runbooks/own/steps.rhai", STEPS);
    baton
}

fn done(baton: &Baton) -> String {
    std::fs::read_to_string(baton.folder().join("done")).unwrap_or_default()
}

#[test]
fn a_run_that_was_to_stop_after_a_step_stops_there_whoever_takes_it_up() {
    let baton = machine();
    baton.run(&["run", "own/steps", "-i", "site.toml", "--until", "two"]).code(4).says("baton approve");
    baton.run(&["approve", "latest", "on"]).code(0);
    let stopped = baton.run(&["resume"]).code(4).says("stopped after step 2 `Two`, as asked");
    stopped.says("as it was asked for before: --until \"two\"");
    assert_eq!(done(&baton), "one\ntwo\n");
    baton.write("ready", "");
    let on = baton.run(&["resume"]).code(0);
    assert!(!on.err.contains("as it was asked for"), "what it was to stop after is over:\n{}", on.err);
    assert_eq!(done(&baton), "one\ntwo\nthree\n");
}

#[test]
fn another_step_to_stop_after_takes_the_place_of_the_first() {
    let baton = machine();
    baton.write("ready", "");
    baton.run(&["run", "own/steps", "-i", "site.toml", "--until", "1"]).code(4);
    baton.run(&["approve", "latest", "on"]).code(0);
    baton.run(&["resume", "--until", "two"]).code(4).says("stopped after step 2");
    baton.run(&["resume"]).code(0);
}

#[test]
fn a_run_that_was_to_undo_everything_after_a_failure_does_so_whoever_takes_it_up() {
    let baton = machine();
    let text = "//! Fails\nlet a = host(\"a\");\nstep(\"One\", || run(a, [\"touch\", \"one\"]), \
                #{ undo: || run(a, [\"rm\", \"one\"]) });\nconfirm(\"On?\", #{ gate: \"on\" });\n\
                guard(false, \"never\");\n";
    baton.write("runbooks/own/fails.rhai", text);
    baton.run(&["run", "own/fails", "-i", "site.toml", "--on-failure", "rollback"]).code(4);
    baton.run(&["approve", "latest", "on"]).code(0);
    baton.run(&["resume"]).code(6).says("--on-failure rollback").says("Undo: One");
    assert!(!baton.folder().join("one").exists());
}
