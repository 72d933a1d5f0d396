//! What the records of a run add up to: steps, time, deviations, and for how long which pair was without service or
//! redundancy and which service was stopped. Pure reading of records; it claims no more than the runner could see and
//! prints nothing.

use super::operator_actions::deed;
use crate::journal::left_out::{LeftOut, LeftOutRuling, Spoken};
use crate::model::run::effect::{Action, Effect, Outcome};
use crate::model::run::estate::EstateId;
use crate::model::run::instant::Wall;
use crate::model::run::meaning::{ProbeMeaning, RUNNING, STOPPED, VerbMeaning};
use crate::model::run::record::{EffectId, Ending, Fact, Record, RollbackScope, TrackId, Who};
use crate::model::site::inventory::Pair;
use crate::model::text::{lines_shown, shown};
use crate::model::value::Value;
use crate::report::clients::{Clients, Moved};
use crate::report::fates::Fates;
use crate::report::questions::{QuestionLog, RecordedQuestion};
use crate::report::redundancy::{Condition, ObservedInterval, Redundancy};
use crate::report::roles::Roles;
use std::collections::{BTreeMap, BTreeSet};

/// Something that did not go as the runbook has it, or that a reader of the record should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// When, wall clock milliseconds.
    pub at: Wall,
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
    pub estate: EstateId,
    /// When it began, wall clock milliseconds.
    pub started: Wall,
    /// When its last record was made.
    pub last: Wall,
    /// How it ended or stopped; none while it is under way or after its runner died.
    pub ending: Option<Ending>,
    /// The ending in words.
    pub message: String,
    /// Steps that began.
    pub steps: usize,
    /// Steps that ended well.
    pub steps_done: usize,
    /// Steps of ways back that ended well.
    pub steps_undone: usize,
    /// Whether it went back to a step, from which it can go on.
    pub goes_on: bool,
    /// Whether it is on its way back, and has not come to the end of it.
    pub goes_back: bool,
    /// Whether that is because it is being given up.
    pub gives_up: bool,
    /// What there is only a person's word for on its ways back, left out or done.
    pub spoken: Vec<Spoken>,
    /// Whether anything was ever asked to change.
    pub touched: bool,
    /// Changes that did not end well and may have changed something all the same.
    pub unclear: usize,
    /// Changes that were in doubt and left out: who had them left out, of each.
    pub left_in_doubt: Vec<String>,
    /// Changes of which nobody knows whether they happened, or have ended, of a run that was given up.
    pub unknown: Vec<String>,
    /// Changes that were made.
    pub changes: usize,
    /// How many of them were made by lines typed in the REPL, of which no way back knows.
    pub typed: usize,
    /// How many of those that may have changed something all the same were of such lines.
    pub typed_unclear: usize,
    /// Changes whose goal held already.
    pub already: usize,
    /// How often a runner took it up again.
    pub resumed: usize,
    /// Questions and their answers.
    pub answers: Vec<Answered>,
    /// The questions that nobody has answered yet, of a run that is not over.
    pub open: Vec<RecordedQuestion>,
    /// What did not go as planned.
    pub deviations: Vec<Deviation>,
    /// Who had to do without what; the worst first, then by beginning.
    pub intervals: Vec<ObservedInterval>,
    /// The pairs that were changed and, as far as their roles were read, never were without somebody who serves.
    pub unbroken: Vec<String>,
    /// Where the clients went of each server that went away.
    pub clients: Vec<Moved>,
    /// The role of each service when it was last read, and whether that still counts.
    pub roles: Roles,
}

/// Adds up the records of a run, in order. `pairs` are those of its site.
#[must_use]
pub fn summarise<'a>(
    run: &str,
    records: impl IntoIterator<Item = &'a Record>,
    pairs: &BTreeMap<String, Pair>,
) -> Summary {
    let sum = Summary { run: run.to_owned(), ..Summary::default() };
    let (redundancy, clients) = (Redundancy::of(pairs), Clients::of(pairs));
    let mut adder = Adder { sum, redundancy, clients, ..Adder::default() };
    for record in records {
        adder.add(record);
    }
    let Adder { mut sum, begun, done, open, redundancy, clients, questions, left_out, answered, fates, .. } = adder;
    (sum.left_in_doubt, sum.unknown) = fates.finish(sum.ending);
    if waits(sum.ending) {
        sum.open = questions.open().cloned().collect();
    }
    if answered && sum.open.is_empty() {
        "what it waited for is answered".clone_into(&mut sum.message);
    }
    sum.steps = begun.iter().filter(|(track, _)| track.is_scripts()).count();
    sum.steps_done = done.iter().filter(|(track, _)| track.is_scripts()).count();
    let undone = |(track, number): &&(TrackId, String)| {
        !track.is_scripts() && left_out.word_in(track, number).is_none_or(|(word, ..)| word != LeftOutRuling::LeftOut)
    };
    sum.steps_undone = done.iter().filter(undone).count();
    sum.spoken = left_out.spoken().to_vec();
    let still = |((whose, condition), from)| ObservedInterval { whose, condition, from, until: None };
    sum.intervals.extend(open.into_iter().map(still));
    let (mut intervals, unbroken) = redundancy.finish();
    sum.intervals.append(&mut intervals);
    sum.unbroken = unbroken;
    sum.clients = clients.finish();
    sum.intervals.sort_by(|a, b| (a.condition, a.from, &a.whose).cmp(&(b.condition, b.from, &b.whose)));
    sum
}

