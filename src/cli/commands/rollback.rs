//! `baton rollback`: shows what would be undone, asks, and takes a run back. Nothing is done before the plan was shown.

use crate::cli::context::Context;
use crate::cli::operations::acquire::claim;
use crate::cli::operations::find_run::Purpose;
use crate::cli::operations::go_back::{changed, go};
use crate::cli::operations::ruling::sound;
use crate::cli::operations::steering::{RecordedSteps, SteeringArgs};
use crate::cli::operations::{answers, recover, ruling};
use crate::error::Result;
use crate::journal::reopening;
use crate::model::run::record::RollbackScope;
use crate::model::text::typed;
use crate::script::analysis::outline;
use crate::session::{OperatorRuling, RollbackRequest, RunParts};
use std::path::PathBuf;

/// Undo what a run changed, newest first
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RollbackArgs {
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

pub(in crate::cli) fn run(args: &RollbackArgs, context: &Context) -> Result<u8> {
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
    let (begins, asked) = (claimed.history.way_back().is_none(), reopening::steering(&claimed.history));
    let taken = claimed.take_up(context)?;
    // A way back that begins has answers of its own, and one that is gone on with has those that it began with.
    let before = asked.answers.as_ref().filter(|_| !begins);
    let (answers, kept) = answers::read_or_kept(args.answers.as_deref(), before, &taken.prepared, context)?;
    if let Some(answers) = answers.as_ref().filter(|_| kept) {
        context.screen.remark(&format!("as it was asked for before: --answers {}", typed(answers.file())));
    }
    let taken = taken.answered(answers);
    let seen = ruling::heard(&taken, &verdict, begins, context)?;
    let wish = RollbackRequest { verdict, seen, ..RollbackRequest::of(way) };
    let events = args.events.as_deref();
    let parts =
        RunParts { steering: changed(&asked, taken.answers.as_deref()), ..taken.parts(events, Vec::new(), context)? };
    let finished = go(&taken, wish, parts, (!args.yes, Some(&said)), context)?;
    let course = SteeringArgs::default().course(outline::step_names(&taken.prepared.program))?;
    let gates = course.gates(&taken.run, context.who(), RecordedSteps::default());
    recover::go_on(taken, &course, events, (finished, gates), context)
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
