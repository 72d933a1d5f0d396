//! The real world: requests run concurrently on a runtime of two threads, replies come back through one channel.
//! What is instant is answered in `submit` itself. It takes no decisions: it does what is asked and reports.

use super::asked::Asked;
use super::clock::Clock;
use super::console::Console;
use super::hush::{Window, hushed, may_show};
use super::job::Attempt;
use super::keyring::{Keyring, Secret};
use super::lab_side::{LabSide, Wanted};
use super::lease::{self, FOLDER, Runner};
use super::local_lease::LocalLeases;
use super::person::Person;
use super::ssh::{RemoteHosts, RemotePlace};
use super::transfer::RUNNER;
use super::trust::{self, Doubt};
use super::watches::Watches;
use super::{
    Completion, JobState, Reply, Request, Ticket, Trouble, World, commands, files, job, line_mode, local_transfer,
};
use crate::error::{Error, Kind, Result};
use crate::model::answers::Answers;
use crate::model::record::Moment;
use crate::model::ssh::Ssh;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::AbortHandle;

/// The longest single sleep: the runtime's timers stand still while the machine sleeps, the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How long the requests under way are given to let go of their connections.
const FAREWELL: Duration = Duration::from_millis(200);

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Where baton works on a local host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlace {
    /// The folder of its job records.
    pub jobs: PathBuf,
}

/// The world of this machine.
#[derive(Debug)]
pub struct SystemWorld {
    shared: Shared,
    /// The requests whose replies are wanted, with the means to drop those that only wait.
    waiting: BTreeMap<Ticket, Waiting>,
    ready: VecDeque<(Ticket, Window, Reply)>,
    /// What came while nobody waited for it.
    arrived: VecDeque<Completion>,
    inbox: Receiver<Completion>,
    outbox: Sender<Completion>,
    /// Gone only while it is being dropped.
    runtime: Option<Runtime>,
}

/// A request under way.
#[derive(Debug)]
struct Waiting {
    /// The means to drop it, if it only waits.
    only_waits: Option<AbortHandle>,
    window: Window,
}

/// What requests under way need.
#[derive(Debug, Clone)]
struct Shared {
    hosts: Arc<BTreeMap<String, HostPlace>>,
    remote: RemoteHosts,
    runner: Arc<Runner>,
    clock: Clock,
    person: Arc<Person>,
    console: Console,
    watches: Arc<Watches>,
    keyring: Arc<Keyring>,
    leases: Arc<LocalLeases>,
    /// Where the lease of this machine is, and whose journal it names; leases are in the jobs folders without.
    machine: Option<Arc<MachineLease>>,
    /// The lab it is the world of, and its own number there.
    lab: Option<(Arc<LabSide>, u64)>,
}

/// Where the lease of this machine lies.
#[derive(Debug)]
struct MachineLease {
    folder: PathBuf,
    state: PathBuf,
}

