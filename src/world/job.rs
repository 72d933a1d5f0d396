//! Jobs of a local host: started at most once under the wrapper `job.sh`, looked at through what it leaves in the job's
//! folder, ended by a signal to its group. It must not guess: what the folder does not prove is [`JobState::Lost`].

use super::clock::Clock;
use super::commands::{command, not_started};
use super::files::read_own;
use super::watches::Watches;
use super::{JobId, JobState, Reply, Stream, Trouble};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// The supervisor of a job, in POSIX shell: arguments are the folder of the attempt and the command.
pub const WRAPPER: &str = include_str!("job.sh");

/// How often a running job is looked at when the kernel reports nothing, as when its supervisor was killed.
const SAFETY_POLL: Duration = Duration::from_millis(50);
/// How often, a second apart, a job is asked to end before it is reported as still running.
const END_TRIES: u32 = 5;
/// How often a start is sent when another one was about to claim the job but has not.
const START_TRIES: u32 = 100;

/// The folder of a job's attempt: `<jobs>/<run>/<track>.<n>/<attempt>`.
pub(super) fn folder(jobs: &Path, id: &JobId) -> Result<PathBuf, Trouble> {
    let effect = format!("{}.{}", id.effect.track, id.effect.n);
    for part in [&id.run, &effect] {
        if part.is_empty() || part.starts_with('.') || part.contains('/') {
            return Err(Trouble::Refused(format!("`{part}` cannot be the name of a job's folder")));
        }
    }
    Ok(jobs.join(&id.run).join(effect).join(id.attempt.to_string()))
}

/// How a job stands, by what is in its folder.
pub(super) fn look(folder: &Path, boot: &str) -> JobState {
    if let Some(code) = exit_record(folder) {
        return JobState::Exited(code);
    }
    if !folder.is_dir() {
        return JobState::Absent;
    }
    // The lock is taken before the folder is made, so that a folder without a lock has no supervisor any more.
    if is_locked(folder) {
        return JobState::Running;
    }
    // It may have ended between the first look and the lock.
    exit_record(folder).map_or_else(|| JobState::Lost(loss(folder, boot)), JobState::Exited)
}

/// Starts a job unless its id was started before; the reply is its state either way.
pub(super) async fn start(jobs: &Path, folder: &Path, boot: &str, argv: &[String]) -> Reply {
    if argv.first().is_none_or(|program| program.is_empty() || program.starts_with('-')) {
        return Reply::Trouble(Trouble::Missing(format!("a job needs the name of a command, not {argv:?}")));
    }
    if let Err(error) = make_parents(jobs, folder) {
        return Reply::Trouble(Trouble::Refused(format!("cannot make `{}`: {error}", folder.display())));
    }
    for _ in 0..START_TRIES {
        match look(folder, boot) {
            JobState::Absent => {}
            state @ (JobState::Running | JobState::Exited(_) | JobState::Lost(_)) => return Reply::Job(state),
        }
        match launch(folder, argv).await {
            Ok(said) if said.starts_with("claimed") => return Reply::Job(JobState::Running),
            Ok(said) if said.starts_with("taken") => tokio::time::sleep(Duration::from_millis(2)).await,
            Ok(said) => return without_claim(look(folder, boot), &said),
            Err(trouble) => return Reply::Trouble(trouble),
        }
    }
    Reply::Trouble(Trouble::Refused(format!("`{}` is locked by another start", folder.display())))
}

