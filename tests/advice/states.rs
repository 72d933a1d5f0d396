//! The states that a run can be in, and how a machine comes into each of them.

use super::said::Told;
use crate::support::terminal::Session;
use crate::support::{Baton, Ended};
use baton::journal::Store;
use baton::journal::sqlite::SqliteStore;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A product that is files in a folder.
const PRODUCT: &str = r#"
product = "acme-db"
title = "Acme database"
model = "acme"

[requires]
folder = "where it is installed"

[verbs.wipe]
class = "once"
argv = ["touch", "{folder}/wiped"]
limit = "10s"
severe = true

[verbs.set_option]
class = "idempotent"
argv = ["sh", "-c", "echo {value} >{folder}/{key}"]
limit = "10s"
goal = { probe = "option", is = ["{value}"] }
undo = "restore_option"

[verbs.restore_option]
class = "idempotent"
argv = ["sh", "{folder}/restore.sh", "{former}", "{folder}/{key}"]
limit = "2s"
goal = { probe = "option", is = ["{former}"] }

[probes.gone]
argv = ["no-such-program"]

[probes.option]
argv = ["sh", "-c", "cat {folder}/{key}"]
"#;

const SITE: &str =
    "[hosts.here]\naddress = \"local\"\n\n[services.db]\nhost = \"here\"\nproduct = \"acme-db\"\nfolder = \"{home}\"\n";

/// The usual run.
pub const RUN: &[&str] = &["run", "own/t", "-i", "site.toml"];
pub const BACK: &[&str] = &["rollback", "--yes"];
/// A step that can be taken back.
pub const MARK: &str = "let db = service(\"db\"); let here = host(\"here\");\n\
                    step(\"Mark\", || set_option(db, \"main\", \"mode\", \"new\"));\n";
/// A question between two changes.
const GATED: &str =
    "run(host(\"here\"), [\"true\"]); guard(confirm(\"Sure?\"), \"no\"); run(host(\"here\"), [\"true\"]);";
/// What is typed in every state: some of it does not fit, and what is said then has to.
const LOOKS: &[&[&str]] = &[
    &["show"],
    &["runs"],
    &["approve"],
    &["resume"],
    &["resume", "--done", "why"],
    &["resume", "--skip", "why"],
    &["resume", "--happened", "why"],
    &["resume", "--not-happened", "why"],
    &["resume", "--accept-drift", "why"],
    &["resume", "--adopt-edited"],
    &["rollback"],
    &["rollback", "--yes"],
    &["rollback", "--to", "1", "--yes"],
    &["rollback", "--happened", "why", "--yes"],
    &["abort", "--reason", "why"],
    &["abort", "--reason", " "],
    &["takeover", "latest", "--reason", "why"],
    &["repl", "--run", "latest"],
    &["approve", "latest", "no-gate"],
    &RUN_AGAIN,
];
const RUN_AGAIN: [&str; 4] = ["run", "own/other", "-i", "site.toml"];

/// What brings a machine further.
#[derive(Clone, Copy)]
pub enum Act {
    /// A command line.
    Type(&'static [&'static str]),
    /// Something that happens outside baton.
    Do(fn(&Baton)),
    /// A command that is not left to itself, and what it said.
    See(fn(&Baton) -> Ended),
}

use Act::{Do, See, Type};

/// A machine in some state.
pub struct Scene {
    pub name: &'static str,
    pub baton: Baton,
    /// How it comes there.
    pub acts: Vec<Act>,
    /// What is wrong is put right.
    pub mend: fn(&Baton),
    /// Somebody is asked before each change, at a terminal.
    pub steps: bool,
    /// Something runs: nothing may be put back under it.
    pub is_alive: bool,
    /// What runs is ended.
    pub over: fn(&Baton),
    looks: &'static [&'static [&'static str]],
}

impl Scene {
    pub fn new(name: &'static str, runbook: &str, acts: &[Act]) -> Self {
        let baton = Baton::new();
        let home = baton.folder().display().to_string();
        baton.write("stdlib/products/acme-db.toml", PRODUCT).write("site.toml", &SITE.replace("{home}", &home));
        baton.write("mode", "old\n").write("other", "old\n").write("restore.sh", "echo $1 >$2\n");
        baton.write("runbooks/own/notes.rhai", "//! A note\nnote(\"x\");\n");
        baton.write("runbooks/own/other.rhai", "//! Another one\nrun(host(\"here\"), [\"true\"]);\n");
        baton.write("runbooks/own/t.rhai", &format!("//! A test\n{}", runbook.replace("HOME", &home)));
        Self {
            name,
            baton,
            acts: acts.to_vec(),
            mend: |_| {},
            steps: false,
            is_alive: false,
            over: |_| {},
            looks: LOOKS,
        }
    }

