//! What follows the ending of a runner: it is told, and after a failure a person may say how it goes on. Every word
//! becomes records and a new runner, as if it had been typed as a command on another terminal.

use super::adopt::Edited;
use super::steering::{Begun, Course, Gates};
use super::take_up::TakenUp;
use super::word::{self, Heard};
use super::{Desk, abort, answers, carry, edit, repl, rollback};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::model::record::Ending;
use crate::model::steering::AfterFailure;
use crate::model::text::shown;
use crate::repl::Start;
use crate::report::ending;
use crate::report::style::Tone;
use crate::session::{self, Finished, Parts, Seen, Terms, Verdict};
use crate::world::terminal::Terminal;
use crate::world::{Completion, Line, Reply, Request, Ticket, World};
use std::path::Path;

/// What stands before the word that is typed after a failure.
const PROMPT: &str = "failed> ";
/// The same for what is in doubt.
const DOUBT_PROMPT: &str = "doubt> ";
/// The word that goes back.
const ROLLBACK: &str = "rollback";

/// What each word does after a failure.
const AFTER_FAILURE: [(&str, &str); 8] = [
    ("retry", "try again what failed"),
    ("edit", "open the runbook in your editor, then go on with it"),
    ("skip REASON", "leave out what failed; the reason goes into the record"),
    ("done REASON", "it happened all the same; say how you know"),
    (ROLLBACK, "undo what this run has done"),
    ("shell", "open the REPL here"),
    ("stop", "leave it as it is; it can be resumed"),
    ("help", "show these words"),
];
/// What each word does when nobody can tell whether an effect happened.
const IN_DOUBT: [(&str, &str); 4] = [
    ("happened REASON", "it did happen; say how you know"),
    ("not-happened REASON", "it did not happen; say how you know"),
    ("stop", "leave it as it is; it can be resumed"),
    ("help", "show these words"),
];

/// What each word does after a mistake in the runbook: to try it again as it is would come to the same.
const AFTER_MISTAKE: [(&str, &str); 5] = [
    ("edit", "open the runbook in your editor, then go on with it"),
    (ROLLBACK, "undo what this run has done"),
    ("shell", "open the REPL here"),
    ("stop", "leave it as it is; it can be resumed"),
    ("help", "show these words"),
];
/// What each word does when something could not be undone.
const ON_THE_WAY_BACK: [(&str, &str); 7] = [
    ("retry", "try again what failed"),
    ("edit", "open the runbook in your editor, then go on with the way back"),
    ("skip REASON", "leave out what failed; the reason goes into the record"),
    ("done REASON", "it is undone all the same, by hand; say how you know"),
    ("abort REASON", "undo nothing more, do what is owed, end the run for good"),
    ("stop", "leave it as it is; the way back can be resumed"),
    ("help", "show these words"),
];
/// What each word does when nobody can tell on the way back whether something happened.
const IN_DOUBT_BACK: [(&str, &str); 5] = [
    ("happened REASON", "it did happen; say how you know"),
    ("not-happened REASON", "it did not happen; say how you know"),
    ("abort REASON", "undo nothing more, do what is owed, end the run for good"),
    ("stop", "leave it as it is; the way back can be resumed"),
    ("help", "show these words"),
];

/// The words that fit a run which stopped like this; none where there is nothing to be said.
fn menu(run: &str, history: &History, ending: Ending) -> Option<(&'static str, Vec<(&'static str, &'static str)>)> {
    let (prompt, words): (_, &[_]) = match (ending, history.way_back().is_some()) {
        (Ending::Failed, false) => (PROMPT, &AFTER_FAILURE),
        (Ending::Doubt, false) => (DOUBT_PROMPT, &IN_DOUBT),
        (Ending::Bug, false) if history.changes() > 0 => (PROMPT, &AFTER_MISTAKE),
        (Ending::Failed | Ending::Bug, true) => (PROMPT, &ON_THE_WAY_BACK),
        (Ending::Doubt, true) => (DOUBT_PROMPT, &IN_DOUBT_BACK),
        (Ending::Bug | Ending::Done | Ending::Held | Ending::Unmet | Ending::Suspended, _) => return None,
        (Ending::Interrupted | Ending::Refused | Ending::RolledBack | Ending::Aborted, _) => return None,
    };
    // Nobody is offered a way that is closed.
    let is_open = |form: &str| match said(form.split(' ').next().unwrap_or(form), "why") {
        Some(verdict) => session::admits(run, history, &verdict).is_ok(),
        None => form != ROLLBACK || history.no_return_since(0).is_none(),
    };
    Some((prompt, words.iter().copied().filter(|(word, _)| is_open(word)).collect()))
}

