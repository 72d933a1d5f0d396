//! `baton verify`: walks every path through runbooks that an unkind world can make them take, in simulated worlds, and
//! says what does not hold there. It touches no host.

use crate::cli::context::Context;
use crate::cli::operations::scenes::{self, Scenes, Wanted};
use crate::cli::operations::site::Site;
use crate::cli::operations::texts::{self, given_params};
use crate::cli::operations::verified::{self, ProgressView};
use crate::error::{Error, Kind, Result};
use crate::model::span::Span;
use crate::model::text::{did_you_mean, shown, typed};
use crate::report::layout::hanging;
use crate::report::style::Tone;
use crate::script::analysis::coverage;
use crate::verify::explorer::{self, Bounds};
use crate::verify::formats::{self, Verified};
use crate::verify::scene::Scene;
use crate::verify::schedule::Schedule;
use crate::verify::{shrink, story};
use crate::world::crew;
use std::path::PathBuf;

/// Walk every path through a runbook in simulated worlds, with faults, and say what does not hold
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Names from `baton list`, or paths of .rhai files
    #[arg(required = true)]
    runbooks: Vec<String>,
    /// The site: its inventory, a TOML file. Nothing there is touched: its products are simulated
    #[arg(short, long, value_name = "FILE", conflicts_with = "lab")]
    inventory: Option<PathBuf>,
    /// A lab, of which every scenario is explored, or only one
    #[arg(long, value_name = "LAB[:SCENARIO]")]
    lab: Option<String>,
    /// A parameter of the runbook; may be given several times
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// How long it may take, all runbooks together
    #[arg(long, value_name = "SPAN", default_value = "5min", value_parser = Span::parse)]
    budget: Span,
    /// How many faults there may be in one night
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    faults: u8,
    /// By which number pairs of faults are ordered
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Re-live a counterexample, by the line that was printed with it
    #[arg(long, value_name = "LINE")]
    replay: Option<String>,
    /// How the result is told
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// How many workers
    #[arg(long, value_name = "N", hide = true)]
    workers: Option<usize>,
}

impl VerifyArgs {
    /// The runbooks and the inventory as they were given.
    pub(in crate::cli) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbooks.clone(), self.inventory.clone())
    }
}

/// In which format the result is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// All of it, with the stories.
    Json,
    /// For what collects the results of tests.
    Junit,
    /// For what shows findings beside the source.
    Sarif,
}

/// The exit code of an exploration that found nothing and was not finished.
const NOT_EXHAUSTED: u8 = 9;

pub(in crate::cli) fn run(args: &VerifyArgs, context: &Context) -> Result<u8> {
    let site = Site::here();
    let mut all = Vec::new();
    let mut left = args.budget.0;
    let gathered: Vec<Scenes> =
        args.runbooks.iter().map(|runbook| gather(args, runbook, &site)).collect::<Result<_>>()?;
    texts::say_what_differs(&site, context);
    if let Some(line) = &args.replay {
        if args.format != Format::Text {
            return Err(Error::new(Kind::Usage, "`--replay` tells a story to people: it has no other format"));
        }
        return replay(&gathered, line, context);
    }
    for scenes in gathered {
        let verified = verify(args, scenes, left, context)?;
        left = left.saturating_sub(verified.explored.tally.spent_ms);
        if args.format == Format::Text {
            let style = context.screen.out_style;
            context.screen.out.say(&verified::text(&verified, &args.budget.to_string(), &style));
        }
        all.push(verified);
    }
    match args.format {
        Format::Text => {}
        Format::Json => context.screen.out.print(&formats::json(&all)),
        Format::Junit => context.screen.out.print(&formats::junit(&all)),
        Format::Sarif => context.screen.out.print(&formats::sarif(&all)),
    }
    Ok(match all.iter().any(|verified| !verified.explored.found.is_empty()) {
        true => Kind::Failed.exit_code(),
        false if all.iter().all(Verified::holds) => 0,
        false => NOT_EXHAUSTED,
    })
}

fn gather(args: &VerifyArgs, runbook: &str, site: &Site) -> Result<Scenes> {
    let params = given_params(&args.params, runbook)?;
    scenes::gather(
        &Wanted { runbook, inventory: args.inventory.as_deref(), lab: args.lab.as_deref(), params: &params },
        site,
    )
}

