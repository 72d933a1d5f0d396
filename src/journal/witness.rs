//! What shows that a journal has lost something: the files of the database as they were when it was opened, and beside
//! it, for each run, how many records were written. The journal itself cannot tell: without its last part it is a sound
//! journal of less. It must not repair anything.

use super::RunId;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder of the counts in a state directory.
const FOLDER: &str = "written";

/// How many records of each run were written.
#[derive(Debug)]
pub(super) struct Counts {
    folder: PathBuf,
    open: BTreeMap<RunId, File>,
}

impl Counts {
    /// Those in a state directory.
    pub(super) fn of(state_dir: &Path) -> Self {
        Self { folder: state_dir.join(FOLDER), open: BTreeMap::new() }
    }

    /// The folder they are in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes that the run's record `seq` is in the journal. Not synced: after a power cut it may tell of fewer records,
    /// never of more. What cannot be noted is not missed: the journal is what counts.
    pub(super) fn note(&mut self, run: &str, seq: u64) {
        if !is_plain(run) {
            return;
        }
        if !self.open.contains_key(run) {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
            let no_link = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link);
            let Ok(file) = made.and_then(|()| options.open(self.folder.join(run))) else { return };
            self.open.insert(run.to_owned(), file);
        }
        if let Some(file) = self.open.get(run) {
            let _ = file.write_all_at(format!("{seq:020}\n").as_bytes(), 0);
        }
    }

    /// The latest run that anything is told of. There may be thousands: only who finds no journal need ask.
    pub(super) fn latest(&self) -> Option<RunId> {
        self.all().into_keys().next_back()
    }

    /// The runs, with the number of the last record that was written of each. What cannot be read tells of none.
    pub(super) fn all(&self) -> BTreeMap<RunId, u64> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let count = |path: &Path| fs::read_to_string(path).ok()?.trim_end().parse().ok();
        let known = entries.filter_map(|entry| {
            let run = entry.file_name().into_string().ok().filter(|run| is_plain(run))?;
            Some((run, count(&entry.path())?))
        });
        known.collect()
    }
}

/// Whether an identity can be the name of a file.
fn is_plain(run: &str) -> bool {
    !run.is_empty() && run.len() <= 64 && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What became of a file of the database while it was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    file: PathBuf,
    what: &'static str,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` was {} while the run went on", self.file.display(), self.what)
    }
}

/// The files of an open database: which they are, and how long they were at least.
#[derive(Debug)]
pub(super) struct DatabaseFiles {
    known: [(PathBuf, Option<LastSeen>); 2],
}

#[derive(Debug, Clone, Copy)]
struct LastSeen {
    identity: (u64, u64),
    length: u64,
}

impl DatabaseFiles {
    /// Those of the database in `file`, as they are now.
    pub(super) fn of(file: &Path) -> Self {
        let mut wal = file.as_os_str().to_owned();
        wal.push("-wal");
        let seen = |path: PathBuf| {
            let now = look(&path).ok().flatten();
            (path, now)
        };
        Self { known: [seen(file.to_path_buf()), seen(PathBuf::from(wal))] }
    }

    /// Looks whether they are the same files still, and not shorter: what is written into one that was removed is gone
    /// when it is closed.
    pub(super) fn check(&mut self) -> Result<(), Loss> {
        for (file, known) in &mut self.known {
            // What cannot be looked at is not told to be gone.
            let Ok(now) = look(file) else { continue };
            let what = match (*known, now) {
                (Some(_), None) => Some("removed"),
                (Some(before), Some(now)) if before.identity != now.identity => Some("replaced"),
                (Some(before), Some(now)) if before.length > now.length => Some("cut short"),
                (Some(_), Some(_)) | (None, _) => None,
            };
            if let Some(what) = what {
                return Err(Loss { file: file.clone(), what });
            }
            *known = now;
        }
        Ok(())
    }
}

fn look(path: &Path) -> std::io::Result<Option<LastSeen>> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(Some(LastSeen { identity: (data.dev(), data.ino()), length: data.len() })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
