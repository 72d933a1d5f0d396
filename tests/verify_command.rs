//! `baton verify` as it is typed: what it says of a sound runbook and of one that is not, how a counterexample is played
//! again and kept, what it says where it cannot know, and that no wrong text is taken for a good one.

use crate::support::{Baton, Ended};

/// Two servers of a product with a model of its own.
const SITE: &str = r#"
[hosts.a]
address = "local"
[hosts.b]
address = "local"
[services.one]
host = "a"
product = "toy"
[services.two]
host = "b"
product = "toy"
[pairs.toys]
primary = "one"
backup = "two"
"#;

const PROFILE: &str = r#"
product = "toy"
title = "A toy"
model = "toy"

[verbs.shutdown]
argv = ["toy", "stop"]
class = "idempotent"
limit = "1min"
goal = { probe = "status", is = ["stopped"] }
undo = "start"

[verbs.start]
argv = ["toy", "start"]
class = "idempotent"
limit = "1min"
goal = { probe = "status", is = ["running"] }
undo = "shutdown"

[probes.status]
argv = ["toy", "status"]
reads = { words = ["stopped", "running"] }
"#;

/// Somebody of the two must run whenever a runbook has stopped the other one.
const MODEL: &str = r#"
fn init(site, scenario) {
    invariant("TOY-1", "one of the two runs, unless both died", || this.fallen || this.up.one || this.up.two);
    claim("(one|two) runs", |name| this.up[name]);
    #{ up: #{ one: true, two: true }, fallen: false }
}
fn verb(service, verb, args) {
    this.up[service] = verb == "start";
    if this.up[service] { started(service) } else { exited(service, 0) }
    #{ takes: 1000 }
}
fn probe(service, what, args) { #{ output: if this.up[service] { "running" } else { "stopped" } } }
fn due(name, data) {}
fn answer(gate, form, text, options) { #{ word: "yes" } }
fn faults(service) { if this.up[service] { ["dies"] } else { [] } }
fn suffer(service, fault) {
    this.up[service] = false;
    let other = if service == "one" { "two" } else { "one" };
    if !this.up[other] { this.fallen = true; }
    exited(service, 137);
}
fn summary() { this.up }
"#;

/// Stops one server only while the other runs, also on the way back: the undo of `start` would stop it once more.
const CAREFUL: &str = r#"//! Restarts the first of two
let one = service("one");
let two = service("two");
step("Restart the first", || {
    guard(status(two) == "running", "the other one must run");
    shutdown(one);
    start(one);
}, #{ undo: || start(one) });
"#;

fn site() -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", SITE).write("stdlib/products/toy.toml", PROFILE).write("stdlib/models/toy.rhai", MODEL);
    baton.write("careful.rhai", CAREFUL);
    baton.write(
        "careless.rhai",
        &CAREFUL.replace("    guard(status(two) == \"running\", \"the other one must run\");\n", ""),
    );
    baton
}

fn verify(baton: &Baton, words: &[&str]) -> Ended {
    baton.run(&[&["verify"], words, &["-i", "site.toml"]].concat())
}

#[test]
fn a_careless_runbook_is_told_as_a_story_that_can_be_played_again_and_kept() {
    let baton = site();
    let told = verify(&baton, &["careless.rhai"]).code(1);
    let told = told.says("broken invariant: TOY-1: one of the two runs").says("! two dies").says("shutdown(one)");
    assert!(told.out.lines().all(|line| line.chars().count() <= 80 || line.contains("--replay")), "{}", told.out);
    let replay = told.out.lines().find_map(|line| line.split_once("--replay ")).expect("how it is played again").1;
    let line = replay.trim().trim_matches('\'');
    verify(&baton, &["careless.rhai", "--replay", line]).code(1).says("TOY-1").says("! two dies");
    verify(&baton, &["careless.rhai", "--replay", "site"]).code(0).says("no violation on this path");
    // Kept in the runbook it is walked first, and found with a budget that is over at once.
    baton.write(
        "kept.rhai",
        &format!(
            "// verify: {line}\n{}",
            CAREFUL
                .replace("guard(", "note(`${")
                .replace("status(two) == \"running\", \"the other one must run\")", "status(two)}`)")
        ),
    );
    verify(&baton, &["kept.rhai", "--budget", "1ms"]).code(1).says("TOY-1").says("the budget was over");
}

#[test]
fn a_careful_runbook_has_no_violation_and_the_bound_is_said() {
    let baton = site();
    let told = verify(&baton, &["careful.rhai"]).code(0);
    let told = told.says("careful: no violation within: 1 fault anywhere, the runner killed");
    told.says("schedules").says("states");
    let (one, two) = (["careful.rhai", "--format", "json", "--workers", "1"], ["careful.rhai", "--format", "json"]);
    let numbers = |words: &[&str]| {
        let ended = verify(&baton, words).code(0);
        let mut all: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
        all["runbooks"][0]["milliseconds"] = 0.into();
        all
    };
    assert_eq!(numbers(&one), numbers(&two), "what is walked does not hang on how many walk");
    let junit = verify(&baton, &["careful.rhai", "--format", "junit"]).code(0).out;
    assert!(junit.contains("failures=\"0\" errors=\"0\""), "{junit}");
    let sarif = verify(&baton, &["careless.rhai", "--format", "sarif"]).code(1).out;
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "invariant");
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "careless.rhai");
}

