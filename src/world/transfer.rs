//! The words for carrying files to and from hosts: what can be asked about one file, block by block. Whoever asks
//! decides what is carried; nothing here looks at a file.

use std::fmt;

/// The machine baton runs on, as a host of [`Request::File`](super::Request::File): no inventory has one of that name.
pub const RUNNER: &str = "(runner)";

/// What can be asked about a file. Paths of hosts are full ones; those of the [`RUNNER`] may be relative to the folder
/// baton was started in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileWork {
    /// What a file holds. The reply is `Reply::File`.
    Digest {
        /// The file.
        path: String,
        /// How many of its first bytes count for the digest.
        first: u64,
        /// What it is looked at for.
        role: Role,
    },
    /// Bytes of a source. The reply is `Reply::Block`, shorter than `max` only at its end.
    Read {
        /// The file.
        path: String,
        /// From which byte.
        from: u64,
        /// How many at the most.
        max: u64,
    },
    /// Write bytes into a part at a place it has grown to; whatever is behind them goes. At 0 the part begins anew, for
    /// nobody else to read. Refused where the name is taken by what is no part of ours. May be asked for again. The
    /// reply is `Reply::Kept`.
    Write {
        /// The part.
        path: String,
        /// From which byte.
        at: u64,
        /// The bytes.
        block: Block,
    },
    /// Make a part the file, durably; a file it replaces hands on its owner, its group and its attributes, or is not
    /// replaced. The reply is `Reply::Kept`.
    Install {
        /// The part; the file itself, to change only its mode.
        part: String,
        /// The file.
        path: String,
        /// Its permission bits from now on.
        mode: u32,
        /// Whether a file that is there already is replaced.
        over: bool,
    },
}

impl FileWork {
    /// Whether something is another afterwards.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Write { .. } | Self::Install { .. } => true,
            Self::Digest { .. } | Self::Read { .. } => false,
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
