//! What is written in the runbook of a run that is steered, as it is before anything happens. It knows nothing of what
//! has happened.

use crate::error::{Error, Kind, Result};
use crate::model::run::step_name::{StepName, StepNames};
use crate::script::analysis::outline::{self, OutlineLine, WrittenStep};
use crate::script::compile::program::Program;

/// The steps of a runbook; none when there is no runbook.
pub(super) struct WrittenSteps {
    steps: Vec<WrittenStep>,
    /// How they are named.
    names: StepNames,
    /// The same with what decides whether they happen, each line with how deep it stands.
    outline: Vec<(usize, OutlineLine)>,
    has_runbook: bool,
}

impl WrittenSteps {
    /// Those of this program; one without a text stands for no runbook.
    pub(super) fn of(program: &Program) -> Self {
        Self {
            steps: outline::steps(program),
            names: outline::step_names(program),
            outline: outline::outline(program),
            has_runbook: !program.is_empty(),
        }
    }

    /// Whether there is a runbook.
    pub(super) fn has_runbook(&self) -> bool {
        self.has_runbook
    }

    /// Whether there is what this command is about.
    pub(super) fn needed_by(&self, command: &str) -> Result<()> {
        if self.has_runbook {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, format!("`:{command}` needs a runbook, and this session has none"))
            .hint("step through one: baton repl RUNBOOK --lab genesys"))
    }

    /// The step that is meant.
    pub(super) fn find(&self, given: &str) -> Result<StepName> {
        self.names.find(given)
    }

    /// Whether a step of this name can come again once one has begun.
    pub(super) fn comes_again(&self, name: &str) -> bool {
        let all: Vec<&WrittenStep> = self.steps.iter().filter(|written| written.name == name).collect();
        all.len() != 1 || all.iter().any(|written| written.repeats)
    }

    /// What is written, in the order in which it can happen.
    pub(super) fn outline(&self) -> &[(usize, OutlineLine)] {
        &self.outline
    }

    /// The names that stand in the text as they are.
    pub(super) fn plain_names(&self) -> impl Iterator<Item = String> {
        self.steps.iter().filter(|step| !step.computed).map(|step| step.name.clone())
    }
}
