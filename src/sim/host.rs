//! A simulated host: whether it can be reached, and the jobs that were started on it. Pure state under a time that
//! is handed in; what a job does to a product is the model's affair.

use crate::model::run::instant::Wall;
use crate::model::value::{Fields, Value};
use crate::world::lease::{Lease, Runner};
use crate::world::{JobId, JobState, Stream, Trouble};
use std::cell::Cell;
use std::collections::BTreeMap;

/// A host.
#[derive(Debug, Clone, Default)]
pub(super) struct SimHost {
    /// It cannot be reached before this time.
    pub(super) down_until: Wall,
    pub(super) jobs: BTreeMap<JobId, SimJob>,
    /// How often it has restarted.
    pub(super) restarts: u32,
    /// How often it had restarted when it was last asked about that.
    told: Cell<Option<u32>>,
    /// The last one that was taken.
    pub(super) lease: Option<Lease>,
}

/// A job. How it ends is settled when it starts.
#[derive(Debug, Clone)]
pub(super) struct SimJob {
    pub(super) ends_at: Wall,
    pub(super) end: JobState,
    pub(super) output: String,
}

impl SimHost {
    pub(super) fn is_down(&self, now: Wall) -> bool {
        now < self.down_until
    }

    /// At most `max` bytes of what an ended job wrote, from an offset.
    pub(super) fn output(&self, job: &JobId, (stream, from, max): (Stream, u64, u64), now: Wall) -> Vec<u8> {
        match (stream, self.jobs.get(job).filter(|job| job.ends_at <= now)) {
            (Stream::Out, Some(job)) => {
                let bytes = job.output.as_bytes().iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
                bytes.take(usize::try_from(max).unwrap_or(usize::MAX)).copied().collect()
            }
            (Stream::Out, None) | (Stream::Err, _) => Vec::new(),
        }
    }

    /// Whatever a simulated command does, it does as the account that it is to be done as.
    pub(super) fn prove(&mut self, job: &JobId, proof: &str) {
        if let Some(record) = self.jobs.get_mut(job).filter(|record| !record.output.starts_with(proof)) {
            record.output.insert_str(0, proof);
        }
    }

    /// Whether it has restarted since it was last asked about that.
    pub(super) fn has_restarted(&self) -> bool {
        self.told.get().is_some_and(|told| told != self.restarts)
    }

    /// How a job stands.
    pub(super) fn state(&self, job: &JobId, now: Wall) -> JobState {
        match self.jobs.get(job) {
            None => JobState::Absent,
            Some(job) if now < job.ends_at => JobState::Running,
            Some(job) => job.end.clone(),
        }
    }

    /// Gives the lease to a runner.
    pub(super) fn take(&mut self, name: &str, runner: &Runner, now: String, force: bool) -> Result<u64, Trouble> {
        let lease = Lease::next(self.lease.as_ref(), runner, now, force, name).map_err(Trouble::Leased)?;
        Ok(self.lease.insert(lease).number)
    }

    /// Takes the lease back from a runner whose run holds it.
    pub(super) fn release(&mut self, runner: &Runner) -> u64 {
        match &mut self.lease {
            Some(lease) if lease.is_of(runner) && !lease.released => {
                lease.released = true;
                lease.number
            }
            Some(_) | None => 0,
        }
    }

    /// What a command that reads something of the host itself tells: exit code and output.
    pub(super) fn tells(&self, what: &str, args: &Fields) -> Option<(i32, String)> {
        let boot = format!("boot-{}", self.restarts + 1);
        match what {
            "boot_id" => {
                self.told.set(Some(self.restarts));
                Some((0, boot))
            }
            "rebooted" => {
                let same = args.get("since").and_then(Value::as_text) == Some(boot.as_str());
                Some((i32::from(same), String::new()))
            }
            _ => None,
        }
    }

    /// The host restarts: what runs on it is lost.
    pub(super) fn restart(&mut self, now: Wall, back_at: Wall) {
        self.down_until = self.down_until.max(back_at);
        self.restarts += 1;
        for job in self.jobs.values_mut().filter(|job| now < job.ends_at) {
            job.ends_at = now;
            job.end = JobState::Lost("the host has restarted since the job began".into());
        }
    }
}
