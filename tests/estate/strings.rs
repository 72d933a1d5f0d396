//! No value is ever read as anything but data on its way to a host: 2,000 hostile strings arrive byte for byte as
//! arguments, in the environment, as names of files and as arguments of probes, whatever shell the host has. Values are
//! text all the way, so that bytes which are no UTF-8 cannot come up, and no argument of a command can hold a NUL.

use super::hostile::{literal, strings};
use crate::support::Baton;
use crate::support::estate::{Estate, Kind};
use crate::support::machine::Make;
use baton::model::site::inventory::Inventory;
use std::fmt::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// How many strings, and how many travel together.
const COUNT: usize = 2_000;
const BATCH: usize = 100;
const SEED: u64 = 4_711;
/// How many folders of logs with hostile names.
const FOLDERS: usize = 40;

const PRODUCT: &str = r#"
product = "echo"
title = "Tells what it was called with"
model = "echo"

[defaults]
logs = "/root"

[probes.told]
argv = ["sh", "-c", "printf '%s\\0' \"$@\" >>/root/probed; echo $#", "x", "{a}", "{b}", "{c}", "{d}", "{e}", "{f}", "{g}",
        "{h}", "{i}", "{j}", "{k}", "{l}", "{m}", "{n}", "{o}", "{p}", "{q}", "{r}", "{s}", "{t}"]

[log]
dir = "{logs}"
files = "*.log"
event_patterns = []
"#;

/// Writes down what it was called with, and what `V` holds.
const RECEIVER: &str = r#"printf '%s\0' "$@" >>/root/args; printf '%s\0' "$V" >>/root/environment"#;
/// Makes a file of each name.
const MAKER: &str = r#"cd /root/names && for a; do printf '%s\0' "$a" >"./$a" || exit; done"#;
/// Writes into the log of a folder.
const WRITER: &str = r#"echo READY >>"$1/a.log""#;

fn runbook(strings: &[String], folders: &[String]) -> String {
    let mut text = String::from("//! Hands strings to a host\nlet h = host(\"h1\");\nlet s = service(\"echo\");\n");
    for batch in strings.chunks(BATCH) {
        let (value, words) = (literal(&format!("V={}", batch[0])), words(batch));
        writeln!(text, "run(h, [\"env\", {value}, \"sh\", \"-c\", {}, \"x\", {words}]);", literal(RECEIVER)).unwrap();
    }
    for batch in strings.chunks(20) {
        let pairs = batch.iter().zip('a'..='t').map(|(text, key)| format!("{key}: {}", literal(text)));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        writeln!(text, "guard(probe(s, \"told\", #{{ {pairs} }}) == \"20\", \"twenty were told\");").unwrap();
    }
    for batch in names(strings).chunks(BATCH) {
        writeln!(text, "run(h, [\"sh\", \"-c\", {}, \"x\", {}]);", literal(MAKER), words(batch)).unwrap();
    }
    for (at, folder) in folders.iter().enumerate() {
        let (writer, folder) = (literal(WRITER), literal(folder));
        writeln!(text, "mark(service(\"log{at}\"));\nrun(h, [\"sh\", \"-c\", {writer}, \"x\", {folder}]);").unwrap();
        writeln!(text, "wait_for_log(service(\"log{at}\"), \"READY\", #{{ limit: \"20s\" }});").unwrap();
    }
    text
}

fn words(strings: &[String]) -> String {
    strings.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", ")
}

