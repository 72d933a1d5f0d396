//! The journal: what is appended is read again, and nothing else is.

use crate::records::{RUN, begun, every_record, step_begun, step_ended};
use baton::error::{Error, Kind};
use baton::journal::memory::MemoryStore;
use baton::journal::sqlite::SqliteStore;
use baton::journal::{Store, StoreError};
use baton::model::run::record::Record;
use baton::platform::runner_lock::{Holder, RunnerLock};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

/// Every kind of record, as stores take them.
fn shared_records() -> Vec<Rc<Record>> {
    every_record().into_iter().map(Rc::new).collect()
}

/// What every store must do, on a new one.
fn keeps_what_it_is_given(store: &mut dyn Store) {
    let records = shared_records();
    assert_eq!(store.append(RUN, 0, &records[..4]), Ok(4));
    assert_eq!(store.append(RUN, 4, &records[4..]), Ok(records.len() as u64));
    store.append("3f2b00000002", 0, &[begun().into()]).expect("a second run");
    let read = store.read(RUN).expect("read");
    assert!(read.iter().map(|stored| stored.seq).eq(1..=records.len() as u64));
    assert_eq!(read.into_iter().map(|stored| stored.record).collect::<Vec<_>>(), records);
    assert_eq!(store.runs(), Ok(vec![RUN.to_owned(), "3f2b00000002".to_owned()]));

    let digest = store.put_source("step(\"x\", || 1)").expect("source");
    assert_eq!(store.put_source("step(\"x\", || 1)"), Ok(digest.clone()), "the same text has the same digest");
    assert_eq!(store.source(&digest), Ok("step(\"x\", || 1)".into()));
}

/// What people are told.
fn told(error: StoreError) -> Box<Error> {
    error.into()
}

/// The refusals every store shares.
fn refuses_what_does_not_fit(store: &mut dyn Store) {
    store.append(RUN, 0, &[begun().into(), step_begun("1").into()]).expect("append");
    for expected in [0, 1, 3] {
        let error = told(store.append(RUN, expected, &[step_ended("1").into()]).expect_err("a conflict"));
        assert_eq!(error.kind, Kind::Refused);
        let message = format!("another runner wrote to this run: {RUN} has 2 records, not {expected}");
        assert_eq!(error.message, message);
    }
    assert_eq!(store.read(RUN).expect("read").len(), 2, "nothing of a refused write is kept");
    assert_eq!(told(store.read("beef").expect_err("unknown")).message, "there is no run beef");
    let error = told(store.source("beef").expect_err("unknown"));
    assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "the journal does not hold the source text beef"));
}

#[test]
fn a_store_in_memory_keeps_what_it_is_given() {
    keeps_what_it_is_given(&mut MemoryStore::new());
    refuses_what_does_not_fit(&mut MemoryStore::new());
}

#[test]
fn a_store_in_memory_outlives_its_runner() {
    let survivor = MemoryStore::new();
    let mut runner = survivor.clone();
    runner.append(RUN, 0, &[begun().into()]).expect("append");
    drop(runner);
    assert_eq!(survivor.read(RUN).expect("read").len(), 1);
    let dump = String::from_utf8(survivor.byte_dump(RUN)).expect("text");
    assert!(
        dump.starts_with("{\"at\":{") && dump.contains("\"fact\":{\"begun\":{\"format\":2,") && dump.ends_with("}\n"),
        "{dump}"
    );
    assert!(survivor.byte_dump("beef").is_empty());
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir).expect("open")
}

/// Changes the database behind the store's back.
fn meddle(dir: &Path, sql: &str) {
    let database = rusqlite::Connection::open(dir.join("journal.db")).expect("open");
    database.execute_batch(sql).expect("execute");
}

#[test]
fn a_durable_store_keeps_what_it_is_given() {
    keeps_what_it_is_given(&mut open(folder().path()));
    refuses_what_does_not_fit(&mut open(folder().path()));
}

#[test]
fn a_durable_store_is_there_after_its_process() {
    let dir = folder();
    open(dir.path()).append(RUN, 0, &shared_records()).expect("append");
    assert_eq!(open(dir.path()).read(RUN).expect("read").len(), every_record().len());
}

