//! Scripts that hold too much, or hold things in each other without end: each ends with a message and its line, and
//! never ends the process.

use super::Test;
use baton::dispatch::Halt;
use baton::engine::{Limits, STACK_BYTES, expect_bare_closures, sandbox, standard_package};
use baton::error::{Error, Kind};
use baton::model::run::record::Ending;
use baton::script::evaluate::script_end::ScriptEnd;

/// Runs a script on a stack as a track has, to a bug in its words that names a line.
#[track_caller]
fn too_much(script: &str, words: &str) {
    let text = script.to_owned();
    let on_stack = std::thread::Builder::new().stack_size(STACK_BYTES);
    let told = on_stack.spawn(move || Test::new(&text).bug()).unwrap().join().unwrap();
    assert!(told.contains(words) && told.contains("at test.rhai:"), "{script}\n{told}");
}

const NESTED: &str = "hold each other more than 64 deep";
const BYTES: &str = "holds more than 256 MiB";

#[test]
fn lists_and_maps_in_each_other_without_end() {
    for script in [
        "let a = []; for i in 0..20000 { a = [a]; }",
        "let a = #{}; for i in 0..20000 { a = #{ x: a }; }",
        "let a = []; for i in 0..20000 { a = [#{ x: a }]; }",
        "let m = #{}; for i in 0..20000 { m.x = m; }",
        "let m = #{ a: 0 }; for i in 0..20000 { m.a = [m.a]; }",
        "let m = #{ a: 0 }; for i in 0..20000 { m[\"a\"] = [m.a]; }",
        "let a = [1]; for i in 0..20000 { a.push([a.pop()]); }",
        "let a = [0]; for i in 0..20000 { a[0] = [a[0]]; }",
        "fn wrap(x) { [x] } let a = []; for i in 0..20000 { a = wrap(a); }",
        "fn grow() { this.a = [this.a]; } let m = #{ a: 0 }; for i in 0..20000 { m.grow(); }",
        "let l = []; l.pad(20000, 0); l.reduce(|all, x| [all]);",
        "let l = []; l.pad(20000, 0); let all = []; l.for_each(|x| all = [all]);",
        "step(\"s\", || { let a = []; for i in 0..20000 { a = [a]; } });",
        "parallel([1], |x| { let a = []; for i in 0..20000 { a = [a]; } });",
    ] {
        too_much(script, NESTED);
    }
}

#[test]
fn closures_in_each_other_without_end() {
    for script in [
        "let f = || 1; for i in 0..20000 { let g = f; f = || g.call(); }",
        "fn f(a) { a } let g = Fn(\"f\"); for i in 0..20000 { g = Fn(\"f\").curry(g); }",
        "let f = || 1; for i in 0..20000 { let g = #{ inner: [f] }; f = || g.inner[0].call(); }",
        // A chain of which only the last link is ever held by name, but for the first.
        "fn link() { let next = (); #{ get: || next, set: |to| { next = to; } } } let first = link(); let last = first;
         for i in 0..20000 { let more = link(); last.set.call(more); last = more; }",
    ] {
        too_much(script, NESTED);
    }
}

#[test]
fn what_holds_itself() {
    for script in [
        "let m = #{}; m.f = || m; note(m);",
        "let m = #{}; m.f = || m; switch m { 1 => 2, _ => 3 }",
        "let m = #{}; m.f = || m; note(`${m}`);",
        "let m = #{}; m.f = || m; let same = m == m;",
        "let a = []; let f = || a; a = [f]; let b = a;",
        "let f = (); f = || f; let g = f;",
    ] {
        too_much(script, NESTED);
    }
    too_much("let a = []; let f = || a; a.push(f); let b = a;", "`push` is given something that holds what is");
}

#[test]
fn no_try_and_no_callback_hides_that_a_script_holds_too_much() {
    too_much("try { let a = []; for i in 0..20000 { a = [a]; } } catch { } note(\"went on\");", NESTED);
    too_much("let a = []; [2, 1].sort(|x, y| { for i in 0..20000 { a = [a]; } 1 }); note(\"went on\");", NESTED);
}

