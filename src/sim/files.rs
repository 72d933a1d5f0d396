//! The files of all simulated hosts, in memory: folders that models move about and logs that waits read.
//! A cheap handle; clones see the same files. It knows no time and no faults.

use crate::model::run::mark::Identity;
use crate::platform::folders::Folders;
use crate::sim::state_hash::StateHash;
use crate::world::{FileKind, FileStat};
use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most a simulated file holds, in bytes; what would go beyond is dropped, so a model that logs without end
/// cannot use up the memory.
pub(super) const FILE_BYTES_MAX: usize = 4 << 20;

/// The permission bits of files that were not carried.
const USUAL_MODE: u32 = 0o644;

/// Names a file for appending, whatever its path is by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId(usize);

/// All files of all simulated hosts.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(Rc<RefCell<Rc<SimFiles>>>);

#[derive(Debug, Clone, Default)]
struct SimFiles {
    /// Host, then path, to the index in `contents`.
    paths: BTreeMap<String, BTreeMap<String, usize>>,
    folders: BTreeMap<String, BTreeSet<String>>,
    /// Never shrinks: an index is an identity, and a removed file may still be open somewhere.
    contents: Vec<Rc<Vec<u8>>>,
    /// When each content was last written, by index: the number of the writing among all.
    written: BTreeMap<usize, i64>,
    /// How many writings there were.
    writings: i64,
    /// Permission bits by index in `contents`, of files that were carried.
    modes: BTreeMap<usize, u32>,
    /// Those that lines were appended to.
    logs: BTreeSet<usize>,
}

impl MemoryFiles {
    /// The same files once more: what is written there from now on is not written here. Both share what neither has
    /// written to since.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Rc::new(RefCell::new(Rc::clone(&self.0.borrow()))))
    }

    fn change(&self) -> RefMut<'_, SimFiles> {
        RefMut::map(self.0.borrow_mut(), Rc::make_mut)
    }

    /// A new empty file at `path`; one that had the path before loses it.
    #[must_use]
    pub fn create(&self, host: &str, path: &str) -> FileId {
        let mut files = self.change();
        files.contents.push(Rc::default());
        let index = files.contents.len() - 1;
        files.note_writing(index);
        files.make_parents(host, path);
        files.paths.entry(host.to_owned()).or_default().insert(path.to_owned(), index);
        FileId(index)
    }

    /// Appends a line and its newline.
    pub fn append_line(&self, file: FileId, line: &str) {
        let mut files = self.change();
        if let Some(content) = files.contents.get_mut(file.0)
            && content.len() + line.len() < FILE_BYTES_MAX
        {
            let content = Rc::make_mut(content);
            content.extend_from_slice(line.as_bytes());
            content.push(b'\n');
            files.logs.insert(file.0);
            files.note_writing(file.0);
        }
    }

    /// Adds all files. Of a log how long it is: what it says is told by how the services stand that write it, but for
    /// the times in it.
    pub(super) fn hash(&self, hash: &mut StateHash) {
        let files = self.0.borrow();
        for (host, paths) in &files.paths {
            for (path, index) in paths {
                let content = files.contents.get(*index).map_or(&[][..], |content| content.as_slice());
                hash.add((host, content.len()));
                hash.timeless(path.as_bytes());
                if !files.logs.contains(index) {
                    hash.add(content);
                }
            }
        }
        hash.add(&files.folders);
    }

    /// Whether there is such a folder.
    #[must_use]
    pub fn has_folder(&self, host: &str, dir: &str) -> bool {
        let dir = dir.trim_end_matches('/');
        self.0.borrow().folders.get(host).is_some_and(|folders| folders.contains(dir))
    }

    /// The files directly in a folder, by name. A missing folder is an empty one.
    #[must_use]
    pub fn list(&self, host: &str, dir: &str) -> Vec<FileStat> {
        let files = self.0.borrow();
        let Some(paths) = files.paths.get(host) else { return Vec::new() };
        let prefix = format!("{}/", dir.trim_end_matches('/'));
        let inside =
            paths.range(prefix.clone()..).map_while(|(path, index)| Some((path.strip_prefix(&prefix)?, *index)));
        inside
            .filter(|(name, _)| !name.contains('/'))
            .map(|(name, index)| {
                let len = files.contents.get(index).map_or(0, |content| content.len()) as u64;
                let modified = files.written.get(&index).copied().unwrap_or(0);
                FileStat { name: name.to_owned(), identity: identity(index), len, modified, kind: FileKind::File }
            })
            .collect()
    }

    /// At most `max` bytes of a file from an offset; nothing when another file, or none, has that path.
    #[must_use]
    pub fn bytes(&self, host: &str, path: &str, wanted: Identity, from: u64, max: u64) -> Option<Vec<u8>> {
        let files = self.0.borrow();
        let index = *files.paths.get(host)?.get(path)?;
        if identity(index) != wanted {
            return None;
        }
        let content = files.contents.get(index)?;
        let start = usize::try_from(from).unwrap_or(usize::MAX).min(content.len());
        let end = start.saturating_add(usize::try_from(max).unwrap_or(usize::MAX)).min(content.len());
        Some(content[start..end].to_vec())
    }

    /// All of a file.
    #[must_use]
    pub fn content(&self, host: &str, path: &str) -> Option<Vec<u8>> {
        let files = self.0.borrow();
        files.contents.get(files.index(host, path)?).map(|content| content.to_vec())
    }

    /// The permission bits of a file.
    #[must_use]
    pub fn mode(&self, host: &str, path: &str) -> u32 {
        let files = self.0.borrow();
        files.index(host, path).and_then(|index| files.modes.get(&index)).copied().unwrap_or(USUAL_MODE)
    }

    /// Makes a file end with `bytes` behind its first `at` ones; at 0 it is a new one. False when it is shorter.
    pub fn write_at(&self, host: &str, path: &str, at: u64, bytes: &[u8]) -> bool {
        let index = if at == 0 { Some(self.create(host, path).0) } else { self.0.borrow().index(host, path) };
        let mut files = self.change();
        let content = index.and_then(|index| files.contents.get_mut(index));
        let Some(content) = content.filter(|content| content.len() as u64 >= at) else { return false };
        let content = Rc::make_mut(content);
        content.truncate(usize::try_from(at).unwrap_or(usize::MAX));
        content.extend_from_slice(bytes);
        if let Some(index) = index {
            files.note_writing(index);
        }
        true
    }

    /// Gives a file another path, in place of what has it, and its permission bits. False when there is none.
    pub fn install(&self, host: &str, from: &str, to: &str, mode: u32) -> bool {
        let mut files = self.change();
        let Some(index) = files.paths.get_mut(host).and_then(|paths| paths.remove(from)) else { return false };
        files.paths.entry(host.to_owned()).or_default().insert(to.to_owned(), index);
        files.modes.insert(index, mode);
        true
    }
}

