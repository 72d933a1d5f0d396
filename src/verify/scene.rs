//! What is explored: a runbook on the site of a lab in one of its scenarios, or on a site of one's own. As texts, which
//! any worker makes ready for itself; nothing here is played.

use super::schedule::Schedule;
use crate::engine;
use crate::error::{Error, Result};
use crate::model::run::estate::EstateId;
use crate::model::value::Fields;
use crate::session::{self, Prepared, Texts};
use crate::sim::{Fault, FaultPlan, ModelProgram, SimEstate};
use std::collections::BTreeMap;

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
    /// Its site as it is at the beginning, of which each play gets a copy.
    fresh: SimEstate,
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
        let fresh = SimEstate::new(&prepared.inventory, &models, &texts.scenario, 1, &FaultPlan::default())?;
        Ok(Self { prepared, params, estate: texts.estate.clone(), fresh })
    }

    /// Its site as it is at the beginning, with these faults to come.
    pub(super) fn site(&self, faults: &[Fault]) -> SimEstate {
        let site = self.fresh.fork();
        site.beset(faults);
        site
    }
}

impl SceneTexts {
    /// A message with the scenario that it is about.
    #[must_use]
    pub fn named(&self, mut error: Box<Error>) -> Box<Error> {
        if !self.scenario.is_empty() {
            error.causes.push(format!("in the scenario `{}`", self.scenario));
        }
        error
    }
}
