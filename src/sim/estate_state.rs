//! How a simulated site stands and what happens on it: virtual time, hosts, files, replies to come, and the models that
//! animate the services. Time passes only from one event to the next. It does not know who asks.

use crate::error::{Error, Kind, Result};
use crate::model::run::effect::{Ask, Form};
use crate::model::run::instant::{Mono, Wall};
use crate::model::run::record::Moment;
use crate::model::site::account::proof;
use crate::model::site::inventory::Inventory;
use crate::model::span::Span;
use crate::model::value::Fields;
use crate::sim::due::Due;
use crate::sim::exploration::{AT_PROBE, Exploration, instant_of, waits};
use crate::sim::fault::{Fault, FaultPlan, Harm, Trigger};
use crate::sim::files::MemoryFiles;
use crate::sim::host::{SimHost, SimJob};
use crate::sim::invariant::MustHold;
use crate::sim::model::{ModelHost, ModelProgram, Out, VerbReply};
use crate::sim::service::{LogTwist, SimService};
use crate::sim::state_hash::StateHash;
use crate::sim::transfers;
use crate::world::request::{
    AskPerson, AwaitChange, AwaitJob, EndJob, EnterHost, ExpectNewKey, ListFolder, LookAtJob, ReadFile, ReadLine,
    ReadOutput, RunProbe, StartJob, WaitUntil, WorkOnFile,
};
use crate::world::transfer::{FileWork, RUNNER};
use crate::world::{Answer, CameBack, HasReply, JobId, JobState, Line, PROBE_BYTES_MAX, Probed, Request};
use crate::world::{Ticket, Trouble};
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// When every simulation begins: 2026-11-21T22:00:00Z.
pub const ORIGIN: Wall = Wall(1_795_298_400_000);

/// What the runner's boot-time clock shows when a simulation begins: not 0, so that nobody takes 0 for a time.
const AT_BOOT: Mono = Mono(1_000_000);

/// How long a host takes to reply.
const LATENCY: Span = Span(10);

/// How often in a row a site that is explored replies at once: whoever only looks, again and again, lets time pass too.
const AT_ONCE_MAX: u32 = 1_000;

/// How long it takes to see that a host cannot be reached.
const UNREACHABLE: Span = Span::secs(1);

/// How long a host is away that is told to restart.
const REBOOT: Span = Span::mins(1);

/// For how long a host is out of reach that is cut off: for a moment, or for the rest of the night.
const AWAY: [u64; 2] = [30_000, 12 * 3_600_000];

/// How long a command runs that no model has an opinion about.
const COMMAND: Span = Span(500);

/// How everything on the site stands.
pub(super) struct EstateState {
    /// What whoever steers will type.
    pub(super) lines: VecDeque<String>,
    /// What time it is: nobody sets the clock of a simulation.
    pub(super) now: Wall,
    pub(super) hosts: BTreeMap<String, SimHost>,
    pub(super) files: MemoryFiles,
    /// Replies to come, in the order of time and then of asking.
    pub(super) pending: BTreeMap<(Wall, u64), (Ticket, Due)>,
    /// The first thing that went wrong with a model. From then on nothing is simulated any more.
    pub(super) defect: Option<Box<Error>>,
    pub(super) models: Vec<ModelHost>,
    services: BTreeMap<String, SimService>,
    /// Log output held back by a fault.
    late: BTreeMap<(Wall, u64), Out>,
    pub(super) sequence: u64,
    pub(super) faults: Vec<Fault>,
    counts: BTreeMap<(String, String), u32>,
    pub(super) places: Vec<Trigger>,
    /// Nobody is there to answer questions.
    pub(super) unattended: bool,
    /// How often the runner's machine has restarted, and when it last did.
    pub(super) boots: u32,
    pub(super) booted_at: Wall,
    /// What is noted where somebody explores.
    exploration: Option<Exploration>,
    /// How many requests in a row were replied to at once.
    at_once: u32,
    /// Counts what has happened: while it stays and no time passes, everything stands as it did.
    version: u64,
    known_hash: Cell<Option<((u64, Wall), u64)>>,
}