/// Whether a run that stands so can go on when its questions are answered.
fn waits(ending: Option<Ending>) -> bool {
    match ending {
        Some(Ending::Suspended | Ending::Interrupted | Ending::Failed | Ending::Unmet) | None => true,
        Some(Ending::Doubt | Ending::Bug | Ending::Refused) => true,
        Some(Ending::Done | Ending::Held | Ending::RolledBack | Ending::Aborted) => false,
    }
}

#[derive(Default)]
struct Adder {
    sum: Summary,
    begun: BTreeSet<(TrackId, String)>,
    done: BTreeSet<(TrackId, String)>,
    intents: BTreeMap<EffectId, (Effect, Wall, String)>,
    readings: BTreeMap<EffectId, String>,
    open: BTreeMap<(String, Condition), Wall>,
    redundancy: Redundancy,
    clients: Clients,
    /// Services that take no changes, as far as was seen.
    refusing: BTreeSet<String>,
    questions: QuestionLog,
    left_out: LeftOut,
    fates: Fates,
    /// Somebody has answered from elsewhere since it stopped.
    answered: bool,
    /// Who runs it.
    runner: Option<Who>,
    /// The last way back went to before a step, and came there.
    partly_undone: bool,
}

impl Adder {
    fn add(&mut self, record: &Record) {
        self.questions.add(record);
        self.left_out.add(record);
        self.fates.add(record);
        self.stands(&record.fact);
        let wall = record.at.wall;
        self.sum.last = wall;
        match &record.fact {
            Fact::Begun { runbook, estate, .. } => {
                self.runner.clone_from(&record.by);
                self.sum.runbook.clone_from(runbook);
                self.sum.estate.clone_from(estate);
                self.sum.started = wall;
            }
            Fact::Opened => {
                self.sum.goes_on = false;
                // Who goes on in the same process has not come back to it.
                self.sum.resumed += usize::from(self.runner != record.by);
                self.runner.clone_from(&record.by);
            }
            Fact::StepBegun { track, number, undoes, .. } => {
                if track.is_scripts() || *undoes {
                    self.begun.insert((track.clone(), number.clone()));
                }
            }
            Fact::StepEnded { track, number, failed } => {
                let step = (track.clone(), number.clone());
                if failed.is_none() && self.begun.contains(&step) {
                    self.done.insert(step);
                }
            }
            Fact::Intent { id, step, effect, .. } => {
                self.intents.insert(id.clone(), (effect.clone(), wall, step.clone()));
                self.sum.touched |= effect.may_change();
                self.intended(effect, wall);
            }
            Fact::Outcome { id, outcome, .. } => self.came_to(id, outcome, wall),
            Fact::Read { id, step, effect, outcome, .. } => {
                self.readings.insert(id.clone(), effect.label.clone());
                if matches!(outcome, Outcome::Failed(_)) {
                    self.intents.insert(id.clone(), (effect.clone(), wall, step.clone()));
                }
                self.settle(effect, step, outcome, wall, wall);
            }
            Fact::Doubt { id, reason, .. } => {
                let text = format!("{} is in doubt: {reason}", self.label(id));
                self.deviation(wall, &text);
            }
            Fact::Undone { .. } => (self.sum.goes_on, self.partly_undone) = (true, true),
            Fact::Settled { .. } | Fact::Retry { .. } | Fact::Answered { .. } | Fact::Skipped { .. } => {
                self.deed(record)
            }
            Fact::StepSkipped { .. } | Fact::Adopted { .. } | Fact::Rollback { .. } => self.deed(record),
            Fact::Deviation { .. } | Fact::Typed { .. } | Fact::Steered { .. } => self.deed(record),
            Fact::Ended { .. } => {}
        }
    }

