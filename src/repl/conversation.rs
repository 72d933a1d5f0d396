//! The conversation at a stop: lines are read, commands carried out, until one of them lets the run go on or leaves it.
//! What changes the course of the run is only named here; it is done where the run is entered.

use super::command::{self, Input, ReplCommand};
use super::meant::meant;
use super::pages;
use super::peek::Peek;
use super::session::ReplSession;
use super::standing::PreviousEnding;
use super::stop::{Ahead, Stop, Target};
use super::timeline::{StepStanding, TimelineLine as Typed, cut_off};
use crate::dispatch::{Dispatcher, Halted};
use crate::error::{Error, Kind, Result as Checked};
use crate::model::run::record::{EffectId, Ending, Fact, TrackId};
use crate::model::run::step_name::StepName;
use crate::model::text::{did_you_mean, shown, typed};
use crate::script::evaluate::repl::{LineEnd, lines_of};
use crate::session::OperatorRuling;
use crate::world::{Line, Stopped};
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

/// What ends the conversation at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// The script goes on.
    Go,
    /// What is ahead is left out.
    Skip(String),
    /// The run is left, for this.
    Leave(LeaveReason),
}

/// Why a run is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeaveReason {
    /// The session is over.
    Quit,
    /// To go on from the record's end.
    On,
    /// To try again what failed.
    Redo,
    /// To take up again a line that was given up, or failed.
    RedoLine(u32),
    /// To go on with a person's word on what failed or is in doubt.
    Said(OperatorRuling),
    /// To have the runbook edited.
    Edit,
    /// To go back to before this step of the main track; without one, all the way.
    Back(Option<String>),
}

/// The conversation at one stop.
pub(super) struct Conversation<'a> {
    pub(super) session: &'a ReplSession,
    pub(super) door: &'a Rc<Dispatcher>,
    pub(super) stop: &'a Stop,
}

