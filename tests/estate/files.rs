//! Files carried to a host over SSH and from it, and secrets handed to commands and probes there.

use crate::support::Baton;
use crate::support::estate::Estate;
use crate::support::machine::patiently;
use std::process::Stdio;

/// A file of some blocks and a bit.
fn package(baton: &Baton) -> Vec<u8> {
    let bytes: Vec<u8> = (0..9_500_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(baton.folder().join("package"), &bytes).expect("writes the package");
    bytes
}

#[test]
fn a_file_is_carried_whole_though_its_connection_is_killed_and_not_a_second_time() {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    let bytes = package(&baton);
    baton.write("site.toml", &estate.inventory("alive = \"1s\""));
    let book = "//! Carries\nlet h = host(\"h1\");\nlet there = put(h, \"package\", \"/root/package\", #{ mode: \"0640\" });\n\
        let again = put(h, \"package\", \"/root/package\", #{ mode: \"0640\" });\n\
        fetch(h, \"/root/package\", \"back\");\nnote(`${there.changed} ${again.changed}`);\n";
    baton.write("book.rhai", book);
    let mut command = baton.command(&["run", "book.rhai", "-i", "site.toml"]);
    let runner = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts the binary");
    let home = estate.host(1).home();
    patiently("a part is there", || home.join(".package.baton-part").exists());
    estate.host(1).kill_sessions();
    let ended = crate::support::Ended::from(runner.wait_with_output().expect("it ends")).code(0);
    ended.says("true false");
    assert!(std::fs::read(home.join("package")).expect("it is there") == bytes, "the host has another file");
    assert!(std::fs::read(baton.folder().join("back")).expect("it is back") == bytes, "another file came back");
    assert!(!home.join(".package.baton-part").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_the_run_goes_on_when_it_can() {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    package(&baton);
    baton.write("site.toml", &estate.inventory(""));
    baton.write("book.rhai", "//! Carries\nput(host(\"h1\"), \"package\", \"/root/missing/package\");\n");
    baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(1).says("/root/missing").says("baton resume");
    estate.host(1).does("mkdir /root/missing");
    baton.run(&["resume", "latest"]).code(0);
    assert!(estate.host(1).home().join("missing/package").exists());
}

#[test]
fn a_secret_is_found_nowhere_on_the_host_nor_here() {
    const CANARY: &str = "canary-5eB7-tweet";
    let (baton, estate) = (Baton::new(), Estate::start(1));
    let secret = baton.folder().join("secret");
    baton.write("secret", &format!("{CANARY}\n"));
    let declared = format!("[secrets.db]\nfile = \"{}\"\n", secret.display());
    baton.write("site.toml", &format!("{}{declared}", estate.inventory("")));
    // It reads the secret, shows it on both outputs, waits to be looked at, and fails.
    let script =
        "read -r it; echo got $it; echo bad $it >&2; touch there; until [ -e go ]; do sleep 0.05; done; exit 3";
    let book =
        format!("//! Secret\nrun(host(\"h1\"), [\"sh\", \"-c\", \"{script}\"], #{{ stdin: secret(\"db\") }});\n");
    baton.write("book.rhai", &book);
    let words = ["run", "book.rhai", "-i", "site.toml", "--events", "events.jsonl"];
    let mut command = baton.command(&words);
    let runner = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts the binary");
    let host = estate.host(1);
    patiently("the command runs", || host.home().join("there").exists());
    let seen = host.does("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true");
    assert!(!seen.contains(CANARY), "a process shows it");
    host.does("touch /root/go");
    let ended = crate::support::Ended::from(runner.wait_with_output().expect("it ends")).code(1).says("got *****");
    let resumed = baton.run(&["show", "latest"]);
    let events = std::fs::read_to_string(baton.folder().join("events.jsonl")).expect("the events");
    for text in [&ended.out, &ended.err, &resumed.out, &resumed.err, &events] {
        assert!(!text.contains(CANARY), "{text}");
    }
    for file in ["journal.db", "journal.db-wal"] {
        let bytes = std::fs::read(baton.state().join(file)).unwrap_or_default();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{file}");
    }
    // What a command prints itself is its own; nothing else there has it.
    let there = host.does("grep -rl canary-5eB7-tweet /root/.baton || true");
    assert!(there.lines().all(|file| file.ends_with(".out") || file.ends_with(".err")), "{there}");
}

#[test]
fn a_probe_reads_a_secret_there_and_nothing_shows_it() {
    const CANARY: &str = "canary \u{e4}'\"$x\\ tweet";
    const PRODUCT: &str = r#"
product = "vault"
title = "Lets in who knows it"
model = "vault"
[probes.door]
argv = ["sh", "-c", """read -r x; test "$x" = "$(cat right)" || exit 9
cat /proc/[0-9]*/cmdline 2>/dev/null | grep -ac 'twe[e]t'; echo "in $x" """]
reads = "lines"
stdin = "db"
[probes.hears]
argv = ["cat"]
"#;
    let (baton, estate) = (Baton::new(), Estate::start(1));
    let secret = baton.folder().join("secret");
    baton.write("secret", &format!("{CANARY}\n")).write("stdlib/products/vault.toml", PRODUCT);
    std::fs::write(estate.host(1).home().join("right"), CANARY).expect("what it compares with");
    let declared = format!("[secrets.db]\nfile = \"{}\"\n", secret.display());
    let service = "[services.v]\nhost = \"h1\"\nproduct = \"vault\"\n";
    baton.write("site.toml", &format!("{}{declared}{service}", estate.inventory("")));
    let book = "//! Knocks\nlet v = service(\"v\");\nlet heard = probe(v, \"door\");\n\
        note(`shown by ${heard[0]} processes, ${heard[1]}`);\nnote(`alone [${probe(v, \"hears\")}]`);\n";
    baton.write("book.rhai", book);
    let ended = baton.run(&["run", "book.rhai", "-i", "site.toml", "--events", "events.jsonl"]).code(0);
    let ended = ended.says("shown by 0 processes, in ****").says("alone []");
    let events = std::fs::read_to_string(baton.folder().join("events.jsonl")).expect("the events");
    for text in [&ended.out, &ended.err, &events] {
        assert!(!text.contains("canary") && !text.contains("tweet"), "{text}");
    }
}
