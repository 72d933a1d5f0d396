//! What follows the ending of a runner: it is told, and after a failure a person may say how it goes on. Every word
//! becomes records and a new runner, as if it had been typed as a command on another terminal.

use super::acquire::AcquiredRun;
use super::adopt::{Edited, edited_since};
use super::menu::{self, Menu};
use super::ruling::{self, WordOutcome};
use super::steering::{CheckedSteering, Gates, RecordedSteps};
use super::typed::{Departure, type_line};
use super::{answers, by_hand, edit, give_up, go_back, present};
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::reopening;
use crate::model::run::record::Ending;
use crate::model::run::steering::AfterFailure;
use crate::repl::Start;
use crate::report::ending;
use crate::session::{self, Finished, OperatorRuling, ResumeTerms, RunParts};
use crate::world::operator::terminal::Terminal;
use std::path::Path;

/// How it goes on.
enum FollowUp {
    Resume(ResumeTerms),
    Adopt(Box<Edited>),
    RollBack,
    GiveUp(String),
    Shell,
    /// Nobody was asked.
    Stop,
    /// Who was asked leaves it as it is.
    Leave(Departure),
}

/// Carries a run out of which this has begun before and, as long as a person has it go on after a failure, goes on.
/// Returns the exit code.
///
/// # Errors
/// When its parts cannot be opened or its record cannot be written.
pub(in crate::cli) fn carry_out(
    taken: AcquiredRun,
    (course, begun): (&CheckedSteering, RecordedSteps),
    events: Option<&Path>,
    start: impl FnOnce(&AcquiredRun, RunParts) -> Result<Finished>,
    context: &Context,
) -> Result<u8> {
    let gates = course.gates(&taken.run, context.who(), begun);
    course.remarks().iter().for_each(|remark| context.screen.remark(remark));
    let parts = RunParts { steering: course.said(), ..taken.parts(events, gates.all.clone(), context)? };
    let finished = start(&taken, parts)?;
    go_on(taken, course, events, (finished, gates), context)
}

/// Takes a run back that has failed, as it was asked for before its runner died.
///
/// # Errors
/// When there is no way back, or the record cannot be written.
pub(in crate::cli) fn take_back(
    taken: AcquiredRun,
    course: &CheckedSteering,
    events: Option<&Path>,
    context: &Context,
) -> Result<u8> {
    course.remarks().iter().for_each(|remark| context.screen.remark(remark));
    context.screen.remark("the run has failed: rolling back, as asked");
    let gates = course.gates(&taken.run, context.who(), RecordedSteps::default());
    let finished = go_back::go_back(&taken, events, false, context)?;
    go_on(taken, course, events, (finished, gates), context)
}

/// Goes on from a runner's ending, as long as a person wants it. Returns the exit code.
///
/// # Errors
/// As above.
pub(in crate::cli) fn go_on(
    mut taken: AcquiredRun,
    course: &CheckedSteering,
    events: Option<&Path>,
    (mut finished, mut gates): (Finished, Gates),
    context: &Context,
) -> Result<u8> {
    loop {
        if gates.wants_shell() {
            finished = in_shell(&mut taken, events, context)?;
            // Who leaves it where it could go on is back at the prompt at which they opened it.
            if finished.ending == Ending::Suspended && Terminal::is_there() {
                gates = course.gates(&taken.run, context.who(), RecordedSteps::of(&taken.history(context)?));
                let parts = taken.parts(events, gates.all.clone(), context)?;
                finished = session::resume_on(&taken.prepared, parts, ResumeTerms::default())?;
                continue;
            }
        }
        answers::tell_of_unasked(taken.answers.as_deref(), &finished.run, context)?;
        // A journal that cannot be read is told with why the run has stopped.
        if course.on_failure == AfterFailure::Rollback && has_failed(&taken, &finished, context).unwrap_or(false) {
            // What could be typed otherwise is not for anybody to type.
            finished.error.iter_mut().for_each(|error| error.hints = vec!["rolling back, as asked".to_owned()]);
        }
        tell_of_edited(&mut finished, context);
        let code = present::tell(context, &finished)?;
        if let Some(step) = gates.unreached().filter(|_| matches!(finished.ending, Ending::Done | Ending::Held)) {
            context.screen.remark(&format!("it never came to {step}: it did not stop there"));
        }
        // Who thinks better of a word is asked again; the ending need not be told once more.
        finished = loop {
            match next(&taken, course, &finished, context)? {
                FollowUp::Stop => return Ok(code),
                FollowUp::Leave(left) => return leave(&taken, left, code, context),
                FollowUp::RollBack => {
                    let asks = course.on_failure == AfterFailure::Ask;
                    match go_back::go_back(&taken, events, asks, context) {
                        Err(error) if asks => complain(error, context),
                        back => break back?,
                    }
                }
                FollowUp::GiveUp(reason) => match give_up::give_up(&taken, events, reason, context) {
                    Ok(back) => break back,
                    Err(error) => complain(error, context),
                },
                FollowUp::Shell => break in_shell(&mut taken, events, context)?,
                FollowUp::Resume(terms) => {
                    gates = course.gates(&taken.run, context.who(), RecordedSteps::of(&taken.history(context)?));
                    let parts = taken.parts(events, gates.all.clone(), context)?;
                    break session::resume_on(&taken.prepared, parts, terms)?;
                }
                FollowUp::Adopt(edited) => {
                    gates = course.gates(&taken.run, context.who(), RecordedSteps::of(&taken.history(context)?));
                    break edited.go_on(&mut taken, events, gates.all.clone(), context)?;
                }
            }
        };
    }
}

