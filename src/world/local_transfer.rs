//! Files carried to or from this machine. A target is never reached through a symbolic link, and is only ever whole:
//! what is under way lies beside it. It must not decide what is carried.

use super::transfer::{Block, FileSeen, FileWork};
use super::{Reply, Trouble};
use crate::model::digest::Growing;
use rustix::fs::OFlags;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// How much is read at a time for a digest, in bytes.
const CHUNK: usize = 256 * 1024;
/// The bits of a mode that are carried.
const MODE: u32 = 0o7777;

/// Does what is asked about a file. Takes as long as the disk takes.
pub(super) fn work(work: FileWork) -> Reply {
    let done = match work {
        FileWork::Digest { path, first, must } => digest(Path::new(&path), first, must).map(Reply::File),
        FileWork::Read { path, from, max } => read(Path::new(&path), from, max).map(|bytes| Reply::Block(Block(bytes))),
        FileWork::Write { path, at, block } => write(Path::new(&path), at, &block.0).map(|()| Reply::Kept),
        FileWork::Install { part, path, mode, over } => {
            install(Path::new(&part), Path::new(&path), mode, over).map(|()| Reply::Kept)
        }
    };
    done.unwrap_or_else(Reply::Trouble)
}

fn digest(path: &Path, first: u64, must: bool) -> Result<Option<FileSeen>, Trouble> {
    let failed = |error: Error| trouble("cannot read", path, &error);
    let looked = if must { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) };
    let metadata = match looked {
        Err(error) if error.kind() == ErrorKind::NotFound && !must => return Ok(None),
        looked => looked.map_err(failed)?,
    };
    regular(path, &metadata)?;
    let mut source = open(path, must).map_err(failed)?.take(first);
    let (mut digest, mut chunk) = (Growing::default(), vec![0; CHUNK]);
    loop {
        match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => digest.add(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(Some(FileSeen { len: metadata.len(), mode: metadata.mode() & MODE, sha256: digest.finish() }))
}

fn read(path: &Path, from: u64, max: u64) -> Result<Vec<u8>, Trouble> {
    let failed = |error: Error| trouble("cannot read", path, &error);
    let mut file = open(path, true).map_err(failed)?;
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn write(path: &Path, at: u64, bytes: &[u8]) -> Result<(), Trouble> {
    let failed = |error: Error| trouble("cannot write", path, &error);
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    if at == 0 {
        // Whatever has the name of the part goes, so that a link there leads nowhere.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => options.create_new(true),
        };
    }
    let mut file = options.open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() < at {
        return Err(Trouble::Missing(format!("`{}` is shorter than it was", path.display())));
    }
    file.set_len(at).map_err(failed)?;
    file.seek(SeekFrom::Start(at)).map_err(failed)?;
    file.write_all(bytes).map_err(failed)
}

fn install(part: &Path, path: &Path, mode: u32, over: bool) -> Result<(), Trouble> {
    let failed = |error: Error| trouble("cannot make", path, &error);
    let file = open(part, false).map_err(failed)?;
    file.set_permissions(Permissions::from_mode(mode & MODE)).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    if part == path {
        return Ok(());
    }
    if over {
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            there => regular(path, &there.map_err(failed)?)?,
        }
        std::fs::rename(part, path).map_err(failed)?;
    } else {
        // Unlike a rename it fails when somebody else has made the file in the meantime.
        std::fs::hard_link(part, path).map_err(failed)?;
        std::fs::remove_file(part).map_err(failed)?;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Without NONBLOCK a pipe of that name would hold us for ever.
fn open(path: &Path, follow: bool) -> std::io::Result<File> {
    let flags = if follow { OFlags::NONBLOCK } else { OFlags::NONBLOCK | OFlags::NOFOLLOW };
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn regular(path: &Path, metadata: &Metadata) -> Result<(), Trouble> {
    let what = match metadata.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_symlink() => "a symbolic link, which is not followed",
        kind if kind.is_dir() => "a folder",
        _ => "no plain file",
    };
    Err(Trouble::Refused(format!("`{}` is {what}", path.display())))
}

fn trouble(what: &str, path: &Path, error: &Error) -> Trouble {
    let text = format!("{what} `{}`: {error}", path.display());
    if error.kind() == ErrorKind::NotFound { Trouble::Missing(text) } else { Trouble::Refused(text) }
}
