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
use super::request::{
    AskPerson, AwaitChange, AwaitJob, EndJob, EnterHost, ExpectNewKey, ListFolder, LookAtJob, ReadFile, ReadLine,
    ReadOutput, ReleaseLease, RunProbe, StartJob, TakeLease, WaitUntil, WorkOnFile,
};
use super::secrets::keyring::Keyring;
use super::secrets::secret_value::SecretValue;
use super::ssh::RemoteHosts;
use super::transfer::RUNNER;
use super::{CameBack, HasReply, JobId, JobState, KeptOutput, RECORDS_GONE, Request, Ticket, Trouble};
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
    pub(super) fn answer(&self, request: &Request) -> Option<CameBack> {
        if let Some(refused) = self.lab.as_ref().and_then(|(lab, _)| lab.refusal(request)) {
            return Some(Err(refused));
        }
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.known(request).map(Ok);
        }
        Some(match request {
            Request::LookAtJob(LookAtJob { host, job, asked, kept_in, .. }) => self
                .attempt(host, job)
                .map(|attempt| job::look(&attempt, self.clock.boot(), asked.as_ref()))
                .and_then(|state| self.present(host, job, state, kept_in.as_deref()))
                .map(LookAtJob::answered),
            Request::ReadOutput(ReadOutput { host, job, stream, from, max }) => {
                let attempt = self.attempt(host, job);
                attempt.and_then(|attempt| job::output(&attempt, *stream, *from, *max)).map(ReadOutput::answered)
            }
            Request::ListFolder(ListFolder { host, dir }) => {
                self.place(host).and_then(|_| files::list(Path::new(dir))).map(ListFolder::answered)
            }
            Request::ReadFile(ReadFile { host, dir, name, identity, from, max }) => self
                .place(host)
                .and_then(|_| files::read(Path::new(dir), name, *identity, *from, *max))
                .map(ReadFile::answered),
            // A host on this machine is reached without any key.
            Request::ExpectNewKey(ExpectNewKey { host }) => self.place(host).map(|_| ExpectNewKey::answered(())),
            Request::StartJob(_)
            | Request::EnterHost(_)
            | Request::AwaitJob(_)
            | Request::EndJob(_)
            | Request::RunProbe(_)
            | Request::AwaitChange(_)
            | Request::WorkOnFile(_)
            | Request::TakeLease(_)
            | Request::ReleaseLease(_)
            | Request::WaitUntil(_)
            | Request::AskPerson(_)
            | Request::ReadLine(_) => return None,
        })
    }

    pub(super) async fn carry_out(self, ticket: Ticket, request: Request) -> CameBack {
        if let Some(until) = request.waits_until() {
            self.waits(ticket, until);
        }
        let secret = self.secret(&request).await?;
        if request.host().is_some_and(|host| self.remote.has(host)) {
            return self.remote.carry_out(request, secret.as_ref(), &self.clock, &self.runner).await;
        }
        let number = request.changes().map(|host| self.admit(host)).transpose()?;
        Ok(match request {
            Request::StartJob(start) => {
                StartJob::answered(self.start(start, number.unwrap_or_default(), secret.as_ref()).await?)
            }
            Request::EnterHost(EnterHost { host, run, .. }) => {
                let (jobs, fresh) = (&self.place(&host)?.jobs, nonce()?);
                EnterHost::answered(tokio::task::block_in_place(|| run_folder::enter(jobs, &run, &fresh))?)
            }
            Request::AwaitJob(AwaitJob { host, job, until }) => {
                let attempt = self.attempt(&host, &job)?;
                AwaitJob::answered(job::end(&self.watches, &self.clock, &attempt, until).await)
            }
            Request::EndJob(EndJob { host, job }) => {
                let attempt = self.attempt(&host, &job)?;
                EndJob::answered(job::terminate(&self.watches, &self.clock, &attempt).await)
            }
            Request::TakeLease(TakeLease { host, force }) => {
                let (leases, since) = (self.leases_of(&host)?, since());
                let take = || self.leases.take(&host, &leases, &since, force);
                TakeLease::answered(tokio::task::block_in_place(take)?)
            }
            Request::ReleaseLease(ReleaseLease { host }) => {
                let leases = self.leases_of(&host)?;
                ReleaseLease::answered(tokio::task::block_in_place(|| self.leases.release(&host, &leases))?)
            }
            Request::RunProbe(RunProbe { host, service, what, argv, args, secret: _, until }) => {
                self.place(&host)?;
                let (host, service, name) = (host.as_str(), service.as_deref(), what.as_str());
                let wanted = RehearsalCommand { host, service, name, args: &args, argv: &argv };
                RunProbe::answered(match &self.lab {
                    Some((lab, _)) => lab.probe(wanted).await?,
                    None => commands::probe(&self.clock, &argv, secret.as_ref(), until).await?,
                })
            }
            Request::WorkOnFile(WorkOnFile { host, work, until }) => {
                if host != RUNNER {
                    self.place(&host)?;
                }
                transfer::work(work, &self.clock, until).await?
            }
            Request::AwaitChange(AwaitChange { host, dir, seen, until }) => {
                self.place(&host)?;
                let (watches, clock) = (&self.watches, &self.clock);
                AwaitChange::answered(files::changed(watches, clock, Path::new(&dir), &seen, until).await?)
            }
            Request::WaitUntil(WaitUntil { until }) => {
                self.woken(until).await;
                WaitUntil::answered(())
            }
            Request::AskPerson(AskPerson { ask, .. }) => AskPerson::answered(self.person.ask(&ask).await),
            Request::ReadLine(ReadLine { prompt }) => ReadLine::answered(self.console.line(&prompt).await),
            Request::LookAtJob(_)
            | Request::ReadOutput(_)
            | Request::ListFolder(_)
            | Request::ReadFile(_)
            | Request::ExpectNewKey(_) => {
                return self.answer(&request).unwrap_or_else(|| Err(Trouble::Lost("it was not asked".into())));
            }
        })
    }

    /// Starts a job under the lease of this number.
    async fn start(&self, start: StartJob, number: u64, secret: Option<&SecretValue>) -> Result<JobState, Trouble> {
        let StartJob { host, job, service, verb, args, argv, secret: name, until: _ } = start;
        let attempt = self.attempt(&host, &job)?;
        // What was asked for is the same whoever answers.
        let asked = CommandDigest::of(&argv, name.as_deref());
        let wanted =
            RehearsalCommand { host: &host, service: service.as_deref(), name: &verb, args: &args, argv: &argv };
        let argv = match &self.lab {
            Some((lab, _)) => lab.start(&job, wanted).await?,
            None => argv,
        };
        let state = job::start(&attempt, number, self.clock.boot(), (&argv, &asked), secret).await?;
        if state == JobState::Absent {
            // It was taken over meanwhile.
            self.admit(&host)?;
        }
        Ok(state)
    }

    /// The state of a job that may be absent only where its record would be.
    fn present(&self, host: &str, job: &JobId, state: JobState, kept_in: Option<&str>) -> Result<JobState, Trouble> {
        let gone = |mark: &str| self.place(host).map(|place| !run_folder::is(&place.jobs, &job.run, mark));
        match kept_in.filter(|_| state == JobState::Absent).map(gone).transpose()? {
            Some(true) => Ok(JobState::Lost(RECORDS_GONE.into())),
            Some(false) | None => Ok(state),
        }
    }

    async fn woken(&self, until: Mono) {
        while let Some(left) = self.clock.real_time_until(until) {
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
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
            Request::StartJob(StartJob { secret, .. }) | Request::RunProbe(RunProbe { secret, .. }) => {
                secret.as_deref()
            }
            Request::EnterHost(_) | Request::LookAtJob(_) | Request::AwaitJob(_) | Request::EndJob(_) => None,
            Request::ReadOutput(_) | Request::ListFolder(_) | Request::ReadFile(_) | Request::AwaitChange(_) => None,
            Request::WorkOnFile(_) | Request::TakeLease(_) | Request::ReleaseLease(_) => None,
            Request::ExpectNewKey(_) | Request::WaitUntil(_) => None,
            Request::AskPerson(_) | Request::ReadLine(_) => None,
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
