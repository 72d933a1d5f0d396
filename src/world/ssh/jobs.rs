//! Jobs of one host over SSH: started through a resident, which supervises one job at a time; their ends are heard
//! as they come. It must not guess: what the host's own record does not prove is [`JobState::Lost`].

use super::agent::Agent;
use super::connection::Connection;
use super::fields::fits;
use crate::world::clock::Clock;
use crate::world::lease::{self, Lease, Runner};
use crate::world::{JobId, JobState, Reply, Stream, Trouble};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// How many residents supervise jobs in their foreground; further jobs are supervised beside one of them.
const RESIDENTS: usize = 3;
/// The most of a job's output that comes along with its end, as in `agent.sh`.
const ALONG: u64 = 8_192;
/// How many ends of jobs are kept for those who ask for the output.
const ENDS_KEPT: usize = 64;
/// How long a started job is waited for before it is reported as running: most end at once.
const AT_ONCE: Duration = Duration::from_millis(5);
/// How often a job is looked at whose end nobody tells us, at first and at the most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How often, a second apart, a job is asked to end before it is reported as still running.
const END_TRIES: u32 = 5;
/// How often the next lease is tried for when others are quicker.
const LEASE_TRIES: u32 = 20;

/// The jobs of a host.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) host: String,
    /// The folder of the records; empty for the default one.
    pub(super) folder: String,
    pub(super) connection: Arc<Connection>,
    /// Residents that wait for requests.
    idle: Mutex<Vec<Agent>>,
    table: Mutex<Table>,
    /// What is known of each run's leave to act here. One at a time asks for it.
    leave: Turn<BTreeMap<String, Leave>>,
}

/// What this process knows of jobs.
#[derive(Debug, Default)]
struct Table {
    /// Jobs whose end is being waited for.
    running: BTreeMap<JobId, watch::Receiver<Heard>>,
    /// The boot of the host in which a job was asked for whose end is not known yet.
    asked: BTreeMap<JobId, String>,
    ends: VecDeque<(JobId, End)>,
    /// How many residents supervise a job.
    busy: usize,
}

/// What was heard of a job that runs.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Nothing,
    Ended(i32),
    /// The link broke.
    Silence,
}

/// How a job ended and what it wrote.
#[derive(Debug, Clone)]
struct End {
    code: i32,
    out: Captured,
    err: Captured,
}

/// The beginning of an output, and how long it was when the job ended.
#[derive(Debug, Clone)]
struct Captured {
    head: Vec<u8>,
    length: u64,
}

