//! Steps, obligations, guards, holds, halts, parallel work.

use super::Test;
use baton::script::evaluate::script_end::ScriptEnd;

#[test]
fn a_step_gives_what_its_body_gives_and_names_its_place() {
    let test = Test::new("let v = step(\"Read\", || {\n  version(service(\"c1\"))\n});\nnote(`it is ${v}`);")
        .answer("version(c1)", "8.5");
    assert_eq!(test.done(), ["[Read", "version(c1)", "]", "note: it is 8.5"]);
    assert_eq!(test.door.place("version(c1)"), "test.rhai:2:3");
}

#[test]
fn a_failed_effect_is_a_map_that_can_be_caught() {
    let script = r#"
        let c1 = service("c1");
        try { step("Back up", || backup(c1)); }
        catch (e) { note(`${e.kind} ${e.message} ${e.host} ${e.service} ${e.exit} ${e.step} ${e.effect}`);
                    note(`${e.file}:${e.line}:${e.column}`); }"#;
    let test = Test::new(script).fail("backup(c1, before-upgrade)", "ended with exit code 3");
    assert_eq!(
        test.done(),
        [
            "[Back up",
            "backup(c1, before-upgrade)",
            "] ended with exit code 3",
            "note: exit ended with exit code 3 cfg-a c1 3 1 0:1",
            "note: test.rhai:3:34",
        ]
    );
}

#[test]
fn an_uncaught_failure_ends_the_run_with_its_effect_and_line() {
    let test = Test::new("fn save(s) {\n  backup(s)\n}\nsave(service(\"c1\"));")
        .fail("backup(c1, before-upgrade)", "ended with exit code 3");
    let ScriptEnd::Failed { error, effect, guard, .. } = test.run() else { panic!("not failed") };
    assert_eq!(
        error.to_string(),
        "error: ended with exit code 3\n  at test.rhai:2:3\n  in `save`, called at test.rhai:4:1\n  caused by: line 2"
    );
    assert_eq!((effect.map(|id| id.to_string()).as_deref(), guard), (Some("0:1"), false));
}

#[test]
fn a_failure_thrown_again_keeps_its_effect() {
    let test = Test::new("try { backup(service(\"c1\")); } catch (e) { note(\"back\"); throw e; }")
        .fail("backup(c1, before-upgrade)", "broken");
    let ScriptEnd::Failed { error, effect, .. } = test.run() else { panic!("not failed") };
    assert_eq!((error.message.as_str(), effect.is_some()), ("broken", true));
}

#[test]
fn a_guard_that_does_not_hold_fails_the_run() {
    let test = Test::new("guard(1 > 2, \"one must be more than two\");");
    let ScriptEnd::Failed { error, effect, guard, .. } = test.run() else { panic!("not failed") };
    assert_eq!((error.message.as_str(), effect, guard), ("one must be more than two", None, true));
}

#[test]
fn obligations_run_newest_first_when_done() {
    let script = r#"ensure("first", || note("1")); ensure("second", || note("2")); note("body");"#;
    assert_eq!(Test::new(script).done(), ["note: body", "[second", "note: 2", "]", "[first", "note: 1", "]"]);
}

#[test]
fn a_hold_cannot_be_caught_and_obligations_are_met() {
    let script = r#"
        ensure("tidy", || note("tidied"));
        step("Decide", || { try { hold("unclear", "look at the log"); } catch { note("never"); } });
        note("never either");"#;
    let test = Test::new(script);
    let end = ScriptEnd::Held { reason: "unclear".into(), instructions: "look at the log".into() };
    assert_eq!(test.run(), end);
    assert_eq!(test.door.seen(), ["[Decide", "] held: unclear", "[tidy", "note: tidied", "]"]);
}

#[test]
fn a_failing_obligation_fails_the_run() {
    let test = Test::new("ensure(\"save\", || backup(service(\"c1\")));").fail("backup(c1, before-upgrade)", "broken");
    assert!(matches!(test.run(), ScriptEnd::Failed { .. }));
}

