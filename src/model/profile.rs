//! A product's profile: how verbs become commands, where the log is, how its records look, how a
//! probe's output becomes a value. Reading a profile is pure; nothing here runs a command.

use crate::model::span::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything baton knows about a kind of service. Strings may hold `{name}` placeholders, filled
/// from the service's variables and, in verbs, from the call's arguments.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The profile's name, as services write it in `product = "…"`.
    pub product: String,
    /// One line for people.
    pub title: String,
    /// The model (in `stdlib/models/`) that imitates the product in simulation and in the lab.
    pub model: String,
    /// Variables that each service of this product must set, with what they mean.
    #[serde(default)]
    pub requires: BTreeMap<String, String>,
    /// Variables with a default, which may refer to other variables.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// What can be changed, by verb.
    #[serde(default)]
    pub verbs: BTreeMap<String, Verb>,
    /// What can be read, by name.
    #[serde(default)]
    pub probes: BTreeMap<String, Reader>,
    /// Where the log is and how its records look.
    pub log: Option<Log>,
    /// The numbered log events that matter, with their meaning for a person.
    #[serde(default)]
    pub events: BTreeMap<String, String>,
}

/// How a verb that changes something is carried out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verb {
    /// `idempotent` (has a goal state) or `once` (may be started once per attempt).
    pub class: VerbClass,
    /// The command and its arguments. No shell reads it.
    pub argv: Vec<String>,
    /// How long it may take.
    pub limit: Text<Span>,
    /// For idempotent verbs: the state that must hold afterwards, and holds already if there is nothing to do.
    pub goal: Option<GoalRule>,
    /// For `once` verbs: a command that tells whether it happened: exit 0 yes, 1 no, else unknown.
    pub check: Option<Vec<String>>,
    /// Whether a process of this verb may be ended by baton when its limit is over. Installers: never.
    #[serde(default)]
    pub killable: bool,
    /// Whether a person must type the service's name before it is done.
    #[serde(default)]
    pub severe: bool,
    /// The verb that undoes it, with the former value, for rollback.
    pub undo: Option<String>,
    /// What the person doing this is told it interrupts, for plans. One line.
    pub interrupts: Option<String>,
}

/// Whether a verb has a goal state or may be started only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerbClass {
    /// Declares a goal state; nothing to do when it holds.
    Idempotent,
    /// At most one start per attempt.
    Once,
}

/// The goal state of an idempotent verb.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalRule {
    /// The probe that tells.
    pub probe: String,
    /// The values that count as reached. `{value}` and other arguments may stand here.
    pub is: Vec<String>,
    /// How long it must go on holding.
    #[serde(default)]
    pub stays: Text<Span>,
}

/// How something is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The command and its arguments. No shell reads it.
    pub argv: Vec<String>,
    /// How long one try may take.
    #[serde(default)]
    pub limit: Option<Text<Span>>,
    /// How the output becomes a value.
    #[serde(default)]
    pub reads: Reading,
}

/// How a probe's output becomes a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// The output without surrounding white space.
    #[default]
    Text,
    /// A whole number.
    Int,
    /// `yes`/`true`/`on`/`1` or `no`/`false`/`off`/`0`.
    Flag,
    /// One text a line.
    Lines,
    /// The text itself, which must be one of these words; anything else reads as `unknown`.
    Words(Vec<String>),
}

/// Where a service's log is, and what a record looks like.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The folder.
    pub dir: String,
    /// The files in it, `*` allowed.
    pub files: String,
    /// Anchored patterns, each with one capture group: the event's number.
    pub event_patterns: Vec<String>,
}

/// A value that TOML writes as text, such as a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Text<T>(pub T);

impl<'de> Deserialize<'de> for Text<Span> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Span::parse(&text).map(Text).map_err(serde::de::Error::custom)
    }
}
