//! Putting a new run together: where it acts, its texts, its parameters, its answers, and what keeps others away from
//! it. One sequence for whoever begins a run; nothing on a host is touched here.

use super::acquire::AcquiredRun;
use super::estate::{Estate, lab_name, lab_of, lease, site_name};
use super::previous_run::PreviousRun;
use super::site::Site;
use super::texts::{Recheck, given_params, inventory_text, prepare, say_what_differs, template};
use super::typed::disagrees;
use super::{answers, holders};
use crate::cli::context::Context;
use crate::cli::screen::Screen;
use crate::error::{Error, Result};
use crate::journal::Store;
use crate::journal::history::History;
use crate::lab::{Lab, LabChoice, LabPlan};
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::Fact;
use crate::model::text::{shown, typed};
use crate::model::value::Fields;
use crate::platform::desk;
use crate::script::analysis::commands::{ScriptCommand, commands};
use crate::session::Prepared;
use crate::sim::ModelHost;
use crate::world::clock::Clock;
use crate::world::operator::terminal::Terminal;
use std::path::Path;

/// What a session without a runbook has in the place of its name.
const NO_RUNBOOK: &str = "repl";

/// A run that is to be begun, as it was asked for.
pub(in crate::cli) struct NewRun<'a> {
    /// Its runbook as it was given; none where lines are typed by hand.
    pub(in crate::cli) runbook: Option<&'a str>,
    /// Its parameters as they were given, `name=value`.
    pub(in crate::cli) params: &'a [String],
    /// Where it acts.
    pub(in crate::cli) place: NewPlace<'a>,
    /// The file with the answers to its gates.
    pub(in crate::cli) answers: Option<&'a Path>,
}

/// Where a new run acts.
pub(in crate::cli) enum NewPlace<'a> {
    /// On the hosts of this inventory, perhaps after a run there.
    Site(&'a Path, Option<PreviousRun>),
    /// In a lab that is begun for it.
    Lab {
        /// Which one.
        choice: LabChoice,
        /// How many seconds pass there in a real one.
        speed: Option<u32>,
        /// Whether nobody there answers questions.
        unattended: bool,
    },
    /// In the lab of the run that it follows, as that run left it.
    LabOf {
        /// That run.
        previous: PreviousRun,
        /// Whether nobody there answers questions.
        unattended: bool,
    },
}

/// A run that can be begun. Nobody else works on it, nor where it acts.
pub(in crate::cli) struct Begun<T> {
    /// What it is, and the locks on it.
    pub(in crate::cli) taken: AcquiredRun,
    /// Its parameters, complete.
    pub(in crate::cli) params: Fields,
    /// What `judge` made of it.
    pub(in crate::cli) judged: T,
    /// Who takes over the lab of the run before it.
    pub(in crate::cli) heir: Option<Heir>,
}

/// Puts a run together. `judge` sees what it is made of before a parameter is looked at, with the model of the lab if
/// it is a rehearsal.
///
/// # Errors
/// `Usage`, `Script` and `Inventory` for what is wrong with what was given: nothing was touched then. `Refused` when
/// others work there, `Suspended` when a lab is not to be begun anew.
pub(in crate::cli) fn begin<T>(
    new: NewRun<'_>,
    judge: impl FnOnce(&Prepared, Option<&ModelHost>) -> Result<T>,
    context: &Context,
) -> Result<Begun<T>> {
    let site = Site::here();
    let place = PlaceSought::of(new.place, new.runbook.unwrap_or(NO_RUNBOOK), &site, context)?;
    let prepared = place.prepare(new.runbook, &site)?;
    let model = place.plan().map(|plan| plan.check(&prepared.inventory)).transpose()?;
    let judged = judge(&prepared, model.as_ref())?;
    let params = place.params(&prepared, &given_params(new.params, new.runbook.unwrap_or(NO_RUNBOOK))?)?;
    let answers = answers::read(new.answers, &prepared, context)?;
    // A journal that cannot be opened must show before anybody is kept away from the site.
    let (run, store) = (new_run()?, context.store()?);
    let of_place = lease(context, &place.lock_name(&prepared), &run)?;
    say_what_differs(&site, context);
    if new.runbook.is_some() && place.is_site() {
        holders::tell(&prepared, place.previous().map(|previous| previous.run.as_str()), &*store, context);
    }
    let inherits = matches!(place, PlaceSought::LabOf { .. });
    let estate = place.open(&run, &prepared, &*store, context)?;
    // Should it be damaged under the run, whoever looks afterwards is to see it as it is on disk.
    drop(store);
    let locks = (lease(context, &run, &run)?, of_place);
    let heir = match &estate {
        Estate::Lab(lab) if inherits => {
            Some(Heir { lab: lab.clone(), run: run.clone(), screen: context.screen.clone() })
        }
        Estate::Lab(_) | Estate::Site => None,
    };
    let taken = AcquiredRun::new(run, prepared, estate, locks).answered(answers);
    Ok(Begun { taken, params, judged, heir })
}

