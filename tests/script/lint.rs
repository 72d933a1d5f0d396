//! What is found in a runbook without running it.

use super::{Test, inventory, sources};
use baton::script::analysis::lint::{Severity, lint};
use baton::script::evaluate::script_end::ScriptEnd;

/// Findings as `line:column: message`, warnings with a `?` before them.
fn findings(text: &str, modules: &[(&str, &str)]) -> Vec<String> {
    let program = sources(text, modules).and_then(|sources| baton::script::program(&sources)).unwrap();
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
        ("let fs = []; for (s, n) in [1, 2] { fs.push(|| n); }", "n"),
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
        "let n = 0; while n < 2 { ensure(\"x\" + n, || note(n)); n += 1; }",
    ] {
        finds(text, &[]);
    }
}

/// What a warning says of them is true: of a closure that is called in its round nothing is said at all.
#[test]
fn closures_that_are_called_in_their_round_are_let_be() {
    for text in [
        r#"for n in ["a", "b"] { let up = || n == "a" || n == "b"; wait_until(`${n}`, up, #{ limit: "5s" }); }"#,
        r#"for n in ["a", "b"] { let u = || note(n); u.call(); }"#,
        r#"for n in ["a", "b"] { for t in [|| note(n)] { t.call(); } }"#,
        r#"for n in ["a", "b"] { let u = || note(n); step(n, || note(n), #{ undo: u }); }"#,
        r#"for n in ["a", "b"] { let u = || note(n); ensure(n, u); }"#,
        r#"for n in ["a", "b"] { let u = || n; wait_until(n, || u.call() != "", #{ limit: "5s" }); }"#,
        r#"for n in ["a", "b"] { if n == "a" { let u = || note(n); step(n, u); } }"#,
        r#"for n in ["a", "b"] { let all = [1].map(|x| n); note(all[0]); }"#,
        r#"for n in ["a", "b"] { (|| note(n)).call(); }"#,
        r#"fn tell(n) { note(n); } let jobs = []; for n in ["a", "b"] { jobs.push(Fn("tell").curry(n)); }"#,
        r#"fn tell(n) { note(n); } let jobs = []; for n in ["a", "b"] { jobs.push(curry(Fn("tell"), n)); }"#,
        r#"let n = 0; while n < 2 { let u = || note(n); u.call(); n += 1; }"#,
    ] {
        finds(text, &[]);
    }
    for text in [
        "let f = (); for s in [1, 2] { f = || s; }",
        "let fs = []; for s in [1, 2] { fs.push(|| s); fs[0].call(); fs.clear(); }",
        "let fs = []; for s in [1, 2] { fs.push(|| s); break; }",
        "fn later(f) { f.call(); } for s in [1, 2] { later(|| s); }",
        "let fs = []; for s in [1, 2] { let u = || s; fs.push(u); }",
        "for s in [1, 2] { let fs = []; fs.push(|| s); fs[0].call(); }",
    ] {
        let found = findings(text, &[]);
        let says = "the closure keeps `s`, which all rounds of the loop share: called after its round, it would see";
        let only = matches!(&*found, [one] if one.starts_with('?') && one.contains(says));
        assert!(only, "{text}: {found:#?}");
    }
}

/// What the findings say of closures is what a run does.
#[test]
fn closures_see_what_the_findings_say() {
    let done = |text: &str| Test::new(text).done();
    let late = done("let fs = []; for s in [1, 2] { fs.push(|| s); } for f in fs { note(f.call()); }");
    assert_eq!(late, ["note: 2", "note: 2"]);
    let late = done("let fs = #{}; for s in [\"a\", \"b\"] { fs[s] = || s; } note(fs.a.call()); note(fs.b.call());");
    assert_eq!(late, ["note: b", "note: b"]);
    let early = done("for n in [\"a\", \"b\"] { let u = || note(n); u.call(); for t in [|| note(n)] { t.call(); } }");
    assert_eq!(early, ["note: a", "note: a", "note: b", "note: b"]);
    let kept = done("for n in [\"a\", \"b\"] { let u = || note(n); ensure(n, u); }");
    let notes: Vec<&String> = kept.iter().filter(|seen| seen.contains("note: ")).collect();
    assert_eq!(notes, ["note: b", "note: a"], "{kept:#?}");
    let curried = "fn tell(n) { note(n); } let fs = []; for n in [1, 2] { fs.push(Fn(\"tell\").curry(n)); } \
                   for f in fs { f.call(); }";
    assert_eq!(done(curried), ["note: 1", "note: 2"]);
    assert_eq!(done("let tasks = #{ run: |x| note(x) }; tasks.run(\"hi\");"), ["note: hi"]);
    for wrong in ["parallel([1], || 1);", "step(\"A\", |x| 1);"] {
        let ended = Test::new(wrong).run();
        assert!(!matches!(ended, ScriptEnd::Done), "{wrong}: {ended:?}");
    }
}

