//! Which step is meant by what a person types: its number, its name, or a part of the name that only one step has.
//! Steps get their numbers while a run goes on, so numbers are not looked up here.

use crate::error::{Error, Kind, Result};
use crate::model::text::{did_you_mean, shown};
use std::fmt;

/// How many steps a message names.
const NAMED_MAX: usize = 4;
/// What stands in a name for what only the run tells.
const GAP: char = '…';
/// How many letters and digits tell a name from others.
const TELLING: usize = 3;

/// The names of steps that a runbook and its modules have, as far as they are written out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepNames {
    /// Those written out, in order, each once.
    pub written: Vec<String>,
    /// Those of which only a part is written out, the rest is made while it runs: with `…` for what only the run tells.
    pub computed: Vec<String>,
}

/// A step that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepName {
    /// The one with this number, such as `3` or `3.1`.
    Number(String),
    /// Those with this name.
    Name(String),
    /// Those whose name, made while it runs, has this part, in any case.
    Part(String),
}

impl StepNames {
    /// The step that `given` means. Of a name that is made while it runs, `given` must have something that is written
    /// out: else a slip of the pen would only show when the run is over.
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
            [] if self.computed.iter().any(|name| may_become(&name.to_lowercase(), &lower)) => {
                Ok(StepName::Part(lower))
            }
            [] => Err(self.unknown(wanted)),
            several => {
                let message = format!("`{}` may mean {} steps: {}", shown(wanted), several.len(), listed(several));
                Err(Error::new(Kind::Usage, message).hint("type more of the name, or the number of the step"))
            }
        }
    }
}

impl StepNames {
    fn unknown(&self, wanted: &str) -> Box<Error> {
        let near = did_you_mean(wanted, self.written.iter().map(String::as_str));
        let there = |names: &[String]| listed(&names.iter().collect::<Vec<_>>());
        let error = Error::new(Kind::Usage, format!("there is no step `{}`", shown(wanted)))
            .hint(near.unwrap_or_else(|| format!("there are {}", there(&self.written))));
        if self.computed.is_empty() {
            return error;
        }
        error
            .hint(format!("others get their names as it runs: {}", there(&self.computed)))
            .hint("name one of those beginning with what is written out of it, or by its number")
    }
}

/// Whether a name with gaps can turn out to have this part, by something of it that is written out: the part lies in
/// it, or begins in it, with a whole word, and goes on in the gap behind. Both are in lower case.
fn may_become(name: &str, part: &str) -> bool {
    let mut pieces = name.split(GAP).peekable();
    while let Some(piece) = pieces.next() {
        let has_gap_behind = pieces.peek().is_some();
        if piece.contains(part) || (has_gap_behind && ends_of(piece).any(|end| part.starts_with(end))) {
            return true;
        }
    }
    false
}

/// The ends of a text that begin with a word and are long enough to tell it from others.
fn ends_of(text: &str) -> impl Iterator<Item = &str> {
    let mut before = ' ';
    let begins = text.char_indices().filter(move |(_, char)| {
        let begins = char.is_alphanumeric() && !before.is_alphanumeric();
        before = *char;
        begins
    });
    let ends = begins.filter_map(move |(at, _)| text.get(at..));
    ends.filter(|end| end.chars().filter(|char| char.is_alphanumeric()).count() >= TELLING)
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

    fn names(computed: &[&str]) -> StepNames {
        let computed = computed.iter().map(|name| (*name).to_owned()).collect();
        StepNames { written: vec!["Stop the backup".into(), "Start the backup".into(), "Stop".into()], computed }
    }

    #[test]
    fn a_step_is_found_by_number_name_or_a_part_that_only_one_has() {
        let find = |given: &str| names(&[]).find(given).map_err(|error| error.message);
        assert_eq!(find("3.1"), Ok(StepName::Number("3.1".into())));
        assert_eq!(find("stop"), Ok(StepName::Name("Stop".into())), "the whole name wins");
        assert_eq!(find("start"), Ok(StepName::Name("Start the backup".into())));
        let wrong = "`backup` may mean 2 steps: `Stop the backup`, `Start the backup`";
        assert_eq!(find("backup"), Err(wrong.to_owned()));
        assert_eq!(find(" "), Err("which step?".to_owned()));
        let wrong = names(&[]).find("Strt the backup").expect_err("none");
        assert_eq!(
            (wrong.message.as_str(), wrong.hints[0].as_str()),
            ("there is no step `Strt the backup`", "did you mean `Start the backup` or `Stop the backup`?",)
        );
    }

    #[test]
    fn a_name_that_may_still_be_made_is_taken_as_a_part() {
        let later = names(&["Upgrade …"]).find("Upgrade C1").expect("may come");
        assert!(later.fits("2", "upgrade c1 now") && !later.fits("2", "upgrade c2"));
    }

    #[test]
    fn what_fits_nothing_that_is_written_out_is_refused_before_it_is_waited_for() {
        let names = names(&["HA-7, …", "Shut … down; … must have its last record", "…"]);
        for fits in ["HA-7", "ha-7, sm-5", "shut c1 down", "last record"] {
            let found = names.find(fits).unwrap_or_else(|error| panic!("{fits}: {error}"));
            assert_eq!(found, StepName::Part(fits.to_lowercase()));
        }
        for wrong in ["HA-8", "HB-7", "7, SM", "Sht c1 down", "c1", "SM-5", "last records"] {
            let error = names.find(wrong).expect_err(wrong);
            assert_eq!(error.message, format!("there is no step `{wrong}`"));
            assert!(error.hints[1].contains("as it runs: `HA-7, …`, `Shut … down;"), "{:?}", error.hints);
        }
    }
}
