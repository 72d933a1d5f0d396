//! Jobs of a local host: claimed and started at most once under the supervisor `job.sh`, looked at through what it
//! leaves in the job's folder, ended by a signal to its group. It must not guess: what the folder does not prove is
//! [`JobState::Lost`]; and it must not signal a group that is not proved to be the job's.
//!
//! A runner claims a job in a folder named by its own fence number, so that one which is stopped in the midst of it
//! stands in nobody's way. Which claim is carried out is settled by the supervisors: the first to make the mark.

use super::commands::{command, input};
use super::files::read_own;
use super::job_mark::JobMark;
use super::leases;
use super::watches::Watches;
use crate::model::run::instant::Mono;
use crate::world::asked::CommandDigest;
use crate::world::clock::Clock;
use crate::world::lease::Lease;
use crate::world::secrets::secret_value::SecretValue;
use crate::world::{JobId, JobState, KeptOutput, Stream, Trouble};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Signal, kill_process_group};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// The supervisor of a job, in POSIX shell: its arguments are the folder of the claim, that of the leases, the digest
/// of what was asked, the command.
pub const SUPERVISOR: &str = include_str!("job.sh");

/// What a shell is begun with that carries it out: who lists the processes of a host sees the job, not pages of shell.
const SHORT: &str = "_text=$baton_supervisor; unset baton_supervisor; eval \"$_text\"";

/// An exit record before there is an exit code.
const BLANK: &str = "                \n";
/// How often a running job is looked at when the kernel reports nothing, as when its supervisor was killed.
const SAFETY_POLL: Duration = Duration::from_millis(50);
/// How often, a second apart, a job is asked to end before it is reported as still running.
const END_TRIES: u32 = 5;
/// How often a start is sent when another one was about to claim the job but has not.
const START_TRIES: u32 = 100;
/// How often a supervisor is started that ends before it begins, and the pause before the second one.
const LAUNCH_TRIES: u32 = 4;
const LAUNCH_PAUSE: Duration = Duration::from_millis(50);
/// How long a supervisor is waited for to begin. One that is slower may begin all the same.
const LAUNCH_PATIENCE: Duration = Duration::from_secs(20);
/// What a supervisor says when it begins the command.
const BEGUN: &[u8] = b"begun\n";

/// Where the files of a job's attempt are: all begin with `<jobs>/<run>/<track>.<n>/<attempt>`.
#[derive(Debug)]
pub(in crate::world) struct Attempt {
    jobs: PathBuf,
    leases: PathBuf,
    base: PathBuf,
}

impl Attempt {
    /// The attempt `id` in a jobs folder, on a host whose leases are in `leases`.
    pub(in crate::world) fn of(jobs: &Path, leases: &Path, id: &JobId) -> Result<Self, Trouble> {
        Ok(Self { jobs: jobs.to_path_buf(), leases: leases.to_path_buf(), base: base(jobs, id)? })
    }

    fn mark_file(&self) -> PathBuf {
        self.base.with_extension("started")
    }

    /// The mark: nothing when there is none; one that is not whole yet, or never will be, has no content.
    fn mark(&self) -> Option<Option<JobMark>> {
        let text = match std::fs::read_to_string(self.mark_file()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            text => text.unwrap_or_default(),
        };
        Some(JobMark::parse(&text))
    }

    /// The folder of the claim under this number.
    fn claim(&self, number: u64) -> PathBuf {
        self.base.with_extension(format!("{number:010}"))
    }

    /// The claims there are, oldest first.
    fn claims(&self) -> Vec<PathBuf> {
        let (Some(effect), Some(attempt)) = (self.base.parent(), self.base.file_name()) else { return Vec::new() };
        let entries = std::fs::read_dir(effect).into_iter().flatten().flatten().map(|entry| entry.path());
        let ours = |path: &PathBuf| path.file_stem() == Some(attempt) && number_of(path).is_some() && path.is_dir();
        let mut claims: Vec<PathBuf> = entries.filter(ours).collect();
        claims.sort();
        claims
    }

