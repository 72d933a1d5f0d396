//! A shipped runbook against the simulated world: the story of a run, with runners that may die in it.

use baton::dispatch::Gate;
use baton::engine;
use baton::error::Error;
use baton::journal::history::History;
use baton::journal::memory::MemoryStore;
use baton::journal::reopening;
use baton::journal::run_facts::gist;
use baton::journal::{Store, Stored};
use baton::lab::LabChoice;
use baton::lab::template::Template;
use baton::library;
use baton::model::run::effect::Action;
use baton::model::run::estate::EstateId;
use baton::model::run::event::{Event, Sink};
use baton::model::run::instant::Mono;
use baton::model::run::record::{EffectId, FROM_RUN, Fact, Record, RollbackScope, TrackId, Who};
use baton::model::run::steering::Steering;
use baton::model::run::step_name::StepNames;
use baton::model::site::answers::Answers;
use baton::model::site::inventory::Pair;
use baton::model::value::{Fields, Value};
use baton::script::analysis::outline;
use baton::session::adoption::{self, Adoption};
use baton::session::{self, Finished, OperatorRuling, Prepared, ResumeTerms, RunParts, Takeover};
use baton::sim::{Boundary, CrashClock, CrashingStore, FaultPlan, ModelProgram, SimEstate, SimWorld};
use baton::world::request::StartJob;
use baton::world::{JobId, Ticket, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The run's name in every simulation.
const RUN: &str = "sim";
/// The name of a run that follows another one on the same site.
const NEXT_RUN: &str = "sim-next";
/// The site of runbooks that a test brings along.
const USUAL_LAB: &str = "genesys";

/// What of the shipped texts is changed for a test: `(name, from, to)`. A `from` that is not there fails the test.
pub type Patch<'a> = (&'a str, &'a str, &'a str);

/// A runbook and a scenario, compiled once and played as often as one likes.
pub struct Scene {
    pub scenario: String,
    prepared: Prepared,
    models: BTreeMap<String, Rc<ModelProgram>>,
    params: Fields,
    steering: Steering,
    lab: EstateId,
}

/// One performance: a site and a journal that outlive the runners.
pub struct Play<'a> {
    scene: &'a Scene,
    run: &'static str,
    pub estate: SimEstate,
    pub store: MemoryStore,
    shown: Shown,
}

/// A moment at which a runner could have died: how the site stands then, and how much is on record and was told.
pub struct Moment {
    estate: SimEstate,
    records: usize,
    shown: usize,
    told: usize,
    /// Time has passed since the moment before: what waited for it has happened.
    time_passed: bool,
    /// Something was shown as recorded that is not on record.
    ahead: bool,
}

/// The moments at which a runner that dies leaves something else than at the one before, with their numbers from 1.
pub fn unlike(moments: &[Moment]) -> impl Iterator<Item = (usize, &Moment)> {
    let is_unlike = |at: usize| at == 0 || !moments[at].is_as(&moments[at - 1]);
    moments.iter().enumerate().filter(move |(at, _)| is_unlike(*at)).map(|(at, moment)| (at + 1, moment))
}

impl Moment {
    /// Whether a runner that dies now leaves what it would have left at the moment before: nothing was written and
    /// nothing was asked for in between.
    pub fn is_as(&self, before: &Self) -> bool {
        !self.time_passed
            && !self.ahead
            && self.records == before.records
            && self.estate.requests() == before.estate.requests()
    }
}

/// Records with their numbers.
pub type Numbered = Vec<(u64, Rc<Record>)>;

/// Collects the records that the screens of all runners showed, with their numbers.
#[derive(Clone, Default)]
struct Shown {
    records: Rc<RefCell<Numbered>>,
    /// What is told beside records.
    told: Rc<RefCell<Vec<Event>>>,
}

impl Sink for Shown {
    fn event(&mut self, event: &Event) {
        if let Event::Recorded { seq, record, replayed: false } = event {
            self.records.borrow_mut().push((*seq, Rc::clone(record)));
        }
        if matches!(event, Event::Ahead { .. } | Event::Words { .. } | Event::Notice { .. }) {
            self.told.borrow_mut().push(event.clone());
        }
    }
}