    fn came_to(&mut self, id: &EffectId, outcome: &Outcome, wall: Wall) {
        let Some((effect, since, step)) = self.intents.get(id).cloned() else { return };
        let before = (self.sum.changes, self.sum.unclear);
        self.settle(&effect, &step, outcome, since, wall);
        if id.track.is_typed() {
            self.sum.typed += self.sum.changes - before.0;
            self.sum.typed_unclear += self.sum.unclear - before.1;
        }
    }

    /// How it stands now: a runner that takes it up, or begins to go back, has left what there was behind.
    fn stands(&mut self, fact: &Fact) {
        if let Fact::Rollback { way } = fact {
            self.partly_undone = false;
            (self.sum.goes_back, self.sum.gives_up) = (true, *way == RollbackScope::Abort);
        }
        if let Fact::Opened | Fact::Rollback { .. } = fact {
            self.sum.ending = None;
            self.sum.message.clear();
            self.answered = false;
        }
        if let Fact::Ended { ending, message, .. } = fact {
            self.sum.goes_back &= !matches!(ending, Ending::RolledBack | Ending::Aborted);
            // Who only looked at it has left it as it was.
            self.sum.goes_on |= *ending == Ending::RolledBack && self.partly_undone;
            self.sum.ending = Some(*ending);
            self.sum.message.clone_from(message);
            self.answered = false;
        }
        self.answered |= matches!(fact, Fact::Answered { .. });
    }

    fn label(&self, id: &EffectId) -> String {
        let of_reading = || self.readings.get(id).cloned().unwrap_or_else(|| "a call".to_owned());
        self.intents.get(id).map_or_else(of_reading, |(effect, _, _)| effect.label.clone())
    }

    fn deed(&mut self, record: &Record) {
        let Some(deed) = deed(record, |id| self.label(id)) else { return };
        if deed.deviates {
            self.sum.deviations.push(Deviation { at: deed.at, text: deed.words });
        }
    }

    fn deviation(&mut self, wall: Wall, text: &str) {
        self.sum.deviations.push(Deviation { at: wall, text: lines_shown(text) });
    }

    /// From here on the change may be under way, whatever comes of it.
    fn intended(&mut self, effect: &Effect, wall: Wall) {
        let Action::Job(job) = &effect.action else { return };
        self.sum.roles.asked(effect, job);
        let Some(service) = &effect.service else { return };
        self.redundancy.touch(service);
        if job.means == Some(VerbMeaning::Stops) {
            self.redundancy.away(service, wall);
            self.clients.leaving(service, wall);
        }
    }

    /// What an effect with its outcome adds.
    fn settle(&mut self, effect: &Effect, step: &str, outcome: &Outcome, since: Wall, wall: Wall) {
        let value = match outcome {
            Outcome::Failed(failure) => {
                let step = if step.is_empty() { String::new() } else { format!("step {step}: ") };
                self.deviation(wall, &format!("{step}{} failed: {}", effect.label, failure.message));
                self.sum.unclear += usize::from(effect.is_change() && failure.may_have_changed());
                if let (Action::Job(job), Some(service)) = (&effect.action, &effect.service)
                    && job.means == Some(VerbMeaning::Stops)
                    && !failure.may_have_changed()
                {
                    self.clients.stays(service);
                }
                return;
            }
            Outcome::Skipped { reason, by } => {
                let text = format!("{} skipped by {by}: {reason}", effect.label);
                // A word on a failure is on record before the outcome it leads to.
                if self.sum.deviations.last().is_none_or(|last| last.text != lines_shown(&text)) {
                    self.deviation(wall, &text);
                }
                return;
            }
            Outcome::Done { value, .. } => value,
        };
        let service = effect.service.as_deref();
        match &effect.action {
            Action::Put(_) | Action::Fetch(_) => {
                self.count(value);
            }
            Action::Job(job) => {
                let changed = self.count(value);
                if let Some(service) = service {
                    self.changed(service, job.means, changed, since, wall);
                }
            }
            Action::Probe(probe) => {
                self.sum.already += usize::from(effect.spared(outcome).is_some());
                self.read(effect, probe.means, value, wall);
            }
            Action::Until(until) => self.read(effect, until.probe.means, value, wall),
            Action::Ask(ask) => {
                let field = |name| value.get(name).and_then(Value::as_text).map(str::to_owned);
                let word = field("word").unwrap_or_else(|| value.to_string());
                let by = field("by").unwrap_or_default();
                self.sum.answers.push(Answered { gate: ask.gate.clone(), word: shown(&word), by: shown(&by) });
            }
            Action::Note { text, warning: true } => self.deviation(wall, &format!("warning: {text}")),
            Action::NoReturn { why } => self.deviation(wall, &format!("no way back from here: {why}")),
            Action::Note { .. } | Action::Log(_) | Action::Sleep { .. } | Action::Capture(_) => {}
        }
    }

