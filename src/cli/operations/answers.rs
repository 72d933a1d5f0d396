//! `--answers FILE`: the file is read and held against the runbook before anything is touched, and at the end it is
//! said which of its answers nobody asked for. It answers nothing itself.

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::model::run::steering::GivenAnswers;
use crate::model::site::answers::Answers;
use crate::platform::desk;
use crate::report::questions::QuestionLog;
use crate::script::analysis::gates;
use crate::session::Prepared;
use std::path::Path;
use std::sync::Arc;

/// The answers of a file, if one is named.
///
/// # Errors
/// `Usage` when it cannot be read, is wrong, names a gate that the runbook does not have, or answers one with
/// a word that it does not take.
pub(in crate::cli) fn read(
    path: Option<&Path>,
    prepared: &Prepared,
    context: &Context,
) -> Result<Option<Arc<Answers>>> {
    let Some(path) = path else { return Ok(None) };
    let file = path.display().to_string();
    let text = desk::read_text(path)?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no answers file `{file}`"))
            .hint("nothing was touched; name a TOML file with a section [answers]: --answers FILE")
    })?;
    let nothing_touched = |error: Box<Error>| error.hint("nothing was touched: put the file right and type it again");
    let answers = Answers::parse(&file, &text, &desk::who().user).map_err(nothing_touched)?;
    let asked = gates::GateQuestions::of(&prepared.program, &prepared.inventory);
    let unsure = answers.check(&|name, word| asked.judge(name, word), &asked.names()).map_err(nothing_touched)?;
    for (line, name) in unsure {
        let why = "the runbook makes names of gates while it runs, so nobody can tell yet whether one is called so";
        context.screen.remark(&format!("{file}:{line}: `{name}` cannot be checked: {why}"));
    }
    Ok(Some(Arc::new(answers)))
}

/// The answers for a run that is taken up: those of the file, if one is named now; else those that were given before.
/// Also whether they are those. What is kept was held against the runbook when it was given.
///
/// # Errors
/// As above.
pub(in crate::cli) fn read_or_kept(
    path: Option<&Path>,
    before: Option<&GivenAnswers>,
    prepared: &Prepared,
    context: &Context,
) -> Result<(Option<Arc<Answers>>, bool)> {
    let now = read(path, prepared, context)?;
    let kept = before.filter(|_| now.is_none()).map(|before| Arc::new(Answers::kept(before)));
    let is_kept = kept.is_some();
    Ok((now.or(kept), is_kept))
}

/// Says which answers no question of the run has asked for: perhaps their names are wrong.
pub(in crate::cli) fn tell_of_unasked(answers: Option<&Answers>, run: &str, context: &Context) -> Result<()> {
    let Some(answers) = answers else { return Ok(()) };
    let stored = context.store()?.read(run)?;
    let questions = QuestionLog::of(stored.iter().map(|entry| &*entry.record));
    let asked: Vec<&str> = questions.all().map(|question| question.ask.gate.as_str()).collect();
    let unasked = answers.never_asked_for(&asked);
    if !unasked.is_empty() {
        context.screen.remark(&format!("{}: never asked for: {}", answers.file(), unasked.join(", ")));
    }
    Ok(())
}
