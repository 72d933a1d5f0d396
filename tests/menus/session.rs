//! The commands of the REPL, typed where a run stands; and those that what it says names, in the same place.

use super::failed::{DIES, edited};
use super::states::{Act, MARK, RUN, Scene};
use super::{CTRL_C, CTRL_D, FRESH, Menu, Shown, Word, word};
use crate::advice::Copy;
use crate::support::Baton;
use crate::support::terminal::Session;
use std::collections::BTreeSet;

const STEPS: &[&str] = &["repl", "own/t", "-i", "site.toml"];
const ENTERS: &[&str] = &["repl", "--run", "latest"];
/// What is said of a command that cannot be obeyed.
const REFUSED: [&str; 11] = [
    "cannot pass",
    "has failed here that",
    "nothing has failed",
    "nothing is in doubt",
    "no step is completed",
    "there is no command",
    "there is no step",
    "needs a runbook",
    "lacks something",
    "no word can",
    "no single change",
];

fn stands(name: &'static str, make: fn() -> Scene, begins: &'static [&'static str], words: Vec<Word>) -> Menu {
    let (table, prompt, shown) = ("COMMANDS", &[FRESH] as &[_], Shown::Partly(":help"));
    Menu { name, table, make, begins, way: &[], prompt, shown, notes: &[], words }
}

/// What a session says behind the last step, where it stays.
const END: &str = "the run has come to its end";

/// A command after which the session is left.
fn typed(form: &'static str, line: &str, code: i32) -> Word {
    word(form, code).typing(line).then(FRESH, ":quit")
}

pub fn menus() -> Vec<Menu> {
    let worked = stands("behind a line", before_a_step, STEPS, vec![save()]);
    let behind = stands("behind a step", before_a_step, STEPS, back());
    vec![
        stands("before a step", before_a_step, STEPS, ahead()),
        Menu { way: &[(FRESH, "1 + 1")], ..worked },
        Menu { way: &[(FRESH, ":next")], ..behind },
        stands("at a failure", at_a_failure, ENTERS, failed()),
        stands("in doubt", in_doubt, ENTERS, doubted()),
        stands(
            "at a mistake",
            at_a_mistake,
            ENTERS,
            vec![word(":edit", 0).then(END, ":quit").says("edited texts adopted by")],
        ),
    ]
}

fn before_a_step() -> Scene {
    let text = format!(
        "{MARK}step(\"Next\", || run(here, [\"touch\", \"next\"]));\n\
         step(\"Third\", || run(here, [\"sh\", \"-c\", \"echo x >third\"]));"
    );
    edited("before a step", &text, &[], "s/Third/Last/")
}

fn at_a_failure() -> Scene {
    let text = format!("{MARK}step(\"Do\", || run(here, [\"sh\", \"-c\", \"test -e ready && echo ok >>done\"]));");
    edited("at a failure", &text, &[Act::Type(RUN)], "s/test -e ready/true/")
}

fn in_doubt() -> Scene {
    Scene::new("in doubt", &format!("{MARK}{DIES};"), &[Act::Type(RUN)])
}

fn at_a_mistake() -> Scene {
    edited("at a mistake", &format!("{MARK}let x = []; x[3];"), &[Act::Type(RUN)], "s/x.3.;//")
}

/// What can be typed before the first step.
fn ahead() -> Vec<Word> {
    let old = |word: Word| word.leaves("mode", "old\n");
    vec![
        typed(":next", ":next", 4).says("next: step 2 `Next`").leaves("mode", "new\n"),
        old(typed(":into", ":into", 4)).says("next: option(db)"),
        typed(":until STEP", ":until Third", 4).says("next: step 3 `Third`").leaves("third", ""),
        old(typed(":skip REASON", ":skip not now", 4)).says("next: step 2 `Next`").says("not now"),
        old(typed(":edit", ":edit", 4)).says("edited: runbooks/own/t.rhai").says("next: step 1 `Mark`"),
        old(typed(":where", ":where", 4)).says("next: step 1 `Mark`"),
        old(typed(":steps", ":steps", 4)).says("○ ahead 3 Third"),
        old(typed(":plan", ":plan", 4)).says("○ ahead 3 Third"),
        old(typed(":vars", ":vars", 4)).says("of the runbook").says("db = "),
        old(typed(":p EXPR", ":p 20 + 22", 4)).says("42"),
        old(typed(":watch [EXPR]", ":watch 20 + 22", 4)).says("20 + 22 = 42"),
        old(typed(":break [STEP|VERB|HOST]", ":break Third", 4)).says("Third"),
        old(typed(":hosts", ":hosts", 4)).says("db (acme-db)"),
        word(":sh HOST COMMAND…", 4)
            .typing(":sh here echo hello")
            .then("why? ", "to try it")
            .then(FRESH, ":quit")
            .says("`echo hello` was asked for on here")
            .says("to try it"),
        old(typed(":note TEXT", ":note seen it", 4)).says("seen it"),
        old(word(":quit", 4).typing(":quit")).says("left before step 1"),
        old(word(":quit", 4).typing(CTRL_D)).says("left before step 1"),
        // It clears the line, and no more.
        old(word(":quit", 4).typing(CTRL_C).then(FRESH, ":quit")).says("left before step 1"),
    ]
}

/// It needs a line that worked.
fn save() -> Word {
    typed(":save FILE", ":save by-hand.rhai", 4).says("written: by-hand.rhai").names()
}

/// What can be typed behind a step.
fn back() -> Vec<Word> {
    let confirmed = |word: Word| word.then(FRESH, "rollback").says("Undo: Mark").leaves("mode", "old\n");
    let stays = |word: Word| word.then(FRESH, ":quit").leaves("mode", "new\n");
    let not = |word: Word| stays(word.says("nothing was undone: it was not confirmed"));
    vec![
        confirmed(word(":undo", 6).typing(":undo")).then(FRESH, ":quit"),
        confirmed(word(":rollback [STEP]", 6).typing(":rollback")).says("↶ rolled back"),
        confirmed(word(":rollback [STEP]", 6).typing(":rollback Mark")).then(FRESH, ":quit"),
        not(word(":undo", 4).typing(":undo").then(FRESH, "no")),
        not(word(":rollback [STEP]", 4).typing(":rollback").then(FRESH, CTRL_C)),
    ]
}

fn failed() -> Vec<Word> {
    let mend = |baton: &Baton| {
        baton.write("ready", "");
    };
    vec![
        word(":redo", 0).typing(":redo").then(END, ":quit").mended(mend).says("✓ done").leaves("done", "ok\n"),
        word(":skip REASON", 0).typing(":skip no need").then(END, ":quit").says("skipped by").leaves("done", ""),
        // What failed is not tried again before it was seen.
        typed(":edit", ":edit", 4).says("edited texts adopted by").says("next: step 2 `Do`").leaves("done", ""),
        word(":rollback [STEP]", 6)
            .typing(":rollback")
            .then(FRESH, "rollback")
            .then("type `done` or `failed`", "done")
            .leaves("mode", "old\n"),
    ]
}

fn doubted() -> Vec<Word> {
    vec![
        word(":happened REASON", 0)
            .typing(":happened I saw it")
            .then(END, ":quit")
            .says("happened, says")
            .leaves("done", ""),
        word(":not-happened REASON", 0)
            .typing(":not-happened it is not there")
            .then(END, ":quit")
            .leaves("done", "x\n"),
    ]
}

/// The commands that are named in what is said, as they can be typed.
fn named(said: &str) -> Vec<String> {
    let hints = said.lines().filter(|line| line.starts_with("help: "));
    let command = |line: &str| {
        let at = line
            .match_indices(" :")
            .map(|(at, _)| at + 1)
            .find(|at| line[at + 1..].starts_with(|c: char| c.is_ascii_lowercase()))?;
        Some(line[at..].replace("REASON", "I looked at it").replace("EXPR", "1").replace("STEP|VERB|HOST", "here"))
    };
    hints.filter_map(command).collect()
}

/// A run that stands, and how it is entered.
type Place = (fn() -> Scene, &'static [&'static str]);

