//! Why a record cannot stand where it stands, and the sentence that says so: which call of which step it is about,
//! asked for when. It only describes; the reading of the records decides.

use super::Stored;
use super::entries::asked_in;
use super::lifecycle::{EffectPhase, Illegal, StepPhase};
use crate::error::{Error, Kind};
use crate::model::run::instant::Wall;
use crate::model::run::record::{Asked, EffectId, Fact, TrackId};
use crate::model::text::shown;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Misplaced {
    /// Something of the whole run, as a sentence.
    Run(String),
    /// A step.
    Step {
        /// Its number.
        number: String,
        /// How it stood; nothing when it never began.
        before: Option<StepPhase>,
    },
    /// A call of the runbook.
    Call(EffectId, Why),
}

/// What is wrong with a record about a call of the runbook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Why {
    /// Nothing asks for it.
    NeverAsked,
    /// A further attempt is asked for, and the first one never was.
    NoFirst {
        /// The attempt that the record asks for, from 1.
        attempt: u32,
    },
    /// Another attempt is asked for than the next one.
    NotNext {
        /// The attempt that the record asks for, from 1.
        attempt: u32,
        /// The one before.
        before: u32,
    },
    /// Something later was asked for already.
    Late {
        /// The number of it, on the same track.
        after: u64,
    },
    /// The record is about another attempt than the present one.
    Other {
        /// Which it is about.
        attempt: u32,
        /// The present one.
        now: u32,
    },
    /// How it stands does not allow it.
    Stands(EffectPhase),
    /// It is a change that is done.
    Done,
    /// Changes were made after it.
    Followed,
}

impl From<Illegal> for Why {
    fn from(illegal: Illegal) -> Self {
        match illegal {
            Illegal::Stands(phase) => Self::Stands(phase),
            Illegal::Done => Self::Done,
        }
    }
}

impl From<&str> for Misplaced {
    fn from(sentence: &str) -> Self {
        Self::Run(sentence.to_owned())
    }
}

/// The refusal of the record at `index`; `all` are the records of the run, up to that one at the least.
pub(super) fn refusal(wrong: &Misplaced, index: usize, all: &[Stored]) -> Box<Error> {
    let seq = all.get(index).map_or(1, |stored| stored.seq);
    let sentence = match wrong {
        Misplaced::Run(sentence) => sentence.clone(),
        Misplaced::Step { number, before: None } => format!("step {number} ends here and never began"),
        Misplaced::Step { number, before: Some(StepPhase::Begun) } => format!("step {number} had begun before"),
        Misplaced::Step { number, before: Some(StepPhase::Ended { .. }) } => format!("step {number} had ended before"),
        Misplaced::Step { number, before: Some(StepPhase::Skipped) } => format!("step {number} was left out before"),
        Misplaced::Call(id, why) => of_call(id, *why, index, all),
    };
    damaged(seq, &sentence)
}

/// A journal with a record that no runner can have written there.
pub(super) fn damaged(seq: u64, sentence: &str) -> Box<Error> {
    Error::new(Kind::Refused, format!("record {seq} cannot stand where it stands: {sentence}"))
        .hint("the journal is damaged, or two runners wrote to it; nothing was done")
        .hint("keep a copy of the state directory for a look, then put it back from a backup")
        .hint("see which runs are sound: baton runs")
}

fn of_call(id: &EffectId, why: Why, index: usize, all: &[Stored]) -> String {
    let holds = all.get(index).map_or("tells of", |stored| tells(&stored.record.fact));
    let call = call(id, index, all);
    match why {
        Why::NeverAsked => {
            let place = place(&id.track, index, all);
            format!("it {holds} a call{place} that was never asked for")
        }
        Why::NoFirst { attempt } => format!("it asks for attempt {attempt} of {call}, and no attempt came before"),
        Why::NotNext { attempt, before } => format!("it asks for attempt {attempt} of {call}, after attempt {before}"),
        Why::Late { after } => {
            let later = self::call(&EffectId { track: id.track.clone(), n: after }, index, all);
            format!("it asks for {call}, which comes before {later}")
        }
        Why::Other { attempt, now } => {
            format!("it {holds} attempt {attempt} of {call}, of which attempt {now} is the last")
        }
        Why::Stands(phase) => format!("it {holds} {call}, which {}", phase.words()),
        Why::Done => format!("it {holds} {call}, which is a change that is done"),
        Why::Followed => format!("it {holds} {call}, behind which other things were changed"),
    }
}

/// What a record does, before the name of the call that it is about.
fn tells(fact: &Fact) -> &'static str {
    match fact {
        Fact::Intent { .. } => "asks for",
        Fact::Read { .. } => "holds what was read by",
        Fact::Outcome { .. } => "holds the outcome of",
        Fact::Doubt { .. } => "holds a doubt about",
        Fact::Settled { .. } => "holds a person's word on",
        Fact::Retry { .. } => "wants another attempt of",
        Fact::Answered { .. } => "holds an answer to",
        Fact::Skipped { .. } => "leaves out",
        Fact::Begun { .. } | Fact::Opened | Fact::StepBegun { .. } | Fact::StepEnded { .. } => "tells of",
        Fact::StepSkipped { .. } | Fact::Undone { .. } | Fact::Adopted { .. } | Fact::Rollback { .. } => "tells of",
        Fact::Steered { .. } | Fact::Typed { .. } | Fact::Deviation { .. } | Fact::Ended { .. } => "tells of",
    }
}

/// A call by its words, its step and when it was asked for last, as far as the records before the one at `index`
/// tell, or that one itself.
fn call(id: &EffectId, index: usize, all: &[Stored]) -> String {
    let asks = |at: &usize| {
        let asked = all.get(*at).and_then(|stored| stored.record.asked());
        asked.is_some_and(|asked| asked.id == id)
    };
    let asked = (0..index).rev().chain([index]).find(asks);
    let Some(asked) = asked.and_then(|at| asked_in(all, at)) else {
        return "a call".to_owned();
    };
    let Asked { step, effect, at, .. } = asked;
    let step = if step.is_empty() { "outside steps".to_owned() } else { format!("step {step}") };
    format!("`{}` ({step}, asked for at {})", shown(&effect.label), utc(at.wall))
}

/// The step that a track was in last, where the records tell.
fn place(track: &TrackId, index: usize, all: &[Stored]) -> String {
    let begun = all.iter().take(index).rev().find_map(|stored| {
        let Fact::StepBegun { track: of, number, name, .. } = &stored.record.fact else { return None };
        (of == track).then_some((number, name))
    });
    begun.map_or_else(String::new, |(number, name)| format!(" of step {number} `{}`", shown(name)))
}

fn utc(wall: Wall) -> String {
    let time = wall.timestamp().unwrap_or_default();
    format!("{time:.0}")
}
