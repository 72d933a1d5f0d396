//! Clocks: the real one, and a lab's scaled one in which a real second counts for many. Limits are counted
//! in boot time, which goes on while the machine sleeps. It must not decide what a time means.

use crate::model::record::Moment;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Tells the time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock {
    /// How many milliseconds a real one counts, at least 1.
    factor: u32,
    /// The instant at which the scaled wall clock agrees with the real one, in milliseconds since 1970.
    origin: i64,
    boot: String,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn real() -> Self {
        Self::scaled(1, 0)
    }

    /// A clock on which a real second counts `factor` seconds since `origin` (milliseconds since 1970, real).
    /// Every process that uses the same two numbers reads the same time.
    #[must_use]
    pub fn scaled(factor: u32, origin: i64) -> Self {
        Self { factor: factor.max(1), origin, boot: boot_id() }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        let real = nanoseconds(ClockId::Realtime) / 1_000;
        let origin = self.origin.saturating_mul(1000);
        let wall = origin.saturating_add(real.saturating_sub(origin).saturating_mul(i64::from(self.factor))) / 1000;
        Moment { wall, mono: self.micros() / 1000, boot: self.boot.clone() }
    }

    /// How long to wait, in real time, until `until` (milliseconds of `mono`); nothing when it is over.
    #[must_use]
    pub fn real_time_until(&self, until: u64) -> Option<Duration> {
        let left = until.saturating_mul(1000).checked_sub(self.micros()).filter(|left| *left > 0)?;
        Some(Duration::from_micros(left.div_ceil(u64::from(self.factor))))
    }

    /// Which boot of this machine it is.
    #[must_use]
    pub fn boot(&self) -> &str {
        &self.boot
    }

    fn micros(&self) -> u64 {
        let real = u64::try_from(nanoseconds(ClockId::Boottime) / 1_000).unwrap_or_default();
        real.saturating_mul(u64::from(self.factor))
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
