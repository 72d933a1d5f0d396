//! Durable steps: how many a second one track does, each a `step` with a `note` in it, from the start of the script
//! to the last record, against the durable journal and the real world. Each step is one durable write.

use crate::table::{Figure, median};
use baton::journal::sqlite::SqliteStore;
use baton::model::run::estate::EstateId;
use baton::model::run::record::Who;
use baton::model::value::Fields;
use baton::session::{self, RunParts};
use baton::world::clock::Clock;
use baton::world::operator::person::Person;
use baton::world::system::SystemWorld;
use std::collections::BTreeMap;
use std::time::Instant;

const STEPS: u32 = 500;
const RUNS: usize = 5;

pub fn figures() -> Vec<Figure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let text = format!("//! Steps\nfor i in 0..{STEPS} {{ step(`step ${{i}}`, || note(\"done\")); }}\n");
    let texts = session::gather("steps", &text, ("site.toml", ""), &mut |_| None, &mut |_| None).expect("texts");
    let prepared = session::prepare(texts).expect("a program");
    let run = |number: usize| {
        let nobody = Person::Nobody("nobody is asked".into());
        let world = SystemWorld::new(BTreeMap::new(), Clock::real(), nobody).expect("a world");
        let store = SqliteStore::open(folder.path()).expect("a store");
        let by = Who::default();
        let parts = RunParts {
            run: format!("run{number}"),
            store: Box::new(store),
            world: Box::new(world),
            sinks: vec![],
            by,
            gates: vec![],
            steering: None,
        };
        let began = Instant::now();
        let finished = session::begin(&prepared, parts, Fields::new(), &EstateId::Site).expect("begins");
        assert_eq!(finished.exit_code, 0, "{:?}", finished.error);
        f64::from(STEPS) / began.elapsed().as_secs_f64()
    };
    let rate = median((0..RUNS).map(run).collect());
    vec![Figure::plain("durable steps on one track, SQLite", format!("{rate:.0} /s"))]
}
