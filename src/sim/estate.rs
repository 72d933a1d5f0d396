//! A simulated site that outlives the runners that work on it: virtual time, hosts, files, and the models that
//! animate the services. Time passes only from one event to the next. It answers no requests itself: `world` does.

use crate::error::{Error, Kind, Result};
use crate::model::run::effect::Ask;
use crate::model::run::record::Moment;
use crate::model::site::inventory::{Inventory, Service};
use crate::model::site::profile;
use crate::model::value::{Fields, Value};
use crate::sim::crash::CrashClock;
use crate::sim::fault::{Fault, FaultPlan, Harm, Trigger};
use crate::sim::files::{FileId, MemoryFiles};
use crate::sim::host::SimHost;
use crate::sim::ledger::Ledger;
use crate::sim::model::{ModelHost, ModelProgram, Out};
use crate::sim::world::{Due, SimWorld};
use crate::world::Ticket;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// When every simulation begins: 2026-11-21T22:00:00Z, in milliseconds since 1970.
pub const ORIGIN_WALL_MS: i64 = 1_795_298_400_000;

/// What the runner's boot-time clock shows when a simulation begins: not 0, so that nobody takes 0 for a time.
const BOOT_AGE_MS: u64 = 1_000_000;

/// How long a host takes to reply, in milliseconds.
pub(super) const LATENCY_MS: u64 = 10;

/// A simulated site. Clones are the same site.
#[derive(Clone)]
pub struct SimEstate(pub(super) Rc<RefCell<EstateState>>);

pub(super) struct EstateState {
    /// What whoever steers will type.
    pub(super) lines: VecDeque<String>,
    /// Milliseconds since the simulation began.
    pub(super) now: u64,
    pub(super) hosts: BTreeMap<String, SimHost>,
    pub(super) files: MemoryFiles,
    /// Replies to come, in the order of time and then of asking.
    pub(super) pending: BTreeMap<(u64, u64), (Ticket, Due)>,
    /// The first thing that went wrong with a model. From then on nothing is simulated any more.
    pub(super) defect: Option<Box<Error>>,
    pub(super) models: Vec<ModelHost>,
    services: BTreeMap<String, SimService>,
    /// Log output held back by a fault.
    late: BTreeMap<(u64, u64), Out>,
    sequence: u64,
    faults: Vec<Fault>,
    counts: BTreeMap<(String, String), u32>,
    places: Vec<Trigger>,
    /// Nobody is there to answer questions.
    pub(super) unattended: bool,
    /// How often the runner's machine has restarted, and when it last did.
    boots: u32,
    booted_at: u64,
}

#[derive(Clone)]
struct SimService {
    model: usize,
    host: String,
    log_dir: String,
    /// The file it logs to now.
    log: Option<FileId>,
    log_delay: u64,
}

