//! What people did to a run, in words: verdicts, answers from elsewhere, skips, edits, ways back. One place for these
//! words, so that screen, summary and `show` say the same. It must not judge.

use super::layout::{Badge, badge};
use super::style::Tone;
use crate::model::run::instant::Wall;
use crate::model::run::record::{EffectId, FROM_RUN, Fact, Record, RollbackScope};
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
    pub at: Wall,
    /// What, safe to show.
    pub words: String,
    /// Whether the run departed from its runbook by it.
    pub deviates: bool,
}

/// What a record tells of a person's deed; nothing when it tells of none. `label` names an effect.
pub fn deed(record: &Record, label: impl Fn(&EffectId) -> String) -> Option<OperatorAction> {
    let user = record.user();
    let told = |mark: Badge, words: String, deviates: bool| {
        Some(OperatorAction { badge: mark, at: record.at.wall, words: lines_shown(&words), deviates })
    };
    let answered = badge('✓', "answer", Tone::Good);
    match &record.fact {
        Fact::Settled { id, happened, reason, .. } => {
            let word = if *happened { "happened" } else { "did not happen" };
            told(answered, format!("{} {word}, says {user}: {reason}", label(id)), true)
        }
        Fact::Retry { id } => {
            told(badge('·', "again", Tone::Plain), format!("{} is tried again by {user}", label(id)), true)
        }
        Fact::Answered { id, word, note, name, .. } => {
            let typed = if name == user { String::new() } else { format!(" (typed by {user})") };
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            told(answered, format!("{word}, answered by {name}{typed} from elsewhere{note} - {}", label(id)), false)
        }
        Fact::Skipped { id, reason } => told(SKIPPED, format!("{} skipped by {user}: {reason}", label(id)), true),
        Fact::StepSkipped { number, name, reason, by_hand: true, .. } => {
            told(answered, format!("step {number} `{name}` was done by hand, says {user}: {reason}"), true)
        }
        Fact::StepSkipped { number, name, reason, by_hand: false, .. } => {
            told(SKIPPED, format!("step {number} `{name}` skipped by {user}: {reason}"), true)
        }
        Fact::Adopted { changes, .. } => {
            let words = format!("edited texts adopted by {user}: {}", changes.join("; "));
            told(badge('·', "note", Tone::Warn), words, true)
        }
        Fact::Rollback { way } => {
            let words = match way {
                RollbackScope::All => format!("rolling back, by {user}"),
                RollbackScope::To(step) => format!("rolling back to before step {step}, by {user}"),
                RollbackScope::Abort => format!("given up by {user}; what is owed is done now"),
            };
            told(badge('↶', "back", Tone::Warn), words, true)
        }
        Fact::Deviation { what, reason, .. } => {
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            told(badge('!', "noted", Tone::Warn), format!("{what}, by {user}{why}"), true)
        }
        Fact::Typed { text, .. } => told(badge('›', "typed", Tone::Plain), text.replace('\n', " "), false),
        Fact::Begun { .. } | Fact::Opened | Fact::StepBegun { .. } | Fact::StepEnded { .. } => None,
        Fact::Intent { .. } | Fact::Outcome { .. } | Fact::Read { .. } | Fact::Doubt { .. } => None,
        Fact::Undone { .. } | Fact::Steered { .. } | Fact::Ended { .. } => None,
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