/// A place that was looked up, and not yet entered.
enum PlaceSought {
    Site { file: String, text: String, previous: Option<PreviousRun> },
    Lab(LabPlan),
    LabOf { name: String, previous: PreviousRun, unattended: bool },
}

impl PlaceSought {
    fn of(place: NewPlace<'_>, runbook: &str, site: &Site, context: &Context) -> Result<Self> {
        Ok(match place {
            NewPlace::Site(inventory, previous) => {
                let (file, text) = inventory_text(inventory)?;
                Self::Site { file, text, previous }
            }
            NewPlace::Lab { choice, speed, unattended } => {
                template(&choice.lab, site)?;
                let mut text_of = |shelf, name: &str| site.text(shelf, name);
                Self::Lab(Lab::plan(&choice, speed, &context.state, &mut text_of)?.unattended(unattended))
            }
            NewPlace::LabOf { previous, unattended } => {
                Self::LabOf { name: previous.lab(runbook)?.to_owned(), previous, unattended }
            }
        })
    }

    /// What the run is made of there.
    fn prepare(&self, runbook: Option<&str>, site: &Site) -> Result<Prepared> {
        let (file, text) = self.inventory()?;
        let Some(given) = runbook else {
            // `check` would look at runbooks, which are of no concern here.
            let again = format!("baton repl -i {file}");
            let again = Recheck::both(again);
            return prepare(&(NO_RUNBOOK.to_owned(), String::new()), (&file, &text), site, &again);
        };
        let check = format!("baton check {given}");
        let again = match self {
            Self::Site { .. } => Recheck::both(format!("{check} -i {file}")),
            Self::Lab(plan) => {
                Recheck { alone: check, beside_site: format!("baton doctor {given} --lab {}", typed(plan.name())) }
            }
            Self::LabOf { previous, .. } => {
                Recheck { alone: check, beside_site: format!("baton run {given} --from-run {}", previous.run) }
            }
        };
        prepare(&site.runbook(given)?, (&file, &text), site, &again)
    }

    /// The name and the text of the inventory.
    fn inventory(&self) -> Result<(String, String)> {
        Ok(match self {
            Self::Site { file, text, .. } => (file.clone(), text.clone()),
            Self::Lab(plan) => (plan.inventory_file(), plan.inventory().to_owned()),
            Self::LabOf { previous, .. } => {
                let (file, text) = previous.inventory()?;
                (file.to_owned(), text.to_owned())
            }
        })
    }

    fn plan(&self) -> Option<&LabPlan> {
        match self {
            Self::Lab(plan) => Some(plan),
            Self::Site { .. } | Self::LabOf { .. } => None,
        }
    }

    fn previous(&self) -> Option<&PreviousRun> {
        match self {
            Self::Site { previous, .. } => previous.as_ref(),
            Self::LabOf { previous, .. } => Some(previous),
            Self::Lab(_) => None,
        }
    }

