//! A way back that cannot go on as it is: the mistake is edited, what failed is left out or done by hand, or the run is
//! given up. Each of it is on record, and a runner may die anywhere in it.

use super::{deeds, fails, fault};
use crate::support::simulation::{Play, Scene};
use baton::model::run::record::{Ending, Fact, RollbackScope};
use baton::session::{Finished, OperatorRuling, ResumeTerms};
use baton::sim::{CrashClock, FaultPlan, Harm};

/// Two changes; the undo of the second ends in a mistake after it has done something.
const MISTAKE: &str = r#"//! A mistake in an undo
let c2 = service("c2");
ensure("Lift", || unset_readonly(service("c1")));
step("Freeze", || set_readonly(service("c1")));
step("Stage", || stage_install(c2, "9.0.1"));
step("Mark", || set_option(c2, "confserv", "upgrade-mode", "1"), #{
    undo: || { unset_option(c2, "confserv", "upgrade-mode"); let list = []; list[MISTAKE]; }
});
guard(false, "no");
"#;

fn wrong() -> Scene {
    Scene::of_text(&MISTAKE.replace("MISTAKE", "3"))
}

fn edited() -> Scene {
    Scene::of_text(&MISTAKE.replace("list[MISTAKE];", "note(\"mended\");"))
}

fn stuck<'a>(scene: &'a Scene, plan: &FaultPlan) -> Play<'a> {
    let play = scene.play_with(1, plan);
    assert_eq!(play.run().ending, Ending::Failed);
    let broken = play.back(&RollbackScope::All);
    assert_eq!(broken.exit_code, 7, "{:?}", broken.error);
    play
}

fn said(word: &str) -> OperatorRuling {
    let why = "looked at the host".to_owned();
    match word {
        "skip" => OperatorRuling::Skip(why),
        "done" => OperatorRuling::Happened(why),
        _ => OperatorRuling::Retry,
    }
}

/// What a person does about it; nothing when the runner dies of the clock.
fn mend(play: &Play<'_>, word: &str, clock: &CrashClock) -> Option<Finished> {
    let finished = match word {
        "edit" => {
            let edited = edited();
            let adoption = play.fits(&edited, usize::MAX).unwrap_or_else(|error| panic!("{error}"));
            let terms = ResumeTerms { adoption: Some(adoption), ..ResumeTerms::default() };
            play.resume_on(&edited, terms, clock).map_err(|error| error.to_string())
        }
        "abort" => play.back_runner(clock, &RollbackScope::Abort, OperatorRuling::Retry),
        _ => play.steered(clock, vec![], said(word)),
    };
    finished.unwrap_or_else(|why| panic!("{word}: {why}"))
}

/// Goes on after a death: what was said is on record, or is said again.
fn goes_on(play: &Play<'_>, word: &str) -> Finished {
    let is_said = play.records().iter().any(|record| match &record.fact {
        Fact::Adopted { .. } => word == "edit",
        Fact::StepSkipped { .. } | Fact::Skipped { .. } | Fact::Settled { .. } => word == "skip" || word == "done",
        Fact::Rollback { way } => word == "abort" && *way == RollbackScope::Abort,
        _ => false,
    });
    if word == "edit" && is_said {
        let terms = ResumeTerms::default();
        return play.resume_on(&edited(), terms, &CrashClock::never()).expect("goes on").expect("it lives");
    }
    mend(play, if is_said && word != "abort" { "retry" } else { word }, &CrashClock::never()).expect("it lives")
}

#[test]
fn a_mistake_in_an_undo_is_edited_left_out_done_by_hand_or_given_up() {
    let scene = wrong();
    for (word, ending) in [
        ("edit", Ending::RolledBack),
        ("skip", Ending::RolledBack),
        ("done", Ending::RolledBack),
        ("abort", Ending::Aborted),
    ] {
        let play = stuck(&scene, &FaultPlan::default());
        assert_eq!(play.run().exit_code, 7, "{word}: as it is, it comes to the same");
        let finished = mend(&play, word, &CrashClock::never()).expect("it lives");
        assert_eq!(finished.ending, ending, "{word}: {:?}", finished.error);
        let code = match word {
            "abort" => 1,
            "skip" => 7,
            _ => 6,
        };
        assert_eq!(finished.exit_code, code, "{word}");
        let undone = deeds(&play);
        assert_eq!(undone.iter().filter(|deed| *deed == "unset_option c2").count(), 1, "{word}: {undone:?}");
        assert_eq!(undone.contains(&"unstage c2".to_owned()), word != "abort", "{word}: {undone:?}");
        assert!(undone.contains(&"unset_readonly c1".to_owned()), "{word}, what is owed: {undone:?}");
        let (calm, mut point) = (deeds(&play), 1);
        loop {
            let play = stuck(&scene, &FaultPlan::default());
            if mend(&play, word, &CrashClock::at(point)).is_some() {
                break;
            }
            let is_over = matches!(play.records().last().map(|last| &last.fact), Some(Fact::Ended { ending: now, .. }) if *now == ending);
            if !is_over {
                let finished = goes_on(&play, word);
                assert_eq!(finished.ending, ending, "{word}, died at {point}: {:?}", finished.error);
            }
            assert_eq!(deeds(&play), calm, "{word}, died at {point}");
            point += 1;
        }
        assert!(point > 6, "{word}: only {point} points");
    }
}

