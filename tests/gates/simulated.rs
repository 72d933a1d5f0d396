//! Answers in the simulated world, where a runner may die at any point: an answer is taken once, for its question.

use crate::support::simulation::{Between, Play, Scene};
use baton::journal::Store;
use baton::model::run::effect::{Action, Outcome};
use baton::model::run::record::{Ending, Fact, Moment, Record, Who};
use baton::model::value::Value;
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};

const TEXT: &str = r#"//! Two changes and a gate between
step("First", || stage_install(service("c2"), "9.0.1"));
let yes = step("Ask", || confirm("Shall we back up?", #{ gate: "ask" }));
step("Second", || if yes { backup(service("confdb"), "b"); } else { note("no backup"); });
"#;

fn nobody_at(form: &str, gate: &str) -> FaultPlan {
    let at = Trigger { verb: form.into(), subject: gate.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm: Harm::Nobody }], ..FaultPlan::default() }
}

/// Answers the open question of a run from elsewhere.
fn answer(play: &Play<'_>, word: &str) {
    let records = play.records();
    let asked = records.iter().rev().find_map(|record| match &record.fact {
        Fact::Intent { id, digest, effect, .. } if matches!(effect.action, Action::Ask(_)) => Some((id, digest)),
        _ => None,
    });
    let (id, digest) = asked.expect("a question");
    let answered = Fact::Answered {
        id: id.clone(),
        digest: digest.clone(),
        word: word.into(),
        note: "as agreed".into(),
        name: "Anna".into(),
    }
    .by(
        Who { user: "bernd".into(), host: "jump1".into(), pid: 9, machine: String::new(), state: None },
        Moment::default(),
    );
    play.store.clone().append("sim", records.len() as u64, &[answered.into()]).expect("is written");
}

fn outcomes_of_asks(play: &Play<'_>) -> Vec<Value> {
    let records = play.records();
    let asks = records.iter().filter_map(|record| match &record.fact {
        Fact::Intent { id, effect, .. } if matches!(effect.action, Action::Ask(_)) => Some(id),
        _ => None,
    });
    let asks: Vec<_> = asks.collect();
    let outcome = |record: &Record| match &record.fact {
        Fact::Outcome { id, outcome: Outcome::Done { value, .. }, .. } if asks.contains(&id) => Some(value.clone()),
        _ => None,
    };
    records.iter().filter_map(outcome).collect()
}

#[test]
fn an_answered_run_may_die_anywhere_and_the_answer_counts_once() {
    let scene = Scene::of_text(TEXT);
    let mut point = 1;
    loop {
        let play = scene.play_with(1, &nobody_at("confirm", "ask"));
        assert_eq!(play.run().ending, Ending::Suspended);
        answer(&play, "no");
        let clock = CrashClock::at(point);
        play.runner(&clock, &Between::nothing()).expect("it is not refused");
        if !clock.is_dead() {
            break;
        }
        assert_eq!(play.run().ending, Ending::Done, "died at {point}");
        let value = Value::map([("word", "no".into()), ("note", "as agreed".into()), ("by", "Anna".into())]);
        assert_eq!(outcomes_of_asks(&play), [value], "died at {point}: one answer, the one that was given");
        let deeds: Vec<(String, usize)> = play.deeds().into_iter().collect();
        assert_eq!(deeds, [("c2 stage_install".to_owned(), 1)], "died at {point}");
        point += 1;
    }
    assert!(point > 8, "only {point} points");
}

#[test]
fn an_answer_to_another_question_lapses_and_it_is_asked_anew() {
    for (from, to) in
        [("Shall we back up?", "Shall we really back up?"), ("confirm(", "!confirm("), ("\"ask\"", "\"b\"")]
    {
        let (scene, edited) = (Scene::of_text(TEXT), Scene::of_text(&TEXT.replace(from, to)));
        let play = scene.play_with(1, &nobody_at("confirm", "ask"));
        assert_eq!(play.run().ending, Ending::Suspended);
        answer(&play, "no");
        let (finished, notices) = play.run_as(&edited);
        assert_eq!(finished.ending, Ending::Done, "{:?}", finished.error);
        let same = from == "confirm(";
        let words: Vec<String> =
            outcomes_of_asks(&play).iter().map(|value| value.get("word").expect("a word").to_string()).collect();
        assert_eq!(words, [if same { "no" } else { "yes" }], "{to}");
        let lapsed = "is asked anew: the answer `no` by Anna was to another question";
        assert_eq!(notices.iter().any(|text| text.ends_with(lapsed)), !same, "{notices:?}");
    }
}