/// Whether a run may act on the host.
#[derive(Debug, Clone)]
struct Leave {
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
        input: Option<&[u8]>,
        runner: &Runner,
    ) -> Result<JobState, Trouble> {
        if argv.first().is_none_or(|program| program.is_empty() || program.starts_with('-')) {
            return Err(Trouble::Missing(format!("a job needs the name of a command, not {argv:?}")));
        }
        if !fits(argv) || input.is_some_and(|input| input.contains(&0)) {
            return Err(Trouble::Refused("a zero byte cannot be part of an argument or of an input".into()));
        }
        let lease = self.lease(runner, false).await?;
        let mut agent = self.resident().await?;
        self.table().asked.insert(job.clone(), agent.boot.clone());
        let aside = self.table().busy >= RESIDENTS;
        let (number, secret) = (Lease::file_name(lease.number), if input.is_some() { "secret" } else { "-" });
        let mode = if aside { "aside" } else { "-" };
        let mut fields: Vec<&[u8]> = argv.iter().map(String::as_bytes).collect();
        let words = format!("start {} {number} {secret} {mode} {}", name(&job)?, fields.len());
        fields.extend(input);
        let answer = self.exchange(&mut agent, &words, &fields).await?;
        if answer != "taken" {
            self.rest(agent);
            return self.unstarted(&answer, runner).await;
        }
        if aside {
            self.rest(agent);
            return Ok(JobState::Running);
        }
        Ok(self.supervise(job, agent).await)
    }

    /// How a job stands.
    pub(super) async fn look(&self, job: &JobId) -> Result<JobState, Trouble> {
        let mut agent = self.resident().await?;
        let state = self.state_of(&self.exchange(&mut agent, &format!("look {}", name(job)?), &[]).await?)?;
        let boot = agent.boot.clone();
        self.rest(agent);
        if state == JobState::Absent && !self.would_know(job, &boot).await? {
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
                told = heard.wait_for(|heard| *heard != Heard::Nothing) => {
                    told.map_or(Heard::Silence, |told| told.clone())
                }
                () = sleep_until(until) => Heard::Nothing,
            };
            return match over {
                Heard::Nothing => Ok(JobState::Running),
                Heard::Ended(code) => Ok(JobState::Exited(code)),
                Heard::Silence => Err(Trouble::Lost("the link broke while the job ran".into())),
            };
        }
        if let Some(end) = self.table().end_of(job) {
            return Ok(JobState::Exited(end.code));
        }
        let (mut pause, longest) = LOOKS;
        loop {
            let state = self.look(job).await?;
            if state != JobState::Running || Instant::now() >= until {
                return Ok(state);
            }
            sleep_until(until.min(Instant::now() + pause)).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Asks a running job to end, several times if need be; its state afterwards, which may still be `Running`.
    pub(super) async fn terminate(&self, job: &JobId, runner: &Runner) -> Result<JobState, Trouble> {
        let number = Lease::file_name(self.lease(runner, false).await?.number);
        for _ in 0..END_TRIES {
            let mut agent = self.resident().await?;
            let answer = self.exchange(&mut agent, &format!("end {} {number}", name(job)?), &[]).await?;
            self.rest(agent);
            if answer == "leased" {
                return Err(self.taken_over(runner).await);
            }
            let state = self.state_of(&answer)?;
            if state != JobState::Running {
                return Ok(state);
            }
            if self.end(job, Instant::now() + Duration::from_secs(1)).await? != JobState::Running {
                break;
            }
        }
        self.look(job).await
    }

    /// Output of a job from an offset, if it is known here already.
    pub(super) fn known_output(&self, job: &JobId, stream: Stream, from: u64, max: u64) -> Option<Vec<u8>> {
        let table = self.table();
        let end = table.end_of(job)?;
        let captured = match stream {
            Stream::Out => &end.out,
            Stream::Err => &end.err,
        };
        let until = from.saturating_add(max).min(captured.length);
        let (from, until) = (usize::try_from(from).ok()?, usize::try_from(until).ok()?);
        if from >= until {
            return Some(Vec::new());
        }
        captured.head.get(from..until).map(<[u8]>::to_vec)
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
        let mut agent = self.resident().await?;
        let words = format!("output {} {stream} {from} {max}", name(job)?);
        let answer = self.exchange(&mut agent, &words, &[]).await?;
        let Some(length) = answer.strip_prefix("bytes ").and_then(|count| count.parse::<u64>().ok()) else {
            self.rest(agent);
            return Err(Trouble::Missing(format!("the job has left no `{stream}`")));
        };
        let bytes = agent.bytes(usize::try_from(length.min(max)).unwrap_or(0)).await?;
        self.rest(agent);
        Ok(bytes)
    }

    /// The lease under which this runner acts on the host: the one it has, or else the next.
    pub(super) async fn lease(&self, runner: &Runner, force: bool) -> Result<Lease, Trouble> {
        let mut leaves = self.leave.lock().await;
        if let Some(lease) = leaves.get(&runner.run).and_then(|leave| leave.lease.clone())
            && !force
        {
            return Ok(lease);
        }
        let mut agent = self.resident().await?;
        for _ in 0..LEASE_TRIES {
            let (former_boot, there) = self.ask_leave(&mut agent, &runner.run).await?;
            let since = lease::since(Clock::real().now().wall);
            let next = Lease::next(there.as_ref(), runner, since, force, &self.host).map_err(Trouble::Leased)?;
            let known = Leave { former_boot, boot: agent.boot.clone(), lease: None };
            let leave = leaves.entry(runner.run.clone()).or_insert(known);
            if there.as_ref() != Some(&next) {
                let words = format!("take {} - {}", runner.run, Lease::file_name(next.number));
                match self.exchange(&mut agent, &words, &[next.render().as_bytes()]).await?.as_str() {
                    "taken" => {}
                    "beaten" => continue,
                    other => return Err(self.refusal(other)),
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
        let mut agent = self.resident().await?;
        let (_, there) = self.ask_leave(&mut agent, &runner.run).await?;
        let mut number = 0;
        if let Some(lease) = there.filter(|lease| lease.is_of(runner) && !lease.released) {
            number = lease.number;
            let words = format!("release {} - {}", runner.run, Lease::file_name(lease.number));
            self.exchange(&mut agent, &words, &[]).await?;
        }
        self.rest(agent);
        self.leave.lock().await.remove(&runner.run);
        Ok(number)
    }

    /// Whether the host would have a record of the job if it had been started: what was written down just before a
    /// power cut may be gone.
    async fn would_know(&self, job: &JobId, boot: &str) -> Result<bool, Trouble> {
        let asked_in = self.table().asked.get(job).cloned();
        if let Some(asked_in) = asked_in {
            return Ok(asked_in == boot);
        }
        let mut leaves = self.leave.lock().await;
        if !leaves.contains_key(&job.run) {
            let mut agent = self.resident().await?;
            let (former_boot, _) = self.ask_leave(&mut agent, &job.run).await?;
            let leave = Leave { former_boot, boot: agent.boot.clone(), lease: None };
            self.rest(agent);
            leaves.insert(job.run.clone(), leave);
        }
        let leave = leaves.get(&job.run);
        Ok(leave.is_none_or(|leave| {
            leave.former_boot.as_ref().is_none_or(|former| *former == leave.boot && leave.boot == boot)
        }))
    }

    /// What the host's word means that a job was not started just now.
    async fn unstarted(&self, answer: &str, runner: &Runner) -> Result<JobState, Trouble> {
        if answer == "leased" { Err(self.taken_over(runner).await) } else { self.state_of(answer) }
    }

    /// Who has the lease that this runner had, or why that cannot be told.
    pub(super) async fn taken_over(&self, runner: &Runner) -> Trouble {
        let there = async {
            let mut agent = self.resident().await?;
            let (_, there) = self.ask_leave(&mut agent, &runner.run).await?;
            self.rest(agent);
            Ok(there)
        };
        match there.await {
            Ok(there) => Trouble::Leased(Lease::lost(there, &self.host)),
            Err(trouble) => trouble,
        }
    }

    /// Waits for the end of a job that this resident has just started: a moment here, then beside everything else.
    async fn supervise(self: &Arc<Self>, job: JobId, mut agent: Agent) -> JobState {
        if let Ok(line) = timeout(AT_ONCE, agent.line()).await {
            return match self.hear(&job, agent, line).await {
                Heard::Ended(code) => JobState::Exited(code),
                Heard::Nothing | Heard::Silence => JobState::Running,
            };
        }
        let (tell, told) = watch::channel(Heard::Nothing);
        let mut table = self.table();
        table.busy += 1;
        table.running.insert(job.clone(), told);
        drop(table);
        let jobs = Arc::clone(self);
        tokio::spawn(async move {
            let line = agent.line().await;
            let heard = jobs.hear(&job, agent, line).await;
            let mut table = jobs.table();
            table.busy -= 1;
            table.running.remove(&job);
            drop(table);
            tell.send_replace(heard);
        });
        JobState::Running
    }

    /// Takes down the end that the resident tells, if it does.
    async fn hear(&self, job: &JobId, mut agent: Agent, line: Option<String>) -> Heard {
        let Some((code, out, err)) = line.as_deref().and_then(numbers) else {
            let session = agent.session();
            drop(agent);
            self.connection.broken(&session).await;
            return Heard::Silence;
        };
        let mut captured = async |length: u64| {
            let head = agent.bytes(usize::try_from(length.min(ALONG)).unwrap_or(0)).await.ok()?;
            Some(Captured { head, length })
        };
        let (Some(out), Some(err)) = (captured(out).await, captured(err).await) else { return Heard::Silence };
        self.rest(agent);
        self.table().keep(job.clone(), End { code, out, err });
        Heard::Ended(code)
    }

    /// The boot in which the run last began to act on the host, and the lease that counts there.
    async fn ask_leave(&self, agent: &mut Agent, run: &str) -> Result<(Option<String>, Option<Lease>), Trouble> {
        let answer = self.exchange(agent, &format!("lease {run} -"), &[]).await?;
        let former = answer.strip_prefix("boot ").filter(|boot| *boot != "none").map(str::to_owned);
        let mut text = String::new();
        loop {
            let line = agent.answer().await?;
            if line == "end" {
                return Ok((former, Lease::parse(&text)));
            }
            text.push_str(&line);
            text.push('\n');
        }
    }

    /// A request and the first line of its answer.
    async fn exchange(&self, agent: &mut Agent, words: &str, fields: &[&[u8]]) -> Result<String, Trouble> {
        let answer = match agent.ask(words, fields).await {
            Ok(()) => agent.answer().await,
            Err(trouble) => Err(trouble),
        };
        if answer.is_err() {
            self.connection.check().await;
        }
        answer
    }

    /// The state that the resident tells.
    fn state_of(&self, answer: &str) -> Result<JobState, Trouble> {
        match answer.split_once(' ').unwrap_or((answer, "")) {
            ("absent", _) => Ok(JobState::Absent),
            ("running", _) => Ok(JobState::Running),
            ("exited", code) => match code.trim().parse() {
                Ok(code) => Ok(JobState::Exited(code)),
                Err(_) => Ok(JobState::Lost(format!("its exit record reads `{code}`"))),
            },
            ("lost", why) => Ok(JobState::Lost(why.to_owned())),
            _ => Err(self.refusal(answer)),
        }
    }

    fn refusal(&self, answer: &str) -> Trouble {
        match answer.strip_prefix("refused ") {
            Some(why) => Trouble::Refused(format!("host `{}` {why}", self.host)),
            None => Trouble::Lost("the reply makes no sense".into()),
        }
    }

    /// A resident that waits for a request; begun if there is none.
    async fn resident(&self) -> Result<Agent, Trouble> {
        loop {
            let idle = self.idle().pop();
            let Some(agent) = idle else {
                return Agent::begin(&self.connection, &self.host, &self.folder).await;
            };
            // Those of a connection that has broken are gone with it.
            if self.connection.carries(&agent.session()).await {
                return Ok(agent);
            }
        }
    }

    /// A resident has answered and waits again.
    fn rest(&self, agent: Agent) {
        self.idle().push(agent);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Agent>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn keep(&mut self, job: JobId, end: End) {
        self.asked.remove(&job);
        self.ends.push_back((job, end));
        if self.ends.len() > ENDS_KEPT {
            self.ends.pop_front();
        }
    }

    fn end_of(&self, job: &JobId) -> Option<&End> {
        self.ends.iter().find(|(of, _)| of == job).map(|(_, end)| end)
    }
}

/// The words that name a job to the resident: its run, its effect and its attempt.
fn name(job: &JobId) -> Result<String, Trouble> {
    let effect = format!("{}.{}.{}", job.effect.track, job.effect.n, job.attempt);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match [&job.run, &effect]
        .iter()
        .find(|part| part.starts_with(['.', '-']) || part.is_empty() || !part.chars().all(plain))
    {
        Some(odd) => Err(Trouble::Refused(format!("`{odd}` cannot be the name of a job's record"))),
        None => Ok(format!("{} {effect}", job.run)),
    }
}

/// The exit code and the lengths of what was written, as the resident tells the end of a job.
fn numbers(line: &str) -> Option<(i32, u64, u64)> {
    let mut words = line.strip_prefix("exited ")?.split(' ');
    let numbers = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(numbers)
}

/// The reply to a request about a job.
pub(super) fn reply(state: Result<JobState, Trouble>) -> Reply {
    state.map_or_else(Reply::Trouble, Reply::Job)
}
