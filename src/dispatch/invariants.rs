//! The invariants of a runbook: what must hold as long as the run goes on. They are looked at on tracks of their own,
//! before whatever may change something and while something is waited for. What they read is not recorded, what is
//! broken is. They change nothing, and no replay asks for them: only who acts now has to know how it stands now.

use super::core::RunCore;
use super::{Body, Halt, Halted, written_effect};
use crate::error::{Error, Kind, Place};
use crate::model::run::effect::{Action, Class, Effect, Outcome};
use crate::model::run::instant::Mono;
use crate::model::run::record::{EffectId, Ending, TrackId};
use crate::model::span::Span;
use crate::model::value::Value;
use crate::world::Link;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Something that must hold.
#[derive(Clone)]
pub struct RunInvariant {
    /// What, as a sentence without its full stop.
    pub name: String,
    /// How often it is looked at while something is waited for.
    pub every: Span,
    /// What is done when it does not hold.
    pub breach: Breach,
    /// Where the runbook says so.
    pub place: Option<Place>,
    /// Looks at it. Called on a look's own track, where readings are the only effects there are.
    pub look: Rc<dyn Fn() -> InvariantReading>,
}

/// What is done when an invariant does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// The run stops before it does anything more.
    Stop,
    /// People are told, once each time it ceases to hold.
    Warn,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvariantReading {
    /// It holds.
    Holds,
    /// It does not; what was read, a sentence each.
    Broken(Vec<String>),
    /// It is wrong, and tells neither.
    Mistake(Box<Error>),
    /// The run is over, or being stopped.
    Over,
}

/// An invariant, and how it stood when it was last looked at.
struct WatchedInvariant {
    invariant: RunInvariant,
    is_broken: Cell<bool>,
    looked: Cell<Option<Mono>>,
    /// It did not hold when the run began to put things back, and has not held since.
    is_excused: Cell<bool>,
}

/// Who watches the invariants of a run.
#[derive(Default)]
pub(super) struct InvariantWatch {
    all: RefCell<Vec<Rc<WatchedInvariant>>>,
    /// How many tracks wait for something now.
    waiting: Cell<usize>,
    /// The track that looks meanwhile.
    beside: RefCell<Option<TrackId>>,
    /// The number of the last look.
    looks: Cell<u64>,
    /// Things are being put back.
    goes_home: Cell<bool>,
    /// What the run was stopped for.
    breach: RefCell<Option<Box<Error>>>,
}

impl InvariantWatch {
    /// From now on this must hold.
    pub(super) fn add(&self, invariant: RunInvariant) {
        let (is_broken, looked, is_excused) = (Cell::default(), Cell::default(), Cell::default());
        self.all.borrow_mut().push(Rc::new(WatchedInvariant { invariant, is_broken, looked, is_excused }));
    }

    /// From now on things are put back. What does not hold already may be what is put right by that: it is told, and
    /// stops nothing until it has held again.
    pub(super) fn go_home(&self) {
        if !self.goes_home.replace(true) {
            self.all.borrow().iter().for_each(|watched| watched.is_excused.set(true));
        }
    }

    /// What the run was stopped for.
    pub(super) fn breach(&self) -> Option<Box<Error>> {
        self.breach.borrow().clone()
    }

    /// Looks at all of them before something that may change something is begun.
    ///
    /// # Errors
    /// [`Halted`] when one does not hold that stops the run.
    pub(super) fn before(&self, core: &RunCore, effect: &Effect) -> Result<(), Halted> {
        if effect.may_change() { self.look(core) } else { Ok(()) }
    }

    /// Looks at all of them.
    ///
    /// # Errors
    /// As above.
    pub(super) fn look(&self, core: &RunCore) -> Result<(), Halted> {
        let all = self.all.borrow().clone();
        if all.is_empty() {
            return Ok(());
        }
        let readings: Rc<RefCell<Vec<InvariantReading>>> = Rc::default();
        let (looked, told) = (all.clone(), Rc::clone(&readings));
        let body: Body = Box::new(move || told.borrow_mut().extend(looked.iter().map(|one| (one.invariant.look)())));
        core.look_aside(self.next_look(core), body)?;
        for (watched, reading) in all.iter().zip(readings.take()) {
            self.judge(core, watched, reading)?;
        }
        Ok(())
    }

