//! What is explored: a runbook on the site of a lab in one of its scenarios, or on a site of one's own. As texts, which
//! any worker makes ready for itself; nothing here is played.

use super::schedule::Schedule;
use crate::engine;
use crate::error::{Error, Result};
use crate::model::run::estate::EstateId;
use crate::model::value::Fields;
use crate::session::{self, Prepared, Texts};
use crate::sim::{FaultPlan, ModelProgram, SimEstate};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The run's name in every play.
pub(super) const RUN: &str = "verify";

/// A scene as plain texts.
#[derive(Debug, Clone)]
pub struct SceneTexts {
    /// The runbook, its modules, the inventory and the profiles.
    pub texts: Texts,
    /// The models by name.
    pub models: BTreeMap<String, String>,
    /// The situation it begins in; empty where there is only one.
    pub scenario: String,
    /// The parameters as they are given.
    pub params: Fields,
    /// Where its runs say that they act.
    pub estate: EstateId,
    /// What was found once and is walked first.
    pub regressions: Vec<Schedule>,
}

/// A scene that can be played, as often as one likes.
pub struct Scene {
    pub(super) prepared: Prepared,
    pub(super) params: Fields,
    pub(super) estate: EstateId,
    scenario: String,
    models: BTreeMap<String, Rc<ModelProgram>>,
}

impl Scene {
    /// Makes a scene ready.
    ///
    /// # Errors
    /// `Script` or `Inventory` where a text is wrong, a model among them; `Usage` where parameters do not fit.
    pub fn new(texts: &SceneTexts) -> Result<Self> {
        engine::fix_hashing();
        let prepared = session::prepare(texts.texts.clone())?;
        prepared.program.keep_footprints();
        let params = prepared.program.resolve_params(&texts.params)?;
        let mut models = BTreeMap::new();
        for (name, text) in &texts.models {
            models.insert(name.clone(), ModelProgram::compile(text, name, engine::standard_package())?);
        }
        let (scenario, estate) = (texts.scenario.clone(), texts.estate.clone());
        Ok(Self { prepared, params, estate, scenario, models })
    }

    /// Its site as it is at the beginning, with these faults to come.
    ///
    /// # Errors
    /// The defect of a model.
    pub(super) fn site(&self, plan: &FaultPlan) -> Result<SimEstate> {
        SimEstate::new(&self.prepared.inventory, &self.models, &self.scenario, 1, plan)
    }

    /// What the models can play of the site: the services that none of them plays.
    #[must_use]
    pub fn unplayed(&self) -> Vec<String> {
        let services = self.prepared.inventory.services.iter();
        let unplayed = services.filter(|(_, service)| !self.models.contains_key(&service.profile.model));
        unplayed.map(|(name, _)| name.clone()).collect()
    }
}

impl SceneTexts {
    /// Whether these texts can be played at all.
    ///
    /// # Errors
    /// As [`Scene::new`], and the defect of a model that shows at once.
    pub fn check(&self) -> Result<()> {
        let site = Scene::new(self)?.site(&FaultPlan::default())?;
        site.summary().map(|_| ())
    }

    /// A message with the scenario that it is about.
    #[must_use]
    pub fn named(&self, mut error: Box<Error>) -> Box<Error> {
        if !self.scenario.is_empty() {
            error.causes.push(format!("in the scenario `{}`", self.scenario));
        }
        error
    }
}