/// Opens the REPL in the midst of a run. With what is edited there the run goes on afterwards.
fn in_shell(taken: &mut AcquiredRun, events: Option<&Path>, context: &Context) -> Result<Finished> {
    let finished = by_hand::open(taken, events, Start::Run, context)?;
    let texts = session::snapshot(&*context.store()?, &taken.history(context)?)?;
    if texts.files != taken.prepared.texts.files {
        taken.exchange(session::prepare(texts)?, context)?;
    }
    Ok(finished)
}

/// Says with a failure that a text was edited which the run does not go on with.
fn tell_of_edited(finished: &mut Finished, context: &Context) {
    let failed = matches!(finished.ending, Ending::Failed | Ending::Unmet | Ending::Bug);
    let Some(error) = finished.error.as_mut().filter(|_| failed) else { return };
    let history = context.store().and_then(|store| History::read(&*store, &finished.run));
    error.hints.extend(history.ok().and_then(|history| edited_since(&finished.run, &history, context)));
}

/// What follows an ending.
fn next(taken: &AcquiredRun, course: &CheckedSteering, finished: &Finished, context: &Context) -> Result<FollowUp> {
    let Some(history) = taken.begun(context)? else { return Ok(FollowUp::Stop) };
    match (course.on_failure, Menu::of(&taken.run, &history, finished.ending)) {
        (AfterFailure::Ask, Some(menu)) => ask(taken, &menu, context),
        (AfterFailure::Rollback, _) if has_failed(taken, finished, context)? => Ok(FollowUp::RollBack),
        (AfterFailure::Ask | AfterFailure::Stop | AfterFailure::Rollback, _) => Ok(FollowUp::Stop),
    }
}

/// Whether a run stopped in a way that a way back can follow, and is not on one.
fn has_failed(taken: &AcquiredRun, finished: &Finished, context: &Context) -> Result<bool> {
    Ok(taken.begun(context)?.is_some_and(|history| reopening::is_to_go_back(&history, finished.ending)))
}

/// Leaves a run as it is: the last line is what can be typed of it.
fn leave(taken: &AcquiredRun, left: Departure, code: u8, context: &Context) -> Result<u8> {
    let store = context.store()?;
    let sum = present::summary(&*store, &taken.run, store.read(&taken.run)?);
    context.screen.out.say(&format!("\n  left as it is\n{}", ending::next(&sum, &context.screen.out_style)));
    Ok(if left == Departure::Interrupted { Kind::Interrupted.exit_code() } else { code })
}

/// Asks a person until they say how it goes on. Who goes away leaves it as it is.
fn ask(taken: &AcquiredRun, menu: &Menu, context: &Context) -> Result<FollowUp> {
    let help = || context.screen.out.say(&menu.help(&context.screen.out_style));
    help();
    loop {
        // One for each line: Ctrl-C at a question that a word leads to, or in an editor, is meant for that.
        let line = match type_line(&mut taken.estate.world(&taken.prepared.inventory, context)?, menu.prompt) {
            Ok(line) => line,
            Err(left) => return Ok(FollowUp::Leave(left)),
        };
        let (word, reason) = match menu.understand(&line, &taken.run, &taken.history(context)?) {
            Ok(None) => continue,
            Ok(Some(typed)) => typed,
            Err(error) => {
                complain(error, context);
                continue;
            }
        };
        let next = match (menu::said(word, reason), word) {
            (Some(verdict), _) => resumed(taken, verdict, context),
            (None, menu::ROLLBACK) => return Ok(FollowUp::RollBack),
            (None, menu::ABORT) => return Ok(FollowUp::GiveUp(reason.to_owned())),
            (None, menu::ACCEPT) => {
                return Ok(FollowUp::Resume(ResumeTerms { drift: Some(reason.to_owned()), ..ResumeTerms::default() }));
            }
            (None, "shell") => return Ok(FollowUp::Shell),
            (None, "stop") => return Ok(FollowUp::Leave(Departure::Willingly)),
            (None, "edit") => edited(taken, context),
            (None, _) => {
                help();
                Ok(None)
            }
        };
        match next {
            Ok(Some(next)) => return Ok(next),
            Ok(None) => {}
            Err(error) => complain(error, context),
        }
    }
}

/// The run goes on with a word on what stopped it; nothing when the person has thought better of it.
fn resumed(taken: &AcquiredRun, verdict: OperatorRuling, context: &Context) -> Result<Option<FollowUp>> {
    session::admits(&taken.run, &taken.history(context)?, &verdict)?;
    Ok(match ruling::hear(taken, &verdict, false, context)? {
        WordOutcome::Taken(seen) => Some(FollowUp::Resume(ResumeTerms { verdict, seen, ..ResumeTerms::default() })),
        WordOutcome::Withdrawn(_) => {
            context.screen.remark(ruling::NOT_TAKEN);
            None
        }
    })
}

/// The run goes on with its texts as they were edited, if it can; nothing when they are the same: to try it again as it
/// was is another word.
fn edited(taken: &AcquiredRun, context: &Context) -> Result<Option<FollowUp>> {
    let path = edit::edit(&taken.prepared.texts)?;
    let edited = Edited::read(&taken.run, &taken.history(context)?, &OperatorRuling::Retry, context);
    if edited.as_ref().map_or(true, |edited| edited.adoption.differs) {
        context.screen.remark(&format!("edited: {}", path.display()));
    }
    let edited = edited?;
    edited.tell_if_same(context);
    Ok(edited.adoption.differs.then(|| FollowUp::Adopt(Box::new(edited))))
}

fn complain(error: Box<Error>, context: &Context) {
    context.screen.complain(&error);
}
