//! The folder in which this machine keeps what it knows of the jobs of one run, and the mark in it by which that folder
//! is known again: a word that nobody made before, and the file it is in. A folder that was removed and made anew, or
//! put back from a copy, has another mark: what is not in it may have been in the first one. It knows no jobs.

use crate::world::Trouble;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file of the mark.
const MARK: &str = "mark";
/// The most that is read of it, in bytes.
const MOST: u64 = 64;

/// Makes the folder and its mark, durably, unless they are there; the mark. `fresh` is a word for a new one.
///
/// # Errors
/// `Refused`: there is no such folder afterwards, or none that is certain to stay.
pub(in crate::world) fn enter(jobs: &Path, run: &str, fresh: &str) -> Result<String, Trouble> {
    let folder = folder(jobs, run)?;
    let refused = |why: String| Trouble::Refused(format!("cannot keep records in `{}`: {why}", folder.display()));
    let made = make(jobs, &folder, fresh);
    made.map_err(|error| refused(error.to_string()))?;
    of(&folder).ok_or_else(|| refused("its file `mark` cannot be read".into()))
}

/// Whether the folder of a run is the one that has this mark.
pub(in crate::world) fn is(jobs: &Path, run: &str, mark: &str) -> bool {
    folder(jobs, run).is_ok_and(|folder| of(&folder).is_some_and(|there| there == mark))
}

fn folder(jobs: &Path, run: &str) -> Result<PathBuf, Trouble> {
    if run.is_empty() || run.starts_with('.') || run.contains('/') {
        return Err(Trouble::Refused(format!("`{run}` cannot be the name of a run's folder")));
    }
    Ok(jobs.join(run))
}

fn make(jobs: &Path, folder: &Path, fresh: &str) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).recursive(true).create(folder)?;
    let mark = folder.join(MARK);
    if !mark.exists() {
        // Whole or not at all, and once, whoever else makes one.
        let new = folder.join(format!("{MARK}.{fresh}"));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let linked = writeln!(file, "{fresh}").and_then(|()| file.sync_all()).and_then(|()| {
            match std::fs::hard_link(&new, &mark) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            }
        });
        let _ = std::fs::remove_file(&new);
        linked?;
    }
    let within = folder.ancestors().take_while(|above| above.starts_with(jobs));
    within.chain(jobs.parent()).try_for_each(|dir| File::open(dir)?.sync_all())
}

fn of(folder: &Path) -> Option<String> {
    let file = File::open(folder.join(MARK)).ok()?;
    let inode = file.metadata().ok()?.ino();
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    let word = text.trim_end();
    if word.is_empty() { None } else { Some(format!("{word}:{inode}")) }
}

#[cfg(test)]
mod tests {
    use super::{enter, is};
    use std::fs;

    #[test]
    fn a_folder_that_was_made_anew_or_put_back_from_a_copy_is_another_one() {
        let parent = tempfile::tempdir().expect("a folder");
        let (jobs, run) = (parent.path().join("state/jobs"), parent.path().join("state/jobs/0a"));
        let first = enter(&jobs, "0a", "aa").expect("made");
        assert_eq!(enter(&jobs, "0a", "bb").expect("found again"), first);
        assert!(is(&jobs, "0a", &first) && !is(&jobs, "0b", &first));
        let aside = parent.path().join("aside");
        fs::rename(&run, &aside).expect("moves");
        assert!(!is(&jobs, "0a", &first), "it is gone");
        assert_ne!(enter(&jobs, "0a", "cc").expect("made anew"), first);
        fs::remove_dir_all(&run).expect("removes");
        fs::create_dir(&run).expect("a folder");
        fs::copy(aside.join("mark"), run.join("mark")).expect("copies");
        assert!(!is(&jobs, "0a", &first), "a copy of it lacks what came later");
        fs::remove_dir_all(&run).expect("removes");
        fs::rename(&aside, &run).expect("moves back");
        assert!(is(&jobs, "0a", &first), "it is back");
        for odd in ["", "..", "a/b"] {
            assert!(enter(&jobs, odd, "dd").is_err() && !is(&jobs, odd, &first), "{odd}");
        }
    }
}
