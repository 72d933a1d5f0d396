//! Events: what a run tells while it goes on. Every record is an event; a few more pass by without being kept.
//! Sinks (terminal, JSON lines) receive them and decide nothing.

use super::effect::Effect;
use super::place::PlaceData;
use super::record::{EffectId, Moment, Record};
use crate::model::span::Span;
use serde::Serialize;
use std::rc::Rc;

/// Something that happened in a run. It is told and gone: boxes in it would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A record is durable.
    Recorded {
        /// Its number in the journal.
        seq: u64,
        /// The record.
        #[serde(flatten)]
        record: Rc<Record>,
        /// Whether it was there before this runner began (a replayed record), which a sink may fold.
        replayed: bool,
    },
    /// An effect waits for something.
    Waiting {
        /// Its position.
        id: EffectId,
        /// For what, in words.
        what: String,
        /// How it stands by the last look, in words; empty when there was none.
        #[serde(skip_serializing_if = "String::is_empty")]
        reading: String,
        /// How much longer at the most.
        left: Option<Span>,
        /// When it was told, by the clocks of the runner.
        at: Moment,
    },
    /// A log record that a wait looked at and counted.
    LogSeen {
        /// Which wait.
        id: EffectId,
        /// The service.
        service: String,
        /// The event's number, if it has one.
        number: Option<i64>,
        /// What that event means, if the profile says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        meaning: Option<String>,
        /// How often the wait has seen that event by now.
        times: usize,
        /// The line; foreign text.
        line: String,
        /// When it was told, by the clocks of the runner.
        at: Moment,
    },
    /// Output of a job as it comes; foreign text.
    Output {
        /// Which job.
        id: EffectId,
        /// Some of it.
        text: String,
        /// When it was told, by the clocks of the runner.
        at: Moment,
    },
    /// A change or wait that is held until a person lets it go.
    Ahead {
        /// Its position.
        id: EffectId,
        /// Which attempt, from 1.
        attempt: u32,
        /// The number of the innermost step; empty outside steps.
        step: String,
        /// The name of that step.
        step_name: String,
        /// What is about to be asked.
        effect: Effect,
        /// Its place in the runbook.
        place: Option<PlaceData>,
        /// When it was told, by the clocks of the runner.
        at: Moment,
    },
    /// Whoever steers is asked for a line, behind this prompt.
    Prompt {
        /// What stands before the line.
        prompt: String,
    },
    /// The line is typed, or nobody will type one.
    Typed {
        /// The line; nothing when nobody will type one.
        line: Option<String>,
    },
    /// The words that can be typed now, each with what it does.
    Words {
        /// Word and meaning, in the order they are shown.
        words: Vec<(String, String)>,
    },
    /// Something the operator should know that is not part of the record.
    Notice {
        /// A sentence, with the command that helps.
        text: String,
    },
}

/// Receives events.
pub trait Sink {
    /// Takes note of one event. Must not fail and must not block for long.
    fn event(&mut self, event: &Event);
}
