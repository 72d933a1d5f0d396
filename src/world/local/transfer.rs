//! Files carried to or from this machine. A target is never reached through a symbolic link, and is only ever
//! whole: what is under way lies beside it, in a part that nobody else can have laid there. It must not decide what
//! is carried.

use super::kept_attributes::keep;
use crate::model::digest::Growing;
use crate::model::run::instant::Mono;
use crate::world::clock::Clock;
use crate::world::request::WorkOnFile;
use crate::world::transfer::{Block, DigestFile, FileSeen, FileWork, InstallFile, ReadBlock, Role, WriteBlock};
use crate::world::{HasReply, Reply, Trouble};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use std::ffi::OsStr;
use std::fs::{File, Metadata, Permissions};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// How much is read at a time for a digest, in bytes.
const CHUNK: usize = 1 << 20;
/// The bits of a mode that are carried.
const MODE: u32 = 0o7777;
/// The bits of a mode that let anybody else in.
const OTHERS: u32 = 0o7077;

/// Does what is asked about a file. A digest takes as long as the disk takes, or until `until`, or until it is dropped.
pub(in crate::world) async fn work(work: FileWork, clock: &Clock, until: Mono) -> Result<Reply, Trouble> {
    let at_once = |done: &mut dyn FnMut() -> Result<Reply, Trouble>| tokio::task::block_in_place(done);
    match work {
        FileWork::DigestFile(DigestFile { path, first, role }) => {
            let seen = digest(Path::new(&path), first, role, || clock.real_time_until(until).is_none()).await;
            seen.map(WorkOnFile::<DigestFile>::answered)
        }
        FileWork::ReadBlock(ReadBlock { path, from, max }) => at_once(&mut || {
            read(Path::new(&path), from, max).map(|bytes| WorkOnFile::<ReadBlock>::answered(Block(bytes)))
        }),
        FileWork::WriteBlock(WriteBlock { path, at, block }) => {
            at_once(&mut || write(Path::new(&path), at, &block.0).map(WorkOnFile::<WriteBlock>::answered))
        }
        FileWork::InstallFile(InstallFile { part, path, mode, over }) => at_once(&mut || {
            install(Path::new(&part), Path::new(&path), mode, over).map(WorkOnFile::<InstallFile>::answered)
        }),
    }
}

async fn digest(path: &Path, first: u64, role: Role, is_over: impl Fn() -> bool) -> Result<Option<FileSeen>, Trouble> {
    let failed = |error: Error| trouble("cannot read", path, &error);
    let must = role == Role::Source;
    let looked = if must { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) };
    let metadata = match looked {
        Err(error) if error.kind() == ErrorKind::NotFound && !must => return Ok(None),
        looked => looked.map_err(failed)?,
    };
    regular(path, &metadata)?;
    let file = open(path, must).map_err(failed)?;
    if role == Role::Part {
        own(path, &file)?;
    }
    let mut source = file.take(first);
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
        if is_over() {
            return Err(Trouble::Late);
        }
        // Here it can be dropped.
        tokio::task::yield_now().await;
    }
    // Where its end was reached, that is how long it is, whatever it says of itself.
    let len = if read < first { read } else { metadata.len().max(read) };
    Ok(Some(FileSeen { len, mode: metadata.mode() & MODE, sha256: digest.finish() }))
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
    let (folder, name) = place(path).map_err(failed)?;
    let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if at == 0 {
        match open_at(&folder, name, flags) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(there) => {
                own(path, &there)?;
                rustix::fs::unlinkat(&folder, name, AtFlags::empty()).map_err(|error| failed(error.into()))?;
            }
        }
        // Whoever takes the name in this moment makes it fail: nothing that is there is ever opened.
        flags |= OFlags::CREATE | OFlags::EXCL;
    }
    let mut file = open_at(&folder, name, flags).map_err(failed)?;
    own(path, &file)?;
    if file.metadata().map_err(failed)?.len() < at {
        return Err(Trouble::Missing(format!("`{}` is shorter than it was", path.display())));
    }
    file.set_len(at).map_err(failed)?;
    file.seek(SeekFrom::Start(at)).map_err(failed)?;
    file.write_all(bytes).map_err(failed)
}

