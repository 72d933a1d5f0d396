//! A client that writes numbered rows to whichever server takes them, one after the other, and keeps its own ledger of
//! those that were acknowledged.

use super::site::Site;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long it rests between two writes.
const REST: Duration = Duration::from_millis(2);

/// What a client went through.
#[derive(Debug, Default)]
pub struct Told {
    /// The rows that were acknowledged.
    pub acknowledged: Vec<u64>,
    /// How often it had to look for another server.
    pub reconnects: u32,
    /// The longest time between two acknowledgements, from the first one on.
    pub longest_gap: Duration,
}

/// One session with a server.
struct Session {
    psql: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    fn open(site: &Site) -> Self {
        let mut psql = site.psql().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (psql.stdin.take().unwrap(), BufReader::new(psql.stdout.take().unwrap()));
        Self { psql, input, output }
    }

    /// Writes a row; tells whether the server said that it has it.
    fn write(&mut self, n: u64) -> bool {
        let mut line = String::new();
        writeln!(self.input, "insert into ledger values ({n}) returning n;").is_ok()
            && self.output.read_line(&mut line).is_ok()
            && line.trim_end() == n.to_string()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// Does `work` while a client writes; gives what both have to tell.
pub fn while_writing<T>(site: &Site, work: impl FnOnce() -> T) -> (T, Told) {
    let (stop, begun) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let client = scope.spawn(|| write_until(site, &stop, &begun));
        while !begun.load(Ordering::Relaxed) {
            std::thread::sleep(REST);
        }
        let stops = Stops(&stop);
        let done = work();
        drop(stops);
        (done, client.join().expect("the client"))
    })
}

/// Stops the client, also when the work panics.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn write_until(site: &Site, stop: &AtomicBool, begun: &AtomicBool) -> Told {
    let mut told = Told::default();
    let mut session = Session::open(site);
    let first = site.rows().last().copied().unwrap_or(0) + 1;
    let mut last = None;
    for n in first.. {
        // It stops only with a session that works, so that the last gap counts whole.
        if session.write(n) {
            told.acknowledged.push(n);
            let now = Instant::now();
            told.longest_gap = told.longest_gap.max(last.map_or(Duration::ZERO, |last| now - last));
            last = Some(now);
            begun.store(true, Ordering::Relaxed);
            if stop.load(Ordering::Relaxed) {
                break;
            }
        } else {
            session = Session::open(site);
            told.reconnects += 1;
        }
        std::thread::sleep(REST);
    }
    told
}

/// Fails when a row that was acknowledged is not in the table.
#[track_caller]
pub fn assert_nothing_lost(site: &Site, told: &Told) {
    let rows = site.rows();
    let lost: Vec<_> = told.acknowledged.iter().filter(|n| rows.binary_search(n).is_err()).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?} of {}", told.acknowledged.len());
    assert!(!told.acknowledged.is_empty());
}
