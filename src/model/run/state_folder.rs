//! A state folder as records name it: where it was, and what tells it from a copy of itself. Plain data; nothing here
//! looks at one.

use serde::{Deserialize, Serialize};

/// A state folder, as it is told from a copy of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFolder {
    /// Where it was.
    pub path: String,
    /// Its number in its file system.
    pub inode: u64,
    /// When it was made, in milliseconds since 1970; 0 where the file system does not tell.
    pub made: i64,
}

impl StateFolder {
    /// Whether it is this folder, wherever it is by now, and not a copy of it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.inode == other.inode && (self.made == other.made || self.made == 0 || other.made == 0)
    }
}
