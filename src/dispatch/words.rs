//! The words that are typed at the prompt of stepwise execution: what a line means. Single letters mean nothing, and
//! a line that is no word does nothing. It must not carry anything out.

use crate::model::run::step_name::{StepName, StepNames};
use crate::model::text::shown;

/// The word that leaves out what is ahead, with what follows it.
const SKIP: &str = "skip REASON";

/// What each word does, in the order they are shown.
const MEANINGS: [(&str, &str); 8] = [
    ("go", "let it be done, then show the next"),
    ("go 5", "let this one and the next four be done"),
    ("until STEP", "go on without asking until that step begins: its number, its name, or a part of it"),
    ("run the rest", "go on without asking to the end"),
    (SKIP, "leave it out; the reason goes into the record"),
    ("shell", "open the REPL here; `:quit` in it comes back to these words"),
    ("stop", "stop the run here; it can be resumed"),
    ("help", "show these words"),
];

/// A typed line that means something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StepWord {
    /// This many effects may pass.
    Go(u32),
    /// Until this step begins.
    Until(StepName),
    /// All that is to come may pass.
    Rest,
    /// Leave it out, for this reason.
    Skip(String),
    Shell,
    Stop,
    Help,
}

/// The words and what they do, before an effect that may be left out or not.
pub(super) fn meanings(may_be_left_out: bool) -> Vec<(String, String)> {
    fitting(may_be_left_out).map(|(word, meaning)| (word.to_owned(), meaning.to_owned())).collect()
}

fn fitting(may_be_left_out: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    MEANINGS.into_iter().filter(move |(word, _)| may_be_left_out || *word != SKIP)
}

/// What a line means before an effect that may be left out or not; nothing for an empty one. The error says what could
/// be typed.
pub(super) fn understand(line: &str, names: &StepNames, may_be_left_out: bool) -> Result<Option<StepWord>, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
    Ok(Some(match (word, rest) {
        ("", _) => return Ok(None),
        ("go", "") => StepWord::Go(1),
        ("go", count) => match count.parse() {
            Ok(count) if count > 0 => StepWord::Go(count),
            Ok(_) | Err(_) => {
                return Err(format!("`go {}`: type `go`, or `go` and how many, such as `go 5`", shown(count)));
            }
        },
        ("until", "") => return Err("until which step? type `until` and its number, its name, or a part of it".into()),
        ("until", step) => match names.find(step) {
            Ok(step) => StepWord::Until(step),
            Err(error) => return Err(format!("{}; {}", error.message, error.hints.join("; "))),
        },
        ("run", "the rest") => StepWord::Rest,
        ("skip", "") => return Err("why is it left out? type `skip` and the reason: it goes into the record".into()),
        ("skip", reason) => StepWord::Skip(reason.to_owned()),
        ("shell", "") => StepWord::Shell,
        ("stop", "") => StepWord::Stop,
        ("help", "") => StepWord::Help,
        _ => return Err(no_word(line, may_be_left_out)),
    }))
}

fn no_word(line: &str, may_be_left_out: bool) -> String {
    let words: Vec<String> = fitting(may_be_left_out).map(|(word, _)| format!("`{word}`")).collect();
    format!("`{}` is none of the words: {}", shown(line), words.join(", "))
}
