//! Where reading of a log stands: one cursor a file, by identity, offset and a checksum of the
//! bytes just before the offset. A mark is journaled, so a resumed wait neither misses nor repeats.

use serde::{Deserialize, Serialize};

/// How many bytes before the offset the checksum covers.
pub const TAIL_BYTES: u64 = 64;

/// How much of the beginning of a file is remembered, in bytes.
pub const HEAD_BYTES: u64 = 4096;

/// After how many bytes of its beginning, besides its first line.
const HEADS: [usize; 10] = [4, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

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
    /// Bytes consumed; just behind a newline or 0, unless the line there is [spent](Self::spent).
    pub offset: u64,
    /// Checksum of the last [`TAIL_BYTES`] bytes before `offset`; tells a rewritten file from a grown one. None: nobody
    /// looked (one of very many old files); then whatever comes behind `offset` is new.
    pub tail: Option<u64>,
    /// How many bytes stood behind `offset` without a line end when it was taken. If the line gets nothing but its end,
    /// it is as old as the mark; if it grows, it is a new one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begun: u64,
    /// The line at `offset` has counted already: what is still to come of it is skipped.
    #[serde(default, skip_serializing_if = "is_false")]
    pub spent: bool,
    /// When the file was last written, as listed then; 0 if nobody knows.
    #[serde(default, skip_serializing_if = "is_never")]
    pub written: i64,
    /// It is a copy of that file, which is read in its place as long as it is whole. Where the offset or `begun` is not
    /// 0, it was being made when the mark was taken: what comes behind is old as long as it goes on like that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<Identity>,
    /// Checksums of so many bytes at its beginning, of the files written last: they tell a copy that is not whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<(u64, u64)>,
}

fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

fn is_never(time: &i64) -> bool {
    *time == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Cursor {
    /// At the very beginning of a file.
    #[must_use]
    pub fn start(name: &str, identity: Identity) -> Self {
        let tail = Some(tail_checksum(&[]));
        let (name, head) = (name.to_owned(), Vec::new());
        Self { name, identity, offset: 0, tail, begun: 0, spent: false, written: 0, copy_of: None, head }
    }

    /// How many bytes at the beginning of a file are surely those of this one, and whether all are that can be told.
    #[must_use]
    pub fn begins_like(&self, bytes: &[u8]) -> (u64, bool) {
        let most = (bytes.len() as u64).min(self.offset);
        let mut alike = 0;
        for (length, sum) in self.head.iter().filter(|(length, _)| *length <= most) {
            let beginning = usize::try_from(*length).map_or(bytes, |length| &bytes[..length]);
            if tail_checksum(beginning) != *sum {
                return (alike, false);
            }
            alike = *length;
        }
        (alike, true)
    }

    /// Whether it was being made as a copy of this other file.
    #[must_use]
    pub fn is_begun_copy_of(&self, other: &Self) -> bool {
        self.copy_of == Some(other.identity) && self.offset + self.begun > 0
    }

    /// How many bytes before the offset are read again to see whether it is still the same file.
    #[must_use]
    pub fn tail_length(&self) -> u64 {
        let most = if self.tail.is_some() { TAIL_BYTES } else { 1 };
        self.offset.min(most)
    }
}

/// A position in a service's log: everything before it is old.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark {
    /// One cursor for each file that existed, in the order in which the files are read.
    pub cursors: Vec<Cursor>,
}

/// Checksums of the beginnings of `bytes`, which a file begins with.
#[must_use]
pub fn head_checksums(bytes: &[u8]) -> Vec<(u64, u64)> {
    let bytes = &bytes[..bytes.len().min(HEADS[HEADS.len() - 1])];
    let line = bytes.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    let mut lengths: Vec<usize> = HEADS.into_iter().chain(line).filter(|length| *length <= bytes.len()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths.into_iter().map(|length| (length as u64, tail_checksum(&bytes[..length]))).collect()
}

/// The checksum a [`Cursor`] holds: FNV-1a over the bytes. It tells files apart; it proves nothing.
#[must_use]
pub fn tail_checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
