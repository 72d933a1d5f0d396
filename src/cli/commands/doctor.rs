//! `baton doctor`: looks at a site before the first change and says what will not work. It begins no run; what is found
//! is for others to judge.

use crate::cli::context::Context;
use crate::cli::operations::begin::new_run;
use crate::cli::operations::estate::{Estate, lab_name, lease};
use crate::cli::operations::own_lab::lab_for;
use crate::cli::operations::site::Site;
use crate::cli::operations::texts::{self, Recheck, inventory_text, prepare, say_what_differs, template};
use crate::doctor::{self, DoctorScope, UselessSecret, Weight};
use crate::error::{Error, Kind, Result};
use crate::lab::{self, Lab};
use crate::model::site::inventory::Inventory;
use crate::model::span::Span;
use crate::model::text::typed;
use crate::platform::desk;
use crate::report::layout::time_of_day;
use crate::script::analysis::uses::Uses;
use crate::session::{self, Texts};
use crate::world::system::SystemWorld;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

/// Where a lab lives that is begun to be looked at, below the state folder.
const OWN: &str = "doctor";

/// Look at a site before the first change: read what a runbook can use, twice, and say what will not work
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Only what this runbook can use: a name from `baton list`, or the path of a .rhai file
    runbook: Option<String>,
    /// The site: its inventory, a TOML file
    #[arg(short, long, value_name = "FILE", conflicts_with = "lab")]
    inventory: Option<PathBuf>,
    /// A rehearsal site instead of a real one, and how it behaves
    #[arg(long, value_name = "LAB[:SCENARIO]")]
    lab: Option<String>,
    /// How long one reading may take
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = limit)]
    limit: Span,
}

impl DoctorArgs {
    /// The runbook and the inventory as they were given.
    pub(in crate::cli) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbook.iter().cloned().collect(), self.inventory.clone())
    }
}

fn limit(text: &str) -> std::result::Result<Span, String> {
    let span = Span::parse(text)?;
    if span.0 == 0 { Err("a reading takes some time".to_owned()) } else { Ok(span) }
}

pub(in crate::cli) fn run(args: &DoctorArgs, context: &Context) -> Result<u8> {
    let site = Site::here();
    match (&args.inventory, &args.lab) {
        (Some(file), _) => {
            let (file, text) = inventory_text(file)?;
            let (inventory, uses) = read(args, (&file, &text), &site)?;
            say_what_differs(&site, context);
            look(args, inventory, uses, &Estate::Site, context)
        }
        (None, Some(lab)) => in_lab(args, &lab::LabChoice::parse(lab), &site, context),
        (None, None) => Err(nowhere(args.runbook.as_deref(), &site)?),
    }
}

fn nowhere(runbook: Option<&str>, site: &Site) -> Result<Box<Error>> {
    let lab = lab_for(runbook, site)?;
    let named = runbook.map(|given| format!(" {}", typed(given))).unwrap_or_default();
    let error = Error::new(Kind::Usage, "where shall it look?");
    let error =
        lab.map(|lab| format!("at a lab: baton doctor{named} --lab {lab}")).into_iter().fold(error, Error::hint);
    Ok(error.hint(format!("at a site: baton doctor{named} -i INVENTORY")))
}

/// What a runbook can use of a site, and the texts it would be run from.
type OfRunbook = (Uses, Texts);

/// The site, and what of it the runbook can use if there is one.
fn read(args: &DoctorArgs, inventory: (&str, &str), site: &Site) -> Result<(Rc<Inventory>, Option<OfRunbook>)> {
    let Some(given) = &args.runbook else {
        return Ok((Rc::new(texts::inventory(inventory, site)?), None));
    };
    let check = format!("baton check {given}");
    // Whoever has named the site gets it named again.
    let beside_site = if args.lab.is_some() { again(args) } else { check.clone() };
    let prepared = prepare(&site.runbook(given)?, inventory, site, &Recheck { alone: check, beside_site })?;
    let uses = Uses::of(&prepared.program);
    Ok((prepared.inventory, Some((uses, prepared.texts))))
}

