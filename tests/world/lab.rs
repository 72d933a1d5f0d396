//! What a lab is built on: its wire, its operator, its folders and its processes.

use super::{ask, open_with};
use baton::error::Kind;
use baton::model::effect::{Ask, Form};
use baton::model::record::{EffectId, TrackId};
use baton::world::clock::Clock;
use baton::world::folders::Folders;
use baton::world::lab_link::{LabReply, LabRequest, LabServer, lab_call};
use baton::world::person::Person;
use baton::world::processes::{Processes, start_detached};
use baton::world::real_folders::RealFolders;
use baton::world::{Answer, Reply, Request};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(10);

/// Serves every request of a lab in turn, until it is asked to stop.
fn serve(server: &mut LabServer, answer: impl Fn(&LabRequest) -> LabReply) {
    while let Some(call) = server.next(LONG) {
        let (reply, last) = (answer(&call.request), call.request == LabRequest::Stop);
        call.reply(&reply);
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
                LabRequest::Probe { .. } | LabRequest::Ask(_) | LabRequest::State | LabRequest::Stop => {
                    LabReply::default()
                }
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
        ask(&mut world, Request::Ask { id: EffectId { track: TrackId::main(), n: 1 }, ask: ask_for })
    };
    std::thread::scope(|scope| {
        let server = &mut server;
        scope.spawn(move || {
            serve(server, |request| match request {
                LabRequest::Ask(asked) if asked.text == "Swap them" => {
                    LabReply { word: "done".into(), note: "swapped".into(), ..LabReply::default() }
                }
                LabRequest::Ask(_)
                | LabRequest::Verb { .. }
                | LabRequest::Probe { .. }
                | LabRequest::State
                | LabRequest::Stop => LabReply { word: "perhaps".into(), ..LabReply::default() },
            });
        });
        let (word, note, by) = ("done".into(), "swapped".into(), "lab operator".into());
        assert_eq!(put("Swap them"), Reply::Answer(Answer::Given { word, note, by }));
        assert!(matches!(put("Something else"), Reply::Answer(Answer::Nobody(_))));
        lab_call(&socket, &LabRequest::Stop, Some(LONG)).unwrap();
    });
    drop(server);
    assert!(matches!(put("Swap them"), Reply::Answer(Answer::Nobody(_))));
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
