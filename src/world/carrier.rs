//! How requests are carried out: on hosts that are this machine, by the model of a lab, or over the connection of the
//! host. It knows nothing of who waits for a reply.

use super::agent::{Jobs, RecordPlace, transfer};
use super::asked::CommandDigest;
use super::clock::Clock;
use super::lease::{FOLDER, Runner};
use super::local::pipes::Pipes;
use super::local::watches::Watches;
use super::local::{commands, files, sources};
use super::machine_lease::MachineLease;
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
use super::transfer::{Block, DigestFile, FileWork, InstallFile, RUNNER, ReadBlock, Role, WriteBlock};
use super::{CameBack, HasReply, JobId, JobState, KeptOutput, Reply, Request, Ticket, Trouble};
use crate::model::run::instant::Mono;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The longest single sleep: the runtime's timers stand still while the machine sleeps, the clock does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How long an agent of this machine may take to answer, whatever the step allows: that it does is no part of a step.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest that something is waited for where no time is said.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long the end of a job is looked for once its time is over: a lab's time passes as soon as nothing happens in it.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// Where baton works on a local host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlace {
    /// The folder of its job records.
    pub jobs: PathBuf,
}

/// A host that is this machine.
#[derive(Debug)]
pub(super) struct LocalHost {
    jobs: Arc<Jobs>,
    /// The folder of its job records.
    folder: PathBuf,
}

impl LocalHost {
    /// The host of this name; `machine` is where the lease of the machine lies, if that is the one that counts.
    pub(super) fn new(name: &str, place: &HostPlace, machine: Option<&Arc<MachineLease>>) -> Self {
        let folder = place.jobs.clone();
        let own = || folder.join(FOLDER).display().to_string();
        let record_place = RecordPlace {
            jobs: folder.display().to_string(),
            leases: machine.map_or_else(own, |machine| machine.folder()),
            is_shared: machine.is_some(),
            is_checked: true,
        };
        let jobs = Jobs::new(Arc::new(Pipes::new(name)), record_place, machine.cloned());
        Self { jobs: Arc::new(jobs), folder }
    }

    /// The folder of its job records.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What requests under way need. A request has one of its own.
#[derive(Debug, Clone)]
pub(super) struct Carrier {
    pub(super) hosts: Arc<BTreeMap<String, LocalHost>>,
    /// The machine baton runs on, where files are carried from and to: nobody holds it.
    pub(super) own: Arc<Jobs>,
    pub(super) remote: RemoteHosts,
    pub(super) runner: Arc<Runner>,
    pub(super) clock: Clock,
    pub(super) person: Arc<Person>,
    pub(super) console: Console,
    pub(super) watches: Arc<Watches>,
    pub(super) keyring: Arc<Keyring>,
    /// The lab it is the world of, and its own number there.
    pub(super) lab: Option<(Arc<LabSide>, u64)>,
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
            Request::ReadOutput(ReadOutput { host, job, stream, from, max }) => {
                let known = self.hosts.get(host)?.jobs.known_output(job, *stream, *from, *max)?;
                Ok(ReadOutput::answered(known))
            }
            Request::ListFolder(ListFolder { host, dir }) => {
                self.host(host).and_then(|_| files::list(Path::new(dir))).map(ListFolder::answered)
            }
            Request::ReadFile(ReadFile { host, dir, name, identity, from, max }) => self
                .host(host)
                .and_then(|_| files::read(Path::new(dir), name, *identity, *from, *max))
                .map(ReadFile::answered),
            // A host on this machine is reached without any key.
            Request::ExpectNewKey(ExpectNewKey { host }) => self.host(host).map(|_| ExpectNewKey::answered(())),
            Request::StartJob(_)
            | Request::EnterHost(_)
            | Request::LookAtJob(_)
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
        let soon = Instant::now() + PATIENCE;
        Ok(match request {
            Request::StartJob(start) => StartJob::answered(self.start(start, secret.as_ref(), soon).await?),
            Request::EnterHost(EnterHost { host, run, .. }) => {
                EnterHost::answered(self.host(&host)?.jobs.enter(&run, soon).await?)
            }
            Request::LookAtJob(LookAtJob { host, job, asked, kept_in, .. }) => {
                let jobs = &self.host(&host)?.jobs;
                LookAtJob::answered(jobs.look(&job, (asked.as_ref(), kept_in.as_deref()), soon).await?)
            }
            Request::AwaitJob(AwaitJob { host, job, until }) => {
                AwaitJob::answered(self.host(&host)?.jobs.end(&job, self.over(until)).await?)
            }
            Request::EndJob(EndJob { host, job }) => {
                EndJob::answered(self.host(&host)?.jobs.terminate(&job, &self.runner).await?)
            }
            Request::ReadOutput(ReadOutput { host, job, stream, from, max }) => {
                ReadOutput::answered(self.host(&host)?.jobs.output(&job, stream, from, max).await?)
            }
            Request::TakeLease(TakeLease { host, force }) => {
                TakeLease::answered(self.host(&host)?.jobs.lease(&self.runner, force, soon).await?)
            }
            Request::ReleaseLease(ReleaseLease { host }) => {
                ReleaseLease::answered(self.host(&host)?.jobs.release(&self.runner).await?)
            }
            Request::RunProbe(RunProbe { host, service, what, argv, args, secret: _, until }) => {
                self.host(&host)?;
                let (host, service, name) = (host.as_str(), service.as_deref(), what.as_str());
                let wanted = RehearsalCommand { host, service, name, args: &args, argv: &argv };
                RunProbe::answered(match &self.lab {
                    Some((lab, _)) => lab.probe(wanted).await?,
                    None => commands::probe(&self.clock, &argv, secret.as_ref(), until).await?,
                })
            }
            Request::WorkOnFile(WorkOnFile { host, work, until }) if host == RUNNER => {
                self.own_file(work, until).await?
            }
            Request::WorkOnFile(WorkOnFile { host, work, until }) => {
                let jobs = &self.host(&host)?.jobs;
                transfer::work(jobs, &self.runner, work, self.real(until)).await?
            }
            Request::AwaitChange(AwaitChange { host, dir, seen, until }) => {
                self.host(&host)?;
                let (watches, clock) = (&self.watches, &self.clock);
                AwaitChange::answered(files::changed(watches, clock, Path::new(&dir), &seen, until).await?)
            }
            Request::WaitUntil(WaitUntil { until }) => {
                self.woken(until).await;
                WaitUntil::answered(())
            }
            Request::AskPerson(AskPerson { ask, .. }) => AskPerson::answered(self.person.ask(&ask).await),
            Request::ReadLine(ReadLine { prompt }) => ReadLine::answered(self.console.line(&prompt).await),
            Request::ListFolder(_) | Request::ReadFile(_) | Request::ExpectNewKey(_) => {
                return self.answer(&request).unwrap_or_else(|| Err(Trouble::Lost("it was not asked".into())));
            }
        })
    }

