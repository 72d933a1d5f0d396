//! What a person is told who hands something wrong to the real binary: the exact text, the exit code, and that nothing
//! was touched. Every message says what and where, and its last line what to type next.

use crate::support::{Baton, Ended};
use baton::journal::Store;
use baton::journal::sqlite::SqliteStore;
use baton::model::run::estate::EstateId;
use baton::model::run::record::{FORMAT, Fact, Moment, Record, Who};
use baton::model::value::Fields;
use std::collections::BTreeMap;
use std::process::Command;

/// A product whose only verb leaves a file behind.
const PRODUCT: &str = r#"
product = "acme-db"
title = "Acme database"
model = "acme"

[requires]
folder = "where it is installed"

[verbs.start]
class = "idempotent"
argv = ["touch", "{folder}/touched"]
limit = "10s"
goal = { probe = "status", is = ["running"] }

[probes.status]
argv = ["sh", "-c", "test -e {folder}/touched && echo running || echo stopped"]
reads = { words = ["stopped", "running"] }
"#;

const SITE: &str = r#"[hosts.here]
address = "local"

[services.db]
host = "here"
product = "acme-db"
folder = "{home}"

[services.standby]
host = "here"
product = "acme-db"
folder = "{home}/standby"

[pairs.db]
primary = "db"
backup = "standby"
"#;

const GOOD: &str = "//! Starts the database\nstart(service(\"db\"));\n";
const RUN: [&str; 4] = ["run", "own/t", "-i", "site.toml"];

/// A machine that is its own site, with this runbook.
fn site(runbook: &str) -> Baton {
    let baton = Baton::new();
    baton.write("stdlib/products/acme-db.toml", PRODUCT).write("runbooks/own/t.rhai", runbook);
    write_site(&baton, SITE);
    baton
}

fn write_site(baton: &Baton, text: &str) {
    baton.write("site.toml", &text.replace("{home}", &baton.folder().display().to_string()));
}

fn touched(baton: &Baton) -> bool {
    baton.folder().join("touched").exists()
}

/// The complaint is this one, word for word, and nothing was touched. `{home}` is the folder commands are typed in.
#[track_caller]
fn complains(baton: &Baton, ended: Ended, code: i32, message: &str) {
    let ended = ended.code(code);
    assert_eq!(ended.err, message.replace("{home}", &baton.folder().display().to_string()) + "\n");
    assert!(!touched(baton), "something was touched");
}

/// As `complains`, and there is no run.
#[track_caller]
fn refuses(baton: &Baton, words: &[&str], code: i32, message: &str) {
    complains(baton, baton.run(words), code, message);
    baton.run(&["runs"]).code(0).says("no runs yet");
}

#[test]
fn a_good_runbook_does_touch_the_site() {
    let baton = site(GOOD);
    baton.run(&RUN).code(0).says("✓ done");
    assert!(touched(&baton));
}

