//! What verbs ask of the door.

use super::{Test, sources};
use baton::model::run::automaton::Symbol;
use baton::model::run::effect::{Action, Want};
use baton::model::run::mark::Mark;
use baton::model::span::Span;
use baton::model::value::Value;
use baton::script::evaluate::script_end::ScriptEnd;
use baton::script::evaluate::surface;
use baton::script::primitives;

#[test]
fn an_idempotent_verb_looks_first_and_does_nothing_when_its_goal_holds() {
    let script = "let r = shutdown(service(\"c2\")); note(`${r.changed} ${r.former}`);";
    let test = Test::new(script).answer("status(c2)", "stopped");
    assert_eq!(test.done(), ["status(c2)", "note: false stopped"]);
}

#[test]
fn a_change_knows_its_command_its_goal_and_how_to_undo_it() {
    let script =
        "let r = set_option(service(\"c2\"), \"s\", \"k\", 1, #{ limit: \"90s\" }); note(`${r.changed} ${r.former}`);";
    let test = Test::new(script).answer("option(c2)", "0");
    assert_eq!(test.done(), ["option(c2)", "set_option(c2, s, k, 1)", "note: true 0"]);
    let effect = test.door.effect("set_option(c2, s, k, 1)");
    let Action::Job(job) = &effect.action else { panic!("not a job") };
    assert_eq!(job.argv, ["adapter", "set_option", "c2", "s", "k", "1"]);
    assert_eq!(job.goal.as_ref().unwrap().wants, ["1".into()]);
    assert_eq!(job.limit.to_string(), "1min 30s");
    let undo = effect.undo.unwrap();
    assert_eq!((undo.verb.as_str(), undo.args.get("former")), ("restore_option", Some(&Value::from("0"))));
}

#[test]
fn a_once_verb_carries_the_check_that_settles_a_doubt() {
    let test = Test::new("backup(pair(\"confserv\").database, \"before\");");
    test.done();
    let Action::Job(job) = test.door.effect("backup(db, before)").action else { panic!("not a job") };
    let check = job.check.unwrap();
    assert_eq!((check.what.as_str(), check.exit_tells), ("has_backup", true));
    assert_eq!(check.argv, ["adapter", "has_backup", "db", "before"]);
}

#[test]
fn start_marks_the_log_before_it_starts() {
    let test =
        Test::new("start(service(\"c2\")); wait_for_log(service(\"c2\"), [22172, \"ready .*\"], #{ exit: true });");
    assert_eq!(test.done(), ["mark(c2)", "status(c2)", "start(c2)", "wait_for_log(c2, 22172 or \"ready .*\")"]);
    let Action::Log(wait) = test.door.effect("wait_for_log(c2, 22172 or \"ready .*\")").action else { panic!() };
    assert_eq!(wait.source.dir, "/log/c2");
    assert_eq!(wait.source.events, [22172, 22911, 25301, 25302]);
    assert_eq!(wait.source.meanings["22172"], "initialized as backup");
    assert!(wait.exit.is_some());
}

#[test]
fn a_wait_without_a_mark_takes_one() {
    assert_eq!(Test::new("wait_for_log(service(\"c1\"), 22172);").done(), ["mark(c1)", "wait_for_log(c1, 22172)"]);
}

#[test]
fn a_wait_from_the_start_takes_no_mark_and_heeds_none() {
    let test = Test::new("let c1 = service(\"c1\"); mark(c1); wait_for_log(c1, 22172, #{ from: \"start\" });");
    assert_eq!(test.done(), ["mark(c1)", "wait_for_log(c1, 22172)"]);
    let Action::Log(wait) = test.door.effect("wait_for_log(c1, 22172)").action else { panic!("not a wait") };
    assert_eq!(wait.from, Mark::default(), "all of its files are new to it");
    assert_eq!(
        Test::new("wait_for_log(service(\"c1\"), 22172, #{ from: \"start\" });").done(),
        ["wait_for_log(c1, 22172)"]
    );
}

#[test]
fn the_members_of_a_pair_are_observed() {
    let test =
        Test::new("let p = pair(\"confserv\"); note(p.primary().name + \" \" + p.backup().name + ` ${p.members}`);")
            .answer("role(c1)", "backup")
            .answer("role(c2)", "primary");
    assert_eq!(test.done().last().unwrap(), "note: c2 c1 [service(\"c1\"), service(\"c2\")]");
    let test = Test::new("pair(\"confserv\").primary();").answer("role(c1)", "primary").answer("role(c2)", "primary");
    let ScriptEnd::Failed { error, guard, .. } = test.run() else { panic!("not failed") };
    assert_eq!(
        (error.message.as_str(), guard),
        ("pair `confserv` has 2 primaries, not one: `c1` reads primary, `c2` reads primary", true)
    );
}

#[test]
fn a_severe_verb_wants_the_name_typed() {
    let script = "install(service(\"c1\"), \"8.5\");";
    let yes = Test::new(script).answer("confirm install(c1)", Value::map([("word", "c1".into())]));
    assert_eq!(yes.done(), ["confirm install(c1)", "install(c1, 8.5)"]);
    let no = Test::new(script).answer("confirm install(c1)", Value::map([("word", "no".into())]));
    assert!(matches!(no.run(), ScriptEnd::Failed { .. }));
    assert_eq!(no.door.seen(), ["confirm install(c1)"]);
}