/// How a job stands as soon as it does not run any more, or at `until`.
pub(super) async fn end(watches: &Arc<Watches>, clock: &Clock, folder: &Path, until: u64) -> JobState {
    // The exit record is there, blank, from the start: only its being written wakes us, not the job's output.
    let record = folder.join("exit");
    let watch = watches.watch(&record);
    loop {
        let state = look(folder, clock.boot());
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
pub(super) async fn terminate(watches: &Arc<Watches>, clock: &Clock, folder: &Path) -> JobState {
    for _ in 0..END_TRIES {
        let state = look(folder, clock.boot());
        if state != JobState::Running {
            return state;
        }
        // The supervisor lives, so the number is still its own.
        if let Some((_, Some(group))) = started(folder) {
            let _ = kill_process_group(group, Signal::TERM);
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), end(watches, clock, folder, u64::MAX)).await;
    }
    look(folder, clock.boot())
}

/// Output of a job from an offset; of a job that never wrote any, nothing.
pub(super) fn output(folder: &Path, stream: Stream, from: u64, max: u64) -> Reply {
    let name = match stream {
        Stream::Out => "out",
        Stream::Err => "err",
    };
    match read_own(&folder.join(name), from, max) {
        Ok(bytes) => Reply::Bytes(bytes),
        Err(trouble) => Reply::Trouble(trouble),
    }
}

/// The job's folders are for their owner alone: who can open the lock can pretend that a job runs.
fn make_parents(jobs: &Path, folder: &Path) -> std::io::Result<()> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700).create(jobs)?;
    folder.parent().map_or(Ok(()), |parent| private.create(parent))
}

/// Starts the wrapper and returns what it says: `claimed`, `taken`, or why nothing was started.
async fn launch(folder: &Path, argv: &[String]) -> Result<String, Trouble> {
    let mut setsid = command("setsid");
    setsid.args(["sh", "-c", WRAPPER, "baton-job"]).arg(folder).args(argv);
    setsid.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut supervisor = setsid.spawn().map_err(|error| match not_started("setsid", &error) {
        Trouble::Missing(_) => Trouble::Refused("jobs need `setsid` of util-linux on the host".into()),
        other @ (Trouble::Unreachable(_) | Trouble::Late | Trouble::Refused(_) | Trouble::Lost(_)) => other,
    })?;
    let (out, err) = (supervisor.stdout.take(), supervisor.stderr.take());
    // Reaps it when it ends; it does not end with us.
    tokio::spawn(async move { supervisor.wait().await });
    let mut said = Vec::new();
    if let Some(mut out) = out {
        // One word and a newline in one write; the pipe stays open no longer than that.
        let _ = out.read_buf(&mut said).await;
    }
    if said.is_empty()
        && let Some(mut err) = err
    {
        let _ = err.read_to_end(&mut said).await;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The wrapper ended without a word: it was refused, or it died between claiming and saying so.
fn without_claim(state: JobState, said: &str) -> Reply {
    match state {
        JobState::Absent => Reply::Trouble(Trouble::Refused(format!("the job cannot be started: {}", said.trim()))),
        JobState::Running | JobState::Exited(_) | JobState::Lost(_) => Reply::Job(state),
    }
}

fn exit_record(folder: &Path) -> Option<i32> {
    let record = std::fs::read_to_string(folder.join("exit")).ok()?;
    // Without its newline it is not whole.
    record.strip_suffix('\n')?.strip_prefix("exit ")?.trim().parse().ok()
}

fn is_locked(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.with_extension("lock")) else { return false };
    // Shared, so that two lookers do not take each other for a supervisor.
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}

/// The boot and the process group a job was started in.
fn started(folder: &Path) -> Option<(String, Option<Pid>)> {
    let text = std::fs::read_to_string(folder.join("started")).ok()?;
    let (boot, group) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((boot.to_owned(), group.parse().ok().and_then(Pid::from_raw)))
}

fn loss(folder: &Path, boot: &str) -> String {
    match started(folder) {
        None => "it was claimed but never launched".into(),
        Some((then, _)) if then != boot => "the host was restarted while it ran".into(),
        Some((_, Some(group))) if test_kill_process_group(group).is_ok() => {
            format!("its supervisor died; processes of its group {} still run", group.as_raw_nonzero())
        }
        Some(_) => "its supervisor died".into(),
    }
}