/// What a word says of what stopped the run; nothing when it is no such word.
fn said(word: &str, reason: &str) -> Option<Verdict> {
    match word {
        "retry" => Some(Verdict::Retry),
        "skip" => Some(Verdict::Skip(reason.to_owned())),
        "done" | "happened" => Some(Verdict::Happened(reason.to_owned())),
        "not-happened" => Some(Verdict::NotHappened(reason.to_owned())),
        _ => None,
    }
}

/// How it goes on.
enum Next {
    Resume(Verdict, Vec<Seen>),
    Adopt(Box<Edited>),
    RollBack,
    GiveUp(String),
    Shell,
    /// Nobody was asked.
    Stop,
    /// Who was asked leaves it as it is.
    Leave(Left),
}

/// How somebody who was asked for a line leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// By a word, or by the end of input.
    Willingly,
    /// By Ctrl-C, or because their terminal went away.
    Interrupted,
}

/// Carries a run out and, as long as a person has it go on after a failure, goes on. Returns the exit code.
///
/// # Errors
/// When its parts cannot be opened or its record cannot be written.
pub(super) fn carry_out(
    taken: TakenUp,
    course: &Course,
    events: Option<&Path>,
    start: impl FnOnce(&TakenUp, Parts) -> Result<Finished>,
    desk: &Desk,
) -> Result<u8> {
    let recorded = desk.store()?.runs()?.contains(&taken.run);
    let begun = if recorded { Begun::of(&taken.history(desk)?) } else { Begun::default() };
    let gates = course.gates(&taken.run, desk.who(), begun);
    course.remarks().iter().for_each(|remark| desk.screen.remark(remark));
    let parts = Parts { steering: course.said(), ..taken.parts(events, gates.all.clone(), desk)? };
    let finished = start(&taken, parts)?;
    go_on(taken, course, events, (finished, gates), desk)
}

/// Takes a run back that has failed, as it was asked for before its runner died.
///
/// # Errors
/// When there is no way back, or the record cannot be written.
pub(super) fn take_back(taken: TakenUp, course: &Course, events: Option<&Path>, desk: &Desk) -> Result<u8> {
    course.remarks().iter().for_each(|remark| desk.screen.remark(remark));
    desk.screen.remark("the run has failed: rolling back, as asked");
    let gates = course.gates(&taken.run, desk.who(), Begun::default());
    match rollback::go_back(&taken, events, false, desk)? {
        Some(finished) => go_on(taken, course, events, (finished, gates), desk),
        None => Ok(Kind::Suspended.exit_code()),
    }
}

