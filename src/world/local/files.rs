//! Reads folders and files of a local host: listings by identity, bytes of one certain file, and waiting for a
//! listing to change. A symbolic link is followed to a regular file, which is then known by its own identity.
//! It never writes.

use super::watches::Watches;
use crate::model::run::instant::Mono;
use crate::model::run::mark::Identity;
use crate::world::clock::Clock;
use crate::world::{FileKind, FileStat, Trouble};
use rustix::fs::OFlags;
use std::fs::{DirEntry, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a change may go unnoticed where the kernel sends no events.
const SAFETY_POLL: Duration = Duration::from_millis(500);
/// How often a folder is looked for that is not there yet.
const MISSING_POLL: Duration = Duration::from_millis(20);
/// The most files a folder may hold to be listed.
const FILES_MAX: usize = 100_000;
/// How much longer than a listing takes nobody asks for the next one: a large folder in which something happens all the
/// time must not keep a processor busy.
const REST: u32 = 4;

/// What is in a folder, by name: regular files and the links to such, and what is there beside them.
pub(in crate::world) fn list(dir: &Path) -> Result<Vec<FileStat>, Trouble> {
    let entries = std::fs::read_dir(dir).map_err(|error| {
        let text = format!("cannot list `{}`: {error}", dir.display());
        if error.kind() == ErrorKind::NotFound { Trouble::Missing(text) } else { Trouble::Refused(text) }
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Trouble::Refused(format!("cannot list `{}`: {error}", dir.display())))?;
        files.extend(stat_of(&entry));
        if files.len() > FILES_MAX {
            return Err(Trouble::Refused(format!("`{}` holds more than {FILES_MAX} files", dir.display())));
        }
    }
    files.sort();
    Ok(files)
}

/// What an entry of a folder is; nothing when it is not there any more.
fn stat_of(entry: &DirEntry) -> Option<FileStat> {
    let own = entry.metadata().ok()?;
    let (metadata, kind) = if own.is_symlink() {
        match std::fs::metadata(entry.path()) {
            Ok(metadata) => (metadata, FileKind::Link),
            Err(_) => (own, FileKind::Nowhere),
        }
    } else {
        (own, FileKind::File)
    };
    if kind != FileKind::Nowhere && !metadata.is_file() {
        return entry.file_name().into_string().ok().map(FileStat::other);
    }
    let (name, kind) = match entry.file_name().into_string() {
        Ok(name) => (name, kind),
        Err(name) => (name.to_string_lossy().into_owned(), FileKind::Unnamed),
    };
    Some(FileStat {
        name,
        identity: identity(&metadata),
        len: metadata.len(),
        modified: metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec()),
        kind,
    })
}

/// Bytes of the file `name` if it is the one with `wanted` identity.
pub(in crate::world) fn read(
    dir: &Path,
    name: &str,
    wanted: Identity,
    from: u64,
    max: u64,
) -> Result<Vec<u8>, Trouble> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(Trouble::Refused(format!("`{name}` is not the name of a file")));
    }
    let path = dir.join(name);
    // A link is followed: what counts is that it leads to the file that was listed.
    let file = open(&path)?;
    let metadata = file.metadata().map_err(|error| unreadable(&path, &error))?;
    if !metadata.is_file() || identity(&metadata) != wanted {
        return Err(Trouble::Missing(format!("`{}` is another file by now", path.display())));
    }
    read_from(&file, metadata.len(), from, max).map_err(|error| unreadable(&path, &error))
}

/// Replies with the listing as soon as it differs from `seen`, or at `until`.
pub(in crate::world) async fn changed(
    watches: &Arc<Watches>,
    clock: &Clock,
    dir: &Path,
    seen: &[FileStat],
    until: Mono,
) -> Result<Vec<FileStat>, Trouble> {
    loop {
        // A folder made anew needs a new watch. The listing comes after it, so that no change is missed.
        let watch = watches.watch(dir);
        let began = Instant::now();
        let listing = match list(dir) {
            Ok(listing) => listing,
            Err(Trouble::Missing(_)) => Vec::new(),
            Err(trouble) => return Err(trouble),
        };
        let Some(left) = clock.real_time_until(until) else { return Ok(listing) };
        if listing != seen {
            return Ok(listing);
        }
        let rest = began.elapsed() * REST;
        if rest > Duration::from_millis(5) {
            tokio::time::sleep(rest.min(left)).await;
        }
        match watch {
            Some(watch) => {
                let _ = tokio::time::timeout(left.min(SAFETY_POLL), watch.changed()).await;
            }
            None => tokio::time::sleep(left.min(MISSING_POLL)).await,
        }
    }
}

fn identity(metadata: &Metadata) -> Identity {
    Identity { device: metadata.dev(), inode: metadata.ino() }
}

fn open(path: &Path) -> Result<File, Trouble> {
    // Without NONBLOCK a pipe of that name would hold us for ever.
    let flags = OFlags::NONBLOCK.bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
    opened.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    let text = format!("cannot read `{}`: {error}", path.display());
    if error.kind() == ErrorKind::NotFound { Trouble::Missing(text) } else { Trouble::Refused(text) }
}

fn read_from(mut file: &File, len: u64, from: u64, max: u64) -> std::io::Result<Vec<u8>> {
    let size = len.saturating_sub(from).min(max);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.seek(SeekFrom::Start(from))?;
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}
