//! A product that baton has never heard of, from docs/products.md alone: every text on that page is laid down where the
//! page says, and every command of it is given.

use crate::support::Baton;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Stands for the product's own tool: what the page's profile calls on a real host.
const ADAPTER: &str = r#"#!/bin/sh
here=$(dirname "$0")/$2
mkdir -p "$here/log"
case $1 in
    start) echo running >"$here/status"; echo "$(date +%Y-%m-%dT%H:%M:%S) INFO [100] ready" >>"$here/log/beacon-1.log" ;;
    stop) echo stopped >"$here/status" ;;
    status) cat "$here/status" 2>/dev/null || echo stopped ;;
    set) printf %s "$4" >"$here/option.$3" ;;
    get) cat "$here/option.$3" 2>/dev/null || true ;;
    announce) echo "$3" >>"$here/announced" ;;
    announced) if grep -qxF "$3" "$here/announced" 2>/dev/null; then echo yes; else echo no; exit 1; fi ;;
esac
"#;

/// Lays down the texts of the page: each block says in its first line which file it is.
fn a_folder_with_the_page_laid_down() -> Baton {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/products.md")).expect("the page");
    let baton = Baton::new();
    let mut files = 0;
    for block in page.split("\n```").skip(1).step_by(2) {
        let text = block.split_once('\n').expect("a block has lines").1;
        let (first, text) = text.split_once('\n').expect("a first line");
        let file = first.trim_start_matches(['/', '#']).trim();
        assert!(file.ends_with(".toml") || file.ends_with(".rhai"), "a block that is no file: {first}");
        baton.write(file, text);
        files += 1;
    }
    assert_eq!(files, 5, "profile, model, lab, runbook and site");
    baton
}

#[test]
fn a_product_is_written_from_its_page_and_rehearsed() {
    let baton = a_folder_with_the_page_laid_down();
    baton.run(&["check", "beacon/port"]).code(0).says("sound");
    baton.run(&["lab", "beacon"]).code(0).says("a beacon that has a port set does not start");
    let run = baton.run(&["run", "beacon/port", "--lab", "beacon", "--speed", "200"]).code(0);
    let run = run.says("b2: 100 ready").says("ready: it answers").says("announce(b1, port 7001)");
    run.says("7 changes, 1 question answered by lab operator");
    let done: Vec<String> = ["shutdown", "start"].iter().map(|verb| format!("b1 {verb}")).collect();
    let told = baton.lab_ledger("beacon").join("\n");
    assert!(done.iter().all(|deed| told.contains(deed)), "the ledger has not {done:?}: {told}");
    let broken = baton.run(&["run", "beacon/port", "--lab", "beacon:broken", "--speed", "200"]).code(1);
    broken.says("`status` reads `stopped`, not `running`");
    baton.run(&["rollback", "--yes"]).code(6).says("rolled back");
}

#[test]
fn the_product_of_the_page_is_looked_at_and_changed_for_real() {
    let baton = a_folder_with_the_page_laid_down();
    let folder = baton.folder().to_path_buf();
    let adapter = baton.write("adapter", ADAPTER).folder().join("adapter");
    fs::set_permissions(&adapter, fs::Permissions::from_mode(0o755)).expect("made to be called");
    let site = fs::read_to_string(folder.join("site.toml")).expect("the page's site");
    let site = site.replace("/opt/beacon/adapter", &adapter.display().to_string());
    let logs = |text: String, n: u8| {
        let log = folder.join(format!("b{n}/log"));
        fs::create_dir_all(&log).expect("a folder of logs");
        text.replace(&format!("/var/log/beacon-{n}"), &log.display().to_string())
    };
    baton.write("site.toml", &logs(logs(site, 1), 2));
    for beacon in ["b1", "b2"] {
        fs::write(folder.join(beacon).join("status"), "running\n").expect("it runs");
        fs::write(folder.join(beacon).join("log/beacon-1.log"), "2026-11-29T00:00:00 INFO [100] ready\n")
            .expect("a log");
    }
    baton.run(&["check", "-i", "site.toml", "beacon/port"]).code(0).says("sound");
    baton.run(&["doctor", "-i", "site.toml", "beacon/port"]).code(0).says("b1 on h1");
    baton.write("answers.toml", "[answers]\nannounce = \"yes\"\n");
    let words = ["run", "beacon/port", "-i", "site.toml", "-p", "port=7002", "--answers", "answers.toml"];
    baton.run(&words).code(0).says("b1: 100 ready").says("announce(b1, port 7002)");
    assert_eq!(fs::read_to_string(folder.join("b2/option.port")).expect("set"), "7002");
    assert_eq!(fs::read_to_string(folder.join("b1/announced")).expect("told"), "port 7002\n", "once");
}