fn identity(index: usize) -> Identity {
    Identity { device: 1, inode: index as u64 + 1 }
}

impl SimFiles {
    fn note_writing(&mut self, index: usize) {
        self.writings += 1;
        self.written.insert(index, self.writings);
    }

    fn index(&self, host: &str, path: &str) -> Option<usize> {
        self.paths.get(host)?.get(path).copied()
    }

    fn make_parents(&mut self, host: &str, path: &str) {
        if let Some((parent, _)) = path.rsplit_once('/')
            && !parent.is_empty()
        {
            self.make(host, parent);
        }
    }

    fn make(&mut self, host: &str, path: &str) {
        if self.folders.get(host).is_some_and(|folders| folders.contains(path)) {
            return;
        }
        self.folders.entry(host.to_owned()).or_default().insert(path.to_owned());
        self.make_parents(host, path);
    }

    fn is_there(&self, host: &str, path: &str) -> bool {
        self.folders.get(host).is_some_and(|folders| folders.contains(path))
            || self.paths.get(host).is_some_and(|paths| paths.contains_key(path))
    }
}

/// Whether `path` is `top` or lies somewhere in it, and then what follows `top`.
fn below<'a>(path: &'a str, top: &str) -> Option<&'a str> {
    path.strip_prefix(top).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Folders for MemoryFiles {
    fn read(&mut self, host: &str, path: &str) -> Option<String> {
        let files = self.0.borrow();
        let content = files.contents.get(*files.paths.get(host)?.get(path)?)?;
        Some(String::from_utf8_lossy(content).into_owned())
    }

    fn write(&mut self, host: &str, path: &str, text: &str) -> Result<(), String> {
        let FileId(index) = self.create(host, path);
        if let Some(content) = self.change().contents.get_mut(index) {
            *content = Rc::new(text.as_bytes().to_vec());
        }
        Ok(())
    }

    fn exists(&mut self, host: &str, path: &str) -> bool {
        self.0.borrow().folders.get(host).is_some_and(|folders| folders.contains(path))
    }

    fn make(&mut self, host: &str, path: &str) -> Result<(), String> {
        self.change().make(host, path);
        Ok(())
    }

    fn rename(&mut self, host: &str, from: &str, to: &str) -> bool {
        let mut files = self.change();
        if !files.is_there(host, from) || files.is_there(host, to) {
            return false;
        }
        files.make_parents(host, to);
        let moved = |path: &str| below(path, from).map(|rest| format!("{to}{rest}"));
        if let Some(folders) = files.folders.get_mut(host) {
            *folders = folders.iter().map(|path| moved(path).unwrap_or_else(|| path.clone())).collect();
        }
        if let Some(paths) = files.paths.get_mut(host) {
            *paths = paths.iter().map(|(path, i)| (moved(path).unwrap_or_else(|| path.clone()), *i)).collect();
        }
        true
    }

    fn remove(&mut self, host: &str, path: &str) -> Result<(), String> {
        let mut files = self.change();
        if let Some(folders) = files.folders.get_mut(host) {
            folders.retain(|folder| below(folder, path).is_none());
        }
        if let Some(paths) = files.paths.get_mut(host) {
            paths.retain(|file, _| below(file, path).is_none());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_folder_takes_its_files_along_and_they_stay_the_same_files() {
        let mut files = MemoryFiles::default();
        let log = files.create("h", "/opt/cs/a.log");
        files.append_line(log, "one");
        let before = files.list("h", "/opt/cs");
        assert!(files.rename("h", "/opt/cs", "/opt/cs.old") && !files.rename("h", "/opt/cs", "/opt/x"));
        files.append_line(log, "two");
        let after = files.list("h", "/opt/cs.old/");
        assert_eq!((after[0].identity, after[0].len), (before[0].identity, 8));
        assert_eq!(files.bytes("h", "/opt/cs.old/a.log", after[0].identity, 4, 100).unwrap(), b"two\n");
        assert!(files.list("h", "/opt/cs").is_empty() && files.exists("h", "/opt"));
    }
}
