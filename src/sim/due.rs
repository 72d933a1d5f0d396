//! Replies that are still to come in a simulated site. It must not decide what they say.

use crate::world::{CameBack, JobId};

/// A reply to come.
#[derive(Debug)]
pub(super) enum Due {
    /// It is settled, and comes from this host.
    Ready(Option<String>, CameBack),
    /// How a job stands when the time has come.
    Job(String, JobId),
    /// What is in a folder that must be there, when the time has come.
    Folder(String, String),
    /// What is in a folder when the time has come.
    Listing(String, String),
    /// The same, and at once if something changes there.
    Changed(String, String),
}

impl Due {
    pub(super) fn waits_for(&self, host: &str, dir: &str) -> bool {
        match self {
            Self::Changed(on, folder) => on == host && folder == dir,
            Self::Ready(..) | Self::Job(..) | Self::Folder(..) | Self::Listing(..) => false,
        }
    }

    /// What it becomes when what it waits for has come.
    pub(super) fn changed(self) -> Self {
        match self {
            Self::Changed(host, dir) => Self::Listing(host, dir),
            Self::Ready(..) | Self::Job(..) | Self::Folder(..) | Self::Listing(..) => self,
        }
    }

    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Ready(host, _) => host.as_deref(),
            Self::Job(host, _) | Self::Folder(host, _) | Self::Listing(host, _) | Self::Changed(host, _) => Some(host),
        }
    }
}
