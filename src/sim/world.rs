//! The simulated world: requests become events of virtual time. One session of a runner, which may die at any point;
//! the estate behind it lives on. It never waits in small steps, and never looks at what the runner means to do.

use crate::model::run::effect::{Ask, Form};
use crate::model::run::record::Moment;
use crate::model::site::account::proof;
use crate::model::site::answers::{Answers, Said};
use crate::model::value::Fields;
use crate::sim::crash::{Boundary, CrashClock};
use crate::sim::estate::{EstateState, LATENCY_MS, SimEstate};
use crate::sim::fault::Harm;
use crate::sim::fence::Fence;
use crate::sim::host::SimJob;
use crate::sim::model::{ModelHost, VerbReply};
use crate::world::lease::Runner;
use crate::world::transfer::RUNNER;
use crate::world::{
    Answer, Completion, JobId, JobState, Line, PROBE_BYTES_MAX, Reply, Request, Stream, Ticket, Trouble, World,
};
use std::rc::Rc;

/// How long it takes to see that a host cannot be reached, in milliseconds.
const UNREACHABLE_MS: u64 = 1_000;

/// How long a host is away that is told to restart, in milliseconds.
const REBOOT_MS: u64 = 60_000;

/// How long a command runs that no model has an opinion about, in milliseconds.
const COMMAND_MS: u64 = 500;

/// The world of one simulated runner.
pub struct SimWorld {
    estate: SimEstate,
    clock: CrashClock,
    fence: Fence,
    answers: Option<Rc<Answers>>,
}

/// A reply to come.
#[derive(Debug)]
pub(super) enum Due {
    /// It is settled, and comes from this host.
    Ready(Option<String>, Reply),
    /// How a job stands when the time has come.
    Job(String, JobId),
    /// What is in a folder that must be there, when the time has come.
    Folder(String, String),
    /// What is in a folder when the time has come.
    Listing(String, String),
    /// The same, and at once if something changes there.
    Changed(String, String),
}

impl Due {
    pub(super) fn waits_for(&self, host: &str, dir: &str) -> bool {
        match self {
            Self::Changed(on, folder) => on == host && folder == dir,
            Self::Ready(..) | Self::Job(..) | Self::Folder(..) | Self::Listing(..) => false,
        }
    }

    /// What it becomes when what it waits for has come.
    pub(super) fn changed(self) -> Self {
        match self {
            Self::Changed(host, dir) => Self::Listing(host, dir),
            Self::Ready(..) | Self::Job(..) | Self::Folder(..) | Self::Listing(..) => self,
        }
    }

    fn host(&self) -> Option<&str> {
        match self {
            Self::Ready(host, _) => host.as_deref(),
            Self::Job(host, _) | Self::Folder(host, _) | Self::Listing(host, _) | Self::Changed(host, _) => Some(host),
        }
    }
}

impl SimWorld {
    pub(super) fn new(estate: SimEstate, clock: CrashClock) -> Self {
        Self { estate, clock, fence: Fence::default(), answers: None }
    }

    /// The same with a file of answers, if there is one: what it does not say is for the operator to answer.
    #[must_use]
    pub fn answered(self, answers: Option<Rc<Answers>>) -> Self {
        Self { answers, ..self }
    }

    /// What the file of answers says to a question. What answering brings about has been done all the same.
    fn answer(&self, request: &Request, estate: &mut EstateState) -> Option<Reply> {
        let (Request::Ask { ask, .. }, Some(answers)) = (request, &self.answers) else { return None };
        match answers.to(&ask.gate, &ask.form) {
            Said::Answer { word, note, by } => {
                estate.operator(ask);
                Some(Reply::Answer(Answer::Given { word, note, by }))
            }
            Said::NoAnswer(why) => Some(Reply::Answer(Answer::Nobody(why))),
            Said::Nothing => None,
        }
    }
}

impl World for SimWorld {
    fn now(&mut self) -> Moment {
        self.estate.0.borrow().moment()
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        let starts = matches!(request, Request::Start { .. });
        let dead = if starts { self.clock.crosses(Boundary::BeforeStart) } else { self.clock.is_dead() };
        if !dead {
            let mut estate = self.estate.0.borrow_mut();
            match self.fence.stop(&mut estate, &request).or_else(|| self.answer(&request, &mut estate)) {
                None => estate.accept(ticket, request),
                Some(reply) => {
                    let soon = estate.now + LATENCY_MS;
                    estate.schedule(soon, ticket, Due::Ready(None, reply));
                }
            }
        }
        if starts {
            // Should it die here, `next` delivers nothing any more.
            self.clock.crosses(Boundary::AfterStart);
        }
    }

