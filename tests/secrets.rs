//! A canary secret through the real binary, on every way a command can take: it comes to the command that reads it,
//! and is found nowhere else.

use crate::support::{Baton, Ended};
use baton::model::run::instant::Mono;
use baton::model::site::secret::{Secret, Source};
use baton::world::carrier::HostPlace;
use baton::world::clock::Clock;
use baton::world::operator::person::Person;
use baton::world::request::{ListFolder, ReadFile, WorkOnFile};
use baton::world::secrets::keyring::Keyring;
use baton::world::system::SystemWorld;
use baton::world::transfer::{Block, ReadBlock};
use baton::world::{CameBack, Completion, HasReply, Ticket, World};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

const CANARY: &str = "canary-7f3a91c2!x";

const PRODUCT: &str = r#"
product = "teller"
title = "Tells what it has heard"
model = "acme"
[requires]
folder = "where it writes"
[verbs.learn]
class = "idempotent"
argv = ["sh", "-c", "read x; echo \"$x\" > {folder}/heard; echo \"$x\" >> {folder}/log/a.log; echo told $x >&2"]
limit = "10s"
goal = { probe = "heard", is = ["yes"] }
[verbs.fail]
class = "once"
argv = ["sh", "-c", "read x; echo out $x; echo err $x >&2; exit 3"]
limit = "10s"
[probes.heard]
argv = ["sh", "-c", "test -e {folder}/heard && echo yes || echo no"]
[probes.leak]
argv = ["cat", "{folder}/heard"]
[probes.broken]
argv = ["sh", "-c", "cat {folder}/heard >&2; exit 4"]
[log]
dir = "{folder}/log"
files = "*.log"
event_patterns = ['^Std (\d{5}) ']
"#;

const SITE: &str = r#"
[secrets.db]
file = "{home}/secret"
[secrets.shown]
command = ["cat", "{home}/secret"]
[secrets.gone]
file = "{home}/gone"
[secrets.short]
env = "SHORT"
[hosts.here]
address = "local"
jobs = "{home}/jobs"
[services.t]
host = "here"
product = "teller"
folder = "{home}/t"
"#;