    /// The folder of the claim that is carried out, or will be if any is.
    fn folder(&self) -> PathBuf {
        let marked = self.mark().flatten().map(|mark| mark.number);
        self.claim(marked.unwrap_or_else(|| leases::number_in(&self.leases).unwrap_or_default()))
    }
}

fn number_of(claim: &Path) -> Option<u64> {
    Lease::number_in(claim.extension()?.to_str()?)
}

fn base(jobs: &Path, id: &JobId) -> Result<PathBuf, Trouble> {
    let effect = format!("{}.{}", id.effect.track, id.effect.n);
    for part in [&id.run, &effect] {
        if part.is_empty() || part.starts_with('.') || part.contains('/') {
            return Err(Trouble::Refused(format!("`{part}` cannot be the name of a job's folder")));
        }
    }
    Ok(jobs.join(&id.run).join(effect).join(id.attempt.to_string()))
}

/// How a job stands, by what is in its folders, if it is of this command.
pub(in crate::world) fn look(attempt: &Attempt, boot: &str, asked: Option<&CommandDigest>) -> JobState {
    match attempt.mark() {
        None => unmarked(attempt, boot, asked),
        Some(Some(mark)) => marked(attempt, &mark, boot, asked),
        // It is being written this very moment; else whoever made it died before it had.
        Some(None) if attempt.claims().iter().any(|claim| is_locked(claim)) => JobState::Running,
        Some(None) => match attempt.mark() {
            Some(Some(mark)) => marked(attempt, &mark, boot, asked),
            Some(None) | None => JobState::Lost("its record does not say of which command it is".into()),
        },
    }
}

/// A job that no supervisor has come to, as far as can be seen.
fn unmarked(attempt: &Attempt, boot: &str, asked: Option<&CommandDigest>) -> JobState {
    // A power cut may have taken the mark, but not the claim, which was on disk before.
    if attempt.claims().iter().any(|claim| claimed_in(claim) != boot || boot.is_empty()) {
        return JobState::Lost("the host was restarted before or after it began".into());
    }
    // A claim under a lower number than the lease's is void: its supervisor will refuse.
    if is_locked(&attempt.folder()) {
        return JobState::Running;
    }
    // Its supervisor may have made the mark, and even ended, since we looked for it.
    match attempt.mark() {
        Some(Some(mark)) => marked(attempt, &mark, boot, asked),
        Some(None) => JobState::Running,
        None => JobState::Absent,
    }
}

/// A job whose supervisor came to the command.
fn marked(attempt: &Attempt, mark: &JobMark, boot: &str, asked: Option<&CommandDigest>) -> JobState {
    if asked.is_some_and(|asked| !mark.is_of(asked)) {
        return JobState::Foreign;
    }
    let folder = &attempt.claim(mark.number);
    if let Some(code) = exit_record(folder) {
        return JobState::Exited(code);
    }
    if is_locked(folder) {
        return JobState::Running;
    }
    // It may have ended between the first look and the lock.
    match exit_record(folder) {
        Some(code) => JobState::Exited(code),
        // Nobody will write how it ends, but as long as it goes on it must not be taken for gone and started anew.
        None if mark.still_runs(folder, boot) => JobState::Running,
        None if mark.boot != boot => JobState::Lost("the host was restarted while it ran".into()),
        None => JobState::Lost("its supervisor died".into()),
    }
}

