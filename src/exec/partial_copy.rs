//! A file of a log that may be a copy of another one, and not a whole one: what it is a copy of, and what is looked at
//! next to tell. It must not read anything: that is the follower's to do.

use crate::model::run::mark::{Cursor, Identity};

/// A file that begins as another one did, and is shorter than what was read of that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartialCopy {
    /// Where reading of the other one stood.
    pub(super) original: Box<Cursor>,
    /// What else it may be a copy of.
    pub(super) left: Vec<Identity>,
    pub(super) look: Look,
}

/// What is looked at next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// Does it begin as the other one did?
    Head,
    /// Is the other one still what it was?
    Original,
    /// What stands at its end?
    End,
    /// Does the same stand there in the other one?
    Same { end: Box<Cursor>, from: u64, length: u64, sum: u64 },
    /// From where on are they not the same? `line` is behind the last line that is.
    Apart { at: u64, line: Box<Cursor>, mine: Option<Vec<u8>> },
    /// The other one is whole no more: where does it end?
    Cut,
    /// Nothing, until it grows.
    Waits,
}

impl PartialCopy {
    /// To be compared with what stood before this cursor, then with the others.
    pub(super) fn of(original: &Cursor, left: Vec<Identity>) -> Self {
        Self { original: Box::new(original.clone()), left, look: Look::Head }
    }

    /// A copy of a file that is whole no more.
    pub(super) fn cut(original: &Cursor) -> Self {
        Self { original: Box::new(original.clone()), left: Vec::new(), look: Look::Cut }
    }

    /// What a mark has found to be one: nothing is to be looked at until it grows.
    pub(super) fn marked(original: &Cursor) -> Self {
        Self { original: Box::new(original.clone()), left: Vec::new(), look: Look::Waits }
    }

    /// Whether there is nothing to look at before it grows.
    pub(super) fn waits(&self) -> bool {
        self.look == Look::Waits
    }
}
