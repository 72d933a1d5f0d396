//! The time of a lab. It is the lab's process that lets it pass, in small steps, each when everything that was due
//! before has been done; whoever acts in the lab reads it from a file, and may hold it by another one (`pace`). So a
//! rehearsal on a busy machine takes longer, and is the same. It must not know what happens in the lab.

use super::pace;
use crate::error::{Error, Kind, Result};
use crate::model::run::instant::Wall;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The file in the lab's folder that tells the time, locked while the lab lives.
const FILE: &str = "clock";
/// How often the lab looks whether it may go on while somebody acts in it. The step of its time.
const TICK: Duration = Duration::from_millis(1);
/// The most real time that counts at once while somebody acts in it: what is more, the machine was busy with.
const SLICE: Duration = Duration::from_millis(3);
/// The longest sleep while nobody does: a service process that was killed from outside must be noticed.
const GLANCE: Duration = Duration::from_millis(100);
/// The most real time that counts at once while nobody does.
const LONG_SLICE: Duration = Duration::from_millis(150);
/// After this long without a change it is looked whether the lab still lives.
const STILL: Duration = Duration::from_secs(1);

/// The lab's end: lets time pass.
#[derive(Debug)]
pub struct Timekeeper {
    file: File,
    held_by: pace::PaceWatch,
    /// The time, in microseconds since 1970.
    at: i64,
    /// How much of it may still pass for the real time that has.
    credit: i64,
    looked: Instant,
    /// Whether somebody acts in the lab.
    attended: bool,
    speed: i64,
}

impl Timekeeper {
    /// Begins the time of the lab in `folder` at `origin`. A real second counts for `speed` seconds at the most.
    ///
    /// # Errors
    /// `Failed` when its files cannot be made, `Refused` when a lab lives there.
    pub fn begin(folder: &Path, speed: u32, origin: Wall) -> Result<Self> {
        let path = folder.join(FILE);
        let failed = |error: std::io::Error| {
            Error::new(Kind::Failed, format!("cannot keep time in `{}`", path.display())).cause(error)
        };
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
        let file = options.open(&path).map_err(failed)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Error::new(Kind::Refused, format!("a lab lives in `{}` already", folder.display())));
        }
        let held_by = pace::PaceWatch::open(folder).map_err(failed)?;
        let (at, speed) = (micros(origin), i64::from(speed.max(1)));
        let keeper = Self { file, held_by, at, credit: 0, looked: Instant::now(), attended: false, speed };
        keeper.tell().map_err(failed)?;
        Ok(keeper)
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Wall {
        Wall(self.at / 1000)
    }

    /// Up to when time may pass now: not at all when it is `held`, and never past `stop`, when something is due.
    pub fn next(&mut self, held: bool, stop: Option<Wall>) -> Wall {
        let real = self.looked.elapsed();
        self.looked = Instant::now();
        let bound = self.held_by.until();
        self.attended = bound.is_some();
        let most = if self.attended { SLICE } else { LONG_SLICE };
        let earned = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX).saturating_mul(self.speed);
        self.credit = self.credit.saturating_add(earned(real)).min(earned(most));
        let bound = bound.map_or(i64::MAX, |until| i64::try_from(until.0.saturating_mul(1000)).unwrap_or(i64::MAX));
        if held || bound <= self.at {
            // What passes while it is held is lost: nobody catches up.
            self.credit = 0;
            return self.now();
        }
        let stop = stop.map(micros).filter(|stop| *stop > self.at).unwrap_or(i64::MAX);
        let next = self.at.saturating_add(self.credit).min(bound).min(stop);
        self.credit -= next - self.at;
        self.at = next;
        self.now()
    }

    /// Everybody may know what time it is: what was due by then is done.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn tell(&self) -> std::io::Result<()> {
        let mut both = self.at.to_ne_bytes().to_vec();
        both.extend((!self.at).to_ne_bytes());
        self.file.write_all_at(&both, 0)
    }

    /// How long to wait, in real time, before time may pass again.
    #[must_use]
    pub fn pause(&self, stop: Option<Wall>) -> Duration {
        if self.credit >= 1000 {
            return Duration::ZERO;
        }
        if self.attended {
            return TICK;
        }
        let left = stop.map_or(i64::MAX, |stop| micros(stop).saturating_sub(self.at) / self.speed);
        Duration::from_micros(u64::try_from(left).unwrap_or(0)).clamp(TICK, GLANCE)
    }
}

/// Everybody else's end: tells the time.
#[derive(Debug)]
pub struct LabTime {
    file: File,
    speed: i64,
    seen: Mutex<ClockReading>,
}

/// What was read last.
#[derive(Debug)]
struct ClockReading {
    at: i64,
    since: Instant,
    /// When the lab was found dead: its time goes on by itself, so that nobody waits for ever.
    ended: Option<Instant>,
}

impl LabTime {
    /// The time of the lab in `folder`, in which a real second counts for `speed` seconds at the most.
    ///
    /// # Errors
    /// When no lab has lived there.
    pub fn open(folder: &Path, speed: u32) -> std::io::Result<Self> {
        let file = File::open(folder.join(FILE))?;
        let at = read(&file).unwrap_or_default();
        let seen = Mutex::new(ClockReading { at, since: Instant::now(), ended: None });
        Ok(Self { file, speed: i64::from(speed.max(1)), seen })
    }

    /// How many seconds pass in a real one, at the most.
    pub(in crate::world) fn speed(&self) -> u64 {
        self.speed.unsigned_abs()
    }

    /// What time it is, in microseconds since 1970. It never goes back.
    pub(in crate::world) fn micros(&self) -> i64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = read(&self.file).filter(|at| *at > seen.at && seen.ended.is_none()) {
            *seen = ClockReading { at, since: Instant::now(), ended: None };
        } else if seen.ended.is_none() && seen.since.elapsed() > STILL {
            seen.since = Instant::now();
            let lives = flock(&self.file, FlockOperation::NonBlockingLockShared).is_err();
            seen.ended = (!lives).then(Instant::now);
        }
        let alone = seen.ended.map_or(0, |ended| i64::try_from(ended.elapsed().as_micros()).unwrap_or(i64::MAX));
        seen.at.saturating_add(alone.saturating_mul(self.speed))
    }
}

/// An instant as the time of a lab is counted, in microseconds since 1970.
fn micros(wall: Wall) -> i64 {
    wall.0.saturating_mul(1000)
}

/// The time in the file; nothing while it is being written.
fn read(file: &File) -> Option<i64> {
    let mut both = [0; 16];
    file.read_exact_at(&mut both, 0).ok()?;
    let (at, not) = both.split_at(8);
    let (at, not) = (i64::from_ne_bytes(at.try_into().ok()?), i64::from_ne_bytes(not.try_into().ok()?));
    (at == !not).then_some(at)
}