/// Collects what a screen says that is not recorded.
#[derive(Clone, Default)]
struct Notices(Rc<RefCell<Vec<String>>>);

impl Sink for Notices {
    fn event(&mut self, event: &Event) {
        if let Event::Notice { text } = event {
            self.0.borrow_mut().push(text.clone());
        }
    }
}

/// Where a wrapper of a test may stand between the run and its store or world.
pub struct Between {
    pub store: fn(Box<dyn Store>) -> Box<dyn Store>,
    pub world: fn(Box<dyn World>) -> Box<dyn World>,
}

impl Between {
    /// Nothing stands between.
    pub fn nothing() -> Self {
        Self { store: |store| store, world: |world| world }
    }
}

impl Scene {
    /// A shipped runbook in a scenario of its vendor's lab.
    pub fn new(runbook: &str, scenario: &str) -> Self {
        Self::patched(runbook, scenario, &[])
    }

    /// The same with some of the texts changed.
    pub fn patched(runbook: &str, scenario: &str, patches: &[Patch<'_>]) -> Self {
        engine::fix_hashing();
        let text = |name: &str, shipped: Option<&'static str>| {
            let shipped = shipped?;
            Some(patches.iter().filter(|(file, _, _)| *file == name).fold(shipped.to_owned(), |text, (_, from, to)| {
                assert!(text.contains(from), "{name} does not say {from:?}");
                text.replace(from, to)
            }))
        };
        let runbook_text = text(runbook, library::runbook(runbook)).expect("the runbook");
        let text_of = |name: &str, shipped: Option<&'static str>| text(name, shipped);
        Self::of(runbook, &runbook_text, scenario, &text_of)
    }

    /// A runbook of the test's own, on the site of the lab `genesys`.
    pub fn of_text(text: &str) -> Self {
        engine::fix_hashing();
        Self::of("test", text, "compatible", &|_, shipped| shipped.map(str::to_owned))
    }

    /// The same with texts of the test's own beside it: modules and profiles by name, and the `inventory`.
    pub fn of_texts(text: &str, others: &BTreeMap<String, String>) -> Self {
        engine::fix_hashing();
        Self::of("test", text, "compatible", &|name, shipped| {
            others.get(name).cloned().or_else(|| shipped.map(str::to_owned))
        })
    }

    /// The inventory of every scene.
    pub fn inventory() -> String {
        lab(USUAL_LAB).inventory("/lab")
    }

    fn of(
        runbook: &str,
        text: &str,
        scenario: &str,
        text_of: &dyn Fn(&str, Option<&'static str>) -> Option<String>,
    ) -> Self {
        let vendor = runbook.split_once('/').map_or(USUAL_LAB, |(vendor, _)| vendor);
        let template = lab(vendor);
        let inventory = text_of("inventory", None).unwrap_or_else(|| template.inventory("/lab"));
        let texts = session::gather(
            runbook,
            text,
            ("lab.toml", &inventory),
            &mut |name| text_of(name, library::module(name)),
            &mut |name| text_of(name, library::product(name)),
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let prepared = session::prepare(texts).unwrap_or_else(|error| panic!("{error}"));
        let given = template.params.get(scenario).cloned().unwrap_or_default();
        let declared = |name: &String| prepared.program.params().iter().any(|param| param.name == *name);
        let given = given.into_iter().filter(|(name, _)| declared(name));
        let given: Fields = given.map(|(name, value)| (name, Value::from(value))).collect();
        // A text that was edited may want parameters which the run was begun without.
        let params = prepared.program.resolve_params(&given).unwrap_or_default();
        let source = library::model(&template.model).expect("the model");
        let model = ModelProgram::compile(source, &template.model, engine::standard_package());
        let model = model.unwrap_or_else(|error| panic!("{error}"));
        let wanted = LabChoice { lab: vendor.to_owned(), scenario: Some(scenario.to_owned()) };
        let scenario = template.scenario(&wanted).expect("the scenario");
        let lab = EstateId::Lab { lab: vendor.to_owned(), scenario: scenario.to_owned() };
        Self {
            scenario,
            prepared,
            models: BTreeMap::from([(template.model, model)]),
            params,
            steering: Steering::default(),
            lab,
        }
    }

    /// The same with a parameter given.
    pub fn given(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), Value::from(value));
        self.params = self.prepared.program.resolve_params(&self.params).unwrap_or_else(|error| panic!("{error}"));
        self
    }

