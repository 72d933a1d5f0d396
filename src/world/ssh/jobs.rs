//! Jobs of one host over SSH: started through an agent, which supervises one job at a time; their ends are heard
//! as they come. It must not guess: what the host's own record does not prove is [`JobState::Lost`].

use super::agent::{Agent, AgentWord};
use super::answers::{name, refusal, senseless, spoiled, state_of};
use super::connection::Connection;
use super::ends::{EndReport, end_of};
use super::fields::fits;
use super::frames::bytes_of;
use super::table::{JobNews, JobTable};
use crate::world::asked::CommandDigest;
use crate::world::clock::Clock;
use crate::world::lease::{self, Lease, Runner};
use crate::world::nonce::nonce;
use crate::world::{JobId, JobState, KeptOutput, Stream, Trouble};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// How many agents supervise jobs in their foreground; further jobs are supervised beside one of them.
const RESIDENTS: usize = 3;
/// How long a started job is waited for before it is reported as running: most end at once.
const AT_ONCE: Duration = Duration::from_millis(5);
/// How often a job is looked at whose end nobody tells us, at first and at the most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How often, a second apart, a job is asked to end before it is reported as still running.
const END_TRIES: u32 = 5;
/// How often the next lease is tried for when others are quicker.
const LEASE_TRIES: u32 = 20;
/// How long a request may take that no limit of a step counts for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one for output may take: the step is over by then.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(5);
/// The longest text of a lease, in bytes.
const LEASE_MAX: usize = 4_096;
/// The most output that is asked for at a time, in bytes; and the least, however often others speak within it.
const OUTPUT_MAX: u64 = 64 * 1024;
const OUTPUT_LEAST: u64 = 256;
/// How often the same is asked when others speak in the midst of the answer.
const SPOILED_MAX: u32 = 32;

/// The jobs of a host.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) host: String,
    /// The folder of the records; empty for the default one.
    pub(super) folder: String,
    pub(super) connection: Arc<Connection>,
    /// Agents that wait for requests.
    idle: Mutex<Vec<Agent>>,
    table: Mutex<JobTable>,
    /// What is known of each run's leave to act here. One at a time asks for it.
    leave: Turn<BTreeMap<String, ActingRight>>,
}

/// Whether a run may act on the host.
#[derive(Debug, Clone)]
struct ActingRight {
    /// The boot in which it last began to act there before this process came, if it ever did.
    former_boot: Option<String>,
    /// The boot in which this process came.
    boot: String,
    lease: Option<Lease>,
}

impl Jobs {
    pub(super) fn new(host: &str, folder: &str, connection: Arc<Connection>) -> Self {
        let (idle, table, leave) = (Mutex::default(), Mutex::default(), Turn::default());
        Self { host: host.to_owned(), folder: folder.to_owned(), connection, idle, table, leave }
    }

    /// Starts a job unless its id was started before; the reply is its state either way.
    pub(super) async fn start(
        self: &Arc<Self>,
        job: JobId,
        argv: &[String],
        (asked, input): (&CommandDigest, Option<&[u8]>),
        runner: &Runner,
        until: Instant,
    ) -> Result<JobState, Trouble> {
        if argv.first().is_none_or(|program| program.is_empty() || program.starts_with('-')) {
            return Err(Trouble::Missing(format!("a job needs the name of a command, not {argv:?}")));
        }
        if !fits(argv) || input.is_some_and(|input| input.contains(&0)) {
            return Err(Trouble::Refused("a zero byte cannot be part of an argument or of an input".into()));
        }
        let lease = self.lease(runner, false, until).await?;
        let mut agent = self.free_agent(until).await?;
        self.table().asked.insert(job.clone(), agent.boot.clone());
        let aside = self.table().busy >= RESIDENTS;
        let (number, secret) = (Lease::file_name(lease.number), if input.is_some() { "secret" } else { "-" });
        let mode = if aside { "aside" } else { "-" };
        let mut fields: Vec<&[u8]> = argv.iter().map(String::as_bytes).collect();
        let words = format!("start {} {number} {secret} {mode} {} {}", name(&job)?, asked.as_str(), fields.len());
        fields.extend(input);
        // Not asked again from here: whoever wants it started looks first.
        let AgentWord::Said(answer) = self.send(&mut agent, &words, &fields, until).await? else {
            return Err(spoiled());
        };
        if answer != "taken" {
            self.rest(agent);
            return self.unstarted(&answer, runner).await;
        }
        self.table().begun.insert(job.clone());
        if aside {
            self.rest(agent);
            return Ok(JobState::Running);
        }
        Ok(self.supervise(job, agent).await)
    }

