//! Calling closures: at once, or later and from elsewhere. Rhai is told of which file a closure is, and to which
//! track it belongs now. It must not know what the closures are for.

use super::closure::Closure;
use super::context::{Fallible, ScriptTrack};
#[allow(deprecated)] // Rhai marks what may change in later versions; its version is pinned.
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};
use std::rc::Rc;

/// Calls a closure that was kept for `track`. It may be called again, also after the script has come to its end.
#[allow(deprecated)]
pub(crate) fn call(
    closure: &Closure,
    engine: &Engine,
    track: &Rc<ScriptTrack>,
    args: Vec<Dynamic>,
) -> Fallible<Dynamic> {
    let mut surroundings = closure.surroundings.clone();
    surroundings.global.tag = track.tag();
    at_home(&mut surroundings, track, &closure.function);
    let context = surroundings.create_context(engine);
    closure.function.call_raw(&context, None, args)
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
