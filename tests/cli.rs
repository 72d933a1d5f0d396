//! The command line as a newcomer meets it: help, mistakes, the site's own files, exit codes, the next command.

use crate::support::{Baton, Ended};

/// A runbook that asks nothing of any host.
const QUIET: &str = "//! Says one thing\n//! source: nobody\nlet who = param(\"who\", #{ help: \"whom to greet\" });\n\
                     step(\"Greet\", || note(\"hello\"));\n";

#[test]
fn without_words_it_helps_and_names_where_to_start() {
    let ended = Baton::new().run(&[]);
    assert_eq!(ended.code, 2);
    ended.says("baton list").says("resume");
    Baton::new().run(&["--help"]).code(0).says("Usage: baton").says("doctor");
    Baton::new().run(&["run", "--help"]).code(0).says("--lab <LAB[:SCENARIO]>").says("baton run RUNBOOK --help");
}

#[test]
fn a_misspelled_runbook_is_answered_with_the_near_one() {
    let ended = Baton::new().run(&["run", "genesys/confserv-hs", "--lab", "genesys"]).code(2);
    assert!(ended.err.contains("did you mean `genesys/confserv-ha`?"), "{}", ended.err);
    assert!(ended.err.trim_end().ends_with("baton list"), "{}", ended.err);
    assert!(ended.out.is_empty(), "{}", ended.out);
}

#[test]
fn a_run_needs_to_be_told_where() {
    Baton::new().run(&["run", "genesys/confserv-ha"]).code(2).says("where shall").says("--lab genesys");
    let both = ["run", "genesys/confserv-ha", "--lab", "genesys", "-i", "x.toml"];
    Baton::new().run(&both).code(2).says("cannot be used with");
    Baton::new().run(&["run", "genesys/confserv-hs"]).code(2).says("did you mean `genesys/confserv-ha`?");
    Baton::new().run(&["run", "genesys/confserv-ha", "-i", "x.toml"]).code(2).says("there is no inventory `x.toml`");
}

#[test]
fn the_help_of_a_runbook_lists_its_parameters_without_running_it() {
    let baton = Baton::new();
    baton.write("runbooks/own/quiet.rhai", QUIET);
    let ended = baton.run(&["run", "own/quiet", "--help"]).code(0);
    let ended = ended.says("Says one thing").says("after: nobody").says("-p who=…").says("whom to greet");
    assert!(ended.out.contains("must be given"), "{}", ended.out);
    assert!(!baton.state().exists(), "nothing was begun");
    baton.run(&["run", "postgresql/switchover", "--help"]).code(0).says("--lab postgresql");
    let mut command = baton.command(&["run", "genesys/confserv-ha", "--help"]);
    let page = String::from_utf8(command.env("COLUMNS", "80").output().unwrap().stdout).unwrap();
    assert!(page.lines().all(|line| line.chars().count() <= 80), "wider than a terminal:\n{page}");
}

#[test]
fn who_reads_a_pipe_gets_whole_lines_and_each_verb_on_one() {
    let baton = Baton::new();
    let in_pipe = |words: &[&str]| {
        let out = baton.command(words).env_remove("COLUMNS").output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let verbs = in_pipe(&["doc"]);
    let lines: Vec<&str> = verbs.lines().take_while(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| !line.starts_with(' ')), "a verb is one line:\n{verbs}");
    assert!(lines.iter().any(|line| line.starts_with("set_option")), "{verbs}");
    let scenarios = in_pipe(&["lab", "genesys"]);
    let places = ["upgrade-mode", "new-database", "compatible"].map(|name| scenarios.find(&format!("\n  {name} ")));
    assert!(places.is_sorted() && places[0].is_some(), "in the order of the lab's file:\n{scenarios}");
    let told = "upgrade mode is not entered and must be forced (25300, then 22170)";
    assert!(scenarios.contains(told), "a line is not broken:\n{scenarios}");
    let plain = |words: &[&str]| {
        let mut command = baton.command(words);
        String::from_utf8(command.env("COLUMNS", "50").output().unwrap().stdout).unwrap()
    };
    assert!(!plain(&["lab", "genesys"]).contains(told));
    assert!(plain(&["--plain", "lab", "genesys"]).contains(told), "asked for plainly, it is whole whatever the width");
}

