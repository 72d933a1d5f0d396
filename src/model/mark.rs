//! Where reading of a log stands: one cursor a file, by identity, offset and a checksum of the
//! bytes just before the offset. A mark is journaled, so a resumed wait neither misses nor repeats.

use serde::{Deserialize, Serialize};

/// How many bytes before the offset the checksum covers.
pub const TAIL_BYTES: u64 = 64;

/// Which file it is, whatever it is called by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The device number.
    pub device: u64,
    /// The inode number.
    pub inode: u64,
}

/// How far one file has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The name it had when last seen, without its folder.
    pub name: String,
    /// Which file it is.
    pub identity: Identity,
    /// Bytes consumed; always just behind a newline, or 0.
    pub offset: u64,
    /// Checksum of the last [`TAIL_BYTES`] bytes before `offset`; tells a rewritten file from a grown one.
    pub tail: u64,
}

/// A position in a service's log: everything before it is old.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark {
    /// One cursor for each file that existed, in the order in which the files are read.
    pub cursors: Vec<Cursor>,
}

/// The checksum a [`Cursor`] holds: FNV-1a over the bytes. It tells files apart; it proves nothing.
#[must_use]
pub fn tail_checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
