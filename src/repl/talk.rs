//! The conversation at a stop: lines are read, commands carried out, until one of them lets the run go on or leaves it.
//! What changes the course of the run is only named here; it is done where the run is entered.

use super::session::{Decision, LeaveReason, ReplSession};
use super::timeline::{StepStanding, TimelineLine as Typed, cut_off};
use crate::dispatch::{Dispatcher, Halted};
use crate::error::{Error, Kind, Result as Checked};
use crate::model::run::record::{EffectId, Ending, Fact, TrackId};
use crate::model::run::step_name::StepName;
use crate::model::text::{did_you_mean, shown, typed};
use crate::repl::command::{self, Input, ReplCommand};
use crate::repl::meant::meant;
use crate::repl::pages;
use crate::repl::peek::Peek;
use crate::repl::stop::{Ahead, Stop, Target};
use crate::script::analysis::outline::WrittenStep;
use crate::script::evaluate::repl::{LineEnd, lines_of};
use crate::session::OperatorRuling;
use crate::world::{Line, Reply, Request, Stopped};
use std::rc::Rc;

/// What can be said of what is in doubt.
pub(super) const OF_DOUBT: &[&str] =
    &["here, if it happened: :happened REASON", "here, if it did not: :not-happened REASON"];
/// What can be done about something that has failed, whatever it was.
pub(super) const ON_AGAIN: &[&str] = &[AGAIN, OTHERWISE];
const AGAIN: &str = "put it right, then try it again: :redo";
const OTHERWISE: &str = "change what the runbook does: :edit";
const LEFT_OUT: &str = "leave it out: :skip REASON";

/// What is said where a line wants more than to look at a run that is over.
fn over() -> Box<Error> {
    Error::new(Kind::Usage, "the run is over: nothing more is done in it")
        .hint("look at it: :steps, :vars, :p EXPR")
        .hint("take it back: :rollback, or leave: :quit")
}

