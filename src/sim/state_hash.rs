//! How a simulated site stands, as one number: two sites of the same number go on alike. A time counts by how far it
//! lies from the present, so that the same situation an hour later is the same. It must not decide what belongs to it.

use crate::model::run::instant::Wall;
use crate::sim::timeless;
use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Whole numbers from here on are times, in milliseconds since 1970: those of 2020 and later.
const FIRST_TIME: i64 = 1_577_836_800_000;

/// A state being hashed. Keys are fixed: the same state has the same number in every process of this build.
pub(super) struct StateHash {
    hasher: DefaultHasher,
    now: Wall,
    /// Whether a time was among what was added.
    timed: bool,
}

impl StateHash {
    /// Nothing yet, at this present.
    pub(super) fn new(now: Wall) -> Self {
        Self { hasher: DefaultHasher::new(), now, timed: false }
    }

    /// What belongs to it as it is.
    pub(super) fn add(&mut self, what: impl Hash) {
        what.hash(&mut self.hasher);
    }

    /// A text, without the times in it.
    pub(super) fn timeless(&mut self, text: &[u8]) {
        timeless::hash(text, &mut self.hasher);
    }

    /// A point in time: how far it lies ahead or behind.
    pub(super) fn time(&mut self, at: Wall) {
        self.timed = true;
        self.add(at.0 - self.now.0);
    }

    /// The number, and the present that it hangs on, if it does.
    pub(super) fn number(&self) -> (u64, Option<Wall>) {
        (self.hasher.finish(), self.timed.then_some(self.now))
    }

    /// A value of a script.
    pub(super) fn value(&mut self, value: &Dynamic) {
        if value.is_shared() {
            return self.value(&value.flatten_clone());
        }
        if let Ok(number) = value.as_int() {
            return if number >= FIRST_TIME { self.time(Wall(number)) } else { self.add((1_u8, number)) };
        }
        if let Ok(flag) = value.as_bool() {
            return self.add((2_u8, flag));
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            self.add(3_u8);
            return self.timeless(text.as_bytes());
        }
        if let Some(items) = value.read_lock::<Array>() {
            self.add((4_u8, items.len()));
            return items.iter().for_each(|item| self.value(item));
        }
        if let Some(map) = value.read_lock::<Map>() {
            self.add((5_u8, map.len()));
            for (key, item) in map.iter() {
                self.add(key.as_str());
                self.value(item);
            }
            return;
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            self.add((6_u8, function.fn_name()));
            return function.curry().iter().for_each(|item| self.value(item));
        }
        self.add((7_u8, value.to_string()));
    }

    /// The number.
    pub(super) fn finish(&self) -> u64 {
        self.hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::StateHash;
    use crate::model::run::instant::Wall;
    use rhai::Dynamic;

    #[test]
    fn the_same_situation_an_hour_later_is_the_same() {
        let number = |now: i64, due: i64| {
            let mut hash = StateHash::new(Wall(now));
            hash.value(&Dynamic::from(vec![Dynamic::from(due), Dynamic::from(7_i64), Dynamic::from("up")]));
            hash.finish()
        };
        let (noon, hour) = (1_795_298_400_000, 3_600_000);
        assert_eq!(number(noon, noon + 5), number(noon + hour, noon + hour + 5));
        assert_ne!(number(noon, noon + 5), number(noon, noon + 6));
    }
}
