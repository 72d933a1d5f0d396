//! What a lab is built on: its wire, its operator, its folders and its processes.

use super::{ask, open_with};
use baton::error::Kind;
use baton::model::run::effect::{Ask, Form};
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::record::{EffectId, TrackId};
use baton::model::span::Span;
use baton::platform::folders::Folders;
use baton::platform::lab_link::{LabReply, LabRequest, LabServer, lab_call};
use baton::platform::processes::{Processes, start_detached};
use baton::platform::real_folders::RealFolders;
use baton::world::clock::Clock;
use baton::world::operator::person::Person;
use baton::world::rehearsal::pace::Pace;
use baton::world::rehearsal::side::LabSide;
use baton::world::rehearsal::time::{LabTime, Timekeeper};
use baton::world::request::{AskPerson, AwaitChange, ListFolder, WaitUntil, WorkOnFile};
use baton::world::system::SystemWorld;
use baton::world::transfer::{Block, DigestFile, InstallFile, RUNNER, Role, WriteBlock};
use baton::world::{Answer, Completion, HasReply, Reply, Ticket, Trouble, World};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(10);

/// Serves every request of a lab in turn, until it is asked to stop.
fn serve(server: &mut LabServer, answer: impl Fn(&LabRequest) -> LabReply) {
    while let Some(call) = server.next(LONG) {
        let (reply, last) = (answer(&call.request), call.request == LabRequest::Stop);
        let _ = call.reply(&reply, None);
        if last {
            return;
        }
    }
    panic!("nobody asked the lab to stop");
}

#[test]
fn many_callers_each_get_their_own_reply() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lab.sock");
    let mut server = LabServer::bind(&socket).unwrap();
    // One that says nothing keeps nobody waiting.
    let _silent = UnixStream::connect(&socket).unwrap();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..20)
            .map(|n| {
                let socket = &socket;
                scope.spawn(move || {
                    let (service, verb) = (format!("c{n}"), "shutdown".to_owned());
                    let args = BTreeMap::from([("label".to_owned(), "a\nb\u{0}".into())]);
                    let reply = lab_call(socket, &LabRequest::Verb { service, verb, args }, Some(LONG)).unwrap();
                    assert_eq!((reply.exit, reply.output), (n, format!("c{n} a\nb\u{0}")));
                })
            })
            .collect();
        let server = &mut server;
        scope.spawn(move || {
            serve(server, |request| match request {
                LabRequest::Verb { service, args, .. } => LabReply {
                    exit: service[1..].parse().unwrap(),
                    output: format!("{service} {}", args["label"]),
                    ..LabReply::default()
                },
                _ => LabReply::default(),
            });
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        lab_call(&socket, &LabRequest::Stop, Some(LONG)).unwrap();
    });
}

#[test]
fn a_lab_that_is_not_there_or_ends_is_told_from_one_that_replies() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lab.sock");
    assert_eq!(lab_call(&socket, &LabRequest::State, Some(LONG)).unwrap_err().kind, Kind::Failed);
    let server = LabServer::bind(&socket).unwrap();
    assert_eq!(LabServer::bind(&socket).unwrap_err().kind, Kind::Refused);
    assert!(lab_call(&socket, &LabRequest::State, Some(Duration::from_millis(20))).is_err());
    let abandoned = std::thread::scope(|scope| {
        let caller = scope.spawn(|| lab_call(&socket, &LabRequest::Stop, None));
        while server.next(LONG).unwrap().request != LabRequest::Stop {}
        caller.join().unwrap()
    });
    assert!(abandoned.is_err());
    drop(server);
    assert!(!socket.exists());
    // What a killed lab leaves behind does not keep the next one from starting.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    LabServer::bind(&socket).unwrap();
}

#[test]
fn what_is_no_request_is_answered_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lab.sock");
    let server = LabServer::bind(&socket).unwrap();
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(b"hello\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.contains("not a request to a lab"), "{said}");
    assert!(server.next(Duration::ZERO).is_none());
}

#[test]
fn the_labs_operator_answers_with_one_of_the_words_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lab.sock");
    let mut server = LabServer::bind(&socket).unwrap();
    let mut world = open_with(folder.path(), Clock::real(), Person::Lab(socket.clone()));
    let mut put = |text: &str| {
        let ask_for = Ask { gate: "g".into(), form: Form::Manual, text: text.into(), evidence: String::new() };
        ask(&mut world, AskPerson { id: EffectId { track: TrackId::main(), n: 1 }, ask: ask_for })
    };
    std::thread::scope(|scope| {
        let server = &mut server;
        scope.spawn(move || {
            serve(server, |request| match request {
                LabRequest::Ask(asked) if asked.text == "Swap them" => {
                    LabReply { word: "done".into(), note: "swapped".into(), ..LabReply::default() }
                }
                _ => LabReply { word: "perhaps".into(), ..LabReply::default() },
            });
        });
        let (word, note, by) = ("done".into(), "swapped".into(), "lab operator".into());
        assert_eq!(put("Swap them"), Ok(Answer::Given { word, note, by }));
        assert!(matches!(put("Something else"), Ok(Answer::Nobody(_))));
        lab_call(&socket, &LabRequest::Stop, Some(LONG)).unwrap();
    });
    drop(server);
    assert!(matches!(put("Swap them"), Ok(Answer::Nobody(_))));
}

