//! `baton resume`: takes a run up again where its record stands, from the texts it began with.

use super::steering::{Begun, Steering};
use super::take_up::claim;
use super::{Desk, answers, carry, follow_up};
use crate::error::{Error, Kind, Result};
use crate::session::{self, Verdict};
use std::path::PathBuf;

/// Take a run up again where it stopped
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// `latest`, or the first characters of a run's identity
    #[arg(default_value = "latest")]
    run: String,
    /// Try again what failed: what happens without any of these
    #[arg(long, group = "verdict")]
    retry: bool,
    /// The effect that failed did happen all the same; say how you know
    #[arg(long, value_name = "REASON", group = "verdict")]
    done: Option<String>,
    /// Leave out the effect that failed; say why
    #[arg(long, value_name = "REASON", group = "verdict")]
    skip: Option<String>,
    /// The effect in doubt did happen; say how you know
    #[arg(long, value_name = "REASON", group = "verdict")]
    happened: Option<String>,
    /// The effect in doubt did not happen; say how you know
    #[arg(long, value_name = "REASON", group = "verdict")]
    not_happened: Option<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Answers to gates that are known before they are asked: a TOML file
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    steering: Steering,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let verdict = verdict(words)?;
    let claimed = claim(&words.run, desk)?;
    if let Some(finished) = session::over(&claimed.run, &claimed.history) {
        desk.screen.remark(&format!("run {} is over; nothing was done", claimed.run));
        return carry::tell(desk, &finished);
    }
    session::admits(&claimed.run, &claimed.history, &verdict)?;
    let begun = Begun::of(&claimed.history);
    let taken = claimed.take_up(desk)?;
    let answers = answers::read(words.answers.as_deref(), &taken.prepared.program)?;
    let taken = taken.answered(answers);
    let course = words.steering.course(taken.prepared.program.step_names(), Some(&begun))?;
    let start = |parts| session::resume(&taken.prepared, parts, verdict);
    follow_up::carry_out(&taken, &course, words.events.as_deref(), start, desk)
}

fn verdict(words: &Words) -> Result<Verdict> {
    Ok(match (&words.happened, &words.done, &words.not_happened, &words.skip) {
        (Some(reason), ..) => Verdict::Happened(sound("--happened", reason)?),
        (_, Some(reason), ..) => Verdict::Happened(sound("--done", reason)?),
        (_, _, Some(reason), _) => Verdict::NotHappened(sound("--not-happened", reason)?),
        (.., Some(reason)) => Verdict::Skip(sound("--skip", reason)?),
        (None, None, None, None) => Verdict::Retry,
    })
}

/// A verdict without a reason is worth nothing to whoever reads the record.
fn sound(flag: &str, reason: &str) -> Result<String> {
    if reason.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "a verdict needs a reason: it goes into the record")
            .hint(format!("say how you know: {flag} \"why you know\"")));
    }
    Ok(reason.to_owned())
}
