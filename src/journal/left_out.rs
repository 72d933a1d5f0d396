//! What people had left out of the ways back of a run, or said was done by hand: none of it is told as undone. Pure
//! reading of records, from the first one on; it judges nobody's word.

use super::history::History;
use crate::model::run::effect::Outcome;
use crate::model::run::record::{EffectId, Fact, Record, TrackId};
use std::collections::{BTreeMap, BTreeSet};

/// What a person said of something on a way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOutRuling {
    /// It is done all the same.
    Done,
    /// It is left out.
    LeftOut,
}

/// Something on a way back for which there is only a person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// What: the label of an effect, or the name of a step.
    pub what: String,
    /// What was said.
    pub word: LeftOutRuling,
    /// Who said it.
    pub by: String,
    /// The reason they gave.
    pub reason: String,
    same: Same,
    /// On which way back.
    way: Option<u32>,
}

/// By what it is known again when a later way back does it after all.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Same {
    /// The digest of an effect.
    Effect(String),
    /// The name of a step.
    Step(String),
}

/// What was said of what, and by whom.
type Remark = (LeftOutRuling, String, String);

/// Everything of that kind in the records of a run.
#[derive(Debug, Clone, Default)]
pub struct LeftOut {
    spoken: Vec<Spoken>,
    /// Effects of ways back, by label and digest.
    asked: BTreeMap<EffectId, (String, String)>,
    /// Those that happened because somebody says so: who, and why.
    settled: BTreeMap<EffectId, (String, String)>,
    /// Steps of ways back that are under way, by name.
    open: BTreeMap<(TrackId, String), String>,
    /// What was said within which step.
    within: BTreeMap<(TrackId, String), BTreeSet<Remark>>,
}

impl LeftOut {
    /// What was said in a run.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let mut all = Self::default();
        history.records().iter().for_each(|stored| all.add(&stored.record));
        all
    }

    /// Takes the next record.
    pub fn add(&mut self, record: &Record) {
        if record.fact.track().is_none_or(|track| track.way_back().is_none()) {
            return;
        }
        let by = || record.user().to_owned();
        if let Fact::StepBegun { track, number, name, .. } = &record.fact {
            self.open.insert((track.clone(), number.clone()), name.clone());
        } else if let Fact::StepEnded { track, number, failed } = &record.fact {
            let name = self.open.remove(&(track.clone(), number.clone()));
            let said = self.word_in(track, number).is_some();
            if let Some(name) = name.filter(|_| failed.is_none() && !said) {
                self.is_done(track, &Same::Step(name));
            }
        } else if let Fact::StepSkipped { track, name, reason, by_hand, .. } = &record.fact {
            let word = if *by_hand { LeftOutRuling::Done } else { LeftOutRuling::LeftOut };
            self.say(track, (name.clone(), Same::Step(name.clone())), word, (by(), reason.clone()));
        } else if let Fact::Intent { id, effect, digest, .. } = &record.fact {
            self.settled.remove(id);
            self.asked.insert(id.clone(), (effect.label.clone(), digest.clone()));
        } else if let Fact::Settled { id, happened, reason, .. } = &record.fact {
            self.settled.remove(id);
            if *happened {
                self.settled.insert(id.clone(), (by(), reason.clone()));
            }
        } else if let Fact::Outcome { id, outcome, .. } = &record.fact {
            self.came_of(id, outcome);
        } else if let Fact::Read { id, effect, digest, outcome: outcome @ Outcome::Skipped { .. }, .. } = &record.fact {
            self.asked.insert(id.clone(), (effect.label.clone(), digest.clone()));
            self.came_of(id, outcome);
        }
    }

    fn came_of(&mut self, id: &EffectId, outcome: &Outcome) {
        let Some((label, digest)) = self.asked.get(id).cloned() else { return };
        let same = Same::Effect(digest);
        match (outcome, self.settled.remove(id)) {
            (Outcome::Skipped { reason, by }, _) => {
                self.say(&id.track, (label, same), LeftOutRuling::LeftOut, (by.clone(), reason.clone()));
            }
            (Outcome::Done { .. }, Some(said)) => self.say(&id.track, (label, same), LeftOutRuling::Done, said),
            (Outcome::Done { .. }, None) => self.is_done(&id.track, &same),
            (Outcome::Failed(_), _) => {}
        }
    }

    fn say(
        &mut self,
        track: &TrackId,
        (what, same): (String, Same),
        word: LeftOutRuling,
        (by, reason): (String, String),
    ) {
        for (around, number) in self.open.keys().filter(|(around, _)| track.is_within(around)) {
            let step = (around.clone(), number.clone());
            self.within.entry(step).or_default().insert((word, what.clone(), by.clone()));
        }
        self.spoken.push(Spoken { what, word, by, reason, same, way: track.way_back() });
    }

    /// A later way back has done what was left out of an earlier one.
    fn is_done(&mut self, track: &TrackId, same: &Same) {
        let way = track.way_back();
        self.spoken.retain(|spoken| spoken.same != *same || spoken.way == way);
    }

    /// Whether anything was left out, and was not done since.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.spoken.iter().any(|spoken| spoken.word == LeftOutRuling::LeftOut)
    }

    /// All that was said, in order.
    #[must_use]
    pub fn spoken(&self) -> &[Spoken] {
        &self.spoken
    }

    /// What was said of something within a step of a way back, what was left out before all else: what it was about,
    /// and who said it.
    #[must_use]
    pub fn word_in(&self, track: &TrackId, number: &str) -> Option<(LeftOutRuling, &str, &str)> {
        let (word, what, by) = self.within.get(&(track.clone(), number.to_owned()))?.last()?;
        Some((*word, what, by))
    }
}