impl SystemWorld {
    /// Opens the world: `hosts` by name, all on this machine. From now on an interrupt is a [`Completion`].
    ///
    /// # Errors
    /// `Internal` when the system refuses threads, signals or file descriptors.
    pub fn new(hosts: BTreeMap<String, HostPlace>, clock: Clock, person: Person) -> Result<Self> {
        let failed =
            |what: &str, error: std::io::Error| Error::new(Kind::Internal, format!("cannot {what}")).cause(error);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| failed("start the runtime", error))?;
        let watches = Watches::start().map_err(|error| failed("watch files", error))?;
        let (outbox, inbox) = channel();
        report_interrupts(runtime.handle(), &outbox).map_err(|error| failed("listen for signals", error))?;
        let hosts = hosts
            .into_iter()
            .map(|(name, place)| std::path::absolute(place.jobs).map(|jobs| (name, HostPlace { jobs })))
            .collect::<std::io::Result<_>>()
            .map_err(|error| failed("find the current folder", error))?;
        let console = Console::Nobody("nobody steers this run".into());
        Ok(Self {
            shared: Shared {
                hosts: Arc::new(hosts),
                remote: RemoteHosts::default(),
                runner: Arc::default(),
                clock,
                person: Arc::new(person),
                console,
                watches,
                keyring: Arc::default(),
                leases: Arc::default(),
                machine: None,
                lab: None,
            },
            waiting: BTreeMap::new(),
            ready: VecDeque::new(),
            arrived: VecDeque::new(),
            inbox,
            outbox,
            runtime: Some(runtime),
        })
    }

    /// The same on hosts that are this machine itself, whatever they are called: its one lease is in `folder`, where
    /// every runner of the machine looks, and names the folder with the journal, `state`.
    ///
    /// # Errors
    /// `Precondition` when others may have write into a folder of jobs; `Internal` without a current folder.
    pub fn on_this_machine(mut self, folder: PathBuf, state: &Path) -> Result<Self> {
        for (name, HostPlace { jobs }) in &*self.shared.hosts {
            if let Some(Doubt { why, command }) = trust::private_folder(jobs) {
                let message = format!("the folder of the jobs on `{name}` is not safe: {why}");
                return Err(Error::new(Kind::Precondition, message)
                    .hint("what is in it could be anyone's, and would be taken for what jobs have left")
                    .hint(format!("look at what is in it, then: {command}")));
            }
        }
        let state = std::path::absolute(state)
            .map_err(|error| Error::new(Kind::Internal, "cannot find the current folder").cause(error))?;
        self.shared.machine = Some(Arc::new(MachineLease { folder, state }));
        Ok(self)
    }

    /// The same with somebody who steers it.
    #[must_use]
    pub fn steered(mut self, console: Console) -> Self {
        self.shared.console = console;
        self
    }

    /// The same as the world of a lab: nothing outside of that is touched.
    #[must_use]
    pub fn rehearsed(mut self, lab: LabSide) -> Self {
        let number = lab.pace.new_world();
        self.shared.lab = Some((Arc::new(lab), number));
        self
    }

    /// The same with the site's secrets: they can be given to commands, and nothing that comes back shows them.
    #[must_use]
    pub fn keyed(mut self, keyring: Keyring) -> Self {
        self.shared.keyring = Arc::new(keyring);
        self
    }

    /// The same, once it is sure that no value of a secret is a word that the run decides by: `said` are the texts that
    /// what hosts say is compared with, by where they stand.
    ///
    /// # Errors
    /// `Inventory` when one is.
    pub fn telling_apart(self, said: &BTreeMap<String, Vec<String>>) -> Result<Self> {
        if self.shared.keyring.is_empty() {
            return Ok(self);
        }
        let common = self.runtime().and_then(|runtime| runtime.block_on(self.shared.keyring.common(said)));
        let Some((name, place)) = common else { return Ok(self) };
        let origin = self.shared.keyring.origin(&name);
        let message = format!("the value of secret `{name}` is also a word of `{place}`");
        Err(Error::new(Kind::Inventory, message)
            .cause("what hosts say would be hidden before it is compared with that word, and be taken for another")
            .hint(format!(
                "nothing was done; give it a value that is no common word, in {origin}, or change that word"
            )))
    }

    /// The same with hosts that are reached over SSH. `known_hosts` is a folder for host keys that were
    /// expected to change.
    ///
    /// # Errors
    /// `Precondition` when the private folder of connections cannot be made; `Inventory` when the configuration that the
    /// site names is no file that can be read, or others may write it.
    pub fn over_ssh(mut self, hosts: BTreeMap<String, RemotePlace>, ssh: &Ssh, known_hosts: PathBuf) -> Result<Self> {
        if let Some(config) = &ssh.config {
            readable(Path::new(config))?;
        }
        self.shared.remote = RemoteHosts::new(hosts, ssh, known_hosts, self.outbox.clone()).map_err(|error| {
            Error::new(Kind::Precondition, "cannot make the private folder of SSH connections").cause(error)
        })?;
        Ok(self)
    }

    /// The same with a file of answers, if there is one: what it does not say is for the person to answer.
    #[must_use]
    pub fn answered(mut self, answers: Option<Arc<Answers>>) -> Self {
        if let Some(answers) = answers {
            self.shared.person = Arc::new(Person::Answers(answers, Arc::clone(&self.shared.person)));
        }
        self
    }

    /// The next thing that comes in.
    fn wait(&self) -> Completion {
        let Some((lab, _)) = &self.shared.lab else { return self.inbox.recv().unwrap_or(Completion::Idle) };
        lab.pace.idle();
        let next = self.inbox.recv().unwrap_or(Completion::Idle);
        lab.pace.busy();
        next
    }

    fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref().map(Runtime::handle)
    }

    /// A reply without the secrets. This is the one way out of the world, whatever kind of host has replied.
    fn reply(&self, ticket: Ticket, window: Window, reply: Reply) -> Completion {
        let keyring = &self.shared.keyring;
        let reply = match self.runtime() {
            Some(runtime) if !keyring.is_empty() && may_show(&reply) => {
                hushed(reply, window, runtime.block_on(keyring.mask()))
            }
            Some(_) | None => reply,
        };
        Completion::Reply(ticket, reply)
    }

    /// What a completion that arrived means to the caller; nothing when the reply is not wanted any more.
    fn wanted(&mut self, completion: Completion) -> Option<Completion> {
        match completion {
            Completion::Reply(ticket, reply) => {
                self.shared.is_over(ticket);
                let waiting = self.waiting.remove(&ticket)?;
                Some(self.reply(ticket, waiting.window, reply))
            }
            Completion::Told(text) => Some(Completion::Told(match self.runtime() {
                Some(runtime) if !self.shared.keyring.is_empty() => {
                    runtime.block_on(self.shared.keyring.mask()).text(text)
                }
                Some(_) | None => text,
            })),
            Completion::Interrupted | Completion::Idle => Some(completion),
        }
    }
}