    async fn start(&self, start: StartJob, secret: Option<&SecretValue>, soon: Instant) -> Result<JobState, Trouble> {
        let StartJob { host, job, service, verb, args, argv, secret: name, until: _ } = start;
        let jobs = &self.host(&host)?.jobs;
        // What was asked for is the same whoever answers.
        let asked = CommandDigest::of(&argv, name.as_deref());
        let wanted =
            RehearsalCommand { host: &host, service: service.as_deref(), name: &verb, args: &args, argv: &argv };
        let argv = match &self.lab {
            Some((lab, _)) => lab.start((&job, &jobs.exit_record(&job)?), wanted).await?,
            None => argv,
        };
        jobs.start(job, &argv, (&asked, secret.map(SecretValue::reveal)), &self.runner, soon).await
    }

    /// Work on a file of the machine baton runs on. Whoever reads a source needs nobody for it.
    async fn own_file(&self, work: FileWork, until: Mono) -> Result<Reply, Trouble> {
        let full = |path: String| std::path::absolute(&path).map_or(path, |path| path.display().to_string());
        let work = match work {
            FileWork::DigestFile(DigestFile { path, first, role: Role::Source }) => {
                let seen = sources::digest(Path::new(&path), first, &self.clock, until).await?;
                return Ok(WorkOnFile::<DigestFile>::answered(Some(seen)));
            }
            FileWork::ReadBlock(ReadBlock { path, from, max }) => {
                let bytes = tokio::task::block_in_place(|| sources::read(Path::new(&path), from, max))?;
                return Ok(WorkOnFile::<ReadBlock>::answered(Block(bytes)));
            }
            FileWork::DigestFile(digest) => FileWork::DigestFile(DigestFile { path: full(digest.path), ..digest }),
            FileWork::WriteBlock(write) => FileWork::WriteBlock(WriteBlock { path: full(write.path), ..write }),
            FileWork::InstallFile(InstallFile { part, path, mode, over }) => {
                FileWork::InstallFile(InstallFile { part: full(part), path: full(path), mode, over })
            }
        };
        transfer::work(&self.own, &Runner::default(), work, self.real(until)).await
    }

    /// A moment of the world's clock by the real one; far off in a lab, whose time passes as it likes.
    fn real(&self, until: Mono) -> Instant {
        let far = Instant::now() + FAR;
        if self.lab.is_some() {
            return far;
        }
        self.clock.real_time_until(until).map_or_else(Instant::now, |left| far.min(Instant::now() + left.min(FAR)))
    }

    /// Returns a little after `until`.
    async fn over(&self, until: Mono) {
        self.woken(until).await;
        tokio::time::sleep(LAST_LOOK).await;
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

    fn host(&self, host: &str) -> Result<&LocalHost, Trouble> {
        self.hosts.get(host).ok_or_else(|| Trouble::Unreachable(format!("host `{host}` is not known here")))
    }

    /// Where a host keeps what a job wrote, as far as is known without asking it.
    pub(super) fn kept_output(&self, host: &str, id: &JobId) -> Option<KeptOutput> {
        if self.remote.has(host) {
            return self.remote.kept_output(host, id);
        }
        let kept = self.hosts.get(host)?.jobs.kept_output(id)?;
        Path::new(&kept.out).exists().then_some(kept)
    }
}