impl ReplSession {
    /// Asks for lines and does what they say, until the run goes on or is left.
    pub(crate) fn converse(&self, door: &Dispatcher, stop: &Stop) -> Result<Decision, Stopped> {
        door.catch_up().map_err(|Halted| Stopped)?;
        if let Some(words) = stop.words() {
            self.host.say(&format!("{words}\n"));
        }
        self.show_watches(&stop.track)?;
        if let Some(n) = self.again.take() {
            self.take_up_line(n, stop)?;
        }
        loop {
            let typed = match self.line(door, &stop.prompt())? {
                Line::Typed(typed) => typed,
                Line::Cancelled => continue,
                Line::Closed(_) => return Ok(Decision::Leave(LeaveReason::Quit)),
            };
            let answer = match command::read(&typed) {
                Ok(Input::Nothing) => None,
                Ok(Input::Script(_)) if self.over.get() => {
                    self.refuse(&over());
                    None
                }
                Ok(Input::Script(text)) => {
                    let is_variable = |word: &str| self.notebook.look(word, &stop.track).is_ok();
                    match meant(&text, &self.inventory, &is_variable) {
                        Some(error) => self.refuse(&error),
                        None => self.type_line(door, stop, &text)?,
                    }
                    None
                }
                Ok(Input::Command(command)) => self.obey(door, stop, command)?,
                Err(error) => {
                    self.refuse(&error);
                    None
                }
            };
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
    }

    fn line(&self, door: &Dispatcher, prompt: &str) -> Result<Line, Stopped> {
        self.asking.set(true);
        let reply = door.link().call(Request::Line { prompt: prompt.to_owned() })?;
        self.asking.set(false);
        match reply {
            Reply::Line(line) => Ok(line),
            Reply::Job(_) | Reply::Bytes(_) | Reply::Probed { .. } | Reply::Listing(_) | Reply::Woke => Err(Stopped),
            Reply::Answer(_) | Reply::Lease(_) | Reply::Noted | Reply::Trouble(_) => Err(Stopped),
            Reply::File(_) | Reply::Block(_) | Reply::Kept | Reply::Entered(_) => Err(Stopped),
        }
    }

    fn refuse(&self, error: &Error) {
        self.any_failed.set(true);
        self.host.complain(error);
    }

    /// Records a line, evaluates it and tells its value.
    fn type_line(&self, door: &Dispatcher, stop: &Stop, text: &str) -> Result<(), Stopped> {
        let (line, end) = self.done_line(door, stop, text)?;
        self.tell(&line, end)
    }

    /// Records a line and evaluates it.
    fn done_line(&self, door: &Dispatcher, stop: &Stop, text: &str) -> Result<(Typed, LineEnd), Stopped> {
        let n = self.diary.lines().iter().map(|line| line.n).max().unwrap_or(0) + 1;
        let line = Typed { n, point: stop.point.clone(), text: text.to_owned() };
        let (at, by) = (door.moment(), self.by.clone());
        self.write(door, Fact::Typed { n, point: line.point.clone(), text: line.text.clone() }.by(by, at))?;
        self.evaluate(&line, &stop.track, false).map(|end| (line, end))
    }

    /// Evaluates again a line that failed or was given up.
    fn take_up_line(&self, n: u32, stop: &Stop) -> Result<(), Stopped> {
        let Some(line) = self.diary.lines().into_iter().find(|line| line.n == n) else { return Ok(()) };
        let end = self.evaluate(&line, &stop.track, false)?;
        self.tell(&line, end)
    }

    fn tell(&self, line: &Typed, end: LineEnd) -> Result<(), Stopped> {
        match end {
            LineEnd::Value(value) if value.is_empty() => {}
            LineEnd::Value(value) => self.host.say(&format!("{}\n", shown(&value))),
            LineEnd::Failed { error, .. } => self.refuse(&error),
            LineEnd::CutOff => self.host.say(&cut_off(line.n)),
            LineEnd::Halted => return Err(Stopped),
        }
        Ok(())
    }

    fn obey(&self, door: &Dispatcher, stop: &Stop, command: ReplCommand) -> Result<Option<Decision>, Stopped> {
        if self.over.get() && !command.only_looks() {
            self.refuse(&over());
            return Ok(None);
        }
        let done = match command {
            ReplCommand::Next => self.onward(door, stop, ("next", stop.behind())),
            ReplCommand::Into => self.onward(door, stop, ("into", Target::Effect)),
            ReplCommand::Until(step) => self.until(door, stop, &step),
            ReplCommand::Redo => self.redo(stop),
            ReplCommand::Skip(reason) => self.skip(door, stop, reason),
            ReplCommand::Happened(reason) => self.say_of_doubt(stop, OperatorRuling::Happened(reason)),
            ReplCommand::NotHappened(reason) => self.say_of_doubt(stop, OperatorRuling::NotHappened(reason)),
            ReplCommand::Edit => self.needs_runbook("edit").map(|()| Some(Decision::Leave(LeaveReason::Edit))),
            ReplCommand::Undo => self.undo(),
            ReplCommand::Rollback(step) => self.rollback(step.as_deref()),
            ReplCommand::Break(word) => self.breakpoint(word),
            ReplCommand::Sh { host, argv } => return self.shell(door, stop, &host, &argv).map(|()| None),
            ReplCommand::Watch(Some(_)) => {
                let shown = self.show(stop, command);
                self.show_watches(&stop.track)?;
                shown.map(|()| None)
            }
            ReplCommand::Note(text) => {
                return self.type_line(door, stop, &format!("note({text:?})")).map(|()| None);
            }
            ReplCommand::Quit => Ok(Some(Decision::Leave(LeaveReason::Quit))),
            ReplCommand::Where
            | ReplCommand::Steps
            | ReplCommand::Vars
            | ReplCommand::Print(_)
            | ReplCommand::Watch(None)
            | ReplCommand::Hosts
            | ReplCommand::Save(_)
            | ReplCommand::Help(_) => self.show(stop, command).map(|()| None),
        };
        Ok(done.unwrap_or_else(|error| {
            self.refuse(&error);
            None
        }))
    }

    /// Commands that only show something.
    fn show(&self, stop: &Stop, command: ReplCommand) -> Checked<()> {
        let text = match command {
            ReplCommand::Where => pages::place(self, stop),
            ReplCommand::Steps => pages::steps(self, self.host.width()),
            ReplCommand::Vars => pages::variables(self, &stop.track, self.host.width()),
            ReplCommand::Print(expression) => format!("{}\n", shown(&self.notebook.look(&expression, &stop.track)?)),
            ReplCommand::Watch(Some(expression)) => {
                self.watches.borrow_mut().push(expression);
                return Ok(());
            }
            ReplCommand::Watch(None) => pages::words(&self.watches.borrow(), "nothing is watched: :watch EXPR"),
            ReplCommand::Hosts => pages::hosts(&self.inventory),
            ReplCommand::Save(file) => {
                let text = pages::runbook(self)?;
                self.host.save(&file, &text)?;
                self.host.say(&format!("written: {file}\n"));
                self.host.next(&format!("baton check {}", typed(&file)));
                return Ok(());
            }
            ReplCommand::Help(of) => pages::help(of.as_deref(), self.host.width())?,
            ReplCommand::Next | ReplCommand::Into | ReplCommand::Until(_) | ReplCommand::Redo | ReplCommand::Edit => {
                return Ok(());
            }
            ReplCommand::Happened(_) | ReplCommand::NotHappened(_) => return Ok(()),
            ReplCommand::Skip(_) | ReplCommand::Undo | ReplCommand::Rollback(_) | ReplCommand::Break(_) => {
                return Ok(());
            }
            ReplCommand::Sh { .. } | ReplCommand::Note(_) | ReplCommand::Quit => return Ok(()),
        };
        self.host.say(&text);
        Ok(())
    }

    /// Shows what is watched. Readings are asked of their hosts, and not recorded: nothing is decided by them.
    fn show_watches(&self, track: &TrackId) -> Result<(), Stopped> {
        let watched = self.watches.borrow().clone();
        for expression in watched {
            let value = self.notebook.look_through(Rc::new(Peek(self.door()?)), &expression, track);
            let value = value.unwrap_or_else(|error| format!("? {}", error.message));
            self.host.say(&format!("{} = {}\n", shown(&expression), shown(&value)));
        }
        Ok(())
    }

    fn needs_runbook(&self, name: &str) -> Checked<()> {
        if self.has_runbook {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, format!("`:{name}` needs a runbook, and this session has none"))
            .hint("step through one: baton repl RUNBOOK --lab genesys"))
    }

