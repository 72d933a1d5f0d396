//! The lease of this machine, which all its accounts and state folders share: a machine has one, whatever its hosts are
//! called in an inventory. It names the journal of its run, so that a run whose journal is gone, or is a copy, can be
//! told. The hosts of a lab are not the machine: theirs lie with their jobs. It must not take one: that is the agent's.

use super::lease::{Lease, Runner};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the lease of this machine lies, and the journal of whoever takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineLease {
    folder: PathBuf,
    /// The state folder with the journal.
    state: PathBuf,
}

impl MachineLease {
    /// In this folder, for a run of the journal in `state`.
    pub(in crate::world) fn new(folder: PathBuf, state: PathBuf) -> Self {
        Self { folder, state }
    }

    /// The folder of the leases of this machine: fixed, whoever asks, and there after a restart.
    #[must_use]
    pub fn of_machine() -> PathBuf {
        let lasting = Path::new("/var/tmp");
        if lasting.is_dir() { lasting.join("baton-leases") } else { PathBuf::from("/tmp/baton-leases") }
    }

    /// Whether nobody can go on with the run of a lease: the journal it is in is gone. One that cannot be looked for
    /// may be there.
    #[must_use]
    pub fn is_void(lease: &Lease) -> bool {
        let journal = lease.state.as_ref().map(|state| Path::new(state).join("journal.db"));
        let missing = |path: PathBuf| path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        journal.is_some_and(missing)
    }

    /// Whether the run of this runner went on, and perhaps ended, in another state folder that is still there: this one
    /// is a copy of that, or that one of this.
    pub(in crate::world) fn went_on_elsewhere(&self, there: &Lease, runner: &Runner) -> bool {
        let (Some(theirs), true) = (&there.state, runner.run == there.runner.run) else { return false };
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        !Self::is_void(there) && real(Path::new(theirs)) != real(&self.state)
    }

    /// Where it lies.
    pub(in crate::world) fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// The state folder as a lease tells it.
    pub(in crate::world) fn state(&self) -> String {
        self.state.display().to_string()
    }
}