/// A minute of a lab in a tenth of a second.
const SPEED: u32 = 600;
const ORIGIN: Wall = Wall(1_800_000_000_000);
/// The same on the other clock: in a lab both show the same.
const BEGINNING: Mono = Mono(1_800_000_000_000);

/// Lets time pass for as long as it is asked to, as a lab does; `due` says what happens next.
fn let_pass(keeper: &mut Timekeeper, span: Duration, due: Option<Wall>) {
    let until = Instant::now() + span;
    while Instant::now() < until {
        keeper.next(false, due);
        keeper.tell().unwrap();
        std::thread::sleep(keeper.pause(due));
    }
}

#[test]
fn the_time_of_a_lab_passes_in_a_hurry_and_everybody_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = Timekeeper::begin(folder.path(), SPEED, ORIGIN).unwrap();
    let clock = || Clock::of_lab(LabTime::open(folder.path(), SPEED).unwrap());
    let (one, other) = (clock(), clock());
    assert_eq!((one.now().wall, other.now().mono), (ORIGIN, BEGINNING));
    let began = Instant::now();
    let_pass(&mut keeper, Duration::from_millis(250), None);
    let passed = one.now().wall.since(ORIGIN);
    let most = u64::try_from(began.elapsed().as_millis()).unwrap() * u64::from(SPEED);
    assert!((20_000..=most).contains(&passed.0) && other.now().wall == ORIGIN + passed, "{passed} of {most} ms");
    assert!(Timekeeper::begin(folder.path(), SPEED, ORIGIN).is_err(), "two let the time of one lab pass");
}

#[test]
fn the_time_of_a_lab_waits_for_whoever_works_there_and_passes_no_moment_that_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lab.sock");
    let mut keeper = Timekeeper::begin(folder.path(), SPEED, ORIGIN).unwrap();
    let pace = Arc::new(Pace::begin(folder.path()).unwrap());
    let_pass(&mut keeper, Duration::from_millis(30), None);
    assert_eq!(keeper.now(), ORIGIN, "it does not wait for a runner that is at work");
    let clock = Clock::of_lab(LabTime::open(folder.path(), SPEED).unwrap());
    let side = LabSide::new(folder.path().to_path_buf(), socket, "/bin/false".into(), Arc::clone(&pace));
    let mut world = open_with(folder.path(), clock, Person::Nobody(String::new())).rehearsed(side);
    let until = BEGINNING + Span::secs(9);
    world.submit(Ticket(1), WaitUntil { until }.into());
    let_pass(&mut keeper, Duration::from_millis(30), None);
    assert_eq!(keeper.now(), ORIGIN, "the runner has not begun to wait");
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || (world.next(), world));
        let_pass(&mut keeper, Duration::from_millis(200), None);
        let (next, _world) = waits.join().unwrap();
        assert_eq!(next, Completion::Reply(Ticket(1), Ok(Reply::Done(()))));
        assert_eq!(keeper.now(), ORIGIN + Span::secs(9), "the runner works again: what it waited for is the present");
    });
    drop(pace);
    let_pass(&mut keeper, Duration::from_millis(50), Some(ORIGIN + Span::secs(10)));
    assert!(keeper.now() > ORIGIN + Span::secs(10), "nobody is there any more");
}

#[test]
fn nobody_waits_for_ever_for_the_time_of_a_lab_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    drop(Timekeeper::begin(folder.path(), SPEED, ORIGIN).unwrap());
    let clock = Clock::of_lab(LabTime::open(folder.path(), SPEED).unwrap());
    let mut world = open_with(folder.path(), clock, Person::Nobody(String::new()));
    assert_eq!(ask(&mut world, WaitUntil { until: BEGINNING + Span::secs(60) }), Ok(()));
}

/// Whether a world will not do this.
fn refused<R: HasReply>(world: &mut SystemWorld, request: R) -> bool {
    matches!(ask(world, request), Err(Trouble::Refused(_)))
}

