//! Folders and files of one host over SSH: listings by identity, bytes of one certain file, and waiting for a listing
//! to change with a followed stream that wakes. A symbolic link is followed to a regular file. It never writes.

use super::connection::Connection;
use crate::model::run::mark::Identity;
use crate::world::agent::Jobs;
use crate::world::agent::script::{self, Printed, ScriptStream, within};
use crate::world::{FileKind, FileStat, Trouble};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long the last listing of a wait may take at least.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// The most that a listing may be, in bytes.
const LISTING_MAX: usize = 8 << 20;
/// The bits of a mode that tell the kind of a file, and those of a regular one.
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
/// How many files of a folder are followed: those written last.
const FOLLOWED: usize = 3;
/// How often a folder is listed all the same: for new files, and where no stream tells of old ones.
const SAFETY_POLL: Duration = Duration::from_millis(500);
/// How many streams there are to a host at a time, so that there are channels left for everything else.
const STREAMS: usize = 2;

/// How a listing ends when there is no such folder.
const NO_FOLDER: i32 = 3;

const LIST: &str = concat!(
    include_str!("list.sh"),
    include_str!("links.sh"),
    "main() {\n\
        [ -e \"$1\" ] || return 3\n\
        all=$(list \"$1\" && links) || return\n\
        printf '%s\\n%s' \"${#all}\" \"$all\"\n\
    }\n"
);
const READ: &str = include_str!("read.sh");
const FOLLOW: &str = concat!(include_str!("list.sh"), include_str!("links.sh"), include_str!("follow.sh"));

/// The files of a host.
#[derive(Debug)]
pub(super) struct RemoteFiles {
    streams: Semaphore,
}

impl RemoteFiles {
    pub(super) fn new() -> Self {
        Self { streams: Semaphore::new(STREAMS) }
    }

    /// Replies with the listing as soon as it differs from `seen`, or at `until`.
    pub(super) async fn changed(
        &self,
        connection: &Connection,
        dir: &str,
        seen: &[FileStat],
        until: Instant,
    ) -> Result<Vec<FileStat>, Trouble> {
        let _permit = self.streams.try_acquire().ok();
        let mut stream = match &_permit {
            // A host that does not let one begin in time is listed all the same.
            Some(_) => timeout_at(until, follow(connection, dir, seen)).await.unwrap_or(Ok(None))?,
            None => None,
        };
        loop {
            let listing = match list_by(connection, dir, until.max(Instant::now() + LAST_LOOK)).await {
                Err(Trouble::Missing(_)) => Vec::new(),
                listing => listing?,
            };
            if listing != seen || Instant::now() >= until {
                return Ok(listing);
            }
            let next_look = sleep_until(until.min(Instant::now() + SAFETY_POLL));
            match &mut stream {
                Some(told) => {
                    tokio::select! {
                        listing = told.word() => match listing {
                            Some(lines) if files_of(&lines) != seen => return Ok(files_of(&lines)),
                            // It tells once.
                            Some(_) | None => stream = None,
                        },
                        () = next_look => {}
                    }
                }
                None => next_look.await,
            }
        }
    }
}

/// A stream that says once that one of the files has become longer; none for an empty folder.
async fn follow(connection: &Connection, dir: &str, seen: &[FileStat]) -> Result<Option<ScriptStream>, Trouble> {
    let mut latest: Vec<&FileStat> = seen.iter().collect();
    latest.sort_by_key(|file| std::cmp::Reverse(file.modified));
    latest.truncate(FOLLOWED);
    if latest.is_empty() {
        return Ok(None);
    }
    let lengths: Vec<String> = latest.iter().map(|file| file.len.to_string()).collect();
    let mut values: Vec<&[u8]> = vec![dir.as_bytes()];
    for (file, length) in latest.iter().zip(&lengths) {
        values.extend([file.name.as_bytes(), length.as_bytes()]);
    }
    ScriptStream::begin(connection, FOLLOW, &values, LISTING_MAX).await.map(Some)
}

/// The regular files in a folder and the links to such, by name.
pub(super) async fn list(connection: &Connection, dir: &str) -> Result<Vec<FileStat>, Trouble> {
    list_by(connection, dir, within(connection.look_limit())).await
}

async fn list_by(connection: &Connection, dir: &str, until: Instant) -> Result<Vec<FileStat>, Trouble> {
    let values: [&[u8]; 1] = [dir.as_bytes()];
    let until = until.min(within(connection.look_limit()));
    let printed = script::run_counted(connection, LIST, &values, LISTING_MAX as u64, until).await?;
    if printed.exit == NO_FOLDER {
        return Err(Trouble::Missing(format!("cannot list `{dir}`: there is no such folder")));
    }
    if printed.exit != 0 {
        return Err(Trouble::Refused(printed.complaint()));
    }
    if printed.cut {
        return Err(Trouble::Refused(format!("`{dir}` holds too many files to be listed")));
    }
    Ok(files_of(&printed.out))
}

/// The files that a listing shows.
fn files_of(lines: &[u8]) -> Vec<FileStat> {
    let mut files: Vec<FileStat> = lines.split(|&byte| byte == b'\n').filter_map(entry_of).collect();
    files.sort();
    files
}

