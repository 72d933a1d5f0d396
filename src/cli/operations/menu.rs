//! The words that can be typed after a run has stopped: which there are, which of them fit it as it stands, and what a
//! typed line means. What a word comes to is for others: it must not carry anything out.

use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::reopening;
use crate::journal::rollback_plan;
use crate::journal::second_thought;
use crate::model::run::record::{Ending, RollbackScope};
use crate::model::text::shown;
use crate::report::layout::hanging;
use crate::report::style::{Style, Tone};
use crate::session::{self, OperatorRuling};

/// What stands before the word that is typed after a failure.
const PROMPT: &str = "failed> ";
/// The same for what is in doubt.
const DOUBT_PROMPT: &str = "doubt> ";
/// Where it is said what a word does.
const MEANING_COLUMN: usize = 22;
/// The word that goes back.
pub(in crate::cli) const ROLLBACK: &str = "rollback";
/// The word that tries again what failed.
const RETRY: &str = "retry";
/// The word that gives the run up.
pub(in crate::cli) const ABORT: &str = "abort";
/// The word that goes on although a guard was decided by something that is otherwise now.
pub(in crate::cli) const ACCEPT: &str = "accept";

/// The word for what happened all the same, as it is offered.
const DONE: &str = "done REASON";

/// A word with what stands behind it, and what it does.
type MenuRow = (&'static str, &'static str);

/// What each word does after a failure.
const AFTER_FAILURE: [MenuRow; 10] = [
    (RETRY, "try again what failed"),
    ("accept REASON", "go on all the same: what has changed since is fine as it is; say why"),
    ("edit", "open the runbook in your editor, then go on with it"),
    ("skip REASON", "leave out what failed; the reason goes into the record"),
    (DONE, "it happened all the same; say how you know"),
    (ROLLBACK, "undo what this run has done"),
    ("abort REASON", "undo nothing, do what is owed, end the run for good"),
    ("shell", "open the REPL here; `:quit` in it comes back to these words"),
    ("stop", "leave it as it is; it can be resumed"),
    ("help", "show these words"),
];
/// What going back means for a run of which only what failed may have changed something.
const UNDO_THE_UNCLEAR: &str = "undo what may have been changed; what failed is looked at first";
/// What each word does when nobody can tell whether an effect happened.
const IN_DOUBT: [MenuRow; 5] = [
    ("happened REASON", "it did happen; say how you know"),
    ("not-happened REASON", "it did not happen; say how you know"),
    ("abort REASON", "leave it in doubt, undo nothing, do what is owed, end the run for good"),
    ("stop", "leave it as it is; it can be resumed"),
    ("help", "show these words"),
];
/// What trying again means where the runbook could not go on without what was left out.
const DO_THE_LEFT_OUT: &str = "do after all what was left out, then go on";
/// What is said to be done there.
const THE_LEFT_OUT_IS_DONE: &str = "what was left out is done; say how you know";
/// What each word does after a mistake in the runbook: to try it again as it is would come to the same, but where what
/// was left out is missed.
const AFTER_MISTAKE: [MenuRow; 8] = [
    (RETRY, DO_THE_LEFT_OUT),
    (DONE, THE_LEFT_OUT_IS_DONE),
    ("edit", "open the runbook in your editor, then go on with it"),
    (ROLLBACK, "undo what this run has done"),
    ("abort REASON", "undo nothing, do what is owed, end the run for good"),
    ("shell", "open the REPL here; `:quit` in it comes back to these words"),
    ("stop", "leave it as it is; it can be resumed"),
    ("help", "show these words"),
];
/// What each word does when something could not be undone.
const ON_THE_WAY_BACK: [MenuRow; 7] = [
    (RETRY, "try again what failed"),
    ("edit", "open the runbook in your editor, then go on with the way back"),
    ("skip REASON", "leave out what failed; the reason goes into the record"),
    (DONE, "it is undone all the same, by hand; say how you know"),
    ("abort REASON", "undo nothing more, do what is owed, end the run for good"),
    ("stop", "leave it as it is; the way back can be resumed"),
    ("help", "show these words"),
];
/// What each word does when nobody can tell on the way back whether something happened.
const IN_DOUBT_BACK: [MenuRow; 5] = [
    ("happened REASON", "it did happen; say how you know"),
    ("not-happened REASON", "it did not happen; say how you know"),
    ("abort REASON", "undo nothing more, do what is owed, end the run for good"),
    ("stop", "leave it as it is; the way back can be resumed"),
    ("help", "show these words"),
];
/// What each word does when what a run owes could not be done while it was given up.
const WHILE_GIVING_UP: [MenuRow; 6] = [
    (RETRY, "try again what failed"),
    ("edit", "open the runbook in your editor, then go on with giving the run up"),
    ("skip REASON", "leave out what failed; the reason goes into the record"),
    (DONE, "it is done all the same, by hand; say how you know"),
    ("stop", "leave it as it is; giving it up can be resumed"),
    ("help", "show these words"),
];
/// What each word does when nobody can tell whether what a run owes was done while it was given up.
const IN_DOUBT_WHILE_GIVING_UP: [MenuRow; 4] = [
    ("happened REASON", "it did happen; say how you know"),
    ("not-happened REASON", "it did not happen; say how you know"),
    ("stop", "leave it as it is; giving it up can be resumed"),
    ("help", "show these words"),
];

