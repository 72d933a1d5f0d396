//! The words for carrying files to and from hosts: what can be asked about one file, block by block. Whoever asks
//! decides what is carried; nothing here looks at a file.

use std::fmt;

/// The machine baton runs on, as a host of [`WorkOnFile`](super::request::WorkOnFile): no inventory has one of that
/// name.
pub const RUNNER: &str = "(runner)";

/// What can be asked about a file, under the name of its type. Paths of hosts are full ones; those of the [`RUNNER`]
/// may be relative to the folder baton was started in.
#[allow(missing_docs, reason = "each type says what it is")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileWork {
    DigestFile(DigestFile),
    ReadBlock(ReadBlock),
    WriteBlock(WriteBlock),
    InstallFile(InstallFile),
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestFile {
    /// The file.
    pub path: String,
    /// How many of its first bytes count for the digest.
    pub first: u64,
    /// What it is looked at for.
    pub role: Role,
}

/// Bytes of a source. The reply is shorter than `max` only at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBlock {
    /// The file.
    pub path: String,
    /// From which byte.
    pub from: u64,
    /// How many at the most.
    pub max: u64,
}

/// Write bytes into a part at a place it has grown to; whatever is behind them goes. At 0 the part begins anew, for
/// nobody else to read. Refused where the name is taken by what is no part of ours. May be asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBlock {
    /// The part.
    pub path: String,
    /// From which byte.
    pub at: u64,
    /// The bytes.
    pub block: Block,
}

/// Make a part the file, durably; a file it replaces hands on its owner, its group and its attributes, or is not
/// replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallFile {
    /// The part; the file itself, to change only its mode.
    pub part: String,
    /// The file.
    pub path: String,
    /// Its permission bits from now on.
    pub mode: u32,
    /// Whether a file that is there already is replaced.
    pub over: bool,
}

impl FileWork {
    /// Whether something is another afterwards.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::WriteBlock(_) | Self::InstallFile(_) => true,
            Self::DigestFile(_) | Self::ReadBlock(_) => false,
        }
    }
}

/// What a file is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The source of something: it must be there, and may be a symbolic link.
    Source,
    /// A target: it need not be there, and is no symbolic link.
    Target,
    /// A part: it need not be there, and is refused unless it is the login account's own, under no other name, and for
    /// nobody else to read. Whoever else may write in the folder could have laid it there, and could still change it.
    Part,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// Its length in bytes.
    pub len: u64,
    /// Its permission bits.
    pub mode: u32,
    /// The SHA-256 of as many of its first bytes as was asked for, in small hexadecimal digits.
    pub sha256: String,
}

/// A part of a file that is carried. It is nobody's to see: it may hold anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Block(pub Vec<u8>);

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block of {} bytes", self.0.len())
    }
}
