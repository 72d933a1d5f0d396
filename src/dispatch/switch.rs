//! The coroutine switch: suspends the running track deep inside a script and resumes it with an answer.
//! The only module with `unsafe` code; it knows neither effects nor records.
//!
//! **Invariant.** `current` is the yielder of the coroutine whose code is running, whenever such code runs.
//! It is set when a coroutine's body is entered and again each time `suspend` returns, before anything else
//! of that coroutine runs; all coroutines live on one thread; and a yielder outlives the body it was given to.
//! So the pointer that `suspend` follows always names the live yielder of the very coroutine that calls it.

#![allow(unsafe_code)]

use crate::dispatch::Body;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::Cell;
use std::rc::Rc;

/// Bytes of stack for a track: what scripts need, as an overflow would abort the process.
const STACK_BYTES: usize = crate::engine::STACK_BYTES;

/// Suspends tracks that ask for a `W` and are resumed with a `G`.
pub(super) struct Switch<W, G> {
    current: Cell<Option<*const Yielder<G, W>>>,
}

/// A track's coroutine: straight-line code that stops whenever it wants something.
pub(super) struct Strand<W, G> {
    coroutine: Coroutine<G, W, (), DefaultStack>,
}

impl<W: 'static, G: 'static> Switch<W, G> {
    /// A switch with no track yet.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self { current: Cell::new(None) })
    }

    /// A strand that will run `body` when it is first resumed.
    ///
    /// # Errors
    /// When there is no memory for its stack.
    pub(super) fn strand(self: &Rc<Self>, body: Body) -> std::io::Result<Strand<W, G>> {
        let switch = Rc::clone(self);
        let stack = DefaultStack::new(STACK_BYTES)?;
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<G, W>, _first: G| {
            switch.current.set(Some(std::ptr::from_ref(yielder)));
            body();
        });
        Ok(Strand { coroutine })
    }

    /// Suspends the running track until it is resumed. Nothing when no track runs.
    pub(super) fn suspend(&self, want: W) -> Option<G> {
        let yielder = self.current.get()?;
        // SAFETY: by the invariant above, `yielder` belongs to the coroutine that is executing this very call,
        // whose body has not returned; it is therefore alive and on this thread.
        let give = unsafe { (*yielder).suspend(want) };
        self.current.set(Some(yielder));
        Some(give)
    }

    /// Resumes a strand; gives what it wants next, or nothing when its body has ended.
    pub(super) fn resume(&self, strand: &mut Strand<W, G>, give: G) -> Option<W> {
        let result = strand.coroutine.resume(give);
        self.current.set(None);
        match result {
            CoroutineResult::Yield(want) => Some(want),
            CoroutineResult::Return(()) => None,
        }
    }
}
