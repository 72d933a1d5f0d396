//! `baton run`: begins a run of a runbook on a site or in a lab. It gathers what the run is made of and hands it over.

use crate::cli::context::Context;
use crate::cli::operations::acquire::AcquiredRun;
use crate::cli::operations::begin::{Begun, NewPlace, NewRun, begin, say_what_is_refused};
use crate::cli::operations::own_lab::{own_lab, program};
use crate::cli::operations::previous_run::PreviousRun;
use crate::cli::operations::recover;
use crate::cli::operations::site::Site;
use crate::cli::operations::steering::{RecordedSteps, SteeringArgs};
use crate::error::{Error, Kind, Result};
use crate::lab::LabChoice;
use crate::library::source;
use crate::model::text::{shown, typed};
use crate::model::value::Value;
use crate::report::layout::paragraphs;
use crate::report::style::{Style, Tone};
use crate::script::analysis::outline;
use crate::script::compile::params::ParamDecl;
use crate::script::compile::program::Program;
use crate::session::{self, RunParts};
use std::path::PathBuf;

/// Run a runbook
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(in crate::cli) struct RunArgs {
    /// A name from `baton list`, or the path of a .rhai file
    runbook: Option<String>,
    /// The site: its inventory, a TOML file
    #[arg(short, long, value_name = "FILE", conflicts_with = "lab")]
    inventory: Option<PathBuf>,
    /// A rehearsal site instead of a real one, and how it behaves
    #[arg(long, value_name = "LAB[:SCENARIO]")]
    lab: Option<String>,
    /// The run that this one follows, such as the upgrade to be taken back; one in a lab goes on in that lab
    #[arg(long, value_name = "RUN", conflicts_with = "lab")]
    from_run: Option<String>,
    /// A parameter of the runbook; may be given several times
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Answers to gates that are known before they are asked: a TOML file
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// How many seconds pass in the lab in a real one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: Option<u32>,
    /// The lab, or that of the run which this one follows, has nobody who answers questions: they are for you
    #[arg(long)]
    no_operator: bool,
    #[command(flatten)]
    steering: SteeringArgs,
    /// Print help; with a runbook, its parameters
    #[arg(short, long)]
    help: bool,
}

impl RunArgs {
    /// Whether what is asked for is help, and no runbook is named that it could be about.
    pub(in crate::cli) fn want_help(&self) -> bool {
        self.help && self.runbook.is_none()
    }

    /// The runbook and the inventory as they were given.
    pub(in crate::cli) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbook.iter().cloned().collect(), self.inventory.clone())
    }

    /// What is said of a lab is not passed over where there is none, or where it goes on as it was begun.
    fn are_for_a_lab(&self) -> Result<()> {
        let wrong = |message: &str, hint: &str| Err(Error::new(Kind::Usage, message).hint(hint));
        if self.lab.is_none() && self.speed.is_some() {
            return wrong("`--speed` goes with `--lab`", "only a lab that is begun is given its speed");
        }
        if self.lab.is_none() && self.no_operator && (self.from_run.is_none() || self.inventory.is_some()) {
            return wrong("`--no-operator` goes with `--lab`", "on a site there is none: questions are for you");
        }
        Ok(())
    }
}

pub(in crate::cli) fn run(args: &RunArgs, context: &Context) -> Result<u8> {
    let Some(given) = &args.runbook else {
        return Err(
            Error::new(Kind::Usage, "`run` needs the name of a runbook").hint("see which there are: baton list")
        );
    };
    if args.help {
        return help(given, args, &Site::here(), context);
    }
    args.are_for_a_lab()?;
    let Some(place) = place(args, context)? else { return Err(nowhere(given, &Site::here())?) };
    let new = NewRun { runbook: Some(given), params: &args.params, place, answers: args.answers.as_deref() };
    let Begun { taken, params, judged: course, heir } = begin(
        new,
        |prepared, model| {
            if let Some(model) = model {
                say_what_is_refused(model, prepared, context);
            }
            args.steering.course(outline::step_names(&prepared.program))
        },
        context,
    )?;
    let course = course.answered(taken.answers.as_deref(), false);
    let estate = taken.estate.id();
    let start = |taken: &AcquiredRun, mut parts: RunParts| {
        if let Some(heir) = heir {
            parts.sinks.insert(0, Box::new(heir));
        }
        session::begin(&taken.prepared, parts, params, &estate)
    };
    recover::carry_out(taken, (&course, RecordedSteps::default()), args.events.as_deref(), start, context)
}

