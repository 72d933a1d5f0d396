//! `baton rollback`: shows what would be undone, asks, and takes a run back. Nothing is done before the plan was shown.

use super::find_run::Purpose;
use super::resume::sound;
use super::steering::{RecordedSteps, SteeringArgs};
use super::take_up::{AcquiredRun, claim};
use super::{Context, answers, follow_up, word};
use crate::error::{Error, Kind, Result};
use crate::model::run::record::RollbackScope;
use crate::model::run::steering::Steering as Asked;
use crate::model::site::answers::Answers;
use crate::model::text::typed;
use crate::report::rollback_plan::{RollbackPlan, render};
use crate::script::outline;
use crate::session::{self, Finished, OperatorRuling, PreparedRollback, RollbackRequest, RunParts};
use crate::world::operator::terminal::Terminal;
use std::path::{Path, PathBuf};

/// The word that begins it.
pub(super) const GO: &str = "rollback";
/// How it is asked for.
const CONFIRM: &str = "\ntype `rollback` to begin, anything else to leave it\n> ";
/// The same for a way back that was begun before.
const CONFIRM_AGAIN: &str = "\ntype `rollback` to go on with it, anything else to leave it\n> ";

/// Undo what a run changed, newest first
#[derive(Debug, clap::Args)]
pub(super) struct RollbackArgs {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// Undo this step and what came after it: its number, or a part of its name
    #[arg(long, value_name = "STEP")]
    to: Option<String>,
    /// Begin at once; the plan is printed all the same
    #[arg(long)]
    yes: bool,
    /// The effect in doubt did happen; say how you know
    #[arg(long, value_name = "REASON", conflicts_with = "not_happened")]
    happened: Option<String>,
    /// The effect in doubt did not happen; say how you know
    #[arg(long, value_name = "REASON")]
    not_happened: Option<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Answers to gates of the way back that are known before they are asked: a TOML file
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
}

pub(super) fn run(args: &RollbackArgs, context: &Context) -> Result<u8> {
    let verdict = match (&args.happened, &args.not_happened) {
        (Some(reason), _) => OperatorRuling::Happened(sound("--happened", reason)?),
        (None, Some(reason)) => OperatorRuling::NotHappened(sound("--not-happened", reason)?),
        (None, None) => OperatorRuling::Retry,
    };
    let said = said_again(args);
    let claimed = claim(&args.run, Purpose::TakeBack { at_once: args.yes }, context)?;
    let way = match (&args.to, claimed.history.way_back()) {
        (Some(step), _) => RollbackScope::To(step.clone()),
        (None, Some(RollbackScope::To(step))) => {
            let step = step.clone();
            context.screen.remark(&format!(
                "the way back to before step {step} is under way: this goes on with it, and takes back no more"
            ));
            RollbackScope::To(step)
        }
        // A run that is being given up does not go back: that is refused further down.
        (None, Some(RollbackScope::All | RollbackScope::Abort) | None) => RollbackScope::All,
    };
    let (begins, asked) = (claimed.history.way_back().is_none(), claimed.history.steering());
    let taken = claimed.take_up(context)?;
    // A way back that begins has answers of its own, and one that is gone on with has those that it began with.
    let before = asked.answers.as_ref().filter(|_| !begins);
    let (answers, kept) = answers::read_or_kept(args.answers.as_deref(), before, &taken.prepared, context)?;
    if let Some(answers) = answers.as_ref().filter(|_| kept) {
        context.screen.remark(&format!("as it was asked for before: --answers {}", typed(answers.file())));
    }
    let taken = taken.answered(answers);
    let seen = word::heard(&taken, &verdict, begins, context)?;
    let wish = RollbackRequest { verdict, seen, ..RollbackRequest::of(way) };
    let events = args.events.as_deref();
    let parts =
        RunParts { steering: changed(&asked, taken.answers.as_deref()), ..taken.parts(events, Vec::new(), context)? };
    let finished = go(&taken, wish, parts, (!args.yes, Some(&said)), context)?;
    let course = SteeringArgs::default().course(outline::step_names(&taken.prepared.program))?;
    let gates = course.gates(&taken.run, context.who(), RecordedSteps::default());
    follow_up::go_on(taken, &course, events, (finished, gates), context)
}

