//! Runs commands of a local host that only read, with a limit and a cap; and says in which surroundings any command of
//! a local host runs. It must not start what changes something: that is the job wrapper's.

use super::clock::Clock;
use super::{PROBE_BYTES_MAX, Reply, Trouble};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// What a command sees of the runner's environment; the rest could differ from one runner to the next.
const ENVIRONMENT: [&str; 7] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "TMPDIR"];

/// How long output is still read when the command has ended but something it left behind holds the pipe.
const DRAIN: Duration = Duration::from_millis(100);

/// A command in the surroundings every command of a local host gets: the allowed environment, no input, and the home
/// folder, as a login over SSH would have it.
pub(super) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_dir());
    command.current_dir(home.unwrap_or_else(|| PathBuf::from("/")));
    command
}

/// Runs a probe to its end, or kills it at `until`.
pub(super) async fn probe(clock: &Clock, argv: &[String], until: u64) -> Reply {
    let Some((program, arguments)) = argv.split_first() else {
        return Reply::Trouble(Trouble::Missing("the probe has no command".into()));
    };
    let Some(left) = clock.real_time_until(until) else { return Reply::Trouble(Trouble::Late) };
    let mut command = command(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Reply::Trouble(not_started(program, &error)),
    };
    match tokio::time::timeout(left, run(&mut child)).await {
        Ok(Ok((status, out, err))) => Reply::Probed { exit: exit_code(status), out, err },
        Ok(Err(error)) => Reply::Trouble(Trouble::Lost(format!("`{program}` cannot be waited for: {error}"))),
        Err(_) => {
            kill(&child);
            Reply::Trouble(Trouble::Late)
        }
    }
}

/// Why a command could not be started.
fn not_started(program: &str, error: &std::io::Error) -> Trouble {
    if error.kind() == ErrorKind::NotFound {
        Trouble::Missing(format!("there is no command `{program}`"))
    } else {
        Trouble::Refused(format!("`{program}` cannot be started: {error}"))
    }
}

async fn run(child: &mut Child) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (out, err) = (Collector::spawn(child.stdout.take()), Collector::spawn(child.stderr.take()));
    let status = child.wait().await?;
    Ok((status, out.finish().await, err.finish().await))
}

/// Reads a pipe to its end and keeps the first [`PROBE_BYTES_MAX`] bytes.
struct Collector {
    kept: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Collector {
    fn spawn(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let kept = Arc::<Mutex<Vec<u8>>>::default();
        let keep = Arc::clone(&kept);
        let reading = tokio::spawn(async move {
            let Some(mut pipe) = pipe else { return };
            let mut chunk = vec![0; 16 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
                let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
                let room = PROBE_BYTES_MAX - kept.len();
                kept.extend_from_slice(&chunk[..count.min(room)]);
            }
        });
        Self { kept, reading }
    }

    async fn finish(mut self) -> Vec<u8> {
        if tokio::time::timeout(DRAIN, &mut self.reading).await.is_err() {
            self.reading.abort();
        }
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn kill(child: &Child) {
    if let Some(group) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // Fails when it has ended by itself this very moment.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}
