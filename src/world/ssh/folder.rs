//! The private folder of one process: its control sockets, and the configuration its `ssh` reads. It lies in a folder
//! of baton's own, is locked for as long as the process lives, and says by a mark in it what it is. It must never
//! remove what has not mark and lock: a name or a process number is nobody's word, and what is not ours stays.

use crate::platform::trust;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

/// The file by which a folder is known as one of these, and what it says.
const MARK: &str = "baton-mark";
const MARK_TEXT: &str = "a folder of baton for SSH connections, version 1\n";
/// The configuration that `ssh` reads.
const CONFIG: &str = "config";
/// What the links to files of host keys begin with, and what the `openssh` crate calls its folders of sockets.
const KEYS: &str = "keys-";
const SOCKETS: &str = ".ssh-connection";
/// The longest path of a folder of the user's: names of sockets must fit into 108 bytes.
const ROOM: usize = 32;

/// A folder for this process alone.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    path: PathBuf,
    /// Open and locked: whoever else looks at it sees that it is used, in whatever namespace of processes they are.
    held: File,
}

impl PrivateFolder {
    /// Makes one, with this configuration in it, and clears those away that processes left which are gone.
    pub(super) fn new(config: &str) -> Result<Self> {
        let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| may_hold_sockets(dir));
        let uid = rustix::process::getuid().as_raw();
        let parent = own.map_or_else(|| PathBuf::from(format!("/tmp/baton-{uid}")), |dir| dir.join("baton"));
        let made = DirBuilder::new().mode(0o700).create(&parent);
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) if is_ours(&parent) => {
                sweep(&parent);
                Self::within(&parent, "", config)
            }
            // Somebody else sits on the name: what is made beside it has no common parent that could be cleared.
            Ok(()) | Err(_) => {
                let above = parent.parent().unwrap_or(Path::new("/tmp"));
                Self::within(above, "baton-ssh-", config)
            }
        }
    }

    fn within(parent: &Path, prefix: &str, config: &str) -> Result<Self> {
        for n in 0..1_000 {
            let path = parent.join(format!("{prefix}{}-{n}", std::process::id()));
            // Made by us or not at all: a folder that is there may be somebody's trap.
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            // Locked before it has its mark: without one, nobody clears it away.
            let held = File::open(&path)?;
            held.lock()?;
            let folder = Self { path, held };
            folder.furnish(config)?;
            return Ok(folder);
        }
        Err(Error::other(format!("no name is free for a folder in `{}`", parent.display())))
    }

    /// Writes what is missing in it.
    fn furnish(&self, config: &str) -> Result<()> {
        for (name, text) in [(MARK, MARK_TEXT), (CONFIG, config)] {
            let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path.join(name))
            {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            file.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    /// Makes good what was cleared away under us, as by a cleaner of temporary files: a part of what is in it, or the
    /// whole folder.
    pub(super) fn mend(&mut self, config: &str) -> Result<()> {
        if is_at(&self.held, &self.path) {
            return self.furnish(config);
        }
        *self = Self::new(config)?;
        Ok(())
    }

    /// Where control sockets are made.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that `ssh` is to read.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// A path to the keys of a host that `ssh` cannot misread: it divides what it is given at blanks and expands `%`.
    pub(super) fn keys(&self, host: &str, file: &Path) -> Result<PathBuf> {
        let link = self.path.join(format!("{KEYS}{host}"));
        if fs::read_link(&link).is_ok_and(|to| to == file) {
            return Ok(link);
        }
        match fs::remove_file(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        symlink(file, &link)?;
        Ok(link)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if is_at(&self.held, &self.path) {
            clear(&self.path);
        }
    }
}

/// Whether sockets in this folder of the user's have short paths that `ssh` takes as they are.
fn may_hold_sockets(dir: &Path) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let short = dir.to_str().is_some_and(|dir| dir.len() <= ROOM && dir.starts_with('/') && dir.chars().all(plain));
    short && is_ours(dir)
}

/// Whether it is a folder, not a link to one, that is this account's and that nobody else may write.
fn is_ours(dir: &Path) -> bool {
    fs::symlink_metadata(dir).is_ok_and(|data| data.is_dir() && own(&data) && data.mode() & trust::OTHERS_WRITE == 0)
}

fn own(data: &Metadata) -> bool {
    data.uid() == rustix::process::getuid().as_raw()
}

/// Whether this open folder is still the one that has the path.
fn is_at(held: &File, path: &Path) -> bool {
    let identity = |data: Metadata| (data.dev(), data.ino());
    held.metadata().is_ok_and(|open| fs::symlink_metadata(path).is_ok_and(|there| identity(open) == identity(there)))
}

/// Clears the folders away that processes left which are gone.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        if !is_ours(&path) || !is_marked(&path) {
            continue;
        }
        let Ok(folder) = File::open(&path) else { continue };
        // Locked, it is used; else nobody can begin to use it any more: its name is taken once.
        if folder.try_lock().is_ok() && is_at(&folder, &path) {
            clear(&path);
        }
    }
}

