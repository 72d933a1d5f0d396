//! What the records of a run add up to: steps, time, deviations, and for how long which service was stopped or
//! read-only. Pure reading of records; it claims no more than the runner could see and prints nothing.

use crate::model::effect::{Action, Effect, Outcome};
use crate::model::record::{EffectId, Ending, Record, TrackId};
use crate::model::text::shown;
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The state of a service that an interval tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Its process does not run.
    Stopped,
    /// It takes no changes from its clients.
    ReadOnly,
}

/// For how long a service was in a condition, as the runner saw it: from asking for it until it was known to be over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Which service.
    pub service: String,
    /// In which condition.
    pub condition: Condition,
    /// Since when, wall clock milliseconds.
    pub from: i64,
    /// Until when; none if it was so when the records end.
    pub until: Option<i64>,
}

/// Something that did not go as the runbook has it, or that a reader of the record should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// When, wall clock milliseconds.
    pub at: i64,
    /// What, safe to show.
    pub text: String,
}

/// A question that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The gate's name.
    pub gate: String,
    /// The answer.
    pub word: String,
    /// Who answered, as far as it is recorded.
    pub by: String,
}

/// A whole run, added up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// The run.
    pub run: String,
    /// Its runbook.
    pub runbook: String,
    /// Where it acts.
    pub estate: String,
    /// When it began, wall clock milliseconds.
    pub started: i64,
    /// When its last record was made.
    pub last: i64,
    /// How it ended or stopped; none while it is under way or after its runner died.
    pub ending: Option<Ending>,
    /// The ending in words.
    pub message: String,
    /// Steps that began.
    pub steps: usize,
    /// Steps that ended well.
    pub steps_done: usize,
    /// Changes that were made.
    pub changes: usize,
    /// Changes whose goal held already.
    pub already: usize,
    /// How often a runner took it up again.
    pub resumed: usize,
    /// Questions and their answers.
    pub answers: Vec<Answered>,
    /// What did not go as planned.
    pub deviations: Vec<Deviation>,
    /// Services stopped or read-only, by beginning.
    pub intervals: Vec<Interval>,
    /// The role of each service when it was last read.
    pub roles: BTreeMap<String, String>,
}

/// Adds up the records of a run, in order.
#[must_use]
pub fn summarise(run: &str, records: &[Record]) -> Summary {
    let mut adder = Adder { sum: Summary { run: run.to_owned(), ..Summary::default() }, ..Adder::default() };
    for record in records {
        adder.add(record);
    }
    let Adder { mut sum, begun, done, open, .. } = adder;
    sum.steps = begun.len();
    sum.steps_done = done.len();
    sum.intervals.extend(open.into_iter().map(|((service, condition), from)| Interval {
        service,
        condition,
        from,
        until: None,
    }));
    sum.intervals.sort_by(|a, b| (a.from, &a.service).cmp(&(b.from, &b.service)));
    sum
}

#[derive(Default)]
struct Adder {
    sum: Summary,
    begun: BTreeSet<(TrackId, String)>,
    done: BTreeSet<(TrackId, String)>,
    intents: BTreeMap<EffectId, (Effect, i64, String)>,
    open: BTreeMap<(String, Condition), i64>,
}

impl Adder {
    fn add(&mut self, record: &Record) {
        match record {
            Record::Begun { runbook, estate, at, .. } => {
                self.sum.runbook.clone_from(runbook);
                self.sum.estate.clone_from(estate);
                self.sum.started = at.wall;
                self.sum.last = at.wall;
            }
            Record::Opened { at, .. } => {
                self.sum.resumed += 1;
                self.sum.ending = None;
                self.seen(at.wall);
            }
            Record::StepBegun { track, number, at, .. } => {
                self.begun.insert((track.clone(), number.clone()));
                self.seen(at.wall);
            }
            Record::StepEnded { track, number, failed, at } => {
                if failed.is_none() {
                    self.done.insert((track.clone(), number.clone()));
                }
                self.seen(at.wall);
            }
            Record::Intent { id, step, effect, at, .. } => {
                self.intents.insert(id.clone(), (effect.clone(), at.wall, step.clone()));
                self.seen(at.wall);
            }
            Record::Outcome { id, outcome, at, .. } => {
                if let Some((effect, since, step)) = self.intents.get(id).cloned() {
                    self.settle(&effect, &step, outcome, since, at.wall);
                }
                self.seen(at.wall);
            }
            Record::Read { step, effect, outcome, at, .. } => {
                self.settle(effect, step, outcome, at.wall, at.wall);
                self.seen(at.wall);
            }
            Record::Doubt { id, reason, at, .. } => self.doubted(id, reason, at.wall),
            Record::Settled { id, happened, reason, at, by, .. } => {
                let words = if *happened { "happened" } else { "did not happen" };
                let text = format!("{} {words}, says {}: {reason}", self.label(id), by.user);
                self.deviation(at.wall, &text);
            }
            Record::Retry { id, at, by } => {
                let text = format!("{} tried again by {}", self.label(id), by.user);
                self.deviation(at.wall, &text);
            }
            Record::Ended { ending, message, at, .. } => {
                self.sum.ending = Some(*ending);
                self.sum.message.clone_from(message);
                self.seen(at.wall);
            }
        }
    }

