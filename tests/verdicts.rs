//! What a person says of a run that has failed: each word, what it makes of the record, and what is refused.

use crate::support::simulation::{Play, Scene};
use baton::journal::Store;
use baton::journal::history::History;
use baton::model::run::record::{Ending, Fact, Record};
use baton::session::{self, Finished, OperatorRuling};
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};

const NESTED: &str = r#"//! A change that fails inside two steps
step("Outer", || {
    step("Inner", || {
        let made = backup(service("confdb"), "b");
        note(`changed ${made.changed}`);
    });
    stage_install(service("c2"), "9.0.1");
});
"#;

fn fails_once(verb: &str, service: &str) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: service.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm: Harm::FailsBefore }], ..FaultPlan::default() }
}

fn said(play: &Play<'_>, verdict: OperatorRuling) -> Finished {
    play.steered(&CrashClock::never(), vec![], verdict).expect("not refused").expect("it lives")
}

fn admits(play: &Play<'_>, verdict: &OperatorRuling) -> Result<(), String> {
    let history = History::from(play.store.read("sim").expect("reads")).expect("legal");
    session::admits("sim", &history, verdict).map_err(|error| error.to_string())
}

fn skip() -> OperatorRuling {
    OperatorRuling::Skip("made last night".into())
}

fn done() -> OperatorRuling {
    OperatorRuling::Happened("the file is there".into())
}

#[test]
fn what_failed_may_be_left_out_said_to_have_happened_or_tried_again() {
    let scene = Scene::of_text(NESTED);
    for (verdict, note, tries) in
        [(skip(), "changed false", 0), (done(), "changed true", 0), (OperatorRuling::Retry, "changed true", 1)]
    {
        let play = scene.play_with(1, &fails_once("backup", "confdb"));
        assert_eq!(play.run().ending, Ending::Failed);
        let finished = said(&play, verdict.clone());
        assert_eq!(finished.ending, Ending::Done, "{verdict:?}: {:?}", finished.error);
        assert_eq!(play.notes(), [note], "{verdict:?}");
        let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
        let expected = [("c2 stage_install".to_owned(), 1), ("confdb backup".to_owned(), 1)];
        assert_eq!(deeds, expected[..=tries], "{verdict:?}");
        let steps = |record: &&Record| matches!(record.fact, Fact::StepEnded { failed: None, .. });
        assert_eq!(play.records().iter().filter(steps).count(), 2, "{verdict:?}: both steps ended well in the end");
        let sum = session_sum(&play, &scene);
        assert_eq!((sum.steps, sum.steps_done), (2, 2), "{verdict:?}");
        let words = sum.deviations.iter().filter(|deviation| deviation.text.contains("made last night")).count();
        assert_eq!(words, usize::from(verdict == skip()), "told once: {:?}", sum.deviations);
    }
}

fn session_sum(play: &Play<'_>, scene: &Scene) -> baton::report::summary::Summary {
    baton::report::summary::summarise("sim", &play.records(), scene.pairs())
}

#[test]
fn a_runner_may_die_at_any_point_after_a_word() {
    let scene = Scene::of_text(NESTED);
    for verdict in [skip(), done()] {
        let mut point = 0;
        loop {
            point += 1;
            let play = scene.play_with(1, &fails_once("backup", "confdb"));
            assert_eq!(play.run().ending, Ending::Failed);
            let died = play.steered(&CrashClock::at(point), vec![], verdict.clone()).expect("not refused").is_none();
            if !died {
                break;
            }
            // The word may not have been written: then it is said again.
            let again = if admits(&play, &verdict).is_ok() { verdict.clone() } else { OperatorRuling::Retry };
            let finished = said(&play, again);
            assert_eq!(finished.ending, Ending::Done, "{verdict:?}, died at {point}: {:?}", finished.error);
            let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
            assert_eq!(deeds, [("c2 stage_install".to_owned(), 1)], "died at {point}: the word counts");
        }
        assert!(point > 8, "only {point} points");
    }
}

#[test]
fn a_word_that_would_not_fit_is_refused_and_nothing_is_written() {
    let refused = |text: &str, plan: &FaultPlan, verdict: &OperatorRuling| {
        let scene = Scene::of_text(text);
        let play = scene.play_with(1, plan);
        play.run();
        let before = play.records().len();
        let wrong = admits(&play, verdict).expect_err("refused");
        let found = play.steered(&CrashClock::never(), vec![], verdict.clone()).expect_err("refused");
        assert_eq!(found, wrong);
        assert_eq!(play.records().len(), before, "nothing is written");
        wrong
    };
    let wrong = refused(NESTED, &fails_once("backup", "confdb"), &OperatorRuling::NotHappened("no".into()));
    assert_eq!(wrong, "error: nothing in run sim is in doubt\n  hint: take it up again: baton resume sim");
    let guard = "//! A guard\nstage_install(service(\"c2\"), \"9.0.1\");\nguard(false, \"never holds\");";
    let wrong = refused(guard, &FaultPlan::default(), &skip());
    assert!(wrong.contains("what failed is no single change or wait"), "{wrong}");
    let log = "//! A log\nstage_install(service(\"c2\"), \"9.0.1\");\n\
               wait_for_log(service(\"c2\"), [22911, 25301], #{ limit: \"5s\" });";
    let wrong = refused(log, &FaultPlan::default(), &skip());
    assert!(wrong.contains("what `wait_for_log(c2, 22911 or 25301)` tells decides how the runbook goes on"), "{wrong}");
    let acted = "//! Acts on it\ntry { backup(service(\"confdb\"), \"b\"); }\n\
                 catch (problem) { stage_install(service(\"c2\"), \"9.0.1\"); throw problem; }";
    for verdict in [skip(), done()] {
        let wrong = refused(acted, &fails_once("backup", "confdb"), &verdict);
        assert!(wrong.contains("the runbook went on because of the failure"), "{wrong}");
    }
}

#[test]
fn a_wait_that_failed_may_be_left_out() {
    let scene = Scene::of_text(
        "//! Waits\nstage_install(service(\"c2\"), \"9.0.1\");\n\
         let seen = wait_for_log(service(\"c2\"), 22911, #{ limit: \"5s\" });\nnote(`changed ${seen.changed}`);",
    );
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    let finished = said(&play, skip());
    assert_eq!(finished.ending, Ending::Done, "{:?}", finished.error);
    assert_eq!(play.notes(), ["changed false"]);
}

#[test]
fn what_is_owed_is_listed_when_a_run_fails() {
    let scene = Scene::of_text(
        "//! Owes\nlet c1 = service(\"c1\");\nensure(\"Lift read-only\", || unset_readonly(c1));\n\
         ensure(\"Tell the others\", || note(\"done\"));\nbackup(service(\"confdb\"), \"b\");",
    );
    let play = scene.play_with(1, &fails_once("backup", "confdb"));
    let error = play.run().error.expect("it failed");
    assert!(
        error.hints.contains(&"owed and not done yet, in this order: `Tell the others`, `Lift read-only`".to_owned()),
        "{:?}",
        error.hints
    );
}