#[test]
fn a_halt_inside_array_callbacks_ends_the_run() {
    for call in ["[1, 2].map(|x| { note(`${x}`); x })", "[3, 1, 2].sort(|a, b| { note(`${a}`); a - b })"] {
        let test = Test::new(&format!("note(\"0\"); {call}; note(\"after\"); while true {{ }}"));
        for label in ["note: 1", "note: 2", "note: 3"] {
            test.door.halt_at(label);
        }
        assert_eq!(test.run(), ScriptEnd::Halted, "{call}");
        assert_eq!(test.door.seen().len(), 2, "{call}: {:?}", test.door.seen());
    }
}

#[test]
fn a_hold_inside_a_sort_is_a_hold() {
    let test = Test::new("[2, 1].sort(|a, b| { hold(\"stop\") }); note(\"never\");");
    assert!(matches!(test.run(), ScriptEnd::Held { .. }));
    assert!(test.door.seen().is_empty());
}

#[test]
fn a_halt_cannot_be_caught() {
    let test = Test::new("try { note(\"x\"); } catch { } note(\"y\");").halt_at("note: x");
    assert_eq!(test.run(), ScriptEnd::Halted);
    assert_eq!(test.door.seen(), ["note: x"]);
}

#[test]
fn parallel_gives_results_in_order_and_tracks_share_nothing() {
    let script = r#"
        let counter = 0;
        let inner = || { counter += 1; counter };
        let results = parallel([10, 20, 30], |x| { inner.call(); counter += x; counter });
        note(`${results} ${counter}`);"#;
    assert_eq!(Test::new(script).done(), ["note: [10, 20, 30] 0"]);
}

#[test]
fn the_first_failure_in_order_of_the_items_is_raised_after_all_have_ended() {
    let script = r#"
        try { parallel(["a", "b", "c"], |x| { note(x); guard(x == "a", `${x} fails`); }); }
        catch (e) { note(e.message); }"#;
    assert_eq!(Test::new(script).done(), ["note: c", "note: b", "note: a", "note: b fails"]);
}

#[test]
fn a_hold_on_a_track_holds_the_run_after_the_others_have_ended() {
    let script =
        r#"parallel(["a", "b"], |x| { ensure(x, || note(`owed ${x}`)); if x == "b" { hold("b is odd"); } note(x); });"#;
    let test = Test::new(script);
    assert!(matches!(test.run(), ScriptEnd::Held { .. }));
    assert_eq!(test.door.seen(), ["note: a", "[b", "note: owed b", "]", "[a", "note: owed a", "]"]);
}

#[test]
fn modules_may_hold_steps_and_take_closures() {
    let module = "fn twice(name, body) {\n  step(name, || { body.call(); });\n  step(name, body);\n}\n\
                  fn make() { || note(\"made\") }";
    let test =
        Test::new("import \"x/lib\" as lib;\nlib::twice(\"S\",\n  || note(\"mine\"));\nstep(\"T\", lib::make());")
            .module("x/lib", module);
    assert_eq!(test.done(), ["[S", "note: mine", "]", "[S", "note: mine", "]", "[T", "note: made", "]"]);
    let places: Vec<String> = vec![test.door.place("note")];
    assert_eq!(places, ["test.rhai:3:6"]);
}

#[test]
fn a_run_can_end_early_with_return() {
    assert_eq!(Test::new("note(\"a\"); if true { return; } note(\"b\");").done(), ["note: a"]);
}

#[test]
fn wait_until_looks_once_more_after_its_limit() {
    let script = r#"try { wait_until("never", || { note("look"); false }, #{ every: "10s", limit: "15s" }); }
                    catch (e) { note(`${e.kind}: ${e.message}`); }"#;
    assert_eq!(
        Test::new(script).done(),
        ["note: look", "never", "note: look", "never", "note: look", "note: limit: still waiting after 15s: never",]
    );
}

#[test]
fn what_is_owed_for_each_round_of_a_loop_is_owed_for_that_round() {
    let script = r#"for s in ["a", "b"] { ensure("lift " + s, || note(s), #{ harm: || { note(`ask ${s}`); "" } }); }"#;
    assert_eq!(
        Test::new(script).done(),
        ["[lift b", "note: ask b", "note: b", "]", "[lift a", "note: ask a", "note: a", "]"]
    );
}

