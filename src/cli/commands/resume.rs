//! `baton resume`: takes a run up again where its record stands, from the texts it began with.

use crate::cli::context::Context;
use crate::cli::operations::acquire::{AcquiredRun, claim};
use crate::cli::operations::adopt::{Edited, edited_since};
use crate::cli::operations::estate::Estate;
use crate::cli::operations::find_run::Purpose;
use crate::cli::operations::ruling::sound;
use crate::cli::operations::steering::{RecordedSteps, SteeringArgs};
use crate::cli::operations::{answers, holders, present, recover, ruling};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::reopening;
use crate::journal::rollback_plan;
use crate::model::run::steering::{AfterFailure, Steering as Asked};
use crate::script::analysis::outline;
use crate::session::{self, OperatorRuling, ResumeTerms};
use std::path::PathBuf;

/// Take a run up again where it stopped
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ResumeArgs {
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
    /// Go on with the texts as they are in this folder now, if they fit the record
    #[arg(long)]
    adopt_edited: bool,
    /// Only tell whether the edited texts fit, and what differs
    #[arg(long)]
    dry: bool,
    /// Go on although a guard was decided by something that is otherwise now; say why
    #[arg(long, value_name = "REASON")]
    accept_drift: Option<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Answers to gates that are known before they are asked: a TOML file
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    steering: SteeringArgs,
    /// Go on without being asked before each change, although the run was begun with `--step`
    #[arg(long, conflicts_with = "step")]
    no_step: bool,
    /// Ask what the answers would say that the run was begun with (`--answers`)
    #[arg(long, conflicts_with = "answers")]
    no_answers: bool,
}

pub(in crate::cli) fn run(args: &ResumeArgs, context: &Context) -> Result<u8> {
    if args.dry && !args.adopt_edited {
        return Err(Error::new(Kind::Usage, "`--dry` tells whether edited texts fit: it goes with `--adopt-edited`")
            .hint("nothing was done")
            .hint(format!("type: baton resume {} --adopt-edited --dry", args.run)));
    }
    let verdict = verdict(args)?;
    let drift = args.accept_drift.as_deref().map(|reason| sound("--accept-drift", reason)).transpose()?;
    let claimed = claim(&args.run, Purpose::GoOn, context)?;
    if let Some(finished) = session::over(&claimed.run, &claimed.history) {
        context.screen.remark(&format!("run {} is over; nothing was done", claimed.run));
        return present::tell(context, &finished);
    }
    session::admits(&claimed.run, &claimed.history, &verdict)?;
    let asked = reopening::steering(&claimed.history);
    let goes_back = args.says_nothing() && is_to_go_back(&claimed.history, &asked);
    let (taken, adoption) = if args.adopt_edited {
        let edited = Edited::read(&claimed.run, &claimed.history, &verdict, context)?;
        if args.dry {
            edited.tell(context);
            return Ok(0);
        }
        edited.tell_if_same(context);
        (claimed.take_up_with(edited.prepared, context)?, Some(edited.adoption))
    } else {
        edited_since(&claimed.run, &claimed.history, context).iter().for_each(|edited| context.screen.remark(edited));
        (claimed.take_up(context)?, None)
    };
    let before = asked.answers.as_ref().filter(|_| !args.no_answers);
    let (answers, kept) = answers::read_or_kept(args.answers.as_deref(), before, &taken.prepared, context)?;
    let taken = taken.answered(answers);
    if matches!(taken.estate, Estate::Site) {
        holders::tell_of_jobs(&taken.run, &taken.prepared.inventory, context);
    }
    let (names, known) = (outline::step_names(&taken.prepared.program), taken.history(context)?);
    let course = args.steering.course_on(names, Some(&known), args.no_step)?;
    let course = course.answered(taken.answers.as_deref(), kept);
    if goes_back {
        return recover::take_back(taken, &course, args.events.as_deref(), context);
    }
    let seen = ruling::heard(&taken, &verdict, false, context)?;
    let terms = ResumeTerms { verdict, seen, drift, adoption };
    let start = |taken: &AcquiredRun, parts| session::resume_on(&taken.prepared, parts, terms);
    recover::carry_out(taken, (&course, RecordedSteps::of(&known)), args.events.as_deref(), start, context)
}

impl ResumeArgs {
    /// Whether nothing is said of what stopped the run, nor of what follows a failure.
    fn says_nothing(&self) -> bool {
        let verdicts = [&self.done, &self.skip, &self.happened, &self.not_happened, &self.accept_drift];
        let says = self.retry || self.adopt_edited || verdicts.iter().any(|verdict| verdict.is_some());
        !says && !self.steering.says_what_follows_a_failure()
    }
}

/// Whether a run has failed that was to be taken back then, and its runner died before it could. One that passed a
/// point of no return is gone on with.
fn is_to_go_back(history: &History, asked: &Asked) -> bool {
    asked.on_failure == Some(AfterFailure::Rollback)
        && history.last_ending().is_some_and(|ending| reopening::is_to_go_back(history, ending))
        && rollback_plan::no_return_since(history, 0).is_none()
}

fn verdict(args: &ResumeArgs) -> Result<OperatorRuling> {
    Ok(match (&args.happened, &args.done, &args.not_happened, &args.skip) {
        (Some(reason), ..) => OperatorRuling::Happened(sound("--happened", reason)?),
        (_, Some(reason), ..) => OperatorRuling::Happened(sound("--done", reason)?),
        (_, _, Some(reason), _) => OperatorRuling::NotHappened(sound("--not-happened", reason)?),
        (.., Some(reason)) => OperatorRuling::Skip(sound("--skip", reason)?),
        (None, None, None, None) => OperatorRuling::Retry,
    })
}
