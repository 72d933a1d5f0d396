//! What a script holds, and how much of it is too much. Values that hold each other too deeply would end the process:
//! Rhai copies, compares and drops them by recursion. So such a value is found while it is still harmless, wherever
//! it hides: in variables, in what closures have captured or curried, in cells that closures share. It must not know
//! what a script is for.
//!
//! Rhai tells of every variable that is looked at, and of every operation. Nothing grows but by operations, and nothing
//! grows without end unless some variable carries it from round to round. Hence: whoever looks at a variable while more
//! operations than [`LOOK_AFTER`] have passed since all of that function's variables were measured, measures them
//! anew. What can hold itself, a captured variable or a closure, is measured each time.

use rhai::{Array, Dynamic, Engine, EvalAltResult, EvalContext, FnPtr, ImmutableString, Map};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How deep lists, maps, closures and captured variables may hold each other.
pub const NESTING_MAX: usize = 64;
/// How many lists, maps, closures and captured variables there may be in the variables of one function.
const HOLDERS_MAX: usize = 100_000;
/// Bytes that a script may hold.
pub const BYTES_MAX: usize = 256 << 20;
/// How many operations may pass before the variables of a function are measured anew.
const LOOK_AFTER: u64 = 64;
/// The same where no closure holds anything: Rhai itself counts what lists, maps and texts hold, so that a variable
/// grows by little with each operation, and what is left to find is how deep it is.
const LOOK_AFTER_PLAIN: u64 = 1_024;
/// The same where there is something to measure: an operation for each value, up to this many.
const LOOK_AFTER_SOME: usize = 256;
/// The same where there is so much to measure that it would take longer than the operations themselves.
const LOOK_AFTER_MAX: u64 = 4_096;
/// How much of one variable is measured each time it is looked at.
const GLANCE: usize = 1_024;
/// How many operations there may be in a row that look at no variable: `this` may grow unseen.
const UNSEEN_MAX: u64 = 300_000;
/// Texts that are longer are counted once, however often they are held.
const LONG_TEXT: usize = 256;
/// How many operations pass between two looks at whether the script is to stop.
const STOP_EVERY: u64 = 512;

/// A limit that a script is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// [`NESTING_MAX`].
    Nesting,
    /// The number of things that hold others.
    Holders,
    /// [`BYTES_MAX`].
    Bytes,
    /// Operations in a row that look at no variable.
    Unseen,
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nesting => {
                write!(
                    f,
                    "lists, maps and closures hold each other more than {NESTING_MAX} deep here, or hold themselves"
                )
            }
            Self::Holders => write!(f, "more than {HOLDERS_MAX} lists, maps and closures are held here"),
            Self::Bytes => write!(f, "the script holds more than {} MiB of data here", BYTES_MAX >> 20),
            Self::Unseen => write!(f, "a loop works on `this` without end: {UNSEEN_MAX} operations went by"),
        }
    }
}

/// What one strand of a script was last seen to hold.
#[derive(Debug, Default)]
pub struct Holdings {
    frames: RefCell<Vec<MeasuredFrame>>,
    /// Bytes that this strand holds in the sum of all.
    own: Cell<usize>,
    /// Bytes that all strands of the run hold.
    all: Rc<Cell<usize>>,
    /// Bytes held elsewhere than in variables: by closures that were handed over for later.
    kept: Cell<usize>,
}

impl Drop for Holdings {
    fn drop(&mut self) {
        self.all.set(self.all.get().saturating_sub(self.own.get()));
    }
}

/// What was last measured of the variables of one function that is being carried out.
#[derive(Debug, Clone, Copy)]
struct MeasuredFrame {
    at: u64,
    next: u64,
    bytes: usize,
}

/// Who is asked while a script is evaluated.
pub struct EvaluationWatch {
    /// Whose holdings are meant, by the engine's tag; of the engine itself where nothing is found.
    pub whose: fn(&Dynamic) -> Option<Rc<Holdings>>,
    /// What is raised when a limit is passed.
    pub raise: fn(&Dynamic, Excess) -> Box<EvalAltResult>,
    /// Whether a loop of the script works on its `this`, which may grow without a look at any variable.
    pub this_in_loops: bool,
    /// Whether closures of scripts of this engine may hold something, captured or curried.
    pub closures_hold: bool,
    /// Whether the script is to stop; asked at each operation.
    pub stop: Box<dyn Fn(Pulse) -> bool>,
}