    /// The same steered like this.
    pub fn steered_by(mut self, steering: Steering) -> Self {
        self.steering = steering;
        self
    }

    /// The same with the record of a run that it follows.
    pub fn following(mut self, gist: Value) -> Self {
        self.params.insert(FROM_RUN.to_owned(), gist);
        self
    }

    /// What its run is made of.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The pairs of its site.
    pub fn pairs(&self) -> &BTreeMap<String, Pair> {
        &self.prepared.inventory.pairs
    }

    /// The curtain rises on a fresh site.
    pub fn play(&self, seed: u64) -> Play<'_> {
        self.play_with(seed, &FaultPlan::default())
    }

    /// The same, with faults to come.
    pub fn play_with(&self, seed: u64, plan: &FaultPlan) -> Play<'_> {
        let estate = SimEstate::new(&self.prepared.inventory, &self.models, &self.scenario, seed, plan);
        let estate = estate.unwrap_or_else(|error| panic!("{error}"));
        Play { scene: self, run: RUN, estate, store: MemoryStore::new(), shown: Shown::default() }
    }

    /// The curtain rises on a site as another run has left it.
    pub fn play_after(&self, former: &Play<'_>) -> Play<'_> {
        self.play_as(NEXT_RUN, former)
    }

    /// The same on a site of its own that stands like this one: as often as one likes.
    pub fn play_on(&self, left: &SimEstate) -> Play<'_> {
        Play { scene: self, run: NEXT_RUN, estate: left.fork(), store: MemoryStore::new(), shown: Shown::default() }
    }

    /// The same as a run of this name.
    pub fn play_as(&self, run: &'static str, former: &Play<'_>) -> Play<'_> {
        let estate = former.estate.clone();
        Play { scene: self, run, estate, store: MemoryStore::new(), shown: Shown::default() }
    }
}

fn lab(name: &str) -> Template {
    Template::parse(name, library::lab(name).expect("the lab")).expect("a lab")
}

