//! What is known of a log after a look: it was quiet, lines were seen, or it cannot be seen, and why. A log that cannot
//! be seen is never taken for a quiet one: nothing may be concluded from its silence. Only words and types.

use crate::exec::calls::words;
use crate::exec::follow::{Follower, Remarks};
use crate::exec::followed::LINE_MAX;
use crate::model::run::effect::{FailureKind, LogSource};
use crate::model::text::shown;
use crate::world::Trouble;
use std::collections::BTreeSet;
use std::fmt;

/// What is known of a log.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LogSight {
    /// All of it was read, and nothing new was there.
    Quiet,
    /// All of it was read.
    Seen,
    /// Not all of it could be read.
    Hidden(Hidden),
}

/// Why a log cannot be seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hidden {
    /// The host or its folder cannot be asked.
    Trouble(Trouble),
    /// No file is there that could be read.
    NoFile {
        /// Where it should be.
        source: LogSource,
        /// What has such a name and is no file.
        unfit: Vec<String>,
    },
    /// These files went away with lines that were not read.
    Lost(Vec<String>),
    /// Files are there that may not be read; why.
    Unreadable(Vec<String>),
    /// It grows faster than it is read: this many bytes were left when the time was over.
    Behind(u64),
}

impl Hidden {
    /// Whether it is not to be expected that waiting helps.
    pub(super) fn lasts(&self) -> bool {
        match self {
            Self::NoFile { .. } | Self::Lost(_) => true,
            Self::Trouble(_) | Self::Unreadable(_) | Self::Behind(_) => false,
        }
    }

    /// What sort of failure it is when something had to be known of the log.
    pub(super) fn kind(&self) -> FailureKind {
        match self {
            Self::Trouble(Trouble::Unreachable(_) | Trouble::Lost(_) | Trouble::Late) => FailureKind::Unreachable,
            Self::Trouble(Trouble::Missing(_) | Trouble::Refused(_) | Trouble::Leased(_)) => FailureKind::Unreadable,
            Self::NoFile { .. } | Self::Lost(_) | Self::Unreadable(_) | Self::Behind(_) => FailureKind::Unreadable,
        }
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(trouble) => write!(f, "the log cannot be read now: {}", words(trouble)),
            Self::NoFile { source, unfit } => {
                let (dir, files) = (shown(&source.dir), shown(&source.files));
                write!(f, "the log cannot be seen: no file in `{dir}` matches `{files}`")?;
                unfit.iter().try_for_each(|one| write!(f, "; {}", shown(one)))
            }
            Self::Lost(names) => write!(
                f,
                "the log cannot be seen: {} went away before it was read to its end, deleted or compressed",
                listed(names)
            ),
            Self::Unreadable(whys) => {
                write!(f, "the log cannot be read now: {}", shown(&whys.join("; ")))
            }
            Self::Behind(bytes) => {
                write!(f, "the log was not read to its end: it grows faster than it is read, {bytes} bytes are left")
            }
        }
    }
}

/// What else whoever waits should know of a log.
pub(super) fn remarks_of(remarks: &Remarks) -> Vec<String> {
    let mut told = absence_of(remarks);
    if !remarks.old.is_empty() {
        told.push(format!("{} came since the mark and was last written before it: not read", list(&remarks.old)));
    }
    if !remarks.packed.is_empty() {
        told.push(format!("{} is compressed: not read", list(&remarks.packed)));
    }
    told.extend(remarks.unfit.iter().map(|one| shown(one)));
    match remarks.long_lines {
        0 => {}
        1 => told.push(format!("1 line was longer than {} KiB and was not searched", LINE_MAX / 1024)),
        more => told.push(format!("{more} lines were longer than {} KiB and were not searched", LINE_MAX / 1024)),
    }
    told
}

/// What became of files that were followed, of which something may be lost.
pub(super) fn absence_of(remarks: &Remarks) -> Vec<String> {
    let mut told = Vec::new();
    if !remarks.gone.is_empty() {
        told.push(format!("{} went away, and what may have been written to it last is not known", list(&remarks.gone)));
    }
    if !remarks.cut.is_empty() {
        let names = list(&remarks.cut);
        told.push(format!("{names} was cut or written anew since the mark: what was lost with it is not known"));
    }
    told
}

fn list(names: &BTreeSet<String>) -> String {
    listed(&names.iter().cloned().collect::<Vec<_>>())
}

/// That lines which were written again as they stood there before cannot be told from them.
pub(super) fn alike(follower: &Follower) -> Option<String> {
    let alike = follower.files.iter().filter(|file| file.is_written_alike());
    let names: Vec<String> = alike.map(|file| file.cursor.name.clone()).collect();
    let text = || format!("{} was written to and has no more in it: lines written anew count as old", listed(&names));
    (!names.is_empty()).then(text)
}

/// Some of these names, as a person reads them.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let some: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", shown(name))).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}