#[test]
fn a_change_that_fails_on_the_way_back_may_be_left_out_or_done_by_hand() {
    let scene = edited();
    for word in ["skip", "done", "retry", "abort"] {
        let play = stuck(&scene, &fails("unset_option", "c2"));
        let finished = mend(&play, word, &CrashClock::never()).expect("it lives");
        let ending = match word {
            "abort" => Ending::Aborted,
            // Nobody has undone it: that is seen.
            "done" => Ending::Failed,
            _ => Ending::RolledBack,
        };
        assert_eq!(finished.ending, ending, "{word}: {:?}", finished.error);
        if word == "done" {
            let skipped = mend(&play, "skip", &CrashClock::never()).expect("it lives");
            assert_eq!(skipped.ending, Ending::RolledBack, "{:?}", skipped.error);
        }
    }
}

#[test]
fn an_edited_undo_that_does_not_fit_what_it_has_done_already_is_refused_and_nothing_is_written() {
    let scene = wrong();
    let play = stuck(&scene, &FaultPlan::default());
    let before = play.records().len();
    for text in [
        MISTAKE
            .replace("unset_option(c2, \"confserv\", \"upgrade-mode\"); let list = []; list[MISTAKE];", "note(\"x\");"),
        MISTAKE.replace("\"Stage\"", "\"Put\"").replace("MISTAKE", "0"),
    ] {
        let refusal = play.fits(&Scene::of_text(&text), usize::MAX).expect_err("it does not fit").to_string();
        assert!(refusal.contains("the edited text does not fit the record"), "{refusal}");
    }
    assert_eq!(play.records().len(), before);
}

#[test]
fn what_somebody_else_changes_before_an_undo_is_tried_again_is_not_overwritten() {
    let scene = Scene::of_text(
        "//! One option\nlet c2 = service(\"c2\");\n\
         step(\"Mark\", || set_option(c2, \"confserv\", \"upgrade-mode\", \"1\"));\nguard(false, \"no\");\n",
    );
    let play = stuck(&scene, &fault("restore_option", "c2", 1, Harm::FailsBefore));
    play.meddle("c2", "set_option", &[("section", "confserv"), ("key", "upgrade-mode"), ("value", "7")]);
    let finished = play.run();
    assert_eq!(finished.ending, Ending::RolledBack, "{:?}", finished.error);
    assert!(!deeds(&play).contains(&"restore_option c2".to_owned()), "{:?}", deeds(&play));
    assert!(play.notes().iter().any(|note| note.starts_with("kept")), "{:?}", play.notes());
}

#[test]
fn what_is_in_doubt_on_the_way_back_is_settled_as_it_is_said() {
    let text = "//! No check\nlet c2 = service(\"c2\");\nstep(\"Touch\", || stage_install(c2, \"9.0.1\"), \
                #{ undo: || change(c2, \"unstage\") });\nguard(false, \"no\");\n";
    let scene = Scene::of_text(text);
    for happened in [true, false] {
        let play = scene.play_with(1, &fault("unstage", "c2", 1, Harm::JobLost { happened }));
        play.run();
        let finished = play.back(&RollbackScope::All);
        if finished.ending == Ending::Doubt {
            let settled = play.resume_with(happened);
            assert_eq!(settled.ending, Ending::RolledBack, "{:?}", settled.error);
        }
    }
}

/// A step that failed after it may have changed something is undone first, and what is undone next fails: the texts can be
/// edited all the same, as the help says.
#[test]
fn texts_can_be_edited_when_the_way_back_stops_behind_the_undo_of_what_failed() {
    let text = "//! Two failures\nlet c1 = service(\"c1\"); let c2 = service(\"c2\");\n";
    let steps = "step(\"Mark\", || set_option(c2, \"confserv\", \"upgrade-mode\", \"1\"), #{ undo: || UNDO });\n\
                 step(\"Freeze\", || set_readonly(c1), #{ undo: || unset_readonly(c1) });\nguard(false, \"no\");\n";
    let of = |undo: &str| Scene::of_text(&format!("{text}{}", steps.replace("UNDO", undo)));
    let scene = of("guard(false, \"not now\")");
    for harm in [Harm::FailsBefore, Harm::FailsAfter] {
        let play = scene.play_with(1, &fault("set_readonly", "c1", 1, harm));
        assert_eq!(play.run().ending, Ending::Failed);
        let broken = play.back(&RollbackScope::All);
        let told = broken.error.map(|error| error.to_string()).unwrap_or_default();
        assert!(broken.exit_code == 7 && told.contains("--adopt-edited"), "{told}");
        let edited = of("unset_option(c2, \"confserv\", \"upgrade-mode\")");
        let adoption = play.fits(&edited, usize::MAX).unwrap_or_else(|error| panic!("{error}"));
        let terms = ResumeTerms { adoption: Some(adoption), ..ResumeTerms::default() };
        let finished = play.resume_on(&edited, terms, &CrashClock::never()).expect("goes on").expect("it lives");
        assert_eq!(finished.ending, Ending::RolledBack, "{:?}", finished.error);
    }
}