impl Conversation<'_> {
    /// Asks for lines and does what they say, until the run goes on or is left.
    ///
    /// # Errors
    /// [`Stopped`] when the run stops meanwhile.
    pub(super) fn hold(&self) -> Result<Decision, Stopped> {
        self.door.catch_up().map_err(|Halted| Stopped)?;
        if let Some(words) = self.stop.words() {
            self.say(&format!("{words}\n"));
        }
        self.show_watches()?;
        if let Some(n) = self.session.lines.due_again() {
            self.take_up_line(n)?;
        }
        loop {
            let typed = match self.line(&self.stop.prompt())? {
                Line::Typed(typed) => typed,
                Line::Cancelled => continue,
                Line::Closed(_) => return Ok(Decision::Leave(LeaveReason::Quit)),
            };
            let answer = match command::read(&typed) {
                Ok(Input::Nothing) => None,
                Ok(Input::Script(text)) => self.take_script(&text).map(|()| None)?,
                Ok(Input::Command(command)) => self.obey(command)?,
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

    fn line(&self, prompt: &str) -> Result<Line, Stopped> {
        self.session.typist.ask(self.door.link(), prompt)
    }

    fn say(&self, text: &str) {
        self.session.typist.say(text);
    }

    fn refuse(&self, error: &Error) {
        self.session.typist.refuse(error);
    }

    /// Does a line of script, if it is one and may be done.
    fn take_script(&self, text: &str) -> Result<(), Stopped> {
        if self.session.standing.is_over() {
            self.refuse(&over());
            return Ok(());
        }
        let is_variable = |word: &str| self.session.lines.look(word, &self.stop.track).is_ok();
        match meant(text, &self.session.inventory, &is_variable) {
            Some(error) => self.refuse(&error),
            None => self.type_line(text)?,
        }
        Ok(())
    }

    /// Records a line, evaluates it and tells its value.
    fn type_line(&self, text: &str) -> Result<(), Stopped> {
        let (line, end) = self.done_line(text)?;
        self.tell(&line, end)
    }

    /// Records a line and evaluates it.
    fn done_line(&self, text: &str) -> Result<(Typed, LineEnd), Stopped> {
        let n = self.session.timeline.lines().iter().map(|line| line.n).max().unwrap_or(0) + 1;
        let line = Typed { n, point: self.stop.point.clone(), text: text.to_owned() };
        self.session.write(self.door, Fact::Typed { n, point: line.point.clone(), text: line.text.clone() })?;
        self.evaluate(&line).map(|end| (line, end))
    }

    fn evaluate(&self, line: &Typed) -> Result<LineEnd, Stopped> {
        self.session.lines.evaluate(self.door, line, &self.stop.track)
    }

    /// Evaluates again a line that failed or was given up.
    fn take_up_line(&self, n: u32) -> Result<(), Stopped> {
        let Some(line) = self.session.timeline.lines().into_iter().find(|line| line.n == n) else { return Ok(()) };
        let end = self.evaluate(&line)?;
        self.tell(&line, end)
    }

    fn tell(&self, line: &Typed, end: LineEnd) -> Result<(), Stopped> {
        match end {
            LineEnd::Value(value) if value.is_empty() => {}
            LineEnd::Value(value) => self.say(&format!("{}\n", shown(&value))),
            LineEnd::Failed { error, .. } => self.refuse(&error),
            LineEnd::CutOff => self.say(&cut_off(line.n)),
            LineEnd::Halted => return Err(Stopped),
        }
        Ok(())
    }

    fn obey(&self, command: ReplCommand) -> Result<Option<Decision>, Stopped> {
        if self.session.standing.is_over() && !command.only_looks() {
            self.refuse(&over());
            return Ok(None);
        }
        let done = match command {
            ReplCommand::Next => self.onward(("next", self.stop.behind())),
            ReplCommand::Into => self.onward(("into", Target::Effect)),
            ReplCommand::Until(step) => self.until(&step),
            ReplCommand::Redo => self.redo(),
            ReplCommand::Skip(reason) => self.skip(reason),
            ReplCommand::Happened(reason) => self.say_of_doubt(OperatorRuling::Happened(reason)),
            ReplCommand::NotHappened(reason) => self.say_of_doubt(OperatorRuling::NotHappened(reason)),
            ReplCommand::Edit => {
                self.session.written.needed_by("edit").map(|()| Some(Decision::Leave(LeaveReason::Edit)))
            }
            ReplCommand::Undo => self.undo(),
            ReplCommand::Rollback(step) => self.rollback(step.as_deref()),
            ReplCommand::Break(word) => self.breakpoint(word),
            ReplCommand::Sh { host, argv } => return self.shell(&host, &argv).map(|()| None),
            ReplCommand::Watch(Some(_)) => {
                let shown = self.show(command);
                self.show_watches()?;
                shown.map(|()| None)
            }
            ReplCommand::Note(text) => {
                return self.type_line(&format!("note({text:?})")).map(|()| None);
            }
            ReplCommand::Quit => Ok(Some(Decision::Leave(LeaveReason::Quit))),
            ReplCommand::Where
            | ReplCommand::Steps
            | ReplCommand::Vars
            | ReplCommand::Print(_)
            | ReplCommand::Watch(None)
            | ReplCommand::Hosts
            | ReplCommand::Save(_)
            | ReplCommand::Help(_) => self.show(command).map(|()| None),
        };
        Ok(done.unwrap_or_else(|error| {
            self.refuse(&error);
            None
        }))
    }

    /// Commands that only show something.
    fn show(&self, command: ReplCommand) -> Checked<()> {
        let (session, host, track) = (self.session, self.session.typist.host(), &self.stop.track);
        let text = match command {
            ReplCommand::Where => pages::place(session, self.stop),
            ReplCommand::Steps => pages::steps(session, host.width()),
            ReplCommand::Vars => pages::variables(session, track, host.width()),
            ReplCommand::Print(expression) => format!("{}\n", shown(&session.lines.look(&expression, track)?)),
            ReplCommand::Watch(Some(expression)) => {
                session.rules.watch(expression);
                return Ok(());
            }
            ReplCommand::Watch(None) => pages::words(&session.rules.watched(), "nothing is watched: :watch EXPR"),
            ReplCommand::Hosts => pages::hosts(&session.inventory),
            ReplCommand::Save(file) => {
                let text = pages::runbook(session)?;
                host.save(&file, &text)?;
                self.say(&format!("written: {file}\n"));
                host.next(&format!("baton check {}", typed(&file)));
                return Ok(());
            }
            ReplCommand::Help(of) => pages::help(of.as_deref(), host.width())?,
            ReplCommand::Next | ReplCommand::Into | ReplCommand::Until(_) | ReplCommand::Redo | ReplCommand::Edit => {
                return Ok(());
            }
            ReplCommand::Happened(_) | ReplCommand::NotHappened(_) => return Ok(()),
            ReplCommand::Skip(_) | ReplCommand::Undo | ReplCommand::Rollback(_) | ReplCommand::Break(_) => {
                return Ok(());
            }
            ReplCommand::Sh { .. } | ReplCommand::Note(_) | ReplCommand::Quit => return Ok(()),
        };
        self.say(&text);
        Ok(())
    }

    /// Shows what is watched. Readings are asked of their hosts, and not recorded: nothing is decided by them.
    fn show_watches(&self) -> Result<(), Stopped> {
        for expression in self.session.rules.watched() {
            let door = Rc::new(Peek(Rc::clone(self.door)));
            let value = self.session.lines.look_through(door, &expression, &self.stop.track);
            let value = value.unwrap_or_else(|error| format!("? {}", error.message));
            self.say(&format!("{} = {}\n", shown(&expression), shown(&value)));
        }
        Ok(())
    }

    /// Lets the run go on to where it is aimed.
    fn onward(&self, (word, aim): (&str, Target)) -> Checked<Option<Decision>> {
        self.session.written.needed_by(word)?;
        self.session.rules.aim_at(aim);
        if self.stop.ahead != Ahead::Nothing {
            return Ok(Some(Decision::Go));
        }
        match self.session.standing.former() {
            Some(PreviousEnding {
                ending: ending @ (Ending::Failed | Ending::Unmet | Ending::Bug),
                message,
                effect,
            }) => {
                let error = Error::new(Kind::Usage, format!("`:{word}` cannot pass what failed: {message}"));
                Err(past(self.door, ending, effect.as_ref()).into_iter().fold(error, Error::hint))
            }
            Some(PreviousEnding { ending: Ending::Doubt, message, .. }) => {
                let error = Error::new(Kind::Usage, format!("`:{word}` cannot pass what is in doubt: {message}"));
                Err(OF_DOUBT.iter().fold(error, |error, way| error.hint(*way)))
            }
            Some(_) | None => Ok(Some(Decision::Leave(LeaveReason::On))),
        }
    }

    fn until(&self, step: &str) -> Checked<Option<Decision>> {
        self.session.written.needed_by("until")?;
        let aim = Target::Until(self.still_to_come(step)?);
        self.onward(("until", aim))
    }

    /// The step that is meant, if it can come yet.
    fn still_to_come(&self, given: &str) -> Checked<StepName> {
        let step = self.session.written.find(given).map_err(|error| error.hint("see which there are: :steps"))?;
        if let Ahead::Step { number, name, .. } = &self.stop.ahead
            && step.fits(number, name)
        {
            let error = Error::new(Kind::Usage, format!("step {number} `{}` is next: it stands there", shown(name)));
            return Err(error.hint("have it done: :next"));
        }
        let begun = self.session.timeline.steps();
        let over = begun.iter().find(|begun| {
            let comes_again = || self.session.written.comes_again(&begun.name);
            step.fits(&begun.number, &begun.name) && (matches!(step, StepName::Number(_)) || !comes_again())
        });
        match over {
            Some(begun) => {
                let message = format!("step {} `{}` has begun already", begun.number, shown(&begun.name));
                Err(Error::new(Kind::Usage, message).hint("name one that is to come; see which there are: :steps"))
            }
            None => Ok(step),
        }
    }

    fn redo(&self) -> Checked<Option<Decision>> {
        let broken = self.session.lines.broken();
        let rests = self.stop.ahead == Ahead::Nothing && self.session.written.has_runbook();
        match broken {
            Some(line) => Ok(Some(Decision::Leave(LeaveReason::RedoLine(line.n)))),
            None if rests => Ok(Some(Decision::Leave(LeaveReason::Redo))),
            None => Err(Error::new(Kind::Usage, "nothing has failed that could be tried again")),
        }
    }

    fn skip(&self, reason: String) -> Checked<Option<Decision>> {
        self.session.written.needed_by("skip")?;
        if self.stop.ahead != Ahead::Nothing {
            return Ok(Some(Decision::Skip(reason)));
        }
        match self.session.standing.former() {
            Some(PreviousEnding { ending: Ending::Failed | Ending::Doubt, effect: Some(_), .. }) => {
                Ok(Some(Decision::Leave(LeaveReason::Said(OperatorRuling::Skip(reason)))))
            }
            Some(PreviousEnding { ending: ending @ (Ending::Failed | Ending::Unmet | Ending::Bug), .. }) => {
                let error = Error::new(Kind::Usage, "no effect has failed here that could be left out");
                Err(past(self.door, ending, None).into_iter().fold(error, Error::hint))
            }
            Some(_) | None => {
                let error = Error::new(Kind::Usage, "nothing has failed here that could be left out");
                Err(error.hint(match &self.stop.undone {
                    Some((number, _)) => format!("go on to where that step can be: :until {number}"),
                    None => "go on to where a step can be: :next".to_owned(),
                }))
            }
        }
    }

    fn say_of_doubt(&self, verdict: OperatorRuling) -> Checked<Option<Decision>> {
        match self.session.standing.former() {
            Some(PreviousEnding { ending: Ending::Doubt, effect: Some(_), .. })
                if self.stop.ahead == Ahead::Nothing =>
            {
                Ok(Some(Decision::Leave(LeaveReason::Said(verdict))))
            }
            Some(_) | None => Err(Error::new(Kind::Usage, "nothing is in doubt here")),
        }
    }

    fn undo(&self) -> Checked<Option<Decision>> {
        self.session.written.needed_by("undo")?;
        let steps = self.session.timeline.steps();
        let completed = |standing| matches!(standing, StepStanding::Done | StepStanding::Same);
        let done = steps.iter().filter(|step| step.track == TrackId::main() && completed(step.standing));
        match done.max_by_key(|step| step.ended) {
            Some(step) => Ok(Some(Decision::Leave(LeaveReason::Back(Some(step.number.clone()))))),
            None => Err(Error::new(Kind::Usage, "no step is completed yet: there is nothing to undo")),
        }
    }

    fn rollback(&self, step: Option<&str>) -> Checked<Option<Decision>> {
        self.session.written.needed_by("rollback")?;
        let Some(wanted) = step else { return Ok(Some(Decision::Leave(LeaveReason::Back(None)))) };
        let steps = self.session.timeline.steps();
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
        self.session.written.needed_by("break")?;
        if let Some(word) = word {
            let known = pages::breakable(self.session);
            let is_number = word.chars().all(|c| c.is_ascii_digit() || c == '.');
            if !is_number && !known.contains(&word) {
                let error = Error::new(Kind::Usage, format!("`{word}` is no step, verb, host or service"));
                let near = did_you_mean(&word, known.iter().map(String::as_str));
                return Err(near.into_iter().fold(error, |error, near| error.hint(near)));
            }
            self.session.rules.break_at(word);
        }
        self.say(&pages::words(&self.session.rules.breakpoints(), "no breakpoints: :break STEP|VERB|HOST"));
        Ok(None)
    }

    /// Runs a command on a host: beside the runbook, so it wants a reason.
    fn shell(&self, host: &str, argv: &[String]) -> Result<(), Stopped> {
        if !self.session.inventory.hosts.contains_key(host) {
            let error = Error::new(Kind::Usage, format!("there is no host `{host}`"));
            let near = did_you_mean(host, self.session.inventory.hosts.keys().map(String::as_str));
            self.refuse(
                &near.into_iter().fold(error, |error, near| error.hint(near)).hint("see which there are: :hosts"),
            );
            return Ok(());
        }
        let reason = match self.line("why? ")? {
            Line::Typed(reason) if !reason.trim().is_empty() => reason.trim().to_owned(),
            Line::Typed(_) | Line::Cancelled | Line::Closed(_) => {
                self.refuse(&Error::new(Kind::Usage, "nothing was run: it needs a reason, for the record"));
                return Ok(());
            }
        };
        let what = format!("`{}` was asked for on {host}", argv.join(" "));
        self.session.write(self.door, Fact::Deviation { what, reason, hosts: Vec::new() })?;
        let (line, end) = self.done_line(&format!("run(host({host:?}), {argv:?}).output"))?;
        match &end {
            LineEnd::Value(value) if lines_of(value).is_some() => {
                let lines: String =
                    lines_of(value).unwrap_or_default().iter().map(|line| format!("{}\n", shown(line))).collect();
                self.say(&lines);
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
