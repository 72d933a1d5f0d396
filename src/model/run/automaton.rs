//! Decision tables over log events: rows of state, event, next state. Pure: the same events give the
//! same decision, so a wait can be taken up again after a crash by reading the log from its mark.
//! A table is total: what no row names goes to the row `["any", "other", …]`, which must exist.

use crate::model::span::Span;
use crate::model::text::did_you_mean;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A decision table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionTable {
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

impl DecisionTable {
    /// Whether the table can be run: its start exists, every row leads to a state that exists, and there is a row for
    /// whatever nobody thought of. States that cannot be reached are no mistake: a table may be taken up in its midst.
    ///
    /// # Errors
    /// A sentence that says what is wrong, for the caller to put into its diagnostic.
    pub fn check(&self) -> Result<(), String> {
        let states: BTreeSet<&str> = self.rows.iter().flat_map(|row| &row.states).map(String::as_str).collect();
        let unknown = |name: &str, where_from: String| {
            let near = did_you_mean(name, states.iter().copied()).map(|hint| format!("; {hint}")).unwrap_or_default();
            Err(format!("{where_from} state `{name}`, which no row describes{near}"))
        };
        if !states.contains(self.start.as_str()) {
            return unknown(&self.start, "the table starts in".into());
        }
        for (index, row) in self.rows.iter().enumerate() {
            if row.symbols.is_empty() {
                return Err(format!("row {} names no event", index + 1));
            }
            if let Some(next) = row.next.state().filter(|next| !states.contains(next)) {
                return unknown(next, format!("row {} leads to", index + 1));
            }
        }
        if let Some(name) = self.settles.keys().find(|name| !states.contains(name.as_str())) {
            return unknown(name, "`settle` names".into());
        }
        if !self.rows.iter().any(|row| row.states.is_empty() && row.symbols.contains(&Symbol::Other)) {
            return Err("the table has no row [\"any\", \"other\", …] for events that nobody thought of".into());
        }
        Ok(())
    }
}

impl Row {
    fn applies_to(&self, state: &str) -> bool {
        self.states.is_empty() || self.states.iter().any(|name| name == state)
    }
}

impl Next {
    fn state(&self) -> Option<&str> {
        match self {
            Self::State(name) => Some(name),
            Self::Stay | Self::End(_) => None,
        }
    }
}

/// What one symbol did to a [`Machine`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Where it led.
    pub turn: Turn,
    /// The warning of the row that matched, if it has one.
    pub warning: Option<String>,
}

/// Where a symbol led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The state is as it was; its waiting time goes on.
    Stay,
    /// A state was entered, perhaps the same one; its waiting time begins now.
    Moved,
    /// The table has come to this outcome.
    Ended(String),
}

/// A table at work: where it stands. Feeding it the same symbols always leads to the same place.
#[derive(Debug, Clone)]
pub struct Machine<'a> {
    table: &'a DecisionTable,
    state: &'a str,
    outcome: Option<&'a str>,
}

impl<'a> Machine<'a> {
    /// A machine in the table's start state. The table is taken as [checked](Table::check).
    #[must_use]
    pub fn new(table: &'a DecisionTable) -> Self {
        Self { table, state: &table.start, outcome: None }
    }

    /// Takes one symbol. The first row that names it for the present state decides; when none does, the
    /// first row that names `other`. An ended machine stays ended.
    pub fn feed(&mut self, symbol: Symbol) -> Transition {
        if let Some(outcome) = self.outcome {
            return Transition { turn: Turn::Ended(outcome.to_owned()), warning: None };
        }
        let Some(row) = self.row(symbol).or_else(|| self.row(Symbol::Other)) else {
            return Transition { turn: Turn::Stay, warning: None };
        };
        let turn = match &row.next {
            Next::Stay => Turn::Stay,
            Next::State(name) => {
                self.state = name;
                Turn::Moved
            }
            Next::End(outcome) => {
                self.outcome = Some(outcome);
                Turn::Ended(outcome.clone())
            }
        };
        Transition { turn, warning: (!row.warning.is_empty()).then(|| row.warning.clone()) }
    }