impl World for SystemWorld {
    fn now(&mut self) -> Moment {
        self.shared.clock.now()
    }

    fn act_for(&mut self, runner: Runner) {
        self.shared.runner = Arc::new(runner.clone());
        let state = self.shared.machine.as_ref().map(|machine| machine.state.clone());
        self.shared.leases = Arc::new(LocalLeases::of(runner, state));
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        tracing::debug!(ticket = ticket.0, ?request, "asked");
        let window = Window::of(&request);
        if let Some(reply) = self.shared.answer(&request) {
            return self.ready.push_back((ticket, window, reply));
        }
        // So that it can be dropped when its reply is forgotten; what acts is carried through.
        let only_waits = only_waits(&request);
        if let Some((lab, world)) = &self.shared.lab {
            lab.pace.submitted((*world, ticket));
        }
        let (shared, outbox) = (self.shared.clone(), self.outbox.clone());
        let task = async move {
            let lab = shared.lab.clone();
            let reply = shared.carry_out(ticket, request).await.unwrap_or_else(Reply::Trouble);
            if let Some((lab, world)) = lab {
                lab.pace.came((world, ticket));
            }
            // Nobody listens any more when the world is being dropped.
            let _ = outbox.send(Completion::Reply(ticket, reply));
        };
        if let Some(runtime) = self.runtime() {
            let handle = runtime.spawn(task).abort_handle();
            self.waiting.insert(ticket, Waiting { only_waits: only_waits.then_some(handle), window });
        }
    }

    fn next(&mut self) -> Completion {
        loop {
            // What arrived comes before what was instant, or a track that reads without end would drown the rest.
            let arrived = match self.arrived.pop_front().or_else(|| self.inbox.try_recv().ok()) {
                Some(completion) => completion,
                None => match self.ready.pop_front() {
                    Some((ticket, window, reply)) => return self.reply(ticket, window, reply),
                    None if self.waiting.is_empty() => return Completion::Idle,
                    None => self.wait(),
                },
            };
            if let Some(completion) = self.wanted(arrived) {
                tracing::debug!(?completion, "came back");
                return completion;
            }
        }
    }

    fn is_interrupted(&mut self) -> bool {
        self.arrived.extend(self.inbox.try_iter());
        let interrupted = self.arrived.iter().position(|completion| *completion == Completion::Interrupted);
        interrupted.and_then(|at| self.arrived.remove(at)).is_some()
    }

    fn forget(&mut self, ticket: Ticket) {
        if let Some(task) = self.waiting.remove(&ticket).and_then(|waiting| waiting.only_waits) {
            task.abort();
            self.shared.is_over(ticket);
        }
        self.ready.retain(|(of, ..)| *of != ticket);
    }
}

impl Drop for SystemWorld {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if let Some((lab, world)) = &self.shared.lab {
            lab.pace.end_world(*world);
        }
        // Hardly waiting: what is under way may take hours, and jobs go on by themselves. But connections are ended by
        // whoever uses them last, which should be us.
        if self.shared.remote.is_empty() {
            runtime.shutdown_background();
        } else {
            runtime.shutdown_timeout(FAREWELL);
        }
    }
}

