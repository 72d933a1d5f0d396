//! `baton abort`: gives a run up. Nothing is undone; what it owes is done, and it is over.

use super::estate::lab_of;
use super::find_run::Aim;
use super::take_up::{Claimed, TakenUp, claim};
use super::{Desk, carry, rollback};
use crate::error::{Error, Kind, Result};
use crate::lab::Lab;
use crate::model::run::record::Way;
use crate::session::{self, Finished, Parts, Wish};
use crate::world::nowhere::Nowhere;
use std::path::{Path, PathBuf};

/// Give a run up: undo nothing, do what it owes, end it for good
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// Why; it goes into the record
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let claimed = claim(&words.run, Aim::GoOn, desk)?;
    if words.reason.trim().is_empty() && !claimed.history.is_final() {
        return Err(Error::new(Kind::Usage, "giving a run up needs a reason: it goes into the record")
            .hint(format!("say why: baton abort {} --reason \"why\"", claimed.run)));
    }
    if let Some(lab) = lab_of(&claimed.history)
        && let Some(gone) = Lab::gone(lab, &desk.state, &claimed.run)?
    {
        return write_off(&claimed, &gone, &words.reason, desk);
    }
    let asked = claimed.history.steering();
    let taken = claimed.take_up(desk)?;
    // What is owed asks whoever gives the run up.
    let steering = rollback::changed(&asked, None);
    let parts = Parts { steering, ..taken.parts(words.events.as_deref(), Vec::new(), desk)? };
    let finished = give_up_with(&taken, parts, words.reason.clone(), desk)?;
    carry::tell(desk, &finished)
}

/// Gives a run up that this command has taken up and that has stopped.
///
/// # Errors
/// When it is over, or its record cannot be written.
pub(super) fn give_up(taken: &TakenUp, events: Option<&Path>, reason: String, desk: &Desk) -> Result<Finished> {
    give_up_with(taken, taken.parts(events, Vec::new(), desk)?, reason, desk)
}

fn give_up_with(taken: &TakenUp, parts: Parts, reason: String, desk: &Desk) -> Result<Finished> {
    let back = session::way_back(&taken.prepared, parts, Wish { reason, ..Wish::of(Way::Abort) })?;
    rollback::show(&back, &taken.run, desk);
    back.go()
}

/// Ends a run for good whose lab is there no more: nothing can be done for it, and that is what is written down.
fn write_off(claimed: &Claimed, gone: &str, reason: &str, desk: &Desk) -> Result<u8> {
    if claimed.history.is_final() {
        return Err(Error::new(Kind::Refused, format!("run {} is over; there is nothing to give up", claimed.run))
            .cause(gone)
            .hint(format!("see what was done: baton show {}", claimed.run)));
    }
    let store = desk.store()?;
    let prepared = session::snapshot(&*store, &claimed.history).and_then(session::prepare);
    let owes = prepared.and_then(|prepared| {
        let parts = Parts {
            run: claimed.run.clone(),
            store: desk.store()?,
            world: Box::new(Nowhere),
            sinks: Vec::new(),
            by: desk.who(),
            gates: Vec::new(),
            steering: None,
        };
        let wish = Wish::of(Way::Abort);
        Ok(session::way_back(&prepared, parts, wish)?.owes())
    });
    let left = match owes {
        Ok(owes) if owes.is_empty() => "nothing was owed".to_owned(),
        Ok(owes) => {
            let names: Vec<String> = owes.iter().map(|name| format!("`{name}`")).collect();
            format!("owed and never done: {}", names.join(", "))
        }
        Err(_) => "what it owed cannot be told, and was not done".to_owned(),
    };
    let what = format!("{gone}: the run was given up without it; {left}");
    desk.screen.remark(&what);
    let finished = session::write_off(store, &claimed.run, &claimed.history, (what, reason.to_owned()), desk.who())?;
    carry::tell(desk, &finished)
}
