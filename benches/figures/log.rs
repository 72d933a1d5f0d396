//! Logs, through `exec` over the real world and real files.
//!
//! Wait: from just before a line is written by another thread to the return of the wait for it.
//! Scan: a wait for five expressions on a log of 1 GiB in the page cache, of which only the last line matches one,
//! from its start to its return; beside `grep -E` with the same expressions, in the C locale.

use crate::table::{Figure, median, ms, p99};
use baton::exec::{self, ExecResult, Order, Scanners};
use baton::model::run::effect::{Action, Effect, LogSource, LogWait, Outcome, Want};
use baton::model::run::event::Event;
use baton::model::run::mark::Mark;
use baton::model::run::record::{EffectId, Moment, TrackId};
use baton::model::span::Span;
use baton::world::carrier::HostPlace;
use baton::world::clock::Clock;
use baton::world::operator::person::Person;
use baton::world::system::SystemWorld;
use baton::world::{Completion, Link, Reply, Request, Stopped, Ticket, Try, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const WAITS: usize = 400;
const WAIT_AIM: Duration = Duration::from_millis(2);
const SCANS: usize = 3;
const SCAN_AIM: f64 = 5.0;
const GIB: usize = 1 << 30;
const PATTERNS: [&str; 5] = [
    "Switching to (primary|backup) mode",
    "database .* is unavailable",
    "fatal error [0-9]+",
    "[Ll]icense .* (expired|exceeded)",
    "^.{8,40} Std 2530[0-3] ",
];

/// A straight line to the world: one request at a time, no journal.
struct Line(RefCell<SystemWorld>);

impl Line {
    fn new() -> Self {
        let place = HostPlace { jobs: "unused".into() };
        let hosts = BTreeMap::from([("here".to_owned(), place)]);
        let world = SystemWorld::new(hosts, Clock::real(), Person::Nobody("nobody is asked".into()));
        Self(RefCell::new(world.expect("a world")))
    }

    /// Waits for one of `patterns` in the log of `dir`; gives the new mark.
    fn wait(&self, dir: &Path, patterns: &[&str], from: Mark) -> Mark {
        let source = LogSource {
            dir: dir.display().to_string(),
            files: "*.log".into(),
            event_patterns: vec![r"^.{8,40}?\sStd\s+(?:21-)?(\d{5})\s".into()],
            events: vec![],
            meanings: BTreeMap::new(),
        };
        let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let want = Want::Match { events: vec![], patterns };
        let wait = LogWait { source, from, want, limit: Span::mins(10), contact: None, exit: None };
        let host = Some("here".to_owned());
        let effect =
            Effect { action: Action::Log(wait), label: "wait".into(), host, service: None, undo: None, before: None };
        let (id, since) = (EffectId { track: TrackId::main(), n: 1 }, self.now());
        let scanners = Scanners::default();
        let (run, id, effect, since, scanners) = ("run", &id, &effect, &since, &scanners);
        let order =
            Order { run, id, attempt: 1, base: 1, effect, since, recovering: false, kept_in: Ok(None), scanners };
        match exec::perform(self, order) {
            Ok(ExecResult::Outcome(Outcome::Done { mark: Some(mark), .. })) => mark,
            other => panic!("{other:?}"),
        }
    }
}

impl Link for Line {
    fn call(&self, request: Request) -> Try<Reply> {
        let mut world = self.0.borrow_mut();
        world.submit(Ticket(1), request);
        match world.next() {
            Completion::Reply(_, came) => Ok(came),
            Completion::Told(_) | Completion::Interrupted | Completion::Idle => Err(Stopped),
        }
    }

    fn now(&self) -> Moment {
        self.0.borrow_mut().now()
    }

    fn tell(&self, _: Event) {}
}

pub fn waits() -> Vec<Figure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut log = File::create(folder.path().join("a.log")).expect("a log");
    let (begin, begun) = channel::<()>();
    let (tell, told) = channel::<Instant>();
    let writer = std::thread::spawn(move || {
        while begun.recv().is_ok() {
            std::thread::sleep(Duration::from_millis(5));
            let before = Instant::now();
            writeln!(log, "2026-11-21T22:00:05.123 Std 25301 the line that is waited for").expect("writes");
            tell.send(before).expect("someone listens");
        }
    });
    let (line, mut mark, mut times) = (Line::new(), Mark::default(), Vec::new());
    for _ in 0..WAITS {
        begin.send(()).expect("the writer lives");
        mark = line.wait(folder.path(), &["waited for"], mark);
        let now = Instant::now();
        times.push(now.saturating_duration_since(told.recv().expect("it wrote")));
    }
    drop(begin);
    writer.join().expect("it ends");
    let p50 = median(times.clone());
    let what = "log line written to wait over, p50";
    vec![
        Figure { what, value: ms(p50), aim: "<= 2 ms", met: Some(p50 <= WAIT_AIM) },
        Figure::plain("log line written to wait over, p99", ms(p99(times))),
    ]
}

pub fn scans() -> Vec<Figure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let path = folder.path().join("big.log");
    write_log(&path);
    let line = Line::new();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..SCANS {
        let began = Instant::now();
        line.wait(folder.path(), &PATTERNS, Mark::default());
        ours.push(began.elapsed());
        let began = Instant::now();
        let mut grep = Command::new("grep");
        grep.env("LC_ALL", "C").args(["-c", "-E", &PATTERNS.join("|")]).arg(&path);
        assert_eq!(grep.output().expect("grep runs").stdout, b"1\n");
        theirs.push(began.elapsed());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    let what = "  scan, against grep";
    vec![
        Figure::plain("scan of a log of 1 GiB for five patterns", ms(ours)),
        Figure::plain("grep -E of the same, LC_ALL=C", ms(theirs)),
        Figure { what, value: format!("{ratio:.1} times"), aim: ">= 5", met: Some(ratio >= SCAN_AIM) },
    ]
}

fn write_log(path: &Path) {
    let mut block = Vec::new();
    let mut number = 0_u64;
    while block.len() < 1 << 20 {
        number += 1;
        let (second, client) = (number % 60, number * 7919 % 10_000);
        let text = match number % 4 {
            0 => format!("Dbg 09900 Client {client} asks for objects of folder {number}"),
            1 => format!("Std 05060 Client {client} connected from host app-{second}.example.com, port 25301"),
            2 => format!("Trc 04541 Message MSGCFG_GETOBJECTINFO received from {client} (CFGAdministrator)"),
            _ => format!("Int 04543 Database transaction {number} took {second} ms, 3 rows in 1 table changed"),
        };
        writeln!(block, "2026-11-21T22:00:{second:02}.123 {text}").expect("memory");
    }
    let mut file = BufWriter::new(File::create(path).expect("a log"));
    for _ in 0..GIB / block.len() {
        file.write_all(&block).expect("writes");
    }
    file.write_all(b"2026-11-21T23:00:00.123 Std 25301 Upgrade mode entered\n").expect("writes");
    file.flush().expect("writes");
}
