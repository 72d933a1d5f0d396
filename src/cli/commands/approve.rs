//! `baton approve`: answers a question of a run that nobody works on, from any terminal and by anyone. Without a gate
//! it shows what is asked. It assumes no answer and carries nothing on: that is `baton resume`.

use crate::cli::context::Context;
use crate::cli::operations::acquire::Claimed;
use crate::cli::operations::estate::lease;
use crate::cli::operations::find_run::find_run;
use crate::cli::operations::present;
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::model::run::record::Fact;
use crate::model::text::{did_you_mean, lines_shown, shown};
use crate::platform::desk;
use crate::platform::runner_lock::LockError;
use crate::report::layout::{date_and_time, time_of_day};
use crate::report::questions::{QuestionLog, RecordedAnswer, RecordedQuestion, next_commands};
use crate::report::style::Tone;
use std::rc::Rc;
use std::time::Duration;

/// How long another approval may take to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answer a gate of a suspended run; without a gate, show what is asked
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ApproveArgs {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// The gate, by the name it is shown with
    gate: Option<String>,
    /// One of the gate's words; `yes` or `done` where there is no choice to be made
    #[arg(requires = "gate")]
    answer: Option<String>,
    /// Whose answer it is, if it is not yours
    #[arg(long = "as", value_name = "NAME", requires = "gate")]
    name: Option<String>,
    /// What should be known of it: it goes into the record
    #[arg(long, value_name = "TEXT", requires = "gate")]
    note: Option<String>,
}

pub(in crate::cli) fn run(args: &ApproveArgs, context: &Context) -> Result<u8> {
    match &args.gate {
        None => show(args, context),
        Some(gate) => approve(args, gate, context),
    }
}

/// Shows what is asked, and how to answer.
fn show(args: &ApproveArgs, context: &Context) -> Result<u8> {
    let store = context.store()?;
    let run = find_run(&*store, &args.run, context)?;
    let sum = present::summary(&*store, &run, store.read(&run)?);
    if sum.open.is_empty() {
        return Err(Error::new(Kind::Usage, format!("no gate of run {run} waits for an answer"))
            .hint(format!("see how it stands: baton show {run}")));
    }
    let screen = &context.screen;
    let asked: String = sum.open.iter().map(|question| question.shown(&screen.out_style, &screen.zone)).collect();
    screen.out.say(&format!("{asked}{}", next_commands(&run, &sum.open, &screen.out_style)));
    Ok(0)
}

fn approve(args: &ApproveArgs, gate: &str, context: &Context) -> Result<u8> {
    let who = context.who();
    let name = args.name.clone().unwrap_or_else(|| who.user.clone());
    if name.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "an answer needs a name: it goes into the record")
            .hint("say whose it is: --as NAME"));
    }
    let Claimed { run, history, lease: _lease } = claim_patiently(args, gate, context)?;
    let questions = QuestionLog::of(history.records().iter().map(|stored| &*stored.record));
    let question = open_question(&run, &history, &questions, gate, context)?;
    let word = chosen(args.answer.as_deref(), question, &run)?;
    let record = Fact::Answered {
        id: question.id.clone(),
        digest: question.digest.clone(),
        word: word.clone(),
        note: args.note.clone().unwrap_or_default(),
        name: name.clone(),
    }
    .by(who, present::clock(&history.begun().estate, &run, context)?.now());
    // What the record would not bear is refused here, and nothing is written.
    let last = history.len();
    let record = Rc::new(record);
    history.clone().add([Rc::clone(&record)])?;
    context.store()?.append(&run, last, &[record])?;
    let style = context.screen.out_style;
    let told = format!("{} `{}` is answered by {}: {}", "✓", shown(gate), shown(&name), shown(&word));
    let others: Vec<RecordedQuestion> = questions.open().filter(|other| other.id != question.id).cloned().collect();
    context.screen.out.say(&format!("{}\n{}", style.paint(Tone::Good, &told), next_commands(&run, &others, &style)));
    Ok(0)
}

