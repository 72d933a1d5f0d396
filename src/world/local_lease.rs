//! Leases of the hosts on this machine, as files in their jobs folders. Taken before the first change, looked at again
//! before each one. It waits for nobody and holds no lock: whoever takes a lease may be stopped at any moment.

use super::Trouble;
use super::lease::{FOLDER, Lease, Runner};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often a lease is tried to be taken while others take it.
const TRIES: u32 = 100;

/// What one runner holds.
#[derive(Debug, Default)]
pub(super) struct LocalLeases {
    /// Who works; nobody in a world that nobody changes anything in but its one user.
    runner: Option<Runner>,
    /// The numbers it has taken, by host.
    numbers: Mutex<BTreeMap<String, u64>>,
}

impl LocalLeases {
    /// The leases of this runner, none of them taken yet.
    pub(super) fn of(runner: Runner) -> Self {
        Self { runner: Some(runner), numbers: Mutex::default() }
    }

    /// The number under which something may be changed on `host`; the lease is taken if it was not before.
    pub(super) fn admit(&self, host: &str, jobs: &Path, since: &str) -> Result<u64, Trouble> {
        let Some(runner) = &self.runner else { return Ok(0) };
        let known = self.numbers().get(host).copied();
        let Some(number) = known else { return self.take(host, jobs, since, false) };
        match latest(jobs).map_err(|error| unusable(host, &error))? {
            Some(there) if there.number == number => Ok(number),
            Some(there) => Err(Trouble::Leased(there.refusal(host))),
            None => Err(Trouble::Leased(format!("the lease of run {} on `{host}` was removed", runner.run))),
        }
    }

    /// Takes the lease of a host, from anybody if `force`.
    pub(super) fn take(&self, host: &str, jobs: &Path, since: &str, force: bool) -> Result<u64, Trouble> {
        let Some(runner) = &self.runner else { return Ok(0) };
        // One taker of this process at a time: they would write the same file.
        let mut numbers = self.numbers();
        for _ in 0..TRIES {
            let there = latest(jobs).map_err(|error| unusable(host, &error))?;
            let next = Lease::next(there.as_ref(), runner, since.to_owned(), force, host).map_err(Trouble::Leased)?;
            let mine = there.is_some_and(|there| there.number == next.number);
            if mine || put(jobs, &next).map_err(|error| unusable(host, &error))? {
                numbers.insert(host.to_owned(), next.number);
                return Ok(next.number);
            }
        }
        Err(Trouble::Refused(format!("others take the lease of `{host}` all the time")))
    }

    /// Gives the lease of a host back, if the run holds it.
    pub(super) fn release(&self, host: &str, jobs: &Path) -> Result<u64, Trouble> {
        let Some(runner) = &self.runner else { return Ok(0) };
        let there = latest(jobs).map_err(|error| unusable(host, &error))?;
        let Some(there) = there.filter(|there| there.is_of(runner) && !there.released) else { return Ok(0) };
        let path = jobs.join(FOLDER).join(Lease::file_name(there.number));
        // Not made anew: whoever removed it has taken the next one.
        let written = OpenOptions::new().append(true).open(path).and_then(|mut file| {
            file.write_all(b"released=yes\n")?;
            file.sync_data()
        });
        match written {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(host, &error)),
            Ok(()) | Err(_) => Ok(there.number),
        }
    }

    fn numbers(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number that counts in a jobs folder; 0 when there is no lease.
pub(super) fn number_in(jobs: &Path) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(jobs.join(FOLDER)) {
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

/// The lease that counts in a jobs folder.
fn latest(jobs: &Path) -> std::io::Result<Option<Lease>> {
    loop {
        let number = number_in(jobs)?;
        if number == 0 {
            return Ok(None);
        }
        let path = jobs.join(FOLDER).join(Lease::file_name(number));
        match std::fs::read_to_string(&path) {
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

/// Puts a lease into its place, durably. Tells whether it did: not when another was first.
fn put(jobs: &Path, lease: &Lease) -> std::io::Result<bool> {
    let folder = jobs.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let fresh = folder.join(format!("new.{}.{}", std::process::id(), lease.number));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(lease.render().as_bytes())?;
    file.sync_data()?;
    let linked = std::fs::hard_link(&fresh, folder.join(Lease::file_name(lease.number)));
    std::fs::remove_file(&fresh)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        linked => linked?,
    }
    File::open(&folder)?.sync_all()?;
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