const RUNBOOK: &str = r#"//! Tells a secret to whoever should hear it
let t = service("t");
let h = host("here");
let told = |what| { try { what.call() } catch (e) { note(`${e.kind}: ${e.message} ${e.output}`); } };
step("Learn", || {
    mark(t);
    note(`learned ${change(t, "learn", #{}, #{ stdin: secret("db") })}`);
    note(`line ${wait_for_log(t, "(canary|\\*{4}).*", #{ limit: "5s" })}`);
});
step("Fail", || {
    told.call(|| change(t, "fail", #{}, #{ stdin: secret("shown") }));
    note(`leak ${probe(t, "leak")}`);
    told.call(|| probe(t, "broken"));
    note(run(h, ["sh", "-c", "base64; exit 0"], #{ stdin: secret("db") }).output);
});
step("Long", || {
    let script = "read x; echo \"$x\"; touch t/begun; until [ -e t/go ]; do sleep 0.05; done; echo \"$x\" >&2; exit 5";
    run(h, ["sh", "-c", script], #{ stdin: secret("db"), limit: "30s" });
});
"#;

fn machine(runbook: &str) -> Baton {
    let baton = Baton::new();
    let site = SITE.replace("{home}", &baton.folder().display().to_string());
    baton.write("stdlib/products/teller.toml", PRODUCT).write("runbooks/own/t.rhai", runbook).write("site.toml", &site);
    baton.write("secret", &format!("{CANARY}\n")).write("t/log/a.log", "");
    baton
}

/// Every file below a folder that holds the canary.
fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(holding(&path));
        } else if std::fs::read(&path).is_ok_and(|bytes| contains(&bytes)) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn contains(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes())
}

/// Looks at what every process shows of itself, except those of other tests.
fn shown_by_processes() -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        for name in ["cmdline", "environ"] {
            let path = entry.path().join(name);
            found.extend(std::fs::read(&path).is_ok_and(|bytes| contains(&bytes)).then(|| path.display().to_string()));
        }
    }
    found
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert_eq!(shown_by_processes(), Vec::<String>::new());
        assert!(begun.elapsed() < Duration::from_secs(30), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_canary_is_found_nowhere() {
    let baton = machine(RUNBOOK);
    let file = |name: &str| baton.folder().join(name);
    let mut first = baton.spawn(&["run", "own/t", "-i", "site.toml", "--events", "events.jsonl"]);
    wait_for(&file("t/begun"));
    assert_eq!(shown_by_processes(), Vec::<String>::new());
    first.kill().expect("kills the runner");
    first.wait().expect("buries the runner");
    std::fs::write(file("t/go"), "").expect("lets it go on");
    let resumed = baton.run(&["resume", "latest", "--events", "more.jsonl"]).code(1);
    let shown = baton.run(&["show", "latest"]).code(0);
    for ended in [&resumed, &shown] {
        assert!(!ended.out.contains(CANARY) && !ended.err.contains(CANARY), "{}{}", ended.out, ended.err);
    }
    assert_eq!(holding(&baton.state()), Vec::<String>::new());
    for events in ["events.jsonl", "more.jsonl"] {
        let text = std::fs::read(file(events)).expect("the events");
        assert!(!text.is_empty() && !contains(&text), "{events}");
    }
    // It was heard, and what said it was shown without it.
    assert_eq!(std::fs::read_to_string(file("t/heard")).expect("heard"), format!("{CANARY}\n"));
    let events = std::fs::read_to_string(file("events.jsonl")).expect("the events");
    let hidden = "*".repeat(CANARY.len());
    for line in [format!("leak {hidden}"), format!("err {hidden}"), "`broken` of `t` ended with exit 4".to_owned()] {
        assert!(events.contains(&line), "no {line:?} in\n{events}");
    }
    // On the host only what the commands themselves wrote holds it.
    let raw = holding(&baton.folder().join("jobs"));
    assert!(raw.iter().all(|path| path.ends_with(".out") || path.ends_with(".err")), "{raw:?}");
}

#[test]
fn a_secret_that_cannot_be_had_starts_nothing() {
    for (name, why) in [("gone", "No such file"), ("short", "it is too short to be hidden: 4 bytes at the least")] {
        let runbook =
            format!("//! T\nrun(host(\"here\"), [\"touch\", \"started\"], #{{ stdin: secret(\"{name}\") }});\n");
        let baton = machine(&runbook);
        let mut command = baton.command(&["run", "own/t", "-i", "site.toml"]);
        let ended = Ended::from(command.env("SHORT", "abc").output().expect("starts the binary")).code(1);
        let told = format!("{}{}", ended.out, ended.err).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("was not started") && told.contains(why), "{told}");
        assert!(!baton.folder().join("started").exists());
    }
}

/// A product that lets in only who knows the secret, and says what it has heard.
const VAULT: &str = r#"
product = "teller"
title = "Lets in who knows it"
model = "acme"
[requires]
folder = "where it writes"
[verbs.open]
class = "idempotent"
argv = ["sh", "-c", "read x; test \"$x\" = \"$(cat {folder}/right)\" && touch {folder}/open"]
stdin = "db"
limit = "10s"
goal = { probe = "door", is = ["open"] }
[probes.door]
argv = ["sh", "-c", """read x; test "$x" = "$(cat {folder}/right)" || exit 9
test -e {folder}/open && echo open || echo shut"""]
stdin = "db"
[probes.hears]
argv = ["sh", "-c", "read x; test -n \"$x\" && echo heard $x || echo nothing"]
"#;

#[test]
fn a_probe_reads_its_secret_whoever_asks_and_nobody_else_sees_it() {
    let baton = machine(
        "//! Opens\nlet t = service(\"t\");\nnote(`before ${probe(t, \"door\")}`);\nchange(t, \"open\");\n\
         wait_probe(t, \"door\", \"open\", #{ limit: \"5s\" });\nnote(`alone ${probe(t, \"hears\")}`);\n\
         note(`told ${probe(t, \"hears\", #{}, #{ stdin: secret(\"shown\") })}`);\n\
         try { probe(t, \"hears\", #{}, #{ stdin: secret(\"gone\") }) } \
         catch (e) { note(`${e.kind}: ${e.message}`); }\n",
    );
    baton.write("stdlib/products/teller.toml", VAULT).write("t/right", CANARY);
    let ended = baton.run(&["run", "own/t", "-i", "site.toml", "--events", "events.jsonl"]).code(0);
    let ended =
        ended.says("before shut").says("alone nothing").says(&format!("told heard {}", "*".repeat(CANARY.len())));
    let told = ended.in_one_line();
    assert!(told.contains("`hears` of `t`: secret `gone` cannot be had from"), "{told}");
    let shown = baton.run(&["show", "latest"]).code(0);
    let doctor = baton.run(&["doctor", "-i", "site.toml"]).code(1).says("2 probes").says("secret gone");
    for ended in [&ended, &shown, &doctor] {
        assert!(!ended.out.contains(CANARY) && !ended.err.contains(CANARY), "{}{}", ended.out, ended.err);
    }
    let events = std::fs::read(baton.folder().join("events.jsonl")).expect("the events");
    assert!(!events.is_empty() && !contains(&events), "the events show it");
    assert_eq!(holding(&baton.state()), Vec::<String>::new());
    // Without it nobody can tell how the door stands.
    std::fs::remove_file(baton.folder().join("secret")).expect("the secret");
    for words in [&["run", "own/t", "-i", "site.toml"][..], &["doctor", "-i", "site.toml"]] {
        let told = baton.run(words).in_one_line();
        assert!(told.contains("secret `db` cannot be had from"), "{words:?}: {told}");
    }
}

#[test]
fn an_inventory_without_the_secret_that_a_command_reads_is_refused() {
    let baton = machine("//! Opens\nnote(probe(service(\"t\"), \"door\"));\n");
    baton.write("stdlib/products/teller.toml", VAULT).write("t/right", CANARY);
    baton.run(&["check", "own/t", "-i", "site.toml"]).code(0);
    let site = std::fs::read_to_string(baton.folder().join("site.toml")).expect("the inventory");
    let without = site.replace("[secrets.db]", "[secrets.dbs]");
    baton.write("site.toml", &without);
    let hint = "did you mean `dbs`?";
    let refused = baton.run(&["check", "own/t", "-i", "site.toml"]).code(2);
    refused.says("verb `open` of service `t` reads secret `db`, which the inventory has not").says(hint);
    baton.write("site.toml", &format!("{site}[services.t.probes.hears]\nstdin = \"dc\"\n"));
    let refused = baton.run(&["check", "own/t", "-i", "site.toml"]).code(2);
    refused.says("probe `hears` of service `t` reads secret `dc`").says("site.toml:18:").says("did you mean `db`?");
}

/// A world that knows the canary.
fn keyed(folder: &Path) -> SystemWorld {
    std::fs::write(folder.join("secret"), format!("{CANARY}\n")).expect("the secret");
    let source = Source::File(folder.join("secret").display().to_string());
    let secrets = BTreeMap::from([("db".to_owned(), Secret { name: "db".into(), source })]);
    let hosts = BTreeMap::from([("h".to_owned(), HostPlace { jobs: folder.join("jobs") })]);
    let world = SystemWorld::new(hosts, Clock::real(), Person::Nobody("nobody".into())).expect("a world");
    world.keyed(Keyring::new(secrets))
}

fn ask<R: HasReply>(world: &mut SystemWorld, request: R) -> CameBack<R::Reply> {
    world.submit(Ticket(0), request.into());
    let Completion::Reply(_, came) = world.next() else { panic!("no reply") };
    R::came_back(came)
}

#[test]
fn wherever_a_log_is_cut_the_secret_in_it_is_hidden_and_nothing_moves() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = keyed(folder.path());
    let text = format!("begin {CANARY} end\n");
    std::fs::write(folder.path().join("a.log"), &text).expect("a log");
    let dir = folder.path().display().to_string();
    let Ok(files) = ask(&mut world, ListFolder { host: "h".into(), dir: dir.clone() }) else {
        panic!("no listing");
    };
    let identity = files.iter().find(|file| file.name == "a.log").expect("the log").identity;
    for from in 0..text.len() {
        for max in 4..=text.len() - from {
            let (host, dir, name) = ("h".to_owned(), dir.clone(), "a.log".to_owned());
            let (from_byte, most) = (from as u64, max as u64);
            let read = ReadFile { host, dir, name, identity, from: from_byte, max: most };
            let Ok(bytes) = ask(&mut world, read) else { panic!("no bytes") };
            assert_eq!(bytes.len(), max.min(text.len() - from));
            for (at, part) in bytes.windows(4).enumerate() {
                let shown = String::from_utf8_lossy(&bytes);
                assert!(!CANARY.as_bytes().windows(4).any(|piece| piece == part), "{from}+{max}, {at}: {shown}");
            }
        }
    }
}

#[test]
fn what_is_carried_is_not_altered() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = keyed(folder.path());
    let path = folder.path().join("secret").display().to_string();
    let work = ReadBlock { path, from: 0, max: 100 };
    let read = WorkOnFile { host: "h".into(), work, until: Mono::NEVER };
    assert_eq!(ask(&mut world, read), Ok(Block(format!("{CANARY}\n").into_bytes())));
}

