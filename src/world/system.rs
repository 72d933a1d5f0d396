//! The real world: requests run concurrently on a runtime of two threads, replies come back through one channel.
//! What is instant is answered in `submit` itself. It takes no decisions: it does what is asked and reports.

use super::asked::Asked;
use super::clock::Clock;
use super::console::Console;
use super::hush::{Window, hushed, may_show};
use super::job::Attempt;
use super::keyring::{Keyring, Secret};
use super::lease::{self, Runner};
use super::local_lease::LocalLeases;
use super::person::Person;
use super::ssh::{RemoteHosts, RemotePlace};
use super::transfer::RUNNER;
use super::watches::Watches;
use super::{Completion, JobState, Reply, Request, Ticket, Trouble, World, commands, files, job, local_transfer};
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
            },
            waiting: BTreeMap::new(),
            ready: VecDeque::new(),
            inbox,
            outbox,
            runtime: Some(runtime),
        })
    }

    /// The same with somebody who steers it.
    #[must_use]
    pub fn steered(mut self, console: Console) -> Self {
        self.shared.console = console;
        self
    }

    /// The same with the site's secrets: they can be given to commands, and nothing that comes back shows them.
    #[must_use]
    pub fn keyed(mut self, keyring: Keyring) -> Self {
        self.shared.keyring = Arc::new(keyring);
        self
    }

    /// The same with hosts that are reached over SSH. `known_hosts` is a folder for host keys that were
    /// expected to change.
    ///
    /// # Errors
    /// `Precondition` when the private folder of connections cannot be made.
    pub fn over_ssh(mut self, hosts: BTreeMap<String, RemotePlace>, ssh: &Ssh, known_hosts: PathBuf) -> Result<Self> {
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
                let waiting = self.waiting.remove(&ticket)?;
                Some(self.reply(ticket, waiting.window, reply))
            }
            Completion::Told(_) | Completion::Interrupted | Completion::Idle => Some(completion),
        }
    }
}

impl World for SystemWorld {
    fn now(&mut self) -> Moment {
        self.shared.clock.now()
    }

    fn act_for(&mut self, runner: Runner) {
        self.shared.runner = Arc::new(runner.clone());
        self.shared.leases = Arc::new(LocalLeases::of(runner));
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        tracing::debug!(ticket = ticket.0, ?request, "asked");
        let window = Window::of(&request);
        if let Some(reply) = self.shared.answer(&request) {
            return self.ready.push_back((ticket, window, reply));
        }
        let only_waits = only_waits(&request);
        let (shared, outbox) = (self.shared.clone(), self.outbox.clone());
        let task = async move {
            let reply = shared.carry_out(request).await.unwrap_or_else(Reply::Trouble);
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
            let arrived = match self.inbox.try_recv() {
                Ok(completion) => completion,
                Err(_) => match self.ready.pop_front() {
                    Some((ticket, window, reply)) => return self.reply(ticket, window, reply),
                    None if self.waiting.is_empty() => return Completion::Idle,
                    None => self.inbox.recv().unwrap_or(Completion::Idle),
                },
            };
            if let Some(completion) = self.wanted(arrived) {
                tracing::debug!(?completion, "came back");
                return completion;
            }
        }
    }

    fn forget(&mut self, ticket: Ticket) {
        if let Some(task) = self.waiting.remove(&ticket).and_then(|waiting| waiting.only_waits) {
            task.abort();
        }
        self.ready.retain(|(of, ..)| *of != ticket);
    }
}

impl Drop for SystemWorld {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
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

    async fn carry_out(self, request: Request) -> std::result::Result<Reply, Trouble> {
        let secret = self.secret(&request).await?;
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.carry_out(request, secret.as_ref(), &self.clock, &self.runner).await;
        }
        Ok(match request {
            Request::Start { host, job, argv, secret: name, .. } => {
                let attempt = self.attempt(&host, &job)?;
                let number = self.admit(&host)?;
                let asked = Asked::of(&argv, name.as_deref());
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
                let (jobs, since) = (&self.place(&host)?.jobs, since());
                let take = || self.leases.take(&host, jobs, &since, force);
                Reply::Lease(tokio::task::block_in_place(take)?)
            }
            Request::Release { host } => {
                let jobs = &self.place(&host)?.jobs;
                Reply::Lease(tokio::task::block_in_place(|| self.leases.release(&host, jobs))?)
            }
            Request::Probe { host, argv, until, .. } => {
                self.place(&host)?;
                commands::probe(&self.clock, &argv, until).await
            }
            Request::File { host, work } => {
                if host != RUNNER {
                    self.place(&host)?;
                }
                if host != RUNNER && work.changes() {
                    self.admit(&host)?;
                }
                let done = tokio::task::spawn_blocking(|| local_transfer::work(work)).await;
                done.unwrap_or_else(|error| Reply::Trouble(Trouble::Lost(error.to_string())))
            }
            Request::Changed { host, dir, seen, until } => {
                self.place(&host)?;
                files::changed(&self.watches, &self.clock, Path::new(&dir), &seen, until).await
            }
            Request::WaitUntil { until } => {
                while let Some(left) = self.clock.real_time_until(until) {
                    tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
                }
                Reply::Woke
            }
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

    /// The value that the command of a job is to read.
    async fn secret(&self, request: &Request) -> std::result::Result<Option<Secret>, Trouble> {
        let Request::Start { secret: Some(name), .. } = request else { return Ok(None) };
        self.keyring.value(name).await.map(Some)
    }

    fn place(&self, host: &str) -> std::result::Result<&HostPlace, Trouble> {
        self.hosts.get(host).ok_or_else(|| Trouble::Unreachable(format!("host `{host}` is not known here")))
    }

    fn attempt(&self, host: &str, id: &super::JobId) -> std::result::Result<Attempt, Trouble> {
        Attempt::of(&self.place(host)?.jobs, id)
    }

    /// The fence number under which something may be changed on a host: every request that changes something asks.
    fn admit(&self, host: &str) -> std::result::Result<u64, Trouble> {
        let jobs = &self.place(host)?.jobs;
        tokio::task::block_in_place(|| self.leases.admit(host, jobs, &since()))
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
        Request::Start { .. }
        | Request::Look { .. }
        | Request::JobOutput { .. }
        | Request::EndJob { .. }
        | Request::Probe { .. }
        | Request::List { .. }
        | Request::File { .. }
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