/// Claims the run. Another approval holds it for an instant only; a runner for as long as it works.
fn claim_patiently(args: &ApproveArgs, gate: &str, context: &Context) -> Result<Claimed> {
    let store = context.store()?;
    let run = find_run(&*store, &args.run, context)?;
    let mut taken = lease(context, &run, &run);
    desk::wait_for(PATIENCE, &mut || {
        let is_held = matches!(taken, Err(LockError::Held(_)));
        if is_held {
            taken = lease(context, &run, &run);
        }
        !is_held
    });
    let lease = taken.map_err(|error| match error {
        LockError::Held(mut error) => {
            error.hints.insert(0, format!("if it asks for `{}` on a terminal, answer it there", shown(gate)));
            error
        }
        LockError::Unusable(error) => error,
    })?;
    Claimed::by(lease, run, &*store, context)
}

/// The question of this gate, if it is open.
fn open_question<'q>(
    run: &str,
    history: &History,
    questions: &'q QuestionLog,
    gate: &str,
    context: &Context,
) -> Result<&'q RecordedQuestion> {
    let see = format!("see how it stands: baton show {run}");
    let known: Vec<&RecordedQuestion> = questions.all().filter(|question| question.ask.gate == gate).collect();
    if let Some(open) = known.iter().find(|question| questions.is_open(question) && !history.is_final()) {
        return Ok(open);
    }
    if let Some(RecordedQuestion { answer: Some(answer), .. }) = known.last() {
        return Err(answered(gate, answer, context).hint(next(run, questions, &see)));
    }
    if history.is_final() {
        return Err(
            Error::new(Kind::Refused, format!("run {run} is over: nothing of it waits for an answer")).hint(see)
        );
    }
    if history.way_back().is_some() && known.iter().any(|question| question.answer.is_none()) {
        return Err(Error::new(Kind::Refused, format!("run {run} goes back: `{}` is not asked any more", shown(gate)))
            .hint(next(run, questions, &see)));
    }
    let error = Error::new(Kind::Usage, format!("run {run} has no gate `{}` that is open", shown(gate)));
    if let Some(other) = other_run(run, gate, context)? {
        return Err(error.hint(format!("run {other} has one of this name: baton approve {other} {}", shown(gate))));
    }
    let mut error = error;
    error.hints.extend(did_you_mean(gate, questions.open().map(|question| question.ask.gate.as_str())));
    Err(error.hint(next(run, questions, &see)))
}

/// What to type instead: a gate that is open, or else `see`.
fn next(run: &str, questions: &QuestionLog, see: &str) -> String {
    let open: Vec<String> = questions.open().map(|question| shown(&question.ask.gate)).collect();
    if open.is_empty() { see.to_owned() } else { format!("open: {}; see them: baton approve {run}", open.join(", ")) }
}

fn answered(gate: &str, answer: &RecordedAnswer, context: &Context) -> Box<Error> {
    let zone = &context.screen.zone;
    let when = format!("{}:{}", date_and_time(answer.at, zone), &time_of_day(answer.at, zone)[6..]);
    let (word, by) = (shown(&answer.word), shown(&answer.by));
    let said = match answer.note.as_str() {
        "" => String::new(),
        note => format!("; {by} said: {}", lines_shown(note)),
    };
    Error::new(Kind::Refused, format!("`{}` is answered already: {word}, by {by}, {when}{said}", shown(gate)))
}

/// Another run whose gate of this name is open.
fn other_run(run: &str, gate: &str, context: &Context) -> Result<Option<String>> {
    let store = context.store()?;
    let has_it = |other: &String| {
        // A run that cannot be read must not hide the others.
        let records = store.read(other).unwrap_or_default();
        let questions = QuestionLog::of(records.iter().map(|stored| &*stored.record));
        questions.open().any(|question| question.ask.gate == gate)
    };
    Ok(store.runs()?.into_iter().rev().filter(|other| other != run).find(has_it))
}

/// The word that was given; where there is no choice to be made, the one that lets the run go on.
fn chosen(given: Option<&str>, question: &RecordedQuestion, run: &str) -> Result<String> {
    let gate = shown(&question.ask.gate);
    let wrong = |what: String| {
        Error::new(Kind::Usage, what)
            .cause(format!("it is answered with {}", question.words()))
            .hint(format!("baton approve {run} {gate} WORD"))
    };
    match given {
        Some(given) => {
            question.ask.form.word(given).ok_or_else(|| wrong(format!("`{}` does not answer `{gate}`", shown(given))))
        }
        None => match question.ask.form.affirmative() {
            Some(word) => Ok(word.to_owned()),
            None => Err(wrong(format!("`{gate}` is a choice: say which word, none is assumed"))),
        },
    }
}
