//! Stepwise execution: before each change and each wait it shows what is about to happen and waits for a typed word.
//! Readings, notes and questions pass: they change nothing, and a question stops by itself. It performs nothing.

use crate::dispatch::Halt;
use crate::dispatch::gate::{EffectAhead, Gate, GateDecision, StepAhead};
use crate::dispatch::words::{self, StepWord};
use crate::error::{Error, Kind};
use crate::model::run::effect::{Action, Effect};
use crate::model::run::event::Event;
use crate::model::run::place::PlaceData;
use crate::model::run::record::{Ending, Who};
use crate::model::run::step_name::{StepName, StepNames};
use crate::world::request::ReadLine;
use crate::world::{Line, Link, Stopped};
use std::cell::{Cell, RefCell};

/// What stands before the word that is typed.
const PROMPT: &str = "step> ";

/// The gate of stepwise execution.
pub struct Stepwise {
    run: String,
    by: Who,
    names: StepNames,
    wants_shell: Cell<bool>,
    mode: RefCell<StepMode>,
    /// Number and name of the steps that have begun.
    begun: RefCell<Vec<(String, String)>>,
}

/// What passes without being asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum StepMode {
    /// This many effects.
    Next(u32),
    /// What comes before this step.
    Until(StepName),
    /// Everything that is left, without another question.
    Rest,
}

impl Stepwise {
    /// The gate of a run whose runbook has these steps, of which `begun` (number and name) have begun already. Words
    /// are typed `by` this person.
    #[must_use]
    pub fn new(run: String, by: Who, names: StepNames, begun: Vec<(String, String)>) -> Self {
        let (mode, wants_shell) = (RefCell::new(StepMode::Next(0)), Cell::new(false));
        Self { run, by, names, wants_shell, mode, begun: RefCell::new(begun) }
    }

    /// Whether it stopped the run because `shell` was typed: the REPL goes on from there. Told once.
    #[must_use]
    pub fn wants_shell(&self) -> bool {
        self.wants_shell.take()
    }

    /// Whether it may pass because of a word that was typed before.
    fn passes(&self) -> bool {
        match &mut *self.mode.borrow_mut() {
            StepMode::Next(0) => false,
            StepMode::Next(left) => {
                *left -= 1;
                true
            }
            StepMode::Until(_) | StepMode::Rest => true,
        }
    }

    /// Waits for a word that decides.
    fn ask(&self, link: &dyn Link, ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped> {
        let say = |text: String| link.tell(Event::Notice { text });
        let may_be_left_out = ahead.effect.may_be_left_out();
        loop {
            let line = match type_line(link)? {
                Line::Typed(line) => line,
                Line::Cancelled => continue,
                Line::Closed(why) => return Ok(self.closed(&why)),
            };
            match words::understand(&line, &self.names, may_be_left_out) {
                Ok(None) => {}
                Ok(Some(StepWord::Help)) => link.tell(Event::Words { words: words::meanings(may_be_left_out) }),
                Ok(Some(StepWord::Shell)) => {
                    self.wants_shell.set(true);
                    return Ok(self.stopped(ahead.effect));
                }
                Ok(Some(StepWord::Skip(reason))) if may_be_left_out => {
                    return Ok(GateDecision::Skip { reason, by: self.by.clone() });
                }
                Ok(Some(StepWord::Skip(_))) => say(format!(
                    "`{}` cannot be left out: what it tells decides how the runbook goes on",
                    ahead.effect.label
                )),
                Ok(Some(StepWord::Stop)) => return Ok(self.stopped(ahead.effect)),
                Ok(Some(StepWord::Go(count))) => return Ok(self.go(StepMode::Next(count - 1))),
                Ok(Some(StepWord::Rest)) => return Ok(self.go(StepMode::Rest)),
                Ok(Some(StepWord::Until(step))) => match self.passed(&step) {
                    Some(number) => say(format!("step {number} has begun already: name one that is to come")),
                    None => return Ok(self.go(StepMode::Until(step))),
                },
                Err(wrong) => say(wrong),
            }
        }
    }

    fn go(&self, mode: StepMode) -> GateDecision {
        self.mode.replace(mode);
        GateDecision::Go
    }

    fn passed(&self, step: &StepName) -> Option<String> {
        let begun = self.begun.borrow();
        begun.iter().find(|(number, name)| step.fits(number, name)).map(|(number, _)| number.clone())
    }

    fn stopped(&self, before: &Effect) -> GateDecision {
        let error = Error::new(Kind::Suspended, format!("stopped before `{}`, as asked", before.label))
            .hint(format!("baton resume {} --step", self.run));
        GateDecision::Stop(Box::new(Halt { ending: Ending::Suspended, error, effect: None }))
    }

    fn closed(&self, why: &str) -> GateDecision {
        let error = Error::new(Kind::Interrupted, "nobody is there to say `go`")
            .cause(why)
            .hint("nothing was done unasked; what runs on the hosts goes on there")
            .hint(format!("take it up again: baton resume {} --step", self.run));
        GateDecision::Stop(Box::new(Halt { ending: Ending::Interrupted, error, effect: None }))
    }
}

impl Gate for Stepwise {
    fn before_step(&self, _link: &dyn Link, step: &StepAhead<'_>) -> Result<GateDecision, Stopped> {
        let is_there = |wanted: &StepName| wanted.fits(step.number, step.name) || wanted.is_passed(step.number);
        let there = matches!(&*self.mode.borrow(), StepMode::Until(wanted) if is_there(wanted));
        if there {
            self.mode.replace(StepMode::Next(0));
        }
        self.begun.borrow_mut().push((step.number.to_owned(), step.name.to_owned()));
        Ok(GateDecision::Go)
    }

    fn before_effect(&self, link: &dyn Link, ahead: &EffectAhead<'_>) -> Result<GateDecision, Stopped> {
        if !is_asked_about(ahead.effect) || self.passes() {
            return Ok(GateDecision::Go);
        }
        link.tell(Event::Ahead {
            id: ahead.id.clone(),
            attempt: ahead.attempt,
            step: ahead.step.to_owned(),
            step_name: ahead.step_name.to_owned(),
            effect: ahead.effect.clone(),
            place: ahead.place.map(PlaceData::from),
            at: link.now(),
        });
        self.ask(link, ahead)
    }

    fn departure(&self) -> Option<String> {
        Some("carried out step by step".to_owned())
    }
}

/// Waits for a line, and tells the sinks that somebody is asked for one.
fn type_line(link: &dyn Link) -> Result<Line, Stopped> {
    link.tell(Event::Prompt { prompt: PROMPT.to_owned() });
    let answer = link.ask(ReadLine { prompt: PROMPT.to_owned() });
    let line = match &answer {
        Ok(Ok(Line::Typed(line))) => Some(line.clone()),
        Ok(_) | Err(Stopped) => None,
    };
    link.tell(Event::Typed { line });
    Ok(answer?.unwrap_or_else(|_| Line::Closed("the terminal does not answer".into())))
}

/// Changes and waits.
fn is_asked_about(effect: &Effect) -> bool {
    match &effect.action {
        Action::Job(_) | Action::Put(_) | Action::Fetch(_) | Action::Log(_) | Action::Until(_) => true,
        Action::Sleep { .. } => !effect.is_pause(),
        Action::Probe(_) | Action::Ask(_) | Action::Capture(_) => false,
        Action::Note { .. } | Action::NoReturn { .. } => false,
    }
}
