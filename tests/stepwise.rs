//! Stepwise execution and stopping after a step, in simulation: every word, what is shown, and what stays on record.

use crate::support::simulation::{Play, Scene};
use baton::dispatch::{EffectAhead, Gate, GateDecision, StepAhead, Stepwise, UntilStep};
use baton::error::Kind;
use baton::model::run::effect::Outcome;
use baton::model::run::event::Event;
use baton::model::run::record::{Ending, Fact, Who};
use baton::model::run::step_name::StepName;
use baton::session::{Finished, OperatorRuling};
use baton::sim::CrashClock;
use baton::world::{Link, Stopped};
use std::rc::Rc;

const THREE: &str = r#"//! Three changes and a wait
let c2 = service("c2");
step("Lay it down", || {
    let made = stage_install(c2, "9.0.1");
    note(`changed ${made.changed}, skipped ${made.skipped}`);
});
step("Save the database", || { backup(service("confdb"), "b"); sleep("10s"); });
step("Stop the server", || shutdown(c2));
"#;
const STAGE: &str = "stage_install(c2, 9.0.1)";
const BACKUP: &str = "backup(confdb, b)";

fn who() -> Who {
    Who { user: "ada".into(), host: "jump1".into(), pid: 7, machine: String::new(), state: None }
}

/// A runner of a run that is gone through step by step, with these lines typed.
fn stepped(play: &Play<'_>, lines: &[&str]) -> Finished {
    lines.iter().for_each(|line| play.estate.will_type(line));
    let gate = Stepwise::new("sim".into(), who(), play.step_names(), Vec::new());
    runner(play, Rc::new(gate))
}

fn runner(play: &Play<'_>, gate: Rc<dyn Gate>) -> Finished {
    play.steered(&CrashClock::never(), vec![gate], OperatorRuling::Retry).expect("not refused").expect("it lives")
}

/// The effects that were shown before they were asked for.
fn shown(play: &Play<'_>) -> Vec<String> {
    let ahead = |event: &Event| match event {
        Event::Ahead { effect, .. } => Some(effect.label.clone()),
        _ => None,
    };
    play.told().iter().filter_map(ahead).collect()
}

fn notices(play: &Play<'_>) -> Vec<String> {
    let notice = |event: &Event| match event {
        Event::Notice { text } => Some(text.clone()),
        _ => None,
    };
    play.told().iter().filter_map(notice).collect()
}

#[test]
fn each_change_and_wait_is_shown_before_it_is_done_and_waits_for_a_word() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    let stopped = stepped(&play, &["go", "stop"]);
    assert_eq!((stopped.ending, stopped.exit_code), (Ending::Suspended, 4));
    let error = stopped.error.expect("it says why");
    assert_eq!(error.message, format!("stopped before `{BACKUP}`, as asked"));
    assert_eq!(error.hints, ["baton resume sim --step"]);
    assert_eq!(shown(&play), [STAGE, BACKUP]);
    assert_eq!(play.deeds().into_keys().collect::<Vec<_>>(), ["c2 stage_install"], "nothing is done unasked");
    let done = stepped(&play, &["go", "go", "go"]);
    assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
    assert_eq!(shown(&play), [STAGE, BACKUP, BACKUP, "sleep(10s)", "shutdown(c2)"]);
}

#[test]
fn what_is_shown_tells_where_it_stands_and_what_it_would_do() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    stepped(&play, &["stop"]);
    let told = play.told();
    let Some(Event::Ahead { attempt, step, step_name, effect, place, .. }) = told.first() else { panic!("{told:?}") };
    assert_eq!((*attempt, step.as_str(), step_name.as_str()), (1, "1", "Lay it down"));
    assert_eq!(place.as_ref().map(|place| place.line), Some(4));
    let lines = baton::report::ahead::lines(effect, 1, (step, step_name), place.as_ref());
    let text: Vec<String> = lines.iter().map(|(word, text)| format!("{word}: {text}")).collect();
    assert!(text.contains(&"service: c2 on cfg-b".to_owned()), "{text:?}");
    assert!(text.contains(&"verb: stage_install".to_owned()), "{text:?}");
    assert!(text.iter().any(|line| line.starts_with("command: ") && line.contains("stage_install")), "{text:?}");
    assert!(text.iter().any(|line| line.starts_with("class: idempotent")), "{text:?}");
    assert!(text.iter().any(|line| line.starts_with("undo: ")), "{text:?}");
    assert!(text.iter().any(|line| line.starts_with("where: step 1 Lay it down, ")), "{text:?}");
}

