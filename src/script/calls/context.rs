//! What a run knows while its script is evaluated. Every call reaches its [`ScriptTrack`] through the engine's tag, so
//! nothing is global. It must not evaluate anything.

use crate::dispatch::Door;
use crate::error::{Error, Kind};
use crate::holdings::{Excess, Holdings};
use crate::model::run::effect::LookReading;
use crate::model::run::record::{EffectId, StepId, TrackId};
use crate::model::site::inventory::Inventory;
use crate::model::span::Span;
use crate::model::value::Fields;
use crate::script::calls::closure::Closure;
use crate::script::compile::program::Program;
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// What a native function hands back to Rhai.
pub(crate) type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A whole run, shared by its tracks.
pub(crate) struct Run {
    /// The way to the world.
    pub(crate) door: Rc<dyn Door>,
    /// The site.
    pub(crate) inventory: Rc<Inventory>,
    /// Parameters, of the declared types.
    pub(crate) params: Fields,
    /// What is run.
    pub(crate) program: Rc<Program>,
    /// The engine that evaluates it; weak, as the engine's tag leads back here.
    pub(crate) engine: OnceCell<Weak<Engine>>,
    /// A bug in the script ends the whole run, even if a `try` or an array callback swallows it.
    pub(crate) bug: RefCell<Option<Box<Error>>>,
    /// How steps say they are undone.
    pub(crate) undos: RefCell<OwnUndos>,
    /// The effects at which the tracks of the last `parallel` that failed had failed, in the order of its items.
    pub(crate) failed_beside: RefCell<Vec<EffectId>>,
    /// What all its scripts hold.
    pub(crate) holdings: Holdings,
    /// How many invariants were said.
    pub(crate) invariants: Cell<usize>,
}

/// One strand of a run, as the script host sees it.
pub(crate) struct ScriptTrack {
    /// The run.
    pub(crate) run: Rc<Run>,
    /// Set by `hold`: the script of this track is over.
    pub(crate) held: RefCell<Option<OnHold>>,
    /// The door has ended this track alone: effects are off and its record is at its end.
    pub(crate) left: Cell<bool>,
    /// How much time is left of the wait whose condition is being evaluated.
    pub(crate) left_of_wait: Cell<Option<Span>>,
    /// What the condition of that wait has read, in order.
    pub(crate) readings_of_wait: RefCell<Vec<LookReading>>,
    /// What `ensure` registered on this track, oldest first.
    pub(crate) obligations: RefCell<Vec<Obligation>>,
    /// What its script holds.
    pub(crate) holdings: Rc<Holdings>,
    /// It may read and do nothing else: a look at an invariant.
    pub(crate) only_reads: bool,
}

/// The decision was given to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnHold {
    /// What the runbook gives as the reason.
    pub(crate) reason: String,
    /// What they are to do.
    pub(crate) instructions: String,
}

/// A step that is owed at the end.
#[derive(Clone)]
pub(crate) struct Obligation {
    /// The step's name.
    pub(crate) name: String,
    /// Where `ensure` stands.
    pub(crate) place: Option<crate::error::Place>,
    /// What is to be done.
    pub(crate) body: Closure,
    /// Tells what harm it could do now, if it could do any.
    pub(crate) harm: Option<Closure>,
}

/// How steps say they are undone, and in which step each parallel stands. Grows while a script runs or is replayed.
#[derive(Default)]
pub(crate) struct OwnUndos {
    /// By step.
    pub(crate) closures: BTreeMap<StepId, Closure>,
    /// The innermost step in which a track was forked, by that track.
    pub(crate) forks: BTreeMap<TrackId, StepId>,
}

impl ScriptTrack {
    /// A track of `run` with nothing held and nothing owed.
    pub(crate) fn new(run: &Rc<Run>) -> Rc<Self> {
        Rc::new(Self::of_run(run))
    }

    /// A track that may only read, and each time not for longer than this.
    pub(crate) fn that_only_reads(run: &Rc<Run>, limit: Span) -> Rc<Self> {
        let track = Self { only_reads: true, ..Self::of_run(run) };
        track.left_of_wait.set(Some(limit));
        Rc::new(track)
    }

    fn of_run(run: &Rc<Run>) -> Self {
        let (held, left, left_of_wait) = (RefCell::default(), Cell::default(), Cell::default());
        let (obligations, readings_of_wait) = (RefCell::default(), RefCell::default());
        let holdings = Rc::new(run.holdings.beside());
        let (run, only_reads) = (Rc::clone(run), false);
        Self { run, held, left, left_of_wait, readings_of_wait, obligations, holdings, only_reads }
    }

    /// The track that a call belongs to; none while modules are loaded.
    pub(crate) fn of(context: &NativeCallContext<'_>) -> Option<Rc<Self>> {
        context.tag().and_then(|tag| tag.read_lock::<Rc<Self>>().map(|track| Rc::clone(&track)))
    }

    /// The tag by which calls find it.
    pub(crate) fn tag(self: &Rc<Self>) -> Dynamic {
        Dynamic::from(Rc::clone(self))
    }

    /// Whether the script of this track must go no further.
    pub(crate) fn is_over(&self) -> bool {
        self.left.get() || self.held.borrow().is_some() || self.run.is_over()
    }

    /// The condition of a wait has read something: of what it reads over and over, the last value counts.
    pub(crate) fn read_in_wait(&self, reading: LookReading) {
        let mut readings = self.readings_of_wait.borrow_mut();
        readings.retain(|known| known.label != reading.label);
        readings.push(reading);
    }

    /// The door has ended this track: what ends its script.
    pub(crate) fn leave(&self, position: Position) -> Box<EvalAltResult> {
        self.left.set(true);
        terminated(position)
    }
}

impl Run {
    /// A run before anything was evaluated.
    pub(crate) fn new(door: Rc<dyn Door>, inventory: Rc<Inventory>, params: Fields, program: Rc<Program>) -> Rc<Self> {
        let (engine, bug) = (OnceCell::new(), RefCell::default());
        let (undos, failed_beside) = (RefCell::default(), RefCell::default());
        let (holdings, invariants) = (Holdings::default(), Cell::default());
        Rc::new(Self { door, inventory, params, program, engine, bug, undos, failed_beside, holdings, invariants })
    }

    /// The script holds too much. Where is known to whoever tells of the error that is raised.
    pub(crate) fn exceeded(&self, excess: Excess) {
        let error = Error::new(Kind::Script, excess.to_string())
            .hint("keep less at a time: what is in no variable any more, and in no closure that is, is given back");
        self.bug.borrow_mut().get_or_insert(error);
    }

    /// Whether no script of this run may go any further.
    pub(crate) fn is_over(&self) -> bool {
        self.door.is_halted() || self.bug.borrow().is_some()
    }
}

/// What ends a script without being catchable. Array callbacks swallow even this, so flags decide, never this.
pub(crate) fn terminated(position: Position) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorTerminated(Dynamic::UNIT, position))
}