/// Where the run is to act; nothing where that was not said.
fn place<'a>(args: &'a RunArgs, context: &Context) -> Result<Option<NewPlace<'a>>> {
    let previous = args.from_run.as_deref().map(|run| PreviousRun::read(run, context)).transpose()?;
    let unattended = args.no_operator;
    Ok(match (&args.inventory, &args.lab, previous) {
        (Some(inventory), _, previous) => Some(NewPlace::Site(inventory, previous)),
        (None, Some(lab), _) => Some(NewPlace::Lab { choice: LabChoice::parse(lab), speed: args.speed, unattended }),
        (None, None, Some(previous)) => Some(NewPlace::LabOf { previous, unattended }),
        (None, None, None) => None,
    })
}

fn nowhere(given: &str, site: &Site) -> Result<Box<Error>> {
    let (name, text) = site.runbook(given)?;
    // What is wrong with the text is told when it is to be run.
    let program = program(&name, &text, site).ok();
    let wanted = program.as_deref().map(must_be_given).unwrap_or_default();
    let lab = program.and_then(|program| own_lab(&name, &program, site));
    let error = Error::new(Kind::Usage, format!("where shall `{given}` run?"))
        .hint(format!("on a site: baton run {given}{wanted} -i INVENTORY"));
    let rehearsal = |lab| format!("as a rehearsal on this machine: baton run {given}{wanted} --lab {lab}");
    Ok(lab.map(rehearsal).into_iter().fold(error, Error::hint))
}

/// The flags without which a runbook does not begin.
fn must_be_given(program: &Program) -> String {
    let missing = program.params().iter().filter(|param| param.default.is_none());
    missing.map(|param| format!(" -p {}=…", shown(&param.name))).collect()
}

/// What a runbook is and which parameters it has, found without running it.
fn help(given: &str, args: &RunArgs, site: &Site, context: &Context) -> Result<u8> {
    let (name, text) = site.runbook(given)?;
    let program = program(&name, &text, site)?;
    let style = context.screen.out_style;
    let mut page = format!("{}\n", style.paint(Tone::Strong, &shown(&name)));
    let about: Vec<String> = program.about().lines().filter(|line| !line.starts_with("source:")).map(shown).collect();
    for line in paragraphs(&about.join("\n"), style.width - 2) {
        page += format!("  {line}").trim_end();
        page.push('\n');
    }
    if let Some(source) = source(&text) {
        for line in paragraphs(&shown(&format!("after: {source}")), style.width - 2) {
            page += &format!("  {}\n", style.paint(Tone::Dim, &line));
        }
    }
    page += &format!("\n{}\n", style.paint(Tone::Strong, "parameters"));
    if program.params().is_empty() {
        page += "  none\n";
    }
    page.extend(program.params().iter().map(|param| one_param(param, &style)));
    let wanted = must_be_given(&program);
    let place = match (&args.inventory, &args.lab) {
        (Some(file), _) => format!("-i {}", typed(&file.display().to_string())),
        (None, Some(lab)) => format!("--lab {}", typed(lab)),
        (None, None) => {
            own_lab(&name, &program, site).map_or_else(|| "-i INVENTORY".to_owned(), |lab| format!("--lab {lab}"))
        }
    };
    page += &format!("\n{} baton run {}{wanted} {place}\n", style.paint(Tone::Wait, "next:"), shown(&name));
    context.screen.out.say(&page);
    Ok(0)
}

fn one_param(param: &ParamDecl, style: &Style) -> String {
    let value = match &param.default {
        Some(Value::Text(text)) => format!("default: \"{}\"", shown(text)),
        Some(default) => format!("default: {}", shown(&default.to_string())),
        None => "must be given".to_owned(),
    };
    let mut text = format!("  -p {}=…   ({value})\n", shown(&param.name));
    let mut help = shown(&param.help);
    if param.span {
        help += "\n\na length of time, such as 90s, 5min or 1h 30min";
    }
    if !param.choices.is_empty() {
        let choices: Vec<String> = param.choices.iter().map(|choice| shown(&choice.to_string())).collect();
        help += &format!("\n\none of: {}", choices.join(", "));
    }
    for line in paragraphs(&help, style.width - 6).iter().filter(|line| !line.is_empty()) {
        text += &format!("      {line}\n");
    }
    text
}