#[test]
fn only_the_account_itself_can_read_a_new_state_directory() {
    let dir = folder();
    let state = dir.path().join("deep/state");
    let mut store = open(&state);
    store.append(RUN, 0, &[begun().into()]).expect("append");
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("journal.db"))), (0o700, 0o600));
    assert_eq!(mode(&state.join("journal.db-wal")), 0o600);
}

#[test]
fn a_second_writer_is_a_conflict_and_a_reader_is_welcome() {
    let dir = folder();
    let (mut first, mut second) = (open(dir.path()), open(dir.path()));
    first.append(RUN, 0, &[begun().into()]).expect("append");
    second.append(RUN, 1, &[step_begun("1").into()]).expect("append");
    let error = told(first.append(RUN, 1, &[step_begun("1").into()]).expect_err("a conflict"));
    assert_eq!(error.message, format!("another runner wrote to this run: {RUN} has 2 records, not 1"));
    let database = rusqlite::Connection::open(dir.path().join("journal.db")).expect("open");
    database.execute_batch("BEGIN; SELECT * FROM records").expect("a reader in the midst of reading");
    assert_eq!(first.append(RUN, 2, &[step_ended("1").into()]), Ok(3));
}

#[test]
fn a_changed_record_is_refused_with_the_last_good_one_named() {
    let meddling = [
        "UPDATE records SET body = replace(body, 'Stop', 'Drop') WHERE seq = 3",
        "UPDATE records SET chain = zeroblob(32) WHERE seq = 3",
        "DELETE FROM records WHERE seq = 3",
    ];
    for sql in meddling {
        let dir = folder();
        open(dir.path()).append(RUN, 0, &shared_records()).expect("append");
        meddle(dir.path(), sql);
        let error = told(open(dir.path()).read(RUN).expect_err(sql));
        assert_eq!(error.kind, Kind::Refused);
        assert_eq!(error.message, format!("the journal of run {RUN} is damaged: record 2 is the last good one"));
        assert_eq!(
            error.hints,
            ["nothing was done: put the state directory back from a backup", "see which runs are sound: baton runs"]
        );
    }
}

#[test]
fn a_changed_source_is_refused() {
    let dir = folder();
    let digest = open(dir.path()).put_source("step").expect("source");
    meddle(dir.path(), "UPDATE sources SET text = 'other'");
    let error = told(open(dir.path()).source(&digest).expect_err("changed"));
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.starts_with(&format!("the source text {digest} in `")), "{error}");
}

#[test]
fn a_newer_database_is_refused_with_both_versions() {
    let dir = folder();
    drop(open(dir.path()));
    meddle(dir.path(), "PRAGMA user_version = 7");
    let error = SqliteStore::open(dir.path()).expect_err("newer");
    assert_eq!(error.kind, Kind::Refused);
    let file = dir.path().join("journal.db");
    let message = format!("`{}` has layout 7, which a newer baton wrote; this baton knows layout 1", file.display());
    assert_eq!(error.message, message);
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let dir = folder();
    let file = dir.path().join("journal.db");
    std::fs::write(&file, "not a database, but long enough to look at: ".repeat(100)).expect("write");
    let error = SqliteStore::open(dir.path()).expect_err("no database");
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(error.message, format!("the journal `{}` is damaged: file is not a database", file.display()));
}

#[test]
fn a_state_directory_that_cannot_be_used_is_named() {
    let dir = folder();
    let file = dir.path().join("taken");
    std::fs::write(&file, "").expect("write");
    let error = SqliteStore::open(&file).expect_err("a file");
    assert_eq!(error.kind, Kind::Precondition);
    assert!(
        error.message.starts_with(&format!("the state directory `{}` cannot be used: ", file.display())),
        "{error}"
    );
    assert_eq!(error.hints, ["make it a folder of yours with room in it, or name another one with `--state DIR`"]);
}

#[test]
fn a_write_that_fails_halfway_keeps_nothing_and_says_so() {
    let dir = folder();
    open(dir.path()).append(RUN, 0, &[begun().into()]).expect("append");
    let full = "CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.seq = 5
                BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    meddle(dir.path(), full);
    let error = open(dir.path()).append(RUN, 1, &vec![step_begun("1").into(); 10]).expect_err("full");
    let error = told(error);
    assert_eq!(error.kind, Kind::Failed);
    assert_eq!(error.message, "the journal could not be written: database or disk is full; nothing more was done");
    assert_eq!(open(dir.path()).read(RUN).expect("read").len(), 1);
}

