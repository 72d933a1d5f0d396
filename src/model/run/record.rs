//! Records: what the journal holds of a run, in the order it happened. One vocabulary for the journal, the screen and
//! the event stream. A record says when and by whom, and one fact; adding a fact is additive, changing one is a new
//! format. It must not know what follows from a fact: that is for the readers of records.

pub use super::ids::{EffectId, ScriptPoint, StepId, TrackId, is_in_step};
pub use super::instant::Moment;
pub use super::source_name::SourceName;

use super::effect::{Effect, Outcome};
use super::estate::EstateId;
use super::place::PlaceData;
use super::state_folder::StateFolder;
use super::steering::Steering;
use crate::model::value::Fields;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format this program writes, and the only one that it reads: a run of another one is named and left alone.
pub const FORMAT: u32 = 2;

/// The name under which the parameters of a run hold the gist of the one it follows, if it follows one.
pub const FROM_RUN: &str = "from_run";

/// Who acted: the person and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Who {
    /// The account.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The machine's own identity, which no other of that name has; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub machine: String,
    /// The state folder that was worked in; nothing where a run has none, as in a simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateFolder>,
}

/// How a run ended, or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The runbook came to its end.
    Done,
    /// The runbook gave the decision to a person; obligations were met.
    Held,
    /// A step failed; can be resumed, the step is then tried again.
    Failed,
    /// A precondition did not hold; nothing was touched.
    Unmet,
    /// A question could not be put to anyone.
    Suspended,
    /// An effect may or may not have happened.
    Doubt,
    /// The operator interrupted it.
    Interrupted,
    /// The script has a bug.
    Bug,
    /// baton refused to go on.
    Refused,
    /// What it had changed is undone and what it owed is done; after `--to STEP` it can go on from there.
    RolledBack,
    /// A person gave it up: nothing is undone, what it owed is done.
    Aborted,
}

impl Ending {
    /// Whether the run is over for good: done, held for a person, given up, or all of it undone.
    #[must_use]
    pub fn is_final(self, all_undone: bool) -> bool {
        match self {
            Self::Done | Self::Held | Self::Aborted => true,
            Self::RolledBack => all_undone,
            Self::Failed | Self::Unmet | Self::Suspended | Self::Doubt => false,
            Self::Interrupted | Self::Bug | Self::Refused => false,
        }
    }
}

/// How far a run goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackScope {
    /// To the state before its first change.
    All,
    /// To the state before the step of this number on the main track began.
    To(String),
    /// Not at all: only what it owes is done, and it is over.
    Abort,
}

/// One entry of a run's journal: when, by whom, what. Written as `{"at": {…}, "fact": {"intent": {…}}}`: a tag beside
/// the fields of a fact would have to be buffered to be read, for each of the 100,000 records of a long run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it was written, by the clocks of the runner that did.
    pub at: Moment,
    /// The person who did or said it; nothing where a run went on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Who>,
    /// What is on record.
    pub fact: Fact,
}

/// The asking half of an intent or a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked<'a> {
    /// The position of the effect.
    pub id: &'a EffectId,
    /// The number of the innermost step; empty outside steps.
    pub step: &'a str,
    /// What is asked.
    pub effect: &'a Effect,
    /// The digest by which a replay knows it again.
    pub digest: &'a str,
    /// When it was asked for, of a reading when it had come back.
    pub at: &'a Moment,
    /// Its place in the runbook.
    pub place: Option<&'a PlaceData>,
    /// As in [`Fact::Intent`].
    pub kept_in: Option<&'a str>,
}

impl Record {
    /// The account of the person who did or said it; empty where a run went on by itself.
    #[must_use]
    pub fn user(&self) -> &str {
        self.by.as_ref().map_or("", |by| &by.user)
    }

    /// What it asks for, if it is an intent or a reading.
    #[must_use]
    pub fn asked(&self) -> Option<Asked<'_>> {
        use Fact::{Intent, Read};
        let kept_in = if let Intent { kept_in, .. } = &self.fact { kept_in.as_deref() } else { None };
        if let Intent { id, step, effect, digest, place, .. } | Read { id, step, effect, digest, place, .. } =
            &self.fact
        {
            return Some(Asked { id, step, effect, digest, at: &self.at, place: place.as_ref(), kept_in });
        }
        None
    }

    /// What came of an effect, if it is an outcome or a reading.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        if let Fact::Outcome { outcome, .. } | Fact::Read { outcome, .. } = &self.fact { Some(outcome) } else { None }
    }
}

