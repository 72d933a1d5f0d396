//! Closures that outlive the call they were given to: bodies of tracks and obligations. What they captured is copied,
//! so that tracks share nothing. It must not know what the closures are for.

use crate::holdings::NESTING_MAX;
use crate::script::context::{Fallible, ScriptTrack};
#[allow(deprecated)] // Rhai marks what may change in later versions; its version is pinned.
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};
use std::rc::Rc;

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

    /// Calls it for `track`. It may be called again, also after the script has come to its end.
    #[allow(deprecated)]
    pub(crate) fn call(&self, engine: &Engine, track: &Rc<ScriptTrack>, args: Vec<Dynamic>) -> Fallible<Dynamic> {
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
    track: &ScriptTrack,
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
fn at_home(surroundings: &mut NativeCallContextStore, track: &ScriptTrack, function: &FnPtr) {
    if let Some(home) = track.run.program.home_of(function.fn_name()) {
        surroundings.global.source = Some(home.file.as_str().into());
        surroundings.global.lib.push(Rc::clone(&home.functions));
    }
}

/// A closure as a primitive gets it. The variable of a `for` is one and the same in all rounds: what a closure captured
/// of it is what it is in this round.
pub(crate) fn handed_over(track: &ScriptTrack, function: FnPtr) -> FnPtr {
    let Some(home) = track.run.program.home_of(function.fn_name()) else { return function };
    let mut function = function;
    for captured in function.iter_curry_mut().enumerate().filter(|(index, _)| home.rounds.contains(index)) {
        let (_, captured) = captured;
        if captured.is_shared() {
            *captured = captured.flatten_clone().into_shared();
        }
    }
    function
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
