//! Files carried to hosts and from them: on this machine against real files, and in simulation with every fault and
//! every death of the runner.

use crate::support::agent::{SHELLS, ShellAgent};
use crate::support::simulation::{Between, Scene};
use baton::exec::{BLOCK, ExecResult, Order, Scanners, perform};
use baton::model::digest::sha256;
use baton::model::run::effect::{Action, Effect, Failure, FailureKind, Outcome, Transfer};
use baton::model::run::event::Event;
use baton::model::run::record::{EffectId, Ending, Moment, TrackId};
use baton::model::span::Span;
use baton::model::value::Value;
use baton::sim::{CrashClock, FaultPlan, SimEstate};
use baton::world::carrier::HostPlace;
use baton::world::clock::Clock;
use baton::world::operator::person::Person;
use baton::world::request::{WaitUntil, WorkOnFile};
use baton::world::system::SystemWorld;
use baton::world::transfer::{FileWork, RUNNER, ReadBlock, WriteBlock};
use baton::world::{Completion, HasReply, Link, Reply, Request, Stopped, Ticket, Trouble, Try, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

type Meddle = Box<dyn Fn(usize, &FileWork) -> Option<Result<Trouble, Stopped>>>;

/// This machine as the host `h`, with somebody who meddles with the requests: he sees each before it is carried out,
/// with its number, and may swallow it.
struct Wire {
    world: RefCell<SystemWorld>,
    meddle: Meddle,
    asked: RefCell<Vec<&'static str>>,
    skipped: Cell<Span>,
}

fn wire(folder: &Path) -> Wire {
    let hosts = BTreeMap::from([("h".to_owned(), HostPlace { jobs: folder.join("jobs") })]);
    let world = SystemWorld::new(hosts, Clock::real(), Person::Nobody("nobody".into())).unwrap();
    Wire {
        world: RefCell::new(world),
        meddle: Box::new(|_, _| None),
        asked: RefCell::default(),
        skipped: Cell::default(),
    }
}

impl Wire {
    fn meddled(mut self, meddle: impl Fn(usize, &FileWork) -> Option<Result<Trouble, Stopped>> + 'static) -> Self {
        self.meddle = Box::new(meddle);
        self
    }

    fn count(&self, kind: &str) -> usize {
        self.asked.borrow().iter().filter(|asked| **asked == kind).count()
    }
}

impl Link for Wire {
    fn call(&self, request: Request) -> Try<Reply> {
        if let Request::WaitUntil(WaitUntil { until }) = &request {
            // Time is skipped, not waited for.
            self.skipped.set(until.since(self.world.borrow_mut().now().mono));
            return Ok(Ok(WaitUntil::answered(())));
        }
        if let Request::WorkOnFile(WorkOnFile { work, .. }) = &request {
            let number = self.asked.borrow().len();
            self.asked.borrow_mut().push(match work {
                FileWork::DigestFile(_) => "digest",
                FileWork::ReadBlock(_) => "read",
                FileWork::WriteBlock(_) => "write",
                FileWork::InstallFile(_) => "install",
            });
            if let Some(swallowed) = (self.meddle)(number, work) {
                return swallowed.map(Err);
            }
        }
        self.world.borrow_mut().submit(Ticket(0), request);
        match self.world.borrow_mut().next() {
            Completion::Reply(_, came) => Ok(came),
            other => panic!("expected a reply, got {other:?}"),
        }
    }

    fn now(&self) -> Moment {
        let mut now = self.world.borrow_mut().now();
        now.mono = now.mono + self.skipped.get();
        now
    }

    fn tell(&self, _: Event) {}
}

fn transfer(local: &Path, remote: &Path) -> Transfer {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (limit, max) = (Span::mins(1), 1 << 30);
    Transfer { local: text(local), remote: text(remote), mode: None, sha256: None, limit, max, replace: false }
}

fn act(wire: &Wire, action: Action, recovering: bool) -> Result<ExecResult, Stopped> {
    let effect =
        Effect { action, label: "carry".into(), host: Some("h".into()), service: None, undo: None, before: None };
    let (id, since) = (EffectId { track: TrackId::main(), n: 1 }, wire.now());
    let order = Order {
        run: "r",
        id: &id,
        attempt: 1,
        base: 1,
        effect: &effect,
        since: &since,
        recovering,
        kept_in: Ok(None),
        scanners: &Scanners::default(),
    };
    perform(wire, order)
}

#[track_caller]
fn done(verdict: Result<ExecResult, Stopped>) -> Value {
    match verdict {
        Ok(ExecResult::Outcome(Outcome::Done { value, .. })) => value,
        other => panic!("not done: {other:?}"),
    }
}

#[track_caller]
fn failed(verdict: Result<ExecResult, Stopped>) -> Failure {
    match verdict {
        Ok(ExecResult::Outcome(Outcome::Failed(failure))) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

fn changed(value: &Value) -> bool {
    value.get("changed").and_then(Value::as_bool).expect("it says whether it changed anything")
}

/// More than two blocks, no two parts of it alike.
fn long() -> Vec<u8> {
    (0..2 * BLOCK + 12_345).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_arrives_as_it_is_and_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("there/b"));
    std::fs::create_dir(folder.path().join("there")).unwrap();
    std::fs::write(&local, long()).unwrap();
    std::fs::write(&remote, "former").unwrap();
    let put = Transfer { mode: Some(0o640), ..transfer(&local, &remote) };
    let first = wire(folder.path());
    let value = done(act(&first, Action::Put(put.clone()), false));
    assert_eq!(std::fs::read(&remote).unwrap(), long());
    assert_eq!(std::fs::metadata(&remote).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(names(remote.parent().unwrap()), ["b"]);
    let former = baton::model::digest::sha256(b"former");
    assert_eq!((changed(&value), value.get("former").and_then(Value::as_text)), (true, Some(former.as_str())));
    let second = wire(folder.path());
    assert!(!changed(&done(act(&second, Action::Put(put.clone()), false))));
    assert_eq!((second.count("write"), second.count("install")), (0, 0));
    // Another mode is a change, but nothing is sent for it.
    let third = wire(folder.path());
    assert!(changed(&done(act(&third, Action::Put(Transfer { mode: Some(0o600), ..put }), false))));
    assert_eq!((third.count("write"), std::fs::metadata(&remote).unwrap().mode() & 0o7777), (0, 0o600));
    // And back, and an empty one, with the mode of its source.
    let back = folder.path().join("back");
    done(act(&wire(folder.path()), Action::Fetch(transfer(&back, &remote)), false));
    assert_eq!(std::fs::read(&back).unwrap(), long());
    std::fs::write(&remote, "").unwrap();
    std::fs::set_permissions(&remote, std::fs::Permissions::from_mode(0o604)).unwrap();
    let empty = folder.path().join("empty");
    done(act(&wire(folder.path()), Action::Fetch(transfer(&empty, &remote)), false));
    assert_eq!((std::fs::read(&empty).unwrap().len(), std::fs::metadata(&empty).unwrap().mode() & 0o777), (0, 0o604));
}

#[test]
fn what_is_there_is_not_carried_again_after_a_break_or_a_death() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&local, long()).unwrap();
    // The runner dies before the third block, and the next one begins with it.
    let dying = wire(folder.path()).meddled(|_, work| match work {
        FileWork::WriteBlock(WriteBlock { at, .. }) if *at == 2 * BLOCK => Some(Err(Stopped)),
        _ => None,
    });
    assert_eq!(act(&dying, Action::Put(transfer(&local, &remote)), false), Err(Stopped));
    assert!(!remote.exists());
    let next = wire(folder.path());
    assert!(changed(&done(act(&next, Action::Put(transfer(&local, &remote)), true))));
    assert_eq!((next.count("write"), std::fs::read(&remote).unwrap()), (1, long()));
    // Whichever request the link breaks at, it is done in the end, with no block sent more than twice.
    for at in 0..14 {
        std::fs::remove_file(&remote).unwrap();
        let broken = wire(folder.path())
            .meddled(move |number, _| (number == at).then(|| Ok(Trouble::Lost("the link broke".into()))));
        let verdict = act(&broken, Action::Put(transfer(&local, &remote)), true);
        assert!(changed(&done(verdict)), "broken at {at}");
        assert_eq!(std::fs::read(&remote).unwrap(), long(), "broken at {at}");
        assert!(broken.count("write") <= 4, "broken at {at}: {:?}", broken.asked.borrow());
    }
    // A part of something else is no beginning.
    let own = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.path().join(".b.baton-part"));
    own.unwrap().write_all(&[7; 5_000_000]).unwrap();
    std::fs::remove_file(&remote).unwrap();
    done(act(&wire(folder.path()), Action::Put(transfer(&local, &remote)), false));
    assert_eq!(std::fs::read(&remote).unwrap(), long());
}