#[test]
fn a_secret_that_is_also_a_word_the_runbook_decides_by_is_refused_before_anything_is_done() {
    // Once as a word of the runbook, once of the product, never in a comment or where it is had from.
    for (value, place) in [("learned", Some("own/t")), ("Tells what", Some("teller")), ("home folder", None)] {
        let baton = machine(
            "//! Not the home folder\nlet t = service(\"t\");\nnote(`learned ${status_of(t)}`);\nfn status_of(t) { probe(t, \"heard\") }\n",
        );
        baton.write("secret", &format!("{value}\n"));
        let mut command = baton.command(&["run", "own/t", "-i", "site.toml"]);
        let ended = Ended::from(command.env("SHORT", "abcdefgh").output().expect("starts the binary"));
        let Some(place) = place else {
            ended.code(0).says("learned no");
            continue;
        };
        let ended = ended.code(2).says("is also a word of").says(place).says("nothing was done");
        assert!(!ended.out.contains("learned no"), "{}", ended.out);
    }
}

#[test]
fn a_secret_that_may_stand_in_the_columns_of_a_log_is_refused_before_anything_is_done() {
    for value in ["2026", "10001", "2026-11-29"] {
        let baton = machine("let t = service(\"t\");\nnote(`learned ${probe(t, \"heard\")}`);\n");
        baton.write("secret", &format!("{value}\n"));
        let mut command = baton.command(&["run", "own/t", "-i", "site.toml"]);
        let ended = Ended::from(command.env("SHORT", "abcdefgh").output().expect("starts the binary"));
        let ended = ended.code(2).says("may also stand in records of the logs of `teller`").says("nothing was done");
        assert!(!ended.out.contains("learned no"), "{value}: {}", ended.out);
    }
}

