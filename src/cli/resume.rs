//! `baton resume`: takes a run up again where its record stands, from the texts it began with.

use super::take_up::claim;
use super::{Desk, carry};
use crate::error::{Error, Kind, Result};
use crate::session;
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
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let verdict = verdict(words.happened.as_deref(), words.not_happened.as_deref())?;
    let claimed = claim(&words.run, desk)?;
    if let Some(finished) = session::over(&claimed.run, &claimed.history) {
        desk.screen.remark(&format!("run {} is over; nothing was done", claimed.run));
        return carry::tell(desk, &finished);
    }
    let taken = claimed.take_up(desk)?;
    let parts = taken.parts(words.events.as_deref(), Vec::new(), desk)?;
    let finished = session::resume(&taken.prepared, parts, verdict)?;
    carry::tell(desk, &finished)
}

/// What a person says of the effect in doubt: whether it happened, and how they know.
///
/// # Errors
/// `Usage` without a reason.
pub(super) fn verdict(happened: Option<&str>, not_happened: Option<&str>) -> Result<Option<(bool, String)>> {
    match (happened, not_happened) {
        (Some(reason), _) => Ok(Some((true, sound(reason)?))),
        (None, Some(reason)) => Ok(Some((false, sound(reason)?))),
        (None, None) => Ok(None),
    }
}

/// A verdict without a reason is worth nothing to whoever reads the record.
fn sound(reason: &str) -> Result<String> {
    if reason.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "a verdict needs a reason: it goes into the record")
            .hint("say how you know: --happened \"why you know\""));
    }
    Ok(reason.to_owned())
}
