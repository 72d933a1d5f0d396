//! What can be seen of a change or a wait of which a person says whether it happened: what the profile's check, or its
//! own goal, reads now. It starts nothing, settles nothing and waits for nothing: the word is the person's.

use crate::exec::calls::EffectSite;
use crate::exec::order::{JobFound, Order};
use crate::exec::probe;
use crate::exec::probe::Allowed;
use crate::exec::reading::{HIDDEN, UNKNOWN, choices, is_hidden, wanted};
use crate::exec::transfer::{self, Direction};
use crate::model::run::effect::{Action, Class, Effect, Probe, Transfer};
use crate::model::text::shown;
use crate::model::value::Value;
use crate::world::{Link, Stopped};

/// How much of a command is shown, in characters.
const COMMAND_SHOWN: usize = 60;

/// What is seen of something that a person has spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// It is as they say.
    Agrees,
    /// It is not; what was looked at and what it reads, as a sentence without its full stop.
    Contradicts(String),
    /// It cannot be told; why, as such a sentence.
    Unclear(String),
}

/// Looks at an effect that, as a person says, `happened` or did not; nothing when there is nothing to be looked at.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn evidence(link: &dyn Link, order: Order<'_>, happened: bool) -> Result<Option<Evidence>, Stopped> {
    match &order.effect.action {
        Action::Job(job) => match (&job.check, &job.goal) {
            (Some(check), _) if job.class == Class::Once => checked(link, order.effect, check, happened),
            // That its goal holds says that it need not be done, not by whom it was.
            (_, Some(goal)) if happened => reads(link, order.effect, &goal.probe, &goal.wants, ""),
            (Some(_) | None, Some(_) | None) => Ok(None),
        },
        Action::Until(until) if happened => reads(link, order.effect, &until.probe, &until.wants, ""),
        Action::Put(carried) if happened => arrived(link, order, carried, Direction::Put),
        Action::Fetch(carried) if happened => arrived(link, order, carried, Direction::Fetch),
        Action::Until(_) | Action::Put(_) | Action::Fetch(_) => Ok(None),
        Action::Probe(_) | Action::Log(_) | Action::Sleep { .. } | Action::Ask(_) => Ok(None),
        Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => Ok(None),
    }
}

/// Looks whether what a change has made another is as it was before: `former`.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn is_former(link: &dyn Link, effect: &Effect, probe: &Probe, former: &Value) -> Result<Option<Evidence>, Stopped> {
    reads(link, effect, probe, std::slice::from_ref(former), " as before")
}

/// What the check of something that is done once says.
fn checked(link: &dyn Link, effect: &Effect, check: &Probe, happened: bool) -> Result<Option<Evidence>, Stopped> {
    let Ok(site) = EffectSite::of(effect) else { return Ok(None) };
    let check_of = format!("its check `{}` on `{}`", command(&check.argv), site.host);
    let read = probe::read(link, site, check, Allowed::AS_IT_SAYS)?;
    Ok(Some(match read.as_ref().map(Value::as_text) {
        Ok(Some(word @ ("yes" | "no"))) if (word == "yes") == happened => Evidence::Agrees,
        Ok(Some(word @ ("yes" | "no"))) => Evidence::Contradicts(format!("{check_of} says {word}")),
        Ok(_) => Evidence::Unclear(format!("{check_of} cannot tell")),
        Err(failure) => Evidence::Unclear(format!("its check failed: {}", shown(&failure.message))),
    }))
}

/// Whether a probe reads one of these values.
fn reads(
    link: &dyn Link,
    effect: &Effect,
    probe: &Probe,
    wants: &[Value],
    when: &str,
) -> Result<Option<Evidence>, Stopped> {
    let Ok(site) = EffectSite::of(effect) else { return Ok(None) };
    let (what, name) = (shown(&probe.what), site.name());
    Ok(Some(match probe::read(link, site, probe, Allowed::AS_IT_SAYS)? {
        Ok(value) if is_hidden(wants, &value) => Evidence::Unclear(format!("`{what}` of `{name}` {HIDDEN}")),
        Ok(value) if wanted(wants, &value) => Evidence::Agrees,
        Ok(value) if value.as_text() == Some(UNKNOWN) => Evidence::Unclear(format!("`{what}` of `{name}` cannot tell")),
        Ok(value) => {
            let (value, wants) = (shown(&value.to_string()), shown(&choices(wants)));
            Evidence::Contradicts(format!("`{what}` of `{name}` reads `{value}`, not {wants}{when}"))
        }
        Err(failure) => Evidence::Unclear(shown(&failure.message)),
    }))
}

/// Whether a file is where it was to be carried.
fn arrived(link: &dyn Link, order: Order<'_>, carried: &Transfer, way: Direction) -> Result<Option<Evidence>, Stopped> {
    let (path, whose) = match way {
        Direction::Put => (&carried.remote, format!(" on `{}`", order.effect.host.as_deref().unwrap_or_default())),
        Direction::Fetch => (&carried.local, " here".to_owned()),
    };
    let path = shown(path);
    Ok(Some(match transfer::settle(link, order, carried, way)? {
        JobFound::Ended(_) => Evidence::Agrees,
        JobFound::Never => Evidence::Contradicts(format!("`{path}`{whose} is not what was to be carried there")),
        JobFound::Runs { job } => Evidence::Unclear(format!("{job} still runs")),
        JobFound::Doubt { reason } | JobFound::Hidden { reason } => {
            Evidence::Unclear(format!("`{path}`{whose} cannot be compared: {}", shown(&reason)))
        }
    }))
}

/// A command as it is told of in one line.
fn command(argv: &[String]) -> String {
    let words = shown(&argv.join(" "));
    if words.chars().count() <= COMMAND_SHOWN {
        return words;
    }
    words.chars().take(COMMAND_SHOWN - 1).chain(['…']).collect()
}
