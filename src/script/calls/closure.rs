//! A closure that outlives the call it was given to: the body of a track, an obligation. What it captured is copied, so
//! that tracks share nothing. It must not know what closures are for, nor call them.

use crate::holdings::NESTING_MAX;
#[allow(deprecated)] // Rhai marks what may change in later versions; its version is pinned.
use rhai::NativeCallContextStore;
use rhai::{Dynamic, FnPtr, NativeCallContext};

/// A closure with the surroundings it needs to be called later, from elsewhere.
#[derive(Clone)]
#[allow(deprecated)]
pub(crate) struct Closure {
    pub(super) function: FnPtr,
    pub(super) surroundings: NativeCallContextStore,
}

impl Closure {
    /// Keeps `function` as it is: what it captured stays shared with the script.
    #[allow(deprecated)]
    pub(crate) fn keep(context: &NativeCallContext<'_>, function: &FnPtr) -> Self {
        let mut surroundings = context.store_data();
        // The tag leads to the track, which may own this closure: without it there is no cycle.
        surroundings.global.tag = Dynamic::UNIT;
        Self { function: function.clone(), surroundings }
    }

    /// The same with what it captured as it is now: what the script changes later does not reach it. A variable that
    /// has nothing in it yet is looked up when the closure is called.
    pub(crate) fn settled(&self) -> Self {
        let mut copy = Dynamic::from(self.function.clone());
        copy_shared(&mut copy, true);
        let function = copy.try_cast::<FnPtr>().unwrap_or_else(|| self.function.clone());
        Self { function, surroundings: self.surroundings.clone() }
    }

    /// The closure itself.
    pub(crate) fn value(&self) -> Dynamic {
        Dynamic::from(self.function.clone())
    }

    /// Keeps a copy of `function` that shares nothing with the script.
    pub(crate) fn isolated(context: &NativeCallContext<'_>, function: &FnPtr) -> Self {
        let mut copy = Dynamic::from(function.clone());
        isolate(&mut copy);
        let function = copy.try_cast::<FnPtr>().unwrap_or_else(|| function.clone());
        Self::keep(context, &function)
    }
}

/// Gives `value` copies of its own of everything it shares, all the way down.
pub(crate) fn isolate(value: &mut Dynamic) {
    copy_shared(value, false);
}

/// The same; what is empty stays shared if it may.
fn copy_shared(value: &mut Dynamic, unset_stays: bool) {
    fn at_depth(value: &mut Dynamic, unset_stays: bool, depth: usize) {
        if depth > NESTING_MAX {
            return;
        }
        value.deep_scan(|inner| {
            if inner.is_shared() {
                let mut copy = inner.flatten_clone();
                if unset_stays && copy.is_unit() {
                    return;
                }
                at_depth(&mut copy, unset_stays, depth + 1);
                *inner = copy.into_shared();
            }
        });
    }
    at_depth(value, unset_stays, 0);
}