    fn mending(self, mend: fn(&Baton)) -> Self {
        Self { mend, ..self }
    }

    fn looking(self, looks: &'static [&'static [&'static str]]) -> Self {
        Self { looks, ..self }
    }

    pub fn looks(&self) -> &'static [&'static [&'static str]] {
        self.looks
    }

    /// The words of a command with something for each placeholder; nothing when one is not known.
    pub fn filled(&self, told: &Told) -> Option<Vec<String>> {
        let is_placeholder = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
        let run = || SqliteStore::open(&self.baton.state()).ok()?.runs().ok()?.pop();
        let fill = |word: &String| match word.as_str() {
            "RUN" => run(),
            "REASON" | "WHY" => Some("looked at it".to_owned()),
            "INVENTORY" => Some("site.toml".to_owned()),
            "RUNBOOK" => Some("own/notes".to_owned()),
            "WORD" if told.words.contains(&"severe-1".to_owned()) => Some("db".to_owned()),
            "WORD" => Some("on".to_owned()),
            "STEP" => Some("1".to_owned()),
            "LAB" => Some("genesys".to_owned()),
            "VERB" => Some("step".to_owned()),
            other if is_placeholder(other) => None,
            other => Some(other.replace('…', "1")),
        };
        told.words.iter().map(fill).collect()
    }
}

fn runbook(baton: &Baton, text: &str) {
    baton.write("runbooks/own/t.rhai", &format!("//! A test\n{text}"));
}

/// Every state.
pub const ALL: &[fn() -> Scene] = &[
    || Scene::new("no runs yet", "note(\"x\");", &[]),
    || Scene::new("unknown run", "note(\"x\");", &[Type(RUN), Type(&["show", "ffff"]), Type(&["resume", "ffff"])]),
    || {
        let acts = [Type(RUN), Type(&["repl"]), Type(&["run", "own/t", "--from-run", "latest"])];
        Scene::new("done", "note(\"x\");", &acts)
    },
    || Scene::new("done, with a change", MARK, &[Type(RUN)]),
    || {
        let looks: &[&[&str]] = &[&["run", "own/other", "--from-run", "latest"], &["repl"]];
        Scene::new("done, and to be followed", "note(\"x\");", &[Type(RUN)]).looking(looks)
    },
    || Scene::new("not begun", "guard(false, \"it does not hold\");", &[Type(RUN)]),
    || Scene::new("failed at its first change", "run(host(\"here\"), [\"false\"]);", &[Type(RUN)]),
    || {
        let text = "let limit = param(\"limit\", #{ default: \"1s\" }); run(host(\"here\"), [\"true\"]); sleep(limit);";
        let run = Type(&["run", "own/t", "-i", "site.toml", "-p", "limit=60"]);
        let mended = |b: &Baton| {
            runbook(b, "let limit = param(\"limit\", #{ default: \"1s\" }); run(host(\"here\"), [\"true\"]);")
        };
        Scene::new("failed by the value of a parameter", text, &[run]).mending(mended)
    },
    || Scene::new("failed after a change", &format!("{MARK}run(here, [\"false\"]);"), &[Type(RUN)]),
    || {
        let missed =
            "step(\"W\", || { let made = run(here, [\"false\"]); guard(made.changed, \"nothing was made\"); });";
        let acts = [Type(RUN), Type(&["resume", "--skip", "why"])];
        Scene::new("without what was left out", &format!("{MARK}{missed}"), &acts)
    },
    || Scene::new("failed at a guard", &format!("{MARK}guard(false, \"it does not hold\");"), &[Type(RUN)]),
    || {
        let reads = format!("{MARK}step(\"Read\", || probe(db, \"gone\"));");
        Scene::new("failed at a reading", &reads, &[Type(RUN)])
    },
    || Scene::new("in doubt", &format!("{MARK}run(here, [\"sh\", \"-c\", \"kill -9 $PPID\"]);"), &[Type(RUN)]),
    || Scene::new("mistake before a change", "let x = []; x[3];", &[Type(RUN)]).mending(|b| runbook(b, "note(\"x\");")),
    || {
        let wrong = format!("{MARK}let x = []; x[3];");
        Scene::new("mistake after a change", &wrong, &[Type(RUN)]).mending(|b| runbook(b, MARK))
    },
    || {
        let long = format!("{MARK}run(here, [\"sh\", \"-c\", \"touch HOME/runs; sleep 1\"]);");
        Scene::new("interrupted", &long, &[See(interrupt)])
    },
    || {
        let long = format!("{MARK}run(here, [\"sh\", \"-c\", \"touch HOME/runs; sleep 1\"]);");
        Scene::new("its runner was killed", &long, &[See(kill)])
    },
    || Scene::new("at a gate", &format!("{MARK}guard(confirm(\"Sure?\"), \"no\");"), &[Type(RUN)]),
    || Scene::new("at a choice", &format!("{MARK}choose(\"Way?\", [\"on\", \"back\"]);"), &[Type(RUN)]),
    || Scene::new("at a severe change", &format!("{MARK}change(db, \"wipe\");"), &[Type(RUN)]),
    || {
        let acts = [Type(RUN), Type(&["approve", "latest", "confirm-1", "no"]), Type(&["resume"])];
        Scene::new("at a gate that was answered", &format!("{MARK}guard(confirm(\"Sure?\"), \"no\");"), &acts)
    },
    || Scene::new("held", &format!("{MARK}hold(\"it is yours now\", \"look at it\");"), &[Type(RUN)]),
    || {
        let acts = [Type(&["run", "own/t", "-i", "site.toml", "--until", "1"])];
        Scene::new("stopped behind a step", &format!("{MARK}step(\"Next\", || run(here, [\"true\"]));"), &acts)
    },
    || {
        let acts = [See(stops_at_a_step)];
        Scene { steps: true, ..Scene::new("step by step", MARK, &acts) }
    },
    || {
        let acts = [Type(RUN), Type(&["abort", "--reason", "why"])];
        Scene::new("given up", &format!("{MARK}run(here, [\"false\"]);"), &acts)
    },
    || Scene::new("rolled back", &format!("{MARK}run(here, [\"false\"]);"), &[Type(RUN), Type(BACK)]),
    || {
        let acts = [Type(RUN), Type(&["rollback", "--to", "1", "--yes"])];
        Scene::new("rolled back to a step", &format!("{MARK}run(here, [\"false\"]);"), &acts)
    },
    || {
        let acts = [Type(RUN), Do(no_restore), Type(BACK)];
        Scene::new("an undo failed", &format!("{MARK}guard(false, \"no\");"), &acts)
    },
    || {
        let undo = MARK.replace("\"new\"));", "\"new\"), #{ undo: || { let x = []; x[3]; } });");
        let mend = |b: &Baton| {
            let undo =
                MARK.replace("\"new\"));", "\"new\"), #{ undo: || set_option(db, \"main\", \"mode\", \"old\") });");
            runbook(b, &format!("{undo}guard(false, \"no\");"));
        };
        Scene::new("a mistake in an undo", &format!("{undo}guard(false, \"no\");"), &[Type(RUN), Type(BACK)])
            .mending(mend)
    },
    || {
        let undo = "#{ undo: || run(here, [\"sh\", \"-c\", \"kill -9 $PPID\"]) }";
        let text = format!("{MARK}step(\"Other\", || run(here, [\"true\"]), {undo});\nguard(false, \"no\");");
        Scene::new("an undo in doubt", &text, &[Type(RUN), Type(BACK)])
    },
    || {
        let text = format!("{MARK}step(\"By hand\", || run(here, [\"true\"]));\nguard(false, \"no\");");
        Scene::new("a gate on the way back", &text, &[Type(RUN), Type(BACK)])
    },
    || {
        let undo = "#{ undo: || { guard(false, \"it is not to be undone now\"); } }";
        let text = format!("{MARK}step(\"Other\", || run(here, [\"true\"]), {undo});\nguard(false, \"no\");");
        Scene::new("a guard on the way back", &text, &[Type(RUN), Type(BACK)])
    },
    || {
        let text = format!("{MARK}point_of_no_return(\"all is new\");\nrun(here, [\"false\"]);");
        Scene::new("past its point of no return", &text, &[Type(RUN)])
    },
    || {
        let edit = |b: &Baton| runbook(b, "run(host(\"here\"), [\"true\"]);");
        let back = |b: &Baton| runbook(b, &format!("{MARK}run(here, [\"true\"]);"));
        let acts = [Type(RUN), Do(edit)];
        Scene::new("edited so that it departs", &format!("{MARK}run(here, [\"false\"]);"), &acts).mending(back)
    },
    || {
        let edit = |b: &Baton| runbook(b, &format!("{MARK}run(here, [\"true\"]);"));
        let acts = [Type(RUN), Do(edit), Type(&["resume", "latest", "--dry"])];
        Scene::new("edited so that it fits", &format!("{MARK}run(here, [\"false\"]);"), &acts).looking(&[])
    },
    || {
        let acts = [Type(&["run", "own/t", "-i", "site.toml", "--state", "elsewhere"]), Type(&RUN_AGAIN)];
        let fails = format!("{MARK}run(here, [\"false\"]);");
        Scene::new("its hosts are held by a run of another state folder", &fails, &acts).looking(&[])
    },
    || {
        let text =
            "let here = host(\"here\");\nensure(\"Tidy up\", || run(here, [\"false\"]));\nrun(here, [\"false\"]);";
        Scene::new("giving it up failed", text, &[Type(RUN), Type(&["abort", "--reason", "why"])])
    },
    || {
        let edit = |b: &Baton| runbook(b, &format!("{MARK}run(here, [\"true\"], #{{ limti: \"5s\" }});"));
        let back = |b: &Baton| runbook(b, &format!("{MARK}run(here, [\"true\"]);"));
        let acts = [Type(RUN), Do(edit), Type(&["check", "own/t", "-i", "site.toml"]), Type(RUN)];
        Scene::new("refused by check", &format!("{MARK}run(here, [\"false\"]);"), &acts).mending(back)
    },
    || {
        let edit = |b: &Baton| {
            b.write("site.toml", "[hosts.other]\naddress = \"local\"\n");
        };
        let acts = [Type(RUN), Do(edit)];
        Scene::new("its inventory was edited", &format!("{MARK}run(here, [\"false\"]);"), &acts).mending(site)
    },
    || {
        let edit = |b: &Baton| {
            b.write("site.toml", "[hosts.here]\nadress = \"local\"\n");
        };
        let acts = [Type(RUN), Do(edit), Type(RUN), Type(&["repl", "-i", "site.toml"])];
        Scene::new("its inventory is wrong", &format!("{MARK}run(here, [\"false\"]);"), &acts).mending(site)
    },
    || {
        let acts = [Type(RUN), Type(&RUN_AGAIN)];
        Scene::new("its hosts are held by another run", &format!("{MARK}run(here, [\"false\"]);"), &acts)
    },
    || {
        let acts = [Type(RUN), Type(&RUN_AGAIN), Type(&["takeover", "latest", "--reason", "why"])];
        Scene::new("its hosts were taken over", &format!("{MARK}run(here, [\"false\"]);"), &acts)
    },
    || {
        let text = "let db = service(\"db\");\nstep(\"Guarded\", || {\n\
                    guard(probe(db, \"option\", #{ key: \"mode\" }) == \"old\", \"no\");\n\
                    confirm(\"Sure?\");\nset_option(db, \"main\", \"other\", \"new\");\n});";
        let drift = |b: &Baton| {
            b.write("mode", "drifted\n");
        };
        let acts = [Type(RUN), Type(&["approve", "latest", "confirm-1"]), Do(drift), Type(&["resume"])];
        Scene::new("drifted", text, &acts).mending(|b| {
            b.write("mode", "old\n");
        })
    },
    || {
        Scene::new(
            "being run by another",
            "run(host(\"here\"), [\"sh\", \"-c\", \"touch HOME/runs; sleep 20\"]);",
            &[See(stays)],
        )
        .living()
    },
    || {
        let gone = |b: &Baton| std::fs::remove_file(b.state().join("journal.db")).expect("removes it");
        Scene::new("its journal is gone", MARK, &[Type(RUN), Do(gone)])
    },
    || {
        let acts = [Type(RUN), Do(copy), Type(&["resume", "latest", "--state", "copy"])];
        Scene::new("in a copy of its state folder", GATED, &acts).looking(&[])
    },
    || {
        let acts = [
            Type(RUN),
            Do(copy),
            Type(&["approve", "latest", "confirm-1", "--state", "copy"]),
            Type(&["takeover", "latest", "--reason", "why", "--state", "copy"]),
            Type(&["resume", "latest", "--state", "copy"]),
            Type(&["approve", "latest", "confirm-1"]),
        ];
        Scene::new("taken over from a copy", GATED, &acts).looking(&[&["resume"]])
    },
    || lab("its lab was stopped", &[Do(rehearse), Type(&["lab", "stop"])]),
    || lab("its lab is gone", &[Do(rehearse), Do(no_lab)]),
    || {
        lab("its lab is damaged", &[Do(rehearse), Type(&["lab", "stop"]), Do(damage)])
            .looking(&[&["show"], &["resume"]])
    },
    || Scene::new("a session without a runbook", "note(\"x\");", &[See(steps_through_nothing)]).looking(&[]),
    || {
        let looks: &[&[&str]] = &[&["show"], &["resume"], &["doctor", "--lab", "genesys:compatible"]];
        lab("its lab was begun anew", &[Do(rehearse), Type(REHEARSE)]).living_lab().looking(looks)
    },
    || {
        let looks: &[&[&str]] = &[&["run", "own/t", "--lab", "genesys"]];
        let text = "note(host(\"nowhere\").name);";
        let fits = |b: &Baton| runbook(b, "note(host(\"cfg-a\").name);");
        Scene::new("a rehearsal in a lab that lacks its host", text, &[]).looking(looks).mending(fits)
    },
    wrong_words,
    || Scene::new("a site that is well", MARK, &[Do(well)]).looking(&[&["doctor"]]),
    || {
        let looks: &[&[&str]] = &[&["doctor", "-i", "site.toml"], &["doctor", "own/t", "-i", "site.toml"]];
        Scene::new("a site that is not well", "probe(service(\"db\"), \"gone\");", &[]).looking(looks).mending(well)
    },
];

impl Scene {
    fn living_lab(self) -> Self {
        Self { is_alive: true, ..self }
    }