#[test]
fn links_are_not_followed_and_nothing_is_written_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a"), "new").unwrap();
    std::fs::write(path("victim"), "victim").unwrap();
    symlink(path("victim"), path("link")).unwrap();
    let failure = failed(act(&wire(folder.path()), Action::Put(transfer(&path("a"), &path("link"))), false));
    assert!(failure.message.contains("a symbolic link, which is not followed"), "{}", failure.message);
    // Not even one that somebody puts in the way of the part, or of the target at the last moment.
    symlink(path("victim"), path(".b.baton-part")).unwrap();
    done(act(&wire(folder.path()), Action::Put(transfer(&path("a"), &path("b"))), false));
    assert_eq!(std::fs::read_to_string(path("b")).unwrap(), "new");
    assert!(path(".b.baton-part").is_symlink(), "it is not ours to remove");
    let (victim, late) = (path("victim"), path("late"));
    let meddled = wire(folder.path()).meddled(move |_, work| {
        if let FileWork::InstallFile(_) = work {
            symlink(&victim, &late).unwrap();
        }
        None
    });
    failed(act(&meddled, Action::Put(transfer(&path("a"), &path("late"))), false));
    assert_eq!(std::fs::read_to_string(path("victim")).unwrap(), "victim");
    let failure = failed(act(&wire(folder.path()), Action::Put(transfer(&path("a"), folder.path())), false));
    assert!(failure.message.contains("is a folder"), "{}", failure.message);
}

