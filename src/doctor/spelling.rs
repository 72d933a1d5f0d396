//! A `{name}` in the command of a probe that stands for nothing: an argument that only a run gives, or a slip of the
//! pen. It is told by what the profile and the service know; nobody is asked.

use crate::model::site::inventory::Service;
use crate::model::site::profile::{Profile, placeholders};
use crate::model::text::nearest;
use std::collections::BTreeSet;

/// A name that nobody can mean.
pub(super) struct Misspelt {
    /// In which probe.
    pub(super) probe: String,
    /// As it stands there.
    pub(super) name: String,
    /// What is meant, most likely.
    pub(super) near: Vec<String>,
}

/// The first name in the command of a probe that is neither a variable of the service nor stands anywhere else in the
/// profile, and that comes near to one that does. Any other may be an argument.
pub(super) fn misspelt(service: &Service, probe: &str) -> Option<Misspelt> {
    let elsewhere = known_elsewhere(&service.profile, probe);
    let known: BTreeSet<&str> = service.vars.keys().map(String::as_str).chain(elsewhere).collect();
    let reader = service.profile.probes.get(probe)?;
    let mut unknown = reader.argv.iter().flat_map(|word| placeholders(word)).filter(|name| !known.contains(name));
    let told = |name: &str| {
        let near: Vec<String> = nearest(name, known.iter().copied()).into_iter().map(str::to_owned).collect();
        (!near.is_empty()).then(|| Misspelt { probe: probe.to_owned(), name: name.to_owned(), near })
    };
    unknown.find_map(told)
}

/// The names that stand in what a profile says of everything but this probe.
fn known_elsewhere<'p>(profile: &'p Profile, probe: &'p str) -> impl Iterator<Item = &'p str> {
    let verbs = profile.verbs.values().flat_map(|verb| {
        let goal = verb.goal.iter().flat_map(|goal| &goal.is);
        verb.argv.iter().chain(verb.check.iter().flatten()).chain(goal)
    });
    let probes = profile.probes.iter().filter(move |(name, _)| *name != probe).flat_map(|(_, other)| &other.argv);
    verbs.chain(probes).flat_map(|word| placeholders(word))
}
