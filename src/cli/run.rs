//! `baton run`: begins a run of a runbook on a site or in a lab. It gathers what the run is made of and hands it over.

use super::estate::{Estate, lab_name, lab_of, lease, site_name};
use super::find_run::disagrees;
use super::lab::template;
use super::previous_run::PreviousRun;
use super::site::Site;
use super::steering::{CheckedSteering, SteeringArgs};
use super::take_up::AcquiredRun;
use super::{CommandLine, Context, answers, follow_up, holders};
use crate::error::{Error, Kind, Result};
use crate::journal::Store;
use crate::journal::history::History;
use crate::lab::{Lab, LabChoice};
use crate::library::{Shelf, source};
use crate::model::text::{shown, typed};
use crate::model::value::{Fields, Value};
use crate::platform::desk;
use crate::report::layout::paragraphs;
use crate::report::style::{Style, Tone};
use crate::script::commands::{ScriptCommand, commands};
use crate::script::lint::{self, Severity};
use crate::script::outline;
use crate::script::params::ParamDecl;
use crate::script::program::Program;
use crate::script::sources::Sources;
use crate::session::{self, Prepared};
use crate::sim::ModelHost;
use crate::world::clock::Clock;
use crate::world::operator::terminal::Terminal;
use clap::CommandFactory;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Run a runbook
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(super) struct RunArgs {
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
    /// The runbook and the inventory as they were given.
    pub(super) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
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

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<u8> {
    let site = Site::here();
    match (&args.runbook, args.help) {
        (None, true) => general_help(context),
        (None, false) => {
            Err(Error::new(Kind::Usage, "`run` needs the name of a runbook").hint("see which there are: baton list"))
        }
        (Some(given), true) => help(given, args, &site, context),
        (Some(given), false) => {
            args.are_for_a_lab()?;
            let former = args.from_run.as_deref().map(|run| PreviousRun::read(run, context)).transpose()?;
            match (&args.inventory, &args.lab, former) {
                (Some(inventory), _, former) => on_site(args, given, inventory, former.as_ref(), &site, context),
                (None, Some(lab), _) => in_lab(args, given, &LabChoice::parse(lab), &site, context),
                (None, None, Some(former)) => after(args, given, &former, &site, context),
                (None, None, None) => Err(nowhere(given, &site)?),
            }
        }
    }
}

/// The lab that is named where none is known to fit.
const USUAL_LAB: &str = "genesys";

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

/// The program of a runbook, to be looked at.
fn program(name: &str, text: &str, site: &Site) -> Result<Rc<Program>> {
    let mut read_module = |module: &str| site.lookup(Shelf::Modules, module);
    Program::compile(&site.check(Sources::collect(name, text, &mut read_module))?)
}

/// The lab in which a runbook can be rehearsed: it is called like the shelf that it, or a module of it, lies on. Of the
/// usual one it is looked whether it has the hosts and services that the runbook names.
fn own_lab(name: &str, program: &Rc<Program>, site: &Site) -> Option<String> {
    let shelves: Vec<&str> =
        [name].into_iter().chain(program.module_names()).filter_map(|name| Some(name.split_once('/')?.0)).collect();
    let lab = site.names(Shelf::Labs).into_iter().find(|lab| shelves.contains(&lab.as_str()));
    lab.or_else(|| fits_usual_lab(program, site).then(|| USUAL_LAB.to_owned()))
}

fn fits_usual_lab(program: &Rc<Program>, site: &Site) -> bool {
    let Ok(template) = super::lab::template(USUAL_LAB, site) else { return false };
    let text = template.inventory("/lab");
    let Ok(inventory) = super::check::inventory((USUAL_LAB, &text), site) else { return false };
    let findings = lint::lint(program, Some(&Rc::new(inventory)));
    findings.iter().all(|finding| finding.severity != Severity::Error)
}

/// The flags without which a runbook does not begin.
fn must_be_given(program: &Program) -> String {
    let missing = program.params().iter().filter(|param| param.default.is_none());
    missing.map(|param| format!(" -p {}=…", shown(&param.name))).collect()
}

fn on_site(
    args: &RunArgs,
    given: &str,
    inventory: &Path,
    former: Option<&PreviousRun>,
    site: &Site,
    context: &Context,
) -> Result<u8> {
    let (file, text) = inventory_text(inventory)?;
    let check = format!("baton check {given} -i {file}");
    let prepared = prepare(&site.runbook(given)?, (&file, &text), site, &check)?;
    let course = args.steering.course(outline::step_names(&prepared.program))?;
    let mut params = prepared.program.resolve_params(&given_params(&args.params, given)?)?;
    if let Some(former) = former {
        former.must_be_of(&prepared.inventory, &file)?;
        former.add_to(&mut params);
    }
    let answers = answers::read(args.answers.as_deref(), &prepared, context)?;
    let run = new_run()?;
    // A journal that cannot be opened must show before anybody is kept away from the site.
    context.store()?;
    let of_site = lease(context, &site_name(&prepared.inventory), &run)?;
    say_what_differs(site, context);
    holders::tell(&prepared, former.map(|former| former.run.as_str()), context);
    let leases = (lease(context, &run, &run)?, of_site);
    let taken = AcquiredRun::new(run, prepared, Estate::Site, leases).answered(answers);
    begin(args, taken, course, params, context)
}

/// The name and the text of an inventory.
pub(super) fn inventory_text(inventory: &Path) -> Result<(String, String)> {
    let text = desk::read_text(inventory)?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no inventory `{}`", inventory.display()))
            .hint("name the file that lists your hosts and services: -i FILE")
    })?;
    Ok((inventory.display().to_string(), text))
}