#[test]
fn what_cannot_be_carried_is_told_and_leaves_the_target_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a"), "new content").unwrap();
    std::fs::write(path("b"), "old").unwrap();
    let plain = || transfer(&path("a"), &path("b"));
    let missing = || transfer(&path("nothing"), &path("b"));
    let nowhere = || transfer(&path("a"), &path("no/folder/b"));
    let not_writable = transfer(&path("a"), Path::new("/proc/b"));
    for (action, kind, words) in [
        (Action::Put(missing()), FailureKind::Missing, "nothing`: No such file"),
        (Action::Fetch(transfer(&path("c"), &path("nothing"))), FailureKind::Missing, "nothing` is not there"),
        (Action::Put(nowhere()), FailureKind::Missing, "there is no folder `"),
        (Action::Put(not_writable), FailureKind::Unreachable, "cannot make `/proc/.b.baton-part`"),
        (Action::Put(Transfer { max: 5, ..plain() }), FailureKind::Guard, "has 11 bytes, more than the 5 that `max`"),
        (Action::Put(Transfer { sha256: Some("0".repeat(64)), ..plain() }), FailureKind::Guard, "not 00000000"),
        (Action::Put(transfer(folder.path(), &path("b"))), FailureKind::Unreachable, "is a folder"),
        (Action::Fetch(plain()), FailureKind::Guard, "has another content; say `replace: true` if it may go"),
    ] {
        let (was, shown) = (std::fs::read(path("a")).unwrap(), format!("{action:?}"));
        let failure = failed(act(&wire(folder.path()), action, false));
        assert_eq!(failure.kind, kind, "{shown}: {}", failure.message);
        assert!(failure.message.contains(words), "{shown}: {}", failure.message);
        assert_eq!(std::fs::read_to_string(path("b")).unwrap(), "old", "{shown}");
        assert_eq!(std::fs::read(path("a")).unwrap(), was, "{shown}");
    }
    let full = wire(folder.path()).meddled(|_, work| {
        let full = || Ok(Trouble::Refused("cannot write `b`: No space left on device".into()));
        matches!(work, FileWork::WriteBlock(_)).then(full)
    });
    assert!(failed(act(&full, Action::Put(plain()), false)).message.contains("No space left on device"));
    let fetch = Transfer { replace: true, ..plain() };
    done(act(&wire(folder.path()), Action::Fetch(fetch), false));
    assert_eq!(std::fs::read_to_string(path("a")).unwrap(), "old");
}