#[test]
fn a_crash_leaves_no_memory_behind_and_what_baton_starts_is_as_free_as_ever() {
    let baton =
        machine("//! Long\nrun(host(\"here\"), [\"sh\", \"-c\", \"ulimit -c >limit; touch begun; sleep 20\"]);\n");
    let plain = baton.command(&["run", "own/t", "-i", "site.toml"]);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(plain.get_args());
    command.current_dir(baton.folder()).envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut runner = command.stdout(std::process::Stdio::null()).spawn().expect("starts the binary");
    wait_for(&baton.folder().join("begun"));
    let pid = rustix::process::Pid::from_child(&runner);
    // Only a process that may be dumped can be looked into by others of its account; root looks into any.
    let seen = std::fs::metadata(format!("/proc/{}/mem", runner.id())).expect("it runs");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&seen), 0, "it belongs to the account, so it may be dumped");
    rustix::process::kill_process(pid, rustix::process::Signal::ABORT).expect("crashes it");
    let status = runner.wait().expect("buries it");
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status), "{status}");
    let limit = std::fs::read_to_string(baton.folder().join("limit")).expect("the limit of the job");
    assert!(!limit.trim().is_empty(), "{limit}");
}

#[test]
fn the_record_names_the_account_whatever_the_environment_says() {
    let baton = machine("//! Asks\nconfirm(\"go?\", #{ gate: \"g\" });\n");
    baton.run(&["run", "own/t", "-i", "site.toml"]).code(4);
    let mut command = baton.command(&["approve", "latest", "g", "yes", "--as", "Anna"]);
    Ended::from(command.env("USER", "somebody-else").env("LOGNAME", "somebody-else").output().expect("approves"))
        .code(0);
    let resumed =
        baton.command(&["resume", "latest", "--events", "events.jsonl"]).env("USER", "somebody-else").output();
    Ended::from(resumed.expect("resumes")).code(0);
    let events = std::fs::read_to_string(baton.folder().join("events.jsonl")).expect("the events");
    let account = std::process::Command::new("id").arg("-un").output().expect("who this is");
    let account = String::from_utf8_lossy(&account.stdout).trim().to_owned();
    assert!(!events.contains("somebody-else") && events.contains(&account), "{events}");
}

