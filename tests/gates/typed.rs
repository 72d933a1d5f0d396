//! What a person types in answer: of the kind that was asked for, or asked for again.

use super::{RUN, latest, site, suspended};
use crate::support::simulation::Scene;
use crate::support::terminal::Session;
use baton::model::run::record::Ending;
use baton::sim::{Fault, FaultPlan, Harm, Trigger};

const ASKS: &str = r#"//! Asks for what only a person can see
let seen = ask("How many sessions are shown?", #{ kind: "int", gate: "sessions" });
note(`${seen + 1} at the most`);
let at = ask("When was it seen?", #{ kind: "time" });
let who = ask("By whom?");
note(`${at}, ${who}`);
"#;

fn answered(words: [&str; 3]) -> (Ending, Vec<String>) {
    let scene = Scene::of_text(ASKS);
    let says = |gate: &str, word: &str| Fault {
        at: Trigger { verb: "ask".into(), subject: gate.into(), nth: 1 },
        harm: Harm::Says { word: word.into() },
    };
    let faults = ["sessions", "ask-1", "ask-2"].iter().zip(words).map(|(gate, word)| says(gate, word)).collect();
    let play = scene.play_with(1, &FaultPlan { faults, ..FaultPlan::default() });
    let done = play.run();
    (done.ending, play.notes())
}

#[test]
fn what_is_typed_is_given_as_what_it_is() {
    let (ending, notes) = answered(["6", "02:10", "Anna"]);
    assert_eq!((ending, notes), (Ending::Done, vec!["7 at the most".to_owned(), "02:10, Anna".to_owned()]));
}

#[test]
fn whoever_knows_no_better_in_a_rehearsal_answers_all_the_same() {
    let scene = Scene::of_text(ASKS);
    assert_eq!(scene.play(1).run().ending, Ending::Done);
}

const COUNTS: &str =
    "let seen = ask(\"How many?\", #{ kind: \"int\", gate: \"count\" });\nnote(`${seen + 1} at the most`);";

#[test]
fn at_the_terminal_it_is_asked_for_until_it_is_of_its_kind() {
    let baton = site(COUNTS);
    let mut session = Session::start(&baton, &RUN);
    session.shows("? count").shows("How many?").shows("type a whole number, or `suspend` to leave it for later");
    session.types("some").shows("`some` is not a whole number; type a whole number, or");
    session.types("6: counted twice").shows("answer 6, answered by").shows(": counted twice").shows("7 at the most");
    assert_eq!(session.ends(), 0);
}

#[test]
fn off_the_terminal_it_is_approved_with_a_word_or_answered_by_a_file() {
    let baton = suspended(COUNTS);
    let shown = baton.run(&["approve"]).code(0).says("words     a whole number");
    shown.says(&format!("next: baton approve {} count WORD", latest(&baton)));
    baton.run(&["approve", "latest", "count"]).code(2).says("none is assumed");
    baton.run(&["approve", "latest", "count", "six"]).code(2).says("it is answered with a whole number");
    baton.run(&["approve", "latest", "count", "6"]).code(0);
    baton.run(&["resume"]).code(0).says("7 at the most");
    let baton = site(COUNTS);
    let answers = |word: &str| {
        baton.write("answers.toml", &format!("[answers]\ncount = \"{word}\"\n"));
        baton.run(&[&RUN[..], &["--answers", "answers.toml"]].concat())
    };
    answers("6").code(0).says("7 at the most");
    answers("six").code(2).says("a whole number");
}

#[test]
fn a_kind_that_there_is_not_is_a_mistake() {
    let baton = site("ask(\"When?\", #{ kind: \"date\" });");
    baton
        .run(&["check", "own/t", "-i", "site.toml"])
        .code(2)
        .says("option `kind` is one of `text`, `int`, `version`, `time`, not `date`");
}
