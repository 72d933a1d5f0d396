//! A run with parameters of its own, perhaps after another one, told as a line of a table.

use super::tale::Tale;
use crate::support::simulation::Scene;
use baton::model::run::record::Ending;
use baton::model::value::Value;
use baton::script::compile::params::ParamDecl;
use baton::sim::{Fault, FaultPlan, Harm, SimEstate, Trigger};

/// A line of a table.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) runbook: &'static str,
    pub(super) scenario: &'static str,
    /// The upgrade that it follows in the same scenario, and the verb that fails in it at `c1`.
    pub(super) after: Option<(&'static str, Option<&'static str>)>,
    pub(super) params: &'static [(&'static str, &'static str)],
    pub(super) ending: Ending,
}

/// What most lines have in common.
pub(super) const USUAL: Given = Given { runbook: "", scenario: "", after: None, params: &[], ending: Ending::Done };

impl Given {
    pub(super) fn tale(&self) -> Tale {
        self.with(self.params.iter().map(|(name, value)| (*name, (*value).to_owned())))
    }

    /// The run with these parameters instead of its own.
    fn with<'a>(&self, params: impl Iterator<Item = (&'a str, String)>) -> Tale {
        let scene = Scene::new(self.runbook, self.scenario);
        let (scene, left) = match self.after {
            None => (scene, None),
            Some((upgrade, fails)) => {
                let (gist, left) = followed(upgrade, self.scenario, fails);
                (scene.following(gist), Some(left))
            }
        };
        let scene = params.fold(scene, |scene, (name, value)| scene.given(name, &value));
        Tale { left, ..Tale::of(scene) }
    }

    /// Those of its parameters that make a difference: without them it comes to another end. One that must be given has
    /// what the scenario gives it then.
    pub(super) fn felt<'a>(&self, declared: &'a [ParamDecl]) -> Vec<&'a str> {
        let (with, ..) = self.tale().undisturbed();
        let is_felt = |decl: &&ParamDecl| {
            let usual = decl.default.iter().map(|default| (decl.name.as_str(), default.to_string()));
            let others = self.params.iter().filter(|(name, _)| *name != decl.name);
            let others = others.map(|(name, value)| (*name, (*value).to_owned()));
            let (without, ..) = self.with(others.chain(usual)).undisturbed();
            !with.differs_from(&without).is_empty()
        };
        let own = |decl: &&ParamDecl| self.params.iter().any(|(name, _)| *name == decl.name);
        declared.iter().filter(own).filter(is_felt).map(|decl| decl.name.as_str()).collect()
    }

    /// Whoever dies or finds nobody to answer, and whoever takes it up, it comes to the same end.
    #[track_caller]
    pub(super) fn is_remembered(&self) {
        let (tale, what) = (self.tale(), format!("{self:?}"));
        let (undisturbed, ..) = tale.undisturbed();
        assert_eq!(undisturbed.ending, self.ending, "{what}: {}", undisturbed.words);
        tale.is_the_same_after_any_death(&what);
        tale.is_the_same_wherever_it_is_suspended(&what);
    }
}

/// What an upgrade has done, and the site as it has left it.
fn followed(upgrade: &str, scenario: &str, fails: Option<&str>) -> (Value, SimEstate) {
    let at = |verb: &str| Trigger { verb: verb.to_owned(), subject: "c1".to_owned(), nth: 1 };
    let faults = fails.map(|verb| Fault { at: at(verb), harm: Harm::FailsBefore }).into_iter().collect();
    let scene = Scene::new(upgrade, scenario);
    let play = scene.play_with(3, &FaultPlan { faults, crashes: Vec::new() });
    play.run();
    (play.gist(), play.estate.fork())
}
