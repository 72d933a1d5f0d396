//! Edited texts for a run that is under way: what fits the record is gone on with, what does not is refused with the
//! first place that differs, and nothing that is done is ever done again.

use crate::support::Baton;
use crate::support::simulation::{Between, Play, Scene};
use baton::error::Error;
use baton::model::run::record::{Ending, Fact};
use baton::session::{OperatorRuling, ResumeTerms};
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};
use std::collections::BTreeMap;

const RUNBOOK: &str = r#"//! Upgrades the backup
import "own/parts" as parts;
let label = param("label", #{ default: "before" });
let c1 = service("c1");
let c2 = service("c2");
let confdb = service("confdb");
step("Look", || { guard(role(c2) == "backup", "c2 must stand by"); note("all is well"); });
step("Back up", || backup(confdb, label));
step("Stop", || { shutdown(c2); parts::settle(c2); });
step("Versions", || parallel([c1, c2], |s| version(s)));
for n in [1, 2] { let n = n; step(`Round ${n}`, || note(`round ${n}`)); }
step("Stage", || { note("staging"); stage_install(c2, "9.0.1"); });
step("Start", || { start(c2); note("started"); });
"#;

const PARTS: &str = r#"//! Parts of runbooks
fn settle(server) { note(`${server.name} is settled`); }
"#;

/// Where an edit is made.
const IN_RUNBOOK: &str = "runbook";
const IN_MODULE: &str = "own/parts";
const IN_PROFILE: &str = "genesys-confserv";
const IN_INVENTORY: &str = "inventory";

/// One edit: in which text, and what becomes what.
type Edit<'a> = (&'a str, &'a str, &'a str);

fn scene(edits: &[Edit<'_>]) -> Scene {
    let profile = baton::library::product(IN_PROFILE).expect("the profile").to_owned();
    let mut texts = BTreeMap::from([
        (IN_RUNBOOK.to_owned(), RUNBOOK.to_owned()),
        (IN_MODULE.to_owned(), PARTS.to_owned()),
        (IN_PROFILE.to_owned(), profile),
        (IN_INVENTORY.to_owned(), Scene::inventory()),
    ]);
    for (name, from, to) in edits {
        let text = texts.get_mut(*name).expect("a text");
        assert!(text.contains(from), "{name} does not say {from:?}");
        *text = text.replacen(from, to, 1);
    }
    Scene::of_texts(&texts.remove(IN_RUNBOOK).expect("the runbook"), &texts)
}

fn strikes(harm: Harm, verb: &str, subject: &str) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: subject.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm }], ..FaultPlan::default() }
}

fn adopting(play: &Play<'_>, edited: &Scene) -> Result<ResumeTerms, Box<Error>> {
    Ok(ResumeTerms { adoption: Some(play.fits(edited, usize::MAX)?), ..ResumeTerms::default() })
}

/// The runbook as it is fails at `stage_install`, in its sixth step but one.
fn stopped(scene: &Scene) -> Play<'_> {
    let play = scene.play_with(1, &strikes(Harm::FailsBefore, "stage_install", "c2"));
    assert_eq!(play.run().ending, Ending::Failed);
    play
}