#[test]
fn parameters_are_checked_before_a_lab_is_touched() {
    let baton = Baton::new();
    baton.write("runbooks/own/quiet.rhai", QUIET);
    let run = |words: &[&str]| baton.run(&[&["run", "own/quiet", "--lab", "genesys"], words].concat());
    run(&[]).code(2).says("needs parameter `who`");
    run(&["-p", "whom=x"]).code(2).says("has no parameter `whom`").says("did you mean `who`?");
    run(&["-p", "who"]).code(2).says("write -p name=value");
    run(&["-p", "who=a", "-p", "who=b"]).code(2).says("given twice");
    baton
        .run(&["run", "own/quiet", "--lab", "genesys:compatble", "-p", "who=x"])
        .code(2)
        .says("did you mean `compatible`?");
    baton.run(&["run", "own/quiet", "--lab", "avaya", "-p", "who=x"]).code(2).says("there is no lab `avaya`");
    baton.run(&["run", "own/quiet", "--lab", "gensys", "-p", "who=x"]).code(2).says("did you mean `genesys`?");
    assert!(!baton.state().join("labs").exists(), "no lab was begun");
}

#[test]
fn a_quiet_run_is_recorded_listed_and_shown() {
    let baton = Baton::new();
    baton.write("runbooks/own/quiet.rhai", QUIET);
    let events = baton.folder().join("events.jsonl");
    let words = ["run", "own/quiet", "--lab", "genesys", "-p", "who=x", "--events", &events.display().to_string()];
    let ended = baton.run(&words).code(0).says("hello").says("✓ done");
    assert!(ended.out.lines().last().is_some_and(|line| line.starts_with("next: baton show ")), "{}", ended.out);
    let lines = std::fs::read_to_string(&events).expect("the events");
    assert!(lines.starts_with("{\"type\":\"version\",\"events\":\"2.0\"}\n"), "{lines}");
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    baton.run(&["runs"]).code(0).says("own/quiet").says("lab genesys:upgrade-mode");
    baton.run(&["show"]).code(0).says("1  Greet").says("hello");
    baton.run(&["resume", "latest"]).code(0).says("is over").says("baton show");
    baton.run(&["lab"]).code(0).says("runs `upgrade-mode`");
    let lab = baton.state().join("labs/genesys").display().to_string();
    assert!(ended.out.contains(&format!("the lab, its logs and its ledger: {lab}\n")), "{}", ended.out);
    baton.run(&["lab", "stop"]).code(0).says("has ended");
}

#[test]
fn a_question_that_nobody_is_there_to_answer_suspends_the_run() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n");
    let text = "//! Asks\nstep(\"First\", || run(host(\"a\"), [\"true\"]));\nconfirm(\"Shall we go on?\");\n";
    baton.write("runbooks/own/asks.rhai", text);
    baton.run(&["run", "own/asks", "-i", "site.toml"]).code(4).says("? suspended").says("Shall we go on?");
    let again = baton.run(&["resume"]).code(4).says("1 step already done").says("? ask    Shall we go on?");
    assert!(again.out.lines().last().is_some_and(|line| line.contains("baton resume ")), "{}", again.out);
    baton.run(&["runs"]).code(0).says("suspended");
}

#[test]
fn runs_are_named_by_prefix_and_mistakes_name_the_next_command() {
    let baton = Baton::new();
    baton.run(&["runs"]).code(0).says("no runs yet");
    baton.run(&["show"]).code(2).says("there are no runs yet").says("baton list");
    baton.run(&["resume", "zz"]).code(2).says("baton list");
    baton.run(&["resume", "--happened", "a", "--not-happened", "b"]).code(2).says("cannot be used with");
    baton.run(&["resume", "--happened", " "]).code(2).says("a verdict needs a reason");
}

#[test]
fn an_ejected_runbook_wins_and_the_run_says_so_when_it_differs() {
    let baton = Baton::new();
    baton.run(&["eject", "genesys/confserv-ha"]).code(0).says("+ written runbooks/genesys/confserv-ha.rhai");
    baton.run(&["eject", "genesys/confserv-ha"]).code(0).says("is here already");
    assert!(baton.folder().join("stdlib/genesys/confserv.rhai").exists());
    baton.run(&["list"]).code(0).says("(this folder's own)");
    baton.run(&["check", "genesys/confserv-ha"]).code(0);
    baton.write("runbooks/genesys/confserv-ha.rhai", "//! Mine\nstep(\"Mine\", || note(\"mine\"));\n");
    let ended = baton.run(&["run", "genesys/confserv-ha", "--lab", "genesys", "-p", "x=1"]).code(2);
    assert!(ended.err.contains("has no parameter `x`"), "{}", ended.err);
    let ended = baton.run(&["run", "genesys/confserv-ha", "--lab", "genesys"]).code(0).says("mine");
    assert!(ended.err.contains("this folder's own runbooks/genesys/confserv-ha.rhai, which differs"), "{}", ended.err);
}

