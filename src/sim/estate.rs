//! A simulated site that outlives the runners that work on it, from outside: made, forked, beset with faults, looked
//! at. It answers no requests: `world` does, for a runner.

use crate::error::{Error, Result};
use crate::model::run::effect::Ask;
use crate::model::run::instant::Wall;
use crate::model::site::inventory::Inventory;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::sim::estate_state::EstateState;
use crate::sim::exploration::{Exploration, Point, Struck};
use crate::sim::fault::{Fault, FaultPlan, Trigger};
use crate::sim::files::MemoryFiles;
use crate::sim::ledger::Ledger;
use crate::sim::model::{ModelHost, ModelProgram};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A simulated site. Clones are the same site.
#[derive(Clone)]
pub struct SimEstate(pub(super) Rc<RefCell<EstateState>>);

impl SimEstate {
    /// A site in the situation `scenario`, with one of `programs` (by name) for each model its profiles name.
    ///
    /// # Errors
    /// `Inventory` when a model is missing, `Script` when one fails at the start.
    pub fn new(
        site: &Inventory,
        programs: &BTreeMap<String, Rc<ModelProgram>>,
        scenario: &str,
        seed: u64,
        plan: &FaultPlan,
    ) -> Result<Self> {
        let estate = EstateState::new(site, programs, scenario, seed, plan)?;
        Ok(Self(Rc::new(RefCell::new(estate))))
    }

    /// A site of its own that stands as this one does now: what happens to one from now on does not happen to the
    /// other. No runner works on it yet.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().fork())))
    }

    /// From now on these faults are to come as well.
    pub fn beset(&self, faults: &[Fault]) {
        self.0.borrow_mut().faults.extend_from_slice(faults);
    }

    /// From now on nobody is there to answer questions.
    pub fn leave_alone(&self) {
        self.0.borrow_mut().unattended = true;
    }

    /// Somebody answers this from elsewhere, and has done what answering brings about.
    pub fn is_answered(&self, ask: &Ask) {
        self.0.borrow_mut().operator(ask);
    }

    /// From now on it is noted where things could go otherwise, and looked at what must hold. `record` is how the
    /// record of the run stands, as a number; `former` is the site that this one was forked from.
    pub fn explore(&self, former: Option<&Self>, record: Rc<Cell<u64>>) {
        let former = former.map(|former| former.0.borrow());
        self.0.borrow_mut().explore(former.as_ref().and_then(|former| former.exploration()), record);
    }

    /// The instants at which something could have gone otherwise, in order, of a site that is explored.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        self.0.borrow().exploration().map(Exploration::points).unwrap_or_default()
    }

    /// How it stands and what is to come, as a number: sites of the same number go on alike.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.0.borrow().hash()
    }

    /// Whether nothing that was asked of it is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.0.borrow().is_quiet()
    }

    /// What went wrong so far, of a site that is explored.
    #[must_use]
    pub fn struck(&self) -> Vec<Struck> {
        self.0.borrow().exploration().map(|exploration| exploration.struck().to_vec()).unwrap_or_default()
    }

    /// How much went wrong so far.
    #[must_use]
    pub fn strikes(&self) -> usize {
        self.0.borrow().exploration().map_or(0, |exploration| exploration.struck().len())
    }

    /// The services that were looked at since something last went wrong.
    #[must_use]
    pub fn looked_at(&self) -> BTreeSet<String> {
        self.0.borrow().exploration().map(|exploration| exploration.looked_at().clone()).unwrap_or_default()
    }

    /// What time it is there.
    #[must_use]
    pub fn now(&self) -> Wall {
        self.0.borrow().now
    }

    /// The run is over and nothing is left to be done: what must hold then is looked at.
    pub fn look_over_at_the_end(&self) {
        self.0.borrow_mut().look_over_at_the_end();
    }

    /// The parts of a text that claim something which is not so now, as far as the models can tell.
    #[must_use]
    pub fn false_claims(&self, text: &str) -> Vec<String> {
        self.0.borrow_mut().false_claims(text)
    }

    /// Lays a line ready for whoever steers.
    pub fn will_type(&self, line: &str) {
        self.0.borrow_mut().lines.push_back(line.to_owned());
    }

    /// The files of its hosts, and those of the machine baton runs on.
    #[must_use]
    pub fn files(&self) -> MemoryFiles {
        self.0.borrow().files.clone()
    }

    /// Lets time pass while no runner is there.
    pub fn pass(&self, ms: u64) {
        let mut estate = self.0.borrow_mut();
        let until = estate.now + Span(ms);
        estate.advance_to(until);
    }

    /// The machine of the runner restarts: its boot-time clock begins anew.
    pub fn restart_runner(&self) {
        let mut estate = self.0.borrow_mut();
        estate.boots += 1;
        estate.booted_at = estate.now;
    }

    /// The truth about what happened, of all models together.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let estate = self.0.borrow();
        let mut all = Ledger::default();
        for ledger in estate.models.iter().map(ModelHost::ledger) {
            all.effects.extend(ledger.effects);
            all.intervals.extend(ledger.intervals);
            all.violations.extend(ledger.violations);
        }
        all.effects.sort_by_key(|deed| deed.at);
        all
    }

    /// The state tests compare, by model.
    ///
    /// # Errors
    /// The defect of a model, if one showed.
    pub fn summary(&self) -> Result<Value> {
        let mut estate = self.0.borrow_mut();
        if let Some(defect) = &estate.defect {
            return Err(defect.clone());
        }
        let mut summaries = Fields::new();
        for model in &mut estate.models {
            summaries.insert(model.name().to_owned(), model.summary()?);
        }
        Ok(Value::Map(summaries))
    }

    /// What is wrong with a model, if anything showed.
    #[must_use]
    pub fn defect(&self) -> Option<Box<Error>> {
        self.0.borrow().defect.clone()
    }

    /// How many requests of runners it has taken so far: while a runner asks for nothing and time stands still,
    /// nothing changes here.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.borrow().sequence
    }

    /// Where faults can strike: every job and question so far, in order.
    #[must_use]
    pub fn places(&self) -> Vec<Trigger> {
        self.0.borrow().places.clone()
    }
}