impl EstateState {
    /// A site in the situation `scenario`, with one of `programs` (by name) for each model its profiles name.
    ///
    /// # Errors
    /// `Inventory` when a model is missing, `Script` when one fails at the start.
    pub(super) fn new(
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
            models.push(ModelHost::new(Rc::clone(program), site, scenario, seed, ORIGIN, folders)?);
        }
        let mut services = BTreeMap::new();
        for (name, service) in &site.services {
            if let Some(model) = names.iter().position(|model| *model == service.profile.model) {
                services.insert(name.clone(), SimService::new(model, service)?);
            }
        }
        let mut estate = Self {
            lines: VecDeque::new(),
            now: ORIGIN,
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
            booted_at: ORIGIN,
            exploration: None,
            at_once: 0,
            version: 0,
            known_hash: Cell::default(),
        };
        (0..estate.models.len()).for_each(|model| estate.empty_outbox(model));
        Ok(estate)
    }

    /// A site of its own that stands as this one does now. No runner works on it yet.
    pub(super) fn fork(&self) -> Self {
        let files = self.files.fork();
        Self {
            lines: self.lines.clone(),
            now: self.now,
            hosts: self.hosts.clone(),
            pending: BTreeMap::new(),
            defect: self.defect.clone(),
            models: self.models.iter().map(|model| model.fork(Box::new(files.clone()))).collect(),
            files,
            services: self.services.clone(),
            late: self.late.clone(),
            sequence: self.sequence,
            faults: self.faults.clone(),
            counts: self.counts.clone(),
            places: self.places.clone(),
            unattended: self.unattended,
            boots: self.boots,
            booted_at: self.booted_at,
            exploration: None,
            at_once: 0,
            version: 0,
            known_hash: Cell::default(),
        }
    }

    /// From now on it is noted where things could go otherwise. `record` says how the record of the run stands.
    pub(super) fn explore(&mut self, former: Option<&Exploration>, record: Rc<Cell<u64>>) {
        self.exploration = Some(match former {
            Some(former) => former.fork(record),
            None => Exploration::new(record),
        });
        let decided = self.faults.clone();
        self.models.iter_mut().for_each(|model| model.watch(&decided));
    }

    /// What is noted.
    pub(super) fn exploration(&self) -> Option<&Exploration> {
        self.exploration.as_ref()
    }

    /// How long a host takes to reply. Where somebody explores, looking takes no time: a run that was taken up again
    /// stands where it would have stood.
    pub(super) fn latency(&mut self) -> Span {
        if self.exploration.is_none() {
            return LATENCY;
        }
        self.at_once += 1;
        if self.at_once > AT_ONCE_MAX { LATENCY } else { Span(0) }
    }

    /// How everything on the site stands and what is to come, as a number. Requests under way are none of it.
    pub(super) fn hash(&self) -> u64 {
        let stands = (self.version, self.now);
        if let Some((known, number)) = self.known_hash.get()
            && known == stands
        {
            return number;
        }
        let number = self.new_hash();
        self.known_hash.set(Some((stands, number)));
        number
    }

    /// Whether nothing that was asked is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.pending.is_empty()
    }

    fn new_hash(&self) -> u64 {
        let mut hash = StateHash::new(self.now);
        for (name, host) in &self.hosts {
            hash.add((name, host.has_restarted(), host.is_down(self.now)));
            if host.is_down(self.now) {
                hash.time(host.down_until);
            }
            for (id, job) in &host.jobs {
                hash.add((&id.effect, id.attempt, format!("{:?}", job.end)));
                if job.ends_at > self.now {
                    hash.time(job.ends_at);
                }
            }
        }
        for (name, service) in &self.services {
            hash.add(name);
            service.hash(&mut hash);
        }
        for ((at, _), out) in &self.late {
            hash.time(*at);
            hash.add(format!("{out:?}"));
        }
        for model in &self.models {
            model.hash(&mut hash);
            model.hash_due(&mut hash);
        }
        self.files.hash(&mut hash);
        hash.add(self.unattended);
        hash.finish()
    }

    /// The same without what is to come: how it stands at an instant, whenever that is.
    fn situation(&self) -> u64 {
        let mut hash = StateHash::new(self.now);
        for (name, host) in &self.hosts {
            hash.add((name, host.has_restarted(), host.is_down(self.now), host.jobs.len()));
        }
        self.models.iter().for_each(|model| model.hash(&mut hash));
        self.files.hash(&mut hash);
        hash.finish()
    }

    /// Something is asked of the site: what befalls it at this instant happens first. The reply, if that settles it.
    pub(super) fn arrives(&mut self, request: &Request) -> Option<CameBack> {
        self.exploration.as_ref()?;
        let (verb, subject) = instant_of(request)?;
        if let (Request::RunProbe(RunProbe { service: Some(service), .. }), Some(exploration)) =
            (request, &mut self.exploration)
        {
            exploration.look_at(service);
        }
        let logged = matches!(request, Request::AwaitChange(_)).then_some(subject.as_str());
        let mut harms = self.befalls_at((&verb, &subject), logged, waits(request))?;
        harms.retain(|harm| *harm == Harm::ProbeFails);
        harms.pop().map(|_| {
            let err = b"it cannot tell".to_vec();
            Ok(RunProbe::answered(Probed { exit: 2, out: Vec::new(), err }))
        })
    }

    /// An instant at which something may befall the site. What strikes there is done, and given.
    /// Between what is looked at and what is done in one go, nothing befalls it: nobody could look closer. Unless
    /// whoever asks is to wait.
    fn befalls_at(&mut self, (verb, subject): (&str, &str), logged: Option<&str>, waits: bool) -> Option<Vec<Harm>> {
        let (situation, now) = (self.situation(), self.now);
        let exploration = self.exploration.as_mut()?;
        let at = exploration.occurs(verb, subject);
        let time_passed = exploration.time_passes(now);
        if exploration.is_new(situation, &at) {
            let mut harms = if time_passed || waits { self.harms_of_the_site(logged) } else { Vec::new() };
            harms.extend(verb.starts_with(AT_PROBE).then_some(Harm::ProbeFails));
            self.exploration.as_mut()?.note(at.clone(), harms);
        }
        let harms: Vec<Harm> =
            self.faults.iter().filter(|fault| fault.at == at).map(|fault| fault.harm.clone()).collect();
        for harm in &harms {
            self.befall(harm);
            let now = self.now;
            self.exploration.as_mut()?.strike(&at, harm, now);
        }
        Some(harms)
    }

    /// What could befall the site by itself now.
    fn harms_of_the_site(&mut self, logged: Option<&str>) -> Vec<Harm> {
        let mut harms = Vec::new();
        let services: Vec<(String, usize)> = self.services.iter().map(|(name, s)| (name.clone(), s.model)).collect();
        for (service, model) in services {
            let faults = self.attempt(model, |model, now| {
                model.advance_to(now)?;
                model.faults(&service)
            });
            let suffers = |fault| Harm::Suffers { service: service.clone(), fault };
            harms.extend(faults.into_iter().flatten().map(suffers));
        }
        for host in self.hosts.iter().filter(|(_, host)| !host.is_down(self.now)).map(|(name, _)| name) {
            harms.extend(AWAY.map(|ms| Harm::LinkCut { host: host.clone(), ms }));
            harms.push(Harm::HostDies { host: host.clone(), ms: REBOOT.0 });
        }
        for (service, _) in self.services.iter().filter(|(_, of)| logged.is_some_and(|host| of.host == host)) {
            let service = service.clone();
            harms.push(Harm::LineMissing { service: service.clone() });
            harms.push(Harm::LineDoubled { service: service.clone() });
            harms.push(Harm::LineSwapped { service });
        }
        harms
    }

    /// Something befalls the site by itself.
    fn befall(&mut self, harm: &Harm) {
        self.version += 1;
        let now = self.now;
        match harm {
            Harm::LineMissing { service } => self.twist(service, LogTwist::Missing),
            Harm::LineDoubled { service } => self.twist(service, LogTwist::Doubled),
            Harm::LineSwapped { service } => self.twist(service, LogTwist::Swapped),
            Harm::LinkCut { host, ms } => {
                if let Some(host) = self.hosts.get_mut(host) {
                    host.down_until = host.down_until.max(now + Span(*ms));
                }
            }
            Harm::HostDies { host: name, ms } => {
                if let Some(host) = self.hosts.get_mut(name) {
                    host.restart(now, now + Span(*ms));
                }
                self.host_restarts(name);
            }
            Harm::Suffers { service, fault } => {
                if let Some(model) = self.model_of(service) {
                    self.attempt(model, |model, _| model.suffer(service, fault));
                }
            }
            // The rest strikes where a job, a file or a question is, or in a model.
            Harm::FailsBefore | Harm::FailsAfter | Harm::ReplyLost | Harm::JobLost { .. } | Harm::Slow { .. } => {}
            Harm::HostDown { .. } | Harm::HostRestarts { .. } | Harm::LogLate { .. } | Harm::ProbeFails => {}
            Harm::Nobody | Harm::SaysNo | Harm::Says { .. } | Harm::AnswersLate { .. } | Harm::Goes { .. } => {}
        }
    }

    fn twist(&mut self, service: &str, how: LogTwist) {
        if let Some(service) = self.services.get_mut(service) {
            service.twist(how);
        }
    }

    /// What must hold when a run is over is looked at.
    pub(super) fn look_over_at_the_end(&mut self) {
        for index in 0..self.models.len() {
            self.attempt(index, |model, now| {
                model.advance_to(now)?;
                model.look_over(MustHold::AtTheEnd)
            });
        }
    }

    /// The parts of a text that claim what is not so now.
    pub(super) fn false_claims(&mut self, text: &str) -> Vec<String> {
        let ask = |model: &mut ModelHost, now| {
            model.advance_to(now)?;
            model.false_claims(text)
        };
        (0..self.models.len()).filter_map(|index| self.attempt(index, ask)).flatten().collect()
    }

    /// What a restart of a host does to the services on it, their models say.
    fn host_restarts(&mut self, host: &str) {
        for index in 0..self.models.len() {
            self.attempt(index, |model, now| {
                model.advance_to(now)?;
                model.host_restarts(host)
            });
        }
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { wall: self.now, mono: self.mono(), boot: format!("sim-{}", self.boots) }
    }

    fn mono(&self) -> Mono {
        AT_BOOT + self.now.since(self.booted_at)
    }

    /// An instant of the runner's boot-time clock as a time of the simulation, the present at the earliest.
    pub(super) fn time_of(&self, mono: Mono) -> Wall {
        self.now + mono.since(self.mono())
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
        body: impl FnOnce(&mut ModelHost, Wall) -> Result<T>,
    ) -> Option<T> {
        if self.defect.is_some() {
            return None;
        }
        let now = self.now;
        let done = body(self.models.get_mut(index)?, now);
        self.version += u64::from(self.models.get(index).is_some_and(ModelHost::has_acted));
        self.note_open(index);
        self.empty_outbox(index);
        done.map_err(|defect| self.defect = Some(defect)).ok()
    }

    /// Notes what a model has left open.
    fn note_open(&mut self, index: usize) {
        let now = self.now;
        if let (Some(exploration), Some(model)) = (&mut self.exploration, self.models.get(index)) {
            for open in model.take_open() {
                for fault in self.faults.iter().filter(|fault| fault.at == open.at) {
                    exploration.strike(&fault.at, &fault.harm, now);
                }
                let ways = (1..open.ways).map(|way| Harm::Goes { way });
                exploration.note(open.at, ways.collect());
            }
        }
    }

    /// A reply to a ticket at a time.
    pub(super) fn schedule(&mut self, at: Wall, ticket: Ticket, due: Due) {
        self.sequence += 1;
        self.pending.insert((at, self.sequence), (ticket, due));
    }

    /// Lets everything happen that comes before or at `until`, and makes that the present.
    pub(super) fn advance_to(&mut self, until: Wall) {
        while let Some(at) = self.next_event().filter(|at| *at <= until) {
            self.happen(at);
        }
        self.now = self.now.max(until);
    }

    /// When the next thing happens that is not a reply.
    pub(super) fn next_event(&self) -> Option<Wall> {
        let models = if self.defect.is_some() { &[][..] } else { &self.models[..] };
        let due = models.iter().filter_map(ModelHost::next_due).min();
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        due.into_iter().chain(late).min()
    }

    /// What the models and the held-back logs have for the time `at` happens.
    pub(super) fn happen(&mut self, at: Wall) {
        self.at_once = 0;
        self.version += 1;
        self.now = self.now.max(at);
        let names: Vec<String> = match self.exploration {
            Some(_) => self.models.iter().flat_map(|model| model.due_at(at)).collect(),
            None => Vec::new(),
        };
        for index in 0..self.models.len() {
            self.attempt(index, |model, now| model.advance_to(now));
        }
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let out = entry.remove();
            self.show(out);
        }
        if let Some(first) = names.first() {
            self.befalls_at(("after", first), None, true);
        }
    }

    fn empty_outbox(&mut self, index: usize) {
        let Some(model) = self.models.get_mut(index) else { return };
        for out in model.take_outbox() {
            let (Out::OpenLog { service, .. }
            | Out::Log { service, .. }
            | Out::Started { service }
            | Out::Exited { service, .. }) = &out;
            match self.services.get(service).map_or(Span(0), |service| service.log_delay) {
                Span(0) => self.show(out),
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
            service.written(line).iter().for_each(|line| self.files.append_line(file, line));
        }
        self.wake(&name);
    }

    /// Whoever waits for the log folder of a service to change is told.
    fn wake(&mut self, service: &str) {
        let Some(service) = self.services.get(service) else { return };
        let waits = |due: &Due| due.waits_for(&service.host, &service.log_dir);
        let keys: Vec<(Wall, u64)> =
            self.pending.iter().filter(|(_, (_, due))| waits(due)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some((ticket, due)) = self.pending.remove(&key) {
                let soon = self.now + self.latency();
                let at = key.0.min(soon);
                self.schedule(at, ticket, due.changed());
            }
        }
    }

    /// Notes an occurrence, with what could go wrong there, and hands out the fault that strikes at it, if one does.
    pub(super) fn strike(&mut self, verb: &str, subject: &str, harms: Vec<Harm>) -> Option<Harm> {
        let count = self.counts.entry((verb.to_owned(), subject.to_owned())).or_default();
        *count += 1;
        let place = Trigger { verb: verb.to_owned(), subject: subject.to_owned(), nth: *count };
        let now = self.now;
        if let Some(exploration) = &mut self.exploration {
            exploration.note(place.clone(), harms);
        }
        let harm = self.faults.iter().find(|fault| fault.at == place).map(|fault| fault.harm.clone());
        if let (Some(exploration), Some(harm)) = (&mut self.exploration, &harm) {
            exploration.strike(&place, harm, now);
        }
        self.places.push(place);
        harm
    }

    /// From now on the log of a service is late.
    pub(super) fn delay_log(&mut self, service: &str, span: Span) {
        if let Some(service) = self.services.get_mut(service) {
            service.log_delay = span;
        }
    }

    /// The next reply and the ticket it belongs to, with all that happens before it.
    pub(super) fn next_reply(&mut self) -> Option<(Ticket, CameBack)> {
        loop {
            let at = self.pending.first_key_value()?.0.0;
            match self.next_event() {
                Some(event) if event <= at => self.happen(event),
                Some(_) | None => break,
            }
        }
        let ((at, _), (ticket, due)) = self.pending.pop_first()?;
        self.now = self.now.max(at);
        Some((ticket, self.reply(due)))
    }

    fn reply(&self, due: Due) -> CameBack {
        let now = self.now;
        if let Some(host) = due.host()
            && self.hosts.get(host).is_some_and(|host| host.is_down(now))
            && !matches!(due, Due::Ready(_, Err(_)))
        {
            return Err(Trouble::Lost(format!("the link to `{host}` broke")));
        }
        match due {
            Due::Ready(_, settled) => settled,
            Due::Job(host, job) => {
                let state = self.hosts.get(&host).map_or(JobState::Absent, |host| host.state(&job, now));
                Ok(LookAtJob::answered(state))
            }
            Due::Folder(host, dir) if !self.files.has_folder(&host, &dir) => {
                Err(Trouble::Missing(format!("`{dir}` is not there")))
            }
            Due::Folder(host, dir) | Due::Listing(host, dir) | Due::Changed(host, dir) => {
                Ok(ListFolder::answered(self.files.list(&host, &dir)))
            }
        }
    }

    pub(super) fn accept(&mut self, ticket: Ticket, request: Request) {
        match request {
            Request::WaitUntil(WaitUntil { until }) => {
                let at = self.time_of(until);
                self.schedule(at, ticket, Due::Ready(None, Ok(WaitUntil::answered(()))));
            }
            Request::AskPerson(AskPerson { ask, .. }) => self.ask(ticket, &ask),
            Request::ReadLine(_) => self.line(ticket),
            // Simulated hosts lose nothing: there is nothing to ask.
            Request::EnterHost(_) => {
                self.schedule(self.now, ticket, Due::Ready(None, Ok(EnterHost::answered(String::new()))));
            }
            // Simulated hosts have no keys.
            Request::ExpectNewKey(ExpectNewKey { host }) => {
                let soon = self.now + self.latency();
                self.schedule(soon, ticket, Due::Ready(Some(host), Ok(ExpectNewKey::answered(()))));
            }
            Request::WorkOnFile(WorkOnFile { host, work, .. }) if host == RUNNER => self.file_work(ticket, &host, work),
            // The fence has answered them.
            Request::TakeLease(_) | Request::ReleaseLease(_) => {}
            Request::StartJob(StartJob { ref host, .. })
            | Request::LookAtJob(LookAtJob { ref host, .. })
            | Request::AwaitJob(AwaitJob { ref host, .. })
            | Request::ReadOutput(ReadOutput { ref host, .. })
            | Request::EndJob(EndJob { ref host, .. })
            | Request::RunProbe(RunProbe { ref host, .. })
            | Request::ListFolder(ListFolder { ref host, .. })
            | Request::ReadFile(ReadFile { ref host, .. })
            | Request::WorkOnFile(WorkOnFile { ref host, .. })
            | Request::AwaitChange(AwaitChange { ref host, .. }) => match self.obstacle(host) {
                Some(trouble) => self.trouble(ticket, trouble),
                None => self.accept_on_host(ticket, request),
            },
        }
    }

    /// Why a host cannot be asked anything.
    pub(super) fn obstacle(&self, host: &str) -> Option<Trouble> {
        if let Some(defect) = &self.defect {
            return Some(Trouble::Refused(format!("the simulation has a defect: {}", defect.message)));
        }
        match self.hosts.get(host) {
            None => Some(Trouble::Unreachable(format!("there is no host `{host}` in this simulation"))),
            Some(known) if known.is_down(self.now) => Some(Trouble::Unreachable(format!("`{host}` does not answer"))),
            Some(_) => None,
        }
    }

    fn accept_on_host(&mut self, ticket: Ticket, request: Request) {
        let soon = self.now + self.latency();
        match request {
            Request::StartJob(StartJob { host, job, service, verb, argv, args, .. }) => {
                self.start(ticket, &host, job.clone(), service.as_deref(), &verb, &args);
                self.hosts.entry(host).or_default().prove(&job, proof(&argv));
            }
            Request::LookAtJob(LookAtJob { host, job, .. }) => self.schedule(soon, ticket, Due::Job(host, job)),
            Request::AwaitJob(AwaitJob { host, job, until }) => {
                let ends_at =
                    self.hosts.get(&host).and_then(|host| host.jobs.get(&job)).map_or(soon, |job| job.ends_at);
                let at = ends_at.min(self.time_of(until)).max(soon);
                self.schedule(at, ticket, Due::Job(host, job));
            }
            Request::ReadOutput(ReadOutput { host, job, stream, from, max }) => {
                let now = self.now;
                let bytes = self.hosts.get(&host).map(|host| host.output(&job, (stream, from, max), now));
                let bytes = bytes.unwrap_or_default();
                self.schedule(soon, ticket, Due::Ready(Some(host), Ok(ReadOutput::answered(bytes))));
            }
            Request::EndJob(EndJob { host, job }) => {
                self.end_job(&host, &job);
                self.schedule(soon, ticket, Due::Job(host, job));
            }
            Request::RunProbe(RunProbe { host, service, what, argv, args, .. }) => {
                let probed = self.probe(&host, service.as_deref(), &what, &args, proof(&argv));
                self.schedule(soon, ticket, Due::Ready(Some(host), Ok(RunProbe::answered(probed))));
            }
            Request::ListFolder(ListFolder { host, dir }) => self.schedule(soon, ticket, Due::Folder(host, plain(dir))),
            Request::ReadFile(ReadFile { host, dir, name, identity, from, max }) => {
                let path = format!("{}/{name}", plain(dir));
                let bytes = self.files.bytes(&host, &path, identity, from, max).map(ReadFile::answered);
                let settled = bytes.ok_or_else(|| Trouble::Missing(format!("`{path}` is not the file it was")));
                self.schedule(soon, ticket, Due::Ready(Some(host), settled));
            }
            Request::WorkOnFile(WorkOnFile { host, work, .. }) => self.file_work(ticket, &host, work),
            Request::AwaitChange(AwaitChange { host, dir, seen, until }) => {
                let dir = plain(dir);
                if self.files.list(&host, &dir) == seen {
                    self.schedule(self.time_of(until).max(soon), ticket, Due::Changed(host, dir));
                } else {
                    self.schedule(soon, ticket, Due::Listing(host, dir));
                }
            }
            // These ask nothing of a host and were accepted before.
            Request::WaitUntil(_) | Request::AskPerson(_) | Request::ReadLine(_) => {}
            Request::TakeLease(_) | Request::ReleaseLease(_) | Request::ExpectNewKey(_) => {}
            Request::EnterHost(_) => {}
        }
    }

    fn start(&mut self, ticket: Ticket, host: &str, job: JobId, service: Option<&str>, verb: &str, args: &Fields) {
        let soon = self.now + self.latency();
        self.version += 1;
        let known = self.hosts.get(host).is_some_and(|host| host.jobs.contains_key(&job));
        let harm = if known { None } else { self.strike(verb, service.unwrap_or(host), Harm::of_jobs()) };
        if let Some(Harm::HostDown { ms }) = harm {
            if let Some(host) = self.hosts.get_mut(host) {
                host.down_until = self.now + Span(ms);
            }
            return self.trouble(ticket, Trouble::Unreachable(format!("`{host}` does not answer")));
        }
        if let (Some(Harm::LogLate { ms }), Some(service)) = (&harm, service) {
            self.delay_log(service, Span(*ms));
        }
        let restarts = matches!(harm, Some(Harm::HostRestarts { .. })) || (verb == "reboot" && service.is_none());
        if !known {
            let record = self.run((host, service), verb, args, harm.as_ref());
            let now = self.now;
            if let Some(host) = self.hosts.get_mut(host) {
                host.jobs.insert(job.clone(), record);
                let does_nothing = matches!(harm, Some(Harm::FailsBefore | Harm::JobLost { happened: false }));
                if let Some(Harm::HostRestarts { ms }) = harm {
                    host.restart(now, now + Span(ms));
                } else if verb == "reboot" && service.is_none() && !does_nothing {
                    host.restart(now, now + REBOOT);
                }
            }
        }
        if restarts && !known && self.exploration.is_some() {
            self.host_restarts(host);
        }
        match harm {
            Some(Harm::ReplyLost) => {
                self.trouble(ticket, Trouble::Lost("the link broke before the reply".into()));
            }
            Some(_) | None => self.schedule(soon, ticket, Due::Job(host.to_owned(), job)),
        }
    }

    /// What a command does, and the record it will leave.
    fn run(&mut self, (host, service): (&str, Option<&str>), verb: &str, args: &Fields, harm: Option<&Harm>) -> SimJob {
        let does_nothing = matches!(harm, Some(Harm::FailsBefore | Harm::JobLost { happened: false }));
        let reply = match service {
            _ if does_nothing => VerbReply::failing(COMMAND, "it failed before it did anything"),
            None if verb == "run" => self.do_command(host, args),
            service => self.do_verb(service, verb, args),
        };
        let end = match harm {
            Some(Harm::JobLost { .. }) => JobState::Lost("its supervisor is gone and left no exit record".into()),
            Some(Harm::FailsAfter) => JobState::Exited(1),
            Some(_) | None => JobState::Exited(reply.exit),
        };
        let longer = if let Some(Harm::Slow { ms }) = harm { Span(*ms) } else { Span(0) };
        SimJob { ends_at: self.now + reply.takes + longer, end, output: reply.output }
    }

    /// A command of a script on a host, of which the first model that has an answer says what it does.
    fn do_command(&mut self, host: &str, args: &Fields) -> VerbReply {
        let argv = args.get("argv").cloned().unwrap_or_default();
        let command = |model: &mut ModelHost, now| {
            model.advance_to(now)?;
            model.command(host, &argv)
        };
        let reply = (0..self.models.len()).find_map(|index| self.attempt(index, command).flatten());
        reply.unwrap_or_else(|| VerbReply::succeeding(COMMAND))
    }

    fn do_verb(&mut self, service: Option<&str>, verb: &str, args: &Fields) -> VerbReply {
        let model = service.and_then(|service| Some((service, self.model_of(service)?)));
        let Some((service, model)) = model else { return VerbReply::succeeding(COMMAND) };
        match self.attempt(model, |model, _| model.verb(service, verb, args)) {
            Some(Some(reply)) => reply,
            Some(None) if verb == "run" => VerbReply::succeeding(COMMAND),
            Some(None) => {
                VerbReply { exit: 127, ..VerbReply::failing(COMMAND, &format!("the model knows no verb `{verb}`")) }
            }
            None => VerbReply::failing(COMMAND, "the model has a defect"),
        }
    }

    fn probe(&mut self, host: &str, service: Option<&str>, what: &str, args: &Fields, proof: &str) -> Probed {
        let of_host = self.hosts.get(host).filter(|_| service.is_none()).and_then(|host| host.tells(what, args));
        let model = service.and_then(|service| Some((service, self.model_of(service)?)));
        let read = model.and_then(|(service, model)| self.attempt(model, |model, _| model.probe(service, what, args)));
        let (exit, out, err) = match of_host.or_else(|| read.flatten()) {
            Some((exit, out)) => (exit, out, String::new()),
            None => (127, String::new(), format!("no model knows the probe `{what}`")),
        };
        let mut out = format!("{proof}{out}").into_bytes();
        out.truncate(PROBE_BYTES_MAX);
        Probed { exit, out, err: err.into_bytes() }
    }

    fn end_job(&mut self, host: &str, job: &JobId) {
        self.version += 1;
        let now = self.now;
        let running = self.hosts.get_mut(host).and_then(|host| host.jobs.get_mut(job)).filter(|job| now < job.ends_at);
        let Some(record) = running else { return };
        record.ends_at = now;
        record.end = JobState::Exited(128 + 15);
        let waits = |due: &Due| matches!(due, Due::Job(on, id) if on == host && id == job);
        let keys: Vec<(Wall, u64)> =
            self.pending.iter().filter(|(_, (_, due))| waits(due)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some((ticket, due)) = self.pending.remove(&key) {
                let soon = now + self.latency();
                self.schedule(key.0.min(soon), ticket, due);
            }
        }
    }

    fn ask(&mut self, ticket: Ticket, ask: &Ask) {
        let (form, no) = match &ask.form {
            Form::Confirm => ("confirm", Some("no")),
            Form::Manual => ("manual", Some("failed")),
            Form::Choose(options) => ("choose", options.last().map(String::as_str)),
            Form::Write(_) => ("ask", None),
        };
        let harm = self.strike(form, &ask.gate, Harm::of_questions(&ask.form));
        let by = || "simulated operator".to_owned();
        let given = |word: &str, note: &str| Answer::Given { word: word.to_owned(), note: note.to_owned(), by: by() };
        let late = if let Some(Harm::AnswersLate { ms }) = harm { Span(ms) } else { Span(0) };
        let (after, answer) = match (harm, no) {
            _ if self.unattended => (Span(0), Answer::Nobody("nobody is there".into())),
            (Some(Harm::Nobody), _) => (Span(0), Answer::Nobody("nobody is there".into())),
            (Some(Harm::SaysNo), Some(no)) => (LATENCY, given(no, "")),
            (Some(Harm::Says { word }), _) => {
                self.was_answered(ask, &word);
                (LATENCY, given(&word, ""))
            }
            (Some(_) | None, _) => match self.operator(ask) {
                Some((after, word, note)) => (Span(after.0 + late.0), given(&word, &note)),
                None => (Span(0), Answer::Nobody("no model of this site answers questions".into())),
            },
        };
        self.schedule(self.now + after, ticket, Due::Ready(None, Ok(AskPerson::answered(answer))));
    }

    /// The next of the lines that were laid ready; after the last one nobody steers any more.
    fn line(&mut self, ticket: Ticket) {
        let line = self.lines.pop_front().map_or_else(|| Line::Closed("nobody is there".into()), Line::Typed);
        self.schedule(self.now, ticket, Due::Ready(None, Ok(ReadLine::answered(line))));
    }

    /// The first model that has an answer gives it.
    pub(super) fn operator(&mut self, ask: &Ask) -> Option<(Span, String, String)> {
        let answer = |model: &mut ModelHost, now| {
            model.advance_to(now)?;
            model.answer(ask)
        };
        let reply = (0..self.models.len()).find_map(|index| self.attempt(index, answer).flatten())?;
        self.was_answered(ask, &reply.word);
        Some((reply.after, reply.word, reply.note))
    }

    /// What comes of an answer, whoever gave it.
    fn was_answered(&mut self, ask: &Ask, word: &str) {
        for index in 0..self.models.len() {
            self.attempt(index, |model, now| {
                model.advance_to(now)?;
                model.was_answered(ask, word)
            });
        }
    }

    fn trouble(&mut self, ticket: Ticket, trouble: Trouble) {
        self.schedule(self.now + UNREACHABLE, ticket, Due::Ready(None, Err(trouble)));
    }

    /// Does what is asked about a file, and whatever strikes there.
    pub(super) fn file_work(&mut self, ticket: Ticket, host: &str, work: FileWork) {
        self.version += 1;
        let verb = match &work {
            FileWork::WriteBlock(_) => Some("write"),
            FileWork::InstallFile(_) => Some("install_file"),
            FileWork::DigestFile(_) | FileWork::ReadBlock(_) => None,
        };
        let harm = verb.filter(|_| host != RUNNER).and_then(|verb| self.strike(verb, host, Harm::of_files()));
        let lost = || Trouble::Lost("the link broke before the reply".into());
        let trouble = match &harm {
            None | Some(Harm::LogLate { .. } | Harm::Nobody | Harm::SaysNo | Harm::Says { .. }) => None,
            Some(Harm::AnswersLate { .. } | Harm::Slow { .. } | Harm::ProbeFails | Harm::Suffers { .. }) => None,
            Some(Harm::LineMissing { .. } | Harm::LineDoubled { .. } | Harm::LineSwapped { .. }) => None,
            Some(Harm::LinkCut { .. } | Harm::HostDies { .. } | Harm::Goes { .. }) => None,
            Some(Harm::FailsBefore) => Some(Trouble::Refused("no space left on device".into())),
            Some(Harm::HostDown { .. }) => Some(Trouble::Unreachable(format!("`{host}` does not answer"))),
            Some(Harm::FailsAfter | Harm::ReplyLost | Harm::JobLost { .. } | Harm::HostRestarts { .. }) => Some(lost()),
        };
        let idle = matches!(harm, Some(Harm::FailsBefore | Harm::HostDown { .. } | Harm::JobLost { happened: false }));
        let done = if idle { Err(lost()) } else { transfers::done(&self.files, host, work) };
        let now = self.now;
        match (harm, self.hosts.get_mut(host)) {
            (Some(Harm::HostDown { ms }), Some(host)) => host.down_until = now + Span(ms),
            (Some(Harm::HostRestarts { ms }), Some(host)) => host.restart(now, now + Span(ms)),
            (_, _) => {}
        }
        let from = (host != RUNNER).then(|| host.to_owned());
        let soon = now + self.latency();
        self.schedule(soon, ticket, Due::Ready(from, trouble.map_or(done, Err)));
    }
}

fn plain(dir: String) -> String {
    dir.trim_end_matches('/').to_owned()
}