    /// Does something with somebody looking at them meanwhile, if it is a wait. `watch` is what that track does.
    pub(super) fn beside<T>(
        &self,
        core: &RunCore,
        effect: &Effect,
        watch: impl FnOnce() -> Body,
        act: impl FnOnce() -> T,
    ) -> T {
        if self.all.borrow().is_empty() || !is_wait(effect) {
            return act();
        }
        self.waiting.set(self.waiting.get() + 1);
        if self.beside.borrow().is_none() {
            let track = self.next_look(core);
            self.beside.replace(Some(track.clone()));
            core.tracks.fork(vec![(core.tracks.side_track(track, false), watch())]);
        }
        let done = act();
        self.waiting.set(self.waiting.get() - 1);
        if self.waiting.get() == 0
            && let Some(track) = self.beside.take()
        {
            core.tracks.dismiss(track);
        }
        done
    }

    /// Looks at each as often as it wants, until nothing is waited for any more. Belongs on the track of the watch.
    pub(super) fn keep_watch(&self, core: &RunCore) {
        let own = core.track(|track| track.id.clone());
        while self.beside.borrow().as_ref() == Some(&own) {
            let mut next = Mono::NEVER;
            let all = self.all.borrow().clone();
            for watched in &all {
                let due = |at: Mono| at + watched.invariant.every;
                if watched.looked.get().is_none_or(|at| due(at) <= core.moment().mono) {
                    let reading = (watched.invariant.look)();
                    if self.judge(core, watched, reading).is_err() {
                        return;
                    }
                }
                next = next.min(watched.looked.get().map_or(next, due));
            }
            let link: &dyn Link = core;
            if link.wait_until(next).is_err() {
                return;
            }
        }
    }

    fn judge(&self, core: &RunCore, watched: &WatchedInvariant, reading: InvariantReading) -> Result<(), Halted> {
        watched.looked.set(Some(core.moment().mono));
        let invariant = &watched.invariant;
        let read = match reading {
            InvariantReading::Over => return Err(Halted),
            InvariantReading::Mistake(error) => {
                let next = format!("edit the runbook, then go on from here: baton resume {} --adopt-edited", core.run);
                return Err(core.halt(Halt { ending: Ending::Bug, error: error.hint(next), effect: None }));
            }
            InvariantReading::Holds => {
                watched.is_excused.set(false);
                if watched.is_broken.replace(false) {
                    return self.note(core, format!("{} holds again", quoted(invariant)), false);
                }
                return Ok(());
            }
            InvariantReading::Broken(read) => read,
        };
        let words = broken(invariant, &read);
        let breach = if watched.is_excused.get() { Breach::Warn } else { invariant.breach };
        match breach {
            Breach::Stop => {
                let edit =
                    format!("if it need not hold, edit the runbook, then: baton resume {} --adopt-edited", core.run);
                let mut error =
                    Error::new(Kind::Failed, words).hint("the run stopped before its next change").hint(edit);
                error.place.clone_from(&invariant.place);
                self.breach.borrow_mut().get_or_insert_with(|| error.clone());
                Err(core.halt(Halt { ending: Ending::Failed, error, effect: None }))
            }
            Breach::Warn if watched.is_broken.replace(true) => Ok(()),
            Breach::Warn => self.note(core, words, true),
        }
    }

    fn note(&self, core: &RunCore, text: String, warning: bool) -> Result<(), Halted> {
        let id = EffectId { track: self.next_look(core), n: 1 };
        let label = if warning { "warn" } else { "note" }.to_owned();
        let action = Action::Note { text, warning };
        let effect = Effect { action, label, host: None, service: None, undo: None, before: None };
        core.append(written_effect::both(core, &id, &effect, None, Outcome::done(Value::Null)))
    }

    /// A look that has no records yet: numbers grow with those of the records.
    fn next_look(&self, core: &RunCore) -> TrackId {
        let next = (self.looks.get() + 1).max(core.recorder.last_seq() + 1);
        self.looks.set(next);
        TrackId::look(next)
    }
}

/// Whether something is waited for: time, a state, a line, a person.
fn is_wait(effect: &Effect) -> bool {
    matches!(effect.class(), Class::Wait | Class::Human)
}

fn quoted(invariant: &RunInvariant) -> String {
    format!("the invariant \u{201c}{}\u{201d}", invariant.name)
}

fn broken(invariant: &RunInvariant, read: &[String]) -> String {
    let read = if read.is_empty() { String::new() } else { format!(": {}", read.join(", ")) };
    format!("{} does not hold{read}", quoted(invariant))
}
