//! What the author of a broken runbook is told, word for word.

use super::{Test, sources};
use baton::error::{Error, Kind};
use baton::model::value::Fields;
use baton::script::evaluate::script_end::ScriptEnd;

#[track_caller]
fn told(script: &str, lines: &[&str]) {
    // What a text alone shows is shown by `check`; of the rest a run says what can be done.
    let bug = Test::new(script).bug();
    let said = bug.strip_suffix("\n  hint: fix it, then: baton check test").unwrap_or(&bug);
    assert_eq!(said, format!("error: {}", lines.join("\n  ")), "{script}");
}

#[test]
fn texts_that_cannot_be_parsed() {
    told("let x = ;", &["unexpected `;`", "at test.rhai:1:9"]);
    told(
        "let count = 1;\nnote(cuont);",
        &["unknown variable `cuont`", "at test.rhai:2:6", "hint: did you mean `count`?"],
    );
    told(
        "let s = 1;\nfn f() { s }",
        &[
            "unknown variable `s`",
            "at test.rhai:2:10",
            "hint: functions cannot see variables outside of them; hand `s` over as an argument",
        ],
    );
    told(
        "cs::finish();",
        &["unknown module `cs`", "at test.rhai:1:1", "hint: import it first: `import \"vendor/cs\" as cs;`"],
    );
    told(
        "let s = \"abc",
        &[
            "a text in quotes has no end",
            "at test.rhai:1:9",
            "hint: a quote is missing; in plain quotes a text ends on its line, in back-ticks it may go on",
        ],
    );
    told("eval(\"1\");", &["`eval` is not for runbooks", "at test.rhai:1:1"]);
}

#[test]
fn calls_that_fit_no_function() {
    told(
        "shutdwn(service(\"c1\"));",
        &["unknown function `shutdwn`", "at test.rhai:1:1", "hint: did you mean `shutdown`?"],
    );
    told(
        "shutdown();",
        &[
            "`shutdown` does not take 0 arguments",
            "at test.rhai:1:1",
            "hint: call it as `shutdown(service)` or `shutdown(service, options)`",
        ],
    );
    told(
        "shutdown(\"c1\");",
        &[
            "`shutdown` wants a service as argument 1, not text `c1`",
            "at test.rhai:1:1",
            "hint: write `service(\"c1\")`",
            "hint: call it as `shutdown(service)` or `shutdown(service, options)`",
        ],
    );
    told("let a = 1 + #{};", &["`+` does not work on a whole number and a map", "at test.rhai:1:11"]);
    told(
        "let c1 = service(\"c1\");\nc1.hots;",
        &["a service has no `.hots`; did you mean `.host`?", "at test.rhai:2:4"],
    );
}

#[test]
fn names_that_nobody_knows() {
    told(
        "shutdown(service(\"c3\"));",
        &["the inventory has no service `c3`", "at test.rhai:1:10", "hint: did you mean `c1` or `c2`?"],
    );
    let message = "pair `confserv` has no `databse` in the inventory; did you mean `database`?";
    told("let p = pair(\"confserv\");\nbackup(p.databse);", &[message, "at test.rhai:2:9"]);
    let message = "product `demo` of service `c1` has no verb `shutdwn`; did you mean `shutdown`?";
    told("change(service(\"c1\"), \"shutdwn\");", &[message, "at test.rhai:1:1"]);
    let message = "`shutdown` has no option `limt` (it has: `limit`); did you mean `limit`?";
    told("shutdown(service(\"c1\"), #{ limt: \"5min\" });", &[message, "at test.rhai:1:1"]);
    let message = "option `limit`: `5 parsecs` is not a length of time; write for example `90s`, `5min` or `1h 30min`";
    told("shutdown(service(\"c1\"), #{ limit: \"5 parsecs\" });", &[message, "at test.rhai:1:1"]);
    told(
        "wait_for_log(service(\"c1\"), \"(\");",
        &["`(` is not a regular expression: unclosed group", "at test.rhai:1:1"],
    );
}