/// What the script does later with a variable does not reach what is owed; what has nothing in it yet does.
#[test]
fn what_is_owed_keeps_the_values_it_had_when_it_became_owed() {
    for (text, expected) in [
        (
            r#"let h = "p"; ensure("unlock", || note(h)); h = "q"; note(h);"#,
            &["note: q", "[unlock", "note: p", "]"][..],
        ),
        (
            r#"let n = 0; while n < 2 { ensure("e" + n, || note(n), #{ harm: || { note(-n); "" } }); n += 1; }"#,
            &["[e1", "note: -1", "note: 1", "]", "[e0", "note: 0", "note: 0", "]"],
        ),
        (r#"let at = (); ensure("thaw", || if at != () { note(at) }); at = "c1";"#, &["[thaw", "note: c1", "]"]),
    ] {
        assert_eq!(Test::new(text).done(), expected, "{text}");
    }
}

#[test]
fn a_failure_in_a_closure_of_a_list_is_a_failure_of_the_runbook() {
    for call in [
        "[2, 1].sort(|x, y| { guard(false, \"no\"); 0 })",
        "[2, 1].sort_by(|x, y| { guard(false, \"no\"); 0 })",
        "[2, 1].order(|x, y| { guard(false, \"no\"); 0 })",
        "[2, 1].dedup(|x, y| { guard(false, \"no\"); true })",
        "[2, 1].filter(|x| { guard(false, \"no\"); true })",
        "[2, 1].retain(|x| { guard(false, \"no\"); true })",
        "[2, 1].reduce(|sum, x| { guard(false, \"no\"); 0 })",
        "#{ a: 1 }.map(|x| { guard(false, \"no\"); 0 })",
        "#{ a: 1 }.filter(|x| { guard(false, \"no\"); true })",
    ] {
        let test = Test::new(&format!("let list = {call}; note(\"went on\");"));
        let end = test.run();
        assert!(matches!(end, ScriptEnd::Failed { .. }), "{call}: {end:?}");
        assert!(test.door.seen().is_empty(), "{call}: {:?}", test.door.seen());
    }
}

#[test]
fn what_a_closure_of_a_list_says_is_an_answer_or_a_bug() {
    for (call, wanted) in [
        ("[\"a\"].filter(|x| x)", "expected true or false, not text"),
        ("[\"a\"].all(|x| 5)", "expected true or false, not a whole number"),
        ("[\"a\"].some(|x| { })", "expected true or false, not nothing"),
        ("[\"a\"].find(|x| x)", "expected true or false, not text"),
        ("[\"a\"].index_of(|x| x)", "expected true or false, not text"),
        ("[2, 1].sort(|x, y| \"x\")", "expected a whole number, not text"),
    ] {
        let told = Test::new(&format!("let found = {call};")).bug();
        assert!(told.contains(wanted) && told.contains("at test.rhai:1:"), "{call}: {told}");
    }
}

#[test]
fn lists_are_sorted_by_any_closure() {
    let seen = Test::new(
        "let names = []; for i in 0..30 { names.push(#{ key: (i * 7) % 3, name: i }); }
         names.sort(|a, b| a.key - b.key);
         let by_key = names.map(|n| n.name);
         names.sort(|a, b| a.name < b.name);
         note(by_key); note(names.map(|n| n.name).len()); note([3, 1, 2].order(|a, b| b - a));
         let odd = []; for i in 0..100 { odd.push(i); } odd.sort(|a, b| 1); odd.sort(|a, b| -1); note(odd.len());
         let few = [1, 2, 3, 4]; let out = few.drain(|x| x > 2); note(few); note(out); let out = few.retain(|x| x > 1);
         note(few); note([1, 1, 2].all(|x| x > 0)); let twice = [1, 1, 2]; twice.dedup(|a, b| a == b); note(twice);",
    )
    .done();
    let expected = [
        "note: [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29]",
        "note: 30",
        "note: [3, 2, 1]",
        "note: 100",
        "note: [1, 2]",
        "note: [3, 4]",
        "note: [2]",
        "note: true",
        "note: [1, 2]",
    ];
    assert_eq!(seen, expected);
}