#[test]
fn no_name_and_no_line_of_a_file_moves_the_cursor_of_whoever_looks() {
    let baton = machine("//! Fine\n");
    let evil = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\n\u{2713} sound";
    let book = "note(\"x\"); guard(false, \"no\");\n";
    baton.write(&format!("runbooks/own/{evil}.rhai"), book).write(&format!("{evil}.rhai"), book);
    baton.write("c1.rhai", "foo(\"\u{9b}2J\u{9b}31m\");\n");
    baton.write("c1.toml", "# \u{9b}2J\n[hosts.l1]\naddress = \"local\" \"\u{9b}2J\"\n");
    let (name, file) = (format!("own/{evil}"), format!("{evil}.rhai"));
    let lines: [&[&str]; 12] = [
        &["list"],
        &["check"],
        &["run", &file, "-i", "site.toml"],
        &["run", &name, "--help"],
        &["show"],
        &["runs"],
        &["eject", &name],
        &["doc", evil],
        &["run", "c1.rhai", "-i", "site.toml"],
        &["run", "c1.rhai", "-i", "c1.toml"],
        &["run", &format!("--{evil}")],
        &["completions", evil],
    ];
    for line in lines {
        let ended = baton.run(line);
        let shown = format!("{}{}", ended.out, ended.err);
        let obeyed = |c: char| c != '\n' && baton::model::text::unsafe_on_a_terminal(c);
        assert!(!shown.is_empty() && !shown.contains(obeyed), "{line:?}: {shown:?}");
    }
}

/// Stars that a host prints are stars where there is no secret: banners and rulers are made of them.
#[test]
fn where_a_site_has_no_secret_stars_hide_nothing() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    let text = "//! Reads a banner\nlet r = run(host(\"here\"), [\"echo\", \"******** welcome ********\"]);\n\
                guard(!r.output.contains(\"ready\") && r.output.contains(\"welcome\"), \"it says hello\");\n\
                guard(r.output != \"sekret77 welcome ********\\n\", \"stars are stars\");\n";
    baton.write("book.rhai", text);
    baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(0).says("✓ done");
}
