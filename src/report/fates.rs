//! Changes of which nobody knows whether they happened: those that a person had left out in doubt, and what a run that
//! was given up leaves behind. Pure reading of records; it must not say what is to be done about them.

use crate::model::run::record::{EffectId, Ending, Fact, Record};
use crate::model::text::shown;
use std::collections::BTreeMap;

/// How a change without a known end stands.
#[derive(Debug, Clone)]
enum Fate {
    /// It was asked for.
    Asked,
    /// It is in doubt.
    Doubted,
    /// It was in doubt, and this person has it left out.
    LeftOut(String),
}

/// The changes of a run without a known end, each with how it is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Fates(BTreeMap<EffectId, (String, Fate)>);

impl Fates {
    /// Takes the next record.
    pub(super) fn add(&mut self, record: &Record) {
        if let Fact::Intent { id, effect, .. } = &record.fact {
            if effect.is_change() {
                let on = effect.host.as_ref().map_or_else(String::new, |host| format!(", on {host}"));
                self.0.insert(id.clone(), (format!("{}{on}", effect.label), Fate::Asked));
            }
        } else if let Fact::Doubt { id, .. } = &record.fact {
            self.turn(id, |_| Fate::Doubted);
        } else if let Fact::Skipped { id, .. } = &record.fact {
            self.turn(id, |former| match former {
                Fate::Doubted | Fate::LeftOut(_) => Fate::LeftOut(record.user().to_owned()),
                Fate::Asked => Fate::Asked,
            });
        } else if let Fact::Outcome { id, .. } = &record.fact {
            // What was left out gets an outcome that says so.
            self.0.retain(|known, (_, fate)| known != id || matches!(fate, Fate::LeftOut(_)));
        } else if let Fact::Settled { id, .. } | Fact::Retry { id } = &record.fact {
            self.0.remove(id);
        } else if let Fact::Ended { ending: Ending::Refused, effect: Some(id), .. } = &record.fact {
            // It was refused at this, before it was started.
            self.0.remove(id);
        }
    }

    fn turn(&mut self, id: &EffectId, to: impl FnOnce(&Fate) -> Fate) {
        if let Some((_, fate)) = self.0.get_mut(id) {
            *fate = to(fate);
        }
    }

    /// Who had changes left out that may have happened, and what nobody knows of once a run ended like this.
    pub(super) fn finish(self, ending: Option<Ending>) -> (Vec<String>, Vec<String>) {
        let (mut left_out, mut unknown) = (Vec::new(), Vec::new());
        for (what, fate) in self.0.into_values() {
            match fate {
                Fate::LeftOut(by) => left_out.push(shown(&by)),
                Fate::Asked | Fate::Doubted if ending == Some(Ending::Aborted) => unknown.push(what),
                Fate::Asked | Fate::Doubted => {}
            }
        }
        (left_out, unknown)
    }
}
