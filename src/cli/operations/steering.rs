//! How a person steers a run: step by step, up to a step, with answers that are known before, and what follows a
//! failure. Typed words become gates and a decision; what is wrong with them is told before anything is touched.

use crate::dispatch::{Gate, Stepwise, UntilStep};
use crate::error::{Error, Kind, Result};
use crate::journal::history::{History, StepPhase};
use crate::journal::reopening;
use crate::model::run::record::{Fact, Who};
use crate::model::run::steering::{AfterFailure, Steering as Asked};
use crate::model::run::step_name::{StepName, StepNames};
use crate::model::site::answers::Answers;
use crate::model::text::{shown, typed};
use crate::world::operator::terminal::Terminal;
use std::rc::Rc;

/// How a run is steered
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct SteeringArgs {
    /// Show every change and wait before it is asked for, and wait for a typed word
    #[arg(long)]
    step: bool,
    /// Stop when this step has ended: its number, its name, or a part of the name that is written out in the runbook
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
    /// What follows a failure: ask for a word, stop, or undo what was done [default: ask on a terminal, else stop]
    #[arg(long, value_name = "WHAT", hide_default_value = true)]
    on_failure: Option<OnFailure>,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum OnFailure {
    /// Ask for a word
    Ask,
    /// Stop; the run can be resumed
    Stop,
    /// Undo what was done
    Rollback,
}

/// The steps of a run that are on record.
#[derive(Debug, Default)]
pub(in crate::cli) struct RecordedSteps {
    /// Number and name of those that have begun.
    steps: Vec<(String, String)>,
    /// How many of which ended well, by number.
    ended: Vec<String>,
}

impl From<OnFailure> for AfterFailure {
    fn from(word: OnFailure) -> Self {
        match word {
            OnFailure::Ask => Self::Ask,
            OnFailure::Stop => Self::Stop,
            OnFailure::Rollback => Self::Rollback,
        }
    }
}

impl RecordedSteps {
    /// Those of this history.
    pub(in crate::cli) fn of(history: &History) -> Self {
        let mut begun = Self::default();
        for stored in history.records() {
            let (Fact::StepBegun { track, number, name, .. } | Fact::StepSkipped { track, number, name, .. }) =
                &stored.record.fact
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
pub(in crate::cli) struct CheckedSteering {
    step: bool,
    until: Option<StepName>,
    names: StepNames,
    /// What follows a failure.
    pub(in crate::cli) on_failure: AfterFailure,
    /// All of it, in the words that the record keeps.
    now: Asked,
    /// What the record says of it so far.
    before: Asked,
    /// What of it is as it was asked for by a former runner, in the words of the command line.
    kept: Vec<String>,
    /// A step to stop after that was asked for by a former runner, and that the texts do not have any more.
    lost: Option<String>,
}

/// The gates of one runner.
pub(in crate::cli) struct Gates {
    /// All of them.
    pub(in crate::cli) all: Vec<Rc<dyn Gate>>,
    until: Option<(Rc<UntilStep>, String)>,
    stepwise: Option<Rc<Stepwise>>,
}

impl RecordedSteps {
    /// Number and name of a step of this name that is over.
    fn over(&self, step: &StepName) -> Option<&(String, String)> {
        let fits = |(number, name): &&(String, String)| step.fits(number, name) && self.ended.contains(number);
        self.steps.iter().find(fits)
    }
}

impl SteeringArgs {
    /// Whether it is said what follows a failure.
    pub(in crate::cli) fn says_what_follows_a_failure(&self) -> bool {
        self.on_failure.is_some()
    }

    /// How a new run is steered: checks the words against the steps that the runbook has.
    ///
    /// # Errors
    /// As [`SteeringArgs::course_on`].
    pub(in crate::cli) fn course(&self, names: StepNames) -> Result<CheckedSteering> {
        self.course_on(names, None, false)
    }

    /// How a run is steered of which this is on record. What was asked for before counts as long as nothing else is
    /// said now; `freely` has it go on without being asked before each change.
    ///
    /// # Errors
    /// `Usage` when there is no such step, it has ended, or nobody is there to be asked.
    pub(in crate::cli) fn course_on(
        &self,
        names: StepNames,
        known: Option<&History>,
        freely: bool,
    ) -> Result<CheckedSteering> {
        let begun = known.map(RecordedSteps::of).unwrap_or_default();
        let asked = known.map(reopening::steering).unwrap_or_default();
        let given = self.until.as_deref().map(|given| names.find(given)).transpose()?;
        if let Some((number, name)) = given.as_ref().and_then(|step| begun.over(step)) {
            return Err(Error::new(Kind::Usage, format!("step {number} `{name}` is over already"))
                .hint("name a step that is to come; which are over: baton show"));
        }
        let is_there = Terminal::is_there();
        if self.step && !is_there {
            return Err(Error::new(Kind::Usage, "`--step` needs a terminal: somebody has to type the words")
                .hint("without one, stop after a step: --until STEP"));
        }
        if self.on_failure == Some(OnFailure::Ask) && !is_there {
            return Err(Error::new(Kind::Usage, "`--on-failure ask` needs a terminal: somebody has to type the words")
                .hint("without one: --on-failure stop"));
        }
        let (still, lost) = match (&self.until, &asked.until, known) {
            (None, Some(words), Some(known)) => still_to_come(words, &names, known),
            _ => (None, None),
        };
        let step = self.step || (asked.step && !freely);
        if step && !is_there {
            return Err(Error::new(
                Kind::Usage,
                "the run is gone through step by step, and nobody is there to type `go`",
            )
            .hint("nothing was done; take it up on a terminal")
            .hint(if self.step {
                "or without being asked before each change: leave `--step` out"
            } else {
                "or have it go on without being asked before each change: --no-step"
            }));
        }
        let on_failure = self.on_failure.map(AfterFailure::from).or(asked.on_failure);
        let usual = if is_there { AfterFailure::Ask } else { AfterFailure::Stop };
        let until = self.until.clone().or(still.as_ref().map(|(words, _)| words.clone()));
        let mut kept: Vec<String> = still.iter().map(|(words, _)| format!("--until {}", typed(words))).collect();
        kept.extend((step && !self.step).then(|| "--step".to_owned()));
        let effective = on_failure.filter(|word| is_there || *word != AfterFailure::Ask).unwrap_or(usual);
        let is_told = self.on_failure.is_none() && effective != usual;
        kept.extend(is_told.then(|| format!("--on-failure {}", effective.word())));
        Ok(CheckedSteering {
            step,
            until: given.or(still.map(|(_, step)| step)),
            names,
            on_failure: effective,
            now: Asked { step, until, on_failure, answers: None },
            before: asked,
            kept,
            lost,
        })
    }
}

/// The step to stop after that was asked for before in these words, if it is still to come: as it was typed and as it
/// is meant. When the texts have none of that name any more, only as it was typed.
fn still_to_come(words: &str, names: &StepNames, known: &History) -> (Option<(String, StepName)>, Option<String>) {
    match names.find(words) {
        Ok(step) if reopening::came_behind(known, &step) => (None, None),
        Ok(step) => (Some((words.to_owned(), step)), None),
        Err(_) => (None, Some(words.to_owned())),
    }
}

impl CheckedSteering {
    /// The same with these answers, if there are any, which a former runner may have been given.
    pub(in crate::cli) fn answered(mut self, answers: Option<&Answers>, by_former: bool) -> Self {
        self.now.answers = answers.map(Answers::to_keep);
        self.kept.extend(answers.filter(|_| by_former).map(|answers| format!("--answers {}", typed(answers.file()))));
        self
    }

    /// What goes into the record of it: nothing when it stands there already.
    pub(in crate::cli) fn said(&self) -> Option<Asked> {
        (self.now != self.before).then(|| self.now.clone())
    }
}

impl CheckedSteering {
    /// The gates for a runner of `run`, whose words are typed `by` this person.
    pub(in crate::cli) fn gates(&self, run: &str, by: Who, begun: RecordedSteps) -> Gates {
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

impl CheckedSteering {
    /// What a person should know before anything happens: what was asked for before and still counts, and that a name
    /// which is not written out may never come.
    pub(in crate::cli) fn remarks(&self) -> Vec<String> {
        let kept = (!self.kept.is_empty()).then(|| format!("as it was asked for before: {}", self.kept.join(" ")));
        let lost = self.lost.as_deref().map(|words| {
            format!(
                "it was to stop after a step `{}`, and no step is called so any more: it does not stop there",
                shown(words)
            )
        });
        let part = self.until.as_ref().filter(|step| matches!(step, StepName::Part(_)));
        let never = |step: &StepName| {
            format!("the name of {step} is made as it runs; should none come by that name, it runs to its end")
        };
        kept.into_iter().chain(lost).chain(part.map(never)).collect()
    }
}

impl Gates {
    /// Whether `shell` was typed: the REPL goes on from where the run stopped.
    pub(in crate::cli) fn wants_shell(&self) -> bool {
        self.stepwise.as_ref().is_some_and(|gate| gate.wants_shell())
    }

    /// The step of `--until` that the run never came to.
    pub(in crate::cli) fn unreached(&self) -> Option<&str> {
        self.until.as_ref().filter(|(gate, _)| !gate.is_reached()).map(|(_, step)| step.as_str())
    }
}