#[test]
fn several_may_pass_at_once_or_all_until_a_step_or_to_the_end() {
    let scene = Scene::of_text(THREE);
    for (lines, asked) in [
        (&["go 2", "go 5"][..], &[STAGE, "sleep(10s)"][..]),
        (&["until stop", "go"], &[STAGE, "shutdown(c2)"]),
        (&["until 3", "go"], &[STAGE, "shutdown(c2)"]),
        (&["run the rest"], &[STAGE]),
        (&["until 3.4"], &[STAGE]),
    ] {
        let play = scene.play(1);
        let done = stepped(&play, lines);
        assert_eq!(done.ending, Ending::Done, "{lines:?}: {:?}", done.error);
        assert_eq!(shown(&play), asked, "{lines:?}");
    }
}

#[test]
fn what_is_no_word_does_nothing_and_says_what_could_be_typed() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    let lines = ["", "  ", "g", "GO", "go 0", "go x", "until", "until Stp the server", "until the", "skip", "help"];
    let lines: Vec<&str> = lines.iter().copied().chain(["go", "until lay", "until 1", "stop"]).collect();
    stepped(&play, &lines);
    assert_eq!(play.deeds().into_keys().collect::<Vec<_>>(), ["c2 stage_install"]);
    let words = "`go`, `go 5`, `until STEP`, `run the rest`, `skip REASON`, `shell`, `stop`, `help`";
    let how_many = "type `go`, or `go` and how many, such as `go 5`";
    assert_eq!(
        notices(&play),
        [
            format!("`g` is none of the words: {words}"),
            format!("`GO` is none of the words: {words}"),
            format!("`go 0`: {how_many}"),
            format!("`go x`: {how_many}"),
            "until which step? type `until` and its number, its name, or a part of it".to_owned(),
            "there is no step `Stp the server`; did you mean `Stop the server`?".to_owned(),
            "`the` may mean 2 steps: `Save the database`, `Stop the server`; \
             type more of the name, or the number of the step"
                .to_owned(),
            "why is it left out? type `skip` and the reason: it goes into the record".to_owned(),
            "step 1 has begun already: name one that is to come".to_owned(),
            "step 1 has begun already: name one that is to come".to_owned(),
        ]
    );
    let words = play.told().into_iter().find_map(|event| match event {
        Event::Words { words } => Some(words),
        _ => None,
    });
    assert_eq!(words.expect("help was shown").len(), 8);
}

#[test]
fn what_is_left_out_is_on_record_with_its_reason_and_stays_left_out() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    stepped(&play, &["skip laid down by hand", "stop"]);
    assert_eq!(play.deeds().len(), 0);
    assert_eq!(play.notes(), ["changed false, skipped laid down by hand"]);
    let done = stepped(&play, &["run the rest"]);
    assert_eq!(done.ending, Ending::Done);
    assert_eq!(play.deeds().into_keys().collect::<Vec<_>>(), ["c2 shutdown", "confdb backup"]);
    assert_eq!(shown(&play), [STAGE, BACKUP, BACKUP], "nobody is asked again about what was left out");
    let records = play.records();
    let skips = records.iter().filter(|record| {
        let skipped = Outcome::Skipped { reason: "laid down by hand".into(), by: "ada".into() };
        matches!(&record.fact, Fact::Read { outcome, .. } if *outcome == skipped)
    });
    assert_eq!(skips.count(), 1);
    let sum = baton::report::summary::summarise("sim", &records, scene.pairs());
    let told: Vec<&str> = sum.deviations.iter().map(|deviation| deviation.text.as_str()).collect();
    let by_step = "carried out step by step, by tester";
    assert_eq!(told, [by_step, "stage_install(c2, 9.0.1) skipped by ada: laid down by hand", by_step]);
}