/// The words that fit a run as it stands.
pub(in crate::cli) struct Menu {
    /// What stands before the word that is typed.
    pub(in crate::cli) prompt: &'static str,
    words: Vec<MenuRow>,
    /// Words that are not offered, and why.
    shut: Vec<(&'static str, String)>,
}

impl Menu {
    /// The words for a run which stopped like this; none where there is nothing to be said.
    pub(in crate::cli) fn of(run: &str, history: &History, ending: Ending) -> Option<Self> {
        let (prompt, table): (_, &[MenuRow]) = match (ending, history.way_back()) {
            (Ending::Failed, None) => (PROMPT, &AFTER_FAILURE),
            (Ending::Doubt, None) => (DOUBT_PROMPT, &IN_DOUBT),
            (Ending::Bug, None) if history.changes() > 0 => (PROMPT, &AFTER_MISTAKE),
            (Ending::Failed | Ending::Bug, Some(RollbackScope::Abort)) => (PROMPT, &WHILE_GIVING_UP),
            (Ending::Doubt, Some(RollbackScope::Abort)) => (DOUBT_PROMPT, &IN_DOUBT_WHILE_GIVING_UP),
            (Ending::Failed | Ending::Bug, Some(RollbackScope::All | RollbackScope::To(_))) => {
                (PROMPT, &ON_THE_WAY_BACK)
            }
            (Ending::Doubt, Some(RollbackScope::All | RollbackScope::To(_))) => (DOUBT_PROMPT, &IN_DOUBT_BACK),
            (Ending::Bug | Ending::Done | Ending::Held | Ending::Unmet | Ending::Suspended, _) => return None,
            (Ending::Interrupted | Ending::Refused | Ending::RolledBack | Ending::Aborted, _) => return None,
        };
        let (mut words, mut shut) = (Vec::new(), Vec::new());
        for (form, meaning) in table {
            let word = word_of(form);
            match closed(word, run, history, ending) {
                Some(why) => shut.push((word, why)),
                None if word == ROLLBACK && rollback_plan::has_changed(history) == Some(false) => {
                    words.push((*form, UNDO_THE_UNCLEAR));
                }
                None if word == RETRY
                    && second_thought::missed(history).is_some()
                    && reopening::retries_left_out(history, ending) =>
                {
                    words.push((*form, DO_THE_LEFT_OUT));
                }
                None if *form == DONE && second_thought::missed(history).is_some() => {
                    words.push((*form, THE_LEFT_OUT_IS_DONE))
                }
                None => words.push((*form, *meaning)),
            }
        }
        Some(Self { prompt, words, shut })
    }

