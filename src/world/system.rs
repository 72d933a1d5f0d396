//! The real world: requests run concurrently on a runtime of two threads, replies come back through one channel.
//! What is instant is answered in `submit` itself. It takes no decisions: it does what is asked and reports.

use super::agent::{Jobs, RecordPlace};
use super::carrier::{Carrier, HostPlace, LocalHost};
use super::clock::Clock;
use super::lease::Runner;
use super::local::pipes::Pipes;
use super::local::watches::Watches;
use super::machine_lease::MachineLease;
use super::operator::console::Console;
use super::operator::interrupts;
use super::operator::person::Person;
use super::rehearsal::side::LabSide;
use super::secrets::keyring::Keyring;
use super::secrets::redaction::{Window, hushed, may_show};
use super::ssh::{self, RemoteHosts, RemotePlace};
use super::transfer::RUNNER;
use super::{CameBack, Completion, JobId, KeptOutput, Request, Ticket, World};
use crate::error::{Error, Kind, Result};
use crate::model::run::record::Moment;
use crate::model::site::answers::Answers;
use crate::model::site::ssh::Ssh;
use crate::platform::trust::{self, Doubt};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

/// How long the requests under way are given to let go of their connections.
const FAREWELL: Duration = Duration::from_millis(200);

/// The world of this machine.
#[derive(Debug)]
pub struct SystemWorld {
    /// What requests under way need.
    carrier: Carrier,
    /// The requests whose replies are wanted, with the means to drop those that only wait.
    waiting: BTreeMap<Ticket, PendingRequest>,
    ready: VecDeque<(Ticket, Window, CameBack)>,
    /// What came while nobody waited for it.
    arrived: VecDeque<Completion>,
    inbox: Receiver<Completion>,
    outbox: Sender<Completion>,
    /// Gone only while it is being dropped.
    runtime: Option<Runtime>,
}