    fn next(&mut self) -> Completion {
        if self.clock.is_dead() {
            return Completion::Interrupted;
        }
        let Some((ticket, reply)) = self.estate.0.borrow_mut().next_reply() else { return Completion::Idle };
        if self.clock.crosses(Boundary::BeforeReply) {
            return Completion::Interrupted;
        }
        Completion::Reply(ticket, reply)
    }

    fn forget(&mut self, ticket: Ticket) {
        self.estate.0.borrow_mut().pending.retain(|_, (pending, _)| *pending != ticket);
    }

    fn act_for(&mut self, runner: Runner) {
        self.fence.runner = Some(runner);
    }

    fn follow(&mut self, run: &str) -> bool {
        let Some(runner) = &mut self.fence.runner else { return false };
        let is_new = !runner.follows.iter().any(|followed| followed == run);
        runner.follows.extend(is_new.then(|| run.to_owned()));
        is_new
    }
}

impl EstateState {
    /// The next reply and the ticket it belongs to, with all that happens before it.
    fn next_reply(&mut self) -> Option<(Ticket, Reply)> {
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

    fn reply(&self, due: Due) -> Reply {
        let now = self.now;
        if let Some(host) = due.host()
            && self.hosts.get(host).is_some_and(|host| host.is_down(now))
            && !matches!(due, Due::Ready(_, Reply::Trouble(_)))
        {
            return Reply::Trouble(Trouble::Lost(format!("the link to `{host}` broke")));
        }
        match due {
            Due::Ready(_, reply) => reply,
            Due::Job(host, job) => Reply::Job(self.hosts.get(&host).map_or(JobState::Absent, |h| h.state(&job, now))),
            Due::Folder(host, dir) if !self.files.has_folder(&host, &dir) => {
                Reply::Trouble(Trouble::Missing(format!("`{dir}` is not there")))
            }
            Due::Folder(host, dir) | Due::Listing(host, dir) | Due::Changed(host, dir) => {
                Reply::Listing(self.files.list(&host, &dir))
            }
        }
    }

    fn accept(&mut self, ticket: Ticket, request: Request) {
        match request {
            Request::WaitUntil { until } => {
                let at = self.time_of(until);
                self.schedule(at, ticket, Due::Ready(None, Reply::Woke));
            }
            Request::Ask { ask, .. } => self.ask(ticket, &ask),
            Request::Line { .. } => self.line(ticket),
            // Simulated hosts lose nothing: there is nothing to ask.
            Request::Enter { .. } => {
                self.schedule(self.now, ticket, Due::Ready(None, Reply::Entered(String::new())));
            }
            // Simulated hosts have no keys.
            Request::ExpectNewKey { host } => {
                self.schedule(self.now + LATENCY_MS, ticket, Due::Ready(Some(host), Reply::Noted));
            }
            Request::File { host, work, .. } if host == RUNNER => self.file_work(ticket, &host, work),
            // The fence has answered them.
            Request::TakeLease { .. } | Request::Release { .. } => {}
            Request::Start { ref host, .. }
            | Request::Look { ref host, .. }
            | Request::JobEnd { ref host, .. }
            | Request::JobOutput { ref host, .. }
            | Request::EndJob { ref host, .. }
            | Request::Probe { ref host, .. }
            | Request::List { ref host, .. }
            | Request::Read { ref host, .. }
            | Request::File { ref host, .. }
            | Request::Changed { ref host, .. } => match self.obstacle(host) {
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
        let soon = self.now + LATENCY_MS;
        match request {
            Request::Start { host, job, service, verb, argv, args, .. } => {
                self.start(ticket, &host, job.clone(), service.as_deref(), &verb, &args);
                self.prove(&host, &job, &argv);
            }
            Request::Look { host, job, .. } => self.schedule(soon, ticket, Due::Job(host, job)),
            Request::JobEnd { host, job, until } => {
                let ends_at = self.hosts.get(&host).and_then(|host| host.jobs.get(&job)).map_or(0, |job| job.ends_at);
                let at = ends_at.min(self.time_of(until)).max(soon);
                self.schedule(at, ticket, Due::Job(host, job));
            }
            Request::JobOutput { host, job, stream, from, max } => {
                let bytes = self.job_output(&host, &job, stream, from, max);
                self.schedule(soon, ticket, Due::Ready(Some(host), Reply::Bytes(bytes)));
            }
            Request::EndJob { host, job } => {
                self.end_job(&host, &job);
                self.schedule(soon, ticket, Due::Job(host, job));
            }
            Request::Probe { host, service, what, argv, args, .. } => {
                let reply = self.probe(&host, service.as_deref(), &what, &args, proof(&argv));
                self.schedule(soon, ticket, Due::Ready(Some(host), reply));
            }
            Request::List { host, dir } => self.schedule(soon, ticket, Due::Folder(host, plain(dir))),
            Request::Read { host, dir, name, identity, from, max } => {
                let path = format!("{}/{name}", plain(dir));
                let reply = match self.files.bytes(&host, &path, identity, from, max) {
                    Some(bytes) => Reply::Bytes(bytes),
                    None => Reply::Trouble(Trouble::Missing(format!("`{path}` is not the file it was"))),
                };
                self.schedule(soon, ticket, Due::Ready(Some(host), reply));
            }
            Request::File { host, work, .. } => self.file_work(ticket, &host, work),
            Request::Changed { host, dir, seen, until } => {
                let dir = plain(dir);
                if self.files.list(&host, &dir) == seen {
                    self.schedule(self.time_of(until).max(soon), ticket, Due::Changed(host, dir));
                } else {
                    self.schedule(soon, ticket, Due::Listing(host, dir));
                }
            }
            // These ask nothing of a host and were accepted before.
            Request::WaitUntil { .. } | Request::Ask { .. } | Request::Line { .. } => {}
            Request::TakeLease { .. } | Request::Release { .. } | Request::ExpectNewKey { .. } => {}
            Request::Enter { .. } => {}
        }
    }

    fn start(&mut self, ticket: Ticket, host: &str, job: JobId, service: Option<&str>, verb: &str, args: &Fields) {
        let soon = self.now + LATENCY_MS;
        let known = self.hosts.get(host).is_some_and(|host| host.jobs.contains_key(&job));
        let harm = if known { None } else { self.strike(verb, service.unwrap_or(host)) };
        if let Some(Harm::HostDown { ms }) = harm {
            if let Some(host) = self.hosts.get_mut(host) {
                host.down_until = self.now + ms;
            }
            return self.trouble(ticket, Trouble::Unreachable(format!("`{host}` does not answer")));
        }
        if let (Some(Harm::LogLate { ms }), Some(service)) = (&harm, service) {
            self.delay_log(service, *ms);
        }
        if !known {
            let record = self.run((host, service), verb, args, harm.as_ref());
            let now = self.now;
            if let Some(host) = self.hosts.get_mut(host) {
                host.jobs.insert(job.clone(), record);
                let does_nothing = matches!(harm, Some(Harm::FailsBefore | Harm::JobLost { happened: false }));
                if let Some(Harm::HostRestarts { ms }) = harm {
                    host.restart(now, now + ms);
                } else if verb == "reboot" && service.is_none() && !does_nothing {
                    host.restart(now, now + REBOOT_MS);
                }
            }
        }
        match harm {
            Some(Harm::ReplyLost) => {
                self.trouble(ticket, Trouble::Lost("the link broke before the reply".into()));
            }
            Some(_) | None => self.schedule(soon, ticket, Due::Job(host.to_owned(), job)),
        }
    }

    /// Whatever a simulated command does, it does as the account that it is to be done as.
    fn prove(&mut self, host: &str, job: &JobId, argv: &[String]) {
        let record = self.hosts.get_mut(host).and_then(|host| host.jobs.get_mut(job));
        if let Some(record) = record
            && !record.output.starts_with(proof(argv))
        {
            record.output.insert_str(0, proof(argv));
        }
    }

    /// What a command does, and the record it will leave.
    fn run(&mut self, (host, service): (&str, Option<&str>), verb: &str, args: &Fields, harm: Option<&Harm>) -> SimJob {
        let does_nothing = matches!(harm, Some(Harm::FailsBefore | Harm::JobLost { happened: false }));
        let reply = match service {
            _ if does_nothing => failing("it failed before it did anything"),
            None if verb == "run" => self.do_command(host, args),
            service => self.do_verb(service, verb, args),
        };
        let end = match harm {
            Some(Harm::JobLost { .. }) => JobState::Lost("its supervisor is gone and left no exit record".into()),
            Some(Harm::FailsAfter) => JobState::Exited(1),
            Some(_) | None => JobState::Exited(reply.exit),
        };
        SimJob { ends_at: self.now + reply.takes_ms, end, output: reply.output }
    }

    /// A command of a script on a host, of which the first model that has an answer says what it does.
    fn do_command(&mut self, host: &str, args: &Fields) -> VerbReply {
        let argv = args.get("argv").cloned().unwrap_or_default();
        let command = |model: &mut ModelHost, now| {
            model.advance_to(now)?;
            model.command(host, &argv)
        };
        let reply = (0..self.models.len()).find_map(|index| self.attempt(index, command).flatten());
        reply.unwrap_or_else(succeeding)
    }

    fn do_verb(&mut self, service: Option<&str>, verb: &str, args: &Fields) -> VerbReply {
        let model = service.and_then(|service| Some((service, self.model_of(service)?)));
        let Some((service, model)) = model else { return succeeding() };
        match self.attempt(model, |model, _| model.verb(service, verb, args)) {
            Some(Some(reply)) => reply,
            Some(None) if verb == "run" => succeeding(),
            Some(None) => VerbReply { exit: 127, ..failing(&format!("the model knows no verb `{verb}`")) },
            None => failing("the model has a defect"),
        }
    }

    fn probe(&mut self, host: &str, service: Option<&str>, what: &str, args: &Fields, proof: &str) -> Reply {
        let of_host = self.hosts.get(host).filter(|_| service.is_none()).and_then(|host| host.tells(what, args));
        let model = service.and_then(|service| Some((service, self.model_of(service)?)));
        let read = model.and_then(|(service, model)| self.attempt(model, |model, _| model.probe(service, what, args)));
        let (exit, out, err) = match of_host.or_else(|| read.flatten()) {
            Some((exit, out)) => (exit, out, String::new()),
            None => (127, String::new(), format!("no model knows the probe `{what}`")),
        };
        let mut out = format!("{proof}{out}").into_bytes();
        out.truncate(PROBE_BYTES_MAX);
        Reply::Probed { exit, out, err: err.into_bytes() }
    }

    fn job_output(&self, host: &str, job: &JobId, stream: Stream, from: u64, max: u64) -> Vec<u8> {
        let job = self.hosts.get(host).and_then(|host| host.jobs.get(job)).filter(|job| job.ends_at <= self.now);
        match (stream, job) {
            (Stream::Out, Some(job)) => {
                let bytes = job.output.as_bytes().iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
                bytes.take(usize::try_from(max).unwrap_or(usize::MAX)).copied().collect()
            }
            (Stream::Out, None) | (Stream::Err, _) => Vec::new(),
        }
    }

    fn end_job(&mut self, host: &str, job: &JobId) {
        let now = self.now;
        let running = self.hosts.get_mut(host).and_then(|host| host.jobs.get_mut(job)).filter(|job| now < job.ends_at);
        let Some(record) = running else { return };
        record.ends_at = now;
        record.end = JobState::Exited(128 + 15);
        let waits = |due: &Due| matches!(due, Due::Job(on, id) if on == host && id == job);
        let keys: Vec<(u64, u64)> =
            self.pending.iter().filter(|(_, (_, due))| waits(due)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some((ticket, due)) = self.pending.remove(&key) {
                self.schedule(key.0.min(now + LATENCY_MS), ticket, due);
            }
        }
    }

    fn ask(&mut self, ticket: Ticket, ask: &Ask) {
        let (form, no) = match &ask.form {
            Form::Confirm => ("confirm", Some("no")),
            Form::Manual => ("manual", Some("failed")),
            Form::Choose(options) => ("choose", options.last().map(String::as_str)),
        };
        let harm = self.strike(form, &ask.gate);
        let by = || "simulated operator".to_owned();
        let (after, answer) = match (harm, no) {
            _ if self.unattended => (0, Answer::Nobody("nobody is there".into())),
            (Some(Harm::Nobody), _) => (0, Answer::Nobody("nobody is there".into())),
            (Some(Harm::SaysNo), Some(no)) => {
                (LATENCY_MS, Answer::Given { word: no.into(), note: String::new(), by: by() })
            }
            (Some(_) | None, _) => match self.operator(ask) {
                Some((after, word, note)) => (after, Answer::Given { word, note, by: by() }),
                None => (0, Answer::Nobody("no model of this site answers questions".into())),
            },
        };
        self.schedule(self.now + after, ticket, Due::Ready(None, Reply::Answer(answer)));
    }

    /// The next of the lines that were laid ready; after the last one nobody steers any more.
    fn line(&mut self, ticket: Ticket) {
        let line = self.lines.pop_front().map_or_else(|| Line::Closed("nobody is there".into()), Line::Typed);
        self.schedule(self.now, ticket, Due::Ready(None, Reply::Line(line)));
    }

    /// The first model that has an answer gives it.
    pub(super) fn operator(&mut self, ask: &Ask) -> Option<(u64, String, String)> {
        let answer = |model: &mut ModelHost, now| {
            model.advance_to(now)?;
            model.answer(ask)
        };
        let reply = (0..self.models.len()).find_map(|index| self.attempt(index, answer).flatten())?;
        Some((reply.after_ms, reply.word, reply.note))
    }

    fn trouble(&mut self, ticket: Ticket, trouble: Trouble) {
        self.schedule(self.now + UNREACHABLE_MS, ticket, Due::Ready(None, Reply::Trouble(trouble)));
    }
}

fn plain(dir: String) -> String {
    dir.trim_end_matches('/').to_owned()
}

fn succeeding() -> VerbReply {
    VerbReply { exit: 0, output: String::new(), takes_ms: COMMAND_MS }
}

fn failing(why: &str) -> VerbReply {
    VerbReply { exit: 1, output: why.to_owned(), takes_ms: COMMAND_MS }
}
