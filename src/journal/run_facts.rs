//! The gist of a run, as plain data for the runbook of another one: which roles and versions it found, and what it
//! changed, in order. A pure reading of records; it judges nothing, and what nobody can tell it leaves out.

use super::Stored;
use crate::model::run::effect::{Action, Effect, Outcome};
use crate::model::run::instant::Wall;
use crate::model::run::meaning::ProbeMeaning;
use crate::model::run::record::{EffectId, Ending, Fact, Record};
use crate::model::value::{Fields, Value};
use std::collections::BTreeMap;

/// What a run found and did: `run`, `runbook`, `estate`, `params`, `ended`, `roles`, `versions`, `changes`.
#[must_use]
pub fn gist(run: &str, records: &[Stored]) -> Value {
    let mut gist = RunFacts::default();
    records.iter().for_each(|stored| gist.take(&stored.record));
    let RunFacts { about, roles, versions, changes, ended, .. } = gist;
    let mut all = about;
    all.insert("run".into(), run.into());
    all.insert("ended".into(), ended.into());
    all.insert("roles".into(), Value::Map(roles));
    all.insert("versions".into(), Value::Map(versions));
    all.insert("changes".into(), Value::List(changes.into_iter().map(Value::Map).collect()));
    Value::Map(all)
}

#[derive(Default)]
struct RunFacts {
    about: Fields,
    /// The first role and running version that was read of each service.
    roles: Fields,
    versions: Fields,
    changes: Vec<Fields>,
    /// Which change an effect is; one that is asked for again after it was undone is another change.
    places: BTreeMap<EffectId, usize>,
    ended: String,
}

impl RunFacts {
    fn take(&mut self, record: &Record) {
        if let Fact::Begun { runbook, params, estate, .. } = &record.fact {
            let params = Value::Map(params.clone());
            let about = [("runbook", runbook.as_str().into()), ("estate", estate.to_string().into())];
            self.about = about.into_iter().chain([("params", params)]).map(|(k, v)| (k.to_owned(), v)).collect();
        } else if let Fact::Read { effect, outcome: Outcome::Done { value, .. }, .. } = &record.fact {
            self.read(effect, value);
        } else if let Fact::Intent { id, effect, .. } = &record.fact {
            self.intent(id, effect, record.at.wall);
        } else if let Fact::Outcome { id, outcome, .. } = &record.fact {
            self.came_to(id, matches!(outcome, Outcome::Done { .. }));
        } else if let Fact::Settled { id, happened, .. } = &record.fact {
            self.came_to(id, *happened);
        } else if let Fact::Undone { .. } = &record.fact {
            self.places.clear();
        } else if let Fact::Opened = &record.fact {
            self.ended.clear();
        } else if let Fact::Ended { ending, .. } = &record.fact {
            self.ended = word(*ending);
        }
    }

    fn read(&mut self, effect: &Effect, value: &Value) {
        let (Action::Probe(probe), Some(service)) = (&effect.action, &effect.service) else { return };
        let firsts = match probe.means {
            Some(ProbeMeaning::Role) => &mut self.roles,
            Some(ProbeMeaning::RunningVersion) => &mut self.versions,
            Some(ProbeMeaning::Status | ProbeMeaning::Version | ProbeMeaning::Readonly | ProbeMeaning::Clients)
            | None => return,
        };
        firsts.entry(service.clone()).or_insert_with(|| value.clone());
    }

    fn intent(&mut self, id: &EffectId, effect: &Effect, at: Wall) {
        let (Action::Job(job), Some(service)) = (&effect.action, &effect.service) else { return };
        let change = [
            ("verb", job.verb.as_str().into()),
            ("service", service.as_str().into()),
            ("args", Value::Map(job.args.clone())),
            ("done", Value::Bool(false)),
            ("at", Value::Int(at.0)),
        ];
        let change = change.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let place = *self.places.entry(id.clone()).or_insert(self.changes.len());
        match self.changes.get_mut(place) {
            Some(former) => *former = change,
            None => self.changes.push(change),
        }
    }

    fn came_to(&mut self, id: &EffectId, done: bool) {
        let change = self.places.get(id).and_then(|place| self.changes.get_mut(*place));
        if let Some(change) = change {
            change.insert("done".into(), Value::Bool(done));
        }
    }
}

/// The word the journal has for an ending.
fn word(ending: Ending) -> String {
    let word = serde_json::to_value(ending).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
