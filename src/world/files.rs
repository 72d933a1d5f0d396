//! Reads folders and files of a local host: listings by identity, bytes of one certain file, and waiting for a
//! listing to change. It never follows a symbolic link to a file and never writes.

use super::clock::Clock;
use super::watches::Watches;
use super::{FileStat, Reply, Trouble};
use crate::model::mark::Identity;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a change may go unnoticed where the kernel sends no events.
const SAFETY_POLL: Duration = Duration::from_millis(500);
/// How often a folder is looked for that is not there yet.
const MISSING_POLL: Duration = Duration::from_millis(20);

/// The regular files in a folder, by name. Names that are not UTF-8 are left out: nobody could ask for them.
pub(super) fn list(dir: &Path) -> Result<Vec<FileStat>, Trouble> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::Refused(format!("cannot list `{}`: {error}", dir.display()))),
    };
    let mut files: Vec<FileStat> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            // A file removed since the folder was read has no metadata any more: it is not there.
            let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
            Some(FileStat {
                name: entry.file_name().into_string().ok()?,
                identity: identity(&metadata),
                len: metadata.len(),
                modified: metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec()),
            })
        })
        .collect();
    files.sort();
    Ok(files)
}

/// Bytes of the file `name` if it is the one with `wanted` identity.
pub(super) fn read(dir: &Path, name: &str, wanted: Identity, from: u64, max: u64) -> Result<Vec<u8>, Trouble> {
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return Err(Trouble::Refused(format!("`{name}` is not the name of a file")));
    }
    let path = dir.join(name);
    let file = open(&path)?;
    let metadata = file.metadata().map_err(|error| unreadable(&path, &error))?;
    if !metadata.is_file() || identity(&metadata) != wanted {
        return Err(Trouble::Missing(format!("`{}` is another file by now", path.display())));
    }
    read_from(&file, metadata.len(), from, max).map_err(|error| unreadable(&path, &error))
}

/// Bytes of a file whose name is ours, whatever its identity.
pub(super) fn read_own(path: &Path, from: u64, max: u64) -> Result<Vec<u8>, Trouble> {
    let file = open(path)?;
    let len = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    read_from(&file, len, from, max).map_err(|error| unreadable(path, &error))
}

/// Replies with the listing as soon as it differs from `seen`, or at `until`.
pub(super) async fn changed(watches: &Arc<Watches>, clock: &Clock, dir: &Path, seen: &[FileStat], until: u64) -> Reply {
    loop {
        // A folder made anew needs a new watch. The listing comes after it, so that no change is missed.
        let watch = watches.watch(dir);
        let listing = match list(dir) {
            Ok(listing) => listing,
            Err(trouble) => return Reply::Trouble(trouble),
        };
        let Some(left) = clock.real_time_until(until) else { return Reply::Listing(listing) };
        if listing != seen {
            return Reply::Listing(listing);
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
    use rustix::fs::OFlags;
    // Without NONBLOCK a pipe of that name would hold us for ever.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
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
