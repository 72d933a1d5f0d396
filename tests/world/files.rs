//! Folders and files: listings, identity, and noticing every kind of change.

use super::{ask, open, soon};
use baton::model::run::instant::Mono;
use baton::world::request::{AwaitChange, ListFolder, ReadFile};
use baton::world::system::SystemWorld;
use baton::world::{CameBack, Completion, FileKind, FileStat, Reply, Ticket, Trouble, World};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn text(dir: &Path) -> String {
    dir.to_str().unwrap().to_owned()
}

fn list(world: &mut SystemWorld, dir: &Path) -> Vec<FileStat> {
    match ask(world, ListFolder { host: "h".into(), dir: text(dir) }) {
        Ok(files) => files,
        Err(Trouble::Missing(_)) => Vec::new(),
        other => panic!("expected a listing, got {other:?}"),
    }
}

fn read(world: &mut SystemWorld, dir: &Path, file: &FileStat, from: u64, max: u64) -> CameBack<Vec<u8>> {
    let (name, identity) = (file.name.clone(), file.identity);
    ask(world, ReadFile { host: "h".into(), dir: text(dir), name, identity, from, max })
}

/// Begins to wait for a change, makes it, and returns the listing that came of it.
fn after(world: &mut SystemWorld, dir: &Path, change: impl FnOnce()) -> Vec<FileStat> {
    let seen = list(world, dir);
    let until = soon(world, 10_000);
    world.submit(Ticket(1), AwaitChange { host: "h".into(), dir: text(dir), seen: seen.clone(), until }.into());
    change();
    match world.next() {
        Completion::Reply(Ticket(1), Ok(Reply::Listing(files))) => {
            assert_ne!(files, seen);
            files
        }
        other => panic!("expected a listing, got {other:?}"),
    }
}

#[test]
fn files_and_the_links_to_them_are_listed_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, dir) = (open(folder.path()), folder.path().join("logs"));
    let missing = ask(&mut world, ListFolder { host: "h".into(), dir: text(&dir) });
    assert!(matches!(missing, Err(Trouble::Missing(_))), "{missing:?}");
    fs::create_dir_all(dir.join("folder")).unwrap();
    fs::write(dir.join("b.log"), "12345").unwrap();
    fs::write(dir.join("a.log"), "").unwrap();
    std::os::unix::fs::symlink("b.log", dir.join("current.log")).unwrap();
    std::os::unix::fs::symlink("nothing", dir.join("d.log")).unwrap();
    std::os::unix::fs::symlink("e.log", dir.join("e.log")).unwrap();
    std::os::unix::fs::symlink("folder", dir.join("f.log")).unwrap();
    fs::write(dir.join(std::ffi::OsStr::from_bytes(b"z\xff.log")), "1").unwrap();
    let listed = list(&mut world, &dir);
    let names: Vec<(&str, FileKind)> = listed.iter().map(|file| (file.name.as_str(), file.kind)).collect();
    let expected = [
        ("a.log", FileKind::File),
        ("b.log", FileKind::File),
        ("current.log", FileKind::Link),
        ("d.log", FileKind::Nowhere),
        ("e.log", FileKind::Nowhere),
        ("f.log", FileKind::Other),
        ("folder", FileKind::Other),
        ("z\u{fffd}.log", FileKind::Unnamed),
    ];
    assert_eq!(names, expected);
    assert_eq!((listed[2].identity, listed[2].len), (listed[1].identity, 5), "a link is the file it leads to");
}