/// What is asked at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulse {
    /// The usual.
    Beat,
    /// The same; and it is time for a look that takes longer.
    Breath,
    /// The script is over a limit, and stops in any case.
    Over(Excess),
}

/// Watches what scripts of this engine hold, in place of whoever watched before.
#[allow(deprecated, reason = "the hook is not deprecated, only marked as open to change; Rhai's version is pinned")]
pub fn watch(engine: &mut Engine, watch: EvaluationWatch) {
    let EvaluationWatch { whose, raise, this_in_loops, closures_hold, stop } = watch;
    let (operations, looked_at, own) =
        (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(0_u64)), Rc::new(Holdings::default()));
    let (counted, looked) = (Rc::clone(&operations), Rc::clone(&looked_at));
    engine.on_progress(move |_| {
        let count = counted.get() + 1;
        counted.set(count);
        if this_in_loops && count - looked.get() > UNSEEN_MAX {
            stop(Pulse::Over(Excess::Unseen));
            return Some(Excess::Unseen.to_string().into());
        }
        stop(if count.is_multiple_of(STOP_EVERY) { Pulse::Breath } else { Pulse::Beat }).then_some(Dynamic::UNIT)
    });
    engine.on_var(move |name, index, context| {
        let now = operations.get();
        looked_at.set(now);
        let found = whose(context.tag());
        let holdings = found.as_ref().unwrap_or(&own);
        let looked = if closures_hold { holdings.glance(name, index, &context) } else { Ok(()) };
        let least = if closures_hold { LOOK_AFTER } else { LOOK_AFTER_PLAIN };
        looked.and_then(|()| holdings.look(&context, now, least)).map_err(|excess| raise(context.tag(), excess))?;
        Ok(None)
    });
}

impl Holdings {
    /// Nothing yet, for another strand of the same run.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { frames: RefCell::default(), own: Cell::default(), all: Rc::clone(&self.all), kept: Cell::default() }
    }

    /// Counts what a closure holds that was handed over to be called later.
    ///
    /// # Errors
    /// The limit that this passes.
    pub fn keep(&self, value: &Dynamic) -> Result<(), Excess> {
        let mut sum = Sum::default();
        sum.add(value, 0)?;
        self.kept.set(self.kept.get() + sum.bytes);
        self.count()
    }

    /// The strand has come to its end: its variables are gone.
    pub fn ended(&self) {
        self.frames.borrow_mut().clear();
        // Less than before is over no limit that was not passed before.
        let _less = self.count();
    }

    fn count(&self) -> Result<(), Excess> {
        let own = self.frames.borrow().iter().map(|frame| frame.bytes).sum::<usize>() + self.kept.get();
        let all = self.all.get().saturating_sub(self.own.replace(own)) + own;
        self.all.set(all);
        if all > BYTES_MAX { Err(Excess::Bytes) } else { Ok(()) }
    }

    /// Looks at one variable that may hold itself.
    fn glance(&self, name: &str, index: usize, context: &EvalContext<'_, '_, '_, '_, '_, '_>) -> Result<(), Excess> {
        let scope = context.scope();
        let value = match index {
            0 => scope.get(name),
            _ => scope.iter_raw().nth(index - 1).map(|(_, _, value)| value),
        };
        if let Some(value) = value.filter(|value| may_hold_itself(value)) {
            let mut glance = Sum { most: GLANCE, ..Sum::default() };
            glance.add(value, 0)?;
        }
        Ok(())
    }

    /// Measures the variables of a function anew if it is time to.
    fn look(&self, context: &EvalContext<'_, '_, '_, '_, '_, '_>, now: u64, least: u64) -> Result<(), Excess> {
        let mut frames = self.frames.borrow_mut();
        let level = context.call_level();
        if frames.len() != level + 1 {
            frames.resize(level + 1, MeasuredFrame { at: now, next: least, bytes: 0 });
        }
        let Some(frame) = frames.get_mut(level) else { return Ok(()) };
        // Operations are counted anew for each engine, and the strand may go on with another.
        if now.wrapping_sub(frame.at) < frame.next {
            return Ok(());
        }
        let mut sum = Sum::default();
        for (_, _, value) in context.scope().iter_raw() {
            sum.add(value, 0)?;
        }
        if let Some(this) = context.this_ptr() {
            sum.add(this, 0)?;
        }
        let next = (sum.seen / 16).max(sum.seen.min(LOOK_AFTER_SOME));
        let next = u64::try_from(next).unwrap_or(LOOK_AFTER_MAX).clamp(least, LOOK_AFTER_MAX);
        *frame = MeasuredFrame { at: now, next, bytes: sum.bytes };
        drop(frames);
        self.count()
    }
}