/// A map may hold a closure of the name of a verb.
#[test]
fn what_an_obligation_keeps_is_not_set_afterwards() {
    let told = "an obligation above has kept it as it was before";
    let wrong = [
        (r#"let h = "p"; ensure("x", || note(h)); h = "q";"#, "1:39: `h`"),
        (r#"let h = #{ a: 1 }; ensure("x", || note(h.a)); h.a = 2;"#, "1:47: `h`"),
        ("let on = false; ensure(\"x\", || if on { note(1) });\nstep(\"A\", || { on = true; });", "2:16: `on`"),
        (r#"let h = 1; ensure("x", || note("x"), #{ harm: || `${h}` }); h = 2;"#, "1:61: `h`"),
    ];
    for (text, place) in wrong {
        let found = findings(text, &[]);
        assert!(matches!(&found[..], [one] if one.starts_with(place) && one.contains(told)), "{text}: {found:#?}");
    }
    for text in [
        r#"let at; ensure("x", || if at != () { note(at) }); at = "c1";"#,
        r#"let at = (); ensure("x", || if at != () { note(at) }); at = "c1";"#,
        r#"let h = "p"; h = "q"; ensure("x", || note(h)); note(h);"#,
        r#"let n = 0; while n < 2 { ensure("x" + n, || note(n)); n += 1; }"#,
        r#"let h = "p"; ensure("x", || note(h)); fn f() { let h = 1; h = 2; h } f();"#,
    ] {
        finds(text, &[]);
    }
}

#[test]
fn a_method_of_something_unknown_is_not_taken_for_a_verb() {
    finds(r#"let tasks = #{ run: |x| note(x) }; tasks.run("hi");"#, &[]);
    finds(r#"let tasks = #{ tell: |x| note(x) }; tasks.tell("hi");"#, &[]);
    let found = findings("fn each(of) { of.wait_for_log(\"[\"); }", &[]);
    let only = matches!(&*found, [one] if one.starts_with("?1:18: ") && one.contains("is not a regular expression"));
    assert!(only, "{found:#?}");
}

/// Of a service it is known what it can do.
#[test]
fn a_method_that_a_service_does_not_have_is_an_error() {
    finds("let s = service(\"c1\"); s.shutdwn();", &["1:26: unknown function `shutdwn` [did you mean `shutdown`?]"]);
    finds(
        "service(\"c1\").shutdown(1, 2, 3);",
        &["1:15: `shutdown` does not take 4 arguments \
             [call it as `shutdown(service)` or `shutdown(service, options)`]"],
    );
    finds("let s = service(\"c1\"); s = #{ shutdwn: || 1 }; s.shutdwn();", &[]);
    finds("let s = service(\"c1\"); s.stop_it(); fn stop_it() { shutdown(this); }", &[]);
}

/// What a branch for another product asks for is not wrong.
#[test]
fn what_only_another_product_has_is_a_warning_where_the_product_is_asked_for() {
    let other = r#"let s = service("c1");"#;
    for text in [
        r#"if s.product == "other" { s.probe("nosuch"); }"#,
        r#"if s.product == "demo" { note("a"); } else { step("A", || s.probe("nosuch")); }"#,
        r#"switch s.product { "other" => s.probe("nosuch"), _ => note("a") }"#,
        r#"if s.product != "other" { return; } s.probe("nosuch");"#,
        r#"let is_other = s.product == "other"; if is_other { s.probe("nosuch"); }"#,
        r#"let there = s.product == "other" && s.probe("nosuch");"#,
        r#"if s.product == "other" { note(`${status(s) == "stoped"}`); }"#,
    ] {
        let found = findings(&format!("{other} {text}"), &[]);
        assert!(matches!(&*found, [one] if one.starts_with('?')), "{text}: {found:#?}");
    }
    for text in [
        r#"if s.name == "other" { s.probe("nosuch"); }"#,
        r#"if s.product == "demo" { note("a"); } s.probe("nosuch");"#,
        r#"if s.product == "other" { sleep("90"); }"#,
    ] {
        let found = findings(&format!("{other} {text}"), &[]);
        assert!(matches!(&*found, [one] if !one.starts_with('?')), "{text}: {found:#?}");
    }
}

/// What is done where a closure should stand is done before the step it was meant for.
#[test]
fn a_change_in_the_place_of_a_closure_is_an_error() {
    for (text, hint) in [
        (r#"step("Mark", run(host("cfg-a"), ["touch", "/tmp/x"]));"#, "write `|| run(…)`"),
        (r#"let s = service("c1"); step("A", s.shutdown());"#, "write `|| shutdown(…)`"),
        (r#"let s = service("c1"); step(`A ${s}`, || shutdown(s), #{ undo: start(s) });"#, "write `|| start(…)`"),
        (r#"ensure("A", start(service("c1")));"#, "write `|| start(…)`"),
        (r#"parallel([1], note(1));"#, "write `|item| note(…)`"),
        (r#"let s = service("c1"); wait_until("A", status(s) == "running", #{ limit: "1s" });"#, "write `|| …`"),
    ] {
        let found = findings(text, &[]);
        let only = matches!(&*found, [one] if !one.starts_with('?') && one.contains(hint) && one.contains("closure"));
        assert!(only, "{text}: {found:#?}");
    }
    finds(r#"let tasks = #{ run: || || note(1) }; step("A", tasks.run());"#, &[]);
    finds(r#"fn note_it() { || note(1) } step("A", note_it());"#, &[]);
}

/// What is set once and never changed is as good as written out.
#[test]
fn what_never_changes_is_looked_into() {
    for (text, part) in [
        (r#"const STATUS = "runing"; wait_status(service("c1"), STATUS);"#, "never reads `runing`"),
        (r#"const BATCH = "0%"; rolling([host("cfg-a")], #{ batch: BATCH }, |h| 1);"#, "`batch` is a number from 1 on"),
        (r#"let c = "ls -l"; run(host("cfg-a"), c);"#, "the command is a list of words"),
        (r#"let o = #{ batch: "0%" }; rolling([host("cfg-a")], o, |h| 1);"#, "`batch` is a number from 1 on"),
        (r#"let c = "90"; if c.len() > 1 { sleep(c); }"#, "`90` is not a length of time"),
    ] {
        let found = findings(text, &[]);
        assert!(matches!(&*found, [one] if !one.starts_with('?') && one.contains(part)), "{text}: {found:#?}");
    }
    for text in [
        r#"let c = "90"; c += "s"; sleep(c);"#,
        r#"let c = "90"; c.push("s"); sleep(c);"#,
        r#"let c = "90"; push(c, "s"); sleep(c);"#,
        r#"let c = "90"; let f = || { c += "s"; }; f.call(); sleep(c);"#,
        r#"let c = "90"; let f = || c.push("s"); f.call(); sleep(c);"#,
        r#"let c = "90"; c.longer(); sleep(c); fn longer() { this += "s"; }"#,
        r#"let c = []; c.push("ls"); run(host("cfg-a"), c);"#,
        r#"let o = #{ limit: "90" }; o.limit = "90s"; wait_until("x", || true, o);"#,
        r#"fn f(c) { sleep(c); } let c = "90"; f("90s");"#,
    ] {
        finds(text, &[]);
    }
}

/// Words that a probe never reads, properties that nothing has, closures that take what they are not given.
#[test]
fn what_can_never_be_is_an_error() {
    for (text, part) in [
        (r#"note(`${status(s) == "stoped"}`);"#, "probe `status` never reads `stoped`"),
        (r#"if "stoped" != s.status() { note("x"); }"#, "did you mean `stopped`?"),
        (r#"if probe(s, "status") == "stoped" { note("x"); }"#, "probe `status` never reads `stoped`"),
        (r#"switch status(s) { "running" | "stoped" => note("x"), _ => note("y") }"#, "never reads `stoped`"),
        (r#"if clients(s) == "0" { note("x"); }"#, "reads a whole number: it is never the text `0`"),
        (r#"note(s.nme);"#, "a service has no `.nme` [did you mean `.name`?]"),
        (r#"note(host("cfg-a").adress);"#, "a host has no `.adress` [did you mean `.address`?]"),
        (r#"note(pair("confserv").datbase.name);"#, "a pair has no `.datbase` [did you mean `.database`?]"),
        (r#"run(host("cfg-a"), [""]);"#, "names what is run, and it is empty"),
        (r#"parallel([1], || 1);"#, "`parallel` gives its closure 1 value, and this one takes no value"),
        (r#"step("A", |x| 1);"#, "`step` gives its closure no value, and this one takes 1 value"),
        (r#"step("A", || note(s), #{ undo: |x| note(s) });"#, "`undo` gives its closure no value"),
    ] {
        let found = findings(&format!("let s = service(\"c1\"); {text}"), &[]);
        assert!(matches!(&*found, [one] if !one.starts_with('?') && one.contains(part)), "{text}: {found:#?}");
    }
    finds(
        r#"
        let s = service("c1");
        if status(s) == "unknown" || role(s) != "primary" || clients(s) == 0 || is_readonly(s) == true { note("x"); }
        if read_option(s, "a", "b") == "x" || status(s) == param("wanted", #{ default: "x" }) { note("y"); }
        switch status(s) { "running" if s.name == "stoped" => note("x"), _ => note("stoped") }
        note(pair("confserv").database.name + s.host + s.product + pair("confserv").members[0].name);
        wait_probe(s, "clients", "0");
        parallel([1], |x| note(`${x} ${s}`));"#,
        &[],
    );
}

/// Whatever a call says of its arguments when it is made is said beforehand, as far as they are written out.
#[test]
fn what_a_call_is_certain_to_refuse_is_found_before_it_is_made() {
    for (call, part) in [
        ("sleep(\"90\")", "`sleep`: `90` is not a length of time"),
        ("wait_for_log(c1, \"(x\", #{ limit: \"3s\" })", "`(x` is not a regular expression"),
        ("wait_for_log(c1, \"x\", #{ limit: 3 })", "option `limit` of `wait_for_log` wants a length of time"),
        (
            "wait_for_log(c1, \"x\", #{ from: \"end\" })",
            "option `from` of `wait_for_log` is `\"mark\"` or `\"start\"`, not `end`",
        ),
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

/// Whatever breaks a run in its midst, as far as it is certain: values of loops, of items and of calls, kinds, keys.
#[test]
fn what_breaks_a_run_in_its_midst_is_found_before() {
    for (text, part) in [
        (r#"let t = param("t", #{ default: "x" }); change(s, "nosuch", #{ text: t });"#, "has no verb `nosuch`"),
        (r#"fn f(x) { change(x, "nosuch"); } f(s);"#, "has no verb `nosuch`"),
        (
            r#"fn f(x) { change(x, "nosuch"); } f(primary(pair("confserv")));"#,
            "no product of the site has a verb `nosuch`",
        ),
        (r#"fn f(x, v) { change(x, v); } f(s, "start"); f(s, "nosuch");"#, "has no verb `nosuch`"),
        (r#"fn f(h) { note(host(h)); } f("nope");"#, "the inventory has no host `nope`"),
        (r#"fn f(x) { if status(x) == "runing" { note("x"); } } f(s);"#, "never reads `runing`"),
        (r#"for h in ["cfg-a", "nope"] { note(host(h)); }"#, "the inventory has no host `nope`"),
        (r#"rolling(["cfg-a", "nope"], #{}, |h| note(host(h)));"#, "the inventory has no host `nope`"),
        (r#"parallel(["cfg-a", "nope"], |h| note(host(h)));"#, "the inventory has no host `nope`"),
        (r#"for w in ["running", "runing"] { wait_status(s, w); }"#, "never reads `runing`"),
        (r#"for p in ["status", "nope"] { note(probe(s, p)); }"#, "has no probe `nope`"),
        (r#"s.var("nope");"#, "has no variable `nope`"),
        (
            r#"wait_until(|| status(s) == "running", #{ limit: "5s" });"#,
            "`wait_until` wants text as argument 1, not a closure",
        ),
        (
            r#"wait_until("x", || status(s), #{ limit: "5s" });"#,
            "the closure of `wait_until` gives text, not true or false",
        ),
        (r#"guard(status(s), "x");"#, "`guard` wants true or false as argument 1, not text"),
        (r#"note(run(host("cfg-a"), ["x"]).exit);"#, "what this gives has no `.exit`"),
        (r#"let r = run(host("cfg-a"), ["x"]); note(r.exitcode);"#, "what this gives has no `.exitcode`"),
        (r#"let r = run(host("cfg-a"), ["x"]); if r == 0 { note("x"); }"#, "`==` compares a map with a number"),
        (r#"if run(host("cfg-a"), ["x"]) { note("x"); }"#, "`if` wants true or false, not a map"),
        (r#"if confirm("x?") == "yes" { note("x"); }"#, "`==` compares true or false with text"),
        (r#"let x = status(s); if x == true { note("x"); }"#, "probe `status` never reads `true`"),
        (r#"let x = status(s); if x > 5 { note("x"); }"#, "probe `status` never reads `5`"),
        (r#"let x = status(s); if x == "runing" { note("x"); }"#, "never reads `runing`"),
        (r#"let x = status(s); switch x { "runing" => note("x"), _ => note("y") }"#, "never reads `runing`"),
        (r#"switch confirm("q?") { "yes" => note("x"), _ => note("y") }"#, "`switch` compares true or false with text"),
        (r#"let c = choose("c?", ["left", "right"]); if c == "lft" { note(c); }"#, "`choose` never gives `lft`"),
        (r#"switch choose("c?", ["left", "right"]) { "lft" => 1, _ => 2 };"#, "`choose` never gives `lft`"),
        (r#"choose("c?", ["red", "red"]);"#, "`choose` offers `red` twice"),
        (r#"wait_for_log(s, -5);"#, "-5 is never the number of an event"),
        (r#"wait_for_log(s, "");"#, "an empty expression is found in every line"),
        (r#"older(version(s), "v8.4");"#, "`v8.4` is no version"),
    ] {
        let found = findings(&format!("let s = service(\"c1\"); {text}"), &[]);
        assert!(matches!(&*found, [one] if !one.starts_with('?') && one.contains(part)), "{text}: {found:#?}");
    }
}

/// What the script may decide otherwise, or does not reach, is not judged.
#[test]
fn what_may_be_right_is_passed_over() {
    for text in [
        r#"for h in ["cfg-a", "nope"] { if h == "cfg-a" { note(host(h)); } }"#,
        r#"for h in ["cfg-a", "nope"] { if is_readonly(s) { break; } note(host(h)); }"#,
        r#"for h in ["cfg-a", "nope"] { h = "cfg-a"; note(host(h)); }"#,
        r#"fn f(h) { if h == "nope" { return; } note(host(h)); } f("nope"); f("cfg-a");"#,
        r#"fn f(h) { let h = "cfg-a"; note(host(h)); } f("nope");"#,
        r#"fn f(s) { note(s.var2); } f(#{ var2: 1 });"#,
        r#"let r = run(host("cfg-a"), ["x"]); r = #{ exit: 1 }; note(r.exit);"#,
        r#"let r = #{ exit: 1 }; note(r.exit); if r.changed { note("x"); }"#,
        r#"fn run(h, c) { 0 } if run(1, 2) == 0 { note("x"); }"#,
        r#"let tasks = #{ run: |x| 0 }; if tasks.run("x") == 0 { note("x"); }"#,
        r#"if status(s) == () { note("x"); }"#,
        r#"let h = host("cfg-a"); for w in [h, s] { run(w, ["x"], #{ check: ["x"] }); }"#,
        r#"if run(host("cfg-a"), ["x"]).changed && confirm("x?") { note("x"); }"#,
        r#"while !confirm("x?") { sleep("1s"); }"#,
    ] {
        finds(&format!("let s = service(\"c1\"); {text}"), &[]);
    }
}

/// Whatever is said of reading is said of setting as well, and of closures and functions whatever way they are called.
#[test]
fn what_is_set_or_called_wrongly_is_found_before() {
    for (text, part) in [
        (r#"s.nme = "x";"#, "a service has no `.nme` [did you mean `.name`?]"),
        (r#"s.name = "x";"#, "`.name` of a service cannot be set: the inventory says what it is"),
        (r#"let o = #{ limit: "5min" }; o.limt = "1min"; shutdown(s, o);"#, "`shutdown` has no option `limt`"),
        (r#"let o = #{}; o.limt = "1min"; s.shutdown(o);"#, "`shutdown` has no option `limt`"),
        (r#"let r = run(host("cfg-a"), ["x"]); r.exitcode += 3;"#, "what this gives has no `.exitcode`"),
        (r#"let k = |x| note(x); k.call(1, 2);"#, "this closure takes 1 value, and is called with 2 values"),
        (r#"fn f(a) { note(a) } f(1, 2);"#, "`f` does not take 2 arguments"),
        (r#"fn f(a) { note(a) } s.f();"#, "`f` does not take 0 arguments behind a dot"),
    ] {
        let found = findings(&format!("let s = service(\"c1\"); {text}"), &[]);
        assert!(matches!(&*found, [one] if !one.starts_with('?') && one.contains(part)), "{text}: {found:#?}");
    }
    let text = r#"let r = run(host("cfg-a"), ["x"]); r.outptu = 3;"#;
    assert!(matches!(&*findings(text, &[]), [one] if one.starts_with('?') && one.contains("did you mean `output`?")));
    for text in [
        r#"let o = #{}; o.limit = "1min"; shutdown(s, o); o.every = "1s"; wait_until("x", || true, o);"#,
        r#"let o = #{ limt: 1 }; o = #{ limit: "1min" }; shutdown(s, o);"#,
        r#"let r = run(host("cfg-a"), ["x"]); r.when = 3; note(r.when);"#,
        r#"let r = run(host("cfg-a"), ["x"]); r.count = 1; r.count += 1;"#,
        r#"let r = run(host("cfg-a"), ["x"]); r["count"] = 1; for i in [1, 2] { r.count += i; }"#,
        r#"let o = #{}; o.batch = 2; rolling([1], o, |x| x); step("b", || { let o = #{}; o.limit = "2s"; shutdown(s, o); });"#,
        r#"let o = #{}; o.n = 0; for o in [#{ limit: "1s" }] { shutdown(s, o); }"#,
        r#"let one = #{}; one.n = 0; parallel([#{ limit: "1s" }], |one| shutdown(s, one));"#,
        r#"let k = |x| note(x); k.call(1); let n = 1; let m = |x| note(x + n); m.call(1);"#,
        r#"fn f(a) { note(`${this} ${a}`) } s.f(1);"#,
    ] {
        finds(&format!("let s = service(\"c1\"); {text}"), &[]);
    }
    let modules =
        [("x/a", "import \"x/b\" as b; fn goes(x) { b::stays(x, 3); b::gone(1) }"), ("x/b", "fn stays(x) { x }")];
    let found = findings("import \"x/a\" as a; a::goes(1);", &modules);
    assert!(
        matches!(&*found, [one, two] if one.contains("`b::stays` does not take 2") && two.contains("has no function `gone`")),
        "{found:#?}"
    );
}