    /// The files of what a job wrote, be they there or not.
    pub(super) fn kept_output(&self, job: &JobId) -> Option<KeptOutput> {
        let folder = if self.folder.is_empty() { "~/.baton" } else { &self.folder };
        let record = name(job).ok()?;
        let (run, file) = record.split_once(' ')?;
        Some(KeptOutput { out: format!("{folder}/{run}/{file}.out"), err: format!("{file}.err") })
    }

    /// Makes the folder of a run, or finds it again: what tells it from every other one.
    pub(super) async fn enter(&self, run: &str, until: Instant) -> Result<String, Trouble> {
        // Afterwards the host says that the run has acted there since it was started.
        self.know_leave(run, until).await?;
        let fresh = nonce()?;
        let mut agent = self.free_agent(until).await?;
        let answer = self.exchange(&mut agent, &format!("enter {run} - {fresh}"), &[], until).await?;
        self.rest(agent);
        answer.strip_prefix("entered ").map(str::to_owned).ok_or_else(|| refusal(&self.host, &answer))
    }

    /// How a job stands, if it is of this command.
    pub(super) async fn look(
        &self,
        job: &JobId,
        (asked, kept_in): (Option<&CommandDigest>, Option<&str>),
        until: Instant,
    ) -> Result<JobState, Trouble> {
        let mut agent = self.free_agent(until).await?;
        let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':');
        // What is no mark of ours is that of no folder there.
        let mark = kept_in.map_or("-", |mark| Some(mark).filter(plain).unwrap_or("none"));
        let words = format!("look {} {} {mark}", name(job)?, asked.map_or("-", CommandDigest::as_str));
        let state = state_of(&self.host, &self.exchange(&mut agent, &words, &[], until).await?)?;
        let boot = agent.boot.clone();
        self.rest(agent);
        if matches!(state, JobState::Exited(_)) {
            self.table().begun.remove(job);
        }
        if state != JobState::Absent {
            return Ok(state);
        }
        if self.table().begun.contains(job) {
            return Ok(JobState::Lost("it was begun, and its record on the host is gone".into()));
        }
        if !self.would_know(job, &boot, until).await? {
            let reason = "the host was restarted, and what it had written down of the job may be gone with it";
            return Ok(JobState::Lost(reason.into()));
        }
        Ok(state)
    }

    /// How a job stands as soon as it does not run any more, or at `until`.
    pub(super) async fn end(&self, job: &JobId, until: Instant) -> Result<JobState, Trouble> {
        let heard = self.table().running.get(job).cloned();
        if let Some(mut heard) = heard {
            let over = tokio::select! {
                told = heard.wait_for(|heard| *heard != JobNews::Nothing) => {
                    told.map_or(JobNews::Silence, |told| told.clone())
                }
                () = sleep_until(until) => JobNews::Nothing,
            };
            return match over {
                JobNews::Nothing => Ok(JobState::Running),
                JobNews::Ended(code) => Ok(JobState::Exited(code)),
                JobNews::Lost(why) => Ok(JobState::Lost(why)),
                JobNews::Silence => Err(Trouble::Lost("the link broke while the job ran".into())),
            };
        }
        if let Some(end) = self.table().end_of(job) {
            return Ok(JobState::Exited(end.code));
        }
        let (mut pause, longest) = LOOKS;
        loop {
            let state = self.look(job, (None, None), until.max(Instant::now() + LOOKS.1)).await?;
            if state != JobState::Running || Instant::now() >= until {
                return Ok(state);
            }
            sleep_until(until.min(Instant::now() + pause)).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Asks a running job to end, several times if need be; its state afterwards, which may still be `Running`.
    pub(super) async fn terminate(&self, job: &JobId, runner: &Runner) -> Result<JobState, Trouble> {
        let soon = || Instant::now() + OUTPUT_PATIENCE;
        let number = Lease::file_name(self.lease(runner, false, soon()).await?.number);
        for _ in 0..END_TRIES {
            let mut agent = self.free_agent(soon()).await?;
            let words = format!("end {} {number}", name(job)?);
            let answer = self.exchange(&mut agent, &words, &[], soon()).await?;
            self.rest(agent);
            if answer == "leased" {
                return Err(self.taken_over(runner).await);
            }
            let state = state_of(&self.host, &answer)?;
            if state != JobState::Running {
                return Ok(state);
            }
            if self.end(job, Instant::now() + Duration::from_secs(1)).await? != JobState::Running {
                break;
            }
        }
        self.look(job, (None, None), soon()).await
    }

    /// Output of a job from an offset, if it is known here already.
    pub(super) fn known_output(&self, job: &JobId, stream: Stream, from: u64, max: u64) -> Option<Vec<u8>> {
        let table = self.table();
        let end = table.end_of(job)?;
        match stream {
            Stream::Out => end.out.as_ref()?.part(from, max),
            Stream::Err => end.err.as_ref()?.part(from, max),
        }
    }

    /// Output of a job from an offset.
    pub(super) async fn output(&self, job: &JobId, stream: Stream, from: u64, max: u64) -> Result<Vec<u8>, Trouble> {
        if let Some(known) = self.known_output(job, stream, from, max) {
            return Ok(known);
        }
        let stream = match stream {
            Stream::Out => "out",
            Stream::Err => "err",
        };
        let (max, until) = (max.min(OUTPUT_MAX), Instant::now() + OUTPUT_PATIENCE);
        let mut agent = self.free_agent(until).await?;
        let (mut bytes, mut piece, mut spoilt) = (Vec::new(), max, 0);
        loop {
            let known = u64::try_from(bytes.len()).unwrap_or(max);
            let wanted = piece.min(max.saturating_sub(known));
            let words = format!("output {} {stream} {} {wanted}", name(job)?, from.saturating_add(known));
            match self.send(&mut agent, &words, &[], until).await? {
                AgentWord::Spoiled if spoilt == SPOILED_MAX => return Err(spoiled()),
                // The shorter it is, the less is spoken within it.
                AgentWord::Spoiled => (piece, spoilt) = ((piece / 4).max(OUTPUT_LEAST), spoilt + 1),
                AgentWord::Said(answer) => {
                    let Some(words) = answer.strip_prefix("bytes ") else {
                        self.rest(agent);
                        return Err(Trouble::Missing(format!("the job has left no `{stream}` that can be read")));
                    };
                    let more = bytes_of(words, usize::try_from(wanted).unwrap_or(0)).ok_or_else(senseless)?;
                    let got = u64::try_from(more.len()).unwrap_or(max);
                    bytes.extend(more);
                    if got < wanted || known.saturating_add(got) >= max {
                        self.rest(agent);
                        return Ok(bytes);
                    }
                }
            }
        }
    }

    /// The lease under which this runner acts on the host: the one it has, or else the next.
    pub(super) async fn lease(&self, runner: &Runner, force: bool, until: Instant) -> Result<Lease, Trouble> {
        let busy = |_| Trouble::Unreachable(format!("host `{}` does not answer in time", self.host));
        let mut leaves = timeout_at(until, self.leave.lock()).await.map_err(busy)?;
        if let Some(lease) = leaves.get(&runner.run).and_then(|leave| leave.lease.clone())
            && !force
        {
            return Ok(lease);
        }
        let mut agent = self.free_agent(until).await?;
        for _ in 0..LEASE_TRIES {
            let (former_boot, there) = self.ask_leave(&mut agent, &runner.run, until).await?;
            let since = lease::since(Clock::real().now().wall);
            let next = Lease::next(there.as_ref(), runner, since, force, &self.host).map_err(Trouble::Leased)?;
            let known = ActingRight { former_boot, boot: agent.boot.clone(), lease: None };
            let leave = leaves.entry(runner.run.clone()).or_insert(known);
            if there.as_ref() != Some(&next) {
                let words = format!("take {} - {}", runner.run, Lease::file_name(next.number));
                let taken = self.exchange(&mut agent, &words, &[next.render().as_bytes()], until).await;
                match taken?.as_str() {
                    "taken" => {}
                    "beaten" => continue,
                    other => return Err(refusal(&self.host, other)),
                }
            }
            leave.lease = Some(next.clone());
            self.rest(agent);
            return Ok(next);
        }
        Err(Trouble::Refused(format!("others take the leases of `{}` faster than this run can", self.host)))
    }

    /// Gives the lease of the host back, if the run holds it: its number, or 0.
    pub(super) async fn release(&self, runner: &Runner) -> Result<u64, Trouble> {
        let until = Instant::now() + PATIENCE;
        let mut agent = self.free_agent(until).await?;
        let (_, there) = self.ask_leave(&mut agent, &runner.run, until).await?;
        let mut number = 0;
        if let Some(lease) = there.filter(|lease| lease.is_of(runner) && !lease.released) {
            number = lease.number;
            let words = format!("release {} - {}", runner.run, Lease::file_name(lease.number));
            self.exchange(&mut agent, &words, &[], until).await?;
        }
        self.rest(agent);
        self.leave.lock().await.remove(&runner.run);
        Ok(number)
    }

    /// Whether the host would have a record of the job if it had been started: what was written down just before a
    /// power cut may be gone.
    async fn would_know(&self, job: &JobId, boot: &str, until: Instant) -> Result<bool, Trouble> {
        let asked_in = self.table().asked.get(job).cloned();
        if let Some(asked_in) = asked_in {
            return Ok(asked_in == boot);
        }
        let leave = self.know_leave(&job.run, until).await?;
        Ok(leave.former_boot.as_ref().is_none_or(|former| *former == leave.boot && leave.boot == boot))
    }

    /// What is known of the run's leave to act on the host; asked for before this process does anything there.
    async fn know_leave(&self, run: &str, until: Instant) -> Result<ActingRight, Trouble> {
        let mut leaves = self.leave.lock().await;
        if let Some(leave) = leaves.get(run) {
            return Ok(leave.clone());
        }
        let mut agent = self.free_agent(until).await?;
        let (former_boot, _) = self.ask_leave(&mut agent, run, until).await?;
        let leave = ActingRight { former_boot, boot: agent.boot.clone(), lease: None };
        self.rest(agent);
        leaves.insert(run.to_owned(), leave.clone());
        Ok(leave)
    }

    /// What the host's word means that a job was not started just now.
    async fn unstarted(&self, answer: &str, runner: &Runner) -> Result<JobState, Trouble> {
        if answer == "leased" { Err(self.taken_over(runner).await) } else { state_of(&self.host, answer) }
    }

    /// Who has the lease that this runner had, or why that cannot be told.
    pub(super) async fn taken_over(&self, runner: &Runner) -> Trouble {
        let there = async {
            let until = Instant::now() + OUTPUT_PATIENCE;
            let mut agent = self.free_agent(until).await?;
            let (_, there) = self.ask_leave(&mut agent, &runner.run, until).await?;
            self.rest(agent);
            Ok(there)
        };
        match there.await {
            Ok(there) => Trouble::Leased(Lease::lost(there, &self.host)),
            Err(trouble) => trouble,
        }
    }

    /// Waits for the end of a job that this agent has just started: a moment here, then beside everything else.
    async fn supervise(self: &Arc<Self>, job: JobId, mut agent: Agent) -> JobState {
        if let Ok(word) = timeout(AT_ONCE, agent.more()).await {
            return match self.hear(&job, agent, word).await {
                JobNews::Ended(code) => JobState::Exited(code),
                JobNews::Lost(why) => JobState::Lost(why),
                JobNews::Nothing | JobNews::Silence => JobState::Running,
            };
        }
        let (tell, told) = watch::channel(JobNews::Nothing);
        let mut table = self.table();
        table.busy += 1;
        table.running.insert(job.clone(), told);
        drop(table);
        let jobs = Arc::clone(self);
        tokio::spawn(async move {
            let word = agent.more().await;
            let heard = jobs.hear(&job, agent, word).await;
            let mut table = jobs.table();
            table.busy -= 1;
            table.running.remove(&job);
            drop(table);
            tell.send_replace(heard);
        });
        JobState::Running
    }

    /// Takes down the end that the agent tells, if it does.
    async fn hear(&self, job: &JobId, agent: Agent, word: Result<AgentWord, Trouble>) -> JobNews {
        let told = match &word {
            // The host has its record.
            Ok(AgentWord::Spoiled) => {
                self.rest(agent);
                return JobNews::Silence;
            }
            Ok(AgentWord::Said(word)) => end_of(word),
            Err(_) => None,
        };
        let heard = match told {
            Some(EndReport::Ended(end)) => {
                let code = end.code;
                self.table().keep(job.clone(), end);
                JobNews::Ended(code)
            }
            Some(EndReport::Lost(why)) => JobNews::Lost(why),
            None => {
                let session = agent.session();
                drop(agent);
                self.connection.broken(&session).await;
                return JobNews::Silence;
            }
        };
        self.rest(agent);
        heard
    }

    /// The boot in which the run last began to act on the host, and the lease that counts there.
    async fn ask_leave(
        &self,
        agent: &mut Agent,
        run: &str,
        until: Instant,
    ) -> Result<(Option<String>, Option<Lease>), Trouble> {
        let answer = self.exchange(agent, &format!("lease {run} -"), &[], until).await?;
        let Some(told) = answer.strip_prefix("boot ") else { return Err(refusal(&self.host, &answer)) };
        let (boot, words) = told.split_once(' ').unwrap_or((told, ""));
        let text = bytes_of(words, LEASE_MAX).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(senseless)?;
        Ok((Some(boot).filter(|boot| *boot != "none").map(str::to_owned), Lease::parse(&text)))
    }

    /// A request that may be repeated, and the first word of its answer.
    async fn exchange(
        &self,
        agent: &mut Agent,
        words: &str,
        fields: &[&[u8]],
        until: Instant,
    ) -> Result<String, Trouble> {
        for _ in 0..=SPOILED_MAX {
            if let AgentWord::Said(answer) = self.send(agent, words, fields, until).await? {
                return Ok(answer);
            }
        }
        Err(spoiled())
    }

    /// A request and the first word of its answer, if it can be understood.
    async fn send(
        &self,
        agent: &mut Agent,
        words: &str,
        fields: &[&[u8]],
        until: Instant,
    ) -> Result<AgentWord, Trouble> {
        let answer = agent.ask(words, fields, until).await;
        if answer.is_err() {
            self.connection.check().await;
        }
        answer
    }

    /// An agent that waits for a request; begun if there is none.
    async fn free_agent(&self, until: Instant) -> Result<Agent, Trouble> {
        loop {
            let idle = self.idle().pop();
            let Some(agent) = idle else {
                return Agent::begin(&self.connection, &self.host, &self.folder, until).await;
            };
            // Those of a connection that has broken are gone with it.
            if self.connection.carries(&agent.session()).await {
                return Ok(agent);
            }
        }
    }

    /// An agent has answered and waits again.
    fn rest(&self, agent: Agent) {
        self.idle().push(agent);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Agent>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, JobTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
