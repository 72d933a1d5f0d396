//! Files and folders of hosts as a product's model sees them: just enough to stage, swap and read what an upgrade
//! moves about. In the simulation they are kept in memory, in the lab they are real. No logs and no jobs here.

/// Files and folders of hosts. Paths are absolute, without a `/` at the end.
pub trait Folders {
    /// The text of a file, or nothing when there is no such file.
    fn read(&mut self, host: &str, path: &str) -> Option<String>;
    /// Replaces the text of a file, making the folders it needs.
    ///
    /// # Errors
    /// What went wrong, as a fragment.
    fn write(&mut self, host: &str, path: &str, text: &str) -> Result<(), String>;
    /// Whether a folder is there.
    fn exists(&mut self, host: &str, path: &str) -> bool;
    /// Makes a folder and those above it; one that is there stays as it is.
    ///
    /// # Errors
    /// What went wrong, as a fragment.
    fn make(&mut self, host: &str, path: &str) -> Result<(), String>;
    /// Gives a folder or file another path. Tells whether it did: not when `from` is missing or `to` is there.
    fn rename(&mut self, host: &str, from: &str, to: &str) -> bool;
    /// Removes a folder with everything in it; a missing one is no error.
    ///
    /// # Errors
    /// What went wrong, as a fragment.
    fn remove(&mut self, host: &str, path: &str) -> Result<(), String>;
}
