//! A look at a log by somebody who waits for nothing: whether its folder, its files and its records are there to be
//! read. It reads the ends of a few files and keeps no mark; what is seen decides nothing in a run.

use crate::exec::calls;
use crate::exec::log_mark::LOOKED_INTO;
use crate::exec::log_names::{begins_packed, log_files, unfit};
use crate::exec::scanners::Scanners;
use crate::exec::sight::Hidden;
use crate::model::run::effect::LogSource;
use crate::world::{FileKind, FileStat, Link, Stopped, Trouble, Try};

/// How many files are looked into: those written last.
const FILES: usize = 3;
/// How much of the beginning and of the end of a file is read, in bytes.
const PART: u64 = 64 * 1024;

/// What a look at a log shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSeen {
    /// It can be read.
    Sound,
    /// It cannot be seen; why.
    Hidden(String),
    /// There was no answer in time.
    Late,
    /// Its folder is not there.
    NoFolder,
    /// Lines were read, and no layout of the profile finds a record in any of them.
    NoRecord {
        /// The file written last.
        file: String,
        /// Whether that was all there is.
        all: bool,
    },
}

/// Looks at a log on a host once.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn look_at_log(link: &dyn Link, host: &str, source: &LogSource, scanners: &Scanners) -> Result<LogSeen, Stopped> {
    let hidden = |trouble: Trouble| {
        if trouble == Trouble::Late { LogSeen::Late } else { LogSeen::Hidden(Hidden::Trouble(trouble).to_string()) }
    };
    let listing = match link.ask(calls::list(host, &source.dir))? {
        Ok(listing) => listing,
        Err(Trouble::Missing(_)) => return Ok(LogSeen::NoFolder),
        Err(trouble) => return Ok(hidden(trouble)),
    };
    let files = log_files(&listing, &source.files);
    let Some(newest) = files.last() else {
        let odd = |stat: &&FileStat| matches!(stat.kind, FileKind::Nowhere | FileKind::Unnamed | FileKind::Other);
        let fits = |stat: &&FileStat| glob_match::glob_match(&source.files, &stat.name);
        let unfit = listing.iter().filter(odd).filter(fits).map(unfit).collect();
        return Ok(LogSeen::Hidden(Hidden::NoFile { source: source.clone(), unfit }.to_string()));
    };
    let (mut all, mut lines, mut found, mut unreadable) = (files.len() <= FILES, false, false, Vec::new());
    for stat in files.iter().rev().take(FILES) {
        let bytes = match ends(link, host, source, stat)? {
            Ok(bytes) => bytes,
            // It was renamed meanwhile, or is gone: there is another one.
            Err(Trouble::Missing(_)) => {
                all = false;
                continue;
            }
            Err(Trouble::Refused(why)) => {
                unreadable.push(why);
                continue;
            }
            Err(trouble) => return Ok(hidden(trouble)),
        };
        if begins_packed(&bytes) {
            continue;
        }
        all &= stat.len <= 2 * PART;
        lines |= !bytes.iter().all(u8::is_ascii_whitespace);
        found = holds_record(&bytes, source, scanners);
        if found {
            break;
        }
    }
    // A mark is taken of every file that somebody may still write to.
    for stat in files.iter().rev().take(LOOKED_INTO) {
        let file = (stat.name.as_str(), stat.identity);
        match link.ask(calls::read(host, &source.dir, file, 0, 1))? {
            Err(Trouble::Refused(why)) if !unreadable.contains(&why) => unreadable.push(why),
            Ok(_) | Err(Trouble::Refused(_) | Trouble::Missing(_)) => {}
            Err(trouble) => return Ok(hidden(trouble)),
        }
    }
    Ok(match unreadable.is_empty() {
        false => not_readable(unreadable),
        true if lines && !found && !source.event_patterns.is_empty() => {
            LogSeen::NoRecord { file: newest.name.clone(), all }
        }
        true => LogSeen::Sound,
    })
}

fn not_readable(whys: Vec<String>) -> LogSeen {
    LogSeen::Hidden(Hidden::Unreadable(whys).to_string())
}

/// The beginning and the end of a file, from the beginning of a line each.
fn ends(link: &dyn Link, host: &str, source: &LogSource, stat: &FileStat) -> Try<Vec<u8>> {
    let file = (stat.name.as_str(), stat.identity);
    let mut bytes = match link.ask(calls::read(host, &source.dir, file, 0, PART.min(stat.len)))? {
        Ok(bytes) => bytes,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let from = stat.len.saturating_sub(PART).max(PART);
    if from < stat.len {
        match link.ask(calls::read(host, &source.dir, file, from, stat.len - from))? {
            Ok(end) => bytes.extend(end),
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
    Ok(Ok(bytes))
}

fn holds_record(bytes: &[u8], source: &LogSource, scanners: &Scanners) -> bool {
    // Any record, whatever its number: the layouts are what is looked for.
    scanners.get(&[], &[], &source.event_patterns).is_ok_and(|scanner| {
        scanner.scan(bytes, 0).is_some() || scanner.unfinished(crate::exec::scan::last_line(bytes)).is_some()
    })
}
