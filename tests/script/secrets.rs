//! Secrets in scripts: one use, and a clear end for every other; and commands as another account.

use super::Test;
use baton::model::run::effect::Action;

#[test]
fn a_secret_goes_to_a_command_by_its_name() {
    let test = Test::new(
        r#"let s = secret("db");
           run(host("cfg-a"), ["psql"], #{ stdin: s });
           change(service("c2"), "shutdown", #{}, #{ stdin: secret("db") });"#,
    )
    .answer("status(c2)", "running");
    assert_eq!(test.done(), ["run(cfg-a, psql)", "status(c2)", "shutdown(c2)"]);
    for label in ["run(cfg-a, psql)", "shutdown(c2)"] {
        let Action::Job(job) = test.door.effect(label).action else { panic!("not a job") };
        assert_eq!(job.secret.as_deref(), Some("db"), "{label}");
    }
}

#[test]
fn a_probe_is_handed_a_secret_by_its_name() {
    let test = Test::new(
        r#"let s = secret("db");
           probe(service("c2"), "clients", #{}, #{ stdin: s });
           wait_probe(service("c2"), "clients", 0, #{ stdin: s });
           probe(service("c2"), "version");"#,
    )
    .answer("clients(c2)", 4)
    .answer("version(c2)", "8.5.100");
    assert_eq!(test.done(), ["clients(c2)", "wait until clients of c2 is 0", "version(c2)"]);
    let Action::Probe(probe) = test.door.effect("clients(c2)").action else { panic!("not a probe") };
    assert_eq!(probe.secret.as_deref(), Some("db"));
    let Action::Until(until) = test.door.effect("wait until clients of c2 is 0").action else { panic!("not a wait") };
    assert_eq!(until.probe.secret.as_deref(), Some("db"));
    let Action::Probe(probe) = test.door.effect("version(c2)").action else { panic!("not a probe") };
    // As it stands in older journals: what is asked has the same digest.
    let text = serde_json::to_string(&probe).expect("a text");
    assert!(probe.secret.is_none() && !text.contains("secret"), "{text}");
    assert_eq!(serde_json::from_str::<baton::model::run::effect::Probe>(&text).expect("a probe"), probe);
    let bug = Test::new("probe(service(\"c2\"), \"clients\", #{}, #{ stdin: \"db\" });").bug();
    assert!(bug.contains("option `stdin` of `probe` wants a secret such as `secret(\"db\")`"), "{bug}");
}

#[test]
fn a_secret_can_be_used_for_nothing_else() {
    for misuse in [
        "note(s)",
        "print(s)",
        "debug(s)",
        "note(`it is ${s}`)",
        "note(\"\" + s)",
        "note(s + \"\")",
        "s.to_string()",
        "s.to_debug()",
        "s == \"x\"",
        "s == s",
        "\"x\" != s",
        "[s].to_string()",
        "[s].contains(s)",
        "[s] == [s]",
        "let text = \"\"; text += s",
        "note([1, #{ deep: s }])",
        "#{ a: s }.to_json()",
        "run(host(\"cfg-a\"), [\"echo\", s])",
        "run(host(\"cfg-a\"), [\"echo\"], #{ check: [\"x\", s] })",
        "run(host(\"cfg-a\"), [\"echo\"], #{ stdin: [s] })",
        "run(host(\"cfg-a\"), [\"echo\"], #{ limit: s })",
        "set_option(service(\"c2\"), \"a\", \"b\", s)",
        "change(service(\"c2\"), \"set_option\", #{ section: \"a\", key: \"b\", value: s })",
        "probe(service(\"c2\"), \"clients\", #{ name: s })",
        "probe(service(\"c2\"), \"clients\", #{ name: s }, #{ stdin: s })",
        "guard(false, s)",
        "step(s, || 1)",
        "hold(s)",
        "confirm(`${s}?`)",
    ] {
        let test = Test::new(&format!("let s = secret(\"db\");\n{misuse};\nnote(\"went on\");"));
        let bug = test.bug();
        assert!(bug.contains("a secret cannot be printed, compared, joined to a text or kept"), "{misuse}: {bug}");
        assert!(bug.contains("at test.rhai:2:"), "{misuse}: {bug}");
        assert!(test.door.seen().is_empty(), "{misuse}: {:?}", test.door.seen());
    }
    let bug = Test::new("run(host(\"cfg-a\"), [\"x\"], #{ stdin: \"text\" });").bug();
    assert!(bug.contains("option `stdin` of `run` wants a secret such as `secret(\"db\")`, not text `text`"), "{bug}");
    let bug = Test::new("secret(\"dbb\");").bug();
    assert!(bug.contains("the inventory has no secret `dbb`\n  at test.rhai:1:1\n  hint: did you mean `db`?"), "{bug}");
}

#[test]
fn a_command_is_done_as_another_account_through_sudo() {
    let test = Test::new(
        r#"run(host("cfg-a"), ["systemctl", "stop", "x"], #{ become: "root", check: ["test", "-e", "/x"] });"#,
    );
    test.done();
    let effect = test.door.effect("run(cfg-a, systemctl stop x)");
    let Action::Job(job) = effect.action else { panic!("not a job") };
    assert_eq!(job.argv, ["sudo", "-n", "-u", "root", "--", "systemctl", "stop", "x"]);
    assert_eq!(job.check.expect("a check").argv, ["sudo", "-n", "-u", "root", "--", "test", "-e", "/x"]);
    let bug = Test::new("run(host(\"cfg-a\"), [\"x\"], #{ become: \"-u\" });").bug();
    assert!(bug.contains("option `become`: `-u` is not the name of an account"), "{bug}");
}

/// A secret that was read is hidden; what only it would decide is not decided.
#[test]
fn nothing_is_decided_by_what_is_hidden() {
    let read = |text: &str| {
        Test::new(&format!("let v = version(service(\"c1\")); note({text});")).answer("version(c1)", "x=********")
    };
    for text in [
        r#"v == "x=sekret77""#,
        r#"v != "x=sekret77""#,
        r#""x=sekret77" == v"#,
        "v == v",
        r#"v.contains("sekret")"#,
        r#""ret7" in v"#,
        r#"v.starts_with("x=s")"#,
        r#"v.ends_with("77")"#,
        r#"v.index_of("e")"#,
        r#"v.contains('7')"#,
        r#"v in ["a", "x=sekret77"]"#,
        r#"["x=sekret77"].index_of(v)"#,
        r#"v in #{ "x=sekret77": 1 }"#,
        r#"v < "x=t""#,
    ] {
        let said = read(text).bug();
        assert!(said.contains("holds a secret: it is hidden, so nobody can tell"), "{text}: {said}");
    }
    for (text, told) in [
        (r#"v == """#, "false"),
        (r#"v != "y=sekret77""#, "true"),
        (r#"v == "x=short""#, "false"),
        (r#"v.contains("x=")"#, "true"),
        (r#"v.contains("x=sekret77 and more")"#, "false"),
        (r#"v.starts_with("x")"#, "true"),
        (r#"v.starts_with("y")"#, "false"),
        (r#"v.index_of("=")"#, "1"),
        (r#"v in ["a", "y=sekret77"]"#, "false"),
        (r#"v < "y""#, "true"),
    ] {
        assert_eq!(read(text).done().last().map(String::as_str), Some(format!("note: {told}").as_str()), "{text}");
    }
}
