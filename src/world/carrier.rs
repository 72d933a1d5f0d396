//! How requests are carried out: on hosts that are this machine, by the model of a lab, or over the connection of the
//! host. It knows nothing of who waits for a reply.

use super::asked::CommandDigest;
use super::clock::Clock;
use super::lease::{self, FOLDER, Runner};
use super::local::job::Attempt;
use super::local::leases::LocalLeases;
use super::local::watches::Watches;
use super::local::{commands, files, job, run_folder, transfer};
use super::nonce::nonce;
use super::operator::console::Console;
use super::operator::person::Person;
use super::rehearsal::side::{LabSide, RehearsalCommand};
use super::secrets::keyring::Keyring;
use super::secrets::secret_value::SecretValue;
use super::ssh::RemoteHosts;
use super::transfer::RUNNER;
use super::{JobId, JobState, KeptOutput, RECORDS_GONE, Reply, Request, Ticket, Trouble};
use crate::model::run::instant::Mono;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The longest single sleep: the runtime's timers stand still while the machine sleeps, the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Where baton works on a local host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlace {
    /// The folder of its job records.
    pub jobs: PathBuf,
}

/// What requests under way need. A request has one of its own.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    pub(super) hosts: Arc<BTreeMap<String, HostPlace>>,
    pub(super) remote: RemoteHosts,
    pub(super) runner: Arc<Runner>,
    pub(super) clock: Clock,
    pub(super) person: Arc<Person>,
    pub(super) console: Console,
    pub(super) watches: Arc<Watches>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) leases: Arc<LocalLeases>,
    /// Where the lease of this machine is, and whose journal it names; leases are in the jobs folders without.
    pub(super) machine: Option<Arc<MachineLease>>,
    /// The lab it is the world of, and its own number there.
    pub(super) lab: Option<(Arc<LabSide>, u64)>,
}

/// Where the lease of this machine lies.
#[derive(Debug)]
pub(super) struct MachineLease {
    pub(super) folder: PathBuf,
    pub(super) state: PathBuf,
}

