//! The runbook of twelve steps that the matrix disturbs, and the ledger it keeps on the host: every command says there
//! that it begins and that it ends. Every kind of work is under way at some point; what may happen once is `once N`.

use crate::support::Baton;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The steps.
pub const STEPS: usize = 12;

/// The commands that may happen only once, by the name of their effect.
pub const ONCE: [&str; 10] = ["1", "2", "5", "6", "7", "10a", "10b", "10c", "11", "12"];

const RUNBOOK: &str = r##"//! Twelve steps of every kind
let h1 = host("h1");
let acme = service("acme");
fn once(h, n, secs) {
    run(h, ["sh", "-c", "echo once $1 begins >>{d}/ledger; sleep $2; echo once $1 ends $$ >>{d}/ledger", "once", n, secs])
}
step("1 at once", || once(h1, "1", "0.05"));
step("2 longer", || once(h1, "2", "0.5"));
step("3 idempotent", || set_option(acme, "main", "mode", "7"));
step("4 probe", || guard(probe(acme, "slow") == "42", "the probe reads 42"));
step("5 once more", || once(h1, "5", "0.9"));
step("6 much output", || {
    let done = run(h1, ["sh", "-c", "echo once 6 begins >>{d}/ledger; sleep 0.4; seq 1 40000; echo once 6 ends $$ >>{d}/ledger"]);
    guard(done.output.contains("40000"), "its last line is there");
});
step("7 a beginning", || {
    mark(acme);
    run(h1, ["sh", "-c", "echo once 7 begins >>{d}/ledger; setsid sh -c 'sleep 0.5; echo 8 begins >>{d}/ledger; for n in $(seq 9); do sleep 0.1; echo line $n >>{d}/log/acme.log; done; echo now READY >>{d}/log/acme.log; echo 9 begins >>{d}/ledger; sleep 1; touch {d}/ready' </dev/null >/dev/null 2>&1 & sleep 0.2; echo once 7 ends $$ >>{d}/ledger"]);
});
step("8 log", || guard(wait_for_log(acme, "now READY", #{ limit: "1min" }).line == "now READY", "the line"));
step("9 wait", || wait_probe(acme, "ready", "yes", #{ every: "200ms", limit: "1min" }));
step("10 at the same time", || parallel([["10a", "0.5"], ["10b", "0.6"], ["10c", "0.7"]], |one| once(h1, one[0], one[1])));
step("11 long", || once(h1, "11", "1.0"));
step("12 last", || once(h1, "12", "0.7"));
"##;

const PRODUCT: &str = r#"
product = "acme"
title = "Acme"
model = "acme"

[verbs.set_option]
class = "idempotent"
argv = ["sh", "-c", "echo 3 begins >>{d}/ledger; sleep 0.4; echo \"$1\" >{d}/mode", "set", "{value}"]
limit = "20s"
goal = { probe = "option", is = ["{value}"] }

[probes.option]
argv = ["sh", "-c", "cat {d}/mode 2>/dev/null || true"]

[probes.slow]
argv = ["sh", "-c", "echo 4 begins >>{d}/ledger; sleep 0.5; echo 42"]
limit = "20s"

[probes.ready]
argv = ["sh", "-c", "test -e {d}/ready && echo yes || echo no"]

[log]
dir = "{d}/log"
files = "acme.log"
event_patterns = []
"#;

/// The words that begin it.
pub const RUN: [&str; 4] = ["run", "own/twelve", "-i", "site.toml"];

/// Writes the runbook and its site into the folder of `baton`. `hosts` is the inventory's part about `h1`, whose
/// folder `far` is what we see as `home`.
pub fn prepare(baton: &Baton, hosts: &str, far: &str, home: &Path) -> Ledger {
    let service = "\n[services.acme]\nhost = \"h1\"\nproduct = \"acme\"\n";
    baton.write("runbooks/own/twelve.rhai", &RUNBOOK.replace("{d}", far));
    baton.write("stdlib/products/acme.toml", &PRODUCT.replace("{d}", far));
    baton.write("site.toml", &format!("{hosts}{service}"));
    std::fs::create_dir_all(home.join("log")).expect("the log's folder");
    std::fs::write(home.join("log/acme.log"), "an old READY\n").expect("an old log");
    Ledger(home.join("ledger"))
}

/// What has happened on the host, as the host itself has written it down.
#[derive(Debug)]
pub struct Ledger(PathBuf);

impl Ledger {
    /// All of it.
    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    /// Whether this step has begun.
    pub fn has_begun(&self, step: usize) -> bool {
        let name = if step == 10 { "10b".to_owned() } else { step.to_string() };
        let begins = [format!("once {name} begins"), format!("{name} begins")];
        self.text().lines().any(|line| begins.iter().any(|begin| begin == line))
    }

    /// How often each command that may happen once has begun and ended.
    pub fn counts(&self) -> BTreeMap<String, (usize, usize)> {
        let text = self.text();
        let count = |start: String| text.lines().filter(|line| line.starts_with(&start)).count();
        let of = |name: &str| (count(format!("once {name} begins")), count(format!("once {name} ends ")));
        ONCE.iter().map(|name| ((*name).to_owned(), of(name))).collect()
    }

    /// What is wrong with it; `whole` when the run says that all is done.
    pub fn complaint(&self, whole: bool) -> Option<String> {
        let wrong = |(begun, ended): &(usize, usize)| *begun > 1 || *ended > 1 || (whole && (*begun, *ended) != (1, 1));
        let (name, (begun, ended)) = self.counts().into_iter().find(|(_, counts)| wrong(counts))?;
        Some(format!("once-effect {name} has begun {begun} times and ended {ended} times"))
    }
}
