//! The desk baton is started at: texts a person keeps there, files they ask for, and who they are.
//! It must not touch a host of a site: those are behind [`World`](crate::world::World).

use super::accounts::account;
use super::trust::{self, Doubt};
use crate::error::{Error, Kind, Result};
use crate::model::run::instant::Wall;
use crate::model::run::record::Who;
use crate::model::run::state_folder::StateFolder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The permission bit that lets anyone on the machine write.
const ANYONE_WRITES: u32 = 0o002;

/// How many columns a terminal has; none when it is no terminal or does not say.
#[must_use]
pub fn columns(stream: &impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// The text of a file, or nothing when there is no such file.
///
/// # Errors
/// `Refused` when anyone on the machine may write it: what it says could be anyone's; `Usage` when it cannot be read.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    let failed = |error: io::Error| {
        let shown = path.display();
        if error.kind() == io::ErrorKind::InvalidData {
            return Error::new(Kind::Usage, format!("`{shown}` is not text in UTF-8"))
                .hint(format!("look at what it is: file {shown}"));
        }
        failed("read", path, error).hint(format!("look at what it is: ls -ld {shown}"))
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let about = file.metadata().map_err(failed)?;
    if about.mode() & ANYONE_WRITES != 0 {
        let shown = path.display();
        return Err(Error::new(Kind::Refused, format!("anyone on this machine may change `{shown}`"))
            .hint(format!("look at what it says, then: chmod o-w {shown}")));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// The text of a file below the folder where a person is, which is used though nobody has named it; nothing when
/// there is no such file.
///
/// # Errors
/// As [`read_text`]; `Refused` also when it, or a folder on the way to it, is another account's or anyone's to write.
pub fn read_own(folder: &Path, inner: &Path) -> Result<Option<String>> {
    let text = read_text(&folder.join(inner))?;
    match trust::text(folder, inner).filter(|_| text.is_some()) {
        None => Ok(text),
        Some(Doubt { why, command }) => {
            let message = format!("`{}` would be used, but {why}", inner.display());
            Err(Error::new(Kind::Refused, message)
                .hint("nothing was done: what it says could be anyone's; work in a folder of your own")
                .hint(format!("or look at what it says, then: {command}")))
        }
    }
}

/// The paths of the files below a folder that end in `ending`, relative to it, in order. A missing folder is empty.
#[must_use]
pub fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending)
                && let Ok(inner) = path.strip_prefix(folder)
            {
                found.push(inner.to_path_buf());
            }
        }
    }
    found.sort();
    found
}

/// Makes a folder and those above it.
///
/// # Errors
/// `Usage` when it cannot be made.
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed("make the folder", path, error))
}

/// Writes a text into a new file, with the folders it needs. Tells whether it did: not when something is there already.
///
/// # Errors
/// `Usage` when it cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<bool> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed("write", path, error)),
    };
    file.write_all(text.as_bytes()).map_err(|error| failed("write", path, error))?;
    Ok(true)
}

/// Writes a program that this machine can run, with the folders it needs.
///
/// # Errors
/// `Usage` when it cannot be written.
pub fn write_program(path: &Path, text: &str) -> Result<()> {
    write_new(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(|error| failed("make runnable", path, error))
}

/// Puts a text in the place of a file at once: whoever reads it sees the former text or this one.
///
/// # Errors
/// `Usage` when it cannot be written.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let failed = |error| failed("write", path, error);
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, path)).map_err(failed)
}

/// Appends a line to a file.
///
/// # Errors
/// `Usage` when it cannot be written.
pub fn append(path: &Path, line: &str) -> Result<()> {
    append_line(path, line).map(|_| ()).map_err(|error| failed("append to", path, error))
}

/// Appends a line to a file; it is on the disk when this returns.
///
/// # Errors
/// `Usage` when it cannot be written.
pub fn append_durably(path: &Path, line: &str) -> Result<()> {
    append_line(path, line).and_then(|file| file.sync_data()).map_err(|error| failed("append to", path, error))
}

fn append_line(path: &Path, line: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(file)
}