/// A request under way.
#[derive(Debug)]
struct PendingRequest {
    /// The means to drop it, if it only waits.
    only_waits: Option<AbortHandle>,
    window: Window,
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
        interrupts::report(runtime.handle(), &outbox).map_err(|error| failed("listen for signals", error))?;
        let here = |(name, place): (String, HostPlace)| {
            let place = HostPlace { jobs: told(&place.jobs)? };
            let host = LocalHost::new(&name, &place, None);
            Ok((name, host))
        };
        let hosts = hosts.into_iter().map(here).collect::<Result<_>>()?;
        let console = Console::Nobody("nobody steers this run".into());
        Ok(Self {
            carrier: Carrier {
                hosts: Arc::new(hosts),
                own: Arc::new(Jobs::new(Arc::new(Pipes::new(RUNNER)), RecordPlace::default(), None)),
                remote: RemoteHosts::default(),
                runner: Arc::default(),
                clock,
                person: Arc::new(person),
                console,
                watches,
                keyring: Arc::default(),
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
        for (name, host) in &*self.carrier.hosts {
            if let Some(Doubt { why, command }) = trust::private_folder(host.folder()) {
                let message = format!("the folder of the jobs on `{name}` is not safe: {why}");
                return Err(Error::new(Kind::Precondition, message)
                    .hint("what is in it could be anyone's, and would be taken for what jobs have left")
                    .hint(format!("look at what is in it, then: {command}")));
            }
        }
        let (folder, state) = (told(&folder)?, told(state)?);
        let machine = Arc::new(MachineLease::new(folder, state));
        let here = |(name, host): (&String, &LocalHost)| {
            let place = HostPlace { jobs: host.folder().to_path_buf() };
            (name.clone(), LocalHost::new(name, &place, Some(&machine)))
        };
        self.carrier.hosts = Arc::new(self.carrier.hosts.iter().map(here).collect());
        Ok(self)
    }

    /// The same with somebody who steers it.
    #[must_use]
    pub fn steered(mut self, console: Console) -> Self {
        self.carrier.console = console;
        self
    }

    /// The same as the world of a lab: nothing outside of that is touched.
    #[must_use]
    pub fn rehearsed(mut self, lab: LabSide) -> Self {
        let number = lab.pace.new_world();
        self.carrier.lab = Some((Arc::new(lab), number));
        self
    }

    /// The same with the site's secrets: they can be given to commands, and nothing that comes back shows them.
    #[must_use]
    pub fn keyed(mut self, keyring: Keyring) -> Self {
        self.carrier.keyring = Arc::new(keyring);
        self
    }

    /// The same, once it is sure that no value of a secret is a word that the run decides by: `said` are the texts that
    /// what hosts say is compared with, by where they stand; `log` is the profile of a log whose records are read.
    ///
    /// # Errors
    /// `Inventory` when one is.
    pub fn telling_apart(self, said: &BTreeMap<String, Vec<String>>, log: Option<&str>) -> Result<Self> {
        self.refused_secret(said, log).map_or(Ok(self), Err)
    }

    /// Why a run with these texts would be refused for the value of a secret.
    #[must_use]
    pub fn refused_secret(&self, said: &BTreeMap<String, Vec<String>>, log: Option<&str>) -> Option<Box<Error>> {
        let keyring = &self.carrier.keyring;
        if keyring.is_empty() {
            return None;
        }
        let runtime = self.runtime()?;
        if let Some((name, place)) = runtime.block_on(keyring.common(said)) {
            let origin = keyring.origin(&name);
            let message = format!("the value of secret `{name}` is also a word of `{place}`");
            let cause = "what hosts say would be hidden before it is compared with that word, and be taken for another";
            return Some(Error::new(Kind::Inventory, message).cause(cause).hint(format!(
                "nothing was done; give it a value that is no common word, in {origin}, or change that word"
            )));
        }
        let log = log?;
        let name = runtime.block_on(keyring.like_columns())?;
        let origin = keyring.origin(&name);
        let message = format!("the value of secret `{name}` may also stand in records of the logs of `{log}`");
        let cause = "the time or the number of an event would be hidden before it is read, and no event be seen";
        Some(
            Error::new(Kind::Inventory, message)
                .cause(cause)
                .hint(format!("nothing was done; give it a value that is not of figures alone, in {origin}")),
        )
    }

    /// The secrets that cannot be had, and why.
    #[must_use]
    pub fn secrets_not_had(&self) -> Vec<(String, String)> {
        let keyring = &self.carrier.keyring;
        if keyring.is_empty() {
            return Vec::new();
        }
        self.runtime().map(|runtime| runtime.block_on(keyring.not_had())).unwrap_or_default()
    }

    /// The same with hosts that are reached over SSH. `known_hosts` is a folder for host keys that were
    /// expected to change.
    ///
    /// # Errors
    /// `Precondition` when the private folder of connections cannot be made; `Inventory` when the configuration that
    /// the site names is no file that can be read, or others may write it.
    pub fn over_ssh(mut self, hosts: BTreeMap<String, RemotePlace>, ssh: &Ssh, known_hosts: PathBuf) -> Result<Self> {
        if let Some(config) = &ssh.config {
            ssh::check_config(Path::new(config))?;
        }
        self.carrier.remote = RemoteHosts::new(hosts, ssh, known_hosts, self.outbox.clone()).map_err(|error| {
            Error::new(Kind::Precondition, "cannot make the private folder of SSH connections").cause(error)
        })?;
        Ok(self)
    }

    /// The same with a file of answers, if there is one: what it does not say is for the person to answer.
    #[must_use]
    pub fn answered(mut self, answers: Option<Arc<Answers>>) -> Self {
        if let Some(answers) = answers {
            self.carrier.person = Arc::new(Person::Answers(answers, Arc::clone(&self.carrier.person)));
        }
        self
    }

    /// The next thing that comes in.
    fn wait(&self) -> Completion {
        let Some((lab, _)) = &self.carrier.lab else { return self.inbox.recv().unwrap_or(Completion::Idle) };
        lab.pace.idle();
        let next = self.inbox.recv().unwrap_or(Completion::Idle);
        lab.pace.busy();
        next
    }

    fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref().map(Runtime::handle)
    }

    /// What came back without the secrets. This is the one way out of the world, whatever kind of host has replied.
    fn reply(&self, ticket: Ticket, window: Window, came: CameBack) -> Completion {
        let keyring = &self.carrier.keyring;
        let shown = match self.runtime() {
            Some(runtime) if !keyring.is_empty() && may_show(&came) => {
                hushed(came, window, runtime.block_on(keyring.mask()))
            }
            Some(_) | None => came,
        };
        Completion::Reply(ticket, shown)
    }

    /// What a completion that arrived means to the caller; nothing when the reply is not wanted any more.
    fn wanted(&mut self, completion: Completion) -> Option<Completion> {
        match completion {
            Completion::Reply(ticket, came) => {
                self.carrier.is_over(ticket);
                let waiting = self.waiting.remove(&ticket)?;
                Some(self.reply(ticket, waiting.window, came))
            }
            Completion::Told(text) => Some(Completion::Told(match self.runtime() {
                Some(runtime) if !self.carrier.keyring.is_empty() => {
                    runtime.block_on(self.carrier.keyring.mask()).text(text)
                }
                Some(_) | None => text,
            })),
            Completion::Interrupted | Completion::Idle => Some(completion),
        }
    }
}

/// The full path of a folder that hosts and leases are told of: what is no plain text would be another one there.
///
/// # Errors
/// `Precondition` when it is none.
fn told(path: &Path) -> Result<PathBuf> {
    let full = std::path::absolute(path)
        .map_err(|error| Error::new(Kind::Internal, "cannot find the current folder").cause(error))?;
    if full.to_str().is_some_and(|text| !text.contains(char::is_control)) {
        return Ok(full);
    }
    let message = format!("the folder {full:?} cannot be used: its name is no plain text");
    Err(Error::new(Kind::Precondition, message).hint("nothing was done; name another one: --state DIR"))
}

impl World for SystemWorld {
    fn now(&mut self) -> Moment {
        self.carrier.clock.now()
    }

