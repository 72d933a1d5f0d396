//! What follows the ending of a runner: it is told, and after a failure a person may say how it goes on. Every word
//! becomes records and a new runner, as if it had been typed as a command on another terminal.

use super::adopt::{Edited, edited_since};
use super::menu::{self, Menu};
use super::steering::{Begun, Course, Gates};
use super::take_up::TakenUp;
use super::word::{self, Heard};
use super::{Desk, abort, answers, carry, edit, repl, rollback};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::model::record::Ending;
use crate::model::steering::AfterFailure;
use crate::repl::Start;
use crate::report::ending;
use crate::session::{self, Finished, Parts, Terms, Verdict};
use crate::world::terminal::Terminal;
use crate::world::{Completion, Line, Reply, Request, Ticket, World};
use std::path::Path;

/// How it goes on.
enum Next {
    Resume(Terms),
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

impl Left {
    /// What that is for a command which asked before it did anything.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Willingly => Kind::Suspended,
            Self::Interrupted => Kind::Interrupted,
        }
    }
}

/// Carries a run out of which this has begun before and, as long as a person has it go on after a failure, goes on.
/// Returns the exit code.
///
/// # Errors
/// When its parts cannot be opened or its record cannot be written.
pub(super) fn carry_out(
    taken: TakenUp,
    (course, begun): (&Course, Begun),
    events: Option<&Path>,
    start: impl FnOnce(&TakenUp, Parts) -> Result<Finished>,
    desk: &Desk,
) -> Result<u8> {
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
    let finished = rollback::go_back(&taken, events, false, desk)?;
    go_on(taken, course, events, (finished, gates), desk)
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
            finished = in_shell(&mut taken, events, desk)?;
            // Who leaves it where it could go on is back at the prompt at which they opened it.
            if finished.ending == Ending::Suspended && Terminal::is_there() {
                gates = course.gates(&taken.run, desk.who(), Begun::of(&taken.history(desk)?));
                let parts = taken.parts(events, gates.all.clone(), desk)?;
                finished = session::resume_on(&taken.prepared, parts, Terms::default())?;
                continue;
            }
        }
        answers::tell_of_unasked(taken.answers.as_deref(), &finished.run, desk)?;
        // A journal that cannot be read is told with why the run has stopped.
        if course.on_failure == AfterFailure::Rollback && has_failed(&taken, &finished, desk).unwrap_or(false) {
            // What could be typed otherwise is not for anybody to type.
            finished.error.iter_mut().for_each(|error| error.hints = vec!["rolling back, as asked".to_owned()]);
        }
        tell_of_edited(&mut finished, desk);
        let code = carry::tell(desk, &finished)?;
        if let Some(step) = gates.unreached().filter(|_| matches!(finished.ending, Ending::Done | Ending::Held)) {
            desk.screen.remark(&format!("it never came to {step}: it did not stop there"));
        }
        // Who thinks better of a word is asked again; the ending need not be told once more.
        finished = loop {
            match next(&taken, course, &finished, desk)? {
                Next::Stop => return Ok(code),
                Next::Leave(left) => return leave(&taken, left, code, desk),
                Next::RollBack => {
                    let asks = course.on_failure == AfterFailure::Ask;
                    match rollback::go_back(&taken, events, asks, desk) {
                        Err(error) if asks => complain(error, desk),
                        back => break back?,
                    }
                }
                Next::GiveUp(reason) => match abort::give_up(&taken, events, reason, desk) {
                    Ok(back) => break back,
                    Err(error) => complain(error, desk),
                },
                Next::Shell => break in_shell(&mut taken, events, desk)?,
                Next::Resume(terms) => {
                    gates = course.gates(&taken.run, desk.who(), Begun::of(&taken.history(desk)?));
                    let parts = taken.parts(events, gates.all.clone(), desk)?;
                    break session::resume_on(&taken.prepared, parts, terms)?;
                }
                Next::Adopt(edited) => {
                    gates = course.gates(&taken.run, desk.who(), Begun::of(&taken.history(desk)?));
                    break edited.go_on(&mut taken, events, gates.all.clone(), desk)?;
                }
            }
        };
    }
}

/// Opens the REPL in the midst of a run. With what is edited there the run goes on afterwards.
fn in_shell(taken: &mut TakenUp, events: Option<&Path>, desk: &Desk) -> Result<Finished> {
    let finished = repl::open(taken, events, Start::Run, desk)?;
    let texts = session::snapshot(&*desk.store()?, &taken.history(desk)?)?;
    if texts.files != taken.prepared.texts.files {
        taken.exchange(session::prepare(texts)?, desk)?;
    }
    Ok(finished)
}