    /// Lets the run go on to where it is aimed.
    fn onward(&self, door: &Dispatcher, stop: &Stop, (word, aim): (&str, Target)) -> Checked<Option<Decision>> {
        self.needs_runbook(word)?;
        self.aim.replace(aim);
        if stop.ahead != Ahead::Nothing {
            return Ok(Some(Decision::Go));
        }
        match self.former.borrow().clone() {
            Some((ending @ (Ending::Failed | Ending::Unmet | Ending::Bug), message, effect)) => {
                let error = Error::new(Kind::Usage, format!("`:{word}` cannot pass what failed: {message}"));
                Err(past(door, ending, effect.as_ref()).into_iter().fold(error, Error::hint))
            }
            Some((Ending::Doubt, message, _)) => {
                let error = Error::new(Kind::Usage, format!("`:{word}` cannot pass what is in doubt: {message}"));
                Err(OF_DOUBT.iter().fold(error, |error, way| error.hint(*way)))
            }
            Some(_) | None => Ok(Some(Decision::Leave(LeaveReason::On))),
        }
    }

    fn until(&self, door: &Dispatcher, stop: &Stop, step: &str) -> Checked<Option<Decision>> {
        self.needs_runbook("until")?;
        let aim = Target::Until(self.still_to_come(step, stop)?);
        self.onward(door, stop, ("until", aim))
    }