#[test]
fn data_without_end_wherever_it_is_kept() {
    let big = "let s = \"x\"; for doubled in 0..20 { s += s; }";
    for script in [
        format!("let a = []; for i in 0..2000 {{ {big} a.push(Fn(\"f\").curry(s)); }}"),
        format!("let a = []; for i in 0..2000 {{ {big} a.push(|| s); }}"),
        format!("for i in 0..2000 {{ {big} ensure(\"e\" + i, || note(s)); }}"),
        format!("for i in 0..2000 {{ {big} step(\"s\" + i, || 1, #{{ undo: || note(s) }}); }}"),
        format!("fn f(n) {{ let a = []; for i in 0..100 {{ {big} a.push(|| s); }} if n > 0 {{ f(n - 1); }} }} f(40);"),
        format!("parallel([1, 2], |x| {{ let a = []; for i in 0..400 {{ {big} a.push(|| s); }} }});"),
    ] {
        too_much(&script, BYTES);
    }
    // What a track held is given back when it has ended: the door of this test has one at a time.
    let tracks =
        format!("parallel([1, 2, 3, 4], |x| {{ let a = []; for i in 0..100 {{ {big} a.push(|| s); }} a.len() }});");
    assert_eq!(Test::new(&tracks).run(), ScriptEnd::Done);
    too_much(
        &format!("let l = []; l.pad(2000, 0); let a = l.map(|i| {{ {big} || s }});"),
        "grows beyond every measure",
    );
}

#[test]
fn what_many_closures_share_counts_once() {
    let script = "let big = \"x\"; big.pad(1000000, \"y\"); let all = []; \
                  for i in 0..2000 { all.push(#{ f: || big.len() }); } note(all.len());";
    assert_eq!(Test::new(script).done(), ["note: 2000"]);
}

#[test]
fn closures_are_shown_without_what_they_hold() {
    let seen = Test::new("let x = 5; let m = #{ f: || x }; note(m);").done();
    assert!(seen.len() == 1 && seen[0].starts_with("note: #{\"f\": Fn("), "{seen:?}");
}

#[test]
fn the_deepest_calls_in_the_deepest_expressions_fit_on_the_stack() {
    for (open, close) in [("1 + (", ")"), ("g(", ")"), ("{ ", " }"), ("if true { ", " } else { 0 }")] {
        let script = format!(
            "fn g(x) {{ x }} fn f(n) {{ if n <= 0 {{ return 0; }} {}f(n - 1){}; 0 }} f(44);",
            open.repeat(14),
            close.repeat(14)
        );
        let on_stack = std::thread::Builder::new().stack_size(STACK_BYTES);
        let end = on_stack.spawn(move || format!("{:?}", Test::new(&script).run())).unwrap().join().unwrap();
        assert_eq!(end, "Done", "{open}");
    }
}

#[test]
fn models_and_modules_are_held_to_the_same_limits() {
    let engine = sandbox(Limits::MODEL, standard_package());
    let error = engine.run("let a = []; for i in 0..20000 { a = [a]; }").unwrap_err();
    assert!(error.to_string().contains(NESTED), "{error}");
    let error = engine.run("let m = #{}; m.f = || m; let n = m;").unwrap_err();
    assert!(error.to_string().contains(NESTED), "{error}");
}

#[test]
fn what_is_measured_less_often_is_found_too_deep_all_the_same() {
    let mut engine = sandbox(Limits::MODEL, standard_package());
    expect_bare_closures(&mut engine);
    for script in [
        "let a = []; for i in 0..20000 { a = [a]; }",
        "let m = #{}; for i in 0..20000 { m.x = m; }",
        "let a = [0]; for i in 0..20000 { a[0] = [a[0]]; }",
        "fn grow() { this.a = [this.a]; } let m = #{ a: 0 }; for i in 0..20000 { m.grow(); }",
        "fn wrap(x) { [x] } let a = []; for i in 0..20000 { a = wrap(a); }",
    ] {
        let error = engine.run(script).unwrap_err();
        assert!(error.to_string().contains(NESTED), "{script}: {error}");
    }
}

#[test]
fn a_script_that_computes_stops_when_somebody_wants_it_to() {
    for script in [
        "let x = 0; loop { x = (x + 1) % 7; }",
        "loop { [3, 1, 2].sort(|a, b| a - b); }",
        "loop { [1, 2, 3].map(|x| x + 1); }",
        "step(\"s\", || { try { loop { } } catch { note(\"went on\") } });",
    ] {
        let test = Test::new(script);
        let error = Error::new(Kind::Interrupted, "interrupted");
        test.door.stop_while_computing(Halt { ending: Ending::Interrupted, error, effect: None });
        assert_eq!(test.run(), ScriptEnd::Halted, "{script}");
        assert!(!test.door.seen().iter().any(|seen| seen.contains("went on")), "{script}");
    }
}