/// Edits that are accepted, and the words that tell of them.
const ACCEPTED: &[(&str, &[Edit<'_>], &str)] = &[
    ("nothing", &[], "7 steps unchanged"),
    ("comments", &[(IN_RUNBOOK, "let label", "// why\n\n   let label")], "only comments or spacing changed: test.rhai"),
    ("the failed argument", &[(IN_RUNBOOK, "9.0.1", "9.0.2")], r#"6 steps unchanged; changed: "Stage""#),
    (
        "another change for the failed one",
        &[(IN_RUNBOOK, r#"stage_install(c2, "9.0.1")"#, "set_readonly(c1)")],
        "Stage",
    ),
    ("the failed change is gone", &[(IN_RUNBOOK, r#" stage_install(c2, "9.0.1");"#, "")], r#"changed: "Stage""#),
    (
        "tried and caught",
        &[(
            IN_RUNBOOK,
            r#"stage_install(c2, "9.0.1");"#,
            r#"try { stage_install(c2, "9.0.1"); } catch (e) { warn(e.kind); }"#,
        )],
        "Stage",
    ),
    ("inserted before the failed change", &[(IN_RUNBOOK, "stage_install", r#"note("more"); stage_install"#)], "Stage"),
    ("a reading before the failed change", &[(IN_RUNBOOK, "stage_install", r#"status(c2); stage_install"#)], "Stage"),
    ("inserted after the failed change", &[(IN_RUNBOOK, r#""9.0.1");"#, r#""9.0.1"); note("done");"#)], "Stage"),
    (
        "moved into a function",
        &[
            (IN_RUNBOOK, r#"stage_install(c2, "9.0.1")"#, "parts::stage(c2)"),
            (IN_MODULE, "fn settle", "fn stage(s) { stage_install(s, \"9.0.1\"); }\nfn settle"),
        ],
        "changed around its steps: stdlib/own/parts.rhai",
    ),
    (
        "a done effect moved into a function",
        &[
            (IN_RUNBOOK, "backup(confdb, label)", "parts::save(confdb, label)"),
            (IN_MODULE, "fn settle", "fn save(s, l) { backup(s, l) }\nfn settle"),
        ],
        r#"changed: "Back up""#,
    ),
    (
        "a new step at the end",
        &[(IN_RUNBOOK, "step(\"Start\"", "step(\"Rest\", || note(\"rest\"));\nstep(\"Start\"")],
        r#"new: "Rest""#,
    ),
    (
        "steps to come in another order",
        &[(
            IN_RUNBOOK,
            "step(\"Start\", || { start(c2); note(\"started\"); });",
            "step(\"Note\", || note(\"x\")); step(\"Start\", || start(c2));",
        )],
        r#"new: "Note"; changed: "Start""#,
    ),
    (
        "a step to come is gone",
        &[(IN_RUNBOOK, "step(\"Start\", || { start(c2); note(\"started\"); });", "")],
        r#"gone: "Start""#,
    ),
    (
        "a step to come has another name",
        &[(IN_RUNBOOK, "\"Start\"", "\"Bring up\"")],
        r#"new: "Bring up"; gone: "Start""#,
    ),
    (
        "a guard before the failed change",
        &[(IN_RUNBOOK, "stage_install", r#"guard(status(c2) == "stopped", "stop it first"); stage_install"#)],
        "Stage",
    ),
    (
        "a guard on what was read",
        &[(IN_RUNBOOK, "guard(role(c2) == \"backup\"", "guard(role(c2) in [\"backup\", \"none\"]")],
        r#"changed: "Look""#,
    ),
    (
        "a done step wrapped in try",
        &[(
            IN_RUNBOOK,
            "step(\"Back up\", || backup(confdb, label));",
            "try { step(\"Back up\", || backup(confdb, label)); } catch (e) { throw e; }",
        )],
        "changed around its steps: test.rhai",
    ),
    (
        "a new parameter with a default",
        &[
            (IN_RUNBOOK, "let c1", "let to = param(\"to\", #{ default: \"9.0.3\" });\nlet c1"),
            (IN_RUNBOOK, "\"9.0.1\"", "to"),
        ],
        "Stage",
    ),
    (
        "another default",
        &[(IN_RUNBOOK, "default: \"before\"", "default: \"later\"")],
        "changed around its steps: test.rhai",
    ),
    (
        "a parameter is gone",
        &[(IN_RUNBOOK, "param(\"label\", #{ default: \"before\" })", "\"before\"")],
        "changed around its steps: test.rhai",
    ),
    (
        "an inventory with one more host",
        &[(IN_INVENTORY, "[hosts.cfg-a]", "[hosts.spare]\naddress = \"local\"\n\n[hosts.cfg-a]")],
        "changed: inventory lab.toml",
    ),
    (
        "a limit for what failed",
        &[(IN_PROFILE, "limit = \"30min\"", "limit = \"50min\"")],
        "changed: profile genesys-confserv",
    ),
    (
        "the failed step in smaller steps",
        &[(IN_RUNBOOK, r#"stage_install(c2, "9.0.1");"#, r#"step("Lay down", || stage_install(c2, "9.0.1"));"#)],
        r#"new: "Lay down""#,
    ),
];

/// Edits that are refused, and the words that say why.
const REFUSED: &[(&str, &[Edit<'_>], &str)] = &[
    (
        "a done step has another name",
        &[(IN_RUNBOOK, "\"Back up\"", "\"Save\"")],
        "step 2 is another one than in the record|recorded  `Back up`|attempted `Save`|at test.rhai:8:1",
    ),
    (
        "a loop that goes on longer",
        &[
            (IN_RUNBOOK, "[1, 2]", "[1, 2, 3]"),
            (IN_RUNBOOK, "step(\"Stage\", || { note(\"staging\"); stage_install(c2, \"9.0.1\"); });\n", ""),
        ],
        "step 7 is another one than in the record|recorded  `Stage`|attempted `Round 3`",
    ),
    (
        "a parent's name",
        &[(IN_RUNBOOK, "\"Stage\"", "\"Lay down\"")],
        "step 7 is another one than in the record|recorded  `Stage`|attempted `Lay down`",
    ),
    (
        "a done argument",
        &[(IN_RUNBOOK, "backup(confdb, label)", "backup(confdb, \"x\")")],
        "in step 2 `Back up`|recorded `backup(confdb, before)`, attempted `backup(confdb, x)`|args.label: recorded `before`, attempted `x`|at test.rhai:8:20",
    ),
    (
        "a done note",
        &[(IN_RUNBOOK, "note(\"staging\")", "note(\"begin\")")],
        "in step 7 `Stage`|text: recorded `staging`, attempted `begin`",
    ),
    (
        "inserted before what is done",
        &[(IN_RUNBOOK, "|| backup(", "|| { note(\"now\"); backup("), (IN_RUNBOOK, "label));", "label) });")],
        "in step 2 `Back up`|attempted `note`",
    ),
    (
        "inserted after what is done",
        &[(IN_RUNBOOK, "shutdown(c2);", "shutdown(c2); status(c1);")],
        "in step 3 `Stop`|recorded `note`, attempted `status(c1)`",
    ),
    (
        "a step before what is done",
        &[(IN_RUNBOOK, "step(\"Back up\"", "step(\"First\", || 1);\nstep(\"Back up\"")],
        "recorded  `Back up`|attempted `First`",
    ),
    (
        "done steps in another order",
        &[(
            IN_RUNBOOK,
            "step(`Round ${n}`, || note(`round ${n}`));",
            "let m = 3 - n; step(`Round ${m}`, || note(`round ${m}`));",
        )],
        "recorded  `Round 1`|attempted `Round 2`",
    ),
    (
        "a done effect is gone",
        &[(IN_RUNBOOK, "shutdown(c2); ", "")],
        "in step 3 `Stop`|recorded `status(c2)`, attempted `note`",
    ),
    (
        "the last done effect is gone",
        &[(IN_RUNBOOK, "note(\"staging\"); ", "")],
        "in step 7 `Stage`|recorded `note`, attempted `staged_version(c2)`",
    ),
    (
        "a done step is gone",
        &[(IN_RUNBOOK, "step(\"Back up\", || backup(confdb, label));\n", "")],
        "recorded  `Back up`|attempted `Stop`",
    ),
    (
        "the runbook ends too soon",
        &[(
            IN_RUNBOOK,
            "step(\"Stage\", || { note(\"staging\"); stage_install(c2, \"9.0.1\"); });\nstep(\"Start\", || { start(c2); note(\"started\"); });",
            "",
        )],
        "it does not come to all of it, in step 7 `Stage`|recorded  step `Stage`|attempted nothing",
    ),
    ("a loop that ends too soon", &[(IN_RUNBOOK, "[1, 2]", "[1]")], "recorded  `Round 2`|attempted `Stage`"),
    (
        "another service",
        &[(IN_RUNBOOK, "parallel([c1, c2]", "parallel([c1, c1]")],
        "recorded `version(c2)`, attempted `version(c1)`",
    ),
    (
        "one track less",
        &[(IN_RUNBOOK, "parallel([c1, c2]", "parallel([c1]")],
        "it does not come to all of it|recorded  `version(c2)`|attempted nothing",
    ),
    (
        "parallel no more",
        &[(IN_RUNBOOK, "parallel([c1, c2], |s| version(s))", "version(c1)")],
        "recorded  `parallel`|attempted `version(c1)`",
    ),
    (
        "parallel where it was not",
        &[(IN_RUNBOOK, "|| backup(confdb, label)", "|| parallel([confdb], |s| backup(s, label))")],
        "recorded  `backup(confdb, before)`|attempted `parallel`",
    ),
    (
        "a module that notes otherwise",
        &[(IN_MODULE, "is settled", "has settled")],
        "in step 3 `Stop`|text: recorded `c2 is settled`, attempted `c2 has settled`|at stdlib/own/parts.rhai:2:21",
    ),
    (
        "a profile with another command",
        &[(IN_PROFILE, "\"shutdown\", \"{app}\"", "\"halt\", \"{app}\"")],
        "in step 3 `Stop`|argv[1]: recorded `shutdown`, attempted `halt`",
    ),
    (
        "an inventory with another host",
        &[(
            IN_INVENTORY,
            "host = \"cfg-b\"\nproduct = \"genesys-confdb\"",
            "host = \"cfg-a\"\nproduct = \"genesys-confdb\"",
        )],
        "in step 2 `Back up`|host: recorded `cfg-b`, attempted `cfg-a`",
    ),
    (
        "a guard that does not hold",
        &[(IN_RUNBOOK, "guard(role(c2) == \"backup\"", "guard(role(c2) == \"primary\"")],
        "it does not come to all of it, in step 1 `Look`|recorded  `note`|attempted nothing: it fails first: c2 must stand by",
    ),
    (
        "a done step wrapped in a step",
        &[(
            IN_RUNBOOK,
            "step(\"Back up\", || backup(confdb, label));",
            "step(\"Save\", || step(\"Back up\", || backup(confdb, label)));",
        )],
        "recorded  `Back up`|attempted `Save`",
    ),
    (
        "a parameter without a value",
        &[(IN_RUNBOOK, "let c1", "let to = param(\"to\");\nlet c1")],
        "needs a parameter `to`, which the run was begun without",
    ),
    (
        "a defect",
        &[(IN_RUNBOOK, "backup(confdb, label)", "backup(confdb, 1 + 1)")],
        "`backup` wants text as argument 2, not the number 2",
    ),
];

#[test]
fn what_fits_the_record_is_gone_on_with() {
    let base = scene(&[]);
    for (what, edits, words) in ACCEPTED {
        let (play, edited) = (stopped(&base), scene(edits));
        let before = play.records().len();
        let terms = adopting(&play, &edited).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(play.records().len(), before, "{what}: looking writes nothing");
        let told = terms.adoption.as_ref().map(|adoption| adoption.changes.join("; ")).unwrap_or_default();
        assert!(told.contains(words), "{what}: {told}");
        let done = play.resume_on(&edited, terms, &CrashClock::never()).expect(what).expect("it lives");
        assert_eq!(done.ending, Ending::Done, "{what}: {:?}", done.error);
        let records = play.records();
        let adopted = records.iter().filter(|record| matches!(record.fact, Fact::Adopted { .. })).count();
        assert_eq!(adopted, usize::from(!edits.is_empty()), "{what}");
        play.fits(&edited, records.len() - 1).unwrap_or_else(|error| panic!("{what}: it does not replay: {error}"));
        for (deed, count) in play.deeds() {
            let again = if deed == "c2 stage_install" { 2 } else { 1 };
            assert!(count <= again, "{what}: {deed} happened {count} times");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_first_difference() {
    let base = scene(&[]);
    for (what, edits, words) in REFUSED {
        let (play, edited) = (stopped(&base), scene(edits));
        let before = play.bytes();
        let Err(refusal) = play.fits(&edited, usize::MAX) else { panic!("{what}: accepted") };
        let refusal = refusal.to_string();
        for words in words.split('|') {
            assert!(refusal.contains(words), "{what}: {words:?} is not in\n{refusal}");
        }
        assert!(refusal.contains("nothing was written"), "{what}: {refusal}");
        assert_eq!(play.bytes(), before, "{what}: something was written");
    }
    assert!(ACCEPTED.len() + REFUSED.len() >= 30);
}
#[test]
fn whenever_its_runners_die_an_edited_run_comes_to_the_same_end() {
    let base = scene(&[]);
    let edited =
        scene(&[(IN_RUNBOOK, r#"stage_install(c2, "9.0.1")"#, r#"backup(confdb, "b"); stage_install(c2, "9.0.2")"#)]);
    let mut point = 1;
    loop {
        let play = stopped(&base);
        let clock = CrashClock::at(point);
        let terms = adopting(&play, &edited).expect("it fits");
        if play.resume_on(&edited, terms, &clock).expect("not refused").is_some() {
            break;
        }
        if matches!(play.records().last().map(|last| &last.fact), Some(Fact::Ended { ending: Ending::Done, .. })) {
            break;
        }
        // Without a word of the adoption on record, the next runner has to be told again.
        let terms = adopting(&play, &edited).expect("it fits still");
        let done = play.resume_on(&edited, terms, &CrashClock::never()).expect("not refused").expect("it lives");
        assert_eq!(done.ending, Ending::Done, "died at {point}: {:?}", done.error);
        let adopted = play.records().iter().filter(|record| matches!(record.fact, Fact::Adopted { .. })).count();
        assert!((1..=2).contains(&adopted), "died at {point}: adopted {adopted} times");
        let often: Vec<_> = play.deeds().into_iter().filter(|(_, count)| *count > 1).collect();
        let backups = ("confdb backup".to_owned(), 2);
        assert_eq!(often, [("c2 stage_install".to_owned(), 1), backups.clone()][1..], "died at {point}");
        point += 1;
    }
    assert!(point > 20, "only {point} points");
}

const QUESTION: &str = r#"//! Asks
step("Ask", || { note("first"); guard(confirm("go on?"), "somebody said no"); });
step("Back up", || backup(service("confdb"), "a"));
"#;

#[test]
fn a_question_without_an_answer_may_be_another_and_an_answer_to_other_words_lapses() {
    let base = Scene::of_text(QUESTION);
    let others = [
        QUESTION.replace("go on?", "really go on?"),
        QUESTION.replace("guard(confirm", "backup(service(\"confdb\"), \"b\"); guard(confirm"),
        QUESTION.replace("guard(confirm(\"go on?\"), \"somebody said no\");", ""),
    ];
    for text in &others {
        for answered in [false, true] {
            let play = base.play_with(1, &strikes(Harm::Nobody, "confirm", "confirm-1"));
            assert_eq!(play.run().ending, Ending::Suspended);
            if answered {
                play.answer("yes");
            }
            let edited = Scene::of_text(text);
            let terms = adopting(&play, &edited).unwrap_or_else(|error| panic!("{text}: {error}"));
            let told = terms.adoption.as_ref().expect("some").changes.join("; ");
            assert_eq!(told.contains("the answer `yes` of anna lapses"), answered, "{told}");
            let done = play.resume_on(&edited, terms, &CrashClock::never()).expect("fits").expect("it lives");
            assert_eq!(done.ending, Ending::Done, "{text}: {:?}", done.error);
        }
    }
    let play = base.play_with(1, &strikes(Harm::Nobody, "confirm", "confirm-1"));
    play.run();
    play.answer("no");
    let edited = Scene::of_text(&QUESTION.replace("\"a\"", "\"c\""));
    let done = play.resume_on(&edited, adopting(&play, &edited).expect("fits"), &CrashClock::never());
    assert_eq!(done.expect("fits").expect("it lives").ending, Ending::Unmet, "the answer to the same words counts");
}

#[test]
fn a_wait_under_way_may_be_another_and_a_change_under_way_may_not() {
    let text = r#"//! Waits
step("Back up", || backup(service("confdb"), "a"));
step("Wait", || wait_until("never", || role(service("c2")) == "x", #{ every: "1s", limit: "5min" }));
"#;
    let base = Scene::of_text(&text.replace(
        "wait_until(\"never\", || role(service(\"c2\")) == \"x\", #{ every: \"1s\", ",
        "wait_role(service(\"c2\"), \"primary\", #{ ",
    ));
    let edited = Scene::of_text(&text.replace(
        "wait_until(\"never\", || role(service(\"c2\")) == \"x\", #{ every: \"1s\", ",
        "wait_role(service(\"c2\"), \"backup\", #{ ",
    ));
    let other = Scene::of_text(&text.replace("\"a\"", "\"b\""));
    let (mut waits, mut changes) = (0, 0);
    for point in 3.. {
        let play = base.play(1);
        if play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_some() {
            break;
        }
        let records = play.records();
        let Some(Fact::Intent { effect, .. }) = records.last().map(|last| &last.fact) else { continue };
        if effect.kind() == "until" {
            waits += 1;
            let terms = adopting(&play, &edited).expect("a wait may be another");
            let done = play.resume_on(&edited, terms, &CrashClock::never()).expect("fits").expect("it lives");
            assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
        } else {
            changes += 1;
            let refusal = adopting(&play, &other).expect_err("a change under way is settled first").to_string();
            assert!(refusal.contains("it is under way: see it to its end first: baton resume sim"), "{refusal}");
        }
    }
    assert!(waits > 0 && changes > 0, "{waits} waits, {changes} changes");
}

#[test]
fn what_failed_and_still_runs_is_not_raced() {
    let text = r#"//! Takes too long
step("Back up", || backup(service("confdb"), "a", #{ limit: "20s" }));
"#;
    let base = Scene::of_text(text);
    let play = base.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    let edited = Scene::of_text(&text.replace("\"a\", #{ limit: \"20s\" }", "\"b\""));
    let before = play.bytes();
    let terms = adopting(&play, &edited).expect("it fits");
    let refusal = play.resume_on(&edited, terms, &CrashClock::never()).expect_err("it still runs").to_string();
    assert!(refusal.contains("`backup(confdb, a)` still runs on `cfg-b`"), "{refusal}");
    assert_eq!(play.bytes(), before);
    play.estate.pass(60_000);
    let terms = adopting(&play, &edited).expect("it fits");
    let done = play.resume_on(&edited, terms, &CrashClock::never()).expect("it has ended").expect("it lives");
    assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
}

#[test]
fn what_a_person_says_did_not_happen_may_be_asked_otherwise() {
    let text = "//! Runs\nlet h = host(\"cfg-a\");\nstep(\"Run\", || run(h, [\"touch\", \"x\"]));\n";
    let base = Scene::of_text(text);
    let play = base.play_with(1, &strikes(Harm::JobLost { happened: false }, "run", "cfg-a"));
    assert_eq!(play.run().ending, Ending::Doubt);
    let edited = Scene::of_text(&text.replace("\"x\"", "\"y\""));
    let refusal = adopting(&play, &edited).expect_err("nobody knows whether it happened").to_string();
    assert!(refusal.contains("recorded `run(cfg-a, touch x)`, attempted `run(cfg-a, touch y)`"), "{refusal}");
    for scene in [&edited, &base] {
        let terms = ResumeTerms { adoption: play.fits_if(scene, false).ok(), ..ResumeTerms::default() };
        let verdict = OperatorRuling::NotHappened("looked".to_owned());
        let play = base.play_with(1, &strikes(Harm::JobLost { happened: false }, "run", "cfg-a"));
        play.run();
        let done = play
            .resume_on(scene, ResumeTerms { verdict, ..terms }, &CrashClock::never())
            .expect("fits")
            .expect("lives");
        assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
    }
}

// ---- through the binary --------------------------------------------------------------------------------------

const PRODUCT: &str = r#"
product = "acme-db"
title = "Acme database"
model = "acme"

[requires]
folder = "where it is installed"

[verbs.save]
class = "once"
argv = ["sh", "-c", "echo saved >> {folder}/saved"]
limit = "10s"

[verbs.fix]
class = "once"
argv = ["sh", "-c", "test {how} = well && touch {folder}/fixed"]
limit = "10s"
"#;

const BROKEN: &str = r#"//! Fixes the database
let db = service("db");
step("Save", || change(db, "save"));
step("Fix", || change(db, "fix", #{ how: "badly" }));
step("Tell", || note("fixed"));
"#;

fn site(runbook: &str) -> Baton {
    let baton = Baton::new();
    let folder = baton.folder().display().to_string();
    let inventory = format!(
        "[hosts.here]\naddress = \"local\"\n\n[services.db]\nhost = \"here\"\nproduct = \"acme-db\"\nfolder = \"{folder}\"\n"
    );
    baton.write("stdlib/products/acme-db.toml", PRODUCT).write("runbooks/own/t.rhai", runbook);
    baton.write("site.toml", &inventory);
    baton
}

fn saved(baton: &Baton) -> usize {
    std::fs::read_to_string(baton.folder().join("saved")).expect("it was saved").lines().count()
}

#[test]
fn a_failed_step_is_put_right_in_the_editor_and_the_run_goes_on() {
    let baton = site(BROKEN);
    baton.run(&["run", "own/t", "-i", "site.toml"]).code(1);
    let adopt = ["resume", "latest", "--adopt-edited"];
    let dry = ["resume", "latest", "--adopt-edited", "--dry"];
    baton.run(&dry).code(0).says("nothing was edited: the texts are those on record");

    baton.write("runbooks/own/t.rhai", &BROKEN.replace("\"badly\" }", "\"well\" "));
    baton.run(&adopt).code(2).says("own/t.rhai:4").says("help: fix it, then: baton check own/t");
    baton.write("runbooks/own/t.rhai", &BROKEN.replace("step(\"Fix\"", "strep(\"Fix\""));
    baton.run(&adopt).code(2).says("unknown function `strep`");

    baton.write("runbooks/own/t.rhai", &BROKEN.replace("change(db, \"save\")", "note(\"saved\")"));
    for words in [&adopt[..], &dry] {
        let refused = baton.run(words).code(8);
        assert!(refused.err.contains("in step 1 `Save`") && refused.err.contains("own/t.rhai:3"), "{}", refused.err);
    }

    let good =
        BROKEN.replace("badly", "well").replace("step(\"Tell\"", "step(\"Check\", || note(\"x\"));\nstep(\"Tell\"");
    baton.write("runbooks/own/t.rhai", &good);
    baton.run(&dry).code(0).says("the edited texts fit: 2 steps unchanged, changed: \"Fix\", new: \"Check\"");
    assert!(!baton.folder().join("fixed").exists(), "a look changes nothing");
    baton.run(&["resume", "latest"]).code(1);
    baton.run(&adopt).code(0).says("edited texts adopted by").says("changed: \"Fix\"").says("new: \"Check\"");
    assert_eq!(saved(&baton), 1);
    baton.run(&["show", "latest"]).code(0).says("edited texts adopted by");
    baton.run(&adopt).code(0).says("is over; nothing was done");
    let lacks = baton.run(&["resume", "latest", "--dry"]).code(2);
    assert!(lacks.err.ends_with("help: type: baton resume latest --adopt-edited --dry\n"), "{}", lacks.err);
}

#[test]
fn an_inventory_that_went_away_is_missed() {
    let baton = site(BROKEN);
    baton.run(&["run", "own/t", "-i", "site.toml"]).code(1);
    std::fs::remove_file(baton.folder().join("site.toml")).expect("removes it");
    baton.run(&["resume", "latest", "--adopt-edited"]).code(2).says("there is no inventory `site.toml` here");
    baton.run(&["resume", "latest"]).code(1);
    assert_eq!(saved(&baton), 1);
}
