//! Jobs of one host: started through an agent, which supervises one job at a time; their ends are heard as they come.
//! It must not guess: what the host's own record does not prove is [`JobState::Lost`].

use super::acting::ActingRights;
use super::answers::{name, senseless, spoiled, state_of};
use super::ends::{EndReport, end_of};
use super::fields::fits;
use super::frames::bytes_of;
use super::place::RecordPlace;
use super::pool::{AgentPool, SPOILED_MAX};
use super::resident::{Agent, AgentWord};
use super::table::{JobNews, JobTable};
use super::transport::Transport;
use crate::model::run::mark::Identity;
use crate::world::asked::CommandDigest;
use crate::world::lease::{Lease, Runner};
use crate::world::machine_lease::MachineLease;
use crate::world::{JobId, JobState, KeptOutput, Stream, Trouble};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How long a started job is waited for before it is reported as running: most end at once.
const AT_ONCE: Duration = Duration::from_millis(5);
/// How often a job is looked at whose end nobody tells us, at first and at the most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How often, a second apart, a job is asked to end before it is reported as still running.
const END_TRIES: u32 = 5;
/// How long a look, or a request for output, may take: the step is over by then.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);
/// The length from which on Linux takes no argument, in bytes.
const WORD_MAX: usize = 128 * 1024;
/// How long it is looked at a last time, when nobody waits for its end any more.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// The most output that is asked for at a time, in bytes; and the least, however often others speak within it.
const OUTPUT_MAX: u64 = 64 * 1024;
const OUTPUT_LEAST: u64 = 256;
/// The most that an agent reads of a log at a time, in bytes, as in `jobs.sh`.
const FEW: usize = 8_192;

/// The jobs of a host.
#[derive(Debug)]
pub(in crate::world) struct Jobs {
    agents: Arc<AgentPool>,
    rights: ActingRights,
    table: Mutex<JobTable>,
}

impl Jobs {
    /// Of a host that is reached in this way; with what is special about its lease, where it is this machine.
    pub(in crate::world) fn new(
        transport: Arc<dyn Transport>,
        place: RecordPlace,
        machine: Option<Arc<MachineLease>>,
    ) -> Self {
        let agents = Arc::new(AgentPool::new(transport, place));
        let rights = ActingRights::new(Arc::clone(&agents), machine);
        Self { agents, rights, table: Mutex::default() }
    }

    /// Starts a job unless its id was started before; the reply is its state either way.
    pub(in crate::world) async fn start(
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
        if let Some(long) = argv.iter().find(|word| word.len() >= WORD_MAX) {
            let length = long.len();
            return Err(Trouble::Refused(format!("an argument of {length} bytes is longer than a host takes")));
        }
        if !fits(argv) || input.is_some_and(|input| input.contains(&0)) {
            return Err(Trouble::Refused("a zero byte cannot be part of an argument or of an input".into()));
        }
        let number = fence_word(self.rights.lease(runner, false, until).await?);
        let mut agent = self.agents.free(until).await?;
        self.table().asked.insert(job.clone(), agent.boot.clone());
        // Further jobs are supervised beside one of them, and looked at.
        let aside = self.table().busy >= self.transport().supervisors();
        let secret = if input.is_some() { "secret" } else { "-" };
        let mode = if aside { "aside" } else { "-" };
        let mut fields: Vec<&[u8]> = argv.iter().map(String::as_bytes).collect();
        let words = format!("start {} {number} {secret} {mode} {} {}", name(&job)?, asked.as_str(), fields.len());
        fields.extend(input);
        // Not asked again from here: whoever wants it started looks first.
        let AgentWord::Said(answer) = self.agents.send(&mut agent, &words, &fields, until).await? else {
            return Err(spoiled());
        };
        if answer != "taken" {
            self.agents.rest(agent);
            return self.unstarted(&answer, runner).await;
        }
        self.table().begun.insert(job.clone());
        if aside {
            self.agents.rest(agent);
            return Ok(JobState::Running);
        }
        Ok(self.supervise(job, agent).await)
    }

    /// The files of what a job wrote, be they there or not.
    pub(in crate::world) fn kept_output(&self, job: &JobId) -> Option<KeptOutput> {
        let folder = self.agents.place.shown();
        let record = name(job).ok()?;
        let (run, file) = record.split_once(' ')?;
        Some(KeptOutput { out: format!("{folder}/{run}/{file}.out"), err: format!("{file}.err") })
    }

    /// The file that says how a job ended, once it has.
    pub(in crate::world) fn exit_record(&self, job: &JobId) -> Result<PathBuf, Trouble> {
        Ok(PathBuf::from(format!("{}/{}.exit", self.agents.place.shown(), name(job)?.replace(' ', "/"))))
    }