impl SimEstate {
    /// A site in the situation `scenario`, with one of `programs` (by name) for each model its profiles name.
    ///
    /// # Errors
    /// `Inventory` when a model is missing, `Script` when one fails at the start.
    pub fn new(
        site: &Inventory,
        programs: &BTreeMap<String, Rc<ModelProgram>>,
        scenario: &str,
        seed: u64,
        plan: &FaultPlan,
    ) -> Result<Self> {
        let files = MemoryFiles::default();
        let mut names: Vec<&str> = site.services.values().map(|s| s.profile.model.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut models = Vec::new();
        for name in &names {
            let program = programs.get(*name).ok_or_else(|| {
                Error::new(Kind::Inventory, format!("there is no model `{name}`, which a product of this site names"))
            })?;
            let folders = Box::new(files.clone());
            models.push(ModelHost::new(Rc::clone(program), site, scenario, seed, ORIGIN_WALL_MS, folders)?);
        }
        let mut services = BTreeMap::new();
        for (name, service) in &site.services {
            if let Some(model) = names.iter().position(|model| *model == service.profile.model) {
                services.insert(name.clone(), SimService::new(model, service)?);
            }
        }
        let mut estate = EstateState {
            lines: VecDeque::new(),
            now: 0,
            hosts: site.hosts.keys().map(|name| (name.clone(), SimHost::default())).collect(),
            files,
            pending: BTreeMap::new(),
            defect: None,
            models,
            services,
            late: BTreeMap::new(),
            sequence: 0,
            faults: plan.faults.clone(),
            counts: BTreeMap::new(),
            places: Vec::new(),
            unattended: false,
            boots: 1,
            booted_at: 0,
        };
        (0..estate.models.len()).for_each(|model| estate.empty_outbox(model));
        Ok(Self(Rc::new(RefCell::new(estate))))
    }

    /// A site of its own that stands as this one does now: what happens to one from now on does not happen to the
    /// other. No runner works on it yet.
    #[must_use]
    pub fn fork(&self) -> Self {
        let estate = self.0.borrow();
        let files = estate.files.fork();
        let fork = EstateState {
            lines: estate.lines.clone(),
            now: estate.now,
            hosts: estate.hosts.clone(),
            pending: BTreeMap::new(),
            defect: estate.defect.clone(),
            models: estate.models.iter().map(|model| model.fork(Box::new(files.clone()))).collect(),
            files,
            services: estate.services.clone(),
            late: estate.late.clone(),
            sequence: estate.sequence,
            faults: estate.faults.clone(),
            counts: estate.counts.clone(),
            places: estate.places.clone(),
            unattended: estate.unattended,
            boots: estate.boots,
            booted_at: estate.booted_at,
        };
        Self(Rc::new(RefCell::new(fork)))
    }

    /// From now on these faults are to come as well.
    pub fn beset(&self, faults: &[Fault]) {
        self.0.borrow_mut().faults.extend_from_slice(faults);
    }

    /// From now on nobody is there to answer questions.
    pub fn leave_alone(&self) {
        self.0.borrow_mut().unattended = true;
    }

    /// Somebody answers this from elsewhere, and has done what answering brings about.
    pub fn is_answered(&self, ask: &Ask) {
        self.0.borrow_mut().operator(ask);
    }

    /// The world as a runner sees it. A former runner's requests are forgotten; what they started goes on.
    #[must_use]
    pub fn connect(&self, clock: CrashClock) -> SimWorld {
        self.0.borrow_mut().pending.clear();
        SimWorld::new(self.clone(), clock)
    }

    /// Lays a line ready for whoever steers.
    pub fn will_type(&self, line: &str) {
        self.0.borrow_mut().lines.push_back(line.to_owned());
    }

    /// The files of its hosts, and those of the machine baton runs on.
    #[must_use]
    pub fn files(&self) -> MemoryFiles {
        self.0.borrow().files.clone()
    }

    /// Lets time pass while no runner is there.
    pub fn pass(&self, ms: u64) {
        let mut estate = self.0.borrow_mut();
        let until = estate.now.saturating_add(ms);
        estate.advance_to(until);
    }

    /// The machine of the runner restarts: its boot-time clock begins anew.
    pub fn restart_runner(&self) {
        let mut estate = self.0.borrow_mut();
        estate.boots += 1;
        estate.booted_at = estate.now;
    }

    /// The truth about what happened, of all models together.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let estate = self.0.borrow();
        let mut all = Ledger::default();
        for ledger in estate.models.iter().map(ModelHost::ledger) {
            all.effects.extend(ledger.effects);
            all.intervals.extend(ledger.intervals);
            all.violations.extend(ledger.violations);
        }
        all.effects.sort_by_key(|deed| deed.at);
        all
    }

    /// The state tests compare, by model.
    ///
    /// # Errors
    /// The defect of a model, if one showed.
    pub fn summary(&self) -> Result<Value> {
        let mut estate = self.0.borrow_mut();
        if let Some(defect) = &estate.defect {
            return Err(defect.clone());
        }
        let mut summaries = Fields::new();
        for model in &mut estate.models {
            summaries.insert(model.name().to_owned(), model.summary()?);
        }
        Ok(Value::Map(summaries))
    }

    /// What is wrong with a model, if anything showed.
    #[must_use]
    pub fn defect(&self) -> Option<Box<Error>> {
        self.0.borrow().defect.clone()
    }

    /// How many requests of runners it has taken so far: while a runner asks for nothing and time stands still,
    /// nothing changes here.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.borrow().sequence
    }

    /// Where faults can strike: every job and question so far, in order.
    #[must_use]
    pub fn places(&self) -> Vec<Trigger> {
        self.0.borrow().places.clone()
    }
}

impl SimService {
    fn new(model: usize, service: &Service) -> Result<Self> {
        let template = service.profile.log.as_ref().map_or("", |log| log.dir.as_str());
        let log_dir = profile::fill(template, &service.vars, &Fields::new()).map_err(|wrong| {
            Error::new(Kind::Inventory, format!("the log folder of `{}` cannot be told: {wrong}", service.name))
        })?;
        let log_dir = log_dir.trim_end_matches('/').to_owned();
        Ok(Self { model, host: service.host.clone(), log_dir, log: None, log_delay: 0 })
    }
}

impl EstateState {
    pub(super) fn moment(&self) -> Moment {
        Moment { wall: wall(self.now), mono: self.mono(), boot: format!("sim-{}", self.boots) }
    }

    fn mono(&self) -> u64 {
        self.now - self.booted_at + BOOT_AGE_MS
    }

    /// A time on the runner's boot-time clock as milliseconds of the simulation, the present at the earliest.
    pub(super) fn time_of(&self, mono: u64) -> u64 {
        self.now.saturating_add(mono.saturating_sub(self.mono()))
    }