#[test]
fn scripts_that_never_end() {
    let message = "the script does not come to an end: a loop runs for ever without waiting for anything";
    told("loop { }", &[message, "at test.rhai:1:6"]);
    let message = "functions call each other more than 48 levels deep: one calls itself without end";
    told("fn f() { f() }\nf();", &[message, "at test.rhai:2:1"]);
    let message = "a text grows beyond every measure: a loop adds to it without end";
    told("let s = \"x\"; loop { s += s; }", &[message, "at test.rhai:1:23"]);
}

/// A script that overflows the stack of its track would abort the program.
#[test]
fn the_deepest_script_fits_on_the_stack_of_a_track() {
    let script =
        "fn f(n) { step(`${n}`, || { for x in [1] { switch n { _ => parallel([n + 1], |m| { f(m) }) } } }) } f(0);";
    let on_small_stack = std::thread::Builder::new().stack_size(baton::engine::STACK_BYTES);
    let told = on_small_stack.spawn(move || Test::new(script).bug()).unwrap().join().unwrap();
    assert!(told.starts_with("error: functions call each other more than 48 levels deep"), "{told}");
}

#[test]
fn what_the_language_offers_and_a_runbook_must_not_use() {
    let message = "`sleep` wants a length of time with its unit, such as `sleep(\"10s\")`";
    told("sleep(5);", &[message, "at test.rhai:1:1"]);
    let message = "`exit` is not for runbooks; use `return` at the top, or `hold(reason)` to hand over to a person";
    told("exit();", &[message, "at test.rhai:1:1"]);
}

#[test]
fn imports_stay_inside_the_library() {
    for name in ["../x", "/etc/x", "a//b", "A/b", "a/../b", "a\\\\b", ""] {
        let shown = name.replace("\\\\", "\\");
        let message = format!("`{shown}` is not the name of a module; names look like `vendor/name`, never like paths");
        told(&format!("import \"{name}\" as x;"), &[&message, "at test.rhai:1:8"]);
    }
    told(
        "import \"no/such\" as x;",
        &["there is no module `no/such`, that is, no file `stdlib/no/such.rhai`", "at test.rhai:1:8"],
    );
    let message = "`import` wants a name that is written out: `import \"vendor/name\" as n`";
    told("let n = \"a/b\"; import n as x;", &[message, "at test.rhai:1:23"]);
}

#[test]
fn modules_that_import_each_other_are_refused() {
    let test = Test::new("import \"a\" as a;").module("a", "import \"b\" as b;").module("b", "\nimport \"a\" as a;");
    let message = "module `a` imports itself, by way of `stdlib/a.rhai`, `stdlib/b.rhai`\n  at stdlib/b.rhai:2:8";
    assert_eq!(test.bug(), format!("error: {message}\n  hint: fix it, then: baton check test"));
}

#[test]
fn a_bug_in_a_module_is_told_with_its_file_and_the_way_there() {
    let test = Test::new("import \"x/lib\" as lib;\nstep(\"S\", || lib::outer());")
        .module("x/lib", "fn outer() {\n  inner(1)\n}\nfn inner(n) {\n  n.len() + #{}\n}");
    let lines = [
        "error: `len` does not work on a whole number",
        "at stdlib/x/lib.rhai:5:5",
        "in `inner`, called at stdlib/x/lib.rhai:2:3",
        "in `outer`, called at test.rhai:2:19",
        "in a closure, called at test.rhai:2:1",
    ];
    assert_eq!(test.bug(), lines.join("\n  "));
}

#[test]
fn a_bug_cannot_be_caught() {
    let test = Test::new("try { shutdown(\"c1\"); } catch { note(\"caught\"); }");
    assert!(test.bug().starts_with("error: `shutdown` wants a service"));
    assert!(test.door.seen().is_empty());
}