impl Shared {
    /// Answers at once what takes no longer than handing it to another thread would.
    fn answer(&self, request: &Request) -> Option<Reply> {
        if let Some(refused) = self.lab.as_ref().and_then(|(lab, _)| lab.refusal(request)) {
            return Some(Reply::Trouble(refused));
        }
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.known(request);
        }
        let reply = match request {
            Request::Look { host, job, asked, .. } => self
                .attempt(host, job)
                .map(|attempt| Reply::Job(job::look(&attempt, self.clock.boot(), asked.as_ref()))),
            Request::JobOutput { host, job, stream, from, max } => {
                self.attempt(host, job).map(|attempt| job::output(&attempt, *stream, *from, *max))
            }
            Request::List { host, dir } => {
                self.place(host).and_then(|_| files::list(Path::new(dir))).map(Reply::Listing)
            }
            Request::Read { host, dir, name, identity, from, max } => self
                .place(host)
                .and_then(|_| files::read(Path::new(dir), name, *identity, *from, *max))
                .map(Reply::Bytes),
            // A host on this machine is reached without any key.
            Request::ExpectNewKey { host } => self.place(host).map(|_| Reply::Noted),
            Request::Start { .. }
            | Request::JobEnd { .. }
            | Request::EndJob { .. }
            | Request::Probe { .. }
            | Request::Changed { .. }
            | Request::File { .. }
            | Request::TakeLease { .. }
            | Request::Release { .. }
            | Request::WaitUntil { .. }
            | Request::Ask { .. }
            | Request::Line { .. } => return None,
        };
        Some(reply.unwrap_or_else(Reply::Trouble))
    }

    async fn carry_out(self, ticket: Ticket, request: Request) -> std::result::Result<Reply, Trouble> {
        if let Some(until) = request.waits_until() {
            self.waits(ticket, until);
        }
        let secret = self.secret(&request).await?;
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.carry_out(request, secret.as_ref(), &self.clock, &self.runner).await;
        }
        Ok(match request {
            Request::Start { host, job, service, verb, args, mut argv, secret: name, .. } => {
                let attempt = self.attempt(&host, &job)?;
                let number = self.admit(&host)?;
                // What was asked for is the same whoever answers.
                let asked = Asked::of(&argv, name.as_deref());
                if let Some((lab, _)) = &self.lab {
                    let (host, service, name) = (host.as_str(), service.as_deref(), verb.as_str());
                    argv = lab.start(&job, Wanted { host, service, name, args: &args, argv: &argv }).await?;
                }
                let reply = job::start(&attempt, number, self.clock.boot(), (&argv, &asked), secret.as_ref()).await;
                if reply == Reply::Job(JobState::Absent) {
                    // It was taken over meanwhile.
                    self.admit(&host)?;
                }
                reply
            }
            Request::JobEnd { host, job, until } => {
                let attempt = self.attempt(&host, &job)?;
                Reply::Job(job::end(&self.watches, &self.clock, &attempt, until).await)
            }
            Request::EndJob { host, job } => {
                let attempt = self.attempt(&host, &job)?;
                self.admit(&host)?;
                Reply::Job(job::terminate(&self.watches, &self.clock, &attempt).await)
            }
            Request::TakeLease { host, force } => {
                let (leases, since) = (self.leases_of(&host)?, since());
                let take = || self.leases.take(&host, &leases, &since, force);
                Reply::Lease(tokio::task::block_in_place(take)?)
            }
            Request::Release { host } => {
                let leases = self.leases_of(&host)?;
                Reply::Lease(tokio::task::block_in_place(|| self.leases.release(&host, &leases))?)
            }
            Request::Probe { host, service, what, argv, args, until } => {
                self.place(&host)?;
                let (host, service, name) = (host.as_str(), service.as_deref(), what.as_str());
                match &self.lab {
                    Some((lab, _)) => lab.probe(Wanted { host, service, name, args: &args, argv: &argv }).await?,
                    None => commands::probe(&self.clock, &argv, until).await,
                }
            }
            Request::File { host, work, until } => {
                if host != RUNNER {
                    self.place(&host)?;
                }
                if host != RUNNER && work.changes() {
                    self.admit(&host)?;
                }
                local_transfer::work(work, &self.clock, until).await
            }
            Request::Changed { host, dir, seen, until } => {
                self.place(&host)?;
                files::changed(&self.watches, &self.clock, Path::new(&dir), &seen, until).await
            }
            Request::WaitUntil { until } => self.woken(until).await,
            Request::Ask { ask, .. } => Reply::Answer(self.person.ask(&ask).await),
            Request::Line { prompt } => Reply::Line(self.console.line(&prompt).await),
            Request::Look { .. }
            | Request::JobOutput { .. }
            | Request::List { .. }
            | Request::Read { .. }
            | Request::ExpectNewKey { .. } => {
                return self.answer(&request).ok_or_else(|| Trouble::Lost("it was not asked".into()));
            }
        })
    }

    async fn woken(&self, until: u64) -> Reply {
        while let Some(left) = self.clock.real_time_until(until) {
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
        Reply::Woke
    }

    /// The time of a lab may pass up to this moment without this request.
    fn waits(&self, ticket: Ticket, until: u64) {
        if let Some((lab, world)) = &self.lab {
            lab.pace.waits((*world, ticket), until);
        }
    }

    /// The time of a lab need not wait for this request any more.
    fn is_over(&self, ticket: Ticket) {
        if let Some((lab, world)) = &self.lab {
            lab.pace.over((*world, ticket));
        }
    }

    /// The value that the command of a job is to read.
    async fn secret(&self, request: &Request) -> std::result::Result<Option<Secret>, Trouble> {
        let Request::Start { secret: Some(name), .. } = request else { return Ok(None) };
        self.keyring.value(name).await.map(Some)
    }

    fn place(&self, host: &str) -> std::result::Result<&HostPlace, Trouble> {
        self.hosts.get(host).ok_or_else(|| Trouble::Unreachable(format!("host `{host}` is not known here")))
    }

    fn attempt(&self, host: &str, id: &super::JobId) -> std::result::Result<Attempt, Trouble> {
        Attempt::of(&self.place(host)?.jobs, &self.leases_of(host)?, id)
    }

    /// The folder of a host's leases.
    fn leases_of(&self, host: &str) -> std::result::Result<PathBuf, Trouble> {
        let jobs = &self.place(host)?.jobs;
        Ok(self.machine.as_ref().map_or_else(|| jobs.join(FOLDER), |machine| machine.folder.clone()))
    }

    /// The fence number under which something may be changed on a host: every request that changes something asks.
    fn admit(&self, host: &str) -> std::result::Result<u64, Trouble> {
        let leases = self.leases_of(host)?;
        tokio::task::block_in_place(|| self.leases.admit(host, &leases, &since()))
    }
}