const PLACES: [Place; 8] = [
    (before_a_step, STEPS),
    (at_a_failure, ENTERS),
    (in_doubt, ENTERS),
    (at_a_mistake, ENTERS),
    (at_a_guard, ENTERS),
    (at_a_reading, ENTERS),
    (at_a_gate, ENTERS),
    (not_begun, ENTERS),
];
/// What is typed in each of them: some of it does not fit, and what is said then has to.
const TYPED: [&str; 10] = [
    ":next",
    ":into",
    ":until 1",
    ":until nowhere",
    ":redo",
    ":skip why",
    ":happened why",
    ":not-happened why",
    ":undo",
    ":rollback nothing",
];
/// What has the wrong form is put right without a look at the run.
const MISTYPED: [&str; 4] = [":nxt", ":skip", "next", "step"];

fn at_a_guard() -> Scene {
    edited("at a guard", &format!("{MARK}guard(false, \"not yet\");"), &[Act::Type(RUN)], "s/false/true/")
}

fn at_a_reading() -> Scene {
    let text = format!("{MARK}step(\"Read\", || probe(db, \"option\", #{{ key: \"missing\" }}));");
    edited("at a reading", &text, &[Act::Type(RUN)], "s/missing/other/")
}

fn at_a_gate() -> Scene {
    let text = format!("{MARK}guard(confirm(\"Sure?\"), \"not sure\");");
    edited("at a gate", &text, &[Act::Type(RUN)], "s/not sure/no/")
}