#[test]
fn the_snippet_underlines_the_word() {
    let ScriptEnd::Bug(error) = Test::new("note(\"ä\"); shutdown(1);").run() else { panic!("not a bug") };
    let snippet = error.snippet.unwrap();
    assert_eq!((snippet.line.as_str(), snippet.place.column, snippet.length), ("note(\"ä\"); shutdown(1);", 12, 8));
}

#[test]
fn verbs_are_not_for_the_top_of_a_module() {
    let test = Test::new("import \"x/lib\" as lib;").module("x/lib", "note(\"loaded\");");
    let message =
        "`note` cannot be called while a module is loaded; call it inside a function\n  at stdlib/x/lib.rhai:1:1";
    assert_eq!(test.bug(), format!("error: {message}\n  hint: fix it, then: baton check test"));
}

const PARAMS: &str = r#"
let version = param("version", #{ help: "version to install" });
let count = param("count", #{ default: 2 });
let upgrade = param("db_upgrade", #{ default: false });
let way = param("way", #{ default: "fast", choices: ["fast", "slow"] });
note(`${version} ${count + 1} ${!upgrade} ${way}`);"#;

#[test]
fn parameters_are_found_without_running() {
    let program = sources(PARAMS, &[]).and_then(|sources| baton::script::program(&sources)).unwrap();
    let found: Vec<String> = program
        .params()
        .iter()
        .map(|p| {
            format!("{} {:?} {} {}", p.name, p.default.as_ref().map(ToString::to_string), p.choices.len(), p.place)
        })
        .collect();
    assert_eq!(
        found,
        [
            "version None 0 test.rhai:2:15",
            "count Some(\"2\") 0 test.rhai:3:13",
            "db_upgrade Some(\"false\") 0 test.rhai:4:15",
            "way Some(\"fast\") 2 test.rhai:5:11",
        ]
    );
    assert_eq!(program.params()[0].help, "version to install");
}

#[test]
fn parameters_become_the_type_of_their_default() {
    let test = Test::new(PARAMS).param("version", "8.5").param("count", "7").param("db_upgrade", "yes");
    assert_eq!(test.done(), ["note: 8.5 8 false fast"]);
}

#[test]
fn wrong_parameters_are_told_by_name() {
    for (given, message) in [
        (
            vec![],
            "runbook `test` needs parameter `version`|`version`: version to install|\
             type the same once more with it: -p version=…",
        ),
        (
            vec![("version", "1"), ("cuont", "1")],
            "runbook `test` has no parameter `cuont`|did you mean `count`?|baton run test --help",
        ),
        (
            vec![("version", "1"), ("count", "many")],
            "parameter `count` is a whole number, not `many`|baton run test --help",
        ),
        (
            vec![("version", "1"), ("way", "odd")],
            "parameter `way` cannot be `odd`; it is one of `fast`, `slow`|baton run test --help",
        ),
    ] {
        let given: Fields = given.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let program = sources(PARAMS, &[]).and_then(|sources| baton::script::program(&sources)).unwrap();
        let error: Box<Error> = program.resolve_params(&given).unwrap_err();
        let told = [vec![error.message], error.hints].concat().join("|");
        assert_eq!((told.as_str(), error.kind), (message, Kind::Usage));
    }
}

/// What is no length of time is refused before anything is done, not when it is used.
#[test]
fn a_parameter_that_is_a_length_of_time_is_given_as_one() {
    let text =
        "let limit = param(\"limit\", #{ default: \"60min\", kind: \"span\", help: \"how long\" });\nsleep(limit);";
    let program = sources(text, &[]).and_then(|sources| baton::script::program(&sources)).unwrap();
    for given in ["60", "6min0", "zzz", ""] {
        let error = program.resolve_params(&[("limit".to_owned(), given.into())].into()).unwrap_err();
        let told = [vec![error.message], error.hints].concat().join("|");
        let says = format!(
            "parameter `limit`: `{given}` is not a length of time; write for example `90s`, `5min` or \
             `1h 30min`|nothing was touched|baton run test --help"
        );
        assert_eq!((told, error.kind), (says, Kind::Usage));
    }
    assert_eq!(Test::new(text).param("limit", "1h 30min").done(), ["sleep(1h 30min)"]);
    for (options, says) in [
        ("default: \"60\", kind: \"span\"", "parameter `p` is of the kind \"span\": `60` is not a length of time"),
        ("default: 60, kind: \"span\"", "parameter `p` is of the kind \"span\": `60` is not a length of time"),
        ("kind: \"time\"", "`kind` of parameter `p` cannot be `time`: there is only \"span\""),
    ] {
        let bug = Test::new(&format!("param(\"p\", #{{ {options} }});")).bug();
        assert!(bug.contains(says), "{options}: {bug}");
    }
}

#[test]
fn keys_that_a_map_does_not_have() {
    told(
        "let m = #{ output: 1 };\nif m.ouput == 1 { note(\"x\") }",
        &[
            "the map has no key `ouput`",
            "at test.rhai:2:6",
            "hint: did you mean `output`?",
            "hint: a key that may be missing is asked for with `map.get(\"ouput\")`, or `\"ouput\" in map`",
        ],
    );
    let asks = "let m = #{ a: 1 }; m.b = 2; m[\"c\"] = 3; let d = m.d;";
    assert!(Test::new(asks).bug().contains("no key `d`"), "{}", Test::new(asks).bug());
    let asks = "let m = #{ a: 1 }; m.b = 2; m[\"c\"] = 3; guard(m.get(\"d\") == () && !(\"e\" in m), \"\"); (m.get(\"d\") ?? 4)";
    Test::new(asks).done();
}

#[test]
fn kinds_that_are_never_equal() {
    for (script, said) in [
        ("0 == \"0\"", "`==` compares the number 0 with text `0`"),
        ("let n = 0; n != \"0\"", "`!=` compares the number 0 with text `0`"),
        ("\"10\" < 9", "`<` compares text `10` with the number 9"),
        ("let m = #{}; guard(!(m.get(\"clients\") > 0), \"\")", "`>` compares nothing `()` with the number 0"),
        ("1 <= ()", "`<=` compares the number 1 with nothing `()`: neither is more than the other"),
        ("let a = (); let b = (); a < b", "`<` compares nothing `()` with nothing `()`"),
        ("\"a\" >= ()", "`>=` compares text `a` with nothing `()`"),
        ("(0..3) == true", "`==` compares a range with true or false"),
        ("2 == (0..=3)", "`==` compares the number 2 with a range"),
        ("true == \"yes\"", "`==` compares true or false with text `yes`"),
        ("service(\"c1\") == \"c1\"", "`==` compares a service with text `c1`"),
        ("\"1\" in [1, 2]", "compares the number 1 with text `1`"),
        ("[1, 2].contains(\"1\")", "compares the number 1 with text `1`"),
        ("[1] == [\"1\"]", "compares the number 1 with text `1`"),
        ("let s = \"1\"; [1].filter(|n| n == s)", "compares the number 1 with text `1`"),
        ("try { 1 == \"1\" } catch { note(\"hidden\") }", "`==` compares the number 1 with text `1`"),
    ] {
        let bug = Test::new(script).bug();
        assert!(bug.contains(said), "{script}: {bug}");
    }
    let fine = "1 == 1.0 && (0..3) == (0..3) && () == () && !(() != ()) && 'a' == \"a\" && () != 1 && \"a\" != () && service(\"c1\") == service(\"c1\") && [1] == [1] \
                && #{ a: 1 } == #{ a: 1 } && 2 > 1.5 && (1 in [1]) && (\"a\" in #{ a: 1 })";
    Test::new(&format!("guard({fine}, \"\");")).done();
}
