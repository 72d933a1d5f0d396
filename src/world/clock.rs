//! Clocks: the machine's, and a lab's, whose time is let pass by the lab. Limits are counted in boot time, which goes
//! on while the machine sleeps. It must not decide what a time means.

use super::rehearsal::time::LabTime;
use crate::model::run::instant::{Mono, Wall};
use crate::model::run::record::Moment;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Duration;

/// The shortest wait for a lab's time to pass: it passes in steps, and may be held.
const STEP: Duration = Duration::from_micros(500);

/// Tells the time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The lab's time, where that counts.
    lab: Option<Arc<LabTime>>,
    boot: String,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn real() -> Self {
        Self { lab: None, boot: boot_id() }
    }

    /// The clock of a lab. Every process reads the same time.
    #[must_use]
    pub fn of_lab(time: LabTime) -> Self {
        Self { lab: Some(Arc::new(time)), boot: boot_id() }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        let mono = self.micros() / 1000;
        let wall = if self.lab.is_some() {
            i64::try_from(mono).unwrap_or(i64::MAX)
        } else {
            nanoseconds(ClockId::Realtime) / 1_000_000
        };
        Moment { wall: Wall(wall), mono: Mono(mono), boot: self.boot.clone() }
    }

    /// How long to wait, in real time, until `until`; nothing when it is over. In a lab it may take longer: look
    /// again then.
    #[must_use]
    pub fn real_time_until(&self, until: Mono) -> Option<Duration> {
        let left = until.0.saturating_mul(1000).checked_sub(self.micros()).filter(|left| *left > 0)?;
        Some(match &self.lab {
            Some(lab) => Duration::from_micros(left.div_ceil(lab.speed())).max(STEP),
            None => Duration::from_micros(left),
        })
    }

    fn micros(&self) -> u64 {
        let micros = self.lab.as_ref().map_or_else(|| nanoseconds(ClockId::Boottime) / 1_000, |lab| lab.micros());
        u64::try_from(micros).unwrap_or_default()
    }
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

/// Empty where there is no `/proc`: then a restart of the host cannot be told from a dead supervisor.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}