fn not_begun() -> Scene {
    edited("not begun", "guard(false, \"not yet\");", &[Act::Type(RUN)], "s/false/true/")
}

/// What a session says to one line.
fn answer(baton: &Baton, begins: &[&str], line: &str) -> String {
    let mut session = Session::start_with(baton, begins, &[("COLUMNS", "1000"), ("EDITOR", "sh editor")]);
    session.shows(FRESH).types(line);
    let (_, said) = session.sees_any(&[FRESH, "to leave it for later"]);
    said.replace('\r', "")
}

/// Types all there is to be typed where a run stands, and what is named then. Tells how much that was, and what of it
/// was refused.
fn look_around((make, begins): Place) -> (usize, Vec<String>) {
    let scene = make();
    for act in &scene.acts {
        if let Act::Type(words) = act {
            super::advice::types(&scene.baton, words);
        }
    }
    let copy = Copy::of(scene.baton.folder());
    let ask = |line: &str| {
        copy.restore(scene.baton.folder());
        answer(&scene.baton, begins, line)
    };
    let mistyped: &[&str] = if begins == STEPS { &MISTYPED } else { &[] };
    let (mut tried, mut wrong) = (BTreeSet::new(), Vec::new());
    for line in TYPED.iter().chain(mistyped) {
        let said = ask(line);
        for hint in named(&said) {
            if !tried.insert(hint.clone()) {
                continue;
            }
            let answered = ask(&hint);
            if let Some(refused) = REFUSED.iter().find(|text| answered.contains(**text)) {
                wrong.push(format!("{}: `{line}` names `{hint}`: {refused}\n{said}\n---\n{answered}", scene.name));
            }
        }
    }
    (tried.len(), wrong)
}

#[test]
fn every_command_that_a_session_names_is_obeyed_there() {
    let found: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let looks: Vec<_> = PLACES.into_iter().map(|place| scope.spawn(move || look_around(place))).collect();
        looks.into_iter().map(|look| look.join().expect("it is looked at")).collect()
    });
    let tried: usize = found.iter().map(|(tried, _)| tried).sum();
    let wrong: Vec<String> = found.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{} of {tried} commands are refused:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(tried > 15, "only {tried} were tried");
}
