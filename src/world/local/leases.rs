//! Leases of the hosts on this machine, as files in one folder that all its accounts and state folders share: a machine
//! has one lease, whatever its hosts are called in an inventory. The hosts of a lab are not the machine: theirs are in
//! their jobs folders. Taken before the first change, looked at again before each one. It waits for nobody and holds no
//! lock: whoever takes a lease may be stopped at any moment.

use crate::world::Trouble;
use crate::world::lease::{Denied, Lease, Runner};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often a lease is tried to be taken while others take it.
const TRIES: u32 = 100;

/// The most that is read of a lease, in bytes.
const MOST: u64 = 16 * 1024;
/// Everybody may put a lease there, nobody may touch another's.
const SHARED: u32 = 0o1777;

/// The folder of the leases of this machine: fixed, whoever asks, and there after a restart.
#[must_use]
pub fn of_machine() -> PathBuf {
    let lasting = Path::new("/var/tmp");
    if lasting.is_dir() { lasting.join("baton-leases") } else { PathBuf::from("/tmp/baton-leases") }
}

/// What one runner holds.
#[derive(Debug, Default)]
pub(in crate::world) struct LocalLeases {
    /// Who works; nobody in a world that nobody changes anything in but its one user.
    runner: Option<Runner>,
    /// The folder with its run's journal, where leases are shared with others.
    state: Option<PathBuf>,
    /// The runs whose hosts are for it since it began.
    followed: Mutex<Vec<String>>,
    /// The numbers it has taken, by host.
    numbers: Mutex<BTreeMap<String, u64>>,
}

impl LocalLeases {
    /// The leases of this runner, none of them taken yet.
    pub(in crate::world) fn of(runner: Runner, state: Option<PathBuf>) -> Self {
        Self { runner: Some(runner), state, ..Self::default() }
    }

    /// From now on the hosts of this other run are for the runner too.
    pub(in crate::world) fn follow(&self, run: &str) {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).push(run.to_owned());
    }

    /// The number under which something may be changed on `host`; the lease is taken if it was not before.
    pub(in crate::world) fn admit(&self, host: &str, leases: &Path, since: &str) -> Result<u64, Trouble> {
        let Some(runner) = &self.runner else { return Ok(0) };
        let known = self.numbers().get(host).copied();
        let Some(number) = known else { return self.take(host, leases, since, false) };
        match latest(leases).map_err(|error| unusable(host, &error))? {
            Some(there) if there.number == number && there.runner.run == runner.run => Ok(number),
            there => Err(Trouble::Leased(Lease::lost(there, host))),
        }
    }

    /// Takes the lease of a host, from anybody if `force`.
    pub(in crate::world) fn take(&self, host: &str, leases: &Path, since: &str, force: bool) -> Result<u64, Trouble> {
        let Some(runner) = &self.runner else { return Ok(0) };
        let mut runner = runner.clone();
        runner.follows.extend_from_slice(&self.followed.lock().unwrap_or_else(PoisonError::into_inner));
        // One taker of this process at a time: they would write the same file.
        let mut numbers = self.numbers();
        for _ in 0..TRIES {
            let there = latest(leases).map_err(|error| unusable(host, &error))?;
            if let Some(by) = there.as_ref().filter(|there| !force && self.went_on_elsewhere(there)) {
                return Err(Trouble::Leased(Denied::TakenOver { host: host.to_owned(), by: Box::new(by.clone()) }));
            }
            let force = force || there.as_ref().is_some_and(is_void);
            let next = Lease::next(there.as_ref(), &runner, since.to_owned(), force, host).map_err(Trouble::Leased)?;
            let mine = there.is_some_and(|there| there.number == next.number);
            let state = self.state.as_ref().map(|state| state.display().to_string());
            let next = Lease { state, ..next };
            if mine
                || put(leases, &next, if self.state.is_some() { SHARED } else { 0o700 })
                    .map_err(|error| unusable(host, &error))?
            {
                numbers.insert(host.to_owned(), next.number);
                return Ok(next.number);
            }
        }
        Err(Trouble::Refused(format!("others take the lease of `{host}` all the time")))
    }

    /// Gives the lease of a host back, if the run holds it.
    pub(in crate::world) fn release(&self, host: &str, leases: &Path) -> Result<u64, Trouble> {
        let Some(runner) = &self.runner else { return Ok(0) };
        let there = latest(leases).map_err(|error| unusable(host, &error))?;
        let Some(there) = there.filter(|there| there.is_of(runner) && !there.released) else { return Ok(0) };
        let path = leases.join(Lease::file_name(there.number));
        // Not made anew: whoever removed it has taken the next one.
        let written = OpenOptions::new().append(true).custom_flags(no_link()).open(path).and_then(|mut file| {
            file.write_all(b"released=yes\n")?;
            file.sync_data()
        });
        match written {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(host, &error)),
            Ok(()) | Err(_) => Ok(there.number),
        }
    }

    /// Whether the run of this runner went on, and perhaps ended, in another state folder that is still there: this one
    /// is a copy of that, or that one of this.
    fn went_on_elsewhere(&self, there: &Lease) -> bool {
        let same_run = self.runner.as_ref().is_some_and(|runner| runner.run == there.runner.run);
        let (Some(theirs), Some(own), true) = (&there.state, &self.state, same_run) else { return false };
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        !is_void(there) && real(Path::new(theirs)) != real(own)
    }

    fn numbers(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nobody can go on with the run of a lease: the journal it is in is gone. One that cannot be looked for may be
/// there.
#[must_use]
pub fn is_void(lease: &Lease) -> bool {
    let journal = lease.state.as_ref().map(|state| Path::new(state).join("journal.db"));
    let missing = |path: PathBuf| path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    journal.is_some_and(missing)
}

/// How files are opened where others may have planted links.
fn no_link() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// The number that counts in a folder of leases; 0 when there is no lease.
pub(in crate::world) fn number_in(leases: &Path) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(leases) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut highest = 0;
    for entry in entries {
        let number = entry?.file_name().to_str().and_then(Lease::number_in);
        highest = highest.max(number.unwrap_or_default());
    }
    Ok(highest)
}