/// Refuses a configuration of SSH that `ssh` would silently do without, or that others may write: it names commands.
fn readable(config: &Path) -> Result<()> {
    let shown = config.display();
    let wrong = |why: String, hint: String| {
        Err(Error::new(Kind::Inventory, format!("the `config` of `[ssh]` cannot be used: {why}"))
            .hint("nothing was done: `ssh` would go on without it, with other addresses, accounts and keys")
            .hint(hint))
    };
    let look = format!("name another file in the inventory, or look at what it is: ls -ld {shown}");
    match std::fs::metadata(config) {
        Err(error) => return wrong(format!("`{shown}`: {error}"), look),
        Ok(data) if !data.is_file() => return wrong(format!("`{shown}` is not a file"), look),
        Ok(_) => {}
    }
    if let Err(error) = std::fs::File::open(config) {
        return wrong(format!("`{shown}`: {error}"), look);
    }
    match trust::text(config.parent().unwrap_or(config), Path::new(config.file_name().unwrap_or_default())) {
        Some(Doubt { why, command }) => wrong(why, format!("look at what it says, then: {command}")),
        None => Ok(()),
    }
}

/// The present, as leases tell it: by the real clock, whatever clock counts in the world.
fn since() -> String {
    lease::since(Clock::real().now().wall)
}

/// Whether a request only waits, so that it can be dropped when its reply is forgotten; what acts is carried through.
fn only_waits(request: &Request) -> bool {
    match request {
        Request::JobEnd { .. } | Request::Changed { .. } | Request::WaitUntil { .. } => true,
        Request::Ask { .. } | Request::Line { .. } => true,
        // A digest of a large file takes as long as a wait.
        Request::File { work, .. } => !work.changes(),
        Request::Start { .. }
        | Request::Look { .. }
        | Request::JobOutput { .. }
        | Request::EndJob { .. }
        | Request::Probe { .. }
        | Request::List { .. }
        | Request::Read { .. }
        | Request::TakeLease { .. }
        | Request::Release { .. }
        | Request::ExpectNewKey { .. } => false,
    }
}

/// Tells of signals. Who interrupts a second time does not want to wait: baton exits at once, which loses nothing, and
/// jobs go on. A terminal that goes away may tell so several times; that is no hurry.
fn report_interrupts(runtime: &Handle, outbox: &Sender<Completion>) -> std::io::Result<()> {
    let _inside = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signals, outbox) = (signal(kind)?, outbox.clone());
        runtime.spawn(async move {
            let mut before = false;
            while signals.recv().await.is_some() {
                if before && kind != SignalKind::hangup() {
                    line_mode::restore();
                    std::process::exit(INTERRUPTED);
                }
                before = true;
                // Nobody listens any more when the world is being dropped.
                let _ = outbox.send(Completion::Interrupted);
            }
        });
    }
    Ok(())
}
