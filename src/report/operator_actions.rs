//! What people did to a run, in words: verdicts, answers from elsewhere, skips, edits, ways back. One place for these
//! words, so that screen, summary and `show` say the same. It must not judge.

use super::layout::{Badge, badge};
use super::style::Tone;
use crate::model::run::record::{EffectId, FROM_RUN, Record, RollbackScope};
use crate::model::text::{lines_shown, shown};
use crate::model::value::{Fields, Value};

/// A change or wait whose goal held already; nothing was done.
pub const ALREADY: Badge = badge('=', "same", Tone::Good);
/// Left out by a person.
pub const SKIPPED: Badge = badge('»', "skip", Tone::Warn);
/// The run never came there.
pub const NOT_REACHED: Badge = badge('○', "ahead", Tone::Dim);

/// Something a person did to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorAction {
    /// How it is marked.
    pub badge: Badge,
    /// When, wall clock milliseconds.
    pub at: i64,
    /// What, safe to show.
    pub words: String,
    /// Whether the run departed from its runbook by it.
    pub deviates: bool,
}

/// What a record tells of a person's deed; nothing when it tells of none. `label` names an effect.
pub fn deed(record: &Record, label: impl Fn(&EffectId) -> String) -> Option<OperatorAction> {
    let told = |mark: Badge, at: i64, words: String, deviates: bool| {
        Some(OperatorAction { badge: mark, at, words: lines_shown(&words), deviates })
    };
    match record {
        Record::Settled { id, happened, reason, at, by, .. } => {
            let word = if *happened { "happened" } else { "did not happen" };
            let words = format!("{} {word}, says {}: {reason}", label(id), by.user);
            told(badge('✓', "answer", Tone::Good), at.wall, words, true)
        }
        Record::Retry { id, at, by } => {
            let words = format!("{} is tried again by {}", label(id), by.user);
            told(badge('·', "again", Tone::Plain), at.wall, words, true)
        }
        Record::Answered { id, word, note, name, at, by, .. } => {
            let typed = if *name == by.user { String::new() } else { format!(" (typed by {})", by.user) };
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            let words = format!("{word}, answered by {name}{typed} from elsewhere{note} - {}", label(id));
            told(badge('✓', "answer", Tone::Good), at.wall, words, false)
        }
        Record::Skipped { id, reason, at, by } => {
            told(SKIPPED, at.wall, format!("{} skipped by {}: {reason}", label(id), by.user), true)
        }
        Record::StepSkipped { number, name, reason, by_hand: true, at, by, .. } => {
            let words = format!("step {number} `{name}` was done by hand, says {}: {reason}", by.user);
            told(badge('✓', "answer", Tone::Good), at.wall, words, true)
        }
        Record::StepSkipped { number, name, reason, at, by, .. } => {
            told(SKIPPED, at.wall, format!("step {number} `{name}` skipped by {}: {reason}", by.user), true)
        }
        Record::Adopted { changes, at, by, .. } => {
            let words = format!("edited texts adopted by {}: {}", by.user, changes.join("; "));
            told(badge('·', "note", Tone::Warn), at.wall, words, true)
        }
        Record::Rollback { way, at, by } => {
            let words = match way {
                RollbackScope::All => format!("rolling back, by {}", by.user),
                RollbackScope::To(step) => format!("rolling back to before step {step}, by {}", by.user),
                RollbackScope::Abort => format!("given up by {}; what is owed is done now", by.user),
            };
            told(badge('↶', "back", Tone::Warn), at.wall, words, true)
        }
        Record::Deviation { what, reason, at, by, .. } => {
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            told(badge('!', "noted", Tone::Warn), at.wall, format!("{what}, by {}{why}", by.user), true)
        }
        Record::Begun { .. } | Record::Opened { .. } | Record::StepBegun { .. } | Record::StepEnded { .. } => None,
        Record::Intent { .. } | Record::Outcome { .. } | Record::Read { .. } | Record::Doubt { .. } => None,
        Record::Typed { text, at, .. } => {
            told(badge('›', "typed", Tone::Plain), at.wall, text.replace('\n', " "), false)
        }
        Record::Undone { .. } | Record::Steered { .. } | Record::Ended { .. } => None,
    }
}

/// Parameters as they were given.
pub fn given(params: &Fields) -> Vec<String> {
    let given = |(name, value): (&String, &Value)| match value.to_string() {
        _ if name == FROM_RUN => format!("after run {}", value.get("run").unwrap_or(value)),
        empty if empty.is_empty() => format!("{name}=\"\""),
        value => format!("{name}={value}"),
    };
    params.iter().map(given).collect()
}

/// An answer and who gave it.
#[must_use]
pub fn answer(value: &Value) -> String {
    let field = |name| value.get(name).and_then(Value::as_text).unwrap_or("");
    let word = if value.as_map().is_some() { field("word").to_owned() } else { value.to_string() };
    let by = if field("by").is_empty() { String::new() } else { format!(", answered by {}", shown(field("by"))) };
    let note = if field("note").is_empty() { String::new() } else { format!(": {}", lines_shown(field("note"))) };
    format!("{}{by}{note}", shown(&word))
}
