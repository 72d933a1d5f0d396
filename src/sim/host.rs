//! A simulated host: whether it can be reached, and the jobs that were started on it. Pure state under a time that
//! is handed in; what a job does to a product is the model's affair.

use crate::world::{JobId, JobState};
use std::collections::BTreeMap;

/// A host. Times are milliseconds of the simulation.
#[derive(Debug, Default)]
pub(super) struct SimHost {
    /// It cannot be reached before this time.
    pub(super) down_until: u64,
    pub(super) jobs: BTreeMap<JobId, SimJob>,
}

/// A job. How it ends is settled when it starts.
#[derive(Debug)]
pub(super) struct SimJob {
    pub(super) ends_at: u64,
    pub(super) end: JobState,
    pub(super) output: String,
}

impl SimHost {
    pub(super) fn is_down(&self, now: u64) -> bool {
        now < self.down_until
    }

    /// How a job stands.
    pub(super) fn state(&self, job: &JobId, now: u64) -> JobState {
        match self.jobs.get(job) {
            None => JobState::Absent,
            Some(job) if now < job.ends_at => JobState::Running,
            Some(job) => job.end.clone(),
        }
    }

    /// The host restarts: what runs on it is lost.
    pub(super) fn restart(&mut self, now: u64, back_at: u64) {
        self.down_until = self.down_until.max(back_at);
        for job in self.jobs.values_mut().filter(|job| now < job.ends_at) {
            job.ends_at = now;
            job.end = JobState::Lost("the host has restarted since the job began".into());
        }
    }
}
