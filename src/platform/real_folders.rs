//! Real files and folders behind [`Folders`], for a lab: all below one root, whatever host they are said to be on.
//! It must never touch anything outside that root, not even through a symbolic link.

use super::beneath::beneath;
use super::folders::Folders;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The files and folders of all hosts of a lab.
#[derive(Debug, Clone)]
pub struct RealFolders {
    root: PathBuf,
}

impl RealFolders {
    /// Everything below `root`, which is an absolute path.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn inside(&self, path: &str) -> Result<PathBuf, String> {
        beneath(&self.root, Path::new(path))
    }
}

impl Folders for RealFolders {
    fn read(&mut self, _host: &str, path: &str) -> Option<String> {
        self.inside(path).ok().and_then(|path| fs::read_to_string(path).ok())
    }

    fn write(&mut self, _host: &str, path: &str, text: &str) -> Result<(), String> {
        let path = self.inside(path)?;
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, text)).map_err(|error| failed("write", &path, &error))
    }

    fn exists(&mut self, _host: &str, path: &str) -> bool {
        self.inside(path).is_ok_and(|path| path.is_dir())
    }

    fn make(&mut self, _host: &str, path: &str) -> Result<(), String> {
        let path = self.inside(path)?;
        fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))
    }

    fn rename(&mut self, _host: &str, from: &str, to: &str) -> bool {
        let (Ok(from), Ok(to)) = (self.inside(from), self.inside(to)) else { return false };
        !to.exists() && fs::rename(from, to).is_ok()
    }

    fn remove(&mut self, _host: &str, path: &str) -> Result<(), String> {
        let path = self.inside(path)?;
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", &path, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {doing} `{}`: {error}", path.display())
}