    /// Makes the folder of a run, or finds it again: what tells it from every other one.
    pub(in crate::world) async fn enter(&self, run: &str, until: Instant) -> Result<String, Trouble> {
        self.rights.enter(run, until).await
    }

    /// The fence number under which this runner acts on the host, taken from anybody if `force`.
    pub(in crate::world) async fn lease(&self, runner: &Runner, force: bool, until: Instant) -> Result<u64, Trouble> {
        self.rights.lease(runner, force, until).await
    }

    /// Gives the lease of the host back, if the run holds it: its number, or 0.
    pub(in crate::world) async fn release(&self, runner: &Runner) -> Result<u64, Trouble> {
        self.rights.release(runner).await
    }

    /// Who has the lease that this runner had, or why that cannot be told.
    pub(super) async fn taken_over(&self, runner: &Runner) -> Trouble {
        self.rights.taken_over(runner).await
    }

    /// The way to the host.
    pub(super) fn transport(&self) -> &dyn Transport {
        &*self.agents.transport
    }

    /// Bytes of the file `name` in `dir` from an offset on, if it is the one with this identity, they are few, and an
    /// agent waits that can be asked; nothing where somebody else has to read them.
    ///
    /// # Errors
    /// `Missing`: it is another file by now. `Lost`.
    pub(in crate::world) async fn read_few(
        &self,
        (dir, name): (&str, &str),
        identity: Identity,
        from: u64,
        max: u64,
        until: Instant,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        if !fits(&[dir, name]) {
            return Ok(None);
        }
        let Some(mut agent) = self.agents.waiting().await else { return Ok(None) };
        let words = format!("read - - {} {} {from} {max}", identity.device, identity.inode);
        let fields = [dir.as_bytes(), name.as_bytes()];
        let answer = self.agents.exchange(&mut agent, &words, &fields, until).await?;
        self.agents.rest(agent);
        match (answer.as_str(), answer.strip_prefix("bytes ")) {
            ("missing", _) => Err(Trouble::Missing(format!("`{dir}/{name}` is another file by now, or gone"))),
            ("long", _) => Ok(None),
            (_, Some(words)) => bytes_of(words, FEW).map(Some).ok_or_else(senseless),
            (_, None) => Err(senseless()),
        }
    }

    /// The agents of the host.
    pub(super) fn agents(&self) -> &AgentPool {
        &self.agents
    }

    /// The fence number under which a runner changes something, as an agent is told it.
    pub(super) async fn fence(&self, runner: &Runner, until: Instant) -> Result<String, Trouble> {
        Ok(fence_word(self.rights.lease(runner, false, until).await?))
    }

    /// How a job stands, if it is of this command.
    pub(in crate::world) async fn look(
        &self,
        job: &JobId,
        (asked, kept_in): (Option<&CommandDigest>, Option<&str>),
        until: Instant,
    ) -> Result<JobState, Trouble> {
        let mut agent = self.agents.free(until).await?;
        let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':');
        // What is no mark of ours is that of no folder there.
        let mark = kept_in.map_or("-", |mark| Some(mark).filter(plain).unwrap_or("none"));
        let words = format!("look {} {} {mark}", name(job)?, asked.map_or("-", CommandDigest::as_str));
        let state = state_of(self.agents.host(), &self.agents.exchange(&mut agent, &words, &[], until).await?)?;
        let boot = agent.boot.clone();
        self.agents.rest(agent);
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

    /// How a job stands as soon as it does not run any more, or once `over` comes.
    pub(in crate::world) async fn end(
        &self,
        job: &JobId,
        over: impl Future<Output = ()> + Send,
    ) -> Result<JobState, Trouble> {
        let mut over = pin!(over);
        let heard = self.table().running.get(job).cloned();
        if let Some(mut heard) = heard {
            let news = tokio::select! {
                told = heard.wait_for(|heard| *heard != JobNews::Nothing) => {
                    told.map_or(JobNews::Silence, |told| told.clone())
                }
                () = &mut over => JobNews::Nothing,
            };
            return match news {
                JobNews::Nothing => Ok(self.still_runs(job).await),
                JobNews::Ended(code) => Ok(JobState::Exited(code)),
                JobNews::Lost(why) => Ok(JobState::Lost(why)),
                JobNews::Silence => Err(Trouble::Lost("the link broke while the job ran".into())),
            };
        }
        if let Some(end) = self.table().end_of(job) {
            return Ok(JobState::Exited(end.code));
        }
        let (mut pause, longest) = LOOKS;
        let mut is_over = false;
        loop {
            let state = self.look(job, (None, None), Instant::now() + LOOK_PATIENCE).await?;
            if state != JobState::Running || is_over {
                return Ok(state);
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = &mut over => is_over = true,
            }
            pause = (pause * 2).min(longest);
        }
    }

