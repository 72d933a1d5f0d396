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
    /// How many there can be that are part of no other one; nothing where the text sets no limit.
    pub most: Option<u32>,
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
            return self.numbered(wanted);
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

    /// Steps get their numbers as they come, from 1: of a number it is only known which are too high.
    fn numbered(&self, wanted: &str) -> Result<StepName> {
        let parts: Option<Vec<u32>> = wanted.split('.').map(|part| part.parse().ok()).collect();
        let error = |hint: String| Err(Error::new(Kind::Usage, format!("there is no step {wanted}")).hint(hint));
        match (parts, self.most) {
            (Some(parts), _) if parts.contains(&0) => error("steps are counted from 1".to_owned()),
            (Some(parts), Some(most)) if parts.first().is_some_and(|first| *first > most) => {
                error(format!("there can be {most} at the most, as the runbook is written"))
            }
            (None, _) => error("that number is too high for any step".to_owned()),
            (Some(_), _) => Ok(StepName::Number(wanted.to_owned())),
        }
    }

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

    /// Whether the step that is meant can come no more once one with this number begins: its own number is lower, and
    /// it is not one that this one is part of.
    #[must_use]
    pub fn is_passed(&self, number: &str) -> bool {
        match self {
            Self::Number(wanted) => parts(number) > parts(wanted),
            Self::Name(_) | Self::Part(_) => false,
        }
    }

    /// Whether the step that is meant is part of the one with this number.
    #[must_use]
    pub fn is_part_of(&self, number: &str) -> bool {
        match self {
            Self::Number(wanted) => wanted.strip_prefix(number).is_some_and(|rest| rest.starts_with('.')),
            Self::Name(_) | Self::Part(_) => false,
        }
    }
}

fn parts(number: &str) -> Vec<u32> {
    number.split('.').map(|part| part.parse().unwrap_or_default()).collect()
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
        StepNames {
            written: vec!["Stop the backup".into(), "Start the backup".into(), "Stop".into()],
            computed,
            most: Some(3),
        }
    }

    #[test]
    fn a_step_is_found_by_number_name_or_a_part_that_only_one_has() {
        let find = |given: &str| names(&[]).find(given).map_err(|error| error.message);
        assert_eq!(find("3.1"), Ok(StepName::Number("3.1".into())));
        for (given, wrong) in
            [("4", "there is no step 4"), ("0", "there is no step 0"), ("9.1", "there is no step 9.1")]
        {
            assert_eq!(find(given), Err(wrong.to_owned()));
        }
        assert_eq!(StepNames { most: None, ..names(&[]) }.find("99"), Ok(StepName::Number("99".into())));
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
