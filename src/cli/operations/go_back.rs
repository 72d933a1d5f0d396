//! Taking a run back: the plan is shown, whoever is there is asked, and nothing is done before that. It must not decide
//! how far it goes.

use super::acquire::AcquiredRun;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::model::run::record::RollbackScope;
use crate::model::run::steering::Steering as Asked;
use crate::model::site::answers::Answers;
use crate::model::text::typed;
use crate::report::rollback_plan::{RollbackPlan, render};
use crate::session::{self, Finished, PreparedRollback, RollbackRequest, RunParts};
use crate::world::operator::terminal::Terminal;
use std::path::Path;

/// The word that begins it.
pub(in crate::cli) const GO: &str = "rollback";
/// How it is asked for.
const CONFIRM: &str = "\ntype `rollback` to begin, anything else to leave it\n> ";
/// The same for a way back that was begun before.
const CONFIRM_AGAIN: &str = "\ntype `rollback` to go on with it, anything else to leave it\n> ";

/// Takes a run all the way back that this command has taken up and that has stopped; `asks` first if need be. Gives
/// how that ended.
///
/// # Errors
/// When there is no way back, the record cannot be written, or it was not confirmed: nothing was done then.
pub(in crate::cli) fn go_back(
    taken: &AcquiredRun,
    events: Option<&Path>,
    asks: bool,
    context: &Context,
) -> Result<Finished> {
    let parts = taken.parts(events, Vec::new(), context)?;
    go(taken, RollbackRequest::of(RollbackScope::All), parts, (asks, None), context)
}

/// How a run is steered on its way back, for the record: as before, with these answers. Nothing where that stands
/// there already.
pub(in crate::cli) fn changed(before: &Asked, answers: Option<&Answers>) -> Option<Asked> {
    let now = Asked { answers: answers.map(Answers::to_keep), ..before.clone() };
    (now != *before).then_some(now)
}

/// Goes back, or further back. With `asks` a person who has seen the plan is asked first; `said` are the flags of the
/// command, where it was one.
pub(in crate::cli) fn go(
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
pub(in crate::cli) fn show(back: &PreparedRollback, run: &str, context: &Context) {
    let (acts, owes) = (back.acts(), back.owes());
    let gone = back.is_under_way().then(|| back.gone());
    let plan = RollbackPlan { run, way: back.way(), history: back.history(), acts: &acts, gone, owes: &owes };
    context.screen.out.say(&render(&plan, &context.screen.out_style, &context.screen.zone));
}

/// Whether a person who has seen the plan wants it, asked in the same words wherever they typed the command.
pub(in crate::cli) fn confirmed(back: &PreparedRollback) -> bool {
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
