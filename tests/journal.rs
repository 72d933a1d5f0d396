//! The journal: what is appended is read again, and nothing else is.

use crate::records::{RUN, begun, every_record, step_begun, step_ended};
use baton::error::Kind;
use baton::journal::Store;
use baton::journal::memory::MemoryStore;

/// What every store must do, on a new one.
fn keeps_what_it_is_given(store: &mut dyn Store) {
    let records = every_record();
    assert_eq!(store.append(RUN, 0, &records[..4]), Ok(4));
    assert_eq!(store.append(RUN, 4, &records[4..]), Ok(records.len() as u64));
    store.append("3f2b00000002", 0, &[begun()]).expect("a second run");
    let read = store.read(RUN).expect("read");
    assert!(read.iter().map(|stored| stored.seq).eq(1..=records.len() as u64));
    assert_eq!(read.into_iter().map(|stored| stored.record).collect::<Vec<_>>(), records);
    assert_eq!(store.runs(), Ok(vec![RUN.to_owned(), "3f2b00000002".to_owned()]));

    let digest = store.put_source("step(\"x\", || 1)").expect("source");
    assert_eq!(store.put_source("step(\"x\", || 1)"), Ok(digest.clone()), "the same text has the same digest");
    assert_eq!(store.source(&digest), Ok("step(\"x\", || 1)".into()));
}

/// The refusals every store shares.
fn refuses_what_does_not_fit(store: &mut dyn Store) {
    store.append(RUN, 0, &[begun(), step_begun("1")]).expect("append");
    for expected in [0, 1, 3] {
        let error = store.append(RUN, expected, &[step_ended("1")]).expect_err("a conflict");
        assert_eq!(error.kind, Kind::Refused);
        let message = format!("another runner wrote to this run: {RUN} has 2 records, not {expected}");
        assert_eq!(error.message, message);
    }
    assert_eq!(store.read(RUN).expect("read").len(), 2, "nothing of a refused write is kept");
    assert_eq!(store.read("beef").expect_err("unknown").message, "there is no run beef");
    let error = store.source("beef").expect_err("unknown");
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
    runner.append(RUN, 0, &[begun()]).expect("append");
    drop(runner);
    assert_eq!(survivor.read(RUN).expect("read").len(), 1);
    let dump = String::from_utf8(survivor.byte_dump(RUN)).expect("text");
    assert!(dump.starts_with("{\"begun\":{\"format\":1,") && dump.ends_with("}\n"), "{dump}");
    assert!(survivor.byte_dump("beef").is_empty());
}