/// Goes on from a runner's ending, as long as a person wants it. Returns the exit code.
///
/// # Errors
/// As above.
pub(super) fn go_on(
    mut taken: TakenUp,
    course: &Course,
    events: Option<&Path>,
    (mut finished, mut gates): (Finished, Gates),
    desk: &Desk,
) -> Result<u8> {
    loop {
        if gates.wants_shell() {
            finished = repl::open(&taken, events, Start::Run, desk)?;
        }
        answers::tell_of_unasked(taken.answers.as_deref(), &finished.run, desk)?;
        // A journal that cannot be read is told with why the run has stopped.
        if course.on_failure == AfterFailure::Rollback && has_failed(&taken, &finished, desk).unwrap_or(false) {
            // What could be typed otherwise is not for anybody to type.
            finished.error.iter_mut().for_each(|error| error.hints = vec!["rolling back, as asked".to_owned()]);
        }
        let code = carry::tell(desk, &finished)?;
        if let Some(step) = gates.unreached().filter(|_| matches!(finished.ending, Ending::Done | Ending::Held)) {
            desk.screen.remark(&format!("it never came to {step}: it did not stop there"));
        }
        let next = next(&taken, course, &finished, desk)?;
        match next {
            Next::Stop => return Ok(code),
            Next::Leave(left) => return leave(&taken, left, code, desk),
            Next::RollBack => {
                let asks = course.on_failure == AfterFailure::Ask;
                match rollback::go_back(&taken, events, asks, desk) {
                    Ok(Some(back)) => finished = back,
                    Ok(None) => {}
                    Err(error) if asks => complain(error, desk),
                    Err(error) => return Err(error),
                }
            }
            Next::GiveUp(reason) => match abort::give_up(&taken, events, reason, desk) {
                Ok(back) => finished = back,
                Err(error) => complain(error, desk),
            },
            Next::Shell => finished = repl::open(&taken, events, Start::Run, desk)?,
            Next::Resume(verdict, seen) => {
                gates = course.gates(&taken.run, desk.who(), Begun::of(&taken.history(desk)?));
                let parts = taken.parts(events, gates.all.clone(), desk)?;
                finished = session::resume_on(&taken.prepared, parts, Terms { verdict, seen, ..Terms::default() })?;
            }
            Next::Adopt(edited) => {
                gates = course.gates(&taken.run, desk.who(), Begun::of(&taken.history(desk)?));
                finished = edited.go_on(&mut taken, events, gates.all.clone(), desk)?;
            }
        }
    }
}

/// What follows an ending.
fn next(taken: &TakenUp, course: &Course, finished: &Finished, desk: &Desk) -> Result<Next> {
    if !desk.store()?.runs()?.contains(&taken.run) {
        return Ok(Next::Stop);
    }
    let history = taken.history(desk)?;
    match (course.on_failure, menu(&taken.run, &history, finished.ending)) {
        (AfterFailure::Ask, Some((prompt, words))) => ask(taken, prompt, &words, desk),
        (AfterFailure::Rollback, _) if has_failed(taken, finished, desk)? => Ok(Next::RollBack),
        (AfterFailure::Ask | AfterFailure::Stop | AfterFailure::Rollback, _) => Ok(Next::Stop),
    }
}

/// Whether a run stopped in a way that a way back can follow, and is not on one.
fn has_failed(taken: &TakenUp, finished: &Finished, desk: &Desk) -> Result<bool> {
    if !desk.store()?.runs()?.contains(&taken.run) {
        return Ok(false);
    }
    Ok(taken.history(desk)?.is_to_go_back(finished.ending))
}

/// Leaves a run as it is: the last line is what can be typed of it.
fn leave(taken: &TakenUp, left: Left, code: u8, desk: &Desk) -> Result<u8> {
    let store = desk.store()?;
    let sum = carry::summary(&*store, &taken.run, store.read(&taken.run)?);
    desk.screen.out.say(&format!("\n  left as it is\n{}", ending::next(&sum, &desk.screen.out_style)));
    Ok(if left == Left::Interrupted { Kind::Interrupted.exit_code() } else { code })
}

