//! Gates: questions at the terminal and off it, answers from elsewhere and from a file, and that no answer is ever
//! assumed, lost, or taken for another question's.

mod answers;
mod approve;
mod simulated;
mod terminal;
mod typed;

use crate::support::{Baton, Ended};
use baton::journal::Store;
use baton::journal::sqlite::SqliteStore;
use baton::model::run::record::{Fact, Record};

/// A product with a change that is severe and a status.
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

[probes.status]
argv = ["sh", "-c", "test -e {folder}/wiped && echo running || echo stopped"]
reads = { words = ["stopped", "running"] }
"#;

const SITE: &str = r#"[hosts.here]
address = "local"

[services.db]
host = "here"
product = "acme-db"
folder = "{home}"
"#;

const RUN: [&str; 4] = ["run", "own/t", "-i", "site.toml"];

/// A machine that is its own site, with this runbook.
fn site(runbook: &str) -> Baton {
    let baton = Baton::new();
    let site = SITE.replace("{home}", &baton.folder().display().to_string());
    baton.write("stdlib/products/acme-db.toml", PRODUCT).write("site.toml", &site);
    baton.write("runbooks/own/t.rhai", &format!("//! Asks\n{runbook}"));
    baton
}

/// A machine whose run of this runbook is suspended at its first gate.
fn suspended(runbook: &str) -> Baton {
    let baton = site(runbook);
    baton.run(&RUN).code(4);
    baton
}

fn runs(baton: &Baton) -> Vec<String> {
    SqliteStore::open(&baton.state()).expect("opens the journal").runs().expect("lists the runs")
}

/// The latest run.
fn latest(baton: &Baton) -> String {
    runs(baton).pop().expect("a run")
}

fn records(baton: &Baton) -> Vec<Record> {
    let store = SqliteStore::open(&baton.state()).expect("opens the journal");
    store
        .read(&latest(baton))
        .expect("reads the run")
        .into_iter()
        .map(|stored| stored.record.as_ref().clone())
        .collect()
}

/// The answers given from elsewhere: word, name, note.
fn answered(baton: &Baton) -> Vec<(String, String, String)> {
    let answer = |record: Record| match record.fact {
        Fact::Answered { word, name, note, .. } => Some((word, name, note)),
        _ => None,
    };
    records(baton).into_iter().filter_map(answer).collect()
}

/// It complains with exactly this, `RUN` standing for the run.
#[track_caller]
fn complains(baton: &Baton, ended: Ended, code: i32, message: &str) {
    let ended = ended.code(code);
    assert_eq!(ended.err.replace(&latest(baton), "RUN"), format!("{message}\n"));
}
