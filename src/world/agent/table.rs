//! What this process knows of the jobs of a host: which it has asked for, which run, how some have ended. It asks
//! nobody.

use super::ends::JobEnd;
use crate::world::JobId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tokio::sync::watch;

/// How many ends of jobs are kept for those who ask for the output.
const ENDS_KEPT: usize = 64;

/// What this process knows of jobs.
#[derive(Debug, Default)]
pub(super) struct JobTable {
    /// Jobs whose end is being waited for.
    pub(super) running: BTreeMap<JobId, watch::Receiver<JobNews>>,
    /// The boot of the host in which a job was asked for whose end is not known yet.
    pub(super) asked: BTreeMap<JobId, String>,
    /// Jobs that the host is known to have begun, as long as their end is not known.
    pub(super) begun: BTreeSet<JobId>,
    ends: VecDeque<(JobId, JobEnd)>,
    /// How many agents supervise a job.
    pub(super) busy: usize,
}

/// What was heard of a job that runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JobNews {
    Nothing,
    Ended(i32),
    /// The host cannot tell how: why.
    Lost(String),
    /// The link broke, or what came makes no sense: the host has to be asked again.
    Silence,
}

impl JobTable {
    /// Takes down how a job ended.
    pub(super) fn keep(&mut self, job: JobId, end: JobEnd) {
        self.asked.remove(&job);
        self.begun.remove(&job);
        self.ends.push_back((job, end));
        if self.ends.len() > ENDS_KEPT {
            self.ends.pop_front();
        }
    }

    /// How a job ended, if that is known still.
    pub(super) fn end_of(&self, job: &JobId) -> Option<&JobEnd> {
        self.ends.iter().find(|(of, _)| of == job).map(|(_, end)| end)
    }
}