fn in_lab(args: &RunArgs, given: &str, wanted: &LabChoice, site: &Site, context: &Context) -> Result<u8> {
    template(&wanted.lab, site)?;
    let mut text_of = |shelf, name: &str| site.text(shelf, name);
    let plan = Lab::plan(wanted, args.speed, &context.state, &mut text_of)?.unattended(args.no_operator);
    // What is wrong with the runbook or its parameters must show before a lab is touched.
    let check = format!("baton check {given}");
    let prepared = prepare(&site.runbook(given)?, (&plan.inventory_file(), plan.inventory()), site, &check)?;
    say_what_is_refused(&plan.check(&prepared.inventory)?, &prepared, context);
    let course = args.steering.course(outline::step_names(&prepared.program))?;
    let declared: Vec<&str> = prepared.program.params().iter().map(|param| param.name.as_str()).collect();
    let mut params = plan.implied_params(&declared);
    params.extend(given_params(&args.params, given)?);
    let params = prepared.program.resolve_params(&params)?;
    let answers = answers::read(args.answers.as_deref(), &prepared, context)?;
    let (run, store) = (new_run()?, context.store()?);
    let of_lab = lease(context, &lab_name(plan.name()), &run)?;
    say_what_differs(site, context);
    tell_of_orphan(plan.former_run(), &*store, context)?;
    let lab = plan.open(&prepared.inventory)?;
    lab.belongs_to(&run)?;
    let leases = (lease(context, &run, &run)?, of_lab);
    let taken = AcquiredRun::new(run, prepared, Estate::Lab(lab), leases).answered(answers);
    begin(args, taken, course, params, context)
}

/// In the lab of the run that this one follows, as that run left it.
fn after(args: &RunArgs, given: &str, former: &PreviousRun, site: &Site, context: &Context) -> Result<u8> {
    let run = new_run()?;
    let name = former.lab(given)?;
    let of_lab = lease(context, &lab_name(name), &run)?;
    let lab = Lab::find(name, &context.state, &former.run)?.unattended(args.no_operator);
    let prepared = prepare(&site.runbook(given)?, former.inventory()?, site, &format!("baton check {given}"))?;
    let course = args.steering.course(outline::step_names(&prepared.program))?;
    let mut params = prepared.program.resolve_params(&given_params(&args.params, given)?)?;
    former.add_to(&mut params);
    let answers = answers::read(args.answers.as_deref(), &prepared, context)?;
    say_what_differs(site, context);
    lab.belongs_to(&run)?;
    let leases = (lease(context, &run, &run)?, of_lab);
    let taken = AcquiredRun::new(run, prepared, Estate::Lab(lab), leases).answered(answers);
    begin(args, taken, course, params, context)
}

/// What a runbook calls by its name and no lab of this model will start, before anything has begun.
fn say_what_is_refused(model: &ModelHost, prepared: &Prepared, context: &Context) {
    for ScriptCommand { program, place } in commands(&prepared.program) {
        let what = match program {
            None => "`reboot`".to_owned(),
            Some(program) if model.answers_command(&program, true) => continue,
            Some(program) => format!("`run` of `{}`", shown(&program)),
        };
        context
            .screen
            .remark(&format!("{}:{}: {what} will be refused: a lab does nothing for real", place.file, place.line));
    }
}

/// How it is asked whether a lab in which a run stands is to begin anew.
const ANEW: &str = "type `yes` to have the lab begin anew, anything else to leave it\n> ";

