//! How a person steers a run: step by step, up to a step, and what follows a failure. Typed words become gates and a
//! decision; what is wrong with them is told before anything is touched.

use crate::dispatch::{Gate, Stepwise, UntilStep};
use crate::error::{Error, Kind, Result};
use crate::journal::history::{History, StepPhase};
use crate::model::record::{Record, Who};
use crate::model::step_name::{StepName, StepNames};
use crate::world::terminal::Terminal;
use std::rc::Rc;

/// How a run is steered
#[derive(Debug, clap::Args)]
pub(super) struct Steering {
    /// Show every change and wait before it is asked for, and wait for a typed word
    #[arg(long)]
    step: bool,
    /// Stop when this step has ended: its number, its name, or a part of the name
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
    /// What follows a failure: ask for a word, stop, or undo what was done [default: ask on a terminal, else stop]
    #[arg(long, value_name = "WHAT", hide_default_value = true)]
    on_failure: Option<OnFailure>,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OnFailure {
    /// Ask for a word
    Ask,
    /// Stop; the run can be resumed
    Stop,
    /// Undo what was done
    Rollback,
}

/// The steps of a run that are on record.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Number and name of those that have begun.
    steps: Vec<(String, String)>,
    /// How many of which ended well, by number.
    ended: Vec<String>,
}

impl Begun {
    /// Those of this history.
    pub(super) fn of(history: &History) -> Self {
        let mut begun = Self::default();
        for stored in history.records() {
            let (Record::StepBegun { track, number, name, .. } | Record::StepSkipped { track, number, name, .. }) =
                &stored.record
            else {
                continue;
            };
            let Some(step) = history.step(track, number).filter(|_| track.is_scripts()) else { continue };
            begun.steps.push((number.clone(), name.clone()));
            if matches!(step.phase, StepPhase::Ended { failed: None } | StepPhase::Skipped) {
                begun.ended.push(number.clone());
            }
        }
        begun
    }
}

/// How this run is steered, checked.
#[derive(Debug)]
pub(super) struct Course {
    step: bool,
    until: Option<StepName>,
    names: StepNames,
    /// What follows a failure.
    pub(super) on_failure: OnFailure,
}

/// The gates of one runner.
pub(super) struct Gates {
    /// All of them.
    pub(super) all: Vec<Rc<dyn Gate>>,
    until: Option<(Rc<UntilStep>, String)>,
    stepwise: Option<Rc<Stepwise>>,
}

impl Steering {
    /// Checks the words against the steps the runbook has and those that have begun.
    ///
    /// # Errors
    /// `Usage` when there is no such step, it has ended, or nobody is there to be asked.
    pub(super) fn course(&self, names: StepNames, begun: Option<&Begun>) -> Result<Course> {
        let until = self.until.as_deref().map(|given| names.find(given)).transpose()?;
        let over = |step: &StepName| {
            let begun = begun?;
            let fits = |(number, name): &&(String, String)| step.fits(number, name) && begun.ended.contains(number);
            begun.steps.iter().find(fits)
        };
        if let Some((number, name)) = until.as_ref().and_then(over) {
            return Err(Error::new(Kind::Usage, format!("step {number} `{name}` is over already"))
                .hint("name a step that is to come; which are over: baton show"));
        }
        if self.step && !Terminal::is_there() {
            return Err(Error::new(Kind::Usage, "`--step` needs a terminal: somebody has to type the words")
                .hint("without one, stop after a step: --until STEP"));
        }
        if self.on_failure == Some(OnFailure::Ask) && !Terminal::is_there() {
            return Err(Error::new(Kind::Usage, "`--on-failure ask` needs a terminal: somebody has to type the words")
                .hint("without one: --on-failure stop"));
        }
        let usual = if Terminal::is_there() { OnFailure::Ask } else { OnFailure::Stop };
        Ok(Course { step: self.step, until, names, on_failure: self.on_failure.unwrap_or(usual) })
    }
}

impl Course {
    /// The gates for a runner of `run`, whose words are typed `by` this person.
    pub(super) fn gates(&self, run: &str, by: Who, begun: Begun) -> Gates {
        let mut gates = Gates { all: Vec::new(), until: None, stepwise: None };
        if let Some(step) = &self.until {
            let gate = Rc::new(UntilStep::new(run.to_owned(), step.clone()));
            gates.until = Some((Rc::clone(&gate), step.to_string()));
            gates.all.push(gate);
        }
        if self.step {
            let gate = Rc::new(Stepwise::new(run.to_owned(), by, self.names.clone(), begun.steps));
            gates.stepwise = Some(Rc::clone(&gate));
            gates.all.push(gate);
        }
        gates
    }
}

impl Course {
    /// What a person should know of `--until` before anything happens: a name that is not written out may never come.
    pub(super) fn warning(&self) -> Option<String> {
        let step = self.until.as_ref().filter(|step| matches!(step, StepName::Part(_)))?;
        Some(format!("no {step} is written out in the runbook; should none come by that name, it runs to its end"))
    }
}

impl Gates {
    /// Whether `shell` was typed: the REPL goes on from where the run stopped.
    pub(super) fn wants_shell(&self) -> bool {
        self.stepwise.as_ref().is_some_and(|gate| gate.wants_shell())
    }

    /// The step of `--until` that the run never came to.
    pub(super) fn unreached(&self) -> Option<&str> {
        self.until.as_ref().filter(|(gate, _)| !gate.is_reached()).map(|(_, step)| step.as_str())
    }
}