#[test]
fn nothing_outside_of_a_lab_is_looked_at_or_written_whatever_way_leads_there() {
    let top = tempfile::tempdir().unwrap();
    let (lab, out) = (top.path().join("lab"), top.path().join("out"));
    for dir in [lab.join("h/logs"), lab.join("models"), out.clone()] {
        std::fs::create_dir_all(dir).unwrap();
    }
    std::fs::write(out.join("theirs"), "theirs").unwrap();
    std::os::unix::fs::symlink(&out, lab.join("h/link")).unwrap();
    std::fs::hard_link(out.join("theirs"), lab.join("h/hard")).unwrap();
    let pace = Arc::new(Pace::begin(&lab).unwrap());
    let side = LabSide::new(lab.clone(), lab.join("socket"), "/bin/false".into(), pace);
    let mut world = open_with(&lab, Clock::real(), Person::Nobody(String::new())).rehearsed(side);
    let at = |path: &str| lab.join(path).display().to_string();
    let outside = [out.display().to_string(), at("../out"), at("h/../../out"), at("h/link"), "out".into(), "".into()];
    for dir in &outside {
        let host = || "h".to_owned();
        assert!(refused(&mut world, ListFolder { host: host(), dir: dir.clone() }), "list {dir}");
        let (seen, until) = (Vec::new(), Mono(0));
        assert!(refused(&mut world, AwaitChange { host: host(), dir: dir.clone(), seen, until }), "watch {dir}");
        for host in ["h", RUNNER] {
            let path = format!("{dir}/new");
            let write = WriteBlock { path: path.clone(), at: 0, block: Block(b"x".to_vec()) };
            assert!(
                refused(&mut world, WorkOnFile { host: host.into(), work: write, until: Mono::NEVER }),
                "write {path}"
            );
            let install = InstallFile { part: at("h/hard"), path, mode: 0o644, over: true };
            assert!(
                refused(&mut world, WorkOnFile { host: host.into(), work: install, until: Mono::NEVER }),
                "install {dir}"
            );
        }
        let digest = DigestFile { path: format!("{dir}/theirs"), first: 9, role: Role::Source };
        assert!(refused(&mut world, WorkOnFile { host: host(), work: digest, until: Mono::NEVER }), "read {dir}");
    }
    for path in ["h/hard", "lab.toml", "models/x.rhai", "jobs"] {
        let write = WriteBlock { path: at(path), at: 1, block: Block(b"x".to_vec()) };
        assert!(refused(&mut world, WorkOnFile { host: "h".into(), work: write, until: Mono::NEVER }), "{path}");
    }
    let read = DigestFile { path: out.join("theirs").display().to_string(), first: 9, role: Role::Source };
    assert!(
        !refused(&mut world, WorkOnFile { host: RUNNER.into(), work: read, until: Mono::NEVER }),
        "what is put comes from whoever rehearses"
    );
    assert!(!refused(&mut world, ListFolder { host: "h".into(), dir: at("h/logs") }));
    assert_eq!(std::fs::read_to_string(out.join("theirs")).unwrap(), "theirs");
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn folders_of_a_lab_stay_below_its_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lab");
    let mut folders = RealFolders::new(root.clone());
    let at = |path: &str| root.join(path).to_str().unwrap().to_owned();
    assert_eq!(folders.read("h", &at("a/b.conf")), None);
    folders.write("h", &at("a/b.conf"), "text").unwrap();
    assert_eq!(folders.read("h", &at("a/b.conf")).as_deref(), Some("text"));
    folders.make("h", &at("new")).unwrap();
    assert!(!folders.rename("h", &at("a"), &at("new")), "the new name is taken");
    assert!(folders.rename("h", &at("a"), &at("old")) && !folders.rename("h", &at("a"), &at("older")));
    assert!(folders.exists("h", &at("old")) && !folders.exists("h", &at("a")));
    folders.remove("h", &at("old")).unwrap();
    folders.remove("h", &at("old")).unwrap();
    assert!(!folders.exists("h", &at("old")));
    std::fs::write(folder.path().join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(folder.path(), root.join("out")).unwrap();
    for outside in [at("../secret"), at("out/secret"), at(""), "/etc/hostname".into(), "secret".into()] {
        assert_eq!(folders.read("h", &outside), None, "{outside}");
        assert!(folders.write("h", &outside, "y").is_err() && folders.remove("h", &outside).is_err(), "{outside}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("secret")).unwrap(), "x");
}

#[test]
fn a_labs_processes_end_when_told_and_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut processes = Processes::default();
    let first = processes.start(Path::new("sleep"), &["30".into()]).unwrap();
    let second = processes.start(Path::new("sleep"), &["30".into()]).unwrap();
    assert!(processes.alive(first) && processes.alive(second));
    processes.end(first);
    assert!(!processes.alive(first) && processes.alive(second));
    let short = processes.start(Path::new("true"), &[]).unwrap();
    let begun = Instant::now();
    while processes.alive(short) {
        assert!(begun.elapsed() < LONG);
    }
    drop(processes);
    assert!(!Path::new(&format!("/proc/{second}")).exists());
    assert!(Processes::default().start(Path::new("no-such-program"), &[]).is_err());
    let log = folder.path().join("log");
    start_detached(Path::new("echo"), &["begun".into()], &log).unwrap();
    while std::fs::read_to_string(&log).unwrap() != "begun\n" {
        assert!(begun.elapsed() < LONG);
    }
}
