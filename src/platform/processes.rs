//! The processes of a lab: one child for each service that runs, and the lab itself, which outlives who started it.
//! It must not start anything on behalf of a runbook: that is a job.

use crate::error::{Error, Kind, Result};
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The children of this process. They end when it does, if they read their input: it closes then.
#[derive(Debug, Default)]
pub struct Processes {
    children: BTreeMap<u32, Child>,
}

impl Processes {
    /// Starts a child with a group of its own, so that an interrupt at the terminal is not for it. Returns its id.
    ///
    /// # Errors
    /// `Failed` when it cannot be started.
    pub fn start(&mut self, program: &Path, args: &[String]) -> Result<u32> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let child = command.spawn().map_err(|error| not_started(program, &error))?;
        let id = child.id();
        self.children.insert(id, child);
        Ok(id)
    }

    /// Whether this child still runs.
    pub fn alive(&mut self, id: u32) -> bool {
        self.children.get_mut(&id).is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Kills this child, if it still runs, and waits until it is gone.
    pub fn end(&mut self, id: u32) {
        if let Some(mut child) = self.children.remove(&id) {
            // Fails when it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        let ids: Vec<u32> = self.children.keys().copied().collect();
        ids.into_iter().for_each(|id| self.end(id));
    }
}

/// Starts a program in a session of its own that outlives this process and its terminal. What it writes is added to
/// the file `log`.
///
/// # Errors
/// `Failed` when it cannot be started or the file cannot be written.
pub fn start_detached(program: &Path, args: &[String], log: &Path) -> Result<()> {
    let failed = |error| not_started(program, &error);
    let out = std::fs::OpenOptions::new().append(true).create(true).open(log).map_err(failed)?;
    let err = out.try_clone().map_err(failed)?;
    // `--fork`, so that no child of ours is left for us to wait for.
    let mut setsid = Command::new("setsid");
    setsid.arg("--fork").arg(program).args(args).stdin(Stdio::null()).stdout(out).stderr(err);
    let status = setsid.status().map_err(failed)?;
    if !status.success() {
        return Err(not_started(program, &std::io::Error::other(status.to_string())));
    }
    Ok(())
}

/// The process that started this one.
#[must_use]
pub fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |id| id.as_raw_nonzero().get().unsigned_abs())
}

/// Whether a process has ended, as far as can be seen; nobody need have taken note of that.
#[must_use]
pub fn is_gone(id: u32) -> bool {
    // 12 (a name) S …
    let about = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = about.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, None | Some('Z' | 'X'))
}

fn not_started(program: &Path, error: &std::io::Error) -> Box<Error> {
    Error::new(Kind::Failed, format!("cannot start `{}`", program.display())).cause(error)
}
