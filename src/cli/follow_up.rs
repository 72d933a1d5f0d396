//! What follows the ending of a runner: it is told, and after a failure a person may say how it goes on. Every word
//! becomes records and a new runner, as if it had been typed as a command on another terminal.

use super::adopt::Edited;
use super::steering::{Begun, Course};
use super::take_up::TakenUp;
use super::{Desk, answers, carry, edit, repl, rollback};
use crate::error::{Error, Kind, Result};
use crate::model::record::{AfterFailure, Ending};
use crate::model::text::shown;
use crate::repl::Start;
use crate::report::style::Tone;
use crate::session::{self, Finished, Parts, Verdict};
use crate::world::{Completion, Line, Reply, Request, Ticket, World, desk};
use std::path::Path;

/// What stands before the word that is typed after a failure.
const PROMPT: &str = "failed> ";
/// The same for what is in doubt.
const DOUBT_PROMPT: &str = "doubt> ";

/// What each word does after a failure.
const AFTER_FAILURE: [(&str, &str); 8] = [
    ("retry", "try again what failed"),
    ("edit", "open the runbook in your editor, then go on with it"),
    ("skip REASON", "leave out what failed; the reason goes into the record"),
    ("done REASON", "it happened all the same; say how you know"),
    ("rollback", "undo what this run has done"),
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

/// How it goes on.
enum Next {
    Resume(Verdict),
    Adopt(Box<Edited>),
    RollBack,
    Shell,
    Stop,
}

/// Carries a run out and, as long as a person has it go on after a failure, goes on. Returns the exit code.
///
/// # Errors
/// When its parts cannot be opened or its record cannot be written.
pub(super) fn carry_out(
    mut taken: TakenUp,
    course: &Course,
    events: Option<&Path>,
    start: impl FnOnce(&TakenUp, Parts) -> Result<Finished>,
    desk: &Desk,
) -> Result<u8> {
    let recorded = desk.store()?.runs()?.contains(&taken.run);
    let begun = if recorded { Begun::of(&taken.history(desk)?) } else { Begun::default() };
    let mut gates = course.gates(&taken.run, desk::who(), begun);
    course.remarks().iter().for_each(|remark| desk.screen.remark(remark));
    let parts = Parts { steering: course.said.clone(), ..taken.parts(events, gates.all.clone(), desk)? };
    let mut finished = start(&taken, parts)?;
    loop {
        if gates.wants_shell() {
            finished = repl::open(&taken, events, Start::Run, desk)?;
        }
        answers::tell_of_unasked(taken.answers.as_deref(), &finished.run, desk)?;
        let code = carry::tell(desk, &finished)?;
        if let Some(step) = gates.unreached().filter(|_| matches!(finished.ending, Ending::Done | Ending::Held)) {
            desk.screen.remark(&format!("it never came to {step}: it did not stop there"));
        }
        let next = match (course.on_failure, finished.ending) {
            (AfterFailure::Ask, Ending::Failed | Ending::Doubt) => ask(&taken, &finished, desk)?,
            (AfterFailure::Rollback, Ending::Failed) => Next::RollBack,
            (AfterFailure::Ask | AfterFailure::Stop | AfterFailure::Rollback, _) => Next::Stop,
        };
        match next {
            Next::Stop => return Ok(code),
            Next::RollBack => {
                let asks = course.on_failure == AfterFailure::Ask;
                match rollback::go_back(&taken, events, asks, desk) {
                    Ok(Some(code)) => return Ok(code),
                    Ok(None) => {}
                    Err(error) if asks => complain(error, desk),
                    Err(error) => return Err(error),
                }
            }
            Next::Shell => finished = repl::open(&taken, events, Start::Run, desk)?,
            Next::Resume(verdict) => {
                gates = course.gates(&taken.run, desk::who(), Begun::of(&taken.history(desk)?));
                let parts = taken.parts(events, gates.all.clone(), desk)?;
                finished = session::resume(&taken.prepared, parts, verdict)?;
            }
            Next::Adopt(edited) => {
                gates = course.gates(&taken.run, desk::who(), Begun::of(&taken.history(desk)?));
                finished = edited.go_on(&mut taken, events, gates.all.clone(), desk)?;
            }
        }
    }
}

/// Asks a person until they say how it goes on. Nobody there means that it stays as it is.
fn ask(taken: &TakenUp, finished: &Finished, desk: &Desk) -> Result<Next> {
    let doubt = finished.ending == Ending::Doubt;
    let (prompt, words) = if doubt { (DOUBT_PROMPT, &IN_DOUBT[..]) } else { (PROMPT, &AFTER_FAILURE[..]) };
    let mut world = taken.estate.world(&taken.prepared.inventory, desk)?;
    help(words, desk);
    loop {
        let Some(line) = type_line(&mut world, prompt) else { return Ok(Next::Stop) };
        let line = line.trim();
        let (word, reason) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let known = words.iter().find(|(known, _)| known.split(' ').next() == Some(word));
        let verdict = match known {
            _ if line.is_empty() => continue,
            None => {
                complain(no_word(line, words), desk);
                continue;
            }
            Some((form, _)) if form.contains(' ') == reason.is_empty() => {
                complain(wrong_form(word, form), desk);
                continue;
            }
            Some(_) => match word {
                "retry" => Verdict::Retry,
                "skip" => Verdict::Skip(reason.to_owned()),
                "done" | "happened" => Verdict::Happened(reason.to_owned()),
                "not-happened" => Verdict::NotHappened(reason.to_owned()),
                "rollback" => return Ok(Next::RollBack),
                "shell" => return Ok(Next::Shell),
                "stop" => return Ok(Next::Stop),
                "edit" => match edited(taken, desk) {
                    Ok(edited) => return Ok(Next::Adopt(Box::new(edited))),
                    Err(error) => {
                        complain(error, desk);
                        continue;
                    }
                },
                _ => {
                    help(words, desk);
                    continue;
                }
            },
        };
        match session::admits(&taken.run, &taken.history(desk)?, &verdict) {
            Ok(()) => return Ok(Next::Resume(verdict)),
            Err(error) => complain(error, desk),
        }
    }
}

/// The texts after they were edited, if the run can go on with them.
fn edited(taken: &TakenUp, desk: &Desk) -> Result<Edited> {
    let path = edit::edit(&taken.prepared.texts)?;
    desk.screen.remark(&format!("edited: {}", path.display()));
    Edited::read(&taken.run, &taken.history(desk)?, &Verdict::Retry, desk)
}

/// The next line; nothing when nobody will type one, or it was interrupted.
fn type_line(world: &mut dyn World, prompt: &str) -> Option<String> {
    world.submit(Ticket(0), Request::Line { prompt: prompt.to_owned() });
    match world.next_result() {
        Completion::Reply(_, Reply::Line(Line::Typed(line))) => Some(line),
        Completion::Reply(..) | Completion::Told(_) | Completion::Interrupted | Completion::Idle => None,
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

fn no_word(line: &str, words: &[(&str, &str)]) -> Box<Error> {
    let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    Error::new(Kind::Usage, format!("`{}` is none of the words", shown(line)))
        .hint(format!("type {}", words.join(", ")))
}

fn wrong_form(word: &str, form: &str) -> Box<Error> {
    let message = if form.contains(' ') {
        format!("`{word}` needs a reason: it goes into the record")
    } else {
        format!("`{word}` stands alone")
    };
    Error::new(Kind::Usage, message).hint(format!("type {form}"))
}