fn verify(args: &VerifyArgs, scenes: Scenes, budget_ms: u64, context: &Context) -> Result<Verified> {
    let Scenes { name, prepared, scenes, left_out, unknown } = scenes;
    let bounds = Bounds {
        faults: args.faults.into(),
        deaths: usize::from(args.faults).max(1),
        seed: args.seed,
        budget_ms,
        until_found: false,
        workers: args.workers.unwrap_or_else(crew::cores),
    };
    let mut view = ProgressView::new(&context.screen, &name, budget_ms);
    let explored = explorer::explore(scenes.clone(), bounds, &mut |explored| {
        view.tell(explored, || coverage::coverage(&prepared.program, &explored.reached).percent());
    });
    view.end();
    let mut explored = explored?;
    let place = place(args);
    let (mut stories, mut replays) = (Vec::new(), Vec::new());
    for found in &mut explored.found {
        let Some(texts) = scenes.iter().find(|texts| texts.scenario == found.scenario) else { continue };
        let scene = Scene::new(texts)?;
        found.schedule = shrink(&scene, &found.schedule, &found.finding)?;
        stories.push(story::tell(&scene, &found.schedule)?);
        replays.push(verified::replay(&name, &place, found));
    }
    Ok(Verified {
        runbook: name,
        scenarios: scenes.into_iter().map(|texts| texts.scenario).collect(),
        left_out,
        unknown,
        bound: bound(args.faults),
        stories,
        coverage: coverage::coverage(&prepared.program, &explored.reached),
        explored,
        replays,
    })
}

/// The bound in words.
fn bound(faults: u8) -> String {
    let (faults, again, answers) = match faults {
        0 => ("no fault", "", "the usual answer"),
        1 => ("1 fault anywhere", "", "every answer"),
        _ => ("2 faults anywhere", ", killed again where nothing else goes wrong", "every answer"),
    };
    format!("{faults}, the runner killed at any boundary{again}, {answers} of every gate")
}

/// Where it was explored, as it is typed.
fn place(args: &VerifyArgs) -> String {
    let mut place = String::new();
    if let Some(inventory) = &args.inventory {
        place += &format!(" -i {}", typed(&inventory.display().to_string()));
    }
    if let Some(lab) = &args.lab {
        place += &format!(" --lab {}", typed(lab.split(':').next().unwrap_or(lab)));
    }
    args.params.iter().for_each(|param| place += &format!(" -p {}", typed(param)));
    place
}

/// Plays one schedule again, and tells all of it.
fn replay(gathered: &[Scenes], line: &str, context: &Context) -> Result<u8> {
    if line.trim().is_empty() {
        let error = Error::new(Kind::Usage, "an empty line says nothing to play again");
        return Err(error.hint("copy the whole line that `baton verify` printed, in quotes"));
    }
    let (wanted, schedule) = Schedule::of_line(line)?;
    let scenes = gathered.iter().flat_map(|scenes| scenes.scenes.iter());
    let Some(texts) = scenes.clone().find(|texts| texts.scenario == wanted) else {
        let known: Vec<&str> = scenes.map(|texts| texts.scenario.as_str()).collect();
        let error = Error::new(Kind::Usage, format!("there is no scenario `{wanted}` to play it in"));
        return Err(match did_you_mean(wanted, known) {
            Some(near) => error.hint(near),
            None => error.hint("copy the whole line that `baton verify` printed, in quotes"),
        });
    };
    let story = story::tell(&Scene::new(texts)?, &schedule)?;
    let style = context.screen.out_style;
    context.screen.out.say(&verified::told(&story, None, &style));
    if story.findings.is_empty() && !story.missed.is_empty() {
        let missed: Vec<String> = story.missed.iter().map(|part| format!("`{}`", shown(part))).collect();
        let words = format!("not known: this never came to pass: {}", missed.join(", "));
        context.screen.out.say(&format!("{}\n", hanging(&style, (Tone::Warn, "? "), &words, 2)));
        return Ok(NOT_EXHAUSTED);
    }
    if story.findings.is_empty() {
        context.screen.out.say(&format!("{} no violation on this path\n", style.paint(Tone::Good, "✓")));
        return Ok(0);
    }
    for finding in &story.findings {
        let words = format!("{} {}: {}\n", style.paint(Tone::Bad, "✗"), finding.oracle.title(), shown(&finding.text));
        context.screen.out.say(&words);
    }
    Ok(Kind::Failed.exit_code())
}
