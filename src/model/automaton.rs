//! Decision tables over log events: rows of state, event, next state. Pure: the same events give the
//! same decision, so a wait can be taken up again after a crash by reading the log from its mark.
//! A table is total: what no row names goes to the row `["any", "other", …]`, which must exist.

use crate::model::span::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A decision table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The state it begins in.
    pub start: String,
    /// Rows, first match wins.
    pub rows: Vec<Row>,
    /// States that are left by themselves after a while, with how long; the symbol is then `settled`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settles: BTreeMap<String, Span>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The states it applies to; empty means any.
    pub states: Vec<String>,
    /// The symbols it applies to.
    pub symbols: Vec<Symbol>,
    /// Where it leads.
    pub next: Next,
    /// A warning that goes with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub warning: String,
}

/// What a table is fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symbol {
    /// A log event.
    Event(i64),
    /// The process has exited.
    Exit,
    /// The limit is over.
    Limit,
    /// The state's own waiting time is over.
    Settled,
    /// Any event that no other row names for the state.
    Other,
}

/// Where a row leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Next {
    /// Stay in the same state.
    Stay,
    /// Go to a state.
    State(String),
    /// End with an outcome.
    End(String),
}