impl Fact {
    /// The record of this, of what a run does by itself.
    #[must_use]
    pub fn at(self, at: Moment) -> Record {
        Record { at, by: None, fact: self }
    }

    /// The record of this, done or said by a person.
    #[must_use]
    pub fn by(self, by: Who, at: Moment) -> Record {
        Record { at, by: Some(by), fact: self }
    }

    /// The word under which it is written.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Opened => "opened",
            Self::StepBegun { .. } => "step_begun",
            Self::StepEnded { .. } => "step_ended",
            Self::Intent { .. } => "intent",
            Self::Outcome { .. } => "outcome",
            Self::Read { .. } => "read",
            Self::Doubt { .. } => "doubt",
            Self::Settled { .. } => "settled",
            Self::Retry { .. } => "retry",
            Self::Answered { .. } => "answered",
            Self::Skipped { .. } => "skipped",
            Self::StepSkipped { .. } => "step_skipped",
            Self::Adopted { .. } => "adopted",
            Self::Rollback { .. } => "rollback",
            Self::Undone { .. } => "undone",
            Self::Steered { .. } => "steered",
            Self::Typed { .. } => "typed",
            Self::Deviation { .. } => "deviation",
            Self::Ended { .. } => "ended",
        }
    }

    /// The effect that it is about, if it is about one.
    #[must_use]
    pub fn effect_id(&self) -> Option<&EffectId> {
        match self {
            Self::Intent { id, .. } | Self::Outcome { id, .. } | Self::Read { id, .. } | Self::Doubt { id, .. } => {
                Some(id)
            }
            Self::Settled { id, .. } | Self::Retry { id } | Self::Answered { id, .. } | Self::Skipped { id, .. } => {
                Some(id)
            }
            Self::Ended { effect, .. } => effect.as_ref(),
            Self::Begun { .. } | Self::Opened | Self::Adopted { .. } | Self::Rollback { .. } | Self::Undone { .. } => {
                None
            }
            Self::StepBegun { .. } | Self::StepEnded { .. } | Self::StepSkipped { .. } => None,
            Self::Steered { .. } | Self::Typed { .. } | Self::Deviation { .. } => None,
        }
    }

    /// The track on which it stands, of an effect or a step.
    #[must_use]
    pub fn track(&self) -> Option<&TrackId> {
        if let Self::StepBegun { track, .. } | Self::StepEnded { track, .. } | Self::StepSkipped { track, .. } = self {
            return Some(track);
        }
        self.effect_id().map(|id| &id.track)
    }
}