fn holder(run: &str) -> Holder {
    let (user, host, since) = ("root".into(), "lab-1".into(), "22:03:11".into());
    Holder { run: run.into(), pid: 4711, user, host, since }
}

#[test]
fn a_lease_is_held_by_one_and_free_when_it_ends() {
    let dir = folder();
    let lease = RunnerLock::take(dir.path(), "lab genesys", &holder(RUN)).expect("free");
    let error = Box::<Error>::from(RunnerLock::take(dir.path(), "lab genesys", &holder("beef")).expect_err("held"));
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(error.message, format!("run {RUN} holds lab genesys: pid 4711, root@lab-1, since 22:03:11"));
    assert_eq!(error.hints, [format!("wait for it to end, or see what it does: baton show {RUN}")]);
    RunnerLock::take(dir.path(), "lab other", &holder("beef")).expect("another name is free");
    drop(lease);
    RunnerLock::take(dir.path(), "lab genesys", &holder("beef")).expect("free again");
}

#[test]
fn a_lease_on_a_run_says_that_it_is_being_run() {
    let dir = folder();
    let _lease = RunnerLock::take(dir.path(), RUN, &holder(RUN)).expect("free");
    let error = Box::<Error>::from(RunnerLock::take(dir.path(), RUN, &holder(RUN)).expect_err("held"));
    assert_eq!(error.message, format!("run {RUN} is being run: pid 4711, root@lab-1, since 22:03:11"));
}

#[test]
fn the_name_of_a_lease_cannot_lead_out_of_its_folder() {
    let dir = folder();
    let _lease = RunnerLock::take(dir.path(), "../../x", &holder(RUN)).expect("free");
    let names: Vec<_> = std::fs::read_dir(dir.path().join("locks")).expect("list").collect();
    assert_eq!(names.len(), 1);
    assert!(!dir.path().join("../../x.lock").exists());
}

/// On a busy machine whoever looks may be stopped in the middle of it.
#[test]
fn a_look_that_takes_long_does_not_make_a_name_look_taken() {
    let folder = folder();
    drop(RunnerLock::take(folder.path(), "one", &holder(RUN)).expect("free"));
    let file = std::fs::File::open(folder.path().join("locks/one.lock")).expect("its file");
    file.lock_shared().expect("a look begins");
    std::thread::scope(|scope| {
        let taker = scope.spawn(|| RunnerLock::take(folder.path(), "one", &holder(RUN)));
        std::thread::sleep(std::time::Duration::from_millis(300));
        file.unlock().expect("a look ends");
        let taken = taker.join().expect("no panic");
        assert!(taken.is_ok(), "{taken:?}");
    });
}

/// Whoever looks who holds a name sees who does, and keeps nobody from taking it.
#[test]
fn looking_at_a_name_tells_the_truth_and_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, pid) = (folder.path(), std::process::id());
    let holder = Holder { run: "aa".into(), pid, user: "ann".into(), host: "vm".into(), since: "now".into() };
    let held = RunnerLock::take(dir, "held", &holder).unwrap();
    std::thread::scope(|scope| {
        let busy = |name: &'static str| {
            let holder = holder.clone();
            move || (0..2_000).for_each(|_| drop(RunnerLock::take(dir, name, &holder).unwrap()))
        };
        let takers = [scope.spawn(busy("one")), scope.spawn(busy("other"))];
        // A child that is being started has all our files until it is carried out.
        scope.spawn(|| {
            (0..300).for_each(|_| drop(std::process::Command::new("true").status()));
        });
        while !takers.iter().all(|taker| taker.is_finished()) {
            assert_eq!(RunnerLock::is_held(dir, "held"), Some(true));
            assert_eq!(RunnerLock::holder(dir, "held"), Some(holder.clone()));
            assert!(RunnerLock::is_held(dir, "one").is_some() && RunnerLock::is_held(dir, "other").is_some());
        }
    });
    drop(held);
    assert_eq!((RunnerLock::is_held(dir, "held"), RunnerLock::holder(dir, "held")), (Some(false), None));
    assert_eq!(RunnerLock::is_held(dir, "never"), Some(false));
}