/// Gives a file to another account; false where only root could and this is not root.
fn given(path: &Path, uid: u32, gid: u32) -> bool {
    std::os::unix::fs::chown(path, Some(uid), Some(gid)).is_ok()
}

#[test]
fn a_part_that_somebody_else_could_still_change_is_left_and_another_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let part = path(".b.baton-part");
    let tight = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(path("a"), long()).unwrap();
    let plants: [(&str, &dyn Fn() -> bool); 4] = [
        ("everybody may write it", &|| {
            std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o666)).unwrap();
            true
        }),
        ("it has another name", &|| {
            tight(&part);
            std::fs::hard_link(&part, path("kept by a stranger")).unwrap();
            true
        }),
        ("a stranger has it", &|| {
            tight(&part);
            given(&part, 1234, 1234)
        }),
        ("it is a pipe", &|| {
            std::fs::remove_file(&part).unwrap();
            Command::new("mkfifo").arg(&part).status().unwrap().success()
        }),
    ];
    for (what, plant) in plants {
        // The first block is as it must be: it would be gone on with.
        std::fs::write(&part, &long()[..usize::try_from(BLOCK).unwrap()]).unwrap();
        if !plant() {
            continue;
        }
        let planted = std::fs::symlink_metadata(&part).unwrap().ino();
        let world = wire(folder.path());
        done(act(&world, Action::Put(transfer(&path("a"), &path("b"))), false));
        assert_eq!(world.count("write"), 3, "{what}");
        let there = std::fs::metadata(path("b")).unwrap();
        assert!(there.ino() != planted && there.nlink() == 1, "{what}");
        assert_eq!(there.uid(), rustix::process::geteuid().as_raw(), "{what}");
        assert!(std::fs::read(path("b")).unwrap() == long(), "{what}");
        assert_eq!(std::fs::symlink_metadata(&part).unwrap().ino(), planted, "{what}: it is not ours to remove");
        for name in [part.clone(), path("b")] {
            std::fs::remove_file(name).unwrap();
        }
    }
}

#[test]
fn a_part_under_the_other_name_is_gone_on_with_too() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&local, long()).unwrap();
    std::fs::write(folder.path().join(".b.baton-part"), "a stranger's").unwrap();
    let dying = wire(folder.path()).meddled(|_, work| match work {
        FileWork::WriteBlock(WriteBlock { at, .. }) if *at == 2 * BLOCK => Some(Err(Stopped)),
        _ => None,
    });
    assert_eq!(act(&dying, Action::Put(transfer(&local, &remote)), false), Err(Stopped));
    let next = wire(folder.path());
    done(act(&next, Action::Put(transfer(&local, &remote)), true));
    assert_eq!((next.count("write"), std::fs::read(&remote).unwrap()), (1, long()));
    assert_eq!(names(folder.path()), [".b.baton-part", "a", "b"]);
}

#[test]
fn a_file_that_is_replaced_hands_on_its_owner_group_mode_and_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&local, "new").unwrap();
    std::fs::write(&remote, "old").unwrap();
    let owned = given(&remote, 1234, 1235);
    std::fs::set_permissions(&remote, std::fs::Permissions::from_mode(0o640)).unwrap();
    let noted = rustix::fs::setxattr(&remote, "user.note", b"ours", rustix::fs::XattrFlags::empty()).is_ok();
    done(act(&wire(folder.path()), Action::Put(transfer(&local, &remote)), false));
    let there = std::fs::metadata(&remote).unwrap();
    assert_eq!((std::fs::read_to_string(&remote).unwrap().as_str(), there.mode() & 0o7777), ("new", 0o640));
    assert!(!owned || (there.uid(), there.gid()) == (1234, 1235), "{}:{}", there.uid(), there.gid());
    let mut note = [0; 16];
    let read = rustix::fs::getxattr(&remote, "user.note", &mut note).unwrap_or(0);
    assert!(!noted || &note[..read] == b"ours", "its attribute is gone");
}

