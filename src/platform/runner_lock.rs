//! One runner for each run and each estate: a lock on a file, held by the operating system for as long as the
//! process lives. What a dead runner held is free by itself; a lock that is held is broken by a takeover only, and
//! whoever held it must have been fenced out before.

use crate::error::{Error, Kind};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a name that is only looked at is tried again. A look takes microseconds, but whoever looks may be stopped
/// in the middle of it for as long as the machine is busy.
const LOOKED_AT: Duration = Duration::from_secs(5);
/// How long to wait between two tries: long beside a look, so that one who looks all the time is in nobody's way.
const PAUSE: Duration = Duration::from_millis(1);

/// Who holds a lock, for the person who is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// The process.
    pub pid: u32,
    /// The account.
    pub user: String,
    /// The machine.
    pub host: String,
    /// Since when, as a person reads it: `22:03:11`.
    pub since: String,
}

impl Holder {
    /// Who has written into a lock file; nobody yet if there is nothing in it.
    fn read(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let [run, pid, user, host, since] = text.lines().collect::<Vec<_>>()[..] else { return None };
        let (run, user, host, since) = (run.to_owned(), user.to_owned(), host.to_owned(), since.to_owned());
        Some(Self { run, pid: pid.parse().ok()?, user, host, since })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run: _, pid, user, host, since } = self;
        write!(f, "pid {pid}, {user}@{host}, since {since}")
    }
}

/// Why a name could not be taken, as people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockError {
    /// Somebody else has it: whoever waits may get it.
    Held(Box<Error>),
    /// No lock can be made there.
    Unusable(Box<Error>),
}

impl From<LockError> for Box<Error> {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(error) | LockError::Unusable(error) => error,
        }
    }
}

/// A name that this process alone holds, until the lock is dropped or the process dies.
#[derive(Debug)]
pub struct RunnerLock {
    file: File,
}

impl Drop for RunnerLock {
    /// Given back by name: closing the file alone would leave it locked for as long as a child that another thread is
    /// just starting has it as well, and whoever took the name next would be refused.
    fn drop(&mut self) {
        // What cannot be given back ends with the process.
        let _ = self.file.unlock();
    }
}

impl RunnerLock {
    /// Takes `name` (a run's id, or an estate such as `lab genesys`) with a file `locks/<name>.lock` in the state
    /// directory `dir`.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process holds it, saying which; [`LockError::Unusable`] when the folder
    /// cannot be
    /// used.
    pub fn take(dir: &Path, name: &str, holder: &Holder) -> Result<Self, LockError> {
        let locks = dir.join("locks");
        let path = locks.join(format!("{}.lock", file_name(name)));
        let unusable = |error: &dyn std::fmt::Display| {
            let error =
                Error::new(Kind::Precondition, format!("the lock `{}` cannot be used: {error}", path.display()));
            LockError::Unusable(
                error.hint("change the permissions of the state directory, or name another one with `--state DIR`"),
            )
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&locks).map_err(|error| unusable(&error))?;
        // The file stays when the lock ends: a name that is removed and made again could be locked twice.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link());
        let begun = Instant::now();
        loop {
            let mut file = options.open(&path).map_err(|error| unusable(&error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if locked(&file) != Some(false) => {
                    return Err(LockError::Held(refused(name, &mut file)));
                }
                // Somebody only looks, which is over at once; or held it until this moment.
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOOKED_AT => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(LockError::Held(looked_at(name))),
                Err(TryLockError::Error(error)) => return Err(unusable(&error)),
            }
            // A takeover may have removed it since it was opened: then the lock keeps nobody away.
            if is_at(&file, &path) {
                write(&mut file, holder).map_err(|error| unusable(&error))?;
                return Ok(Self { file });
            }
        }
    }

    /// Who holds `name` at this moment. Whoever wants it meanwhile does not find it taken because somebody looks.
    #[must_use]
    pub fn holder(dir: &Path, name: &str) -> Option<Holder> {
        let mut file = opened(dir, name).ok()?;
        locked(&file)?.then(|| Holder::read(&mut file)).flatten()
    }

    /// Whether anybody holds `name` at this moment; nothing where that cannot be told.
    #[must_use]
    pub fn is_held(dir: &Path, name: &str) -> Option<bool> {
        match opened(dir, name) {
            Ok(file) => locked(&file),
            Err(error) => (error.kind() == ErrorKind::NotFound).then_some(false),
        }
    }

    /// Takes `name` away from the process that holds it, which must have been fenced out: what it does any more would
    /// meet another. Tells who that was; nobody held it if there is nothing to tell.
    ///
    /// # Errors
    /// `Precondition` when the folder cannot be used.
    pub fn break_open(dir: &Path, name: &str) -> Result<Option<Holder>, Box<Error>> {
        let path = dir.join("locks").join(format!("{}.lock", file_name(name)));
        let Ok(mut file) = OpenOptions::new().read(true).custom_flags(no_link()).open(&path) else { return Ok(None) };
        if locked(&file) != Some(true) {
            return Ok(None);
        }
        std::fs::remove_file(&path).map_err(|error| {
            Error::new(Kind::Precondition, format!("the lock `{}` cannot be removed", path.display())).cause(error)
        })?;
        Ok(Holder::read(&mut file))
    }
}

/// The lock file of a name, to be looked at.
fn opened(dir: &Path, name: &str) -> std::io::Result<File> {
    let path = dir.join("locks").join(format!("{}.lock", file_name(name)));
    OpenOptions::new().read(true).custom_flags(no_link()).open(path)
}

/// Whether a process holds this file for itself; nothing where that cannot be told. Looked at by sharing it for a
/// moment: the kernel's own list of locks is read in parts, and may lack one that was there all the time.
fn locked(file: &File) -> Option<bool> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().is_ok().then_some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

/// How lock files are opened: a link in their place is not followed.
fn no_link() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// Whether this open file is still the one that has the path.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => identity(open) == identity(there),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

fn write(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let Holder { run, pid, user, host, since } = holder;
    writeln!(file, "{run}\n{pid}\n{user}\n{host}\n{since}")
}

fn refused(name: &str, file: &mut File) -> Box<Error> {
    let Some(holder) = Holder::read(file) else {
        // The holder has the lock and has not written its name yet.
        return Error::new(Kind::Refused, format!("another process has just taken {name}"))
            .hint("wait for it to end, or see what it does: baton runs");
    };
    let run = &holder.run;
    let subject = if run == name { String::new() } else { format!(" holds {name}") };
    let separator = if subject.is_empty() { " is being run:" } else { ":" };
    Error::new(Kind::Refused, format!("run {run}{subject}{separator} {holder}"))
        .hint(format!("wait for it to end, or see what it does: baton show {run}"))
}

fn looked_at(name: &str) -> Box<Error> {
    let seconds = LOOKED_AT.as_secs();
    Error::new(Kind::Refused, format!("nobody holds {name}, but others look at it all the time, for {seconds} s now"))
        .hint("try again, or see what is running: baton runs")
}

/// The name as a file name: whatever is not a plain character becomes `_` with its number.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.chars().map(|c| if plain(c) { c.to_string() } else { format!("_{:x}_", u32::from(c)) }).collect()
}
