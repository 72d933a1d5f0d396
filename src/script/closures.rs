//! Closures that outlive the call they were given to: bodies of tracks and obligations. What they captured is copied,
//! so that tracks share nothing. It must not know what the closures are for.

use crate::script::context::{Fallible, Track};
#[allow(deprecated)] // Rhai marks what may change in later versions; its version is pinned.
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};
use std::rc::Rc;

/// How deeply captured closures are followed. A captured map can contain itself; this ends such a chain.
const DEPTH_MAX: usize = 32;

/// A closure with the surroundings it needs to be called later, from elsewhere.
#[derive(Clone)]
#[allow(deprecated)]
pub(crate) struct Closure {
    function: FnPtr,
    surroundings: NativeCallContextStore,
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

    /// Keeps a copy of `function` that shares nothing with the script.
    pub(crate) fn isolated(context: &NativeCallContext<'_>, function: &FnPtr) -> Self {
        let mut copy = Dynamic::from(function.clone());
        isolate(&mut copy);
        let function = copy.try_cast::<FnPtr>().unwrap_or_else(|| function.clone());
        Self::keep(context, &function)
    }

    /// Calls it for `track`. It may be called again, also after the script has come to its end.
    #[allow(deprecated)]
    pub(crate) fn call(&self, engine: &Engine, track: &Rc<Track>, args: Vec<Dynamic>) -> Fallible<Dynamic> {
        let mut surroundings = self.surroundings.clone();
        surroundings.global.tag = track.tag();
        at_home(&mut surroundings, track, &self.function);
        let context = surroundings.create_context(engine);
        self.function.call_raw(&context, None, args)
    }
}

/// Calls `function` at once, from the native function that was given it. By itself Rhai finds a closure, and names its
/// file rightly, only when caller and closure are in the same file.
#[allow(deprecated)]
pub(crate) fn call_now(
    context: &NativeCallContext<'_>,
    track: &Track,
    function: &FnPtr,
    args: Vec<Dynamic>,
) -> Fallible<Dynamic> {
    let home = track.run.program.home_of(function.fn_name());
    if home.is_none_or(|home| context.call_source() == Some(&home.file)) {
        return function.call_raw(context, None, args);
    }
    let mut surroundings = context.store_data();
    at_home(&mut surroundings, track, function);
    function.call_raw(&surroundings.create_context(context.engine()), None, args)
}

/// Makes the surroundings those of the file that the closure is written in.
#[allow(deprecated)]
fn at_home(surroundings: &mut NativeCallContextStore, track: &Track, function: &FnPtr) {
    if let Some(home) = track.run.program.home_of(function.fn_name()) {
        surroundings.global.source = Some(home.file.as_str().into());
        surroundings.global.lib.push(Rc::clone(&home.functions));
    }
}

/// Gives `value` copies of its own of everything it shares, all the way down.
pub(crate) fn isolate(value: &mut Dynamic) {
    fn at_depth(value: &mut Dynamic, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        value.deep_scan(|inner| {
            if inner.is_shared() {
                let mut copy = inner.flatten_clone();
                at_depth(&mut copy, depth + 1);
                *inner = copy.into_shared();
            }
        });
    }
    at_depth(value, 0);
}
