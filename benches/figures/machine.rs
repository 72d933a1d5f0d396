//! What the figures were measured on: a figure without its machine says nothing.

use rustix::time::{ClockId, clock_gettime};
use std::fs::read_to_string;

/// The machine in one paragraph.
pub fn describe() -> String {
    let cpus = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{}, {cores} cores, Linux {}, optimised build\nload average at the beginning: {} (1, 5, 15 minutes; above 0 \
         something else ran)",
        model.trim_start_matches([':', ' ', '\t']),
        kernel.trim(),
        load()
    )
}

/// The load averages.
pub fn load() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// What this thread has used of a core so far, in seconds.
pub fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