#[test]
fn people_answer_in_words() {
    let script = r#"note(`${confirm("sure?")} ${choose("which?", ["a", "b"])}`);
                    try { manual("pull the plug", "it is dark"); } catch (e) { note(`${e.kind}: ${e.message}`); }"#;
    let test = Test::new(script)
        .answer("confirm(sure?)", Value::map([("word", "yes".into())]))
        .answer("choose(which?)", Value::map([("word", "b".into())]))
        .answer("manual(pull the plug)", Value::map([("word", "failed".into()), ("note", "no plug".into())]));
    let seen = test.done();
    assert_eq!(seen[2], "note: true b");
    assert_eq!(seen[4], "note: declined: a person says that it failed: pull the plug: no plug");
}

#[test]
fn a_decision_table_is_read_from_plain_data() {
    let script = r#"
        let table = #{ start: "W0", settle: #{ WS: "10s" }, rows: [
            ["W0", 22911, "WS"],
            when(false, ["W0", 1, "GONE"]),
            [["W0", "WS"], [25301, 25302], "same", "seen too often"],
            ["WS", "settled", end("READY")],
            ["any", ["exit", "limit"], end("FAILED")],
            ["any", "other", end("ANOMALY")],
        ] };
        watch_log(service("c2"), table, #{ contact: "5min" });"#;
    let test = Test::new(script);
    test.done();
    let Action::Log(wait) = test.door.effect("watch_log(c2)").action else { panic!("not a wait") };
    assert!(wait.exit.is_some(), "the table has an exit row");
    let Want::Table(table) = wait.want else { panic!("not a table") };
    assert_eq!(wait.contact.map(|span| span.to_string()).as_deref(), Some("5min"));
    assert_eq!((table.rows.len(), table.rows[0].symbols.as_slice()), (5, &[Symbol::Event(22911)][..]));
    assert_eq!((table.settles["WS"].to_string().as_str(), table.rows[1].warning.as_str()), ("10s", "seen too often"));
}

#[test]
fn versions_are_compared_as_numbers() {
    let script = r#"note(`${older("8.1.9", "8.1.10")} ${older("8.5", "8.1.300")} ${same_version("8.5", "8.5.0")}`);"#;
    assert_eq!(Test::new(script).done(), ["note: true false true"]);
}

/// What is no version, or cannot be told apart, is never taken for older or newer.
#[test]
fn what_is_no_version_fails_like_a_guard() {
    for (text, part) in [
        (r#"older(role(service("c1")), "8.5")"#, "`older`: `unknown` is no version"),
        (r#"same_version(role(service("c1")), "8.5")"#, "`same_version`: `unknown` is no version"),
        (r#"older("8.5", "8.5 (beta)")"#, "nobody can tell which of `8.5` and `8.5 (beta)` is older"),
    ] {
        let ended = Test::new(&format!("note({text});")).answer("role(c1)", "unknown").run();
        let ScriptEnd::Failed { error, guard: true, .. } = &ended else { panic!("{text}: {ended:?}") };
        assert!(error.message.contains(part), "{text}: {error}");
    }
    let caught = r#"try { older("", "1"); } catch (why) { note(why.kind); }"#;
    assert_eq!(Test::new(caught).done(), ["note: guard"]);
}

#[test]
fn every_primitive_is_documented_and_its_example_compiles() {
    for doc in primitives::docs() {
        assert!(!doc.summary.is_empty() && !doc.signatures.is_empty(), "{}", doc.name);
        for signature in doc.signatures {
            assert!(signature.starts_with(&format!("{}(", doc.name)), "{signature}");
        }
        assert!(doc.example.contains(doc.name), "{} is not in its example", doc.name);
        let program = sources(doc.example, &[]).and_then(|sources| baton::script::program(&sources));
        if let Err(error) = program {
            panic!("{}: {error}", doc.name);
        }
    }
}

/// What a script can call decides what it can do: a new name here must be meant.
#[test]
fn scripts_see_these_functions_and_no_others() {
    let listed = surface::listing().join("\n") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/surface.txt");
    if std::env::var_os("BATON_BLESS").is_some() {
        std::fs::write(path, &listed).unwrap();
    }
    assert_eq!(listed, std::fs::read_to_string(path).unwrap(), "BATON_BLESS=1 cargo test writes the new list");
}

#[test]
fn a_run_costs_microseconds() {
    let program = sources("note(\"x\");", &[]).and_then(|sources| baton::script::program(&sources)).unwrap();
    let inventory = super::inventory();
    let begun = std::time::Instant::now();
    for _ in 0..1000 {
        let door = std::rc::Rc::new(super::door::FakeDoor::default());
        let end = baton::script::evaluate::stage::run(&program, door, inventory.clone(), Default::default());
        assert_eq!(end, ScriptEnd::Done);
    }
    assert!(begun.elapsed().as_millis() < 1000, "1000 runs took {:?}", begun.elapsed());
}

#[test]
fn a_command_with_a_zero_byte_is_a_bug_and_nothing_is_started() {
    for call in
        ["run(service(\"c1\"), [\"echo\", \"a\\x00b\"])", "set_option(service(\"c1\"), \"s\", \"o\", \"a\\x00b\")"]
    {
        let test = Test::new(call);
        let told = test.bug();
        assert!(told.contains("no command can have a zero byte in it"), "{told}");
        assert!(test.door.seen().iter().all(|seen| seen == "option(c1)"), "{:?}", test.door.seen());
    }
}

#[test]
fn what_a_condition_reads_takes_no_longer_than_its_wait() {
    let test =
        Test::new("status(service(\"c1\")); wait_until(\"x\", || role(service(\"c1\")) == \"x\", #{ limit: \"3s\" });")
            .answer("role(c1)", "x");
    test.done();
    let within = |label: &str| match test.door.effect(label).action {
        Action::Probe(probe) => probe.within,
        other => panic!("{other:?}"),
    };
    assert_eq!((within("status(c1)"), within("role(c1)")), (None, Some(Span::secs(3))));
}
