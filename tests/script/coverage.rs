//! What plays of a runbook have come to, and what not: to the line, in the file in which it is written.

use super::door::FakeDoor;
use super::{inventory, sources};
use crate::support::simulation::Scene;
use baton::error::Place;
use baton::model::value::Fields;
use baton::script::analysis::coverage::{Coverage, Unreached, coverage};
use baton::script::compile::reached::Reached;
use baton::script::evaluate::frames::Frames;
use baton::script::evaluate::script_end::ScriptEnd;
use baton::script::evaluate::stage;
use std::rc::Rc;

const RUNBOOK: &str = r#"//! A runbook with some of everything.
import "test/parts" as parts;

fn unused(x) { x }

fn outer(x) {
    fn_of_outer(x);
    if x > 5 { return "big"; }
    let kept = |y| { y + x };
    for i in 0..x {
        note(`round ${if i == 0 { "first" } else { "later" }}`);
    }
    "small"
}

fn fn_of_outer(x) {
    switch x {
        1 => "one",
        2 | 3 => note("two or three"), // unreached: nobody gives it more than one
        4 => { note("four"); }
        // unreached: for whoever
        // comes later
        _ => 7 + x,
    }
}

let word = param("word", #{ default: "a" });
let told = if word == "a" { "first" } else { "other" };
step("By a closure of a module", || parts::apply(|x| {
    if x { note("yes"); } else { note("no"); }
}));
step("By a closure in a closure", || {
    parts::apply(|x| outer(1));
    try {
        throw "thrown";
        note("never");
    } catch (problem) {
        note("caught");
    }
    try { note("nothing thrown"); } catch { // unreached: nothing is thrown
        note("not caught");
        note("nor this");
    }
}, #{ undo: || note("undone") });
note("here"); // unreached: this is not true
while false { note("no round"); }
step("By a closure that a module has made", parts::TOLD.how);
if word == "a" || word == "b" {
    outer(1);
    return;
}
outer(2);
note("not reached");
// unreached: about nothing
"#;

const PARTS: &str = r#"//! Parts.
const AT_LOAD = made_at_load(if 1 == 1 { 2 } else { 3 });
export const TOLD = #{ how: || told("x") };

/// Calls it.
fn apply(f) {
    f.call(true);
    let rest = [1, 2].filter(|x| x > 5);
    rest
}

fn made_at_load(x) { x }

fn told(what) {
    if what == "x" { return inner(|| what); }
    "y"
}

fn inner(f) { let got = f.call(); got }

fn only_of_others() { also_of_others(1); }

fn also_of_others(x) { note("a"); note("b"); }
fn also_of_others(x, y) { note("a"); }
"#;

/// A run that is begun with `word`; what came of it.
fn played(word: &'static str) -> (Scene, Reached) {
    let modules = [("test/parts".to_owned(), PARTS.to_owned())];
    let scene = Scene::of_texts(RUNBOOK, &modules.into_iter().collect()).given("word", word);
    scene.prepared().program.keep_footprints();
    assert_eq!(scene.play(1).run().exit_code, 0);
    let reached = scene.prepared().program.reached();
    (scene, reached)
}

fn shown(coverage: &Coverage) -> Vec<String> {
    let shown = |missed: &Unreached| {
        let Unreached { place: Place { file, line, column }, what, statements, last_line, reason, .. } = missed;
        let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{file}:{line}:{column}-{last_line} {what}, {statements}{reason}")
    };
    coverage.unreached.iter().map(shown).collect()
}

#[test]
fn what_a_play_did_not_come_to_is_told_to_the_line() {
    let (scene, reached) = played("a");
    let coverage = coverage(&scene.prepared().program, &reached);
    assert_eq!(
        shown(&coverage),
        [
            "test.rhai:8:14-8 the branch of `if`, 1",
            "test.rhai:9:16-9 the closure, 1",
            "test.rhai:11:50-11 the branch of `else`, 1",
            "test.rhai:19:18-19 the arm of `switch`, 1: nobody gives it more than one",
            "test.rhai:20:14-20 the arm of `switch`, 1",
            "test.rhai:23:14-23 the arm of `switch`, 1: for whoever comes later",
            "test.rhai:28:44-28 the branch of `else`, 1",
            "test.rhai:30:32-30 the branch of `else`, 1",
            "test.rhai:36:9-36 this and what follows it, 1",
            "test.rhai:40:43-42 the block of `catch`, 2: nothing is thrown",
            "test.rhai:44:13-44 the closure, 1",
            "test.rhai:46:13-46 the body of the loop, 1",
            "test.rhai:52:1-53 this and what follows it, 2",
            "stdlib/test/parts.rhai:16:5-16 this and what follows it, 1",
        ]
    );
    assert_eq!(coverage.unreached[4].line, "4 => { note(\"four\"); }");
    let missed: usize = coverage.unreached.iter().map(|missed| missed.statements).sum();
    assert_eq!((coverage.statements, coverage.reached + missed), (56, 56));
}

#[test]
fn reasons_that_are_not_true_are_told() {
    let (scene, reached) = played("a");
    let told = |coverage: &Coverage| -> Vec<String> {
        let faults = coverage.false_reasons.iter();
        faults.map(|one| format!("{} {}: {}", one.place, one.reason, one.fault)).collect()
    };
    let reached_line = "test.rhai:45:15 this is not true: what begins on this line is reached: remove the reason";
    let no_line = "test.rhai:54:1 about nothing: nothing begins on this line that could be reached: \
                   put the reason where it belongs, or remove it";
    assert_eq!(told(&coverage(&scene.prepared().program, &reached)), [reached_line, no_line]);
    let (scene, reached) = played("c");
    let now_false = "test.rhai:19:40 nobody gives it more than one: what begins on this line is reached: \
                     remove the reason";
    assert_eq!(told(&coverage(&scene.prepared().program, &reached)), [now_false, reached_line, no_line]);
}

#[test]
fn functions_that_this_runbook_never_calls_are_told_apart() {
    let (scene, reached) = played("a");
    let coverage = coverage(&scene.prepared().program, &reached);
    let unused = coverage.unused_functions.iter();
    let unused: Vec<_> = unused.map(|one| format!("{} {} {}", one.place, one.name, one.statements)).collect();
    assert_eq!(
        unused,
        [
            "test.rhai:4:14 unused 1",
            "stdlib/test/parts.rhai:21:21 only_of_others 1",
            "stdlib/test/parts.rhai:23:22 also_of_others 2",
            "stdlib/test/parts.rhai:24:25 also_of_others 1",
        ]
    );
}

#[test]
fn what_several_workers_reach_is_put_together() {
    let worker = |word| std::thread::spawn(move || played(word).1).join().expect("it plays");
    let (mut both, other) = (worker("a"), worker("c"));
    let scene = played("b").0;
    let of = |reached: &Reached| shown(&coverage(&scene.prepared().program, reached));
    let (one, two) = (of(&both), of(&other));
    both.merge(other);
    let left = of(&both);
    assert!(left.len() < one.len() && left.iter().all(|line| one.contains(line) && two.contains(line)), "{left:?}");
    assert!(!left.iter().any(|line| line.starts_with("test.rhai:52:") || line.starts_with("test.rhai:28:")));
}

#[test]
fn whoever_steers_a_run_loses_no_footprints() {
    let text = "let x = 1;\nif x == 2 { note(\"b\"); }\nnote(\"a\");";
    let program = sources(text, &[]).and_then(|sources| baton::script::program(&sources)).expect("compiles");
    program.keep_footprints();
    let (door, frames) = (Rc::new(FakeDoor::default()), Frames::default());
    let end = stage::run_watched(&program, door, inventory(), Fields::new(), Some(&frames));
    assert_eq!((end, program.reached().len()), (ScriptEnd::Done, 3));
}

#[test]
fn a_shipped_runbook_is_covered_in_part_and_every_place_is_there() {
    let scene = Scene::new("genesys/confserv-ha", "upgrade-mode");
    let plain = scene.play(1);
    plain.run();
    scene.prepared().program.keep_footprints();
    let watched = scene.play(1);
    watched.run();
    assert_eq!(plain.bytes(), watched.bytes(), "to be watched changes nothing");
    let coverage = coverage(&scene.prepared().program, &scene.prepared().program.reached());
    let (statements, reached) = (coverage.statements, coverage.reached);
    assert!(statements > 300 && reached * 5 > statements && reached < statements, "{reached} of {statements}");
    assert_eq!(coverage.false_reasons, []);
    let places = coverage.unreached.iter().map(|missed| (&missed.place, Some(&missed.line)));
    let unused = coverage.unused_functions.iter().map(|unused| (&unused.place, None));
    for (Place { file, line, column }, said) in places.chain(unused) {
        let is_it = |name: &str| format!("{name}.rhai") == *file || format!("stdlib/{name}.rhai") == *file;
        let mut files = scene.prepared().texts.files.iter().filter(|(name, _)| name.is_script() && is_it(name.bare()));
        let text = files.next().map(|(_, text)| text).unwrap_or_else(|| panic!("no file {file}"));
        let there = text.lines().nth(*line as usize - 1).unwrap_or_else(|| panic!("no line {file}:{line}"));
        let begins = there.chars().nth(*column as usize - 1);
        assert!(begins.is_some_and(|begins| !begins.is_whitespace()), "{file}:{line}:{column}: {there}");
        assert!(said.is_none_or(|said| said == there.trim()), "{file}:{line}: {there}");
    }
}
