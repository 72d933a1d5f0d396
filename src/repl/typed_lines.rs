//! The lines that are typed while a run stands: evaluated on tracks of their own, brought back by an entry that finds
//! them on record, and what came of each. It writes no record and tells nobody.

use super::timeline::TimelineLine;
use crate::dispatch::{Dispatcher, Door, Halted};
use crate::error::Result as Checked;
use crate::model::run::record::{EffectId, TrackId};
use crate::model::value::Fields;
use crate::script::evaluate::frames::Frames;
use crate::script::evaluate::repl::{LineEnd, Notebook};
use crate::session::Prepared;
use crate::world::Stopped;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A line that was given up, or failed at an effect.
#[derive(Debug, Clone)]
pub(super) struct BrokenLine {
    pub(super) n: u32,
    /// The effect at which it failed; none when it was given up.
    pub(super) failed: Option<EffectId>,
}

/// The lines typed in a session.
pub(super) struct TypedLines {
    notebook: Rc<Notebook>,
    /// What the runbook has in sight.
    frames: Frames,
    /// Those that have been evaluated in this entry.
    evaluated: RefCell<BTreeSet<u32>>,
    /// Those that worked.
    worked: RefCell<BTreeMap<u32, String>>,
    /// The last one that broke.
    broken: RefCell<Option<BrokenLine>>,
    /// The one that is to be taken up again in this entry.
    again: Cell<Option<u32>>,
}

impl TypedLines {
    /// None yet, beside a runbook with these parameters.
    pub(super) fn new(prepared: &Prepared, params: Fields) -> Self {
        let frames = Frames::default();
        let (program, inventory) = (Rc::clone(&prepared.program), Rc::clone(&prepared.inventory));
        Self {
            notebook: Rc::new(Notebook::new(program, inventory, params, frames.clone())),
            frames,
            evaluated: RefCell::default(),
            worked: RefCell::default(),
            broken: RefCell::default(),
            again: Cell::default(),
        }
    }

    /// The same beside an edited runbook: what has worked can still be saved.
    pub(super) fn kept_for(&self, prepared: &Prepared, params: Fields) -> Self {
        Self { worked: self.worked.clone(), ..Self::new(prepared, params) }
    }

    /// Forgets what an earlier entry left behind.
    pub(super) fn begin_anew(&self) {
        self.frames.clear();
        self.notebook.forget();
        self.evaluated.borrow_mut().clear();
        self.again.set(None);
    }

    /// Where a running script keeps what it has in sight.
    pub(super) fn frames(&self) -> Frames {
        self.frames.clone()
    }

    /// Evaluates a line on its own track.
    ///
    /// # Errors
    /// [`Stopped`] when the run stops meanwhile.
    pub(super) fn evaluate(
        &self,
        door: &Rc<Dispatcher>,
        line: &TimelineLine,
        track: &TrackId,
    ) -> Result<LineEnd, Stopped> {
        self.on_its_track(door, line, track, false)
    }

    /// Finds again what these lines came to, as far as this entry has not seen them yet.
    ///
    /// # Errors
    /// [`Stopped`] when the run stops meanwhile.
    pub(super) fn recall(&self, door: &Rc<Dispatcher>, lines: &[TimelineLine], track: &TrackId) -> Result<(), Stopped> {
        for line in lines {
            let known = self.evaluated.borrow().contains(&line.n) || self.again.get() == Some(line.n);
            if !known {
                self.on_its_track(door, line, track, true)?;
            }
        }
        Ok(())
    }

    fn on_its_track(
        &self,
        door: &Rc<Dispatcher>,
        line: &TimelineLine,
        track: &TrackId,
        recalled: bool,
    ) -> Result<LineEnd, Stopped> {
        self.evaluated.borrow_mut().insert(line.n);
        let end = Rc::new(RefCell::new(LineEnd::Halted));
        let (slot, notebook, script_door) =
            (Rc::clone(&end), Rc::clone(&self.notebook), Rc::clone(door) as Rc<dyn Door>);
        let (typed, track) = (line.clone(), track.clone());
        let body = Box::new(move || {
            slot.replace(notebook.evaluate(typed.n, &typed.text, &track, script_door));
        });
        let id = TrackId::typed(line.n);
        let ran = if recalled { door.recall(id, body) } else { door.aside(id, body) };
        ran.map_err(|Halted| Stopped)?;
        let end = end.replace(LineEnd::Halted);
        self.came_to(line, &end);
        Ok(end)
    }

    fn came_to(&self, line: &TimelineLine, end: &LineEnd) {
        if let LineEnd::Value(_) = end {
            self.worked.borrow_mut().insert(line.n, line.text.clone());
        }
        self.broken.replace(match end {
            LineEnd::Value(_) | LineEnd::Failed { effect: None, .. } => None,
            LineEnd::Failed { effect, .. } => Some(BrokenLine { n: line.n, failed: effect.clone() }),
            LineEnd::CutOff | LineEnd::Halted => Some(BrokenLine { n: line.n, failed: None }),
        });
    }

    /// The value of an expression, which may ask nothing of a host.
    pub(super) fn look(&self, expression: &str, track: &TrackId) -> Checked<String> {
        self.notebook.look(expression, track)
    }

    /// The value of an expression, which asks through this door.
    pub(super) fn look_through(&self, door: Rc<dyn Door>, expression: &str, track: &TrackId) -> Checked<String> {
        self.notebook.look_through(door, expression, track)
    }

    /// The variables of the runbook that are in sight.
    pub(super) fn runbooks_variables(&self, track: &TrackId) -> Vec<(String, String)> {
        self.notebook.runbooks_variables(track)
    }

    /// The variables of typed lines.
    pub(super) fn own_variables(&self) -> Vec<(String, String)> {
        self.notebook.own_variables()
    }

    /// The texts of those that worked, in order.
    pub(super) fn worked(&self) -> Vec<String> {
        self.worked.borrow().values().cloned().collect()
    }

    /// The last line that broke.
    pub(super) fn broken(&self) -> Option<BrokenLine> {
        self.broken.borrow().clone()
    }

    /// The same; from now on none has.
    pub(super) fn take_broken(&self) -> Option<BrokenLine> {
        self.broken.take()
    }

    /// The line that was given up, unless one is to be taken up again.
    pub(super) fn given_up(&self) -> Option<u32> {
        let given_up = self.broken().filter(|broken| broken.failed.is_none() && self.again.get().is_none());
        given_up.map(|broken| broken.n)
    }

    /// This line is to be taken up again in this entry.
    pub(super) fn take_up(&self, n: Option<u32>) {
        self.again.set(n);
    }

    /// The line that is to be taken up now: only once.
    pub(super) fn due_again(&self) -> Option<u32> {
        self.again.take()
    }
}
