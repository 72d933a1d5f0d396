//! Records: what the journal holds of a run, in the order it happened. One vocabulary for the
//! journal, the screen and the event stream. Adding a variant is additive; changing one is a new format.

pub use super::ids::{EffectId, StepId, TrackId};

use super::effect::{Effect, Outcome};
use super::estate::EstateId;
use super::place::PlaceData;
use super::state_folder::StateFolder;
use super::steering::Steering;
use crate::model::span::Span;
use crate::model::value::Fields;
use crate::model::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format this program writes. It reads this one and older ones, and refuses newer ones.
pub const FORMAT: u32 = 1;

/// The name under which the parameters of a run hold the gist of the one it follows, if it follows one.
pub const FROM_RUN: &str = "from_run";

/// An instant, in three clocks: what people read, what limits are counted in, and which boot that was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970, UTC, by the wall clock.
    pub wall: i64,
    /// Milliseconds of the runner's boot-time clock.
    pub mono: u64,
    /// Which boot of which machine `mono` belongs to.
    pub boot: String,
}

impl Moment {
    /// The instant as plain data.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mono = i64::try_from(self.mono).unwrap_or(i64::MAX);
        Value::map([("wall", self.wall.into()), ("mono", mono.into()), ("boot", self.boot.as_str().into())])
    }

    /// The instant that plain data tells of, if it tells of one.
    #[must_use]
    pub fn of_value(value: &Value) -> Option<Self> {
        let Value::Map(fields) = value else { return None };
        Some(Self {
            wall: fields.get("wall")?.as_int()?,
            mono: u64::try_from(fields.get("mono")?.as_int()?).ok()?,
            boot: fields.get("boot")?.as_text()?.to_owned(),
        })
    }

    /// How long ago `since` was. Within one boot the boot-time clock tells, which no one can set; across boots only
    /// the wall clock is left, and a step back of it counts as no time at all.
    #[must_use]
    pub fn elapsed(&self, since: &Self) -> Span {
        if since.boot == self.boot {
            Span(self.mono.saturating_sub(since.mono))
        } else {
            Span(u64::try_from(self.wall.saturating_sub(since.wall)).unwrap_or(0))
        }
    }
}

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
    /// The state folder that was worked in; not said in older records.
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

/// One entry of a run's journal. Written as `{"intent": {…}}`: a tag inside would have to be buffered to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The run exists. Always the first record, and only there.
    Begun {
        /// [`FORMAT`].
        format: u32,
        /// The version of baton.
        baton: String,
        /// The runbook's name.
        runbook: String,
        /// Every source the run may read, by name, with its digest in the store. Names begin with
        /// `runbook:`, `module:`, `profile:`, `model:`, `inventory:`.
        sources: BTreeMap<String, String>,
        /// Parameters as they were given or defaulted.
        params: Fields,
        /// Where it acts.
        estate: EstateId,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// A runner took the run up again.
    Opened {
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// A named step began.
    StepBegun {
        /// Where.
        track: TrackId,
        /// Its number, such as `3` or `3.1`.
        number: String,
        /// Its name.
        name: String,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// When.
        at: Moment,
    },
    /// A named step ended.
    StepEnded {
        /// Where.
        track: TrackId,
        /// Its number.
        number: String,
        /// What went wrong, if it did.
        failed: Option<String>,
        /// When.
        at: Moment,
    },
    /// An effect is about to be asked for. Durable before it is.
    Intent {
        /// Which effect.
        id: EffectId,
        /// From 1; a new attempt only after the former is known not to run.
        attempt: u32,
        /// The innermost step it belongs to, if any: its number.
        step: String,
        /// What is asked.
        effect: Effect,
        /// Its digest.
        digest: String,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// Where the host keeps what it knows of the run's jobs, told by what no later place there has. Made before
        /// this was written; not said of what is no job, and where it could not be made: then nothing was started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept_in: Option<String>,
        /// When.
        at: Moment,
    },
    /// What came of an intent. Durable before the script sees it.
    Outcome {
        /// Which effect.
        id: EffectId,
        /// Which attempt.
        attempt: u32,
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Moment,
    },
    /// An effect that only reads or notes: both halves in one record, written afterwards.
    Read {
        /// Which effect.
        id: EffectId,
        /// The innermost step it belongs to, if any: its number.
        step: String,
        /// What was asked.
        effect: Effect,
        /// Its digest.
        digest: String,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Moment,
    },
    /// Nobody can tell whether an attempt happened.
    Doubt {
        /// Which effect.
        id: EffectId,
        /// Which attempt.
        attempt: u32,
        /// The evidence that is missing.
        reason: String,
        /// When.
        at: Moment,
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
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// A failed effect is to be tried again: its recorded outcome no longer counts.
    Retry {
        /// Which effect.
        id: EffectId,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
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
        /// When.
        at: Moment,
        /// Who typed it.
        by: Who,
    },
    /// A person has an effect left out that failed or is in doubt. A deviation.
    Skipped {
        /// Which effect.
        id: EffectId,
        /// Why.
        reason: String,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// A person had a whole step left out. A deviation.
    StepSkipped {
        /// Where.
        track: TrackId,
        /// Its number.
        number: String,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
        /// Whether a person has done by hand what it would have done, as they say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// From here on the run is made of other texts. A deviation.
    Adopted {
        /// As in `Begun`.
        sources: BTreeMap<String, String>,
        /// What changed, in words: one line a step or file.
        changes: Vec<String>,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// The run goes back from here. The script's own tracks stand still; `r1`, `r2` … go on.
    Rollback {
        /// How far.
        way: RollbackScope,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// What the script asked for from record `since` on is undone and does not count any more: it may be done again.
    Undone {
        /// The number of the first record.
        since: u64,
        /// When.
        at: Moment,
    },
    /// How the run is to be steered from here on: kept, so that whoever takes it up after a death goes on the same way.
    Steered {
        /// How.
        steering: Steering,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// A line typed in the REPL, evaluated on the track `t1`, `t2` …
    Typed {
        /// Which one, from 1.
        n: u32,
        /// Where the script stood: `step 3.1`, `effect 0:17` or `end`.
        point: String,
        /// The line, as typed.
        text: String,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// A person departed from the runbook in another way.
    Deviation {
        /// What they did.
        what: String,
        /// Why.
        reason: String,
        /// The hosts that they took over for the run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<String>,
        /// When.
        at: Moment,
        /// Who.
        by: Who,
    },
    /// The run came to an end or a stop. A stop may be followed by `Opened`.
    Ended {
        /// How.
        ending: Ending,
        /// In words.
        message: String,
        /// The effect whose failure ended it, if one did. Of a run that was refused, an effect that it was refused
        /// at: one that was asked for since the run was last opened was not started.
        effect: Option<EffectId>,
        /// When.
        at: Moment,
    },
}