/// Whether nothing has this path, or an empty folder, and no link to one.
///
/// # Errors
/// `Usage` when it cannot be looked at.
pub fn is_free(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        // A file where a folder should be has nothing below it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(true),
        Err(error) => Err(failed("read", path, error)),
        Ok(there) if !there.is_dir() => Ok(false),
        Ok(_) => Ok(fs::read_dir(path).map_err(|error| failed("read", path, error))?.next().is_none()),
    }
}

/// Whether a folder of this account's has this path, and no link to one.
#[must_use]
pub fn is_own_folder(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|there| there.is_dir() && there.uid() == own)
}

/// Sets a file aside that cannot be used: it has `.damaged` behind its name then. Gives its path.
///
/// # Errors
/// `Failed` when that cannot be done.
pub fn set_aside(path: &Path) -> Result<PathBuf> {
    let aside = PathBuf::from(format!("{}.damaged", path.display()));
    std::fs::rename(path, &aside)
        .map_err(|error| Error::new(Kind::Failed, format!("`{}` cannot be set aside", path.display())).cause(error))?;
    Ok(aside)
}

/// Removes a folder with everything in it; a missing one is no error.
///
/// # Errors
/// `Usage` when it cannot be removed.
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The path from the root of the file system.
///
/// # Errors
/// `Usage` when there is no current folder.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| failed("find", path, error))
}

/// This program's own file.
///
/// # Errors
/// `Internal` when the system does not tell.
pub fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| Error::new(Kind::Internal, "cannot find baton's own program").cause(error))
}

/// Waits until something holds, at most `patience`. Tells whether it does.
pub fn wait_for(patience: Duration, holds: &mut dyn FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Lives until standard input ends.
pub fn sit_until_input_ends() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}

/// The person and the machine this process acts for: the account is the one the kernel knows, whatever the environment
/// says.
#[must_use]
pub fn who() -> Who {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let user = account(rustix::process::getuid().as_raw());
    Who { user, host, pid: std::process::id(), machine: machine(), state: None }
}

/// The state folder at `path`, if there is one, as it is told from a copy of it.
#[must_use]
pub fn state_folder(path: &Path) -> Option<StateFolder> {
    let data = fs::metadata(path).ok()?;
    let made = data.created().ok().and_then(|made| made.duration_since(SystemTime::UNIX_EPOCH).ok());
    let made = made.and_then(|made| i64::try_from(made.as_millis()).ok()).unwrap_or(0);
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    Some(StateFolder { path: path.display().to_string(), inode: data.ino(), made })
}

/// What the system was given as its own identity when it was set up: it outlives restarts and another name. Empty
/// when it has none, as in some containers.
fn machine() -> String {
    let files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    let whole = |text: &String| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    texts.map(|text| text.trim().to_owned()).find(whole).unwrap_or_default()
}

/// Keeps the memory of this process to itself: no core file is written of it, nor handed to whatever collects them, and
/// no other process of the account reads it. What it starts is free again: a program's own memory is its own.
pub fn keep_memory_private() {
    // A kernel that knows of no such thing leaves it as it was.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// A new run's identity: 12 hex digits that rise with time, to the millisecond, and 16 random ones. Two runs must never
/// have the same, wherever they begin: it names their leases and their jobs on every host.
///
/// # Errors
/// `Internal` when the machine gives no random bytes.
pub fn new_run_id(wall: Wall) -> Result<String> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 9];
    let mut file = File::open(source).map_err(|error| failed("read", source, error))?;
    file.read_exact(&mut bytes).map_err(|error| failed("read", source, error))?;
    let [few, rest @ ..] = bytes;
    let (seconds, millis) = ((wall.0 / 1000) & 0xffff_ffff, wall.0 % 1000);
    Ok(format!("{seconds:08x}{:04x}{:016x}", (millis << 6) | i64::from(few & 0x3f), u64::from_be_bytes(rest)))
}

fn failed(doing: &str, path: &Path, error: io::Error) -> Box<Error> {
    Error::new(Kind::Usage, format!("cannot {doing} `{}`", path.display())).cause(error)
}
