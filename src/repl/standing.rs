//! How a run that is steered stands in the present entry: how far its script came, how it had ended before, and what
//! is owed to its record. It reads no record and writes none.

use crate::model::run::record::{EffectId, Ending, ScriptPoint};
use crate::session::Finished;
use std::cell::{Cell, RefCell};

/// How a run had ended.
#[derive(Debug, Clone)]
pub(super) struct PreviousEnding {
    pub(super) ending: Ending,
    /// In words.
    pub(super) message: String,
    /// At which effect.
    pub(super) effect: Option<EffectId>,
}

impl PreviousEnding {
    /// The typed line that the run stopped at, if it was one.
    pub(super) fn typed_line(&self) -> Option<u32> {
        self.effect.as_ref()?.track.line()
    }
}

/// How a run stands.
pub(super) struct RunStanding {
    /// Where the script came to last.
    point: RefCell<ScriptPoint>,
    /// How the run had ended when it was entered to look at it.
    former: RefCell<Option<PreviousEnding>>,
    /// The record must say first that the run was taken up again.
    unopened: Cell<bool>,
    /// What the run came to, when it has come to its end and is only looked at.
    over: RefCell<Option<Finished>>,
}

impl RunStanding {
    /// Before the run was entered.
    pub(super) fn new() -> Self {
        Self {
            point: RefCell::new(ScriptPoint::End),
            former: RefCell::default(),
            unopened: Cell::default(),
            over: RefCell::default(),
        }
    }

    /// Forgets how far the script came in an earlier entry.
    pub(super) fn begin_anew(&self) {
        self.point.replace(ScriptPoint::End);
    }

    /// The run is entered: whether its record says so already, and how it had ended, where it is only looked at.
    pub(super) fn enter(&self, opened: bool, former: Option<PreviousEnding>) {
        self.unopened.set(!opened);
        self.former.replace(former);
    }

    /// The script came to this point.
    pub(super) fn arrive(&self, point: &ScriptPoint) {
        self.point.replace(point.clone());
    }

    /// Where the script came to last.
    pub(super) fn point(&self) -> ScriptPoint {
        self.point.borrow().clone()
    }

    /// How the run had ended when it was entered to look at it.
    pub(super) fn former(&self) -> Option<PreviousEnding> {
        self.former.borrow().clone()
    }

    /// Whether the record must still say that the run was taken up again: nothing of this entry is in it.
    pub(super) fn is_unopened(&self) -> bool {
        self.unopened.get()
    }

    /// The same; from now on it does.
    pub(super) fn take_unopened(&self) -> bool {
        self.unopened.take()
    }

    /// The run has come to its end: from now on it is only looked at.
    pub(super) fn end_with(&self, finished: Finished) {
        self.over.replace(Some(finished));
    }

    /// Whether the run has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.over.borrow().is_some()
    }

    /// What the run came to, if it has come to its end; it is no longer held to be there.
    pub(super) fn take_over(&self) -> Option<Finished> {
        self.over.take()
    }
}

#[cfg(test)]
mod tests {
    use super::{Finished, PreviousEnding, RunStanding};
    use crate::model::run::record::{EffectId, Ending, ScriptPoint, TrackId};

    #[test]
    fn what_is_owed_to_the_record_is_owed_once() {
        let standing = RunStanding::new();
        standing.enter(false, None);
        assert!(standing.is_unopened());
        assert!(standing.take_unopened());
        assert!(!standing.take_unopened());
        standing.enter(true, None);
        assert!(!standing.is_unopened());
    }

    #[test]
    fn an_entry_forgets_how_far_the_last_one_came_but_not_that_the_run_is_over() {
        let standing = RunStanding::new();
        standing.arrive(&ScriptPoint::Step("2".into()));
        assert_eq!(standing.point(), ScriptPoint::Step("2".into()));
        standing.end_with(Finished { run: "r".into(), ending: Ending::Done, error: None, exit_code: 0 });
        standing.begin_anew();
        assert_eq!(standing.point(), ScriptPoint::End);
        assert!(standing.is_over());
        assert_eq!(standing.take_over().map(|finished| finished.ending), Some(Ending::Done));
        assert!(!standing.is_over(), "taken back, a run goes on");
    }

    #[test]
    fn only_what_stopped_at_a_typed_line_names_one() {
        let ended = |track| PreviousEnding {
            ending: Ending::Failed,
            message: String::new(),
            effect: Some(EffectId { track, n: 0 }),
        };
        assert_eq!(ended(TrackId::typed(3)).typed_line(), Some(3));
        assert_eq!(ended(TrackId::main()).typed_line(), None);
    }
}