    fn is_site(&self) -> bool {
        matches!(self, Self::Site { .. })
    }

    /// The parameters: what the lab implies, what was given, what the run before it leaves to it.
    fn params(&self, prepared: &Prepared, given: &Fields) -> Result<Fields> {
        let declared: Vec<&str> = prepared.program.params().iter().map(|param| param.name.as_str()).collect();
        let mut params = self.plan().map(|plan| plan.implied_params(&declared)).unwrap_or_default();
        params.extend(given.clone());
        let mut params = prepared.program.resolve_params(&params)?;
        if let Some(previous) = self.previous() {
            if let Self::Site { file, .. } = self {
                previous.must_be_of(&prepared.inventory, file)?;
            }
            previous.add_to(&mut params);
        }
        Ok(params)
    }

    /// The name under which nobody else works there.
    fn lock_name(&self, prepared: &Prepared) -> String {
        match self {
            Self::Site { .. } => site_name(&prepared.inventory),
            Self::Lab(plan) => lab_name(plan.name()),
            Self::LabOf { name, .. } => lab_name(name),
        }
    }

    /// Enters it for this run. Its name must be locked.
    fn open(self, run: &str, prepared: &Prepared, store: &dyn Store, context: &Context) -> Result<Estate> {
        let lab = match self {
            Self::Site { .. } => return Ok(Estate::Site),
            Self::Lab(plan) => {
                tell_of_orphan(plan.former_run(), store, context)?;
                plan.open(&prepared.inventory)?
            }
            // It stays that of the run before until this one is on record.
            Self::LabOf { name, previous, unattended } => {
                let lab = Lab::find(&name, &context.state, &previous.run)?.unattended(unattended);
                return Ok(Estate::Lab(lab));
            }
        };
        lab.belongs_to(run)?;
        Ok(Estate::Lab(lab))
    }
}

/// Who takes over the lab of the run that a new one follows: as soon as that one is on record, and not before, so that
/// a lab is never that of a run which nobody knows.
pub(in crate::cli) struct Heir {
    lab: Lab,
    run: String,
    /// Where it is told that the lab could not be taken over.
    screen: Screen,
}

impl Sink for Heir {
    fn event(&mut self, event: &Event) {
        if let Event::Recorded { record, replayed: false, .. } = event
            && matches!(record.fact, Fact::Begun { .. })
            && let Err(error) = self.lab.belongs_to(&self.run)
        {
            self.screen.complain(&error);
        }
    }
}

/// How it is asked whether a lab in which a run stands is to begin anew.
const ANEW: &str = "type `yes` to have the lab begin anew, anything else to leave it\n> ";

/// A run that is not over and whose lab is replaced cannot be resumed any more: on a terminal a person says whether
/// that is meant. A rehearsal in a pipe is begun anew by whoever repeats it, and is told.
///
/// # Errors
/// `Suspended` when the person does not want it, `Interrupted` when they press Ctrl-C.
fn tell_of_orphan(former: Option<&str>, store: &dyn Store, context: &Context) -> Result<()> {
    let Some(run) = former else { return Ok(()) };
    let known = store.runs()?.iter().any(|one| one == run);
    // A run that cannot be read, of an older baton or damaged, is in nobody's way: it is told, and left as it is.
    let history = match known.then(|| History::read(store, run)).transpose() {
        Ok(history) => history,
        Err(error) => {
            let told = format!("the lab begins anew; run {run} stood there and cannot be read: {}", error.message);
            context.screen.remark(&told);
            None
        }
    };
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
        context.screen.remark(&format!("clear it away: baton abort {run} --reason \"its lab was begun anew\""));
    }
    Ok(())
}

pub(in crate::cli) fn new_run() -> Result<String> {
    desk::new_run_id(Clock::real().now().wall)
}

/// What a runbook calls by its name and no lab of this model will start, before anything has begun.
pub(in crate::cli) fn say_what_is_refused(model: &ModelHost, prepared: &Prepared, context: &Context) {
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
