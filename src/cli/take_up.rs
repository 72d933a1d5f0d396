//! Taking a run up: its record, its texts as they are now, its site, and the leases that keep others away. What every
//! command has in common that works on a run which exists. It must not decide what is done with it.

use super::estate::{Estate, lab_name, lab_of, lease, site_name};
use super::find_run::{Aim, find_run_to_act_on, shortfall};
use super::{Desk, carry, machine};
use crate::dispatch::Gate;
use crate::error::Result;
use crate::journal::history::History;
use crate::journal::lease::Lease;
use crate::model::answers::Answers;
use crate::session::{self, Parts, Prepared};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// A run that nobody else works on while this lives.
pub(super) struct TakenUp {
    /// The run.
    pub(super) run: String,
    /// What it is made of.
    pub(super) prepared: Prepared,
    /// Where it acts.
    pub(super) estate: Estate,
    /// The answers that are known before they are asked for.
    pub(super) answers: Option<Arc<Answers>>,
    _of_run: Lease,
    of_site: Lease,
}

/// A run on which nobody else works while this lives, before its texts and its site are looked at.
pub(super) struct Claimed {
    /// The run.
    pub(super) run: String,
    /// What is on record.
    pub(super) history: History,
    /// What keeps others away from it.
    pub(super) lease: Lease,
}

/// Claims the run that `given` means for this.
///
/// # Errors
/// `Usage` when there is none, `Refused` when somebody works on it or its record is damaged.
pub(super) fn claim(given: &str, aim: Aim, desk: &Desk) -> Result<Claimed> {
    let store = desk.store()?;
    let run = find_run_to_act_on(&*store, given, aim, desk)?;
    let lease = lease(desk, &run, &run)?;
    let written = store.written();
    let history = History::from(store.read(&run)?)?;
    if let Some(loss) = shortfall(&written, &run, history.len()) {
        desk.screen.remark(&loss);
    }
    Ok(Claimed { run, history, lease })
}

impl Claimed {
    /// Takes it up with the texts it is made of.
    ///
    /// # Errors
    /// `Refused` when a text or its lab is gone or its site is in use.
    pub(super) fn take_up(self, desk: &Desk) -> Result<TakenUp> {
        let texts = session::snapshot(&*desk.store()?, &self.history)?;
        self.take_up_with(session::prepare(texts)?, desk)
    }

    /// Takes it up with other texts.
    ///
    /// # Errors
    /// `Refused` when its lab is gone or its site is in use.
    pub(super) fn take_up_with(self, prepared: Prepared, desk: &Desk) -> Result<TakenUp> {
        let Self { run, history, lease: of_run } = self;
        if lab_of(&history).is_none() {
            machine::same(&run, &history, &prepared.inventory, &desk.who())?;
        }
        let name = lab_of(&history).map_or_else(|| site_name(&prepared.inventory), lab_name);
        let of_site = lease(desk, &name, &run)?;
        let estate = Estate::of(&history, &run, desk)?;
        Ok(TakenUp::new(run, prepared, estate, (of_run, of_site)))
    }
}

impl TakenUp {
    /// A run that nobody else works on because of these leases: its own and its site's.
    pub(super) fn new(run: String, prepared: Prepared, estate: Estate, (_of_run, of_site): (Lease, Lease)) -> Self {
        Self { run, prepared, estate, answers: None, _of_run, of_site }
    }

    /// The same with answers that are known before they are asked for.
    pub(super) fn answered(self, answers: Option<Arc<Answers>>) -> Self {
        Self { answers, ..self }
    }

    /// What is on record of it now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn history(&self, desk: &Desk) -> Result<History> {
        History::from(desk.store()?.read(&self.run)?)
    }

    /// The same; nothing where it has not begun.
    ///
    /// # Errors
    /// As above.
    pub(super) fn begun(&self, desk: &Desk) -> Result<Option<History>> {
        let store = desk.store()?;
        let is_begun = store.runs()?.contains(&self.run);
        is_begun.then(|| History::from(store.read(&self.run)?)).transpose()
    }

    /// Goes on with other texts.
    ///
    /// # Errors
    /// `Refused` when they name another site, which is in use.
    pub(super) fn exchange(&mut self, prepared: Prepared, desk: &Desk) -> Result<()> {
        let (before, now) = (site_name(&self.prepared.inventory), site_name(&prepared.inventory));
        if matches!(self.estate, Estate::Site) && before != now {
            self.of_site = lease(desk, &now, &self.run)?;
        }
        self.prepared = prepared;
        Ok(())
    }

    /// The parts to carry it out with. May be called again when it has stopped.
    ///
    /// # Errors
    /// When the journal, the world or the file for events cannot be opened.
    pub(super) fn parts(&self, events: Option<&Path>, gates: Vec<Rc<dyn Gate>>, desk: &Desk) -> Result<Parts> {
        let world = self.estate.world(&self.prepared.inventory, desk)?;
        let world =
            world.telling_apart(&session::said(&self.prepared.texts), session::log_of(&self.prepared.inventory))?;
        Ok(Parts {
            run: self.run.clone(),
            store: desk.store()?,
            world: Box::new(world.answered(self.answers.clone())),
            sinks: carry::sinks(desk, &self.estate, events)?,
            by: desk.who(),
            gates,
            steering: None,
        })
    }
}