/// Only what is captured, or a closure that has captured something, can; and only if something that holds is in it.
fn may_hold_itself(value: &Dynamic) -> bool {
    if !value.is_shared() {
        return value.is_fnptr()
            && value.read_lock::<FnPtr>().is_some_and(|function| function.curry().iter().any(holds));
    }
    if let Some(function) = value.read_lock::<FnPtr>() {
        return function.curry().iter().any(holds);
    }
    if let Some(map) = value.read_lock::<Map>() {
        return map.values().any(holds);
    }
    value.read_lock::<Array>().is_some_and(|items| items.iter().any(holds))
}

/// Whether other values are in it.
fn holds(value: &Dynamic) -> bool {
    value.is_shared() || value.is_array() || value.is_map() || value.is_fnptr()
}

/// Measures one value.
///
/// # Errors
/// The limit that it is over by itself.
pub fn measure(value: &Dynamic) -> Result<usize, Excess> {
    let mut sum = Sum::default();
    sum.add(value, 0)?;
    if sum.bytes > BYTES_MAX { Err(Excess::Bytes) } else { Ok(sum.bytes) }
}

/// What is being measured.
struct Sum {
    /// How many values are looked at; the rest is left.
    most: usize,
    seen: usize,
    holders: usize,
    bytes: usize,
    /// Captured variables and long texts that were met, each with how deep: they may be held in many places.
    met: BTreeMap<usize, usize>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { most: usize::MAX, seen: 0, holders: 0, bytes: 0, met: BTreeMap::new() }
    }
}

impl Sum {
    fn add(&mut self, value: &Dynamic, depth: usize) -> Result<(), Excess> {
        if depth > NESTING_MAX {
            return Err(Excess::Nesting);
        }
        if self.seen >= self.most {
            return Ok(());
        }
        self.seen += 1;
        self.bytes += size_of::<Dynamic>();
        if value.is_shared() {
            // What is being changed right now cannot be read; it is seen the next time.
            let Some(inner) = value.read_lock::<Dynamic>() else { return Ok(()) };
            return if self.is_new(std::ptr::from_ref(&*inner).addr(), depth) {
                self.held(&inner, depth)
            } else {
                Ok(())
            };
        }
        if value.is_string() {
            let Some(text) = value.read_lock::<ImmutableString>() else { return Ok(()) };
            if text.len() <= LONG_TEXT || self.is_new(text.as_ptr().addr(), NESTING_MAX) {
                self.bytes += text.len();
            }
            return Ok(());
        }
        if !holds(value) {
            return Ok(());
        }
        if value.is_array() {
            let Some(items) = value.read_lock::<Array>() else { return Ok(()) };
            return items.iter().try_for_each(|item| self.held(item, depth)).and_then(|()| self.holder());
        }
        if value.is_map() {
            let Some(map) = value.read_lock::<Map>() else { return Ok(()) };
            for (key, item) in map.iter() {
                self.bytes += key.len() + size_of::<Dynamic>();
                self.held(item, depth)?;
            }
            return self.holder();
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            return function.curry().iter().try_for_each(|item| self.held(item, depth)).and_then(|()| self.holder());
        }
        Ok(())
    }

    fn held(&mut self, value: &Dynamic, depth: usize) -> Result<(), Excess> {
        self.add(value, depth + 1)
    }

    fn holder(&mut self) -> Result<(), Excess> {
        self.holders += 1;
        if self.holders > HOLDERS_MAX { Err(Excess::Holders) } else { Ok(()) }
    }

    /// Whether it was not met before, or not as deep as now.
    fn is_new(&mut self, address: usize, depth: usize) -> bool {
        match self.met.insert(address, depth) {
            Some(before) if before >= depth => {
                self.met.insert(address, before);
                false
            }
            Some(_) | None => true,
        }
    }
}
