//! Probes: commands that only read, with a limit and a cap.

use super::{ask, open, soon};
use baton::model::span::Span;
use baton::world::request::RunProbe;
use baton::world::system::SystemWorld;
use baton::world::{CameBack, PROBE_BYTES_MAX, Probed, Trouble, World};
use std::collections::BTreeMap;

fn probe(world: &mut SystemWorld, argv: &[&str], limit: u64) -> CameBack<Probed> {
    let until = soon(world, limit);
    let argv = argv.iter().map(|&word| word.to_owned()).collect();
    let (host, what, args) = ("h".to_owned(), "status".to_owned(), BTreeMap::new());
    ask(world, RunProbe { host, service: None, what, argv, args, secret: None, until })
}

#[test]
fn a_probe_tells_exit_code_and_both_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    let reply = probe(&mut world, &["sh", "-c", "echo running; echo odd >&2; exit 3"], 10_000);
    assert_eq!(reply, Ok(Probed { exit: 3, out: b"running\n".to_vec(), err: b"odd\n".to_vec() }));
    let killed = probe(&mut world, &["sh", "-c", "kill -9 $$"], 10_000);
    assert_eq!(killed, Ok(Probed { exit: 137, out: Vec::new(), err: Vec::new() }));
}

#[test]
fn a_late_probe_is_killed_with_everything_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    let (pid_file, begun) = (folder.path().join("pid"), world.now().mono);
    let script = format!("sleep 30 & echo $! > '{}'; wait", pid_file.display());
    assert_eq!(probe(&mut world, &["sh", "-c", &script], 300), Err(Trouble::Late));
    assert!(world.now().mono.since(begun) < Span::secs(5));
    let pid = std::fs::read_to_string(pid_file).unwrap();
    let status = format!("/proc/{}/stat", pid.trim());
    while std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(world.now().mono.since(begun) < Span::secs(5), "the child of the late probe still runs");
    }
}

#[test]
fn a_probe_whose_time_is_over_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    let trace = folder.path().join("trace");
    assert_eq!(probe(&mut world, &["touch", trace.to_str().unwrap()], 0), Err(Trouble::Late));
    assert!(!trace.exists());
}

#[test]
fn more_than_the_cap_is_read_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    match probe(&mut world, &["head", "-c", "3000000", "/dev/zero"], 10_000) {
        Ok(Probed { exit, out, .. }) => assert_eq!((exit, out.len()), (0, PROBE_BYTES_MAX)),
        other => panic!("expected output, got {other:?}"),
    }
}

#[test]
fn a_missing_program_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    assert!(matches!(probe(&mut world, &["no-such-program"], 1000), Err(Trouble::Missing(_))));
    assert!(matches!(probe(&mut world, &[], 1000), Err(Trouble::Missing(_))));
}

#[test]
fn a_probe_does_not_wait_for_what_it_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    let begun = world.now().mono;
    let reply = probe(&mut world, &["sh", "-c", "sleep 5 & echo running"], 10_000);
    assert!(matches!(reply, Ok(Probed { exit: 0, out, .. }) if out == b"running\n"));
    assert!(world.now().mono.since(begun) < Span::secs(3));
}

#[test]
fn a_probe_sees_only_the_allowed_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    match probe(&mut world, &["env"], 10_000) {
        Ok(Probed { out, .. }) => {
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("PATH="));
            assert!(!text.contains("CARGO"), "{text}");
        }
        other => panic!("expected output, got {other:?}"),
    }
}