    /// Counts a change; tells whether it was one.
    fn count(&mut self, value: &Value) -> bool {
        let changed = value.get("changed").and_then(Value::as_bool).unwrap_or(true);
        if changed {
            self.sum.changes += 1;
        } else {
            self.sum.already += 1;
        }
        changed
    }

    /// What a verb does to the service's condition; without `changed`, it was so before.
    fn changed(&mut self, service: &str, means: Option<VerbMeaning>, changed: bool, since: Wall, wall: Wall) {
        match (means, changed) {
            (Some(VerbMeaning::Stops), _) => {
                self.redundancy.away(service, wall);
                self.clients.away(service);
                self.refusing.remove(service);
                if changed {
                    self.enter(service, Condition::Stopped, since);
                }
            }
            (Some(VerbMeaning::Starts), true) => self.leave(service, Condition::Stopped, wall),
            (Some(VerbMeaning::RefusesChanges), true) => self.refuses(service, since),
            (Some(VerbMeaning::TakesChanges), _) => self.writable(service, wall),
            (Some(VerbMeaning::Starts | VerbMeaning::RefusesChanges), false) => {}
            (Some(VerbMeaning::RestartsHost) | None, _) => {}
        }
    }

    /// Whoever serves takes over read-only mode from its peer: it is the pair that cannot be written to.
    fn who_writes(&self, service: &str) -> String {
        self.redundancy.pair_of(service).unwrap_or(service).to_owned()
    }

    /// A service takes no changes.
    fn refuses(&mut self, service: &str, wall: Wall) {
        self.refusing.insert(service.to_owned());
        self.enter(&self.who_writes(service), Condition::ReadOnly, wall);
    }

    /// A service takes changes. While its peer serves and takes none, clients cannot count on it.
    fn writable(&mut self, service: &str, wall: Wall) {
        self.refusing.remove(service);
        let pair = self.redundancy.pair_of(service);
        let peer_refuses = self.refusing.iter().any(|peer| {
            pair.is_some() && self.redundancy.pair_of(peer) == pair && self.sum.roles.of(peer) == Some("primary")
        });
        if !peer_refuses && !self.is_backup(service) {
            self.leave(&self.who_writes(service), Condition::ReadOnly, wall);
        }
    }

    /// What a backup says of itself is no word about the pair.
    fn is_backup(&self, service: &str) -> bool {
        self.sum.roles.of(service) == Some("backup")
    }

    /// What a reading tells of the service's condition.
    fn read(&mut self, effect: &Effect, means: Option<ProbeMeaning>, value: &Value, wall: Wall) {
        let (Some(service), host) = (effect.service.as_deref(), effect.host.as_deref()) else { return };
        let Some(means) = means else { return };
        match (means, value) {
            (ProbeMeaning::Role, Value::Text(role)) => {
                self.sum.roles.read(service, host, shown(role));
                self.redundancy.role(service, role, wall);
                if role == "none" {
                    self.clients.away(service);
                }
            }
            (ProbeMeaning::Clients, Value::Int(count)) => self.clients.read(service, *count, wall),
            (ProbeMeaning::Status, Value::Text(status)) if status == STOPPED => {
                self.sum.roles.found_stopped(service);
                self.redundancy.found_away(service, wall);
                self.clients.away(service);
                self.enter(service, Condition::Stopped, wall);
            }
            (ProbeMeaning::Status, Value::Text(status)) if status == RUNNING => {
                self.leave(service, Condition::Stopped, wall)
            }
            (ProbeMeaning::Readonly, Value::Bool(true)) if !self.is_backup(service) => self.refuses(service, wall),
            (ProbeMeaning::Readonly, Value::Bool(false)) => self.writable(service, wall),
            _ => {}
        }
    }

    fn enter(&mut self, whose: &str, condition: Condition, wall: Wall) {
        self.open.entry((whose.to_owned(), condition)).or_insert(wall);
    }

    fn leave(&mut self, whose: &str, condition: Condition, wall: Wall) {
        if let Some(from) = self.open.remove(&(whose.to_owned(), condition)) {
            let until = Some(wall);
            self.sum.intervals.push(ObservedInterval { whose: whose.to_owned(), condition, from, until });
        }
    }
}