/// Takes a run all the way back that this command has taken up and that has stopped; `asks` first if need be. Gives
/// how that ended.
///
/// # Errors
/// When there is no way back, the record cannot be written, or it was not confirmed: nothing was done then.
pub(super) fn go_back(taken: &AcquiredRun, events: Option<&Path>, asks: bool, context: &Context) -> Result<Finished> {
    let parts = taken.parts(events, Vec::new(), context)?;
    go(taken, RollbackRequest::of(RollbackScope::All), parts, (asks, None), context)
}

/// How a run is steered on its way back, for the record: as before, with these answers. Nothing where that stands
/// there already.
pub(super) fn changed(before: &Asked, answers: Option<&Answers>) -> Option<Asked> {
    let now = Asked { answers: answers.map(Answers::to_keep), ..before.clone() };
    (now != *before).then_some(now)
}

/// The flags without which the same command would be another one.
fn said_again(args: &RollbackArgs) -> String {
    let text = |flag: &str, given: &Option<String>| {
        given.as_ref().map(|given| format!(" --{flag} {}", typed(given))).unwrap_or_default()
    };
    let file = |flag: &str, given: &Option<PathBuf>| text(flag, &given.as_ref().map(|path| path.display().to_string()));
    [
        text("happened", &args.happened),
        text("not-happened", &args.not_happened),
        file("answers", &args.answers),
        file("events", &args.events),
    ]
    .concat()
}

/// Goes back, or further back. With `asks` a person who has seen the plan is asked first; `said` are the flags of the
/// command, where it was one.
fn go(
    taken: &AcquiredRun,
    wish: RollbackRequest,
    parts: RunParts,
    (asks, said): (bool, Option<&str>),
    context: &Context,
) -> Result<Finished> {
    let back = session::way_back(&taken.prepared, parts, wish)?;
    show(&back, &taken.run, context);
    if asks {
        agreed(&back, &taken.run, said)?;
    }
    back.go()
}

/// Prints what would be done.
pub(super) fn show(back: &PreparedRollback, run: &str, context: &Context) {
    let (acts, owes) = (back.acts(), back.owes());
    let gone = back.is_under_way().then(|| back.gone());
    let plan = RollbackPlan { run, way: back.way(), history: back.history(), acts: &acts, gone, owes: &owes };
    context.screen.out.say(&render(&plan, &context.screen.out_style, &context.screen.zone));
}

/// Whether a person who has seen the plan wants it, asked in the same words wherever they typed the command.
pub(super) fn confirmed(back: &PreparedRollback) -> bool {
    answer(back).as_deref().is_some_and(begins)
}

fn answer(back: &PreparedRollback) -> Option<String> {
    back.asks(if back.is_under_way() { CONFIRM_AGAIN } else { CONFIRM })
}

fn begins(typed: &str) -> bool {
    typed.trim() == GO
}

/// Has the person at the terminal agree to it. Who does not is not told how to do it unasked.
///
/// # Errors
/// `Suspended` when they do not, or nobody is there; `Interrupted` when they press Ctrl-C.
fn agreed(back: &PreparedRollback, run: &str, said: Option<&str>) -> Result<()> {
    let line = answer(back);
    if line.as_deref().is_some_and(begins) {
        return Ok(());
    }
    let is_there = line.is_some() || Terminal::is_there();
    let what = if back.is_under_way() { "nothing more was undone" } else { "nothing was undone" };
    let why = if is_there { "it was not confirmed" } else { "nobody was there to confirm it" };
    let kind = if back.is_interrupted() { Kind::Interrupted } else { Kind::Suspended };
    let error = Error::new(kind, format!("{what}: {why}"));
    let to = if let RollbackScope::To(step) = back.way() { format!(" --to {}", typed(step)) } else { String::new() };
    Err(match said {
        // Who types words is asked for the next one.
        None => error,
        Some(said) if is_there => error
            .hint(format!("see how it stands: baton show {run}"))
            .hint(format!("have the plan shown and be asked again: baton rollback {run}{to}{said}")),
        Some(said) if back.is_under_way() => {
            error.hint(format!("go on without being asked: baton rollback {run}{to}{said} --yes"))
        }
        Some(said) => error.hint(format!("begin without being asked: baton rollback {run}{to}{said} --yes")),
    })
}
