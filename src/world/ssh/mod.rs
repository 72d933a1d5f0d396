//! Hosts over SSH: the same requests as for this machine, carried out through the user's own `ssh`.
//!
//! A host has one [`connection`], with seven channels at the most, over which its agents are reached and scripts read
//! ([`files`], probes). Whatever breaks is reported as what it is; nothing is sent twice from here.

mod connection;
mod files;
mod folder;
mod progress;
mod settings;

use super::agent::script::{self, OutputForm, Script};
use super::agent::{Jobs, RecordPlace, field, transfer};
use super::asked::CommandDigest;
use super::clock::Clock;
use super::lease::Runner;
use super::request::{
    AwaitChange, AwaitJob, EndJob, EnterHost, ExpectNewKey, ListFolder, LookAtJob, ReadFile, ReadOutput, ReleaseLease,
    RunProbe, StartJob, TakeLease, WorkOnFile,
};
use super::secrets::secret_value::SecretValue;
use super::{Completion, HasReply, JobId, KeptOutput, PROBE_BYTES_MAX, Probed, Reply, Request, Trouble};
use crate::model::site::account::program;
use crate::model::site::ssh::Ssh;
use connection::Connection;
use files::RemoteFiles;
use settings::Settings;
pub(super) use settings::check_config;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long taking a lease may take when no limit of a step counts for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest that a request is waited for, where it says no time: no moment can be told that is further off.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Where a host is reached over SSH, and where baton keeps its records there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePlace {
    /// A destination as `ssh` takes it.
    pub address: String,
    /// The folder of its job records; not said, `.baton` in the home folder.
    pub jobs: Option<String>,
}

/// All hosts that are reached over SSH.
#[derive(Debug, Clone, Default)]
pub(super) struct RemoteHosts {
    by_name: Arc<BTreeMap<String, RemoteHost>>,
    /// Last, because the folder of the control sockets goes with it: a connection is ended through its socket.
    _settings: Option<Arc<Settings>>,
}

/// One of them.
#[derive(Debug)]
struct RemoteHost {
    connection: Arc<Connection>,
    jobs: Arc<Jobs>,
    files: RemoteFiles,
}

impl RemoteHosts {
    /// Prepares the hosts; none is called yet. `known_hosts` is a folder for keys that were expected to change.
    ///
    /// # Errors
    /// When the private folder of connections cannot be made.
    pub(super) fn new(
        places: BTreeMap<String, RemotePlace>,
        ssh: &Ssh,
        known_hosts: PathBuf,
        outbox: Sender<Completion>,
    ) -> std::io::Result<Self> {
        if places.is_empty() {
            return Ok(Self::default());
        }
        let settings = Arc::new(Settings::new(ssh, known_hosts, outbox)?);
        let hosts = places.into_iter().map(|(name, place)| {
            let connection = Arc::new(Connection::new(&name, &place.address, Arc::clone(&settings)));
            let place = RecordPlace { jobs: place.jobs.unwrap_or_default(), ..RecordPlace::default() };
            let jobs = Arc::new(Jobs::new(Arc::<Connection>::clone(&connection), place, None));
            (name, RemoteHost { connection, jobs, files: RemoteFiles::new() })
        });
        Ok(Self { by_name: Arc::new(hosts.collect()), _settings: Some(settings) })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, host: &str) -> bool {
        self.by_name.contains_key(host)
    }

    /// The answer to a request that needs no asking.
    pub(super) fn known(&self, request: &Request) -> Option<Reply> {
        let Request::ReadOutput(ReadOutput { host, job, stream, from, max }) = request else { return None };
        self.by_name.get(host)?.jobs.known_output(job, *stream, *from, *max).map(ReadOutput::answered)
    }

    /// Where one of them keeps what a job wrote.
    pub(super) fn kept_output(&self, host: &str, job: &JobId) -> Option<KeptOutput> {
        self.by_name.get(host)?.jobs.kept_output(job)
    }