    /// The step that is meant, if it can come yet.
    fn still_to_come(&self, given: &str, stop: &Stop) -> Checked<StepName> {
        let step = self.names.find(given).map_err(|error| error.hint("see which there are: :steps"))?;
        if let Ahead::Step { number, name, .. } = &stop.ahead
            && step.fits(number, name)
        {
            let error = Error::new(Kind::Usage, format!("step {number} `{}` is next: it stands there", shown(name)));
            return Err(error.hint("have it done: :next"));
        }
        let comes_again = |name: &str| {
            let same = |written: &&WrittenStep| written.name == name;
            let all: Vec<&WrittenStep> = self.written.iter().filter(same).collect();
            all.len() != 1 || all.iter().any(|written| written.repeats)
        };
        let begun = self.diary.steps();
        let over = begun.iter().find(|begun| {
            step.fits(&begun.number, &begun.name) && (matches!(step, StepName::Number(_)) || !comes_again(&begun.name))
        });
        match over {
            Some(begun) => {
                let message = format!("step {} `{}` has begun already", begun.number, shown(&begun.name));
                Err(Error::new(Kind::Usage, message).hint("name one that is to come; see which there are: :steps"))
            }
            None => Ok(step),
        }
    }

    fn redo(&self, stop: &Stop) -> Checked<Option<Decision>> {
        let broken = self.broken.borrow().clone();
        let rests = stop.ahead == Ahead::Nothing && self.has_runbook;
        match broken {
            Some((n, _)) => Ok(Some(Decision::Leave(LeaveReason::RedoLine(n)))),
            None if rests => Ok(Some(Decision::Leave(LeaveReason::Redo))),
            None => Err(Error::new(Kind::Usage, "nothing has failed that could be tried again")),
        }
    }

    fn skip(&self, door: &Dispatcher, stop: &Stop, reason: String) -> Checked<Option<Decision>> {
        self.needs_runbook("skip")?;
        if stop.ahead != Ahead::Nothing {
            return Ok(Some(Decision::Skip(reason)));
        }
        match self.former.borrow().clone() {
            Some((Ending::Failed | Ending::Doubt, _, Some(_))) => {
                Ok(Some(Decision::Leave(LeaveReason::Said(OperatorRuling::Skip(reason)))))
            }
            Some((ending @ (Ending::Failed | Ending::Unmet | Ending::Bug), ..)) => {
                let error = Error::new(Kind::Usage, "no effect has failed here that could be left out");
                Err(past(door, ending, None).into_iter().fold(error, Error::hint))
            }
            Some(_) | None => {
                let error = Error::new(Kind::Usage, "nothing has failed here that could be left out");
                Err(error.hint(match &stop.undone {
                    Some((number, _)) => format!("go on to where that step can be: :until {number}"),
                    None => "go on to where a step can be: :next".to_owned(),
                }))
            }
        }
    }

    fn say_of_doubt(&self, stop: &Stop, verdict: OperatorRuling) -> Checked<Option<Decision>> {
        match *self.former.borrow() {
            Some((Ending::Doubt, _, Some(_))) if stop.ahead == Ahead::Nothing => {
                Ok(Some(Decision::Leave(LeaveReason::Said(verdict))))
            }
            Some(_) | None => Err(Error::new(Kind::Usage, "nothing is in doubt here")),
        }
    }

    fn undo(&self) -> Checked<Option<Decision>> {
        self.needs_runbook("undo")?;
        let steps = self.diary.steps();
        let completed = |standing| matches!(standing, StepStanding::Done | StepStanding::Same);
        let done = steps.iter().filter(|step| step.track == TrackId::main() && completed(step.standing));
        match done.max_by_key(|step| step.ended) {
            Some(step) => Ok(Some(Decision::Leave(LeaveReason::Back(Some(step.number.clone()))))),
            None => Err(Error::new(Kind::Usage, "no step is completed yet: there is nothing to undo")),
        }
    }

