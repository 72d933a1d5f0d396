//! When a simulated runner dies. Every boundary it crosses (before and after each store append, before and after
//! each start of a job, before each reply is delivered) is a point with a number; at one of them it dies, and from
//! then on nothing it does has any effect. Asking for point 1, 2, … until a run ends alive tries them all.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// A boundary at which a runner can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The records are not stored.
    BeforeAppend,
    /// The records are stored and the runner does not know it.
    AfterAppend,
    /// The job is not asked for.
    BeforeStart,
    /// The job was asked for and the runner never sees the reply.
    AfterStart,
    /// The reply is there and the runner never sees it.
    BeforeReply,
}

/// Counts the points one runner has passed, and ends it at one of them. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct CrashClock(Rc<CrashState>);

#[derive(Default)]
struct CrashState {
    points: Cell<u64>,
    at: Option<u64>,
    died: Cell<Option<Boundary>>,
    watch: Option<Rc<dyn Fn(Boundary) -> bool>>,
}

impl fmt::Debug for CrashState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { points, at, died, watch: _ } = self;
        f.debug_struct("State").field("points", points).field("at", at).field("died", died).finish_non_exhaustive()
    }
}

impl CrashClock {
    /// The runner dies at point `at`, counted from 1.
    #[must_use]
    pub fn at(at: u64) -> Self {
        Self(Rc::new(CrashState { at: Some(at), ..CrashState::default() }))
    }

    /// The runner lives; its points are counted all the same.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// The runner lives, and `watch` is called at each point: where a runner that dies there leaves everything.
    #[must_use]
    pub fn watched(watch: Rc<dyn Fn(Boundary)>) -> Self {
        Self::ruled(Rc::new(move |boundary| {
            watch(boundary);
            false
        }))
    }

    /// The runner dies at the first point at which `dies` says so.
    #[must_use]
    pub fn ruled(dies: Rc<dyn Fn(Boundary) -> bool>) -> Self {
        Self(Rc::new(CrashState { watch: Some(dies), ..CrashState::default() }))
    }

    /// The runner crosses a boundary. True when it is dead: now, or already.
    pub fn crosses(&self, boundary: Boundary) -> bool {
        if self.0.died.get().is_some() {
            return true;
        }
        self.0.points.set(self.0.points.get() + 1);
        let dies = self.0.watch.as_ref().is_some_and(|watch| watch(boundary));
        if dies || Some(self.0.points.get()) == self.0.at {
            self.0.died.set(Some(boundary));
        }
        self.is_dead()
    }

    /// Whether the runner is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.0.died.get().is_some()
    }

    /// Where it died, if it did.
    #[must_use]
    pub fn died_at(&self) -> Option<Boundary> {
        self.0.died.get()
    }

    /// How many points it has passed, the one it died at included.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.0.points.get()
    }
}