    fn seen(&mut self, wall: i64) {
        self.sum.last = wall;
    }

    fn label(&self, id: &EffectId) -> String {
        self.intents.get(id).map_or_else(|| format!("effect {id}"), |(effect, _, _)| effect.label.clone())
    }

    fn doubted(&mut self, id: &EffectId, reason: &str, wall: i64) {
        let text = format!("{} is in doubt: {reason}", self.label(id));
        self.deviation(wall, &text);
    }

    fn deviation(&mut self, wall: i64, text: &str) {
        self.seen(wall);
        self.sum.deviations.push(Deviation { at: wall, text: shown(text) });
    }

    /// What an effect with its outcome adds.
    fn settle(&mut self, effect: &Effect, step: &str, outcome: &Outcome, since: i64, wall: i64) {
        let value = match outcome {
            Outcome::Failed(failure) => {
                let step = if step.is_empty() { String::new() } else { format!("step {step}: ") };
                self.deviation(wall, &format!("{step}{} failed: {}", effect.label, failure.message));
                return;
            }
            Outcome::Done { value, .. } => value,
        };
        let service = effect.service.as_deref();
        match &effect.action {
            Action::Job(job) => {
                let changed = value.get("changed").and_then(Value::as_bool).unwrap_or(true);
                if changed {
                    self.sum.changes += 1;
                } else {
                    self.sum.already += 1;
                }
                if let (Some(service), true) = (service, changed) {
                    self.changed(service, &job.verb, since, wall);
                }
            }
            Action::Probe(probe) => self.read(service, &probe.what, value, wall),
            Action::Until(until) => self.read(service, &until.probe.what, value, wall),
            Action::Ask(ask) => {
                let field = |name| value.get(name).and_then(Value::as_text).map(str::to_owned);
                let word = field("word").unwrap_or_else(|| value.to_string());
                let by = field("by").unwrap_or_default();
                self.sum.answers.push(Answered { gate: ask.gate.clone(), word: shown(&word), by: shown(&by) });
            }
            Action::Note { text, warning: true } => self.deviation(wall, &format!("warning: {text}")),
            Action::Note { .. } | Action::Log(_) | Action::Sleep { .. } | Action::Capture(_) => {}
        }
    }

    /// What a verb does to the service's condition.
    fn changed(&mut self, service: &str, verb: &str, since: i64, wall: i64) {
        match verb {
            "shutdown" => self.enter(service, Condition::Stopped, since),
            "start" => self.leave(service, Condition::Stopped, wall),
            "set_readonly" => self.enter(service, Condition::ReadOnly, since),
            "unset_readonly" => self.leave(service, Condition::ReadOnly, wall),
            _ => {}
        }
    }

    /// What a reading tells of the service's condition.
    fn read(&mut self, service: Option<&str>, what: &str, value: &Value, wall: i64) {
        let Some(service) = service else { return };
        match (what, value) {
            ("role", Value::Text(role)) => {
                self.sum.roles.insert(service.to_owned(), shown(role));
            }
            ("status", Value::Text(status)) if status == "stopped" => self.enter(service, Condition::Stopped, wall),
            ("status", Value::Text(status)) if status == "running" => self.leave(service, Condition::Stopped, wall),
            ("readonly" | "is_readonly", Value::Bool(true)) => self.enter(service, Condition::ReadOnly, wall),
            ("readonly" | "is_readonly", Value::Bool(false)) => self.leave(service, Condition::ReadOnly, wall),
            _ => {}
        }
    }

    fn enter(&mut self, service: &str, condition: Condition, wall: i64) {
        self.open.entry((service.to_owned(), condition)).or_insert(wall);
    }

    fn leave(&mut self, service: &str, condition: Condition, wall: i64) {
        if let Some(from) = self.open.remove(&(service.to_owned(), condition)) {
            let until = Some(wall);
            self.sum.intervals.push(Interval { service: service.to_owned(), condition, from, until });
        }
    }
}
