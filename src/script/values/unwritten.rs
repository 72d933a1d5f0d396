//! What stands for a value that only the run will tell. It must not guess one.

use super::sort::Sort;
use rhai::Dynamic;

/// Stands for an argument whose value only the run will tell. A primitive that reads it cannot be judged any further.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unwritten(Option<Sort>);

impl Unwritten {
    /// Nothing is known of it.
    pub(crate) fn unknown() -> Dynamic {
        Dynamic::from(Self(None))
    }

    /// At most its kind is known.
    pub(crate) fn of(sort: Option<Sort>) -> Dynamic {
        Dynamic::from(Self(sort))
    }

    /// Of which kind a value is that only the run will tell, if that is known.
    pub(crate) fn sort_of(value: &Dynamic) -> Option<Sort> {
        value.read_lock::<Self>().and_then(|unwritten| unwritten.0)
    }
}
