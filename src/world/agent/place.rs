//! Where a host keeps what it knows of jobs, and its leases, as an agent is told. Pure.

/// Where a host keeps what it knows of jobs, and its leases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::world) struct RecordPlace {
    /// The folder of its job records; empty for `.baton` in the home folder.
    pub(in crate::world) jobs: String,
    /// The folder of its leases; empty for the one that lies with the jobs.
    pub(in crate::world) leases: String,
    /// All accounts of the machine have that folder in common.
    pub(in crate::world) is_shared: bool,
    /// Whoever asks has looked himself at whose hands the folders are in.
    pub(in crate::world) is_checked: bool,
}

impl RecordPlace {
    /// The words of it, in the order in which `main.sh` reads them.
    pub(super) fn words(&self) -> [&str; 4] {
        let shared = if self.is_shared { "shared" } else { "own" };
        let checked = if self.is_checked { "checked" } else { "-" };
        [&self.jobs, &self.leases, shared, checked]
    }

    /// The folder of the jobs, as a person finds it.
    pub(super) fn shown(&self) -> &str {
        if self.jobs.is_empty() { "~/.baton" } else { &self.jobs }
    }
}