/// Those that can be the name of a file.
fn names(strings: &[String]) -> Vec<String> {
    let can_be = |text: &&String| {
        !text.is_empty() && text.len() < 250 && !text.contains('/') && !matches!(text.as_str(), "." | "..")
    };
    let mut names: Vec<String> = strings.iter().filter(can_be).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// Hands all strings to a host with this shell.
fn received_under(sh: &'static str, multiplexing: &str) {
    let strings = strings(COUNT, SEED);
    // Braces in an inventory stand for variables.
    let folders: Vec<String> = names(&strings).into_iter().filter(|name| !name.contains(['{', '}'])).collect();
    let step = folders.len() / FOLDERS;
    let folders: Vec<String> = folders.into_iter().step_by(step).map(|name| format!("/root/logs/{name}")).collect();
    let (baton, estate) =
        (Baton::new(), Estate::of(&[Kind { make: Make { sh, login: "/bin/sh" }, ..Kind::default() }]));
    let home = estate.host(1).home();
    std::fs::create_dir(home.join("names")).unwrap();
    let mut site = estate.inventory(&format!("multiplexing = \"{multiplexing}\""));
    site += "\n[services.echo]\nhost = \"h1\"\nproduct = \"echo\"\n";
    for (at, folder) in folders.iter().enumerate() {
        let text = literal(folder);
        site += &format!("\n[services.log{at}]\nhost = \"h1\"\nproduct = \"echo\"\nlogs = {text}\n")
            .replace("\\U0000002f", "/");
        std::fs::create_dir_all(home.join(folder.strip_prefix("/root/").unwrap())).unwrap();
    }
    baton.write("stdlib/products/echo.toml", PRODUCT).write("site.toml", &site);
    baton.write("runbooks/own/strings.rhai", &runbook(&strings, &folders));
    let ended = baton.run(&["run", "own/strings", "-i", "site.toml"]);
    let tail = ended.out.lines().rev().take(20).map(|line| &line[..line.len().min(300)]).collect::<Vec<_>>();
    assert_eq!(ended.code, 0, "{sh}, {multiplexing}: {tail:#?}\n{}", &ended.err[..ended.err.len().min(3000)]);
    same(&format!("{sh}: arguments"), &strings, &home.join("args"));
    same(&format!("{sh}: arguments of probes"), &strings, &home.join("probed"));
    let values: Vec<String> = strings.iter().step_by(BATCH).cloned().collect();
    same(&format!("{sh}: environment"), &values, &home.join("environment"));
    let names = names(&strings);
    let mut found: Vec<Vec<u8>> =
        std::fs::read_dir(home.join("names")).unwrap().map(|entry| entry.unwrap().file_name().into_vec()).collect();
    found.sort();
    assert!(found.iter().eq(names.iter().map(String::as_bytes)), "{sh}: names of files");
    assert!(!home.join("pwned").exists() && !Path::new("/root/pwned").exists(), "{sh}: a string was obeyed");
}

#[track_caller]
fn same(what: &str, strings: &[String], file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let received: Vec<&[u8]> = bytes.strip_suffix(b"\0").unwrap_or(&bytes).split(|byte| *byte == 0).collect();
    for (at, (sent, received)) in strings.iter().zip(&received).enumerate() {
        assert_eq!(
            sent.as_bytes(),
            *received,
            "{what}, string {at}: {sent:?} arrived as {:?}",
            String::from_utf8_lossy(received)
        );
    }
    assert_eq!(strings.len(), received.len(), "{what}");
}

#[test]
fn hostile_strings_arrive_byte_for_byte_where_sh_is_dash() {
    received_under("dash", "native");
}

#[test]
fn hostile_strings_arrive_byte_for_byte_where_sh_is_bash() {
    received_under("bash", "native");
}

#[test]
fn hostile_strings_arrive_byte_for_byte_where_sh_is_busybox() {
    received_under("busybox", "native");
}

#[test]
fn hostile_strings_arrive_byte_for_byte_through_ssh_processes() {
    received_under("dash", "process");
}

#[test]
fn a_hostile_string_is_refused_as_the_name_of_a_service_a_host_or_an_address() {
    let plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    };
    let harmless = |text: &String| plain(text) && !text.starts_with(['-', '_']) && !text.is_empty();
    for text in strings(COUNT, SEED).into_iter().filter(|text| !harmless(text)) {
        let name = literal(&text);
        for site in [
            format!("[hosts.{name}]\naddress = \"local\"\n"),
            format!("[hosts.h1]\naddress = \"local\"\n\n[services.{name}]\nhost = \"h1\"\nproduct = \"echo\"\n"),
        ] {
            let read = Inventory::parse(&site, "site.toml", &mut |_| Some(PRODUCT.into()));
            let error = read.expect_err(&format!("{text:?} was taken for a name")).to_string();
            assert!(error.contains("cannot be the name"), "{text:?}: {error}");
            assert!(!error.contains(|c: char| c.is_control() && c != '\n'), "{text:?}: {error:?}");
        }
        if text.starts_with('-') || text.contains(|c: char| c.is_control() || " ;'\"$`\\&|<>*?!~(){}#,=".contains(c)) {
            let site = format!("[hosts.h1]\naddress = {name}\n");
            let read = Inventory::parse(&site, "site.toml", &mut |_| None);
            let error = read.expect_err(&format!("{text:?} was taken for an address")).to_string();
            assert!(error.contains("is not an address"), "{text:?}: {error}");
        }
    }
}
