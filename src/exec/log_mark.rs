//! Where a log stands now: a cursor at the end of each of its files, and which of them are copies that are being made.
//! It reads the ends and beginnings of a few files; what comes later is for others to follow.

use crate::exec::calls;
use crate::exec::follow::{COMPARED, Follower, cursor_at_end};
use crate::exec::log_names::log_files;
use crate::exec::log_reader::LOOKUPS;
use crate::exec::sight::Hidden;
use crate::model::run::effect::LogSource;
use crate::model::run::mark::{Cursor, HEAD_BYTES, Mark, head_checksums};
use crate::world::{FileStat, Link, Stopped, Trouble, Try};
use std::collections::BTreeMap;

/// How far back the end of the last whole line is searched for, at first and at the most, in bytes.
const BACK: (u64, u64) = (64 * 1024, 16 * 1024 * 1024);

/// How many files of a log, those written last, are looked into for a mark. Nobody writes to the older ones any more.
pub(super) const LOOKED_INTO: usize = 200;

/// Where a log stands now, and what whoever takes the mark should know. Whatever is in its files is old, but for lines
/// still being written.
pub(super) fn mark_now(link: &dyn Link, host: &str, source: &LogSource) -> Try<(Mark, Option<Hidden>)> {
    let mut lookups = 0;
    'lookup: loop {
        let listing = match link.ask(calls::list(host, &source.dir))? {
            Ok(listing) => listing,
            Err(Trouble::Missing(_)) => Vec::new(),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut follower = Follower::new(&source.files, &Mark::default());
        follower.see(&listing);
        let hidden = (!follower.has_files()).then(|| {
            let unfit = follower.remarks().unfit.iter().cloned().collect();
            Hidden::NoFile { source: source.clone(), unfit }
        });
        // What stands in the place of the log does not become one: whoever waited for it would wait in vain.
        if let Some(hidden) = hidden.as_ref().filter(|_| follower.remarks().in_place) {
            return Ok(Err(Trouble::Refused(hidden.to_string())));
        }
        let mut files = log_files(&listing, &source.files);
        let old = files.len().saturating_sub(LOOKED_INTO);
        let mut cursors: Vec<Cursor> = files.drain(..old).map(unseen_end).collect();
        let plain = files.len().saturating_sub(COMPARED);
        for (place, stat) in files.iter().enumerate() {
            match end_of(link, host, source, stat)? {
                Ok(mut cursor) => {
                    if place < plain {
                        cursor.head.clear();
                    } else if cursor.head.is_empty() && cursor.offset > 0 {
                        cursor.head = head_of(link, host, source, stat)?;
                    }
                    cursors.push(cursor);
                }
                // Renamed meanwhile: without its cursor its old lines would count as new.
                Err(Trouble::Missing(_)) if lookups < LOOKUPS => {
                    lookups += 1;
                    continue 'lookup;
                }
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        if let Err(trouble) = find_copies(link, host, source, &files[plain..], &mut cursors)? {
            return Ok(Err(trouble));
        }
        return Ok(Ok((Mark { cursors }, hidden)));
    }
}

/// Which of these files, of which the last cursors are, are being made as copies of others: all that is in one stands
/// in a longer one. What is copied after the mark is as old as the rest. One with nothing in it may be one too: it is
/// found out when something is in it, as for a file that comes after the mark.
fn find_copies(
    link: &dyn Link,
    host: &str,
    source: &LogSource,
    files: &[&FileStat],
    cursors: &mut Vec<Cursor>,
) -> Try<()> {
    let first = cursors.len() - files.len();
    let mut empty = Vec::new();
    for (place, stat) in files.iter().enumerate() {
        let mut longer = files.iter().enumerate().filter(|(_, other)| other.len > stat.len).peekable();
        if stat.len == 0 && longer.peek().is_some() {
            empty.push(first + place);
            continue;
        }
        for (other_place, other) in longer {
            if !begins_like(&cursors[first + place], &cursors[first + other_place]) {
                continue;
            }
            match is_in(link, host, source, (stat, other))? {
                Ok(true) => cursors[first + place].copy_of = Some(other.identity),
                Ok(false) => continue,
                Err(trouble) => return Ok(Err(trouble)),
            }
            break;
        }
    }
    empty.into_iter().rev().for_each(|place| drop(cursors.remove(place)));
    Ok(Ok(()))
}

/// Whether nothing that is known of their beginnings tells these files apart.
fn begins_like(one: &Cursor, other: &Cursor) -> bool {
    let sums: BTreeMap<u64, u64> = other.head.iter().copied().collect();
    one.head.iter().all(|(length, sum)| sums.get(length).is_none_or(|same| same == sum))
}

/// Whether all that is in the one file stands at the beginning of the other, by its first and its last bytes.
fn is_in(link: &dyn Link, host: &str, source: &LogSource, (stat, other): (&FileStat, &FileStat)) -> Try<bool> {
    let end = stat.len.saturating_sub(BACK.0);
    for (from, length) in [(0, HEAD_BYTES.min(stat.len)), (end, stat.len - end)] {
        let read = |of: &FileStat| {
            let file = (of.name.as_str(), of.identity);
            link.ask(calls::read(host, &source.dir, file, from, length))
        };
        match (read(stat)?, read(other)?) {
            (Ok(one), Ok(two)) if one == two && one.len() as u64 == length => {}
            // Renamed or removed meanwhile: then it is no copy that is being made.
            (Ok(_) | Err(Trouble::Missing(_)), Ok(_) | Err(Trouble::Missing(_))) => return Ok(Ok(false)),
            (Err(trouble), _) | (_, Err(trouble)) => return Ok(Err(trouble)),
        }
    }
    Ok(Ok(true))
}

/// The end of a file that nobody looks into.
fn unseen_end(stat: &FileStat) -> Cursor {
    let start = Cursor::start(&stat.name, stat.identity);
    Cursor { offset: stat.len, tail: None, written: stat.modified, ..start }
}

/// Checksums of the beginning of a file; none when it cannot be read.
fn head_of(link: &dyn Link, host: &str, source: &LogSource, stat: &FileStat) -> Result<Vec<(u64, u64)>, Stopped> {
    let file = (stat.name.as_str(), stat.identity);
    let bytes = link.ask(calls::read(host, &source.dir, file, 0, HEAD_BYTES))?;
    Ok(bytes.map(|bytes| head_checksums(&bytes)).unwrap_or_default())
}

/// The cursor behind the last whole line of a file.
fn end_of(link: &dyn Link, host: &str, source: &LogSource, stat: &FileStat) -> Try<Cursor> {
    let (mut back, most) = BACK;
    loop {
        let from = stat.len.saturating_sub(back);
        let file = (stat.name.as_str(), stat.identity);
        match link.ask(calls::read(host, &source.dir, file, from, stat.len - from))? {
            Ok(bytes) => {
                let cursor = cursor_at_end(stat, from, &bytes);
                if !cursor.spent || back >= most {
                    return Ok(Ok(cursor));
                }
                back *= 4;
            }
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
}
