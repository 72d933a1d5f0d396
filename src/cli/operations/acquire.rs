//! Taking a run up: its record, its texts as they are now, its site, and the leases that keep others away. What every
//! command has in common that works on a run which exists. It must not decide what is done with it.

use super::estate::{Estate, lab_name, lab_of, lease, site_name};
use super::find_run::{Purpose, find_run_to_act_on, shortfall};
use super::{machine, present};
use crate::cli::context::Context;
use crate::dispatch::Gate;
use crate::error::Result;
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::site::answers::Answers;
use crate::platform::runner_lock::RunnerLock;
use crate::session::{self, Prepared, RunParts};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// A run that nobody else works on while this lives.
pub(in crate::cli) struct AcquiredRun {
    /// The run.
    pub(in crate::cli) run: String,
    /// What it is made of.
    pub(in crate::cli) prepared: Prepared,
    /// Where it acts.
    pub(in crate::cli) estate: Estate,
    /// The answers that are known before they are asked for.
    pub(in crate::cli) answers: Option<Arc<Answers>>,
    _of_run: RunnerLock,
    of_site: RunnerLock,
}

/// A run on which nobody else works while this lives, before its texts and its site are looked at.
pub(in crate::cli) struct Claimed {
    /// The run.
    pub(in crate::cli) run: String,
    /// What is on record.
    pub(in crate::cli) history: History,
    /// What keeps others away from it.
    pub(in crate::cli) lease: RunnerLock,
}

/// Claims the run that `given` means for this.
///
/// # Errors
/// `Usage` when there is none, `Refused` when somebody works on it or its record is damaged.
pub(in crate::cli) fn claim(given: &str, aim: Purpose, context: &Context) -> Result<Claimed> {
    let store = context.store()?;
    let run = find_run_to_act_on(&*store, given, aim, context)?;
    let lease = lease(context, &run, &run)?;
    Claimed::by(lease, run, &*store, context)
}

impl Claimed {
    /// The run that this lock keeps others away from.
    ///
    /// # Errors
    /// `Refused` when its record is damaged.
    pub(in crate::cli) fn by(lease: RunnerLock, run: String, store: &dyn Store, context: &Context) -> Result<Self> {
        let written = store.written();
        let history = History::read(store, &run)?;
        if let Some(loss) = shortfall(&written, &run, history.len()) {
            context.screen.remark(&loss);
        }
        Ok(Self { run, history, lease })
    }

    /// Takes it up with the texts it is made of.
    ///
    /// # Errors
    /// `Refused` when a text or its lab is gone or its site is in use.
    pub(in crate::cli) fn take_up(self, context: &Context) -> Result<AcquiredRun> {
        let texts = session::snapshot(&*context.store()?, &self.history)?;
        self.take_up_with(session::prepare(texts)?, context)
    }

    /// Takes it up with other texts.
    ///
    /// # Errors
    /// `Refused` when its lab is gone or its site is in use.
    pub(in crate::cli) fn take_up_with(self, prepared: Prepared, context: &Context) -> Result<AcquiredRun> {
        let Self { run, history, lease: of_run } = self;
        if lab_of(&history).is_none() {
            machine::same(&run, &history, &prepared.inventory, &context.who())?;
        }
        let name = lab_of(&history).map_or_else(|| site_name(&prepared.inventory), lab_name);
        let of_site = lease(context, &name, &run)?;
        let estate = Estate::of(&history, &run, context)?;
        Ok(AcquiredRun::new(run, prepared, estate, (of_run, of_site)))
    }
}

impl AcquiredRun {
    /// A run that nobody else works on because of these leases: its own and its site's.
    pub(in crate::cli) fn new(
        run: String,
        prepared: Prepared,
        estate: Estate,
        (_of_run, of_site): (RunnerLock, RunnerLock),
    ) -> Self {
        Self { run, prepared, estate, answers: None, _of_run, of_site }
    }

    /// The same with answers that are known before they are asked for.
    pub(in crate::cli) fn answered(self, answers: Option<Arc<Answers>>) -> Self {
        Self { answers, ..self }
    }

    /// What is on record of it now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::cli) fn history(&self, context: &Context) -> Result<History> {
        History::read(&*context.store()?, &self.run)
    }

    /// The same; nothing where it has not begun.
    ///
    /// # Errors
    /// As above.
    pub(in crate::cli) fn begun(&self, context: &Context) -> Result<Option<History>> {
        let store = context.store()?;
        let is_begun = store.runs()?.contains(&self.run);
        is_begun.then(|| History::read(&*store, &self.run)).transpose()
    }

    /// Goes on with other texts.
    ///
    /// # Errors
    /// `Refused` when they name another site, which is in use.
    pub(in crate::cli) fn exchange(&mut self, prepared: Prepared, context: &Context) -> Result<()> {
        let (before, now) = (site_name(&self.prepared.inventory), site_name(&prepared.inventory));
        if matches!(self.estate, Estate::Site) && before != now {
            self.of_site = lease(context, &now, &self.run)?;
        }
        self.prepared = prepared;
        Ok(())
    }

    /// The parts to carry it out with. May be called again when it has stopped.
    ///
    /// # Errors
    /// When the journal, the world or the file for events cannot be opened.
    pub(in crate::cli) fn parts(
        &self,
        events: Option<&Path>,
        gates: Vec<Rc<dyn Gate>>,
        context: &Context,
    ) -> Result<RunParts> {
        let world = self.estate.world(&self.prepared.inventory, context)?;
        let world =
            world.telling_apart(&session::said(&self.prepared.texts), session::log_of(&self.prepared.inventory))?;
        Ok(RunParts {
            run: self.run.clone(),
            store: context.store()?,
            world: Box::new(world.answered(self.answers.clone())),
            sinks: present::sinks(context, &self.estate, events)?,
            by: context.who(),
            gates,
            steering: None,
        })
    }
}