    fn rollback(&self, step: Option<&str>) -> Checked<Option<Decision>> {
        self.needs_runbook("rollback")?;
        let Some(wanted) = step else { return Ok(Some(Decision::Leave(LeaveReason::Back(None)))) };
        let steps = self.diary.steps();
        let on_main = || steps.iter().filter(|step| step.track == TrackId::main());
        match on_main().find(|step| step.number == wanted || step.name == wanted) {
            Some(step) => Ok(Some(Decision::Leave(LeaveReason::Back(Some(step.number.clone()))))),
            None => {
                let near = did_you_mean(wanted, on_main().map(|step| step.name.as_str()));
                let error = Error::new(Kind::Usage, format!("no step `{wanted}` has begun in this run"));
                Err(near.into_iter().fold(error, |error, near| error.hint(near)).hint("see which have: :steps"))
            }
        }
    }

    fn breakpoint(&self, word: Option<String>) -> Checked<Option<Decision>> {
        self.needs_runbook("break")?;
        let mut breaks = self.breaks.borrow_mut();
        if let Some(word) = word {
            let known = pages::breakable(self);
            let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.');
            if !is_number && !known.contains(&word) {
                let error = Error::new(Kind::Usage, format!("`{word}` is no step, verb, host or service"));
                let near = did_you_mean(&word, known.iter().map(String::as_str));
                return Err(near.into_iter().fold(error, |error, near| error.hint(near)));
            }
            breaks.push(word);
        }
        self.host.say(&pages::words(&breaks, "no breakpoints: :break STEP|VERB|HOST"));
        Ok(None)
    }

    /// Runs a command on a host: beside the runbook, so it wants a reason.
    fn shell(&self, door: &Dispatcher, stop: &Stop, host: &str, argv: &[String]) -> Result<(), Stopped> {
        if !self.inventory.hosts.contains_key(host) {
            let error = Error::new(Kind::Usage, format!("there is no host `{host}`"));
            let near = did_you_mean(host, self.inventory.hosts.keys().map(String::as_str));
            self.refuse(
                &near.into_iter().fold(error, |error, near| error.hint(near)).hint("see which there are: :hosts"),
            );
            return Ok(());
        }
        let reason = match self.line(door, "why? ")? {
            Line::Typed(reason) if !reason.trim().is_empty() => reason.trim().to_owned(),
            Line::Typed(_) | Line::Cancelled | Line::Closed(_) => {
                self.refuse(&Error::new(Kind::Usage, "nothing was run: it needs a reason, for the record"));
                return Ok(());
            }
        };
        let what = format!("`{}` was asked for on {host}", argv.join(" "));
        let (at, by) = (door.moment(), self.by.clone());
        self.write(door, Fact::Deviation { what, reason, hosts: Vec::new() }.by(by, at))?;
        let (line, end) = self.done_line(door, stop, &format!("run(host({host:?}), {argv:?}).output"))?;
        match &end {
            LineEnd::Value(value) if lines_of(value).is_some() => {
                let lines: String =
                    lines_of(value).unwrap_or_default().iter().map(|line| format!("{}\n", shown(line))).collect();
                self.host.say(&lines);
                Ok(())
            }
            LineEnd::Value(_) | LineEnd::Failed { .. } | LineEnd::CutOff | LineEnd::Halted => self.tell(&line, end),
        }
    }
}

/// What brings a run past what it stopped at, when this is what failed: to try a mistake again would come to the same.
fn past(door: &Dispatcher, ending: Ending, failed: Option<&EffectId>) -> Vec<&'static str> {
    if ending == Ending::Bug {
        return vec![OTHERWISE];
    }
    let may_be_left_out = |id: &EffectId| {
        let history = door.recorded_now().ok()?;
        Some(history.recorded(id)?.effect.may_be_left_out())
    };
    let left_out = failed.and_then(may_be_left_out).unwrap_or(false).then_some(LEFT_OUT);
    [AGAIN].into_iter().chain(left_out).chain([OTHERWISE]).collect()
}
