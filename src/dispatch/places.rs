//! Where hosts keep what they know of the run's jobs, as the door sees it: the place is made before the intent of a job
//! is written, and the intent says which one it is. A record that is gone later is so told from a job that never was.
//! What that means for a job is for exec to say.

use super::Halted;
use super::core::RunCore;
use crate::exec;
use crate::model::run::effect::{Action, Effect};
use crate::model::run::record::Moment;
use crate::model::span::Span;
use crate::world::{Stopped, Trouble};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How long it may take at least to ask a host, however short the limit of what is to be done.
const AT_LEAST: Span = Span::secs(3);

/// The places that this runner has asked for, by host.
#[derive(Default)]
pub(super) struct Places {
    known: RefCell<BTreeMap<String, Option<String>>>,
}

impl Places {
    /// The place on the host of a job that is about to be asked for, or why there is none. Nothing for other effects,
    /// and in a world that loses nothing. A host is asked once by each runner.
    pub(super) fn enter(
        &self,
        core: &RunCore,
        effect: &Effect,
        since: &Moment,
    ) -> Result<std::result::Result<Option<String>, Trouble>, Halted> {
        let (Action::Job(job), Some(host)) = (&effect.action, &effect.host) else { return Ok(Ok(None)) };
        if let Some(known) = self.known.borrow().get(host) {
            return Ok(Ok(known.clone()));
        }
        let until = since.mono + job.limit.max(AT_LEAST);
        let place = exec::enter(core, (host, &core.run), until).map_err(|Stopped| Halted)?;
        if let Ok(known) = &place {
            self.known.borrow_mut().insert(host.clone(), known.clone());
        }
        Ok(place)
    }

    /// What is there may be gone: every host is asked anew.
    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
    }
}