    /// The model of a service, its time brought up to the present.
    pub(super) fn model_of(&mut self, service: &str) -> Option<usize> {
        let index = self.services.get(service)?.model;
        self.attempt(index, |model, now| model.advance_to(now));
        Some(index)
    }

    /// Does something with a model, and shows outside what it did. Nothing when it fails: that is a defect.
    pub(super) fn attempt<T>(
        &mut self,
        index: usize,
        body: impl FnOnce(&mut ModelHost, i64) -> Result<T>,
    ) -> Option<T> {
        if self.defect.is_some() {
            return None;
        }
        let now = wall(self.now);
        let done = body(self.models.get_mut(index)?, now);
        self.empty_outbox(index);
        done.map_err(|defect| self.defect = Some(defect)).ok()
    }

    /// A reply to a ticket at a time.
    pub(super) fn schedule(&mut self, at: u64, ticket: Ticket, due: Due) {
        self.sequence += 1;
        self.pending.insert((at, self.sequence), (ticket, due));
    }

    /// Lets everything happen that comes before or at `until`, and makes that the present.
    fn advance_to(&mut self, until: u64) {
        while let Some(at) = self.next_event().filter(|at| *at <= until) {
            self.happen(at);
        }
        self.now = self.now.max(until);
    }

    /// When the next thing happens that is not a reply.
    pub(super) fn next_event(&self) -> Option<u64> {
        let models = if self.defect.is_some() { &[][..] } else { &self.models[..] };
        let due = models.iter().filter_map(ModelHost::next_due).min().map(since_origin);
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        due.into_iter().chain(late).min()
    }

    /// What the models and the held-back logs have for the time `at` happens.
    pub(super) fn happen(&mut self, at: u64) {
        self.now = self.now.max(at);
        for index in 0..self.models.len() {
            self.attempt(index, |model, now| model.advance_to(now));
        }
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let out = entry.remove();
            self.show(out);
        }
    }

    fn empty_outbox(&mut self, index: usize) {
        let Some(model) = self.models.get_mut(index) else { return };
        for out in model.take_outbox() {
            let (Out::OpenLog { service, .. }
            | Out::Log { service, .. }
            | Out::Started { service }
            | Out::Exited { service, .. }) = &out;
            match self.services.get(service).map_or(0, |service| service.log_delay) {
                0 => self.show(out),
                delay => {
                    self.sequence += 1;
                    self.late.insert((self.now + delay, self.sequence), out);
                }
            }
        }
    }

    fn show(&mut self, out: Out) {
        let (name, file, line) = match out {
            Out::OpenLog { service, file } => (service, Some(file), None),
            Out::Log { service, line } => (service, None, Some(line)),
            // Processes are not simulated: the model answers the probes that would look at them.
            Out::Started { .. } | Out::Exited { .. } => return,
        };
        let Some(service) = self.services.get_mut(&name) else { return };
        if file.is_some() || service.log.is_none() {
            let file = file.unwrap_or_else(|| format!("{name}.log"));
            service.log = Some(self.files.create(&service.host, &format!("{}/{file}", service.log_dir)));
        }
        if let (Some(file), Some(line)) = (service.log, line) {
            self.files.append_line(file, &line);
        }
        self.wake(&name);
    }

    /// Whoever waits for the log folder of a service to change is told.
    fn wake(&mut self, service: &str) {
        let Some(service) = self.services.get(service) else { return };
        let waits = |due: &Due| due.waits_for(&service.host, &service.log_dir);
        let keys: Vec<(u64, u64)> =
            self.pending.iter().filter(|(_, (_, due))| waits(due)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some((ticket, due)) = self.pending.remove(&key) {
                let at = key.0.min(self.now + LATENCY_MS);
                self.schedule(at, ticket, due.changed());
            }
        }
    }

    /// Notes an occurrence and hands out the fault that strikes at it, if one does.
    pub(super) fn strike(&mut self, verb: &str, subject: &str) -> Option<Harm> {
        let count = self.counts.entry((verb.to_owned(), subject.to_owned())).or_default();
        *count += 1;
        let place = Trigger { verb: verb.to_owned(), subject: subject.to_owned(), nth: *count };
        let harm = self.faults.iter().find(|fault| fault.at == place).map(|fault| fault.harm.clone());
        self.places.push(place);
        harm
    }

    /// From now on the log of a service is late.
    pub(super) fn delay_log(&mut self, service: &str, ms: u64) {
        if let Some(service) = self.services.get_mut(service) {
            service.log_delay = ms;
        }
    }
}

fn wall(now: u64) -> i64 {
    ORIGIN_WALL_MS.saturating_add_unsigned(now)
}

fn since_origin(wall_ms: i64) -> u64 {
    u64::try_from(wall_ms.saturating_sub(ORIGIN_WALL_MS)).unwrap_or(0)
}
