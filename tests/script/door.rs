//! A door that performs nothing: it remembers what was asked, in words, and answers as it was told.

use baton::dispatch::{Body, Door, Halt, Halted, StepEntry};
use baton::error::{Error, Kind, Place};
use baton::journal::happened::Happened;
use baton::model::run::effect::{Action, Capture, Effect, Failure, FailureKind, Outcome};
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::mark::Mark;
use baton::model::run::record::{EffectId, Ending, Moment, StepId, TrackId};
use baton::model::value::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Default)]
pub(super) struct FakeDoor {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    seen: Vec<String>,
    effects: Vec<(Effect, Option<Place>)>,
    answers: BTreeMap<String, VecDeque<Value>>,
    failures: BTreeMap<String, String>,
    halts: BTreeSet<String>,
    halt: Option<Halt>,
    steps: usize,
    gates: usize,
    marks: BTreeSet<String>,
    time: i64,
    waiting: Option<Halt>,
}

impl FakeDoor {
    pub(super) fn answer(&self, label: &str, value: Value) {
        self.state.borrow_mut().answers.entry(label.to_owned()).or_default().push_back(value);
    }

    pub(super) fn fail(&self, label: &str, message: &str) {
        self.state.borrow_mut().failures.insert(label.to_owned(), message.to_owned());
    }

    /// Stops the run as soon as its script computes for a while.
    pub(super) fn stop_while_computing(&self, halt: Halt) {
        self.state.borrow_mut().waiting = Some(halt);
    }

    pub(super) fn halt_at(&self, label: &str) {
        self.state.borrow_mut().halts.insert(label.to_owned());
    }

    /// Labels of effects; notes with their text, steps as `[name` and `]`.
    pub(super) fn seen(&self) -> Vec<String> {
        self.state.borrow().seen.clone()
    }

    /// The effect with this label.
    pub(super) fn effect(&self, label: &str) -> Effect {
        let state = self.state.borrow();
        let found = state.effects.iter().find(|(effect, _)| effect.label == label);
        found.unwrap_or_else(|| panic!("no effect {label}; there are {:?}", state.seen)).0.clone()
    }

    /// Where the effect with this label stands in the scripts.
    pub(super) fn place(&self, label: &str) -> String {
        let state = self.state.borrow();
        let found = state.effects.iter().find(|(effect, _)| effect.label == label);
        found.and_then(|(_, place)| place.as_ref()).map(ToString::to_string).unwrap_or_default()
    }
}

impl Door for FakeDoor {
    fn perform(&self, effect: Effect, place: Option<Place>) -> Result<(EffectId, Outcome), Halted> {
        let mut state = self.state.borrow_mut();
        if state.halt.is_some() {
            return Err(Halted);
        }
        let label = match &effect.action {
            Action::Note { text, .. } => format!("{}: {text}", effect.label),
            _ => effect.label.clone(),
        };
        state.effects.push((effect.clone(), place));
        if !matches!(effect.action, Action::Capture(Capture::Now | Capture::Clocks)) {
            state.seen.push(label.clone());
        }
        if state.halts.contains(&label) {
            let error = Error::new(Kind::Suspended, "halted by the test");
            state.halt = Some(Halt { ending: Ending::Suspended, error, effect: None });
            return Err(Halted);
        }
        let id = EffectId { track: TrackId::main(), n: state.effects.len() as u64 };
        if let Some(message) = state.failures.get(&label) {
            let (message, output) = (message.clone(), "line 1\nline 2\n".to_owned());
            return Ok((id, Outcome::Failed(Failure { kind: FailureKind::Exit, message, exit: Some(3), output })));
        }
        if let Action::Sleep { span, .. } = &effect.action {
            state.time += span.0 as i64;
        }
        let mut mark = None;
        if let Action::Capture(Capture::Mark { .. }) = &effect.action {
            state.marks.extend(effect.service.clone());
            mark = Some(Mark::default());
        }
        let answer = state.answers.get_mut(&label).and_then(|queue| match queue.len() {
            1 => queue.front().cloned(),
            _ => queue.pop_front(),
        });
        let value = answer.unwrap_or_else(|| match &effect.action {
            Action::Capture(Capture::Now) => Value::Int(state.time),
            // Somebody sets the wall clock back all the time.
            Action::Capture(Capture::Clocks) => {
                Moment { wall: Wall(-state.time), mono: Mono(state.time as u64), boot: "b".into() }.to_value()
            }
            Action::Job(_) => Value::map([("changed", true.into()), ("output", "ok".into())]),
            _ => Value::Null,
        });
        Ok((id, Outcome::Done { value, mark }))
    }

    fn step_begin(&self, name: &str, _: Option<Place>, _: bool) -> Result<StepEntry, Halted> {
        let mut state = self.state.borrow_mut();
        state.steps += 1;
        state.seen.push(format!("[{name}"));
        if state.halt.is_some() { Err(Halted) } else { Ok(StepEntry::Enter) }
    }

    fn step_end(&self, failed: Option<String>) -> Result<(), Halted> {
        let mut state = self.state.borrow_mut();
        state.seen.push(failed.map_or("]".to_owned(), |why| format!("] {why}")));
        if state.halt.is_some() { Err(Halted) } else { Ok(()) }
    }

    fn breathe(&self) {
        let mut state = self.state.borrow_mut();
        if let Some(halt) = state.waiting.take() {
            state.halt = Some(halt);
        }
    }

    fn look(&self, _: &EffectId) -> Result<Happened, Halted> {
        Ok(Happened::Happened)
    }

    fn word_on(&self, _: &EffectId, _: &str) -> Result<bool, Halted> {
        Ok(true)
    }

    fn aside(&self, _: TrackId, body: Body) -> Result<(), Halted> {
        self.fork(vec![body])
    }

    fn step_id(&self) -> StepId {
        StepId { track: TrackId::main(), number: self.step_number() }
    }

    fn step_number(&self) -> String {
        match self.state.borrow().steps {
            0 => String::new(),
            number => number.to_string(),
        }
    }

    /// The last body first: results must not depend on who is first.
    fn fork(&self, bodies: Vec<Body>) -> Result<(), Halted> {
        for body in bodies.into_iter().rev() {
            body();
        }
        if self.is_halted() { Err(Halted) } else { Ok(()) }
    }

    fn run(&self) -> &str {
        "run-1"
    }

    fn guarded(&self, _: &str) {}

    fn mark_of(&self, service: &str) -> Option<Mark> {
        self.state.borrow().marks.contains(service).then(Mark::default)
    }

    fn gate_name(&self, form: &str, own: Option<&str>) -> String {
        self.state.borrow_mut().gates += 1;
        own.map_or_else(|| format!("{form}-{}", self.state.borrow().gates), str::to_owned)
    }

    fn halt(&self, halt: Halt) -> Halted {
        self.state.borrow_mut().halt.get_or_insert(halt);
        Halted
    }

    fn is_halted(&self) -> bool {
        self.state.borrow().halt.is_some()
    }

    fn halt_reason(&self) -> Option<Halt> {
        self.state.borrow().halt.clone()
    }
}