#[test]
fn a_target_that_a_stranger_laid_in_a_folder_for_all_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    std::fs::set_permissions(&spool, std::fs::Permissions::from_mode(0o1777)).unwrap();
    let (local, target) = (folder.path().join("a"), spool.join("tool"));
    std::fs::write(&local, "new").unwrap();
    // Another name of one of our own files, whose mode would change with it; and a stranger's file.
    std::fs::write(folder.path().join("ours"), "new").unwrap();
    std::fs::hard_link(folder.path().join("ours"), &target).unwrap();
    let put = || Action::Put(Transfer { mode: Some(0o755), ..transfer(&local, &target) });
    let failure = failed(act(&wire(folder.path()), put(), false));
    assert!(failure.message.contains("where everybody may make files"), "{}", failure.message);
    std::fs::remove_file(&target).unwrap();
    std::fs::write(&target, "planted").unwrap();
    if given(&target, 1234, 1234) {
        let failure = failed(act(&wire(folder.path()), put(), false));
        assert!(failure.message.contains("account 1234"), "{}", failure.message);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "planted");
    }
    std::fs::remove_file(&target).unwrap();
    std::fs::write(&target, "ours").unwrap();
    done(act(&wire(folder.path()), put(), false));
}

#[test]
fn nothing_is_read_of_a_file_that_is_longer_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    // A hole of 8 TiB: to read it would take hours.
    std::fs::File::create(&local).unwrap().set_len(8 << 40).unwrap();
    let failure = failed(act(&wire(folder.path()), Action::Put(transfer(&local, &remote)), false));
    assert!(failure.message.contains("more than the"), "{}", failure.message);
}

#[test]
fn the_limit_holds_over_the_reading_of_a_file_and_no_part_of_it_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::File::create(&local).unwrap().set_len(8 << 40).unwrap();
    let short = Transfer { limit: Span(200), max: u64::MAX, ..transfer(&local, &remote) };
    let failure = failed(act(&wire(folder.path()), Action::Put(short), false));
    assert_eq!(failure.kind, FailureKind::Limit, "{}", failure.message);
    assert!(failure.message.contains("took longer than 200"), "{}", failure.message);
    assert!(!remote.exists());
    // The same for what it would replace, of any length.
    std::fs::File::create(&remote).unwrap().set_len(8 << 40).unwrap();
    std::fs::write(&local, "new").unwrap();
    let short = Transfer { limit: Span(200), ..transfer(&local, &remote) };
    assert_eq!(failed(act(&wire(folder.path()), Action::Put(short), false)).kind, FailureKind::Limit);
}

#[test]
fn a_break_at_the_last_moment_is_not_told_as_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&local, "new").unwrap();
    let broken = wire(folder.path()).meddled(|_, work| {
        matches!(work, FileWork::InstallFile(_)).then(|| Ok(Trouble::Lost("the link broke".into())))
    });
    let over = Transfer { limit: Span(1), ..transfer(&local, &remote) };
    broken.skipped.set(Span(0));
    let failure = failed(act(&broken, Action::Put(over), false));
    let known = failure.message.contains("took longer") || failure.message.contains("has no known end");
    assert!(known, "{}", failure.message);
}

