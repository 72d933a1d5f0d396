//! Which statements of which texts were come to, as plain data: it may go from thread to thread, and what several
//! programs of the same texts came to can be put together. It must not know how it was found out.

use crate::script::compile::scanner::At;
use std::collections::{BTreeMap, BTreeSet};

/// The statements that were come to: where they begin, by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached(BTreeMap<String, BTreeSet<At>>);

impl Reached {
    /// Adds a statement.
    pub(super) fn add(&mut self, file: &str, at: At) {
        match self.0.get_mut(file) {
            Some(places) => drop(places.insert(at)),
            None => drop(self.0.insert(file.to_owned(), BTreeSet::from([at]))),
        }
    }

    /// Adds what another program of the same texts came to.
    pub fn merge(&mut self, other: Self) {
        for (file, mut places) in other.0 {
            self.0.entry(file).or_default().append(&mut places);
        }
    }

    /// Whether the statement that begins there was come to.
    #[must_use]
    pub(crate) fn has(&self, file: &str, at: At) -> bool {
        self.0.get(file).is_some_and(|places| places.contains(&at))
    }

    /// How many they are, in unused functions as well.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Whether nothing was come to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
