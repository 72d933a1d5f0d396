//! Files of this machine that are carried to a host: what they hold, block by block. It never writes.

use crate::model::digest::Growing;
use crate::model::run::instant::Mono;
use crate::world::Trouble;
use crate::world::clock::Clock;
use crate::world::transfer::FileSeen;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How much is read at a time for a digest, in bytes.
const CHUNK: usize = 1 << 20;
/// The bits of a mode that are carried.
const MODE: u32 = 0o7777;

/// What a source holds, `first` bytes of it; it may be a symbolic link. It takes as long as the disk takes, or until
/// `until`, or until it is dropped.
pub(in crate::world) async fn digest(path: &Path, first: u64, clock: &Clock, until: Mono) -> Result<FileSeen, Trouble> {
    let failed = |error: Error| trouble(path, &error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    regular(path, &metadata)?;
    let mut source = open(path).map_err(failed)?.take(first);
    let (mut digest, mut chunk, mut read) = (Growing::default(), vec![0; CHUNK], 0);
    loop {
        match tokio::task::block_in_place(|| source.read(&mut chunk)) {
            Ok(0) => break,
            Ok(count) => {
                read += count as u64;
                digest.add(&chunk[..count]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if clock.real_time_until(until).is_none() {
            return Err(Trouble::Late);
        }
        // Here it can be dropped.
        tokio::task::yield_now().await;
    }
    // Where its end was reached, that is how long it is, whatever it says of itself.
    let len = if read < first { read } else { metadata.len().max(read) };
    Ok(FileSeen { len, mode: metadata.mode() & MODE, sha256: digest.finish() })
}

/// Bytes of a source.
pub(in crate::world) fn read(path: &Path, from: u64, max: u64) -> Result<Vec<u8>, Trouble> {
    let failed = |error: Error| trouble(path, &error);
    let mut file = open(path).map_err(failed)?;
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Without NONBLOCK a pipe of that name would hold us for ever.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?.into())
}

fn regular(path: &Path, metadata: &Metadata) -> Result<(), Trouble> {
    let what = match FileType::from_raw_mode(metadata.mode()) {
        FileType::RegularFile => return Ok(()),
        FileType::Symlink => "a symbolic link, which is not followed",
        FileType::Directory => "a folder",
        FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
            "no plain file"
        }
    };
    Err(Trouble::Refused(format!("`{}` is {what}", path.display())))
}

fn trouble(path: &Path, error: &Error) -> Trouble {
    let text = format!("cannot read `{}`: {error}", path.display());
    if error.kind() == ErrorKind::NotFound { Trouble::Missing(text) } else { Trouble::Refused(text) }
}