#[test]
fn a_file_that_anyone_may_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let baton = Baton::new();
    baton.write("runbooks/own/quiet.rhai", QUIET);
    let path = baton.folder().join("runbooks/own/quiet.rhai");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).expect("sets permissions");
    baton.run(&["run", "own/quiet", "--help"]).code(8).says("anyone on this machine may change").says("chmod o-w");
}

#[test]
fn a_mistake_in_a_runbook_is_shown_with_its_line_and_a_caret() {
    let baton = Baton::new();
    baton.write("runbooks/own/typo.rhai", "//! A typo\nstep(\"One\", || bakcup(service(\"c1\")));\n");
    let ended = baton.run(&["check", "own/typo"]).code(2);
    let ended = ended.says("own/typo.rhai:2:").says("^^^").says("did you mean `backup`?");
    assert!(!ended.out.contains("panicked"), "{}", ended.out);
}

#[test]
fn verbs_are_explained_and_misspelled_ones_too() {
    let baton = Baton::new();
    baton.run(&["doc"]).code(0).says("backup").says("wait_for_log");
    baton.run(&["doc", "backup"]).code(0).says("class").says("once").says("example");
    let page = baton.run(&["doc", "wait_for_log"]).code(0).out;
    assert!(page.contains("  example\n    start(service(\"c2\"));\n    let seen"), "{page}");
    baton.run(&["doc", "bakcup"]).code(2).says("did you mean `backup`?");
}

#[test]
fn shells_learn_the_words() {
    Baton::new().run(&["completions", "bash"]).code(0).says("resume");
    Baton::new().run(&["completions", "fish"]).code(0).says("eject").says("doctor");
}

#[test]
fn commands_can_be_carried_out_without_a_process() {
    let page = crate::report::Page::default();
    let words = ["baton", "lab", "genesys"].map(Into::into).to_vec();
    assert_eq!(baton::cli::main_with(words, Box::new(page.clone()), Box::new(page.clone())), 0);
    assert!(page.text().contains("upgrade-mode"), "{}", page.text());
}

#[test]
fn events_are_written_where_they_can_be_and_nothing_else_is_touched() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    baton.write("quiet.rhai", "//! Quiet\nnote(1);\n");
    let kept = "//! Quiet\nlet nothing = 1;\n";
    baton.write("kept.rhai", kept);
    let to = |file: &str| baton.run(&["run", "kept.rhai", "-i", "site.toml", "--events", file]);
    to("kept.rhai").code(2).says("holds something else than events").says("nothing was done");
    to(&baton.state().join("journal.db").display().to_string()).code(2).says("holds something else than events");
    assert_eq!(std::fs::read_to_string(baton.folder().join("kept.rhai")).expect("the runbook"), kept);
    to("/dev/full").code(2).says("No space left");
    to("events").code(0);
    let first = std::fs::read_to_string(baton.folder().join("events")).expect("events");
    to("events").code(0);
    let both = std::fs::read_to_string(baton.folder().join("events")).expect("events");
    assert!(both.starts_with(&first) && both.len() > first.len(), "{both}");
    let pipe = baton.folder().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("starts").success());
    to("pipe").code(2).says("begin to read from it first");
}

/// A machine that is its own site, with a runbook outside of the folder of runbooks.
fn with_path(text: &str) -> Baton {
    let baton = Baton::new();
    baton.write("t.toml", "[hosts.web-b]\naddress = \"local\"\n\n[hosts.x]\naddress = \"local\"\n");
    baton.write("p.rhai", &format!("//! A path\n{text}"));
    baton
}

/// The commands that are named in what was said, without `baton`.
fn named(ended: &Ended) -> Vec<String> {
    let lines = ended.out.lines().chain(ended.err.lines());
    lines.filter_map(|line| Some(line.split_once("baton ")?.1.to_owned())).collect()
}