    fn living(self) -> Self {
        let looks: &[&[&str]] = &[&["show"], &["runs"], &["resume"], &RUN_AGAIN, &["approve", "latest", "x"]];
        Self { is_alive: true, over: end, ..self }.looking(looks)
    }
}

fn site(baton: &Baton) {
    baton.write("site.toml", &SITE.replace("{home}", &baton.folder().display().to_string()));
}

/// Every probe of the site can be read.
fn well(baton: &Baton) {
    let home = baton.folder().display().to_string();
    let text = SITE.replace("{home}", &home) + "[services.db.probes.gone]\nargv = [\"true\"]\n";
    baton.write("site.toml", &text);
}

fn copy(baton: &Baton) {
    let copied =
        std::process::Command::new("cp").arg("-a").arg(baton.state()).arg(baton.folder().join("copy")).status();
    assert!(copied.expect("starts").success());
}

fn no_restore(baton: &Baton) {
    baton.write("restore.sh", "exit 3\n");
}

/// Begins a run and waits until its command runs on the host.
fn begin(baton: &Baton) -> crate::support::Running {
    let running = baton.spawn(RUN);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !baton.folder().join("runs").exists() {
        assert!(Instant::now() < deadline, "it does not come to its command");
        std::thread::sleep(Duration::from_millis(5));
    }
    running
}

/// What it said, when it was sent this signal.
fn signalled(baton: &Baton, signal: &str) -> Ended {
    let mut running = begin(baton);
    let pid = running.id().to_string();
    assert!(std::process::Command::new("kill").args([signal, &pid]).status().expect("kill").success());
    let code = running.wait().expect("it ends").code().unwrap_or(-1);
    Ended { code, out: std::fs::read_to_string(baton.folder().join("said")).unwrap_or_default(), err: String::new() }
}

fn interrupt(baton: &Baton) -> Ended {
    signalled(baton, "-INT")
}

fn kill(baton: &Baton) -> Ended {
    signalled(baton, "-KILL")
}

/// A run that goes on by itself, for as long as its file is there.
fn stays(baton: &Baton) -> Ended {
    let running = begin(baton);
    let pid = running.id().to_string();
    std::mem::forget(running);
    baton.write("pid", &pid);
    Ended { code: 0, out: String::new(), err: String::new() }
}

/// Ends what goes on by itself.
fn end(baton: &Baton) {
    let pid = std::fs::read_to_string(baton.folder().join("pid")).expect("it was begun");
    let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
}

/// Words that mean nothing, with no run there.
fn wrong_words() -> Scene {
    let looks: &[&[&str]] = &[
        &["--help"],
        &["list"],
        &["lab"],
        &["lab", "genesys"],
        &["lab", "genesis"],
        &["doc"],
        &["doc", "stpe"],
        &["run"],
        &["run", "--help"],
        &["run", "own/t", "--help"],
        &["run", "own/t"],
        &["run", "own/nope", "-i", "site.toml"],
        &["run", "own/t", "-i", "nope.toml"],
        &["run", "own/t", "-i", "site.toml", "-p", "nonsense"],
        &["run", "own/t", "-i", "site.toml", "-p", "a=1", "-p", "a=2"],
        &["run", "own/t", "-i", "site.toml", "-p", "nope=1"],
        &["run", "own/t", "-i", "site.toml", "-p", "count="],
        &["run", "own/t", "-i", "site.toml"],
        &["run", "own/t", "--lab", "genesys:nope"],
        &["repl"],
        &["eject", "genesys/nope"],
        &["eject", "genesys/confserv-ha"],
        &["check", "own/t", "-i", "site.toml"],
        &["check", "own/nope"],
    ];
    let text = "let count = param(\"count\", #{ help: \"how many\" });\nnote(`x ${count}`);";
    Scene::new("words that mean nothing", text, &[]).looking(looks)
}

/// A rehearsal whose lab is stopped, thrown away, or begun anew.
fn lab(name: &'static str, acts: &[Act]) -> Scene {
    let looks: &[&[&str]] = &[&["show"], &["runs"], &["resume"], &["rollback"], &["abort", "--reason", "why"]];
    let asks = "guard(confirm(\"Sure?\"), \"no\");";
    Scene::new(name, asks, acts).looking(looks)
}

fn rehearse(baton: &Baton) {
    baton.run(REHEARSE).code(4);
}

const REHEARSE: &[&str] = &["run", "own/t", "--lab", "genesys", "--no-operator"];

fn no_lab(baton: &Baton) {
    baton.run(&["lab", "stop"]).code(0);
    std::fs::remove_dir_all(baton.state().join("labs")).expect("removes it");
}

fn damage(baton: &Baton) {
    baton.write("state/labs/genesys/lab.toml", "no card\n");
}

/// What a run said that somebody at a terminal stops before its first change.
fn stops_at_a_step(baton: &Baton) -> Ended {
    at_a_step(baton, &["run", "own/t", "-i", "site.toml", "--step"], "stop")
}

/// What a command says at a terminal, where this word is typed before each change.
pub fn at_a_step(baton: &Baton, words: &[&str], word: &str) -> Ended {
    let mut session = Session::start_with(baton, words, &[("COLUMNS", "1000")]);
    while session.sees_any(&["step> "]).0.is_some() {
        session.types(word);
    }
    let code = session.ends();
    Ended { code, out: session.screen().replace('\r', ""), err: String::new() }
}

/// What a session says that has no runbook to be stepped through.
fn steps_through_nothing(baton: &Baton) -> Ended {
    let mut command = baton.command(&["repl", "-i", "site.toml"]);
    let mut child = command.env("COLUMNS", "1000").stdin(Stdio::piped()).spawn().expect("starts the binary");
    child.stdin.take().expect("its input").write_all(b":next\n").expect("types");
    Ended::from(child.wait_with_output().expect("it ends"))
}