#[test]
fn a_source_that_changes_and_a_target_that_appears_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    for change in [&b"shorter"[..], &vec![9; long().len()]] {
        std::fs::write(&local, long()).unwrap();
        let (source, change) = (local.clone(), change.to_vec());
        let meddled = wire(folder.path()).meddled(move |_, work| {
            if matches!(work, FileWork::ReadBlock(ReadBlock { from, .. }) if *from == BLOCK) {
                std::fs::write(&source, &change).unwrap();
            }
            None
        });
        let failure = failed(act(&meddled, Action::Put(transfer(&local, &remote)), false));
        assert!(failure.message.contains("was changed while it was carried"), "{}", failure.message);
        assert!(!remote.exists());
    }
    let appears = remote.clone();
    let meddled = wire(folder.path()).meddled(move |_, work| {
        if let FileWork::InstallFile(_) = work {
            std::fs::write(&appears, "somebody else's").unwrap();
        }
        None
    });
    failed(act(&meddled, Action::Fetch(transfer(&remote, &local)), false));
    assert_eq!(std::fs::read_to_string(&remote).unwrap(), "somebody else's");
    assert_eq!(names(folder.path()), ["a", "b"], "nothing is left of what could not be made the file");
}

#[test]
fn a_target_that_cannot_be_replaced_for_a_while_is_replaced_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let (local, remote) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&local, "new").unwrap();
    for _ in 0..4 {
        let path = remote.clone();
        let meddled = wire(folder.path()).meddled(move |_, work| {
            if let FileWork::InstallFile(_) = work {
                std::fs::create_dir(&path).unwrap();
            }
            None
        });
        let failure = failed(act(&meddled, Action::Put(transfer(&local, &remote)), true));
        assert!(failure.message.contains("is a folder"), "{}", failure.message);
        std::fs::remove_dir(&remote).unwrap();
        assert_eq!(names(folder.path()), ["a"], "no part is left");
    }
    // Parts under both names that a runner left which died right before the end of it.
    let dies = || {
        let part = RefCell::new(String::new());
        let dying = wire(folder.path()).meddled(move |_, work| match work {
            FileWork::WriteBlock(WriteBlock { path, .. }) => {
                part.replace(path.clone());
                None
            }
            FileWork::InstallFile(_) => {
                let mode = std::fs::Permissions::from_mode(0o644);
                std::fs::set_permissions(part.borrow().as_str(), mode).unwrap();
                Some(Err(Stopped))
            }
            FileWork::DigestFile(_) | FileWork::ReadBlock(_) => None,
        });
        assert_eq!(act(&dying, Action::Put(transfer(&local, &remote)), true), Err(Stopped));
    };
    (0..3).for_each(|_| dies());
    done(act(&wire(folder.path()), Action::Put(transfer(&local, &remote)), true));
    assert_eq!(std::fs::read_to_string(&remote).unwrap(), "new");
}

#[test]
fn a_file_is_read_to_its_end_whatever_it_says_of_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("a");
    let made_up = Path::new("/proc/sys/kernel/ostype");
    assert_eq!(std::fs::metadata(made_up).unwrap().len(), 0);
    let told = done(act(&wire(folder.path()), Action::Fetch(transfer(&here, made_up)), false));
    assert_eq!(
        (std::fs::read_to_string(&here).unwrap().as_str(), told.get("bytes")),
        ("Linux\n", Some(&Value::Int(6)))
    );
    let short = Transfer { max: 5, ..transfer(&folder.path().join("b"), made_up) };
    let failure = failed(act(&wire(folder.path()), Action::Fetch(short), false));
    assert!(failure.message.contains("more than the 5 bytes"), "{}", failure.message);
    // One that grows: what was there when it was looked at.
    let log = folder.path().join("log");
    std::fs::write(&log, "one\n").unwrap();
    let grows = log.clone();
    let growing = wire(folder.path()).meddled(move |_, _| {
        OpenOptions::new().append(true).open(&grows).unwrap().write_all(b"more\n").unwrap();
        None
    });
    done(act(&growing, Action::Fetch(transfer(&folder.path().join("c"), &log)), false));
    let fetched = std::fs::read_to_string(folder.path().join("c")).unwrap();
    assert!(fetched.starts_with("one\nmore\n") && fetched.ends_with("more\n"), "{fetched}");
}

