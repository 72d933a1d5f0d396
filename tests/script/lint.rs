//! What is found in a runbook without running it.

use super::{inventory, sources};
use baton::script::lint::{Severity, lint};
use baton::script::program::Program;

/// Findings as `line:column: message`, warnings with a `?` before them.
fn findings(text: &str, modules: &[(&str, &str)]) -> Vec<String> {
    let program = sources(text, modules).and_then(|sources| Program::compile(&sources)).unwrap();
    let inventory = inventory();
    let found = lint(&program, Some(&inventory)).into_iter().map(|finding| {
        let place = finding.error.place.unwrap();
        let mark = if finding.severity == Severity::Warning { "?" } else { "" };
        let hints = finding.error.hints.iter().map(|hint| format!(" [{hint}]")).collect::<String>();
        format!("{mark}{}:{}: {}{hints}", place.line, place.column, finding.error.message)
    });
    found.collect()
}

#[track_caller]
fn finds(text: &str, expected: &[&str]) {
    assert_eq!(findings(text, &[]), expected, "{text}");
}

#[test]
fn a_good_runbook_has_no_findings() {
    finds(
        r#"
        let version = param("version", #{ help: "which", default: "8.5" });
        let p = pair("confserv");
        fn tidy(s) { unset_option(s, "a", "b") }
        step("All", || {
            for s in p.members { step(`Stop ${s}`, || shutdown(s)); }
            let seen = parallel(p.members, |s| s.name);
            tidy(p.primary());
            [1, 2].map(|x| x + 1);
            wait_until("it is quiet", || clients(p.backup()) == 0, #{ limit: "1h" });
        });
        let m = #{ f: || 1 };
        m.f.call();"#,
        &[],
    );
}

#[test]
fn calls_that_cannot_work_are_errors() {
    finds("shutdwn(service(\"c1\"));", &["1:1: unknown function `shutdwn` [did you mean `shutdown`?]"]);
    finds(
        "step(\"a\", || { if false { shutdown() } });",
        &["1:27: `shutdown` does not take 0 arguments \
             [call it as `shutdown(service)` or `shutdown(service, options)`]"],
    );
    finds(
        "service(\"c9\"); host(\"cfg-c\");",
        &[
            "1:1: the inventory has no service `c9` [did you mean `c1` or `c2`?]",
            "1:16: the inventory has no host `cfg-c` [did you mean `cfg-a` or `cfg-b`?]",
        ],
    );
    finds(
        "let c1 = service(\"c1\");\nshutdown(c1, #{ limt: \"5min\" });",
        &["2:17: `shutdown` has no option `limt` (it has: `limit`); did you mean `limit`?"],
    );
}

#[test]
fn calls_into_modules_are_looked_up() {
    let module = [("x/lib", "fn finish(a) { helper(a) } private fn helper(a) { a }")];
    let found =
        findings("import \"x/lib\" as lib; lib::finish(1); lib::finish(); lib::finsh(1); lib::helper(1);", &module);
    assert_eq!(
        found,
        [
            "1:45: `lib::finish` does not take 0 arguments [it takes 1]",
            "1:60: module `lib` has no function `finsh` [did you mean `finish`?]",
            "1:75: module `lib` has no function `helper`",
        ]
    );
}

#[test]
fn likely_mistakes_are_warnings() {
    finds(
        "wait_until(\"x\", || true);",
        &["?1:1: `wait_until` without a limit waits 30min [say how long, for example `#{ limit: \"10min\" }`]"],
    );
    let found = findings("let h = host(\"cfg-a\");\nfor i in 0..3 {\n  step(`${i}`, || run(h, [\"x\"]));\n}", &[]);
    assert!(found.len() == 1 && found[0].starts_with("?3:19: a command without `check` in a loop"), "{found:?}");
    let found = findings("wait_for_log(service(\"c1\"), [\"22172\", 22170]);", &[]);
    assert!(found.len() == 1 && found[0].starts_with("?1:1: `\"22172\"` is text"), "{found:?}");
}

#[test]
fn an_escape_in_back_ticks_is_a_warning() {
    let found = findings("let who = \"x\";\nnote(`one\\ntwo ${who + \"\\n\"}`);\nnote(\"a\\nb\"); // `\\n`", &[]);
    assert!(found.len() == 1 && found[0].starts_with("?2:10: `\\n` is two characters here"), "{found:?}");
}

#[test]
fn a_value_in_plain_quotes_is_a_warning_unless_a_shell_reads_it() {
    let text = "let who = \"x\";\nnote(\"to ${who}\");\nnote(\"to ${ohw.name}\");\nnote(`to ${who}`);\n\
                run(host(\"cfg-a\"), [\"sh\", \"-c\", \"for f in a; do echo ${f} ${HOME} ${f%.*}; done\"]);";
    let found = findings(text, &[]);
    let says = |at: usize, start: &str| found.get(at).is_some_and(|found| found.starts_with(start));
    assert!(found.len() == 2, "{found:?}");
    assert!(says(0, "?2:10: `${who}` stays as it is here: plain quotes put no values in"), "{found:?}");
    assert!(says(1, "?3:10: `${ohw.name}` stays as it is here"), "{found:?}");
}

/// Whoever is handed a closure has the variable of a `for` as it is in that round. What a script keeps itself has not.
#[test]
fn closures_that_outlive_their_round_are_errors_where_they_would_see_the_last_one() {
    let kept = |name: &str| format!("the closure keeps `{name}`, which all rounds of the loop share");
    for (text, name) in [
        ("let fs = []; for s in [1, 2] { fs.push(|| s); }", "s"),
        ("let fs = #{}; for s in [\"a\", \"b\"] { fs[s] = || s; }", "s"),
        ("let f = (); for s in [1, 2] { f = || s; }", "s"),
        ("for (s, n) in [1, 2] { let all = [|| n]; }", "n"),
        ("let n = 0; while n < 2 { ensure(\"x\" + n, || note(n)); n += 1; }", "n"),
    ] {
        let found = findings(text, &[]);
        assert!(found.len() == 1 && !found[0].starts_with('?') && found[0].contains(&kept(name)), "{text}: {found:?}");
    }
    for text in [
        "for s in [1, 2] { ensure(`x${s}`, || note(s), #{ harm: || `${s}` }); }",
        "for s in [1, 2] { step(`x${s}`, || note(s), #{ undo: || note(s) }); }",
        "let fs = []; for s in [1, 2] { let mine = s; fs.push(|| mine); }",
        "let fs = []; for s in [1, 2] { let s = s; fs.push(|| s); }",
        "let n = 0; while n < 2 { step(`x${n}`, || note(n), #{ undo: || note(n) }); n += 1; }",
        "let off = false; ensure(\"x\", || if off { note(\"off\") }); off = true;",
    ] {
        finds(text, &[]);
    }
}

/// Whatever a call says of its arguments when it is made is said beforehand, as far as they are written out.
#[test]
fn what_a_call_is_certain_to_refuse_is_found_before_it_is_made() {
    for (call, part) in [
        ("sleep(\"90\")", "`sleep`: `90` is not a length of time"),
        ("wait_for_log(c1, \"(x\", #{ limit: \"3s\" })", "`(x` is not a regular expression"),
        ("wait_for_log(c1, \"x\", #{ limit: 3 })", "option `limit` of `wait_for_log` wants a length of time"),
        ("wait_for_log(c1, `a\\nb`)", "`a\\\\nb` can never match: it wants a line end"),
        ("wait_for_log(c1, `a(?s:.)*(\\r\\n|\\n)b`)", "can never match"),
        ("wait_until(\"x\", || true, #{ limit: \"3 parsecs\" })", "option `limit`: `3 parsecs` is not"),
        ("let n = 3; wait_until(\"x\", || n > 2, #{ every: 1 })", "option `every` of `wait_until` wants"),
        ("probe(c1, \"nosuch\")", "has no probe `nosuch`"),
        ("c1.probe(\"status\", 3)", "`probe` wants a map as argument 3"),
        ("change(c1, \"nosuch\")", "has no verb `nosuch`"),
        ("wait_status(c1, \"runing\")", "probe `status` never reads `runing`"),
        ("wait_role(pair(\"confserv\").configured_primary, 1)", "`wait_role` wants text as argument 2"),
        ("wait_probe(c1, \"clients\", \"none\")", "probe `clients` never reads `none`: it reads a whole number"),
        ("run(host(\"cfg-a\"), \"ls -l\")", "the command is a list of words"),
        ("run(host(\"cfg-a\"), [\"a\"], #{ cwd: \"tmp\" })", "option `cwd`: `tmp` is not a full path"),
        ("rolling([host(\"cfg-a\")], #{ batch: \"0%\" }, |h| 1)", "option `batch` is a number from 1 on"),
        ("fn later(s, t) { wait_for_log(s, \"[\", #{ limit: t }) }", "`[` is not a regular expression"),
        ("watch_log(c1, #{ start: \"A\", rows: [[\"A\", \"exits\", end(\"B\")]] })", "has an unknown symbol `exits`"),
    ] {
        let found = findings(&format!("let c1 = service(\"c1\");\n{call};"), &[]);
        let errors = found.iter().filter(|finding| !finding.starts_with('?')).collect::<Vec<_>>();
        assert!(matches!(&*errors, [only] if only.contains(part)), "{call}: {found:#?}");
    }
}

#[test]
fn what_only_the_run_will_tell_is_not_judged() {
    finds(
        r#"
        let c1 = service("c1");
        let spans = ["1s", "2s"];
        for span in spans { sleep(span); }
        let limit = param("limit", #{ default: "5min" });
        wait_for_log(c1, [22170, param("pattern", #{ default: "x" })], #{ limit: limit });
        let name = "status";
        name = "role";
        probe(c1, name);
        for n in range(0, 3) { print(probe(c1, "option", #{ section: "a", key: n })); }
        fn sleep_long(c1) { sleep(c1) }
        let s = service("c1"); s = "90s"; sleep(s);
        [1].map(|c1| note(c1));"#,
        &[],
    );
}

#[test]
fn labels_of_another_kind_than_what_is_decided_by() {
    let text = |label: &str| format!("`switch` compares {label}: they are never equal");
    let flag = text("true or false with text, `\"yes\"`");
    let flag = format!("1:24: {flag} [its labels are `true` and `false`]");
    finds("let s = service(\"c1\"); switch is_readonly(s) { \"yes\" => 1, _ => 2 };", &[&flag]);
    let number = text("a number with text, `\"0\"`");
    let number = format!("{number} [write its labels as numbers, without quotes]");
    finds("let s = service(\"c1\"); switch s.clients() { 1 | \"0\" => 1, _ => 2 };", &[&format!("1:24: {number}")]);
    finds("let n = clients(service(\"c1\")); switch n { \"0\" => 1, _ => 2 };", &[&format!("1:33: {number}")]);
    let words = text("text with true or false, `true`");
    let words = format!("1:1: {words} [write its labels in quotes]");
    finds("switch probe(service(\"c1\"), \"status\") { true => 1, _ => 2 };", &[&words]);
    finds(
        "switch status(service(\"c1\")) { \"running\" | \"starting\" => 1, \"stopped\" if 1 > 0 => 2, _ => 3 };",
        &[],
    );
    finds("switch clients(service(\"c1\")) { 3 | 4 => 2, 0..3 => 1, _ => 3 };", &[]);
    finds(
        "fn f(x) { switch x { 1 => 1, \"2\" => 2, _ => 3 } } f(1);",
        &["?1:11: the labels `1` and `\"2\"` are of different kinds: one of them is never taken \
           [a value is equal only to a label of its own kind]"],
    );
    finds("fn is_readonly(x) { \"yes\" } switch is_readonly(1) { \"yes\" => 1, _ => 2 };", &[]);
    finds("let n = clients(service(\"c1\")); n = \"0\"; switch n { \"0\" => 1, _ => 2 };", &[]);
}
