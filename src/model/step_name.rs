//! Which step is meant by what a person types: its number, its name, or a part of the name that only one step has.
//! Steps get their numbers while a run goes on, so numbers are not looked up here.

use crate::error::{Error, Kind, Result};
use crate::model::text::{did_you_mean, shown};
use std::fmt;

/// How many steps a message names.
const NAMED_MAX: usize = 4;

/// The names of steps that a runbook and its modules have, as far as they are written out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepNames {
    /// Those written out, in order, each once.
    pub written: Vec<String>,
    /// Whether others are made while it runs: then a name that is not among those written may still come.
    pub computed: bool,
}

/// A step that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepName {
    /// The one with this number, such as `3` or `3.1`.
    Number(String),
    /// Those with this name.
    Name(String),
    /// Those whose name has this part, in any case.
    Part(String),
}

impl StepNames {
    /// The step that `given` means.
    ///
    /// # Errors
    /// `Usage` when no step or several can be meant.
    pub fn find(&self, given: &str) -> Result<StepName> {
        let wanted = given.trim();
        let hint = "name it by its number, its name, or a part of the name";
        if wanted.is_empty() {
            return Err(Error::new(Kind::Usage, "which step?").hint(hint));
        }
        if wanted.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
            return Ok(StepName::Number(wanted.to_owned()));
        }
        let lower = wanted.to_lowercase();
        if let Some(name) = self.written.iter().find(|name| name.to_lowercase() == lower) {
            return Ok(StepName::Name(name.clone()));
        }
        let fitting: Vec<&String> = self.written.iter().filter(|name| name.to_lowercase().contains(&lower)).collect();
        match fitting.as_slice() {
            [one] => Ok(StepName::Name((*one).clone())),
            [] if self.computed => Ok(StepName::Part(lower)),
            [] => {
                let near = did_you_mean(wanted, self.written.iter().map(String::as_str));
                let error = Error::new(Kind::Usage, format!("there is no step `{}`", shown(wanted)));
                Err(error.hint(
                    near.unwrap_or_else(|| format!("there are {}", listed(&self.written.iter().collect::<Vec<_>>()))),
                ))
            }
            several => {
                let message = format!("`{}` may mean {} steps: {}", shown(wanted), several.len(), listed(several));
                Err(Error::new(Kind::Usage, message).hint("type more of the name, or the number of the step"))
            }
        }
    }
}

fn listed(names: &[&String]) -> String {
    let mut list: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{}`", shown(name))).collect();
    if names.len() > NAMED_MAX {
        list.push(format!("{} more", names.len() - NAMED_MAX));
    }
    if list.is_empty() { "no steps".to_owned() } else { list.join(", ") }
}

impl StepName {
    /// Whether the step with this number and name is meant.
    #[must_use]
    pub fn fits(&self, number: &str, name: &str) -> bool {
        match self {
            Self::Number(wanted) => wanted == number,
            Self::Name(wanted) => wanted == name,
            Self::Part(wanted) => name.to_lowercase().contains(wanted),
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "step {number}"),
            Self::Name(name) | Self::Part(name) => write!(f, "step `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{StepName, StepNames};

    fn names(computed: bool) -> StepNames {
        StepNames { written: vec!["Stop the backup".into(), "Start the backup".into(), "Stop".into()], computed }
    }

    #[test]
    fn a_step_is_found_by_number_name_or_a_part_that_only_one_has() {
        let find = |given: &str| names(false).find(given).map_err(|error| error.message);
        assert_eq!(find("3.1"), Ok(StepName::Number("3.1".into())));
        assert_eq!(find("stop"), Ok(StepName::Name("Stop".into())), "the whole name wins");
        assert_eq!(find("start"), Ok(StepName::Name("Start the backup".into())));
        let wrong = "`backup` may mean 2 steps: `Stop the backup`, `Start the backup`";
        assert_eq!(find("backup"), Err(wrong.to_owned()));
        assert_eq!(find(" "), Err("which step?".to_owned()));
        let wrong = names(false).find("Strt the backup").expect_err("none");
        assert_eq!(
            (wrong.message.as_str(), wrong.hints[0].as_str()),
            ("there is no step `Strt the backup`", "did you mean `Start the backup` or `Stop the backup`?",)
        );
    }

    #[test]
    fn a_name_that_may_still_be_made_is_taken_as_a_part() {
        let later = names(true).find("Upgrade C1").expect("may come");
        assert!(later.fits("2", "upgrade c1 now") && !later.fits("2", "upgrade c2"));
    }
}