#[test]
fn a_runbook_that_was_given_as_a_path_is_named_as_a_path() {
    let run = ["run", "./p.rhai", "-i", "t.toml"];
    for (text, expected) in [
        ("note(nope);", "check ./p.rhai -i t.toml"),
        ("note(1) note(2)", "check ./p.rhai -i t.toml"),
        ("nope();", "check ./p.rhai -i t.toml"),
        ("host(\"nope\");", "check ./p.rhai -i t.toml"),
    ] {
        let ended = with_path(text).run(&run).code(2);
        assert_eq!(named(&ended), [expected], "{text}\n{}{}", ended.out, ended.err);
    }
    let baton = with_path("let v = param(\"version\", #{ help: \"which\", choices: [\"1\", \"2\"] });");
    for wrong in ["verzion=1", "version=3", "version"] {
        let ended = baton.run(&[&run[..], &["-p", wrong]].concat()).code(2);
        assert_eq!(named(&ended), ["run ./p.rhai --help"], "{wrong}\n{}", ended.err);
    }
    baton.run(&["run", "./p.rhai", "--help"]).code(0).says("next: baton run ./p.rhai -p version=… --lab genesys\n");
    baton.run(&[&run[..], &["--help"]].concat()).code(0).says("next: baton run ./p.rhai -p version=… -i t.toml\n");
    baton.run(&["check", "./p.rhai"]).code(0);
}

/// Whoever leaves out the folder of a runbook is told the whole name.
#[test]
fn a_runbook_is_found_by_the_last_word_of_its_name() {
    let ended = Baton::new().run(&["run", "confserv-ha", "--lab", "genesys"]).code(2);
    ended.says("there is no runbook `confserv-ha`").says("did you mean `genesys/confserv-ha`?");
}

/// No `resume` gives a parameter another value: who has failed by one is told how to begin anew.
#[test]
fn a_run_that_fails_by_the_value_of_a_parameter_tells_how_to_begin_anew() {
    let baton =
        with_path("let limit = param(\"limit\", #{ default: \"1s\" });\nrun(host(\"x\"), [\"true\"]);\nsleep(limit);");
    let ended = baton.run(&["run", "p.rhai", "-i", "t.toml", "-p", "limit=60"]).code(1);
    ended.says("if parameter `limit` should not be `60`: a run keeps its parameters").says("baton abort ");
    let fine = with_path("let n = param(\"n\", #{ default: 1 });\nrun(host(\"x\"), [\"false\"]);");
    let ended = fine.run(&["run", "p.rhai", "-i", "t.toml", "-p", "n=7"]);
    assert!(!ended.err.contains("keeps its parameters"), "{}{}", ended.out, ended.err);
}

#[test]
fn a_run_of_a_path_names_the_path_when_it_is_resumed() {
    let baton = with_path("run(host(\"x\"), [\"true\"]);\nlet x = []; x[3];");
    for words in [&["run", "p.rhai", "-i", "t.toml"][..], &["resume"]] {
        // `check` sees nothing of it: what is named goes on with the text once it is mended.
        let ended = baton.run(words).code(1);
        let commands = named(&ended);
        assert!(commands.iter().any(|one| one.ends_with("--adopt-edited")), "{words:?}\n{}{}", ended.out, ended.err);
        assert!(!commands.iter().any(|one| one.starts_with("check")), "{words:?}\n{}", ended.err);
    }
    let text = std::fs::read_to_string(baton.folder().join("p.rhai")).unwrap();
    baton.write("p.rhai", &text.replace("x[3];", "nope();"));
    let ended = baton.run(&["resume", "--adopt-edited"]).code(2);
    assert!(named(&ended).iter().any(|one| one.starts_with("check p.rhai -i ")), "{}{}", ended.out, ended.err);
    baton.write("p.rhai", &text.replace("x[3];", "x.len();"));
    baton.run(&["resume", "--adopt-edited"]).code(0);
}