/// Asks a person until they say how it goes on. Who goes away leaves it as it is.
fn ask(taken: &TakenUp, prompt: &str, words: &[(&str, &str)], desk: &Desk) -> Result<Next> {
    let mut world = taken.estate.world(&taken.prepared.inventory, desk)?;
    help(words, desk);
    loop {
        let line = match type_line(&mut world, prompt) {
            Ok(line) => line,
            Err(left) => return Ok(Next::Leave(left)),
        };
        let line = line.trim();
        let (word, reason) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let known = words.iter().find(|(known, _)| known.split(' ').next() == Some(word));
        let verdict = match known {
            _ if line.is_empty() => continue,
            None => {
                complain(unfit(line, (word, reason), words, &taken.run, &taken.history(desk)?), desk);
                continue;
            }
            Some((form, _)) if form.contains(' ') == reason.is_empty() => {
                complain(wrong_form(word, form), desk);
                continue;
            }
            Some(_) => match (said(word, reason), word) {
                (Some(verdict), _) => verdict,
                (None, ROLLBACK) => return Ok(Next::RollBack),
                (None, "abort") => return Ok(Next::GiveUp(reason.to_owned())),
                (None, "shell") => return Ok(Next::Shell),
                (None, "stop") => return Ok(Next::Leave(Left::Willingly)),
                (None, "edit") => match edited(taken, desk) {
                    Ok(edited) if edited.adoption.differs => return Ok(Next::Adopt(Box::new(edited))),
                    // To try it again as it was is another word.
                    Ok(same) => {
                        same.tell_if_same(desk);
                        continue;
                    }
                    Err(error) => {
                        complain(error, desk);
                        continue;
                    }
                },
                (None, _) => {
                    help(words, desk);
                    continue;
                }
            },
        };
        let admitted = session::admits(&taken.run, &taken.history(desk)?, &verdict);
        match admitted.and_then(|()| word::hear(taken, &verdict, false, desk)) {
            Ok(Heard::Taken(seen)) => return Ok(Next::Resume(verdict, seen)),
            Ok(Heard::Withdrawn) => {}
            Err(error) => complain(error, desk),
        }
    }
}

/// The texts after they were edited, if the run can go on with them.
fn edited(taken: &TakenUp, desk: &Desk) -> Result<Edited> {
    let path = edit::edit(&taken.prepared.texts)?;
    let edited = Edited::read(&taken.run, &taken.history(desk)?, &Verdict::Retry, desk);
    if edited.as_ref().map_or(true, |edited| edited.adoption.differs) {
        desk.screen.remark(&format!("edited: {}", path.display()));
    }
    edited
}

/// The next line, or how whoever should type it has left.
pub(super) fn type_line(world: &mut dyn World, prompt: &str) -> std::result::Result<String, Left> {
    world.submit(Ticket(0), Request::Line { prompt: prompt.to_owned() });
    match world.next_result() {
        Completion::Reply(_, Reply::Line(Line::Typed(line))) => Ok(line),
        // A terminal that went away is told by a signal, or by the end of its input, whichever comes first.
        Completion::Reply(_, Reply::Line(Line::Closed(_))) if Terminal::is_there() => Err(Left::Willingly),
        Completion::Reply(..) | Completion::Told(_) | Completion::Interrupted | Completion::Idle => {
            Err(Left::Interrupted)
        }
    }
}

fn help(words: &[(&str, &str)], desk: &Desk) {
    let style = desk.screen.out_style;
    let lines = words
        .iter()
        .map(|(word, meaning)| format!("  {} {meaning}\n", style.paint(Tone::Strong, &format!("{word:<19}"))));
    desk.screen.out.say(&format!("\n{}", lines.collect::<String>()));
}

fn complain(error: Box<Error>, desk: &Desk) {
    desk.screen.complain(&error);
}

/// A line that begins with none of the words: with one of another state, or with none at all.
fn unfit(line: &str, (word, reason): (&str, &str), words: &[(&str, &str)], run: &str, history: &History) -> Box<Error> {
    let refused = said(word, reason).and_then(|verdict| session::admits(run, history, &verdict).err());
    let message = match refused {
        Some(why) => why.message,
        None => format!("`{}` is none of the words", shown(line)),
    };
    let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    Error::new(Kind::Usage, message).hint(format!("type {}", words.join(", ")))
}

fn wrong_form(word: &str, form: &str) -> Box<Error> {
    let message = if form.contains(' ') {
        format!("`{word}` needs a reason: it goes into the record")
    } else {
        format!("`{word}` stands alone")
    };
    Error::new(Kind::Usage, message).hint(format!("type {form}"))
}
