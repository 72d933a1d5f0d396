//! Replay: taking a run of 100,000 effects up again, from opening the journal to the end of the script: read from
//! SQLite, hash chain checked, every effect of the script held against the record, nothing performed. Of ten effects
//! five are probes, two readings of the clock, one a note, one a pause and one a command (the last two have an intent
//! and an outcome). The record is made by a simulated run and copied to disk without its last entry, which is what a
//! runner leaves that was killed at the very end.

use crate::machine::processor_time;
use crate::table::{Figure, median};
use baton::engine;
use baton::journal::memory::MemoryStore;
use baton::journal::sqlite::SqliteStore;
use baton::journal::{Store, Stored};
use baton::lab::template::Template;
use baton::library;
use baton::model::run::estate::EstateId;
use baton::model::run::record::{Fact, Record, Who};
use baton::model::value::Fields;
use baton::session::{self, Finished, Prepared, RunParts};
use baton::sim::{CrashClock, FaultPlan, ModelProgram, SimEstate, SimWorld};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

const EFFECTS: u32 = 100_000;
const RUNS: usize = 5;
const AIM: Duration = Duration::from_millis(300);

const LOOP: &str = r#"
    for i in 0..3 { status(c1); }
    now();
    version(c1);
    role(c1);
    note("one more round");
    run(c1, ["true"]);
    sleep("1s");
    now();
"#;

pub fn figures() -> Vec<Figure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let site = Site::new();
    let records = site.recorded();
    let runs = (0..RUNS).map(|number| {
        let state = folder.path().join(number.to_string());
        let mut store = SqliteStore::open(&state).expect("a store");
        store.append("run", 0, &records).expect("appends");
        drop(store);
        site.taken_up(&state)
    });
    let (times, used): (Vec<Duration>, Vec<f64>) = runs.unzip();
    let (time, used) = (median(times), median(used));
    let value = format!("{:.3} s", time.as_secs_f64());
    let met = Some(time <= AIM);
    vec![
        Figure { what: "replay of 100,000 recorded effects from SQLite", value, aim: "<= 0.3 s", met },
        Figure::plain("  of that, processor time", format!("{used:.3} s")),
    ]
}

/// The shipped lab, and a runbook of many effects.
struct Site {
    prepared: Prepared,
    models: BTreeMap<String, Rc<ModelProgram>>,
}

impl Site {
    fn new() -> Self {
        engine::fix_hashing();
        let template = Template::parse("genesys", library::lab("genesys").expect("the lab")).expect("a lab");
        let text =
            format!("//! Many effects\nlet c1 = service(\"c1\");\nfor round in 0..{} {{{LOOP}}}\n", EFFECTS / 10);
        let inventory = template.inventory("/lab");
        let mut profile = |name: &str| library::product(name).map(str::to_owned);
        let texts = session::gather("many", &text, ("lab.toml", &inventory), &mut |_| None, &mut profile);
        let source = library::model(&template.model).expect("the model");
        let model = ModelProgram::compile(source, &template.model, engine::standard_package()).expect("a model");
        let prepared = session::prepare(texts.expect("texts")).expect("a program");
        Self { prepared, models: BTreeMap::from([(template.model, model)]) }
    }

    /// The records of the run, but for the last.
    fn recorded(&self) -> Vec<Rc<Record>> {
        let store = MemoryStore::new();
        let finished =
            session::begin(&self.prepared, self.parts(Box::new(store.clone())), Fields::new(), &EstateId::Simulation);
        Self::is_done(&finished.expect("begins"));
        let mut records: Vec<Rc<Record>> =
            store.read("run").expect("reads").into_iter().map(|Stored { record, .. }| record).collect();
        let asked = records.iter().filter(|record| matches!(record.fact, Fact::Intent { .. } | Fact::Read { .. }));
        assert_eq!(asked.count(), EFFECTS as usize);
        records.pop();
        records
    }

    /// How long it takes, and how much of that this thread used a core.
    fn taken_up(&self, state: &Path) -> (Duration, f64) {
        let (began, used) = (Instant::now(), processor_time());
        let store = SqliteStore::open(state).expect("a store");
        let finished = session::resume(&self.prepared, self.parts(Box::new(store)), session::OperatorRuling::Retry)
            .expect("resumes");
        let times = (began.elapsed(), processor_time() - used);
        Self::is_done(&finished);
        times
    }

    fn parts(&self, store: Box<dyn Store>) -> RunParts {
        let estate = SimEstate::new(&self.prepared.inventory, &self.models, "upgrade-mode", 1, &FaultPlan::default());
        let world = Box::new(SimWorld::on(&estate.expect("a site"), CrashClock::never()));
        RunParts {
            run: "run".into(),
            store,
            world,
            sinks: Vec::new(),
            by: Who::default(),
            gates: Vec::new(),
            steering: None,
        }
    }

    fn is_done(finished: &Finished) {
        assert_eq!(finished.exit_code, 0, "{:?}", finished.error);
    }
}