/// Whether a folder says that it is one of these, in our own words.
fn is_marked(folder: &Path) -> bool {
    let no_link = rustix::fs::OFlags::NOFOLLOW.union(rustix::fs::OFlags::NONBLOCK).bits().cast_signed();
    let Ok(file) = OpenOptions::new().read(true).custom_flags(no_link).open(folder.join(MARK)) else { return false };
    let ours = file.metadata().is_ok_and(|data| data.is_file() && own(&data));
    let mut text = String::new();
    let most = MARK_TEXT.len() as u64 + 1;
    ours && file.take(most).read_to_string(&mut text).is_ok() && text == MARK_TEXT
}

/// Removes what baton and `ssh` make in such a folder, and then the folder. What else is in it stays, and it with that.
fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let Ok(data) = fs::symlink_metadata(&path) else { continue };
        // What cannot be removed keeps the folder from going: nothing is lost.
        if name.starts_with(SOCKETS) && data.is_dir() {
            clear_sockets(&path);
        } else if (name == CONFIG && data.is_file()) || (name.starts_with(KEYS) && data.is_symlink()) {
            let _ = fs::remove_file(&path);
        }
    }
    let only_mark =
        fs::read_dir(folder).is_ok_and(|mut left| left.all(|entry| entry.is_ok_and(|e| e.file_name() == MARK)));
    if only_mark && fs::remove_file(folder.join(MARK)).is_ok() {
        let _ = fs::remove_dir(folder);
    }
}

fn clear_sockets(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(data) = fs::symlink_metadata(&path) else { continue };
        if data.file_type().is_socket() || (entry.file_name() == "log" && data.is_file()) {
            let _ = fs::remove_file(&path);
        }
    }
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::{CONFIG, MARK, MARK_TEXT, PrivateFolder, sweep};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    /// A folder in which folders of processes lie, and others.
    fn parent() -> tempfile::TempDir {
        let parent = tempfile::tempdir().expect("a folder");
        fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).expect("its mode");
        parent
    }

    /// A folder with these files in it, closed to others.
    fn with(parent: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = parent.join(name);
        fs::create_dir(&path).expect("a folder");
        fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("its mode");
        files.iter().for_each(|(name, text)| fs::write(path.join(name), text).expect("a file"));
        path
    }

    #[test]
    fn only_a_folder_with_mark_and_without_a_holder_is_cleared_away() {
        let parent = parent();
        let at = parent.path();
        let left = with(at, "4000000000-0", &[(MARK, MARK_TEXT), (CONFIG, "Host *\n")]);
        let live = PrivateFolder::within(at, "", "Host *\n").expect("a folder");
        let theirs = with(at, "4000000000-1", &[("notes", "mine")]);
        let later = with(at, "4000000000-2", &[(MARK, "a folder of baton for SSH connections, version 2\n")]);
        let elsewhere = with(at, "elsewhere", &[("key", "mine")]);
        let linked = with(at, "4000000000-3", &[]);
        symlink(left.join(MARK), linked.join(MARK)).expect("a link");
        symlink(&elsewhere, at.join("4000000000-4")).expect("a link");
        fs::write(at.join("4000000000-5"), "mine").expect("a file");
        sweep(at);
        assert!(!left.exists(), "a folder that is marked and left stays");
        assert!(live.config().is_file(), "a folder that is used is gone");
        assert!(theirs.join("notes").is_file() && later.join(MARK).is_file() && linked.join(MARK).is_symlink());
        assert!(elsewhere.join("key").is_file() && at.join("4000000000-5").is_file());
    }

    #[test]
    fn what_a_user_put_into_a_marked_folder_stays() {
        let parent = parent();
        let left = with(parent.path(), "1-0", &[(MARK, MARK_TEXT), (CONFIG, ""), ("backup.tar", "precious")]);
        let sockets = with(&left, ".ssh-connectionAbCdEf", &[("log", ""), ("notes", "precious")]);
        sweep(parent.path());
        assert!(left.join("backup.tar").is_file() && sockets.join("notes").is_file() && !left.join(CONFIG).exists());
    }

    #[test]
    fn a_folder_that_was_cleared_away_is_made_again() {
        let parent = parent();
        let mut folder = PrivateFolder::within(parent.path(), "", "Host *\n").expect("a folder");
        fs::remove_file(folder.config()).expect("removes");
        folder.mend("Host *\n").expect("mended");
        assert_eq!(fs::read_to_string(folder.config()).expect("a text"), "Host *\n");
        fs::remove_dir_all(folder.path()).expect("removes");
        folder.mend("Host *\n").expect("made again");
        assert_eq!(fs::read_to_string(folder.config()).expect("a text"), "Host *\n");
        let path = folder.path().to_path_buf();
        drop(folder);
        assert!(!path.exists(), "the folder outlives its process");
    }
}