    /// How a job stands whose end has not been told yet, where an agent waits that can be asked: a channel more for
    /// each job that takes long would be missed by others.
    async fn still_runs(&self, job: &JobId) -> JobState {
        let Some(agent) = self.agents.waiting().await else { return JobState::Running };
        self.agents.rest(agent);
        self.look(job, (None, None), Instant::now() + LAST_LOOK).await.unwrap_or(JobState::Running)
    }

    /// Asks a running job to end, several times if need be; its state afterwards, which may still be `Running`.
    pub(in crate::world) async fn terminate(&self, job: &JobId, runner: &Runner) -> Result<JobState, Trouble> {
        let soon = || Instant::now() + LOOK_PATIENCE;
        let number = fence_word(self.rights.lease(runner, false, soon()).await?);
        for _ in 0..END_TRIES {
            let mut agent = self.agents.free(soon()).await?;
            let words = format!("end {} {number}", name(job)?);
            let answer = self.agents.exchange(&mut agent, &words, &[], soon()).await?;
            self.agents.rest(agent);
            if answer == "leased" {
                return Err(self.taken_over(runner).await);
            }
            let state = state_of(self.agents.host(), &answer)?;
            if state != JobState::Running {
                return Ok(state);
            }
            if self.end(job, sleep(Duration::from_secs(1))).await? != JobState::Running {
                break;
            }
        }
        self.look(job, (None, None), soon()).await
    }

    /// Output of a job from an offset, if it is known here already.
    pub(in crate::world) fn known_output(&self, job: &JobId, stream: Stream, from: u64, max: u64) -> Option<Vec<u8>> {
        let table = self.table();
        let end = table.end_of(job)?;
        match stream {
            Stream::Out => end.out.as_ref()?.part(from, max),
            Stream::Err => end.err.as_ref()?.part(from, max),
        }
    }

    /// Output of a job from an offset.
    pub(in crate::world) async fn output(
        &self,
        job: &JobId,
        stream: Stream,
        from: u64,
        max: u64,
    ) -> Result<Vec<u8>, Trouble> {
        if let Some(known) = self.known_output(job, stream, from, max) {
            return Ok(known);
        }
        let stream = match stream {
            Stream::Out => "out",
            Stream::Err => "err",
        };
        let (max, until) = (max.min(OUTPUT_MAX), Instant::now() + LOOK_PATIENCE);
        let mut agent = self.agents.free(until).await?;
        let (mut bytes, mut piece, mut spoilt) = (Vec::new(), max, 0);
        loop {
            let known = u64::try_from(bytes.len()).unwrap_or(max);
            let wanted = piece.min(max.saturating_sub(known));
            let words = format!("output {} {stream} {} {wanted}", name(job)?, from.saturating_add(known));
            match self.agents.send(&mut agent, &words, &[], until).await? {
                AgentWord::Spoiled if spoilt == SPOILED_MAX => return Err(spoiled()),
                // The shorter it is, the less is spoken within it.
                AgentWord::Spoiled => (piece, spoilt) = ((piece / 4).max(OUTPUT_LEAST), spoilt + 1),
                AgentWord::Said(answer) => {
                    let Some(words) = answer.strip_prefix("bytes ") else {
                        self.agents.rest(agent);
                        return Err(Trouble::Missing(format!("the job has left no `{stream}` that can be read")));
                    };
                    let more = bytes_of(words, usize::try_from(wanted).unwrap_or(0)).ok_or_else(senseless)?;
                    let got = u64::try_from(more.len()).unwrap_or(max);
                    bytes.extend(more);
                    if got < wanted || known.saturating_add(got) >= max {
                        self.agents.rest(agent);
                        return Ok(bytes);
                    }
                }
            }
        }
    }

    /// Whether the host would have a record of the job if it had been started: what was written down just before a
    /// power cut may be gone.
    async fn would_know(&self, job: &JobId, boot: &str, until: Instant) -> Result<bool, Trouble> {
        let asked_in = self.table().asked.get(job).cloned();
        if let Some(asked_in) = asked_in {
            return Ok(asked_in == boot);
        }
        let right = self.rights.of_run(&job.run, until).await?;
        Ok(right.former_boot.as_ref().is_none_or(|former| *former == right.boot && right.boot == boot))
    }

    /// What the host's word means that a job was not started just now.
    async fn unstarted(&self, answer: &str, runner: &Runner) -> Result<JobState, Trouble> {
        if answer == "leased" { Err(self.taken_over(runner).await) } else { state_of(self.agents.host(), answer) }
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
                self.agents.rest(agent);
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
                let link = agent.link;
                drop(agent);
                self.transport().broken(link).await;
                return JobNews::Silence;
            }
        };
        self.agents.rest(agent);
        heard
    }

    fn table(&self) -> MutexGuard<'_, JobTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fence number as an agent is told it; `-` where there is none.
fn fence_word(number: u64) -> String {
    if number == 0 { "-".to_owned() } else { Lease::file_name(number) }
}
