//! `baton resume`: takes a run up again where its record stands, from the texts it began with.

use super::estate::{Estate, lab_name, lease, site_name};
use super::find_run::find_run;
use super::{Desk, carry};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::lab::Lab;
use crate::session::{self, Parts};
use crate::world::desk;
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
    let verdict = match (&words.happened, &words.not_happened) {
        (Some(reason), _) => Some((true, sound(reason)?)),
        (None, Some(reason)) => Some((false, sound(reason)?)),
        (None, None) => None,
    };
    let store = desk.store()?;
    let run = find_run(&*store, &words.run)?;
    let _run_lease = lease(desk, &run, &run)?;
    let history = History::from(store.read(&run)?)?;
    if let Some(finished) = session::over(&run, &history) {
        desk.screen.remark(&format!("run {run} is over; nothing was done"));
        return carry::tell(desk, &finished);
    }
    let prepared = session::prepare(session::snapshot(&*store, &history)?)?;
    let (_lease, estate) = match history.begun().estate.strip_prefix("lab ") {
        None => (lease(desk, &site_name(&prepared.inventory), &run)?, Estate::Site),
        Some(name) => {
            let lab = name.split(':').next().unwrap_or(name);
            let lease = lease(desk, &lab_name(lab), &run)?;
            (lease, Estate::Lab(Lab::find(lab, &desk.state, &run)?))
        }
    };
    let parts = Parts {
        run,
        store,
        world: Box::new(estate.world(&prepared.inventory, desk)?),
        sinks: carry::sinks(desk, &estate, words.events.as_deref())?,
        by: desk::who(),
    };
    let finished = session::resume(&prepared, parts, verdict)?;
    carry::tell(desk, &finished)
}

/// A verdict without a reason is worth nothing to whoever reads the record.
fn sound(reason: &str) -> Result<String> {
    if reason.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "a verdict needs a reason: it goes into the record")
            .hint("say how you know: --happened \"why you know\""));
    }
    Ok(reason.to_owned())
}
