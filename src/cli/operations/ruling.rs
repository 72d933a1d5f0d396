//! A person's word on what failed or is in doubt, before it is taken: what can be looked at is looked at, and what does
//! not bear it out is said. Who sits at a terminal is asked again. It must not take a word back by itself.

use super::acquire::AcquiredRun;
use super::typed::{Departure, type_line};
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::session::{self, OperatorRuling, StateSeen};
use crate::world::operator::terminal::Terminal;

/// How it is asked for again.
const CONFIRM: &str = "\ntype `yes` to have your word taken all the same, anything else to leave it\n> ";

/// What is said when it is not taken.
pub(in crate::cli) const NOT_TAKEN: &str = "your word was not taken; nothing was done";

/// What a word came to.
pub(in crate::cli) enum WordOutcome {
    /// It is taken; this does not bear it out.
    Taken(Vec<StateSeen>),
    /// The person has thought better of it, and left the question like this.
    Withdrawn(Departure),
}

/// Looks at what a word is about, which begins the way back of a run when it goes `back`.
///
/// # Errors
/// When nobody waited for the look, or the world cannot be opened.
pub(in crate::cli) fn hear(
    taken: &AcquiredRun,
    verdict: &OperatorRuling,
    back: bool,
    context: &Context,
) -> Result<WordOutcome> {
    let world = || -> Result<_> {
        let world = taken.estate.world(&taken.prepared.inventory, context)?;
        world.telling_apart(&session::said(&taken.prepared.texts), session::log_of(&taken.prepared.inventory))
    };
    let history = taken.history(context)?;
    let seen = session::hear(&taken.prepared, Box::new(world()?), (&taken.run, &history), verdict, back)?;
    seen.iter().for_each(|seen| context.screen.remark(&seen.text));
    if !seen.iter().any(|seen| seen.against) || !Terminal::is_there() {
        return Ok(WordOutcome::Taken(seen));
    }
    let typed = type_line(&mut world()?, CONFIRM);
    Ok(match typed {
        Ok(typed) if typed.trim() == "yes" => WordOutcome::Taken(seen),
        Ok(_) => WordOutcome::Withdrawn(Departure::Willingly),
        Err(left) => WordOutcome::Withdrawn(left),
    })
}

/// The same for a command that ends when the word is not taken.
///
/// # Errors
/// As above; `Suspended` when it is not, `Interrupted` when they pressed Ctrl-C.
pub(in crate::cli) fn heard(
    taken: &AcquiredRun,
    verdict: &OperatorRuling,
    back: bool,
    context: &Context,
) -> Result<Vec<StateSeen>> {
    match hear(taken, verdict, back, context)? {
        WordOutcome::Taken(seen) => Ok(seen),
        WordOutcome::Withdrawn(left) => {
            Err(Error::new(left.kind(), NOT_TAKEN).hint(format!("see how it stands: baton show {}", taken.run)))
        }
    }
}

/// A verdict without a reason is worth nothing to whoever reads the record.
///
/// # Errors
/// `Usage` when there is none.
pub(in crate::cli) fn sound(flag: &str, reason: &str) -> Result<String> {
    if reason.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "a verdict needs a reason: it goes into the record")
            .hint(format!("say how you know: {flag} \"why you know\"")));
    }
    Ok(reason.to_owned())
}