    fn act_for(&mut self, runner: Runner) {
        self.carrier.runner = Arc::new(runner);
    }

    fn follow(&mut self, run: &str) -> bool {
        let is_new = !self.carrier.runner.follows.iter().any(|followed| followed == run);
        if is_new {
            let mut runner = (*self.carrier.runner).clone();
            runner.follows.push(run.to_owned());
            self.carrier.runner = Arc::new(runner);
        }
        is_new
    }

    fn kept_output(&self, host: &str, job: &JobId) -> Option<KeptOutput> {
        self.carrier.kept_output(host, job)
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        tracing::debug!(ticket = ticket.0, ?request, "asked");
        let window = Window::of(&request);
        if let Some(came) = self.carrier.answer(&request) {
            return self.ready.push_back((ticket, window, came));
        }
        // So that it can be dropped when its reply is forgotten; what acts is carried through.
        let only_waits = request.only_waits();
        if let Some((lab, world)) = &self.carrier.lab {
            lab.pace.submitted((*world, ticket));
        }
        let (carrier, outbox) = (self.carrier.clone(), self.outbox.clone());
        let task = async move {
            let lab = carrier.lab.clone();
            let came = carrier.carry_out(ticket, request).await;
            if let Some((lab, world)) = lab {
                lab.pace.came((world, ticket));
            }
            // Nobody listens any more when the world is being dropped.
            let _ = outbox.send(Completion::Reply(ticket, came));
        };
        if let Some(runtime) = self.runtime() {
            let handle = runtime.spawn(task).abort_handle();
            self.waiting.insert(ticket, PendingRequest { only_waits: only_waits.then_some(handle), window });
        }
    }

    fn next(&mut self) -> Completion {
        loop {
            // What arrived comes before what was instant, or a track that reads without end would drown the rest.
            let arrived = match self.arrived.pop_front().or_else(|| self.inbox.try_recv().ok()) {
                Some(completion) => completion,
                None => match self.ready.pop_front() {
                    Some((ticket, window, came)) => return self.reply(ticket, window, came),
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
            self.carrier.is_over(ticket);
        }
        self.ready.retain(|(of, ..)| *of != ticket);
    }
}

impl Drop for SystemWorld {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if let Some((lab, world)) = &self.carrier.lab {
            lab.pace.end_world(*world);
        }
        // Hardly waiting: what is under way may take hours, and jobs go on by themselves. But connections are ended by
        // whoever uses them last, which should be us.
        if self.carrier.remote.is_empty() {
            runtime.shutdown_background();
        } else {
            runtime.shutdown_timeout(FAREWELL);
        }
    }
}