#[test]
fn a_state_folder_that_was_named_is_named_in_every_command() {
    let asks = "run(host(\"x\"), [\"true\"]);\nguard(confirm(\"Sure?\", #{ gate: \"a-well\" }), \"no\");";
    let baton = with_path(asks);
    let folder = baton.folder().join("my state").display().to_string();
    let said = |words: &[&str]| baton.run(&[words, &["--state", &folder]].concat());
    let first = said(&["run", "p.rhai", "-i", "t.toml"]).code(4);
    let other = said(&["run", "p.rhai", "-i", "t.toml"]).code(8);
    for ended in [&first, &other, &said(&["show"]), &said(&["runs"]), &said(&["approve"]), &said(&["show", "ffff"])] {
        let named = named(ended);
        assert!(!named.is_empty(), "{}{}", ended.out, ended.err);
        let with = format!("--state '{folder}' ");
        assert!(named.iter().all(|one| one.starts_with(&with)), "{named:#?}\n{}{}", ended.out, ended.err);
    }
    // What the environment says needs no word.
    let plain = baton.run(&["show", "ffff"]).code(2);
    assert_eq!(named(&plain), ["list"], "{}", plain.err);
}

#[test]
fn a_name_of_a_host_where_a_host_belongs_is_answered_with_how_it_is_written() {
    let said = |text: &str| with_path(text).run(&["run", "p.rhai", "-i", "t.toml"]).code(2).err;
    for text in ["run(\"web-b\", [\"true\"]);", "let s = #{ host: \"web-b\" }; run(s.host, [\"true\"]);"] {
        let told = said(text);
        assert!(told.contains("write `host(\"web-b\")`") && told.contains("wants a host or a service"), "{told}");
    }
    let told = said("start(\"web-b\");");
    assert!(told.contains("`web-b` is a host of the inventory") && !told.contains("write `"), "{told}");
    assert!(said("reboot(\"x\");").contains("write `host(\"x\")`"));
}

#[test]
fn how_a_host_is_called_by_hand_is_told_with_the_configuration_of_the_site() {
    let baton = Baton::new();
    baton.write("cfg", "Host cfg-a\n  HostName 127.0.0.1\n  Port 1\n");
    let cfg = baton.folder().join("cfg").display().to_string();
    baton.write("t.toml", &format!("[ssh]\nconfig = \"{cfg}\"\n\n[hosts.a]\naddress = \"cfg-a\"\n"));
    baton.write("p.rhai", "//! Calls\nrun(host(\"a\"), [\"true\"]);\n");
    let ended = baton.run(&["run", "p.rhai", "-i", "t.toml"]);
    let told = format!("{}{}", ended.out, ended.err).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&format!("by hand: `ssh -F {cfg} cfg-a`")), "{told}");
}

#[test]
fn stopping_a_lab_that_does_not_run_is_said() {
    Baton::new().run(&["lab", "stop"]).code(0).says("no lab runs: there was nothing to stop");
    Baton::new().run(&["lab", "stop", "genesys"]).code(0).says("no lab `genesys` runs");
}

/// A file that stands where none is looked for: which flag was forgotten before it.
#[test]
fn a_site_without_its_flag_is_told_what_it_is_named_with() {
    let baton = Baton::new();
    let named = "a site is named with `-i`: -i site.toml";
    for words in [
        &["run", "genesys/confserv-ha", "site.toml"][..],
        &["repl", "genesys/confserv-ha", "site.toml"],
        &["doctor", "genesys/confserv-ha", "site.toml"],
        &["check", "genesys/confserv-ha", "site.toml"],
        &["run", "site.toml", "--lab", "genesys"],
        &["doctor", "site.toml", "--lab", "genesys"],
    ] {
        let ended = baton.run(words).code(2);
        assert!(format!("{}{}", ended.out, ended.err).contains(named), "{words:?}\n{}{}", ended.out, ended.err);
    }
    let kept = "a run keeps the site that it was begun on";
    baton.run(&["rollback", "latest", "site.toml"]).code(2).says(kept).says("--answers site.toml");
    baton.run(&["resume", "latest", "site.toml"]).code(2).says(kept);
    let ended = baton.run(&["run", "genesys/confserv-ha", "other"]).code(2);
    assert!(!ended.err.contains("is named with"), "{}", ended.err);
}

/// The lab that is named is the one in which the runbook can be rehearsed, whichever command names it.
#[test]
fn a_runbook_is_offered_its_own_lab_by_every_command() {
    let baton = Baton::new();
    for command in ["run", "repl", "doctor"] {
        let ended = baton.run(&[command, "postgresql/switchover"]).code(2);
        ended.says(&format!("baton {command} postgresql/switchover")).says("--lab postgresql");
        baton.run(&[command, "genesys/confserv-ha"]).code(2).says("--lab genesys");
    }
    for command in ["repl", "doctor"] {
        baton.run(&[command]).code(2).says(&format!("baton {command} --lab genesys"));
    }
}