/// A line of a listing, of a file or of a link, whether or not it is text.
fn entry_of(line: &[u8]) -> Option<FileStat> {
    let text = String::from_utf8_lossy(line);
    let kinds = [("link ", FileKind::Link), ("nowhere ", FileKind::Nowhere), ("other ", FileKind::Other)];
    let link = kinds.into_iter().find_map(|(word, kind)| Some((text.strip_prefix(word)?, kind)));
    let file = match link {
        Some((rest, kind)) => FileStat { kind, ..of_words(rest.splitn(7, ' '))? },
        None => file_of(&text)?,
    };
    if file.kind == FileKind::Other {
        return std::str::from_utf8(line).is_ok().then(|| FileStat::other(file.name));
    }
    let kind = if std::str::from_utf8(line).is_ok() { file.kind } else { FileKind::Unnamed };
    Some(FileStat { kind, ..file })
}

/// A line of a listing: kind and mode, device, inode, size, date, time, zone, name. Of what is no regular file only its
/// name counts; links are told in lines of their own, and the folder itself is none of what is in it.
fn file_of(line: &str) -> Option<FileStat> {
    let (mode, rest) = line.split_once(' ')?;
    let mode = u32::from_str_radix(mode, 16).ok()?;
    let file = of_words(rest.splitn(7, ' '))?;
    match mode & KIND {
        REGULAR => Some(file),
        LINK => None,
        _ => (!matches!(file.name.as_str(), "." | "..")).then(|| FileStat::other(file.name)),
    }
}

/// A file from the words about it: device, inode, size, date, time, zone, name.
fn of_words<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<FileStat> {
    let (device, inode, len) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let name = words.next()?.strip_prefix("./")?.to_owned();
    let modified = modified(&format!("{date} {time} {zone}"));
    Some(FileStat { name, identity: Identity { device, inode }, len, modified, kind: FileKind::File })
}

/// When a file was last written, in nanoseconds since 1970, from `2026-11-21 22:03:11.123456789 +0000`.
fn modified(text: &str) -> i64 {
    let parsed = ["%Y-%m-%d %H:%M:%S%.f %z"].iter().find_map(|form| jiff::Timestamp::strptime(form, text).ok());
    parsed.map_or(0, |at| i64::try_from(at.as_nanosecond()).unwrap_or(0))
}

/// Bytes of the file `name` if it is the one with this identity.
pub(super) async fn read(
    (connection, jobs): (&Connection, &Jobs),
    (dir, name): (&str, &str),
    identity: Identity,
    from: u64,
    max: u64,
) -> Result<Vec<u8>, Trouble> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(Trouble::Refused(format!("`{name}` is not the name of a file")));
    }
    let until = within(connection.look_limit());
    // What has just come is read at once, without a session for it.
    if let Some(few) = jobs.read_few((dir, name), identity, from, max, until).await? {
        return Ok(few);
    }
    let numbers = [identity.device, identity.inode, from, max].map(|number| number.to_string());
    let mut values: Vec<&[u8]> = vec![dir.as_bytes(), name.as_bytes()];
    values.extend(numbers.iter().map(String::as_bytes));
    let Printed { exit, out, .. } = script::run_counted(connection, READ, &values, max, until).await?;
    match exit {
        0 => Ok(out),
        3 => Err(Trouble::Missing(format!("`{dir}/{name}` is another file by now, or gone"))),
        _ => Err(Trouble::Refused(format!("cannot read `{dir}/{name}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{entry_of, file_of};
    use crate::world::FileKind;

    #[test]
    fn a_line_of_a_listing_is_a_file() {
        let file = file_of("81a4 65024 1573 17 2026-11-21 22:03:11.500000001 +0100 ./a name.log").expect("a file");
        assert_eq!((file.name.as_str(), file.len, file.identity.inode), ("a name.log", 17, 1573));
        assert_eq!(file.modified, 1_795_294_991_500_000_001);
        for odd in ["no listing at all", "a1ff 1 2 3 2026-11-21 22:03:11.5 +0100 ./link"] {
            assert!(file_of(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn a_link_is_the_file_it_leads_to_or_leads_nowhere() {
        let link = entry_of(b"link 1 2 17 2026-11-21 22:03:11.5 +0100 ./a link").expect("a link");
        assert_eq!((link.name.as_str(), link.len, link.kind), ("a link", 17, FileKind::Link));
        let nowhere = entry_of(b"nowhere 1 2 9 2026-11-21 22:03:11.5 +0100 ./b").expect("a link");
        assert_eq!(nowhere.kind, FileKind::Nowhere);
    }

    #[test]
    fn what_is_no_file_is_known_by_its_name_alone() {
        for mode in ["11a4", "41ed", "other"] {
            let line = format!("{mode} 1 2 0 2026-11-21 22:03:11.5 +0100 ./a.log");
            let pipe = entry_of(line.as_bytes()).expect("something");
            assert_eq!((pipe.name.as_str(), pipe.kind), ("a.log", FileKind::Other), "{line}");
        }
        for own in [".", ".."] {
            assert!(entry_of(format!("41ed 1 2 0 2026-11-21 22:03:11.5 +0100 ./{own}").as_bytes()).is_none(), "{own}");
        }
    }
}