/// Starts a job unless its id was started before; the reply is its state either way.
pub(in crate::world) async fn start(
    attempt: &Attempt,
    number: u64,
    boot: &str,
    (argv, asked): (&[String], &CommandDigest),
    secret: Option<&SecretValue>,
) -> Result<JobState, Trouble> {
    if argv.first().is_none_or(|program| program.is_empty() || program.starts_with('-')) {
        return Err(Trouble::Missing(format!("a job needs the name of a command, not {argv:?}")));
    }
    let folder = attempt.claim(number);
    let (mut launches, mut pause) = (0, LAUNCH_PAUSE);
    for _ in 0..START_TRIES {
        match look(attempt, boot, Some(asked)) {
            JobState::Absent if launches == LAUNCH_TRIES => break,
            JobState::Absent => {}
            state @ (JobState::Running | JobState::Exited(_) | JobState::Lost(_) | JobState::Foreign) => {
                return Ok(state);
            }
        }
        match tokio::task::block_in_place(|| claim(attempt, &folder, boot)) {
            Ok(Some(lock)) => match launch(attempt, &folder, (argv, asked), lock, secret).await {
                Ok(true) => return Ok(JobState::Running),
                Ok(false) => {
                    // Somebody else may have taken the host over, or was quicker: the next look tells.
                    if number != 0 && leases::number_in(&attempt.jobs).is_ok_and(|there| there != number) {
                        return Ok(look(attempt, boot, Some(asked)));
                    }
                    launches += 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(trouble) => return Err(trouble),
            },
            // Another start is about to claim it, or someone is looking at its lock this very moment.
            Ok(None) => tokio::time::sleep(Duration::from_millis(2)).await,
            Err(error) => {
                return Err(Trouble::Refused(format!("cannot claim `{}`: {error}", folder.display())));
            }
        }
    }
    Err(Trouble::Refused(match launches {
        LAUNCH_TRIES => {
            "its supervisor, `setsid sh`, ends before it begins: is there an `sh`, and memory and room for \
             one more process and file?"
                .to_owned()
        }
        _ => format!("`{}` is locked by another start", folder.display()),
    }))
}

/// The files of what a job wrote, if they are there.
pub(in crate::world) fn kept_output(attempt: &Attempt) -> Option<KeptOutput> {
    let out = attempt.folder().join("out");
    out.exists().then(|| KeptOutput { out: out.display().to_string(), err: "err".to_owned() })
}

/// How a job stands as soon as it does not run any more, or at `until`.
pub(in crate::world) async fn end(watches: &Arc<Watches>, clock: &Clock, attempt: &Attempt, until: Mono) -> JobState {
    // The exit record is there, blank, from the start: only its being written wakes us, not the job's output.
    let record = attempt.folder().join("exit");
    let watch = watches.watch(&record);
    loop {
        let state = look(attempt, clock.boot(), None);
        let Some(left) = clock.real_time_until(until).filter(|_| state == JobState::Running) else { return state };
        match &watch {
            Some(watch) => {
                let _ = tokio::time::timeout(left.min(SAFETY_POLL), watch.changed()).await;
            }
            None => tokio::time::sleep(left.min(SAFETY_POLL)).await,
        }
    }
}

/// Asks a running job to end, several times if need be; its state afterwards, which may still be `Running`.
pub(in crate::world) async fn terminate(watches: &Arc<Watches>, clock: &Clock, attempt: &Attempt) -> JobState {
    for _ in 0..END_TRIES {
        let state = look(attempt, clock.boot(), None);
        if state != JobState::Running {
            return state;
        }
        let group = attempt.mark().flatten().and_then(|mark| mark.group(&attempt.claim(mark.number), clock.boot()));
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::TERM);
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), end(watches, clock, attempt, Mono::NEVER)).await;
    }
    look(attempt, clock.boot(), None)
}

/// Output of a job from an offset; of a job that never wrote any, nothing.
pub(in crate::world) fn output(attempt: &Attempt, stream: Stream, from: u64, max: u64) -> Result<Vec<u8>, Trouble> {
    let name = match stream {
        Stream::Out => "out",
        Stream::Err => "err",
    };
    read_own(&attempt.folder().join(name), from, max)
}

/// Makes the folder of the claim, which succeeds once, and returns its lock; nothing when another was first.
fn claim(attempt: &Attempt, folder: &Path, boot: &str) -> std::io::Result<Option<File>> {
    let jobs = &attempt.jobs;
    // For their owner alone: who can open the lock can pretend that a job runs.
    let mut private = DirBuilder::new();
    private.mode(0o700).recursive(true).create(jobs)?;
    private.create(folder.parent().unwrap_or(jobs))?;
    let mut lock = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(lock_of(folder))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        locked => locked?,
    }
    if attempt.mark_file().exists() {
        return Ok(None);
    }
    // Its claimer died before the supervisor came to the command. After a restart of the host nothing is certain.
    if claimed_in(folder) == boot && !boot.is_empty() {
        give_back(folder);
    }
    if folder.exists() {
        return Ok(None);
    }
    // Before the folder, so that a folder without it was made before the host was restarted.
    lock.set_len(0).and_then(|()| lock.write_all(boot.as_bytes()))?;
    private.recursive(false).create(folder)?;
    // A claim that a power cut could undo would let the job be started twice.
    let durable = prepare(folder).and_then(|()| sync_up_to(jobs, folder));
    durable.inspect_err(|_| give_back(folder)).map(|()| Some(lock))
}