/// What follows `start(service("db"));` in line 2, and what is said. None of it begins a run.
const RUNBOOKS: &[(&str, &str)] = &[
    (
        "start(service(\"db\";",
        "error: expected `,` to separate the arguments to function call 'service'
 --> own/t.rhai:3:19
  |
3 | start(service(\"db\";
  |                   ^
help: fix it, then: baton check own/t -i site.toml",
    ),
    (
        "strat(service(\"db\"));",
        "error: unknown function `strat`
 --> own/t.rhai:3:1
  |
3 | strat(service(\"db\"));
  | ^^^^^
help: did you mean `start`?
help: nothing was touched; fix it, then: baton check own/t -i site.toml",
    ),
    (
        "start();\nstart(1, 2, 3);",
        "error: `start` does not take 0 arguments
 --> own/t.rhai:3:1
  |
3 | start();
  | ^^^^^
help: call it as `start(service)` or `start(service, options)`
help: there is 1 more error in this runbook and its modules
help: nothing was touched; fix it, then: baton check own/t -i site.toml",
    ),
    (
        "start(service(\"bd\"));",
        "error: the inventory has no service `bd`
 --> own/t.rhai:3:7
  |
3 | start(service(\"bd\"));
  |       ^^^^^^^
help: did you mean `db`?
help: nothing was touched; fix it, then: baton check own/t -i site.toml",
    ),
    (
        "start(service(\"db\"), #{ limt: \"5min\" });",
        "error: `start` has no option `limt` (it has: `limit`); did you mean `limit`?
 --> own/t.rhai:3:25
  |
3 | start(service(\"db\"), #{ limt: \"5min\" });
  |                         ^^^^
help: nothing was touched; fix it, then: baton check own/t -i site.toml",
    ),
    (
        "import \"../x\" as x;",
        "error: `../x` is not the name of a module; names look like `vendor/name`, never like paths
 --> own/t.rhai:3:8
  |
3 | import \"../x\" as x;
  |        ^^^^^^
help: fix it, then: baton check own/t -i site.toml",
    ),
    (
        "import \"/etc/x\" as x;",
        "error: `/etc/x` is not the name of a module; names look like `vendor/name`, never like paths
 --> own/t.rhai:3:8
  |
3 | import \"/etc/x\" as x;
  |        ^^^^^^^^
help: fix it, then: baton check own/t -i site.toml",
    ),
    (
        "import \"own/tols\" as tools;",
        "error: there is no module `own/tols`, that is, no file `stdlib/own/tols.rhai`
 --> own/t.rhai:3:8
  |
3 | import \"own/tols\" as tools;
  |        ^^^^^^^^^^
help: fix it, then: baton check own/t -i site.toml",
    ),
    (
        "eval(\"start()\");",
        "error: `eval` is not for runbooks
 --> own/t.rhai:3:1
  |
3 | eval(\"start()\");
  | ^^^^
help: fix it, then: baton check own/t -i site.toml",
    ),
    (
        "let v = param(\"version\", #{ help: \"which to install\" });",
        "error: runbook `own/t` needs parameter `version`
help: `version`: which to install
help: type the same once more with it: -p version=…",
    ),
];

#[test]
fn what_can_be_seen_to_be_wrong_with_a_runbook_begins_no_run() {
    for (line, message) in RUNBOOKS {
        let baton = site(&format!("{GOOD}{line}\n"));
        refuses(&baton, &RUN, 2, message);
        assert!(!baton.state().join("locks").exists(), "{line}: nothing was locked");
    }
}

#[test]
fn a_mistake_in_a_module_or_a_rehearsal_is_refused_as_well() {
    let baton = site("//! x\nimport \"own/tools\" as tools;\nstart(service(\"c1\"));\ntools::stop_all();\n");
    baton.write("stdlib/own/tools.rhai", "//! x\nfn stop_all() {\n    shutdwn(service(\"c1\"));\n}\n");
    let message = "error: unknown function `shutdwn`
 --> stdlib/own/tools.rhai:3:5
  |
3 |     shutdwn(service(\"c1\"));
  |     ^^^^^^^
help: did you mean `shutdown`?
help: nothing was touched; fix it, then: baton check own/t";
    refuses(&baton, &["run", "own/t", "--lab", "genesys"], 2, message);
    // What only the site shows is shown by what looks at it.
    let elsewhere = site("//! x\nstart(service(\"nobody\"));\n");
    let refused = elsewhere.run(&["run", "own/t", "--lab", "genesys"]).code(2);
    refused.says("no service `nobody`").says("fix it, then: baton doctor own/t --lab genesys");
    elsewhere.run(&["doctor", "own/t", "--lab", "genesys"]).code(2).says("no service `nobody`");
    assert!(!baton.state().join("labs").exists(), "no lab was begun");
}

#[test]
fn a_mistyped_parameter_begins_no_run() {
    let baton = site("//! x\nlet n = param(\"count\", #{ default: 2 });\nstart(service(\"db\"));\n");
    for (words, message) in [
        (["-p", "count=many"], "error: parameter `count` is a whole number, not `many`"),
        (["-p", "count"], "error: `count` is not a parameter\nhelp: write -p name=value"),
    ] {
        let message = format!("{message}\nhelp: baton run own/t --help");
        refuses(&baton, &[&RUN[..], &words].concat(), 2, &message);
    }
    let message = "error: runbook `own/t` has no parameter `cuont`
help: did you mean `count`?
help: baton run own/t --help";
    refuses(&baton, &[&RUN[..], &["-p", "cuont=2"]].concat(), 2, message);
}

/// Scripts that only show when they run that they never end; here before they touch anything.
const RUNAWAYS: &[(&str, &str)] = &[
    (
        "loop { }",
        "error: the script does not come to an end: a loop runs for ever without waiting for anything
 --> own/t.rhai:2:6
  |
2 | loop { }
  |      ^",
    ),
    (
        "fn f(n) { f(n + 1) } f(0);",
        "error: functions call each other more than 48 levels deep: one calls itself without end
 --> own/t.rhai:2:22
  |
2 | fn f(n) { f(n + 1) } f(0);
  |                      ^",
    ),
    (
        "let s = \"x\"; while s.len() < 100000000 { s += s; }",
        "error: a text grows beyond every measure: a loop adds to it without end
 --> own/t.rhai:2:44
  |
2 | let s = \"x\"; while s.len() < 100000000 { s += s; }
  |                                            ^",
    ),
];

#[test]
fn a_runbook_that_never_ends_is_stopped() {
    for (line, message) in RUNAWAYS {
        let baton = site(&format!("//! x\n{line}\nstart(service(\"db\"));\n"));
        let ended = baton.run(&RUN).says("✗ script error").says("0 changes");
        // `check` sees nothing of it.
        let run =
            ended.err.split_once("baton resume ").map_or("", |(_, run)| run).split(' ').next().unwrap_or_default();
        let next = format!("edit the runbook, then go on from here: baton resume {run} --adopt-edited");
        complains(&baton, ended, 2, &format!("{message}\nhelp: {next}"));
    }
}

#[test]
fn a_text_of_100_mb_is_refused() {
    let text = "x".repeat(100_000_000);
    let baton = site(&format!("//! x\nlet s = \"{text}\";\nstart(service(\"db\"));\n"));
    let ended = baton.run(&RUN).code(2).says("a text of more than 1048576 bytes is too long for a runbook");
    assert!(ended.err.contains(" --> own/t.rhai:2:9\n"), "{}", ended.err.len());
    assert!(ended.err.ends_with("help: fix it, then: baton check own/t -i site.toml\n"));
    assert!(ended.err.len() < 2_000, "the text itself is not shown: {} bytes", ended.err.len());
    assert!(!touched(&baton));
}

/// What is replaced in the sound inventory, by what, and what is said.
const INVENTORIES: &[(&str, &str, &str)] = &[
    (
        "folder = \"{home}\"",
        "foldr = \"{home}\"",
        "error: unknown key `foldr` in service `db`
 --> site.toml:7:1
  |
7 | foldr = \"{home}\"
  | ^^^^^
help: did you mean `folder`?",
    ),
    (
        "folder = \"{home}\"",
        "folder = \"{home}\"\nport = 2020",
        "error: unknown key `port` in service `db`
 --> site.toml:8:1
  |
8 | port = 2020
  | ^^^^
help: the keys here are `host`, `product`, `vars`, `become`, `tags`, `verbs`, `probes`, `log`, `folder`
help: variables of your own go into [services.db.vars]",
    ),
    (
        "[services.db]\nhost = \"here\"",
        "[services.db]\nhost = \"there\"",
        "error: `host` of service `db` is `there`: there is no such host
 --> site.toml:5:8
  |
5 | host = \"there\"
  |        ^^^^^^^
help: did you mean `here`?",
    ),
    (
        "backup = \"standby\"\n",
        "",
        "error: pair `db` lacks `backup`
  --> site.toml:14:8
   |
14 | [pairs.db]
   |        ^^",
    ),
    (
        "folder = \"{home}\"",
        "folder = \"{where}\"\nvars.where = \"{folder}\"",
        "error: variable `folder` of service `db`: variables go round in a circle: {folder} -> {where} -> {folder}
 --> site.toml:7:10
  |
7 | folder = \"{where}\"
  |          ^^^^^^^^^",
    ),
    (
        "address = \"local\"",
        "address = 7",
        "error: `address` is a number, not text
 --> site.toml:2:11
  |
2 | address = 7
  |           ^
help: texts stand in quotes: \"…\"",
    ),
    (
        "primary = \"db\"",
        "primary = [\"db\"]",
        "error: `primary` is a list, not text
  --> site.toml:15:11
   |
15 | primary = [\"db\"]
   |           ^^^^^^
help: texts stand in quotes: \"…\"",
    ),
    (
        "address = \"local\"",
        "address = \"-oProxyCommand=x\"",
        "error: `-oProxyCommand=x` is not an address
 --> site.toml:2:11
  |
2 | address = \"-oProxyCommand=x\"
  |           ^^^^^^^^^^^^^^^^^^
help: write `local`, or a destination as ssh takes it: `user@machine`",
    ),
    (
        "[services.db]\nhost = \"here\"\nproduct = \"acme-db\"",
        "[services.db]\nhost = \"here\"\nproduct = \"acme\"",
        "error: `product` of service `db` is `acme`: there is no such product
 --> site.toml:6:11
  |
6 | product = \"acme\"
  |           ^^^^^^
help: a product is described by a file `stdlib/products/acme.toml`",
    ),
    (
        "[pairs.db]",
        "[pairs.db",
        "error: this is not TOML: unclosed table, expected `]`
  --> site.toml:14:10
   |
14 | [pairs.db
   |          ^",
    ),
];

#[test]
fn a_wrong_inventory_begins_no_run() {
    for (before, after, message) in INVENTORIES {
        let baton = site(GOOD);
        assert!(SITE.contains(before), "{before}");
        write_site(&baton, &SITE.replacen(before, after, 1));
        refuses(&baton, &RUN, 2, &format!("{message}\nhelp: fix it, then: baton check own/t -i site.toml"));
    }
}

#[test]
fn an_inventory_that_is_no_text_begins_no_run() {
    let baton = site(GOOD);
    let run = |file: &str, message: &str| refuses(&baton, &["run", "own/t", "-i", file], 2, message);
    run(
        "other.toml",
        "error: there is no inventory `other.toml`\nhelp: name the file that lists your hosts and services: -i FILE",
    );
    run(
        "stdlib",
        "error: cannot read `stdlib`\n  caused by: Is a directory (os error 21)\nhelp: look at what it is: ls -ld stdlib",
    );
    std::fs::write(baton.folder().join("site.toml"), [0xff, 0xfe, 0x00]).expect("writes bytes");
    run("site.toml", "error: `site.toml` is not text in UTF-8\nhelp: look at what it is: file site.toml");
    std::fs::write(baton.folder().join("site.toml"), "").expect("writes nothing");
    let message = "error: the inventory has no service `db`
 --> own/t.rhai:2:7
  |
2 | start(service(\"db\"));
  |       ^^^^^^^
help: it has no service at all; give one with `-i FILE` or `--lab`
help: nothing was touched; fix it, then: baton check own/t -i site.toml";
    run("site.toml", message);
}

#[test]
fn runs_that_cannot_be_told_are_named_with_the_next_command() {
    let baton = site(GOOD);
    let mut store = SqliteStore::open(&baton.state()).expect("a journal");
    for run in ["aa01", "aa02"] {
        store.append(run, 0, &[begun(FORMAT).into()]).expect("a run");
    }
    for command in ["show", "resume"] {
        let message = "error: there is no run `zz`\nhelp: see which runs there are: baton runs";
        complains(&baton, baton.run(&[command, "zz"]), 2, message);
        let message = "error: `aa` may mean `aa01` or `aa02`
help: type more of its characters, or see them all: baton runs";
        complains(&baton, baton.run(&[command, "aa"]), 2, message);
    }
}

fn begun(format: u32) -> Record {
    Fact::Begun {
        format,
        baton: "0".into(),
        runbook: "own/t".into(),
        sources: BTreeMap::new(),
        params: Fields::new(),
        estate: EstateId::Site,
    }
    .by(Who::default(), Moment::default())
}

/// A machine with one run that is over, and its name. What the run touched is removed.
fn with_a_run() -> (Baton, String) {
    let baton = site(GOOD);
    baton.run(&RUN).code(0);
    std::fs::remove_file(baton.folder().join("touched")).expect("removes it");
    let runs = SqliteStore::open(&baton.state()).expect("a journal").runs().expect("lists runs");
    (baton, runs.into_iter().next().expect("a run"))
}

fn sql(baton: &Baton, statement: &str) {
    let database = rusqlite::Connection::open(baton.state().join("journal.db")).expect("a database");
    database.execute_batch(statement).expect("carries it out");
}

#[test]
fn a_damaged_run_is_refused_and_the_others_are_not() {
    let (baton, run) = with_a_run();
    sql(&baton, "UPDATE records SET body = replace(body, 'touch', 'tough') WHERE kind = 'intent'");
    let message = format!(
        "error: the journal of run {run} is damaged: record 2 is the last good one
help: nothing was done: put the state directory back from a backup
help: see which runs are sound: baton runs"
    );
    for command in ["show", "resume"] {
        complains(&baton, baton.run(&[command]), 8, &message);
    }
    baton.run(&["runs"]).code(0).says(&format!("{}  ✗ unreadable", &run[..12])).says("record 2 is the last good one");
    baton.run(&RUN).code(0).says("✓ done");
    baton.run(&["runs"]).code(0).says("✗ unreadable").says("✓ done");
}

#[test]
fn a_damaged_database_is_refused() {
    let (baton, _) = with_a_run();
    std::fs::write(baton.state().join("journal.db"), "no database at all, but a text of some length").expect("writes");
    let message = "error: the journal `{home}/state/journal.db` is damaged: file is not a database
help: nothing was done: put the file back from a backup, or name another state directory with `--state DIR`";
    for words in [&RUN[..], &["runs"], &["show"], &["resume"]] {
        complains(&baton, baton.run(words), 8, message);
    }
}

#[test]
fn a_journal_of_a_newer_baton_is_refused() {
    let (baton, _) = with_a_run();
    sql(&baton, "PRAGMA user_version = 7");
    let message = "error: `{home}/state/journal.db` has layout 7, which a newer baton wrote; this baton knows layout 1
help: use the newer baton, or name another state directory with `--state DIR`";
    for words in [&RUN[..], &["runs"], &["show"], &["resume"]] {
        complains(&baton, baton.run(words), 8, message);
    }
    assert!(!baton.state().join("labs").exists());
    let words = ["run", "genesys/confserv-ha", "--lab", "genesys"];
    complains(&baton, baton.run(&words), 8, message);
    assert!(!baton.state().join("labs").exists(), "a lab was begun");
}

#[test]
fn a_run_of_a_newer_format_is_refused() {
    let baton = site(GOOD);
    SqliteStore::open(&baton.state()).expect("a journal").append("aa01", 0, &[begun(9).into()]).expect("a run");
    let message = "error: the run is written in format 9, by baton 0; this baton reads format 2
help: nothing was done: nothing of that run is lost
help: go on with it with the version that began it, 0, or a newer one";
    complains(&baton, baton.run(&["resume", "aa01"]), 8, message);
}

#[test]
fn a_state_directory_that_is_a_file_is_refused() {
    let baton = site(GOOD);
    baton.write("state", "not a folder\n");
    let message = "error: the state directory `{home}/state` cannot be used: it is not a folder
help: make it a folder of yours with room in it, or name another one with `--state DIR`";
    for words in [&RUN[..], &["runs"], &["show"], &["resume"], &["run", "genesys/confserv-ha", "--lab", "genesys"]] {
        complains(&baton, baton.run(words), 3, message);
    }
}

/// A run whose files may not grow beyond so many blocks of 512 bytes: a full disk, for all that baton can see.
fn with_room_for(blocks: u32) -> (Baton, Ended) {
    let baton = site(GOOD);
    let own = baton.command(&RUN);
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(own.get_program()).args(own.get_args()).current_dir(baton.folder());
    for (name, value) in own.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ended = Ended::from(command.output().expect("starts the binary"));
    (baton, ended)
}

#[test]
fn a_full_disk_is_noticed_before_the_first_change() {
    let (mut refused, mut done) = (0, 0);
    for blocks in (0..=160).step_by(8) {
        let (baton, ended) = with_room_for(blocks);
        let text = format!("{blocks} blocks: {}{}", ended.out, ended.err);
        if ended.code == 0 {
            assert!(touched(&baton), "{text}");
            done += 1;
            continue;
        }
        assert!(text.contains("could not be written") || text.contains("cannot be used"), "{text}");
        assert!(!text.contains("panicked"), "{text}");
        if !touched(&baton) {
            // 1 where the run had begun, and can be resumed when there is room.
            assert!(matches!(ended.code, 1 | 3), "{} {text}", ended.code);
            refused += 1;
        }
    }
    assert!(refused > 3 && done > 0, "{refused} refused, {done} done");
}