impl Carrier {
    /// Answers at once what takes no longer than handing it to another thread would.
    pub(super) fn answer(&self, request: &Request) -> Option<Reply> {
        if let Some(refused) = self.lab.as_ref().and_then(|(lab, _)| lab.refusal(request)) {
            return Some(Reply::Trouble(refused));
        }
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.known(request);
        }
        let reply = match request {
            Request::Look { host, job, asked, kept_in, .. } => self
                .attempt(host, job)
                .map(|attempt| Reply::Job(job::look(&attempt, self.clock.boot(), asked.as_ref())))
                .and_then(|reply| self.present(host, job, reply, kept_in.as_deref())),
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
            | Request::Enter { .. }
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

    pub(super) async fn carry_out(self, ticket: Ticket, request: Request) -> Result<Reply, Trouble> {
        if let Some(until) = request.waits_until() {
            self.waits(ticket, until);
        }
        let secret = self.secret(&request).await?;
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.carry_out(request, secret.as_ref(), &self.clock, &self.runner).await;
        }
        let number = request.changes().map(|host| self.admit(host)).transpose()?;
        Ok(match request {
            Request::Start { .. } => self.start(request, number.unwrap_or_default(), secret.as_ref()).await?,
            Request::Enter { host, run, .. } => {
                let (jobs, fresh) = (&self.place(&host)?.jobs, nonce()?);
                Reply::Entered(tokio::task::block_in_place(|| run_folder::enter(jobs, &run, &fresh))?)
            }
            Request::JobEnd { host, job, until } => {
                let attempt = self.attempt(&host, &job)?;
                Reply::Job(job::end(&self.watches, &self.clock, &attempt, until).await)
            }
            Request::EndJob { host, job } => {
                let attempt = self.attempt(&host, &job)?;
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
            Request::Probe { host, service, what, argv, args, secret: _, until } => {
                self.place(&host)?;
                let (host, service, name) = (host.as_str(), service.as_deref(), what.as_str());
                let wanted = RehearsalCommand { host, service, name, args: &args, argv: &argv };
                match &self.lab {
                    Some((lab, _)) => lab.probe(wanted).await?,
                    None => commands::probe(&self.clock, &argv, secret.as_ref(), until).await,
                }
            }
            Request::File { host, work, until } => {
                if host != RUNNER {
                    self.place(&host)?;
                }
                transfer::work(work, &self.clock, until).await
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

    /// Starts a job under the lease of this number.
    async fn start(&self, request: Request, number: u64, secret: Option<&SecretValue>) -> Result<Reply, Trouble> {
        let Request::Start { host, job, service, verb, args, argv, secret: name, .. } = request else {
            return Err(Trouble::Lost("it starts nothing".into()));
        };
        let attempt = self.attempt(&host, &job)?;
        // What was asked for is the same whoever answers.
        let asked = CommandDigest::of(&argv, name.as_deref());
        let wanted =
            RehearsalCommand { host: &host, service: service.as_deref(), name: &verb, args: &args, argv: &argv };
        let argv = match &self.lab {
            Some((lab, _)) => lab.start(&job, wanted).await?,
            None => argv,
        };
        let reply = job::start(&attempt, number, self.clock.boot(), (&argv, &asked), secret).await;
        if reply == Reply::Job(JobState::Absent) {
            // It was taken over meanwhile.
            self.admit(&host)?;
        }
        Ok(reply)
    }

    /// The state of a job that may be absent only where its record would be.
    fn present(&self, host: &str, job: &JobId, reply: Reply, kept_in: Option<&str>) -> Result<Reply, Trouble> {
        let gone = |mark: &str| self.place(host).map(|place| !run_folder::is(&place.jobs, &job.run, mark));
        match kept_in.filter(|_| reply == Reply::Job(JobState::Absent)).map(gone).transpose()? {
            Some(true) => Ok(Reply::Job(JobState::Lost(RECORDS_GONE.into()))),
            Some(false) | None => Ok(reply),
        }
    }

    async fn woken(&self, until: Mono) -> Reply {
        while let Some(left) = self.clock.real_time_until(until) {
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
        Reply::Woke
    }

    /// The time of a lab may pass up to this moment without this request.
    fn waits(&self, ticket: Ticket, until: Mono) {
        if let Some((lab, world)) = &self.lab {
            lab.pace.waits((*world, ticket), until);
        }
    }

    /// The time of a lab need not wait for this request any more.
    pub(super) fn is_over(&self, ticket: Ticket) {
        if let Some((lab, world)) = &self.lab {
            lab.pace.over((*world, ticket));
        }
    }

    /// The value that the command of a job or a probe is to read.
    async fn secret(&self, request: &Request) -> Result<Option<SecretValue>, Trouble> {
        let name = match request {
            Request::Start { secret, .. } | Request::Probe { secret, .. } => secret.as_deref(),
            Request::Enter { .. } | Request::Look { .. } | Request::JobEnd { .. } | Request::EndJob { .. } => None,
            Request::JobOutput { .. } | Request::List { .. } | Request::Read { .. } | Request::Changed { .. } => None,
            Request::File { .. } | Request::TakeLease { .. } | Request::Release { .. } => None,
            Request::ExpectNewKey { .. } | Request::WaitUntil { .. } => None,
            Request::Ask { .. } | Request::Line { .. } => None,
        };
        match name {
            Some(name) => self.keyring.value(name).await.map(Some),
            None => Ok(None),
        }
    }

    fn place(&self, host: &str) -> Result<&HostPlace, Trouble> {
        self.hosts.get(host).ok_or_else(|| Trouble::Unreachable(format!("host `{host}` is not known here")))
    }

    fn attempt(&self, host: &str, id: &JobId) -> Result<Attempt, Trouble> {
        Attempt::of(&self.place(host)?.jobs, &self.leases_of(host)?, id)
    }

    /// Where a host keeps what a job wrote, as far as is known without asking it.
    pub(super) fn kept_output(&self, host: &str, id: &JobId) -> Option<KeptOutput> {
        if self.remote.has(host) {
            return self.remote.kept_output(host, id);
        }
        job::kept_output(&self.attempt(host, id).ok()?)
    }

    /// The folder of a host's leases.
    fn leases_of(&self, host: &str) -> Result<PathBuf, Trouble> {
        let jobs = &self.place(host)?.jobs;
        Ok(self.machine.as_ref().map_or_else(|| jobs.join(FOLDER), |machine| machine.folder.clone()))
    }

    /// The fence number under which something may be changed on a host: every request that changes something asks.
    fn admit(&self, host: &str) -> Result<u64, Trouble> {
        let leases = self.leases_of(host)?;
        tokio::task::block_in_place(|| self.leases.admit(host, &leases, &since()))
    }
}

/// The present, as leases tell it: by the real clock, whatever clock counts in the world.
fn since() -> String {
    lease::since(Clock::real().now().wall)
}