/// Says with a failure that a text was edited which the run does not go on with.
fn tell_of_edited(finished: &mut Finished, desk: &Desk) {
    let failed = matches!(finished.ending, Ending::Failed | Ending::Unmet | Ending::Bug);
    let Some(error) = finished.error.as_mut().filter(|_| failed) else { return };
    let history = desk.store().and_then(|store| store.read(&finished.run)).and_then(History::from);
    error.hints.extend(history.ok().and_then(|history| edited_since(&finished.run, &history, desk)));
}

/// What follows an ending.
fn next(taken: &TakenUp, course: &Course, finished: &Finished, desk: &Desk) -> Result<Next> {
    let Some(history) = taken.begun(desk)? else { return Ok(Next::Stop) };
    match (course.on_failure, Menu::of(&taken.run, &history, finished.ending)) {
        (AfterFailure::Ask, Some(menu)) => ask(taken, &menu, desk),
        (AfterFailure::Rollback, _) if has_failed(taken, finished, desk)? => Ok(Next::RollBack),
        (AfterFailure::Ask | AfterFailure::Stop | AfterFailure::Rollback, _) => Ok(Next::Stop),
    }
}

/// Whether a run stopped in a way that a way back can follow, and is not on one.
fn has_failed(taken: &TakenUp, finished: &Finished, desk: &Desk) -> Result<bool> {
    Ok(taken.begun(desk)?.is_some_and(|history| history.is_to_go_back(finished.ending)))
}

/// Leaves a run as it is: the last line is what can be typed of it.
fn leave(taken: &TakenUp, left: Left, code: u8, desk: &Desk) -> Result<u8> {
    let store = desk.store()?;
    let sum = carry::summary(&*store, &taken.run, store.read(&taken.run)?);
    desk.screen.out.say(&format!("\n  left as it is\n{}", ending::next(&sum, &desk.screen.out_style)));
    Ok(if left == Left::Interrupted { Kind::Interrupted.exit_code() } else { code })
}

/// Asks a person until they say how it goes on. Who goes away leaves it as it is.
fn ask(taken: &TakenUp, menu: &Menu, desk: &Desk) -> Result<Next> {
    let help = || desk.screen.out.say(&menu.help(&desk.screen.out_style));
    help();
    loop {
        // One for each line: Ctrl-C at a question that a word leads to, or in an editor, is meant for that.
        let line = match type_line(&mut taken.estate.world(&taken.prepared.inventory, desk)?, menu.prompt) {
            Ok(line) => line,
            Err(left) => return Ok(Next::Leave(left)),
        };
        let (word, reason) = match menu.understand(&line, &taken.run, &taken.history(desk)?) {
            Ok(None) => continue,
            Ok(Some(typed)) => typed,
            Err(error) => {
                complain(error, desk);
                continue;
            }
        };
        let next = match (menu::said(word, reason), word) {
            (Some(verdict), _) => resumed(taken, verdict, desk),
            (None, menu::ROLLBACK) => return Ok(Next::RollBack),
            (None, menu::ABORT) => return Ok(Next::GiveUp(reason.to_owned())),
            (None, menu::ACCEPT) => {
                return Ok(Next::Resume(Terms { drift: Some(reason.to_owned()), ..Terms::default() }));
            }
            (None, "shell") => return Ok(Next::Shell),
            (None, "stop") => return Ok(Next::Leave(Left::Willingly)),
            (None, "edit") => edited(taken, desk),
            (None, _) => {
                help();
                Ok(None)
            }
        };
        match next {
            Ok(Some(next)) => return Ok(next),
            Ok(None) => {}
            Err(error) => complain(error, desk),
        }
    }
}

/// The run goes on with a word on what stopped it; nothing when the person has thought better of it.
fn resumed(taken: &TakenUp, verdict: Verdict, desk: &Desk) -> Result<Option<Next>> {
    session::admits(&taken.run, &taken.history(desk)?, &verdict)?;
    Ok(match word::hear(taken, &verdict, false, desk)? {
        Heard::Taken(seen) => Some(Next::Resume(Terms { verdict, seen, ..Terms::default() })),
        Heard::Withdrawn(_) => {
            desk.screen.remark(word::NOT_TAKEN);
            None
        }
    })
}

/// The run goes on with its texts as they were edited, if it can; nothing when they are the same: to try it again as it
/// was is another word.
fn edited(taken: &TakenUp, desk: &Desk) -> Result<Option<Next>> {
    let path = edit::edit(&taken.prepared.texts)?;
    let edited = Edited::read(&taken.run, &taken.history(desk)?, &Verdict::Retry, desk);
    if edited.as_ref().map_or(true, |edited| edited.adoption.differs) {
        desk.screen.remark(&format!("edited: {}", path.display()));
    }
    let edited = edited?;
    edited.tell_if_same(desk);
    Ok(edited.adoption.differs.then(|| Next::Adopt(Box::new(edited))))
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

fn complain(error: Box<Error>, desk: &Desk) {
    desk.screen.complain(&error);
}