/// The boot in which a folder was claimed.
fn claimed_in(folder: &Path) -> String {
    std::fs::read_to_string(lock_of(folder)).unwrap_or_default()
}

/// Makes the files of an attempt, the exit record blank, so that a full disk shows now and not at the end.
fn prepare(folder: &Path) -> std::io::Result<()> {
    for (name, content) in [("out", ""), ("err", ""), ("exit", BLANK)] {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(folder.join(name))?
            .write_all(content.as_bytes())?;
    }
    Ok(())
}

/// Undoes a claim of ours whose command was not started; its lock is still held. What cannot be undone reads as lost.
fn give_back(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

fn sync_up_to(jobs: &Path, folder: &Path) -> std::io::Result<()> {
    folder.ancestors().take_while(|above| above.starts_with(jobs)).try_for_each(|dir| File::open(dir)?.sync_all())
}

/// Starts the supervisor of a claimed job and hands the lock over to it, and what its command is to read. Tells whether
/// the command is certain to be started, or that nothing is known of it yet; if not, it never will be by this one.
async fn launch(
    attempt: &Attempt,
    folder: &Path,
    (argv, asked): (&[String], &CommandDigest),
    lock: File,
    secret: Option<&SecretValue>,
) -> Result<bool, Trouble> {
    let refused = |what: &str, error: std::io::Error| {
        give_back(folder);
        Trouble::Refused(format!("{what}: {error}"))
    };
    let laid = || Ok((input(secret)?, std::io::pipe()?));
    let (input, (hears, tells)) = match laid() {
        Ok(laid) => laid,
        Err(error) => return Err(refused("the input of the command cannot be laid ready", error)),
    };
    let mut setsid = command("setsid");
    setsid.args(["sh", "-c", SHORT, "baton-job"]).arg(folder).arg(&attempt.leases).arg(asked.as_str()).args(argv);
    setsid.env("baton_supervisor", SUPERVISOR);
    setsid.stdin(lock).stdout(input).stderr(tells);
    let spawned = setsid.spawn();
    // It holds our ends of what it has got.
    drop(setsid);
    match spawned {
        Ok(mut supervisor) => {
            // Reaps it when it ends; it does not end with us.
            tokio::spawn(async move { supervisor.wait().await });
        }
        Err(error) => return Err(refused("the supervisor, `setsid sh`, cannot be started", error)),
    }
    Ok(begins(hears).await)
}

/// Whether a supervisor says that it begins; one that says nothing for long may.
async fn begins(hears: std::io::PipeReader) -> bool {
    let Ok(mut hears) = Receiver::from_owned_fd(hears.into()) else { return true };
    let mut word = vec![0; BEGUN.len()];
    match tokio::time::timeout(LAUNCH_PATIENCE, hears.read_exact(&mut word)).await {
        Ok(Ok(_)) => word == BEGUN,
        Ok(Err(_)) => false,
        Err(_) => true,
    }
}

/// Not in the folder: it is taken before that is made.
fn lock_of(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn exit_record(folder: &Path) -> Option<i32> {
    let record = std::fs::read_to_string(folder.join("exit")).ok()?;
    // Without its newline it is not whole.
    record.strip_suffix('\n')?.strip_prefix("exit ")?.trim().parse().ok()
}

fn is_locked(folder: &Path) -> bool {
    let Ok(lock) = File::open(lock_of(folder)) else { return false };
    // Shared, so that two lookers do not take each other for a supervisor.
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}