const RUNBOOK: &str = r#"//! Carries a package there and a report back
let h = host("cfg-b");
step("Carry", || {
    let r = put(h, "package", "/opt/package", #{ mode: "0640" });
    note(`put ${r.bytes}`);
    fetch(h, "/opt/package", "report");
    fetch(h, "/var/made-up", "report-2");
});
"#;

fn laid(estate: &SimEstate) -> Vec<u8> {
    let package = long();
    estate.files().write_at(RUNNER, "package", 0, &package[..usize::try_from(BLOCK).unwrap() + 77]);
    estate.files().content(RUNNER, "package").unwrap()
}

fn arrived(estate: &SimEstate, package: &[u8]) -> bool {
    let is = |host: &str, path: &str| estate.files().content(host, path).as_deref() == Some(package);
    is("cfg-b", "/opt/package") && is(RUNNER, "report") && estate.files().mode("cfg-b", "/opt/package") == 0o640
}

#[test]
fn in_simulation_a_runner_may_die_at_any_point() {
    let scene = Scene::of_text(RUNBOOK);
    let mut point = 1;
    loop {
        let play = scene.play(1);
        let package = laid(&play.estate);
        let clock = CrashClock::at(point);
        let first = play.runner(&clock, &Between::nothing()).unwrap();
        if first.is_some() {
            break;
        }
        let finished = play.run();
        assert_eq!(finished.ending, Ending::Done, "died at {point}: {:?}", finished.error);
        assert!(arrived(&play.estate, &package), "died at {point}");
        point += 1;
    }
    assert!(point > 30, "only {point} points");
}

#[test]
fn in_simulation_any_fault_leaves_it_done_or_to_be_tried_again() {
    let scene = Scene::of_text(RUNBOOK);
    let calm = scene.play(1);
    laid(&calm.estate);
    assert_eq!(calm.run().ending, Ending::Done);
    let places = calm.estate.places();
    assert!(places.iter().any(|place| place.verb == "write") && places.len() >= 3, "{places:?}");
    for plan in FaultPlan::singles(&places) {
        let play = scene.play_with(1, &plan);
        let package = laid(&play.estate);
        let mut finished = play.run();
        if finished.ending == Ending::Failed {
            play.estate.pass(120_000);
            finished = play.run();
        }
        assert_eq!(finished.ending, Ending::Done, "{plan}: {:?}", finished.error);
        assert!(arrived(&play.estate, &package), "{plan}");
    }
}

#[test]
fn files_are_worked_on_the_same_under_every_shell() {
    for shell in SHELLS {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir_all(at("jobs/lease")).unwrap();
        std::fs::write(at("jobs/lease/0000000007"), "").unwrap();
        let (part, file) = (at(".it's $b.baton-part"), at("it's $b"));
        let jobs = folder.path().join("jobs");
        let agent = RefCell::new(ShellAgent::begin(shell, &jobs));
        // One that has refused a block may have bytes of it left: it is let go.
        let anew = |answer: String| {
            if !answer.starts_with("done ") {
                agent.replace(ShellAgent::begin(shell, &jobs));
            }
            answer
        };
        let write = |number: &str, part: &str, at: u32, body: &[u8]| {
            let words = format!("block - - {number} {at} {}", body.len());
            let answer = agent.borrow_mut().ask(&words, &[part], body);
            said(&anew(answer))
        };
        let install = |number: &str, part: &str, file: &str, mode: &str, over: &str| {
            said(&agent.borrow_mut().ask(&format!("install - - {number} {mode} {over}"), &[part, file], b""))
        };
        let digest = |path: &str, first: &str, role: &str| {
            said(&agent.borrow_mut().ask(&format!("digest - - {role} {first} 9"), &[path], b""))
        };
        let (done, mine) = (("done".to_owned(), String::new()), "0000000007");
        let why = |answer: (String, String), word: &str, says: &str| {
            assert!(answer.0 == word && answer.1.contains(says), "{shell:?}: {answer:?}, not {word} … {says}");
        };
        assert_eq!(write(mine, &part, 0, b"hello world"), done, "{shell:?}");
        assert_eq!(write(mine, &part, 5, b"XY"), done, "{shell:?}");
        why(write(mine, &part, 8, b"Z"), "missing", "shorter than it was");
        why(write("0000000006", &part, 0, &[b'Z'; 100_000]), "leased", "");
        why(write(mine, &at("no/part"), 0, b"Z"), "missing", "there is no folder");
        let seen = |text: &str| ("done".to_owned(), format!("7 600 {}", sha256(text.as_bytes())));
        assert_eq!(digest(&part, "-", "part"), seen("helloXY"), "{shell:?}");
        assert_eq!(digest(&part, "3", "source"), seen("hel"), "{shell:?}");
        why(digest(&file, "-", "target"), "missing", "");
        let made_up = format!("6 444 {}", sha256(b"Linux\n"));
        assert_eq!(digest("/proc/sys/kernel/ostype", "100", "source").1, made_up, "{shell:?}");
        why(install("0000000006", &part, &file, "640", "over"), "leased", "");
        assert_eq!(install(mine, &part, &file, "640", "-"), done, "{shell:?}");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(write(mine, &part, 0, b""), done);
        why(install(mine, &part, &file, "600", "-"), "refused", "is there already");
        assert!(!Path::new(&part).exists(), "{shell:?}: nothing is left of what cannot be made the file");
        assert_eq!(write(mine, &part, 0, b""), done);
        assert_eq!(install(mine, &part, &file, "600", "over"), done, "{shell:?}");
        assert_eq!((std::fs::read(&file).unwrap().len(), Path::new(&part).exists()), (0, false));
        symlink(&file, at("link")).unwrap();
        why(digest(&at("link"), "-", "target"), "refused", "is a symbolic link, which is not followed");
        let keeps = |what: &str, plant: &dyn Fn()| {
            let _ = std::fs::remove_file(&part);
            plant();
            for answer in
                [write(mine, &part, 0, b"Z"), digest(&part, "-", "part"), install(mine, &part, &file, "600", "over")]
            {
                assert_eq!(answer.0, "refused", "{shell:?}: {what}");
            }
            assert_eq!(std::fs::read(&file).unwrap(), b"", "{shell:?}: {what}");
            let _ = std::fs::remove_file(&part);
        };
        let begin = || assert_eq!(write(mine, &part, 0, b"XY"), done, "{shell:?}");
        keeps("a link at the part's name", &|| symlink(&file, &part).unwrap());
        keeps("a part with another name", &|| {
            begin();
            let _ = std::fs::remove_file(at("other"));
            std::fs::hard_link(&part, at("other")).unwrap();
        });
        keeps("a part that others may read", &|| {
            begin();
            std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o644)).unwrap();
        });
        // What is replaced hands on its owner, where this is root.
        if given(Path::new(&file), 1234, 1235) {
            begin();
            assert_eq!(install(mine, &part, &file, "640", "over"), done, "{shell:?}");
            let there = std::fs::metadata(&file).unwrap();
            assert_eq!((there.uid(), there.gid(), there.mode() & 0o7777), (1234, 1235, 0o640), "{shell:?}");
            std::fs::create_dir(at("spool")).unwrap();
            std::fs::set_permissions(at("spool"), std::fs::Permissions::from_mode(0o1777)).unwrap();
            let (part, tool) = (at("spool/.tool.baton-part"), at("spool/tool"));
            std::fs::write(&tool, "planted").unwrap();
            assert!(given(Path::new(&tool), 1234, 1234));
            assert_eq!(write(mine, &part, 0, b"XY"), done);
            why(install(mine, &part, &tool, "755", "over"), "refused", "where everybody may make files");
        }
        begin();
        why(install(mine, &part, &at("link"), "600", "over"), "refused", "is a symbolic link");
    }
}

/// The first word of an answer about a file, and the text behind it.
fn said(answer: &str) -> (String, String) {
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    if word == "done" {
        return (word.to_owned(), rest.to_owned());
    }
    let byte = |hex: &str| u8::from_str_radix(hex, 16).unwrap();
    let text: Vec<u8> = rest.split_whitespace().map(byte).collect();
    (word.to_owned(), String::from_utf8(text).unwrap())
}