#[test]
fn a_budget_that_is_over_is_never_no_violation() {
    let ended = verify(&site(), &["careful.rhai", "--budget", "1ms"]).code(9);
    ended.says("not known").says("schedules were not walked");
}

#[test]
fn an_untrue_sentence_is_found() {
    let baton = site();
    baton.write("boasts.rhai", &CAREFUL.replace("    start(one);\n", "    start(one);\n    note(\"two runs\");\n"));
    verify(&baton, &["boasts.rhai"]).code(1).says("untrue sentence: \"two runs\" is not so").says("! two dies");
}

#[test]
fn what_nothing_is_known_of_is_said() {
    let baton = site();
    baton.write("stdlib/products/toy.toml", &PROFILE.replace("model = \"toy\"", "model = \"none-such\""));
    let told = verify(&baton, &["careful.rhai"]).code(9).says("not known: no model says how one, two behave");
    assert!(!told.out.contains('✓'), "{}", told.out);
}

#[test]
fn a_wrong_model_is_a_mistake_of_its_author_and_no_result() {
    let baton = site();
    let with = |from: &str, to: &str| {
        assert!(MODEL.contains(from), "{from}");
        baton.write("stdlib/models/toy.rhai", &MODEL.replace(from, to));
        verify(&baton, &["careful.rhai", "--budget", "30s"]).code(2)
    };
    with("this.up[service] = false;\n    let other", "throw \"oh\";\n    let other").says("suffer").says("toy");
    with("#{ takes: 1000 }", "loop { let x = 1; }").says("verb").says("toy");
    with("this.fallen || this.up.one", "this.nothing.at_all").says("TOY-1");
    with("|| this.fallen || this.up.one || this.up.two", "|| 7").says("true or false");
    with("fn probe(service, what, args) { #{ output", "fn probe(service, what, args) { #{ outpt").says("outpt");
    with("fn faults(service) { if this.up[service] { [\"dies\"]", "fn faults(service) { if this.up[service] { [7]")
        .says("a list of words");
}

#[test]
fn mistakes_at_the_keyboard_are_answered() {
    let baton = site();
    verify(&baton, &["careful.rhai", "--replay", "site | whatever"]).code(2).says("`whatever` is no part of a seed");
    verify(&baton, &["careful.rhai", "--replay", "upgrade"]).code(2).says("there is no scenario `upgrade`");
    verify(&baton, &["carefull.rhai"]).code(2).says("there is no file `carefull.rhai`");
    baton.run(&["verify", "careful.rhai"]).code(2).says("where shall it be explored?").says("-i INVENTORY");
    baton.run(&["verify"]).code(2);
    baton.write("kept.rhai", &format!("// verify: site | nonsense\n{CAREFUL}"));
    verify(&baton, &["kept.rhai"]).code(2).says("`nonsense` is no part of a seed").says("line 1");
    baton.write("kept.rhai", &format!("// verify: utter nonsense\n{CAREFUL}"));
    verify(&baton, &["kept.rhai"]).code(2).says("`utter nonsense` names no scenario").says("line 1");
    verify(&baton, &["careful.rhai", "--replay", ""]).code(2).says("an empty line");
    verify(&baton, &["careful.rhai", "--replay", "site", "--format", "json"]).code(2).says("no other format");
}

#[test]
fn what_never_came_to_pass_is_no_path_without_a_violation() {
    let baton = site();
    for part in ["start(nobody) #1 = fails before", "runner 1 dies at 999999"] {
        let told = verify(&baton, &["careful.rhai", "--replay", &format!("site | {part}")]).code(9);
        told.says("never came to pass").says(part);
    }
    verify(&baton, &["careful.rhai", "--replay", "site | start(one) #1 = fails before | runner 1 dies at 9"]).code(0);
}

#[test]
fn a_runbook_that_gets_nowhere_although_nothing_goes_wrong_is_told() {
    let baton = site();
    baton.write(
        "nowhere.rhai",
        &CAREFUL.replace("    start(one);\n", "    guard(status(one) == \"running\", \"it must run\");\n"),
    );
    verify(&baton, &["nowhere.rhai"]).code(1).says("no way through: nothing has gone wrong, and it fails: it must run");
    let backs = CAREFUL.replace("undo: || start(one)", "undo: || guard(false, \"not so\")");
    baton.write("no-way-back.rhai", &backs);
    let told = verify(&baton, &["no-way-back.rhai"]).code(1);
    told.says("no way through: nothing has gone wrong, and it fails: its way back, not so");
}

#[test]
fn a_note_stands_in_the_story_with_its_line() {
    let baton = site();
    baton.write("boasts.rhai", &CAREFUL.replace("    start(one);\n", "    start(one);\n    note(\"two runs\");\n"));
    verify(&baton, &["boasts.rhai"]).code(1).says("says: two runs (boasts.rhai:8)");
}
