//! A decision table at work on a log: every counted event is fed to it in order, and the passing of time and the
//! exit of the service as well. It reads no file and takes no decision the table does not state.

use crate::exec::scan::{Hit, Scanner};
use crate::exec::seeker::{CountedLines, Seeker};
use crate::model::run::automaton::{DecisionTable, Machine, Symbol, Turn};
use crate::model::run::instant::Mono;
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many events a watch names that it waits for.
const EVENTS_TOLD: usize = 4;

/// A table and what it has seen.
pub(super) struct TableRun<'a> {
    machine: Machine<'a>,
    scanner: Rc<Scanner>,
    seen: CountedLines<'a>,
    events: Vec<i64>,
    warnings: Vec<String>,
    outcome: Option<String>,
    /// When the first event must have come, if that is limited.
    contact: Option<Mono>,
    /// When the present state has lasted as long as it may by itself.
    settles: Option<Mono>,
}

impl<'a> TableRun<'a> {
    /// A table in its start state. `contact` is when it takes the lack of any event for the end of the limit.
    pub(super) fn new(
        table: &'a DecisionTable,
        scanner: Rc<Scanner>,
        seen: CountedLines<'a>,
        contact: Option<Mono>,
    ) -> Self {
        let machine = Machine::new(table);
        let mut run = Self {
            machine,
            scanner,
            seen,
            events: Vec::new(),
            warnings: Vec::new(),
            outcome: None,
            contact,
            settles: None,
        };
        run.state_entered();
        run
    }

    /// Feeds the event of a line to the table, if it records one.
    fn count(&mut self, hit: &Hit<'_>) -> bool {
        let Some(number) = hit.event else { return false };
        self.seen.tell(hit);
        self.contact = None;
        self.events.push(number);
        self.feed(Symbol::Event(number));
        true
    }

    fn feed(&mut self, symbol: Symbol) {
        let step = self.machine.feed(symbol);
        self.warnings.extend(step.warning);
        match step.turn {
            Turn::Stay => {}
            Turn::Moved => self.state_entered(),
            Turn::Ended(outcome) => self.outcome = Some(outcome),
        }
    }

    fn state_entered(&mut self) {
        self.settles = self.machine.settle().map(|span| self.seen.link.now().mono + span);
    }
}

/// The events in words, each with its meaning, in the order in which they first came; repeated ones are counted.
fn told(events: &[i64], meanings: &BTreeMap<String, String>) -> String {
    let mut counted: Vec<(i64, usize)> = Vec::new();
    for event in events {
        match counted.iter_mut().find(|(known, _)| known == event) {
            Some((_, count)) => *count += 1,
            None => counted.push((*event, 1)),
        }
    }
    let one = |(event, count): &(i64, usize)| {
        let times = if *count == 1 { String::new() } else { format!(", {count} times") };
        let meaning = meanings.get(&event.to_string()).map(|text| format!(" ({text})")).unwrap_or_default();
        format!("{event}{times}{meaning}")
    };
    if counted.is_empty() { "none".into() } else { counted.iter().map(one).collect::<Vec<_>>().join("; ") }
}

/// The events that would end the watch, or, where none does as it stands, those that bring it further.
fn awaited(ends: &[i64], leads_on: &[i64]) -> String {
    let events = if ends.is_empty() { leads_on } else { ends };
    let told = |events: &[i64]| events.iter().map(ToString::to_string).collect::<Vec<_>>();
    match events {
        [] => "time to pass".into(),
        _ if events.len() > EVENTS_TOLD => {
            let first = told(&events[..EVENTS_TOLD - 1]).join(", ");
            format!("{first} or one of {} others", events.len() - EVENTS_TOLD + 1)
        }
        _ => told(events).join(" or "),
    }
}

impl Seeker for TableRun<'_> {
    fn lines(&mut self, lines: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(hit) = self.scanner.scan(lines, at) {
            at = hit.end;
            self.count(&hit);
            if self.outcome.is_some() {
                return Some(at);
            }
        }
        None
    }

    fn unfinished(&mut self, line: &[u8]) -> bool {
        let scanner = Rc::clone(&self.scanner);
        scanner.unfinished(line).is_some_and(|hit| self.count(&hit))
    }

    fn timer(&self) -> Option<Mono> {
        [self.contact, self.settles].into_iter().flatten().min()
    }

    fn timer_over(&mut self) {
        let now = self.seen.link.now().mono;
        if self.contact.take_if(|contact| *contact <= now).is_some() {
            self.feed(Symbol::Limit);
        } else if self.settles.take_if(|settles| *settles <= now).is_some() {
            self.feed(Symbol::Settled);
        }
    }

    fn gone(&mut self) {
        self.feed(Symbol::Exit);
    }

    fn over(&mut self) {
        self.feed(Symbol::Limit);
    }

    fn awaits(&self) -> String {
        awaited(&self.machine.events_to(true), &self.machine.events_to(false))
    }

    fn result(&self) -> Option<Value> {
        let outcome = self.outcome.as_deref()?;
        let mut counts = BTreeMap::new();
        for event in &self.events {
            *counts.entry(event.to_string()).or_insert(0_i64) += 1;
        }
        Some(Value::map([
            ("outcome", outcome.into()),
            ("state", self.machine.state().into()),
            ("events", Value::List(self.events.iter().copied().map(Value::Int).collect())),
            ("counts", Value::map(counts.into_iter().map(|(event, count)| (event, Value::Int(count))))),
            ("told", told(&self.events, self.seen.meanings).into()),
            ("warnings", Value::List(self.warnings.iter().cloned().map(Value::Text).collect())),
        ]))
    }
}