    /// The state it stands in, or ended in.
    #[must_use]
    pub fn state(&self) -> &'a str {
        self.state
    }

    /// How long the present state lasts before it gets the symbol `settled`, if it ends by itself.
    #[must_use]
    pub fn settle(&self) -> Option<Span> {
        if self.outcome.is_some() { None } else { self.table.settles.get(self.state).copied() }
    }

    /// The events that, as it stands, end it (`ends`), or lead it to another state, in the order of the rows.
    #[must_use]
    pub fn events_to(&self, ends: bool) -> Vec<i64> {
        let rows = self.table.rows.iter().filter(|row| row.applies_to(self.state));
        let mut found: Vec<i64> = Vec::new();
        for symbol in rows.flat_map(|row| &row.symbols) {
            let Symbol::Event(event) = *symbol else { continue };
            let next = self.row(*symbol).map(|row| &row.next);
            let counts = match next {
                Some(Next::End(_)) => ends,
                Some(Next::State(name)) => !ends && name != self.state,
                Some(Next::Stay) | None => false,
            };
            if counts && !found.contains(&event) {
                found.push(event);
            }
        }
        found
    }

    fn row(&self, symbol: Symbol) -> Option<&'a Row> {
        self.table.rows.iter().find(|row| row.applies_to(self.state) && row.symbols.contains(&symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(states: &[&str], symbols: &[Symbol], next: Next) -> Row {
        let states = states.iter().map(|name| (*name).to_owned()).collect();
        Row { states, symbols: symbols.to_vec(), next, warning: String::new() }
    }

    fn to(name: &str) -> Next {
        Next::State(name.into())
    }

    fn end(name: &str) -> Next {
        Next::End(name.into())
    }

    /// W0 -22911-> W1 -25301-> WS -10s-> OK; anything else is an anomaly, 22900 only a warning.
    fn table() -> DecisionTable {
        let mut noisy = row(&[], &[Symbol::Event(22900)], Next::Stay);
        noisy.warning = "license is short".into();
        DecisionTable {
            start: "W0".into(),
            rows: vec![
                row(&["W0"], &[Symbol::Event(22911)], to("W1")),
                row(&["W0", "W1"], &[Symbol::Event(25301)], to("WS")),
                row(&["WS"], &[Symbol::Settled], end("OK")),
                noisy,
                row(&["W1"], &[Symbol::Other], end("ODD")),
                row(&[], &[Symbol::Exit, Symbol::Limit], end("FAIL")),
                row(&[], &[Symbol::Other], end("ANOMALY")),
            ],
            settles: BTreeMap::from([("WS".into(), Span::secs(10))]),
        }
    }

    fn run(symbols: &[Symbol]) -> String {
        let table = table();
        let mut machine = Machine::new(&table);
        let turns: Vec<Turn> = symbols.iter().map(|symbol| machine.feed(*symbol).turn).collect();
        match turns.last() {
            Some(Turn::Ended(outcome)) => outcome.clone(),
            _ => machine.state().to_owned(),
        }
    }

    #[test]
    fn the_first_row_that_names_the_symbol_decides() {
        use Symbol::{Event, Exit, Settled};
        assert_eq!(table().check(), Ok(()));
        assert_eq!(run(&[Event(22911), Event(25301)]), "WS");
        assert_eq!(run(&[Event(25301), Event(22900), Settled]), "OK");
        assert_eq!(run(&[Exit]), "FAIL");
        assert_eq!(run(&[Event(7)]), "ANOMALY");
        assert_eq!(run(&[Event(22911), Event(7)]), "ODD");
        assert_eq!(run(&[Event(22911), Exit]), "FAIL", "a row for any state that names the symbol goes before `other`");
        assert_eq!(run(&[Event(7), Event(22911), Exit]), "ANOMALY", "an ended machine stays ended");
    }

    #[test]
    fn it_tells_which_events_would_end_it_as_it_stands() {
        let table = table();
        let mut machine = Machine::new(&table);
        assert_eq!((machine.events_to(true), machine.events_to(false)), (vec![], vec![22911, 25301]));
        machine.feed(Symbol::Event(22911));
        assert_eq!(machine.events_to(false), [25301], "22900 leaves it where it stands");
    }

    #[test]
    fn warnings_and_waiting_times_belong_to_rows_and_states() {
        let table = table();
        let mut machine = Machine::new(&table);
        assert_eq!(machine.settle(), None);
        assert_eq!(machine.feed(Symbol::Event(25301)), Transition { turn: Turn::Moved, warning: None });
        assert_eq!(machine.settle(), Some(Span::secs(10)));
        let warned = Transition { turn: Turn::Stay, warning: Some("license is short".into()) };
        assert_eq!(machine.feed(Symbol::Event(22900)), warned);
        machine.feed(Symbol::Settled);
        assert_eq!(machine.settle(), None);
    }

    #[test]
    fn a_table_that_cannot_be_run_is_refused() {
        type Change = fn(&mut DecisionTable);
        let cases: [(Change, &str); 5] = [
            (|t| t.start = "start".into(), "the table starts in state `start`, which no row describes"),
            (|t| t.rows[0].next = to("zz"), "row 1 leads to state `zz`, which no row describes"),
            (|t| t.rows[0].symbols.clear(), "row 1 names no event"),
            (
                |t| t.settles.extend([("WT".to_owned(), Span::secs(1))]),
                "`settle` names state `WT`, which no row describes; did you mean `W0` or `W1` or `WS`?",
            ),
            (|t| t.rows.truncate(6), "the table has no row [\"any\", \"other\", …] for events that nobody thought of"),
        ];
        for (change, message) in cases {
            let mut table = table();
            change(&mut table);
            assert_eq!(table.check(), Err(message.to_owned()));
        }
    }
}