#[test]
fn reading_stops_at_the_end_and_refuses_another_file_of_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, dir) = (open(folder.path()), folder.path());
    fs::write(dir.join("log"), "0123456789").unwrap();
    let file = list(&mut world, dir).remove(0);
    assert_eq!(read(&mut world, dir, &file, 3, 4), Ok(b"3456".to_vec()));
    assert_eq!(read(&mut world, dir, &file, 8, 100), Ok(b"89".to_vec()));
    assert_eq!(read(&mut world, dir, &file, 50, 100), Ok(Vec::new()));
    fs::rename(dir.join("log"), dir.join("log.1")).unwrap();
    assert!(matches!(read(&mut world, dir, &file, 0, 4), Err(Trouble::Missing(_))));
    fs::write(dir.join("log"), "another").unwrap();
    assert!(matches!(read(&mut world, dir, &file, 0, 4), Err(Trouble::Missing(_))));
    let outside = FileStat { name: "../log".into(), ..file };
    assert!(matches!(read(&mut world, dir, &outside, 0, 4), Err(Trouble::Refused(_))));
}

#[test]
fn a_link_is_read_only_while_it_leads_to_the_file_that_was_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, dir) = (open(folder.path()), folder.path());
    fs::write(dir.join("today"), "x").unwrap();
    fs::write(dir.join("tomorrow"), "y").unwrap();
    std::os::unix::fs::symlink("today", dir.join("log")).unwrap();
    let link = list(&mut world, dir).into_iter().find(|file| file.name == "log").unwrap();
    assert_eq!(read(&mut world, dir, &link, 0, 1), Ok(b"x".to_vec()));
    fs::remove_file(dir.join("log")).unwrap();
    std::os::unix::fs::symlink("tomorrow", dir.join("log")).unwrap();
    assert!(matches!(read(&mut world, dir, &link, 0, 1), Err(Trouble::Missing(_))));
}

#[test]
fn every_kind_of_change_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, dir) = (open(folder.path()), folder.path().join("logs"));
    let log = dir.join("log");
    // The folder appears.
    after(&mut world, &dir, || {
        fs::create_dir(&dir).unwrap();
        fs::write(&log, "one\n").unwrap();
    });
    while list(&mut world, &dir)[0].len < 4 {}
    let grown =
        after(&mut world, &dir, || writeln!(OpenOptions::new().append(true).open(&log).unwrap(), "two").unwrap());
    assert_eq!(grown[0].len, 8);
    let rotated = after(&mut world, &dir, || fs::rename(&log, dir.join("log.1")).unwrap());
    assert_eq!((rotated[0].name.as_str(), rotated[0].identity), ("log.1", grown[0].identity));
    after(&mut world, &dir, || fs::write(&log, "").unwrap());
    after(&mut world, &dir, || fs::write(&log, "three\n").unwrap());
    while list(&mut world, &dir)[0].len < 6 {}
    let cut = after(&mut world, &dir, || OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap());
    assert_eq!(cut[0].len, 0);
    let gone = after(&mut world, &dir, || fs::remove_file(&log).unwrap());
    assert_eq!(gone.len(), 1);
    // The folder is deleted and made anew.
    after(&mut world, &dir, || fs::remove_dir_all(&dir).unwrap());
    after(&mut world, &dir, || {
        fs::create_dir(&dir).unwrap();
        fs::write(&log, "four\n").unwrap();
    });
}

#[test]
fn a_difference_that_is_already_there_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    fs::write(folder.path().join("log"), "x").unwrap();
    let dir = text(folder.path());
    let reply = ask(&mut world, AwaitChange { host: "h".into(), dir, seen: Vec::new(), until: Mono::NEVER });
    assert!(matches!(reply, Ok(files) if files.len() == 1));
}

#[test]
fn waiting_ends_at_its_deadline_and_can_be_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    let dir = text(folder.path());
    let until = soon(&mut world, 30);
    world.submit(
        Ticket(1),
        AwaitChange { host: "h".into(), dir: dir.clone(), seen: Vec::new(), until: Mono::NEVER }.into(),
    );
    world.submit(Ticket(2), AwaitChange { host: "h".into(), dir, seen: Vec::new(), until }.into());
    assert_eq!(world.next(), Completion::Reply(Ticket(2), Ok(Reply::Listing(Vec::new()))));
    assert!(world.now().mono >= until);
    world.forget(Ticket(1));
    assert_eq!(world.next(), Completion::Idle);
}