/// A run that is not over and whose lab is replaced cannot be resumed any more: on a terminal a person says whether
/// that is meant. A rehearsal in a pipe is begun anew by whoever repeats it, and is told.
///
/// # Errors
/// `Suspended` when the person does not want it, `Interrupted` when they press Ctrl-C.
pub(super) fn tell_of_orphan(former: Option<&str>, store: &dyn Store, context: &Context) -> Result<()> {
    let Some(run) = former else { return Ok(()) };
    let known = store.runs()?.iter().any(|one| one == run);
    let history = if known { Some(History::from(store.read(run)?)?) } else { None };
    if let Some(history) = history.filter(|history| !history.is_final()) {
        let lab = lab_of(&history).unwrap_or_default();
        let stands = Terminal::is_there() && Lab::gone(lab, &context.state, run)?.is_none();
        if stands {
            context.screen.remark(&format!(
                "run {run} is not over and stands in lab {lab}: begun anew, it takes the run with it"
            ));
        }
        if let Some(left) = stands.then(|| disagrees(ANEW, context)).transpose()?.flatten() {
            return Err(Error::new(left.kind(), "nothing was done: it was not confirmed")
                .hint(format!("go on with the run that stands there: baton resume {run}"))
                .hint(format!("or give it up: baton abort {run} --reason \"why\"")));
        }
        context.screen.remark(&format!("the lab begins anew; run {run} was not over and cannot be resumed any more"));
        context.screen.remark(&format!("clear it away: baton abort {run} --reason \"its lab is gone\""));
    }
    Ok(())
}

/// Everything a run is made of, compiled. What can be seen to be wrong without running it is refused here: in the midst
/// of a run it would leave a pair half changed. `check` is what shows all of it.
pub(super) fn prepare(
    (name, text): &(String, String),
    inventory: (&str, &str),
    site: &Site,
    check: &str,
) -> Result<Prepared> {
    let mut read_module = |module: &str| site.lookup(Shelf::Modules, module);
    let mut read_profile = |product: &str| site.lookup(Shelf::Products, product);
    let texts = site.check(session::gather(name, text, inventory, &mut read_module, &mut read_profile));
    let prepared = texts.and_then(session::prepare).map_err(|error| {
        if error.kind == Kind::Inventory { error.hint(format!("fix it, then: {check}")) } else { error }
    })?;
    let findings = lint::lint(&prepared.program, Some(&prepared.inventory));
    let mut errors = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    match errors.next() {
        Some(first) => Err(refused(first.error, errors.count(), check)),
        None => Ok(prepared),
    }
}

fn refused(error: Box<Error>, more: usize, check: &str) -> Box<Error> {
    let error = match more {
        0 => error,
        1 => error.hint("there is 1 more error in this runbook and its modules"),
        _ => error.hint(format!("there are {more} more errors in this runbook and its modules")),
    };
    error.hint(format!("nothing was touched; fix it, then: {check}"))
}

pub(super) fn new_run() -> Result<String> {
    desk::new_run_id(Clock::real().now().wall)
}

pub(super) fn say_what_differs(site: &Site, context: &Context) {
    for path in site.differing() {
        context.screen.remark(&format!("using this folder's own {path}, which differs from the shipped one"));
    }
}

fn begin(args: &RunArgs, taken: AcquiredRun, course: CheckedSteering, params: Fields, context: &Context) -> Result<u8> {
    let course = course.answered(taken.answers.as_deref(), false);
    let estate = taken.estate.name();
    let start = |taken: &AcquiredRun, parts| session::begin(&taken.prepared, parts, params, &estate);
    follow_up::carry_out(taken, &course, args.events.as_deref(), start, context)
}

/// `name=value` words as a map of texts.
pub(super) fn given_params(words: &[String], runbook: &str) -> Result<Fields> {
    let mut fields = Fields::new();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err(Error::new(Kind::Usage, format!("`{word}` is not a parameter"))
                .hint("write -p name=value")
                .hint(format!("baton run {runbook} --help")));
        };
        if fields.insert(name.trim().to_owned(), Value::from(value)).is_some() {
            let message = format!("parameter `{}` is given twice", name.trim());
            return Err(Error::new(Kind::Usage, message).hint(format!("baton run {runbook} --help")));
        }
    }
    Ok(fields)
}

fn general_help(context: &Context) -> Result<u8> {
    let mut command = CommandLine::command();
    command.build();
    let text = command.find_subcommand_mut("run").map(|run| run.render_help().to_string()).unwrap_or_default();
    context.screen.out.say(&format!("{text}\nThe parameters of a runbook: baton run RUNBOOK --help\n"));
    Ok(0)
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
