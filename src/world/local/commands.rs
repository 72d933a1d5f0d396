//! Runs commands of a local host that only read, with a limit and a cap; and says in which surroundings any command of
//! a local host runs. It must not start what changes something: that is the agent's.

use crate::model::run::instant::Mono;
use crate::world::clock::Clock;
use crate::world::secrets::secret_value::SecretValue;
use crate::world::{PROBE_BYTES_MAX, Probed, Trouble};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What a command sees of the runner's environment; the rest could differ from one runner to the next.
const ENVIRONMENT: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"];

/// How long output is still read when the command has ended but something it left behind holds the pipe.
const DRAIN: Duration = Duration::from_millis(100);

/// A command in the surroundings every command of a local host gets: the allowed environment, no input, and the home
/// folder, as a login over SSH would have it.
pub(in crate::world) fn command(program: &str) -> Command {
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

/// What a command reads from its standard input: nothing, or a secret that lies whole in a pipe.
fn input(secret: Option<&SecretValue>) -> std::io::Result<Stdio> {
    let Some(secret) = secret else { return File::open("/dev/null").map(Stdio::from) };
    let (reader, mut writer) = std::io::pipe()?;
    // A pipe that is smaller than it should be must not hold us.
    fcntl_setfl(&writer, OFlags::NONBLOCK)?;
    writer.write_all(secret.reveal())?;
    Ok(reader.into())
}

/// Runs a probe to its end, or kills it at `until`.
pub(in crate::world) async fn probe(
    clock: &Clock,
    argv: &[String],
    secret: Option<&SecretValue>,
    until: Mono,
) -> Result<Probed, Trouble> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Trouble::Missing("the probe has no command".into()));
    };
    let Some(left) = clock.real_time_until(until) else { return Err(Trouble::Late) };
    let input = input(secret)
        .map_err(|error| Trouble::Refused(format!("the input of `{program}` cannot be laid ready: {error}")))?;
    let mut command = command(program);
    command
        .args(arguments)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    match timeout(left, run(&mut child)).await {
        Ok(Ok((status, out, err))) => Ok(Probed { exit: exit_code(status), out, err }),
        Ok(Err(error)) => Err(Trouble::Lost(format!("`{program}` cannot be waited for: {error}"))),
        Err(_) => {
            kill(&child);
            Err(Trouble::Late)
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
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = {
        // Read by whoever waits for the end of it: on a busy machine a task of its own may not have had its turn when
        // the time for what is left is over, and what was printed would be lost.
        let mut reading = pin!(async { tokio::join!(keep(stdout, &mut out), keep(stderr, &mut err)) });
        let mut at_end = false;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                _ = &mut reading, if !at_end => at_end = true,
            }
        };
        if !at_end {
            let _ = timeout(DRAIN, &mut reading).await;
        }
        status
    };
    Ok((status, out, err))
}

/// Reads a pipe to its end and keeps the first [`PROBE_BYTES_MAX`] bytes.
async fn keep(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        let room = PROBE_BYTES_MAX - kept.len();
        kept.extend_from_slice(&chunk[..count.min(room)]);
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
