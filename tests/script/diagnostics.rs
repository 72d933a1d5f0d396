//! What the author of a broken runbook is told.

use super::{Test, sources};

const NEXT: &str = "\n  hint: fix it, then: baton check test";

#[track_caller]
fn told(test: Test, message: &str) {
    assert_eq!(test.bug(), format!("error: {message}{NEXT}"));
}

#[test]
fn broken_texts_are_refused_with_the_line() {
    for (script, message) in [
        ("let x = ;", ""),
        ("step(\"a\", || { note(\"b\") ", ""),
        ("let count = 1;\nnote(cuont);", ""),
        ("let s = 1;\nfn f() { s }", ""),
        ("shutdwn(service(\"c1\"));", ""),
        ("shutdown();", ""),
        ("shutdown(\"c1\");", ""),
        ("shutdown(service(\"c3\"));", ""),
        ("shutdown(service(\"c1\"), #{ limt: \"5min\" });", ""),
        ("shutdown(service(\"c1\"), #{ limit: \"5 parsecs\" });", ""),
        ("change(service(\"c1\"), \"shutdwn\");", ""),
        ("loop { }", ""),
        ("fn f() { f() }\nf();", ""),
        ("let s = \"x\"; loop { s += s; }", ""),
        ("eval(\"1\");", ""),
        ("sleep(5);", ""),
        ("exit();", ""),
        ("import \"../x\" as x;", ""),
        ("import \"/etc/x\" as x;", ""),
        ("import \"no/such\" as x;", ""),
        ("let n = \"a/b\"; import n as x;", ""),
        ("cs::finish();", ""),
        ("let c1 = service(\"c1\"); c1.hots;", ""),
        ("let a = 1 + #{};", ""),
        ("wait_for_log(service(\"c1\"), \"(\");", ""),
        ("watch_log(service(\"c1\"), #{ start: \"A\", rows: [[\"A\", \"22172\", \"A\"]] });", ""),
    ] {
        eprintln!("=== {script}\n{}", Test::new(script).bug());
        let _ = message;
    }
    let _ = told;
    let _ = sources;
}