/// A lab that lives is looked at as it is. Else one is begun in a folder of its own, so that what a rehearsal has left
/// is still there, and it is gone afterwards.
fn in_lab(args: &DoctorArgs, wanted: &lab::LabChoice, site: &Site, context: &Context) -> Result<u8> {
    template(&wanted.lab, site)?;
    let there = Lab::any(&wanted.lab, &context.state)?.filter(Lab::answers);
    let state = if there.is_some() { context.state.clone() } else { context.state.join(OWN) };
    let mut text_of = |shelf, name: &str| site.text(shelf, name);
    let plan = Lab::plan(wanted, None, &state, &mut text_of)?;
    let (inventory, uses) = read(args, (&plan.inventory_file(), plan.inventory()), site)?;
    drop(plan.check(&inventory)?);
    let _of_lab = lease(context, &lab_name(plan.name()), "-")?;
    say_what_differs(site, context);
    let Some(there) = there else {
        let lab = plan.open(&inventory)?;
        let looked = look(args, inventory, uses, &Estate::Lab(lab.clone()), context);
        lab.stop()?;
        desk::remove_folder(&state)?;
        return looked;
    };
    if wanted.scenario.as_ref().is_some_and(|scenario| scenario != there.scenario()) {
        let message = format!("the lab `{}` runs as `{}`", there.name(), there.scenario());
        return Err(Error::new(Kind::Refused, message).hint("end it: baton lab stop"));
    }
    look(args, inventory, uses, &Estate::Lab(there), context)
}

fn look(
    args: &DoctorArgs,
    site: Rc<Inventory>,
    uses: Option<OfRunbook>,
    estate: &Estate,
    context: &Context,
) -> Result<u8> {
    let rehearsed = matches!(estate, Estate::Lab(_));
    let world = estate.world(&hasty(&site, args.limit, rehearsed), context)?;
    let jobs = if rehearsed { BTreeMap::new() } else { local_jobs(&site, context)? };
    let (uses, texts) = uses.unzip();
    let secrets = of_secrets(&world, &site, texts.as_ref());
    // A look makes no journal.
    let has_runs = context.state.join("journal.db").exists();
    let runs = if has_runs { Some(context.store()?) } else { None };
    let leases = context.leases.display().to_string();
    let wanted = DoctorScope { site, uses, limit: args.limit, jobs, leases, runs, rehearsed, secrets };
    let chart = doctor::examine(&wanted, &new_run()?, Box::new(world), context.who())?;
    let time = time_of_day(chart.at, &context.screen.zone);
    let page = doctor::page(&chart, &context.screen.out_style, time.get(..5).unwrap_or(&time), &again(args));
    context.screen.out.say(&page);
    Ok(if chart.count(Weight::Wrong) > 0 { Kind::Failed.exit_code() } else { 0 })
}

/// What is wrong with the site's secrets. They are had anyway: they are hidden in what hosts say.
fn of_secrets(world: &SystemWorld, site: &Inventory, texts: Option<&Texts>) -> Vec<UselessSecret> {
    let not_had = world.secrets_not_had().into_iter();
    let mut found: Vec<_> = not_had.map(|(name, why)| UselessSecret { name: Some(name), why, next: None }).collect();
    let refused = texts.and_then(|texts| world.refused_secret(&session::said(texts), session::log_of(site)));
    found.extend(refused.map(|error| {
        let next = error.hints.into_iter().next();
        UselessSecret { name: None, why: error.message, next }
    }));
    found
}

/// The same site for a world that is only asked what takes no longer than a reading. It keeps no jobs: whose their
/// folders are is a finding, and no reason not to look at the rest.
fn hasty(site: &Inventory, limit: Span, rehearsed: bool) -> Inventory {
    let mut site = site.clone();
    site.ssh.connect_limit = site.ssh.connect_limit.min(limit);
    site.ssh.reconnect = site.ssh.reconnect.min(limit);
    site.ssh.look_limit = site.ssh.look_limit.min(limit);
    if !rehearsed {
        site.hosts.values_mut().filter(|host| host.address == "local").for_each(|host| host.jobs = None);
    }
    site
}

/// Where the jobs of hosts are kept that are this machine.
fn local_jobs(site: &Inventory, context: &Context) -> Result<BTreeMap<String, String>> {
    let own = desk::absolute(&context.state)?.join("jobs");
    let local = site.hosts.values().filter(|host| host.address == "local");
    let place = |host: &crate::model::site::inventory::Host| {
        host.jobs.clone().unwrap_or_else(|| own.join(&host.name).display().to_string())
    };
    Ok(local.map(|host| (host.name.clone(), place(host))).collect())
}

/// The command that looks once more.
fn again(args: &DoctorArgs) -> String {
    let runbook = args.runbook.as_ref().map(|given| format!(" {}", typed(given))).unwrap_or_default();
    let place = match (&args.inventory, &args.lab) {
        (Some(file), _) => format!(" -i {}", typed(&file.display().to_string())),
        (None, Some(lab)) => format!(" --lab {}", typed(lab)),
        (None, None) => String::new(),
    };
    format!("baton doctor{runbook}{place}")
}