    /// The words and what they do, for people; behind them why there is no way back, where one might look for it.
    pub(in crate::cli) fn help(&self, style: &Style) -> String {
        let word = |(word, meaning): &MenuRow| {
            format!("{}\n", hanging(style, (Tone::Strong, &format!("  {word:<19} ")), meaning, MEANING_COLUMN))
        };
        let no_way = self.shut.iter().filter(|(word, _)| *word == ROLLBACK);
        let no_way = no_way.map(|(_, why)| format!("{}\n", hanging(style, (Tone::Plain, "  "), &shown(why), 2)));
        format!("\n{}", self.words.iter().map(word).chain(no_way).collect::<String>())
    }

    /// The word of a typed line and its reason; nothing for an empty line.
    ///
    /// # Errors
    /// `Usage` when it is none of the words, or lacks a reason; it names what can be typed.
    pub(in crate::cli) fn understand<'a>(
        &self,
        line: &'a str,
        run: &str,
        history: &History,
    ) -> Result<Option<(&'a str, &'a str)>> {
        let line = line.trim();
        let (word, reason) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        if line.is_empty() {
            return Ok(None);
        }
        let Some((form, _)) = self.words.iter().find(|(form, _)| word_of(form) == word) else {
            return Err(self.unfit(line, (word, reason), run, history));
        };
        if form.contains(' ') == reason.is_empty() {
            return Err(wrong_form(word, form));
        }
        Ok(Some((word, reason)))
    }

    /// A line that begins with none of the words: with one of another state, or with none at all.
    fn unfit(&self, line: &str, (word, reason): (&str, &str), run: &str, history: &History) -> Box<Error> {
        let shut = self.shut.iter().find(|(shut, _)| *shut == word).map(|(_, why)| why.clone());
        let refused = || said(word, reason).and_then(|verdict| refusal(run, history, &verdict));
        let message = shut.or_else(refused).unwrap_or_else(|| format!("`{}` is none of the words", shown(line)));
        let words: Vec<String> = self.words.iter().map(|(word, _)| format!("`{word}`")).collect();
        Error::new(Kind::Usage, message).hint(format!("type {}", words.join(", ")))
    }
}

/// What a word says of what stopped the run; nothing when it is no such word.
pub(in crate::cli) fn said(word: &str, reason: &str) -> Option<OperatorRuling> {
    match word {
        RETRY => Some(OperatorRuling::Retry),
        "skip" => Some(OperatorRuling::Skip(reason.to_owned())),
        "done" | "happened" => Some(OperatorRuling::Happened(reason.to_owned())),
        "not-happened" => Some(OperatorRuling::NotHappened(reason.to_owned())),
        _ => None,
    }
}

fn word_of(form: &'static str) -> &'static str {
    form.split(' ').next().unwrap_or(form)
}

/// Why a word would come to nothing in a run as it stands; nothing when it would not.
fn closed(word: &str, run: &str, history: &History, ending: Ending) -> Option<String> {
    match (word, said(word, "why")) {
        (RETRY, _) if ending == Ending::Bug && second_thought::missed(history).is_none() => {
            Some("what stopped it is a mistake in the runbook: as it is, it would come to the same".to_owned())
        }
        (_, Some(verdict)) => refusal(run, history, &verdict),
        (ROLLBACK, None) => match rollback_plan::no_return_since(history, 0) {
            Some((why, _)) => Some(format!("there is no way back any more: {why}")),
            None if rollback_plan::has_changed(history).is_none() => {
                Some("nothing was changed: there is nothing to roll back".to_owned())
            }
            None => None,
        },
        (ACCEPT, None) if reopening::drifted(history).is_none() => {
            Some("nothing has drifted: there is nothing to accept".to_owned())
        }
        (_, None) => None,
    }
}

fn refusal(run: &str, history: &History, verdict: &OperatorRuling) -> Option<String> {
    session::admits(run, history, verdict).err().map(|why| why.message)
}

fn wrong_form(word: &str, form: &str) -> Box<Error> {
    let message = if form.contains(' ') {
        format!("`{word}` needs a reason: it goes into the record")
    } else {
        format!("`{word}` stands alone")
    };
    Error::new(Kind::Usage, message).hint(format!("type {form}"))
}