#[test]
fn what_decides_how_the_runbook_goes_on_cannot_be_left_out() {
    let scene = Scene::of_text(
        r#"//! Reads a log
let table = #{ start: "A", rows: [["A", "limit", end("LATE")], ["any", "other", end("ODD")]] };
watch_log(service("c2"), table, #{ limit: "10s", exit: false });
wait_for_log(service("c2"), [22911, 25301], #{ limit: "10s" });
"#,
    );
    let play = scene.play(1);
    let stopped = stepped(&play, &["skip no time", "go", "skip no time", "leave it", "help", "stop"]);
    assert_eq!(stopped.ending, Ending::Suspended, "{:?}", stopped.error);
    let decides = |label: &str| format!("`{label}` cannot be left out: what it tells decides how the runbook goes on");
    // The word for it is not offered then.
    let words = "`go`, `go 5`, `until STEP`, `run the rest`, `shell`, `stop`, `help`";
    let none = format!("`leave it` is none of the words: {words}");
    assert_eq!(notices(&play), [decides("watch_log(c2)"), decides("wait_for_log(c2, 22911 or 25301)"), none]);
    let help = play.told().into_iter().find_map(|event| match event {
        Event::Words { words } => Some(words),
        _ => None,
    });
    let help: Vec<String> = help.expect("help was shown").into_iter().map(|(word, _)| format!("`{word}`")).collect();
    assert_eq!(help.join(", "), words);
}

#[test]
fn a_terminal_that_goes_away_leaves_the_run_to_be_resumed() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    let ended = stepped(&play, &["go"]);
    assert_eq!((ended.ending, ended.exit_code), (Ending::Interrupted, 130));
    let error = ended.error.expect("it says why");
    assert_eq!((error.kind, error.message.as_str()), (Kind::Interrupted, "nobody is there to say `go`"));
    assert_eq!(play.run().ending, Ending::Done);
    assert!(play.deeds().values().all(|count| *count == 1), "{:?}", play.deeds());
}

#[test]
fn tracks_are_asked_about_one_after_the_other() {
    let scene = Scene::of_text(
        r#"//! Three at once
parallel([service("c1"), service("c2"), service("confdb")], |s| { run(s, ["true", s.name]); sleep("1s"); });
"#,
    );
    let play = scene.play(1);
    let done = stepped(&play, &["go", "skip not there", "go", "run the rest"]);
    assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
    let asked = shown(&play);
    assert_eq!(asked.len(), 4, "each was shown once, after the word on the one before: {asked:?}");
    assert_eq!(&asked[..2], ["run(c1, true c1)", "run(c2, true c2)"]);
}

/// Leaves out the backup, whoever is asked.
struct NoBackup;

impl Gate for NoBackup {
    fn before_step(&self, _: &dyn Link, _: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        Ok(GateDecision::Go)
    }

    fn before_effect(&self, _: &dyn Link, ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped> {
        let skip = GateDecision::Skip { reason: "made last night".into(), by: who() };
        Ok(if ahead.effect.label == BACKUP { skip } else { GateDecision::Go })
    }
}

#[test]
fn a_runner_may_die_at_any_point_of_a_run_with_something_left_out() {
    let scene = Scene::of_text(THREE);
    let mut point = 0;
    loop {
        point += 1;
        let play = scene.play(1);
        let clock = CrashClock::at(point);
        let first = play.steered(&clock, vec![Rc::new(NoBackup)], OperatorRuling::Retry).expect("not refused");
        if first.is_some() {
            break;
        }
        let done = runner(&play, Rc::new(NoBackup));
        assert_eq!(done.ending, Ending::Done, "died at {point}: {:?}", done.error);
        let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
        assert_eq!(deeds, [("c2 shutdown".into(), 1), ("c2 stage_install".into(), 1)], "died at {point}");
    }
    assert!(point > 20, "only {point} points");
}

#[test]
fn a_run_stops_when_a_step_has_ended_and_goes_on_from_there() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    let step = play.step_names().find("save").expect("a step");
    let gate = Rc::new(UntilStep::new("sim".into(), step));
    let stopped = runner(&play, gate.clone());
    assert_eq!((stopped.ending, stopped.exit_code), (Ending::Suspended, 4));
    let error = stopped.error.expect("it says why");
    assert_eq!(error.message, "stopped after step 2 `Save the database`, as asked");
    assert_eq!(error.hints, ["baton resume sim"]);
    assert!(gate.is_reached());
    assert_eq!(play.deeds().into_keys().collect::<Vec<_>>(), ["c2 stage_install", "confdb backup"]);
    let ended =
        play.records().iter().filter(|record| matches!(&record.fact, Fact::StepEnded { failed: None, .. })).count();
    assert_eq!(ended, 2, "the step is over on record");
    let never = Rc::new(UntilStep::new("sim".into(), StepName::Number("9".into())));
    assert_eq!(runner(&play, never.clone()).ending, Ending::Done);
    assert!(!never.is_reached());
    assert!(play.deeds().values().all(|count| *count == 1), "{:?}", play.deeds());
}

#[test]
fn a_wish_for_the_repl_stops_the_run_before_the_effect() {
    let scene = Scene::of_text(THREE);
    let play = scene.play(1);
    play.estate.will_type("shell");
    let gate = Rc::new(Stepwise::new("sim".into(), who(), play.step_names(), Vec::new()));
    assert_eq!(runner(&play, Rc::clone(&gate) as Rc<dyn Gate>).ending, Ending::Suspended);
    assert!(gate.wants_shell());
    assert_eq!(play.deeds().len(), 0);
}