impl Play<'_> {
    /// A runner takes the run up on these terms, from the texts of this scene.
    pub fn resume_on(
        &self,
        scene: &Scene,
        terms: ResumeTerms,
        clock: &CrashClock,
    ) -> Result<Option<Finished>, Box<Error>> {
        let finished = session::resume_on(&scene.prepared, self.parts(clock, &Between::nothing()), terms);
        assert_eq!(self.estate.defect(), None, "the model has a defect");
        if clock.is_dead() { Ok(None) } else { finished.map(Some) }
    }

    /// Whether the run can go on with the texts of this scene, told from its first `records`.
    pub fn fits(&self, scene: &Scene, records: usize) -> Result<Adoption, Box<Error>> {
        let stored = self.store.read(RUN)?.into_iter().take(records).collect();
        adoption::fit(&scene.prepared, &self.store, RUN, &History::from(stored)?, &OperatorRuling::Retry)
    }

    /// The same with a person's word on what is in doubt.
    pub fn fits_if(&self, scene: &Scene, happened: bool) -> Result<Adoption, Box<Error>> {
        let reason = "looked at the host".to_owned();
        let verdict = if happened { OperatorRuling::Happened(reason) } else { OperatorRuling::NotHappened(reason) };
        adoption::fit(&scene.prepared, &self.store, RUN, &History::from(self.store.read(RUN)?)?, &verdict)
    }

    /// Somebody answers the question the run is suspended at, from elsewhere.
    pub fn answer(&self, word: &str) {
        let Some(Record { at, fact: Fact::Ended { effect: Some(id), .. }, .. }) = self.records().pop() else {
            panic!("not suspended")
        };
        let history = self.history();
        let asked = history.recorded(&id).expect("it was asked");
        if let Action::Ask(ask) = &asked.effect.action {
            self.estate.is_answered(ask);
        }
        let digest = asked.digest.to_owned();
        let (word, note, name, by) = (word.to_owned(), String::new(), "anna".to_owned(), Who::default());
        self.append(Fact::Answered { id, digest, word, note, name }.by(by, at));
    }

    fn append(&self, record: Record) {
        let mut store = self.store.clone();
        store.append(self.run, self.records().len() as u64, &[record.into()]).expect("writes");
    }

    /// A runner takes the run from where it stands until it ends, stops or, by `clock`, dies: then there is no end.
    /// Fails with baton's refusal.
    pub fn runner(&self, clock: &CrashClock, between: &Between) -> Result<Option<Finished>, String> {
        self.carry_out(clock, between, vec![], OperatorRuling::Retry)
    }

    /// A runner that lives, taking the run up with a person's word on what is in doubt.
    pub fn resume_with(&self, happened: bool) -> Finished {
        let why = "looked at the host".to_owned();
        let verdict = if happened { OperatorRuling::Happened(why) } else { OperatorRuling::NotHappened(why) };
        self.steered(&CrashClock::never(), vec![], verdict).expect("not refused").expect("it lives")
    }

    /// A runner with these gates, taking the run up with a person's word if it stopped.
    pub fn steered(
        &self,
        clock: &CrashClock,
        gates: Vec<Rc<dyn Gate>>,
        verdict: OperatorRuling,
    ) -> Result<Option<Finished>, String> {
        self.carry_out(clock, &Between::nothing(), gates, verdict)
    }

    /// A runner takes the run back, from where another one stopped if one had begun to. As [`Play::runner`].
    pub fn back_runner(
        &self,
        clock: &CrashClock,
        way: &RollbackScope,
        verdict: OperatorRuling,
    ) -> Result<Option<Finished>, String> {
        let finished = session::rollback(&self.scene.prepared, self.parts(clock, &Between::nothing()), way, verdict);
        if clock.is_dead() {
            return Ok(None);
        }
        assert_eq!(self.estate.defect(), None, "the model has a defect");
        finished.map(Some).map_err(|error| error.to_string())
    }

    /// A runner that lives takes the run back.
    #[track_caller]
    pub fn back(&self, way: &RollbackScope) -> Finished {
        let finished = self.back_runner(&CrashClock::never(), way, OperatorRuling::Retry);
        finished.unwrap_or_else(|error| panic!("{error}")).expect("it lives")
    }

    /// Why the run cannot be taken back.
    pub fn no_way_back(&self, way: &RollbackScope) -> String {
        self.back_runner(&CrashClock::never(), way, OperatorRuling::Retry).expect_err("it should have been refused")
    }

    /// What going back would do: nothing of it is done.
    pub fn plan_back(&self, way: &RollbackScope) -> session::PreparedRollback {
        let parts = self.parts(&CrashClock::never(), &Between::nothing());
        let wish = session::RollbackRequest::of(way.clone());
        session::way_back(&self.scene.prepared, parts, wish).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Somebody else carries out a verb.
    pub fn meddle(&self, service: &str, verb: &str, args: &[(&str, &str)]) {
        let mut world = SimWorld::on(&self.estate, CrashClock::never());
        let args: Fields = args.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let effect = EffectId { track: TrackId::main(), n: self.estate.ledger().effects.len() as u64 + 1 };
        let host = self.scene.prepared.inventory.services[service].host.clone();
        let job = JobId { run: "somebody-else".into(), effect, attempt: 1 };
        let (service, verb) = (Some(service.to_owned()), verb.to_owned());
        world.submit(
            Ticket(1),
            StartJob { host, job, service, verb, argv: vec!["x".into()], args, secret: None, until: Mono::NEVER }
                .into(),
        );
        world.next();
        self.estate.pass(60_000);
    }

    /// What the run found and did, for one that follows it.
    pub fn gist(&self) -> Value {
        gist(self.run, &self.store.read(self.run).unwrap_or_else(|error| panic!("{error}")))
    }

    fn carry_out(
        &self,
        clock: &CrashClock,
        between: &Between,
        gates: Vec<Rc<dyn Gate>>,
        verdict: OperatorRuling,
    ) -> Result<Option<Finished>, String> {
        let parts = RunParts { gates, ..self.parts(clock, between) };
        let finished = if self.is_begun() {
            session::resume(&self.scene.prepared, parts, verdict)
        } else {
            let steering = Some(self.scene.steering.clone()).filter(|steering| *steering != Steering::default());
            let parts = RunParts { steering, ..parts };
            session::begin(&self.scene.prepared, parts, self.scene.params.clone(), &self.scene.lab)
        };
        if clock.is_dead() {
            return Ok(None);
        }
        assert_eq!(self.estate.defect(), None, "the model has a defect");
        finished.map(Some).map_err(|error| error.to_string())
    }

    fn parts(&self, clock: &CrashClock, between: &Between) -> RunParts {
        let store = (between.store)(Box::new(CrashingStore::new(self.store.clone(), clock.clone())));
        let answers = self.steering().answers.map(|given| Rc::new(Answers::kept(&given)));
        let world = (between.world)(Box::new(SimWorld::on(&self.estate, clock.clone()).answered(answers)));
        let by = Who { user: "tester".into(), host: "sim".into(), pid: 1, machine: String::new(), state: None };
        RunParts {
            run: self.run.into(),
            store,
            world,
            sinks: vec![Box::new(self.shown.clone())],
            by,
            gates: vec![],
            steering: None,
        }
    }

    /// The run takes its hosts over from whoever holds them.
    pub fn take_over(&self) {
        let hosts = self.scene.prepared.inventory.hosts.keys().cloned().collect();
        let (run, without, name) = (self.run.to_owned(), Vec::new(), None);
        let by = Who { user: "successor".into(), host: "sim".into(), pid: 2, machine: String::new(), state: None };
        let takeover = Takeover { run, hosts, without, reason: "its runner hangs".into(), name, by };
        let (mut world, mut store) = (SimWorld::on(&self.estate, CrashClock::never()), self.store.clone());
        let last = self.records().len() as u64;
        let numbers = takeover.raise(&mut world, last).unwrap_or_else(|error| panic!("{error}"));
        takeover.record(&mut store, last, &numbers, world.now()).unwrap_or_else(|error| panic!("{error}"));
    }

    /// A runner that lives.
    pub fn run(&self) -> Finished {
        let finished = self.runner(&CrashClock::never(), &Between::nothing());
        finished.unwrap_or_else(|error| panic!("{error}")).expect("it lives")
    }

    /// A runner that lives takes the run up with other texts. Also what the screen said that is not recorded.
    pub fn run_as(&self, edited: &Scene) -> (Finished, Vec<String>) {
        let notices = Notices::default();
        let parts = RunParts {
            run: RUN.into(),
            store: Box::new(self.store.clone()),
            world: Box::new(SimWorld::on(&self.estate, CrashClock::never())),
            sinks: vec![Box::new(notices.clone())],
            by: Who { user: "tester".into(), host: "sim".into(), pid: 1, machine: String::new(), state: None },
            gates: vec![],
            steering: None,
        };
        let finished =
            session::resume(&edited.prepared, parts, OperatorRuling::Retry).unwrap_or_else(|error| panic!("{error}"));
        let said = notices.0.borrow().clone();
        (finished, said)
    }

    /// The records that a person saw as they were written.
    pub fn shown(&self) -> Numbered {
        self.shown.records.borrow().clone()
    }

    /// What they were told beside it.
    pub fn notices(&self) -> Vec<String> {
        let told = self.told().into_iter();
        told.filter_map(|event| if let Event::Notice { text } = event { Some(text) } else { None }).collect()
    }

    /// What a person was shown beside records: what is about to happen, words, notices.
    pub fn told(&self) -> Vec<Event> {
        self.shown.told.borrow().clone()
    }

    /// The steps that the runbook names.
    pub fn step_names(&self) -> StepNames {
        outline::step_names(&self.scene.prepared.program)
    }

    /// What is on record.
    pub fn records(&self) -> Vec<Record> {
        let stored = self.store.read(self.run).unwrap_or_else(|error| panic!("{error}"));
        stored.into_iter().map(|Stored { record, .. }| record.as_ref().clone()).collect()
    }

    /// What it has noted and warned of, in order.
    pub fn notes(&self) -> Vec<String> {
        let note = |record: Record| {
            let Fact::Read { effect, .. } = record.fact else { return None };
            if let Action::Note { text, .. } = effect.action { Some(text) } else { None }
        };
        self.records().into_iter().filter_map(note).collect()
    }

    /// Whether anything is on record.
    pub fn is_begun(&self) -> bool {
        self.store.count(self.run) > 0
    }

    /// What is on record, to be asked.
    pub fn history(&self) -> History {
        History::from(self.store.read(self.run).expect("reads")).expect("a history")
    }

    /// How the run is steered: as the record says, or before there is one, as it is to be begun.
    pub fn steering(&self) -> Steering {
        if self.is_begun() { reopening::steering(&self.history()) } else { self.scene.steering.clone() }
    }

    /// Has a runner that lives do this, and gives with what came of it every moment at which it could have died.
    pub fn watched<T>(&self, what: impl FnOnce(&CrashClock) -> T) -> (T, Vec<Moment>) {
        let moments: Rc<RefCell<Vec<Moment>>> = Rc::default();
        let (kept, estate, store, shown) =
            (Rc::clone(&moments), self.estate.clone(), self.store.clone(), self.shown.clone());
        let run = self.run;
        let clock = CrashClock::watched(Rc::new(move |boundary| {
            let (records, told, shown) = (store.count(run), shown.told.borrow().len(), shown.records.borrow());
            let ahead = shown.last().is_some_and(|(seq, _)| *seq > records as u64);
            // A runner that waits for a reply lets time pass, and nothing else does.
            let time_passed = boundary == Boundary::BeforeReply;
            let estate = estate.fork();
            kept.borrow_mut().push(Moment { estate, records, shown: shown.len(), told, time_passed, ahead });
        }));
        let done = what(&clock);
        (done, moments.take())
    }

    /// The site and the journal as a runner has left them that died at this moment.
    pub fn died_at(&self, moment: &Moment) -> Self {
        let records = self.shown.records.borrow().iter().take(moment.shown).cloned().collect();
        let told = self.shown.told.borrow().iter().take(moment.told).cloned().collect();
        let shown = Shown { records: Rc::new(RefCell::new(records)), told: Rc::new(RefCell::new(told)) };
        let (estate, store) = (moment.estate.fork(), self.store.fork(self.run, moment.records));
        Self { scene: self.scene, run: self.run, estate, store, shown }
    }

    /// The journal, byte by byte.
    pub fn bytes(&self) -> Vec<u8> {
        self.store.byte_dump(self.run)
    }

    /// The state of the site that must be the same however often runners died.
    pub fn summary(&self) -> Value {
        self.estate.summary().unwrap_or_else(|error| panic!("{error}"))
    }

    /// How often each verb reached each service.
    pub fn deeds(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for deed in &self.estate.ledger().effects {
            *counts.entry(format!("{} {}", deed.service, deed.verb)).or_insert(0) += 1;
        }
        counts
    }

    /// Whether the effect in doubt is in the ledger as often as it was begun: what a person finds out by looking.
    pub fn doubted_deed_happened(&self) -> bool {
        let records = self.records();
        let doubted = |record: &Record| if let Fact::Doubt { id, .. } = &record.fact { Some(id.clone()) } else { None };
        let Some(id) = &records.iter().rev().find_map(doubted) else { return false };
        let begun = records.iter().find_map(|record| {
            let Fact::Intent { id: this, effect, .. } = &record.fact else { return None };
            (this == id).then_some(effect)
        });
        let Some((Action::Job(job), service)) = begun.map(|effect| (&effect.action, &effect.service)) else {
            return false;
        };
        let same = |deed: &&baton::sim::LedgerEntry| Some(&deed.service) == service.as_ref() && deed.verb == job.verb;
        self.estate.ledger().effects.iter().filter(same).any(|deed| deed.args == job.args)
    }
}