    /// Carries out a request to one of them.
    pub(super) async fn carry_out(
        &self,
        request: Request,
        secret: Option<&SecretValue>,
        clock: &Clock,
        runner: &Runner,
    ) -> Result<Reply, Trouble> {
        let Some(RemoteHost { connection, jobs, files }) = request.host().and_then(|host| self.by_name.get(host))
        else {
            return Err(Trouble::Unreachable("the request is for no host over SSH".into()));
        };
        let at =
            |until| clock.real_time_until(until).map_or_else(Instant::now, |left| Instant::now() + left.min(LONGEST));
        Ok(match request {
            Request::StartJob(StartJob { job, argv, secret: name, until, .. }) => {
                let asked = CommandDigest::of(&argv, name.as_deref());
                let input = secret.map(SecretValue::reveal);
                StartJob::answered(jobs.start(job, &argv, (&asked, input), runner, at(until)).await?)
            }
            Request::EnterHost(EnterHost { run, until, .. }) => EnterHost::answered(jobs.enter(&run, at(until)).await?),
            Request::LookAtJob(LookAtJob { job, asked, kept_in, until, .. }) => {
                LookAtJob::answered(jobs.look(&job, (asked.as_ref(), kept_in.as_deref()), at(until)).await?)
            }
            Request::AwaitJob(AwaitJob { job, until, .. }) => {
                AwaitJob::answered(jobs.end(&job, sleep_until(at(until))).await?)
            }
            Request::EndJob(EndJob { job, .. }) => EndJob::answered(jobs.terminate(&job, runner).await?),
            Request::ReadOutput(ReadOutput { job, stream, from, max, .. }) => {
                ReadOutput::answered(jobs.output(&job, stream, from, max).await?)
            }
            Request::RunProbe(RunProbe { argv, until, .. }) => {
                RunProbe::answered(probe(connection, &argv, secret.map(SecretValue::reveal), at(until)).await?)
            }
            Request::ListFolder(ListFolder { dir, .. }) => ListFolder::answered(files::list(connection, &dir).await?),
            Request::ReadFile(ReadFile { dir, name, identity, from, max, .. }) => {
                ReadFile::answered(files::read((connection, jobs), (&dir, &name), identity, from, max).await?)
            }
            Request::AwaitChange(AwaitChange { dir, seen, until, .. }) => {
                AwaitChange::answered(files.changed(connection, &dir, &seen, at(until)).await?)
            }
            Request::WorkOnFile(WorkOnFile { work, until, .. }) => {
                transfer::work(jobs, runner, work, at(until)).await?
            }
            Request::TakeLease(TakeLease { force, .. }) => {
                TakeLease::answered(jobs.lease(runner, force, Instant::now() + PATIENCE).await?)
            }
            Request::ReleaseLease(_) => ReleaseLease::answered(jobs.release(runner).await?),
            Request::ExpectNewKey(_) => {
                connection.expect_new_key().await;
                ExpectNewKey::answered(())
            }
            Request::WaitUntil(_) | Request::AskPerson(_) | Request::ReadLine(_) => {
                return Err(Trouble::Refused("the request is not for a host".into()));
            }
        })
    }
}

/// Runs a command that only reads, with a limit and a cap.
async fn probe(
    connection: &Connection,
    argv: &[String],
    input: Option<&[u8]>,
    until: Instant,
) -> Result<Probed, Trouble> {
    if argv.first().is_none_or(|program| program.is_empty() || program.starts_with('-')) {
        return Err(Trouble::Missing(format!("a probe needs the name of a command, not {argv:?}")));
    }
    if input.is_some_and(|input| input.contains(&0)) {
        return Err(Trouble::Refused("a zero byte cannot be part of an input".into()));
    }
    let first: &[u8] = if input.is_some() { b"secret" } else { b"-" };
    let values: Vec<&[u8]> = std::iter::once(first).chain(argv.iter().map(String::as_bytes)).collect();
    let body = input.map(field).unwrap_or_default();
    let text = include_str!("probe.sh");
    let (form, most) = (OutputForm::Marked, PROBE_BYTES_MAX);
    let printed = script::run(connection, Script { text, values: &values, body: &body, form, most, until });
    let script::Printed { exit, out, err, .. } = printed.await?;
    // What is done as another account may be missing there, or `sudo` may: who asks can tell.
    if exit == 127 && program(argv).is_none() {
        return Err(Trouble::Missing(format!("there is no command `{}`", argv[0])));
    }
    Ok(Probed { exit, out, err })
}