/// What a record says. Written as `{"intent": {…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The run exists. Always the first record, and only there.
    Begun {
        /// [`FORMAT`] of the version that began it.
        format: u32,
        /// That version of baton: who cannot read the format is told to go on with this one.
        baton: String,
        /// The name by which it was asked for, such as `genesys/confserv-ha`.
        runbook: String,
        /// Every source the run may read, with its digest in the store.
        sources: BTreeMap<SourceName, String>,
        /// Parameters as they were given or defaulted.
        params: Fields,
        /// Where it acts.
        estate: EstateId,
    },
    /// A runner took the run up again.
    Opened,
    /// A named step began.
    StepBegun {
        /// The track it stands on.
        track: TrackId,
        /// Its number, such as `3` or `3.1`.
        number: String,
        /// Its name, as it is shown.
        name: String,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// Whether it undoes what steps of the script have done, as a part of a way back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undoes: bool,
    },
    /// A named step ended.
    StepEnded {
        /// The track it stands on.
        track: TrackId,
        /// Its number, as it began.
        number: String,
        /// What went wrong, if it did.
        failed: Option<String>,
    },
    /// An effect is about to be asked for. Durable before it is.
    Intent {
        /// Its position: the same in every replay.
        id: EffectId,
        /// From 1; a new attempt only after the former is known not to run.
        attempt: u32,
        /// The innermost step it belongs to, if any: its number.
        step: String,
        /// What is asked.
        effect: Effect,
        /// By which a replay knows it again: 16 hex digits, of what it does and where, not of what it is called.
        digest: String,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// Where the host keeps what it knows of the run's jobs, told by what no later place there has. Made before
        /// this was written; not said of what is no job, and where it could not be made: then nothing was started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_in: Option<String>,
    },
    /// What came of an intent. Durable before the script sees it.
    Outcome {
        /// Which effect.
        id: EffectId,
        /// Which attempt.
        attempt: u32,
        /// What came of it.
        outcome: Outcome,
    },
    /// An effect that only reads or notes: both halves in one record, written afterwards.
    Read {
        /// Which effect.
        id: EffectId,
        /// The innermost step it belongs to, if any: its number.
        step: String,
        /// What was asked.
        effect: Effect,
        /// As in `Intent`.
        digest: String,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// What came of it.
        outcome: Outcome,
    },
    /// Nobody can tell whether an attempt happened.
    Doubt {
        /// Which effect.
        id: EffectId,
        /// Which attempt.
        attempt: u32,
        /// The evidence that is missing.
        reason: String,
    },
    /// A person settled a doubt.
    Settled {
        /// Which effect.
        id: EffectId,
        /// Which attempt.
        attempt: u32,
        /// Whether it happened.
        happened: bool,
        /// Why they say so.
        reason: String,
    },
    /// A failed effect is to be tried again: its recorded outcome no longer counts.
    Retry {
        /// Which effect.
        id: EffectId,
    },
    /// A person answered, from elsewhere, the question a run is suspended at. It counts if the same is asked again.
    Answered {
        /// Which question.
        id: EffectId,
        /// The digest of the effect that asks: what the person was shown.
        digest: String,
        /// The answer, one of the words of its form.
        word: String,
        /// What they added.
        note: String,
        /// Whose answer it is, as they say.
        name: String,
    },
    /// A person has an effect left out that failed or is in doubt. A deviation.
    Skipped {
        /// Which effect.
        id: EffectId,
        /// Their words, for whoever reads the record.
        reason: String,
    },
    /// A person had a whole step left out. A deviation.
    StepSkipped {
        /// The track it stands on.
        track: TrackId,
        /// Its number.
        number: String,
        /// Its name.
        name: String,
        /// Their words, for whoever reads the record.
        reason: String,
        /// Whether a person has done by hand what it would have done, as they say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
    },
    /// From here on the run is made of other texts. A deviation.
    Adopted {
        /// All of them, not only those that changed; as in `Begun`.
        sources: BTreeMap<SourceName, String>,
        /// What changed, in words: one line a step or file.
        changes: Vec<String>,
    },
    /// The run goes back from here. The script's own tracks stand still; `r1`, `r2` … go on.
    Rollback {
        /// How far.
        way: RollbackScope,
    },
    /// What the script asked for from record `since` on is undone and does not count any more: it may be done again.
    Undone {
        /// The number of the first record.
        since: u64,
    },
    /// How the run is to be steered from here on: kept, so that whoever takes it up after a death goes on the same way.
    Steered {
        /// All of it: it replaces what was steered by before.
        steering: Steering,
    },
    /// A line typed in the REPL, evaluated on the track `t1`, `t2` …
    Typed {
        /// Counted over the whole run, from 1.
        n: u32,
        /// Where the script stood: there it is evaluated again by a replay.
        point: ScriptPoint,
        /// The line, as typed.
        text: String,
    },
    /// A person departed from the runbook in another way.
    Deviation {
        /// What they did, as a clause in the past tense.
        what: String,
        /// Their words; empty where nobody asked for any.
        reason: String,
        /// The hosts that they took over for the run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<String>,
    },
    /// The run came to an end or a stop. A stop may be followed by `Opened`.
    Ended {
        /// Whether it can be taken up again, and with what exit code its runner left.
        ending: Ending,
        /// The sentence that its runner left with, and below it what a hold tells people to do.
        message: String,
        /// The effect whose failure ended it, if one did. Of a run that was refused, an effect that it was refused
        /// at: one that was asked for since the run was last opened was not started.
        effect: Option<EffectId>,
    },
}