/// The lease that counts in a folder of leases.
fn latest(leases: &Path) -> std::io::Result<Option<Lease>> {
    loop {
        let number = number_in(leases)?;
        if number == 0 {
            return Ok(None);
        }
        let path = leases.join(Lease::file_name(number));
        match read(&path) {
            Ok(text) => {
                let unreadable = || std::io::Error::other(format!("`{}` is not a lease", path.display()));
                return Lease::parse(&text).filter(|lease| lease.number == number).map(Some).ok_or_else(unreadable);
            }
            // Somebody has taken the next one and tidied up.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = OpenOptions::new().read(true).custom_flags(no_link()).open(path)?;
    file.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

/// Puts a lease into its place, durably. Tells whether it did: not when another was first.
fn put(folder: &Path, lease: &Lease, mode: u32) -> std::io::Result<bool> {
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        std::fs::set_permissions(folder, Permissions::from_mode(mode))?;
    }
    let fresh = folder.join(format!("new.{}.{}.{}", std::process::id(), lease.runner.run, lease.number));
    // Readable to all who may come upon it, with nothing in it that is not told them anyway.
    let readable = if mode == SHARED { 0o644 } else { 0o600 };
    let create = || OpenOptions::new().write(true).create_new(true).mode(readable).open(&fresh);
    let mut file = match create() {
        // Left by a process of that number that died in the midst of it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            std::fs::remove_file(&fresh).and_then(|()| create())?
        }
        file => file?,
    };
    file.write_all(lease.render().as_bytes())?;
    file.sync_data()?;
    let linked = std::fs::hard_link(&fresh, folder.join(Lease::file_name(lease.number)));
    std::fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        linked => linked?,
    }
    File::open(folder)?.sync_all()?;
    // A lower number that stays does no harm.
    for number in (1..lease.number).rev() {
        if std::fs::remove_file(folder.join(Lease::file_name(number))).is_err() {
            break;
        }
    }
    Ok(true)
}

fn unusable(host: &str, error: &std::io::Error) -> Trouble {
    Trouble::Refused(format!("the lease of `{host}` cannot be used: {error}"))
}
