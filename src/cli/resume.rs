//! `baton resume`: takes a run up again where its record stands, from the texts it began with.

use super::adopt::Edited;
use super::take_up::claim;
use super::{Desk, carry};
use crate::error::{Error, Kind, Result};
use crate::session::{self, Terms};
use std::path::PathBuf;

/// Take a run up again where it stopped
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// The effect in doubt did happen; say how you know
    #[arg(long, value_name = "REASON", conflicts_with = "not_happened")]
    happened: Option<String>,
    /// The effect in doubt did not happen; say how you know
    #[arg(long, value_name = "REASON")]
    not_happened: Option<String>,
    /// Go on with the texts as they are in this folder now, if they fit the record
    #[arg(long)]
    adopt_edited: bool,
    /// Only tell whether the edited texts fit, and what differs
    #[arg(long, requires = "adopt_edited")]
    dry: bool,
    /// Go on although a guard was decided by something that is otherwise now; say why
    #[arg(long, value_name = "REASON")]
    accept_drift: Option<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let verdict = match (&words.happened, &words.not_happened) {
        (Some(reason), _) => Some((true, sound(reason, "happened")?)),
        (None, Some(reason)) => Some((false, sound(reason, "not-happened")?)),
        (None, None) => None,
    };
    let drift = words.accept_drift.as_deref().map(|reason| sound(reason, "accept-drift")).transpose()?;
    let claimed = claim(&words.run, desk)?;
    if let Some(finished) = session::over(&claimed.run, &claimed.history) {
        desk.screen.remark(&format!("run {} is over; nothing was done", claimed.run));
        return carry::tell(desk, &finished);
    }
    let (taken, adoption) = if words.adopt_edited {
        let edited = Edited::read(&claimed.run, &claimed.history, verdict.as_ref(), desk)?;
        if words.dry {
            edited.tell(desk);
            return Ok(0);
        }
        edited.tell_if_same(desk);
        (claimed.take_up_with(edited.prepared, desk)?, Some(edited.adoption))
    } else {
        (claimed.take_up(desk)?, None)
    };
    let parts = taken.parts(words.events.as_deref(), Vec::new(), desk)?;
    let finished = session::resume_on(&taken.prepared, parts, Terms { verdict, drift, adoption })?;
    carry::tell(desk, &finished)
}

/// A verdict without a reason is worth nothing to whoever reads the record.
fn sound(reason: &str, flag: &str) -> Result<String> {
    if reason.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "a verdict needs a reason: it goes into the record")
            .hint(format!("say how you know: --{flag} \"why\"")));
    }
    Ok(reason.to_owned())
}
