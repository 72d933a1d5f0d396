//! How a runner holds the time of a lab: it says up to when time may pass without it. While it works, or has something
//! under way that is not a wait, not at all; while it only waits, up to the first moment it waits for. A runner that
//! dies holds nothing. It must not let time pass: that is `lab_time`'s.

use crate::model::run::instant::Mono;
use crate::world::Ticket;
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file in the lab's folder: locked by the runner that acts there while it lives, with the moment in it.
const FILE: &str = "runner";
/// The moment of a runner that is at work.
const NOT_AT_ALL: Mono = Mono(0);

/// A request under way: which world's, and which.
type Of = (u64, Ticket);

/// The runner's end.
#[derive(Debug)]
pub struct Pace {
    file: File,
    worlds: AtomicU64,
    state: Mutex<PaceState>,
}

#[derive(Debug)]
struct PaceState {
    locked: bool,
    /// Whether the runner itself is at work.
    busy: bool,
    /// What is under way: at work, or waiting for this moment.
    requests: BTreeMap<Of, Option<Mono>>,
    told: Option<Mono>,
}

impl Pace {
    /// From now on the time of the lab in `folder` waits for this process.
    ///
    /// # Errors
    /// When there is no such folder, or it cannot be written.
    pub fn begin(folder: &Path) -> std::io::Result<Self> {
        let state = Mutex::new(PaceState { locked: false, busy: true, requests: BTreeMap::new(), told: None });
        let pace = Self { file: open(folder)?, worlds: AtomicU64::new(0), state };
        pace.tell(&mut pace.state());
        Ok(pace)
    }

    /// A number for a world of this process.
    pub(in crate::world) fn new_world(&self) -> u64 {
        self.worlds.fetch_add(1, Ordering::Relaxed)
    }

    /// The runner waits for what is under way.
    pub(in crate::world) fn idle(&self) {
        self.change(|state| state.busy = false);
    }

    /// The runner is at work again.
    pub(in crate::world) fn busy(&self) {
        self.change(|state| state.busy = true);
    }

    /// A request is under way.
    pub(in crate::world) fn submitted(&self, of: Of) {
        self.change(|state| {
            state.requests.insert(of, None);
        });
    }

    /// It only waits from now on, for this moment at the latest.
    pub(in crate::world) fn waits(&self, of: Of, until: Mono) {
        self.change(|state| {
            if let Some(request) = state.requests.get_mut(&of) {
                *request = Some(until);
            }
        });
    }

    /// Something has come of it, which the runner has not taken note of yet.
    pub(in crate::world) fn came(&self, of: Of) {
        self.change(|state| {
            if let Some(request) = state.requests.get_mut(&of) {
                *request = None;
            }
        });
    }

    /// It is over, or nobody wants to know.
    pub(in crate::world) fn over(&self, of: Of) {
        self.change(|state| {
            state.requests.remove(&of);
        });
    }

    /// A world is gone, with all that was under way in it.
    pub(in crate::world) fn end_world(&self, world: u64) {
        self.change(|state| state.requests.retain(|(of, _), _| *of != world));
    }

    fn change(&self, change: impl FnOnce(&mut PaceState)) {
        let mut state = self.state();
        change(&mut state);
        self.tell(&mut state);
    }

    fn state(&self) -> MutexGuard<'_, PaceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: &mut PaceState) {
        // A former runner may hold it for a moment.
        state.locked = state.locked || flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok();
        let waits = state.requests.values().map(|request| request.unwrap_or(NOT_AT_ALL)).min();
        let until = if state.busy { NOT_AT_ALL } else { waits.unwrap_or(Mono::NEVER) };
        // A lab that is gone has no time to be held.
        if state.told != Some(until) && self.file.write_all_at(&written(until).to_ne_bytes(), 0).is_ok() {
            state.told = Some(until);
        }
    }
}

/// The lab's end: looks whether a runner holds its time.
#[derive(Debug)]
pub(in crate::world) struct PaceWatch(File);

impl PaceWatch {
    /// Of the lab in `folder`.
    pub(in crate::world) fn open(folder: &Path) -> std::io::Result<Self> {
        open(folder).map(Self)
    }

    /// Up to when time may pass; nothing when nobody acts in the lab.
    pub(in crate::world) fn until(&self) -> Option<Mono> {
        if flock(&self.0, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = flock(&self.0, FlockOperation::Unlock);
            return None;
        }
        let mut until = [0; 8];
        self.0.read_exact_at(&mut until, 0).ok()?;
        Some(Mono(u64::try_from(i64::from_ne_bytes(until)).unwrap_or(0)))
    }
}

fn open(folder: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(folder.join(FILE))
}

/// An instant as it stands in the file.
fn written(until: Mono) -> i64 {
    i64::try_from(until.0).unwrap_or(i64::MAX)
}
