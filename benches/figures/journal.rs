//! The journal: appends of one record each, on disk when the call returns, beside a loop that writes as many bytes to
//! a plain file and calls `fdatasync`. Both alternate in the same run, as disks have moods.

use crate::table::{Figure, median};
use baton::journal::Store;
use baton::journal::sqlite::SqliteStore;
use baton::model::run::effect::{Action, Effect, Outcome};
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::record::{EffectId, Fact, Moment, Record, TrackId};
use std::fs::File;
use std::io::Write;
use std::time::Instant;

const APPENDS: u32 = 300;
const RUNS: usize = 9;
const AIM: f64 = 0.8;

pub fn figures() -> Vec<Figure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a store");
    let mut bare = File::create(folder.path().join("bare")).expect("a file");
    let line = serde_json::to_vec(&record(1)).expect("JSON");
    let mut last = 0;
    let (mut appends, mut writes) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..APPENDS {
            last = store.append("run", last, &[record(last + 1).into()]).expect("appends");
        }
        appends.push(f64::from(APPENDS) / began.elapsed().as_secs_f64());
        let began = Instant::now();
        for _ in 0..APPENDS {
            bare.write_all(&line).and_then(|()| bare.sync_data()).expect("writes");
        }
        writes.push(f64::from(APPENDS) / began.elapsed().as_secs_f64());
    }
    let (appends, writes) = (median(appends), median(writes));
    let ratio = appends / writes;
    let what = "  journal appends, against bare write + fdatasync";
    vec![
        Figure::plain("journal appends of one record", format!("{appends:.0} /s")),
        Figure::plain("bare write + fdatasync of the same size", format!("{writes:.0} /s")),
        Figure { what, value: format!("{ratio:.2} times"), aim: ">= 0.8", met: Some(ratio >= AIM) },
    ]
}

fn record(n: u64) -> Record {
    let text = "the new server has begun to deal with its peer".to_owned();
    let action = Action::Note { text: text.clone(), warning: false };
    let effect =
        Effect { action, label: text, host: Some("cs-a".into()), service: Some("c1".into()), undo: None, before: None };
    let (id, digest) = (EffectId { track: TrackId::main(), n }, effect.digest());
    let at =
        Moment { wall: Wall(1_795_298_400_000), mono: Mono(n), boot: "0d6d2aa4-7b3c-4d5e-8f3a-1f4c9d2b7a60".into() };
    let outcome = Outcome::done("primary");
    Fact::Read { id, step: "3.1".into(), effect, digest, place: None, outcome }.at(at)
}