fn install(part: &Path, path: &Path, mode: u32, over: bool) -> Result<(), Trouble> {
    let failed = |error: Error| trouble("cannot make", path, &error);
    let (folder, name) = place(path).map_err(failed)?;
    if part == path {
        let file = open_at(&folder, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC);
        let file = file.map_err(failed)?;
        let there = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
        replaceable(path, &folder, &there)?;
        file.set_permissions(Permissions::from_mode(mode & MODE)).map_err(failed)?;
        return file.sync_all().map_err(failed);
    }
    let grown = part.file_name().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open_at(&folder, grown, flags).map_err(failed)?;
    own(part, &file)?;
    // The long part of it comes first, as long as the part is still one that can be gone on with.
    file.sync_all().map_err(failed)?;
    let installed = take_place(&folder, (&file, grown), path, mode, over);
    if installed.is_err() {
        // It may have the owner and the mode of the file by now: nobody would know it again.
        let _ = rustix::fs::unlinkat(&folder, grown, AtFlags::empty());
    }
    installed
}

/// Gives a part of ours what the file hands on, and its name.
fn take_place(
    folder: &OwnedFd,
    (file, grown): (&File, &OsStr),
    path: &Path,
    mode: u32,
    over: bool,
) -> Result<(), Trouble> {
    let failed = |error: Error| trouble("cannot make", path, &error);
    let name = path.file_name().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?;
    if over {
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(failed(error.into())),
            Ok(there) => {
                replaceable(path, folder, &there)?;
                keep(path, &there, file)?;
            }
        }
    }
    file.set_permissions(Permissions::from_mode(mode & MODE)).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let moved = if over {
        rustix::fs::renameat(folder, grown, folder, name)
    } else {
        // Unlike a rename it fails when somebody else has made the file in the meantime.
        rustix::fs::linkat(folder, grown, folder, name, AtFlags::empty())
            .and_then(|()| rustix::fs::unlinkat(folder, grown, AtFlags::empty()))
    };
    moved.and_then(|()| rustix::fs::fsync(folder)).map_err(|error| failed(error.into()))
}

/// The folder of a file, held so that it stays the same one whatever its name comes to mean, and the name of the file.
fn place(path: &Path) -> std::io::Result<(OwnedFd, &OsStr)> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok((rustix::fs::openat(CWD, folder, flags, Mode::empty())?, name))
}

fn open_at(folder: &OwnedFd, name: &OsStr, flags: OFlags) -> std::io::Result<File> {
    Ok(rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Without NONBLOCK a pipe of that name would hold us for ever.
fn open(path: &Path, follow: bool) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?.into())
}

/// Refuses a part that somebody else has laid there, or has another way to.
fn own(path: &Path, file: &File) -> Result<(), Trouble> {
    let there = file.metadata().map_err(|error| trouble("cannot read", path, &error))?;
    let own = there.is_file()
        && there.uid() == rustix::process::geteuid().as_raw()
        && there.nlink() == 1
        && there.mode() & OTHERS == 0;
    if own { Ok(()) } else { Err(Trouble::Refused(format!("`{}` is no part that baton began", path.display()))) }
}

/// Refuses a target that somebody else may have laid there for us: in a folder where everybody may make files, one that
/// belongs neither to the login account nor to whoever has the folder, or that has another name elsewhere.
fn replaceable(path: &Path, folder: &OwnedFd, there: &Stat) -> Result<(), Trouble> {
    plain(path, FileType::from_raw_mode(there.st_mode))?;
    let shared = rustix::fs::fstat(folder).map_err(|error| trouble("cannot read", path, &error.into()))?;
    let owners = [rustix::process::geteuid().as_raw(), shared.st_uid];
    let strange = !owners.contains(&there.st_uid) || there.st_nlink > 1;
    if shared.st_mode & 0o1000 != 0 && shared.st_mode & 0o022 != 0 && strange {
        let (path, of) = (path.display(), there.st_uid);
        return Err(Trouble::Refused(format!(
            "`{path}` is of account {of}, or has another name, in a folder where everybody may make files: \
             whoever made it could change what is put there; remove it first"
        )));
    }
    Ok(())
}

fn regular(path: &Path, metadata: &Metadata) -> Result<(), Trouble> {
    plain(path, FileType::from_raw_mode(metadata.mode()))
}

fn plain(path: &Path, kind: FileType) -> Result<(), Trouble> {
    let what = match kind {
        FileType::RegularFile => return Ok(()),
        FileType::Symlink => "a symbolic link, which is not followed",
        FileType::Directory => "a folder",
        FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => {
            "no plain file"
        }
    };
    Err(Trouble::Refused(format!("`{}` is {what}", path.display())))
}

fn trouble(what: &str, path: &Path, error: &Error) -> Trouble {
    let text = format!("{what} `{}`: {error}", path.display());
    if error.kind() == ErrorKind::NotFound { Trouble::Missing(text) } else { Trouble::Refused(text) }
}
