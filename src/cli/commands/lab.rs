//! `baton lab`: what can be rehearsed, what is being rehearsed, and ending it. Also, hidden, the lab's own processes.

use crate::cli::context::Context;
use crate::cli::operations::estate::{lab_name, lease};
use crate::cli::operations::site::Site;
use crate::cli::operations::texts::template;
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::lab::{Lab, server, tool};
use crate::library::Shelf;
use crate::model::text::shown;
use crate::platform::desk;
use crate::platform::lab_link::LabTrouble;
use crate::report::layout::wrap;
use crate::report::style::Tone;
use std::path::PathBuf;

/// Show what can be rehearsed on this machine, or end a rehearsal
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct LabArgs {
    /// A lab: shows its scenarios
    lab: Option<String>,
    #[command(subcommand)]
    deed: Option<LabAction>,
}

#[derive(Debug, clap::Subcommand)]
enum LabAction {
    /// End a lab, or all of them
    Stop {
        /// Which lab
        lab: Option<String>,
    },
    /// The lab's process
    #[command(hide = true)]
    Serve {
        #[arg(long)]
        dir: PathBuf,
    },
    /// A command of the lab's hosts
    #[command(hide = true)]
    Tool {
        #[arg(long)]
        dir: PathBuf,
        /// It is this job of a run
        #[arg(long, requires = "record")]
        job: Option<String>,
        /// The file that says how the job ended, once it has
        #[arg(long)]
        record: Option<PathBuf>,
        #[arg(last = true, required = true)]
        words: Vec<String>,
    },
    /// The process of a service that runs
    #[command(hide = true)]
    Service { name: String },
}

pub(in crate::cli) fn run(args: &LabArgs, context: &Context) -> Result<u8> {
    match &args.deed {
        None => match &args.lab {
            None => overview(context),
            Some(lab) => one(lab, context),
        },
        Some(LabAction::Stop { lab }) => stop(lab.as_deref(), context),
        Some(LabAction::Serve { dir }) => server::serve(dir).map(|()| 0),
        Some(LabAction::Tool { dir, job, record, words }) => {
            let reply = match job.as_ref().zip(record.as_ref()) {
                Some((job, record)) => tool::job(dir, job, record)?,
                None => tool::call(dir, words)?,
            };
            if let Some(LabTrouble::NotOurs(why) | LabTrouble::Model(why)) = &reply.trouble {
                return Err(Error::new(Kind::Script, why));
            }
            if !reply.output.is_empty() {
                context.screen.out.print(&format!("{}\n", reply.output));
            }
            Ok(u8::try_from(reply.exit).unwrap_or(1))
        }
        Some(LabAction::Service { name: _ }) => {
            desk::sit_until_input_ends();
            Ok(0)
        }
    }
}

fn overview(context: &Context) -> Result<u8> {
    let site = Site::here();
    let style = context.screen.out_style;
    let mut page = String::new();
    for name in site.names(Shelf::Labs) {
        let template = template(&name, &site)?;
        let alive = Lab::any(&name, &context.state)?.filter(Lab::answers);
        let state = match alive {
            Some(lab) => format!("runs `{}` at {}x, for run {}", lab.scenario(), lab.card().speed, lab.card().run),
            None => "does not run".to_owned(),
        };
        page += &format!("{}  {}\n    {state}\n", style.paint(Tone::Strong, &name), template.title);
    }
    context.screen.out.say(&format!("{page}{} baton lab LAB\n", style.paint(Tone::Wait, "next:")));
    Ok(0)
}

fn one(name: &str, context: &Context) -> Result<u8> {
    let template = template(name, &Site::here())?;
    let style = context.screen.out_style;
    let mut page = format!("{}  {}\n\n", style.paint(Tone::Strong, name), template.title);
    let longest = template.scenarios.keys().map(String::len).max().unwrap_or(0);
    for (scenario, meaning) in template.in_order() {
        let usual = if *scenario == template.scenario { " (unless another is named)" } else { "" };
        let lines = wrap(&format!("{meaning}{usual}"), style.width.saturating_sub(longest + 4));
        page += &format!("  {scenario:<longest$}  {}\n", lines.join(&format!("\n{}", " ".repeat(longest + 4))));
    }
    page += &format!("\n{} baton run RUNBOOK --lab {name}:{}\n", style.paint(Tone::Wait, "next:"), template.scenario);
    context.screen.out.say(&page);
    Ok(0)
}

/// Says of a run that stood in a lab which is no more that it cannot go on.
fn tell_of_stranded(run: &str, context: &Context) {
    let history = context.store().and_then(|store| History::read(&*store, run));
    if history.is_ok_and(|history| !history.is_final()) {
        context.screen.remark(&format!("run {run} was not over and cannot be resumed any more"));
        context.screen.remark(&format!("clear it away: baton abort {run} --reason \"its lab was stopped\""));
    }
}

fn stop(lab: Option<&str>, context: &Context) -> Result<u8> {
    let cards = desk::files_below(&context.state.join("labs"), "toml");
    let found = cards.iter().filter(|path| path.file_name().is_some_and(|name| name == "lab.toml"));
    let names = found.filter_map(|path| path.parent()?.to_str().map(str::to_owned));
    let mut ended = false;
    for name in names.filter(|name| lab.is_none_or(|wanted| wanted == name)) {
        let _lease = lease(context, &lab_name(&name), "-")?;
        if let Some(aside) = Lab::clear(&name, &context.state)? {
            context
                .screen
                .out
                .say(&format!("the lab `{name}` is damaged; its card was set aside: {}\n", aside.display()));
        } else if let Some(lab) = Lab::any(&name, &context.state)?.filter(Lab::answers) {
            lab.stop()?;
            ended = true;
            context.screen.out.say(&format!("the lab `{name}` has ended\n"));
            tell_of_stranded(lab.card().run.as_str(), context);
        }
    }
    if !ended {
        let which = lab.map_or_else(|| "no lab runs".to_owned(), |lab| format!("no lab `{}` runs", shown(lab)));
        context.screen.out.say(&format!("{which}: there was nothing to stop\n"));
    }
    Ok(0)
}
