//! Beginning a lab, and finding the one a run belongs to. A lab is begun anew for a run and lives on when its
//! runner dies. Only a run that follows it (`--from-run`) goes on in it.

use crate::engine::standard_package;
use crate::error::{Error, Kind, Result};
use crate::lab::animator::log_folders;
use crate::lab::calls::Calls;
use crate::lab::place::{Card, LabPaths};
use crate::lab::template::Template;
use crate::library::Shelf;
use crate::model::run::estate::LabChoice;
use crate::model::site::document::{Document, span_of};
use crate::model::site::inventory::Inventory;
use crate::model::value::{Fields, Value};
use crate::platform::beneath::beneath;
use crate::platform::lab_link::{self, LabRequest};
use crate::platform::{desk, processes};
use crate::sim::{MemoryFiles, ModelHost, ModelProgram};
use crate::world::clock::Clock;
use crate::world::operator::person::Person;
use crate::world::rehearsal::pace::Pace;
use crate::world::rehearsal::side::LabSide;
use crate::world::rehearsal::time::LabTime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a lab may take to stop, or to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives the text of this name on a shelf.
pub type TextOf<'a> = &'a mut dyn FnMut(Shelf, &str) -> Result<Option<String>>;

/// A lab that could be begun: everything read, nothing touched.
pub struct LabPlan {
    card: Card,
    place: LabPaths,
    inventory: String,
    model: String,
    profiles: BTreeMap<String, String>,
    implied: BTreeMap<String, String>,
    former: Option<Card>,
}

/// A lab that is there.
#[derive(Debug, Clone)]
pub struct Lab {
    card: Card,
    place: LabPaths,
    /// How this process holds its time, once it acts there.
    pace: Arc<Mutex<Option<Arc<Pace>>>>,
}

impl Lab {
    /// Reads what is needed to begin a lab.
    ///
    /// # Errors
    /// `Usage` when there is no such lab or scenario.
    pub fn plan(wanted: &LabChoice, speed: Option<u32>, state: &Path, text_of: TextOf<'_>) -> Result<LabPlan> {
        let Some(text) = text_of(Shelf::Labs, &wanted.lab)? else {
            return Err(Error::new(Kind::Usage, format!("there is no lab `{}`", wanted.lab))
                .hint("see which there are: baton list"));
        };
        let template = Template::parse(&wanted.lab, &text)?;
        let scenario = template.scenario(wanted)?;
        let place = LabPaths::of(&desk::absolute(state)?, &wanted.lab);
        place.must_be_ours(&wanted.lab)?;
        let model = text_of(Shelf::Models, &template.model)?.ok_or_else(|| {
            Error::new(Kind::Inventory, format!("the lab `{}` has no model `{}`", wanted.lab, template.model))
        })?;
        let inventory = template.inventory(&place.folder().display().to_string());
        let mut profiles = BTreeMap::new();
        for product in products(&inventory) {
            if let Some(text) = text_of(Shelf::Products, &product)? {
                profiles.insert(product, text);
            }
        }
        let card = Card {
            lab: wanted.lab.clone(),
            model: template.model.clone(),
            speed: speed.unwrap_or(template.speed),
            origin: Clock::real().now().wall,
            pid: 0,
            run: String::new(),
            unattended: false,
            scenario,
        };
        let implied = template.params.get(&card.scenario).cloned().unwrap_or_default();
        let former = place.card()?;
        Ok(LabPlan { card, place, inventory, model, profiles, implied, former })
    }

    fn new(card: Card, place: LabPaths) -> Self {
        Self { card, place, pace: Arc::default() }
    }

    /// The lab of a run.
    ///
    /// # Errors
    /// `Refused` when it has ended, was begun anew or went over to another run since.
    pub fn find(name: &str, state: &Path, run: &str) -> Result<Self> {
        if let Some(why) = Self::gone(name, state, run)? {
            return Err(Error::new(Kind::Refused, why)
                .hint(format!("see how far it came: baton show {run}"))
                .hint("rehearse anew: baton list"));
        }
        Self::any(name, state)?.ok_or_else(|| Error::new(Kind::Refused, format!("the lab `{name}` is gone")))
    }

    /// Why the lab of a run is there for it no more; nothing when it is.
    ///
    /// # Errors
    /// When its card cannot be read.
    pub fn gone(name: &str, state: &Path, run: &str) -> Result<Option<String>> {
        Ok(match Self::any(name, state)? {
            None => Some(format!("the lab `{name}` of run {run} is gone")),
            Some(lab) if lab.card.run != run => {
                Some(format!("the lab `{name}` of run {run} is that of run {} now", lab.card.run))
            }
            Some(lab) if !lab.answers() => Some(format!("the lab `{name}` of run {run} has ended")),
            Some(_) => None,
        })
    }

    /// The lab in a folder, whether or not its process lives; none if there is none.
    ///
    /// # Errors
    /// When its card cannot be read.
    pub fn any(name: &str, state: &Path) -> Result<Option<Self>> {
        let place = LabPaths::of(&desk::absolute(state)?, name);
        Ok(place.card()?.map(|card| Self::new(card, place)))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.card.lab
    }

    /// Its scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.card.scenario
    }

    /// How it was begun.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The folder it lives in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// Whether its process lives.
    #[must_use]
    pub fn answers(&self) -> bool {
        lab_link::lab_call(&self.place.socket(), &LabRequest::State, Some(PATIENCE)).is_ok()
    }

    /// The clock that counts in it; of one whose folder is gone, the real one.
    #[must_use]
    pub fn clock(&self) -> Clock {
        LabTime::open(self.folder(), self.card.speed).map_or_else(|_| Clock::real(), Clock::of_lab)
    }

    /// The lab as a world sees it. From now on its time waits for this process.
    ///
    /// # Errors
    /// `Refused` when the lab is gone, `Inventory` when the site is not one that can be rehearsed in it.
    pub fn side(&self, site: &Inventory) -> Result<LabSide> {
        fits(site, self.folder()).map_err(|misfit| Error::new(Kind::Inventory, misfit.message).hint(misfit.hint))?;
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = match &*pace {
            Some(pace) => Arc::clone(pace),
            None => {
                let gone = |error| {
                    Error::new(Kind::Refused, format!("the lab `{}` cannot be entered", self.card.lab)).cause(error)
                };
                let begun = Arc::new(Pace::begin(self.folder()).map_err(gone)?);
                // What has passed by now has; nothing more does before it has seen that somebody is there.
                let _ = self.answers();
                Arc::clone(pace.insert(begun))
            }
        };
        Ok(LabSide::new(self.folder().to_path_buf(), self.place.socket(), desk::program()?, pace))
    }

    /// Who answers questions in it.
    #[must_use]
    pub fn operator(&self) -> Person {
        Person::Lab(self.place.socket())
    }

    /// Ends what is left of a lab whose card cannot be read, and sets the card aside. Gives where that is then; nothing
    /// when the card is sound.
    ///
    /// # Errors
    /// `Refused` when its process does not end, `Failed` when the card cannot be set aside.
    pub fn clear(name: &str, state: &Path) -> Result<Option<PathBuf>> {
        let place = LabPaths::of(&desk::absolute(state)?, name);
        let Err(damage) = place.card() else { return Ok(None) };
        let socket = place.socket();
        if lab_link::lab_call(&socket, &LabRequest::Stop, Some(PATIENCE)).is_ok()
            && !desk::wait_for(PATIENCE, &mut || !socket.exists())
        {
            return Err(Error::new(Kind::Refused, format!("the lab `{name}` does not stop")).cause(damage.message));
        }
        place.set_card_aside().map(Some)
    }

    /// Notes which run it was begun for.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn belongs_to(&self, run: &str) -> Result<()> {
        self.place.write_card(&Card { run: run.to_owned(), ..self.card.clone() })
    }

    /// The same lab, without anybody in it who answers questions from now on if `unattended`.
    #[must_use]
    pub fn unattended(mut self, unattended: bool) -> Self {
        self.card.unattended |= unattended;
        self
    }

    /// Ends its process. Its folder stays, to be looked at.
    ///
    /// # Errors
    /// `Refused` when it does not end.
    pub fn stop(&self) -> Result<()> {
        let socket = self.place.socket();
        if lab_link::lab_call(&socket, &LabRequest::Stop, Some(PATIENCE)).is_err() {
            return Ok(());
        }
        desk::wait_for(PATIENCE, &mut || !socket.exists() || !self.answers()).then_some(()).ok_or_else(|| {
            Error::new(Kind::Refused, format!("the lab `{}` does not stop", self.card.lab))
                .hint(format!("end its process: kill {}", self.card.pid))
        })
    }
}

impl LabPlan {
    /// The same lab, without anybody in it who answers questions if `unattended`.
    #[must_use]
    pub fn unattended(mut self, unattended: bool) -> Self {
        self.card.unattended = unattended;
        self
    }

    /// The lab's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.card.lab
    }

    /// The inventory of its site.
    #[must_use]
    pub fn inventory(&self) -> &str {
        &self.inventory
    }

    /// What the inventory is called in messages.
    #[must_use]
    pub fn inventory_file(&self) -> String {
        Shelf::Labs.path(&self.card.lab)
    }

    /// The run whose lab will be replaced.
    #[must_use]
    pub fn former_run(&self) -> Option<&str> {
        self.former.as_ref().map(|card| card.run.as_str()).filter(|run| !run.is_empty())
    }

    /// Those parameters that the scenario implies and the runbook declares.
    #[must_use]
    pub fn implied_params(&self, declared: &[&str]) -> Fields {
        let known = self.implied.iter().filter(|(name, _)| declared.contains(&name.as_str()));
        known.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    }

    /// Whether a lab of this site can be begun: nothing is touched. The model as it would begin.
    ///
    /// # Errors
    /// `Inventory` when the site is none that can be rehearsed, `Script` when the model is wrong.
    pub fn check(&self, site: &Inventory) -> Result<ModelHost> {
        let file = self.inventory_file();
        let document = Document::new(&file, &self.inventory);
        let table = document.parse()?;
        fits(site, self.place.folder()).map_err(|misfit| {
            let spans = [&misfit.place[..], &misfit.place[..2]].map(|place| span_of(table.get_ref(), place));
            let span = spans.into_iter().flatten().next().unwrap_or_default();
            document.wrong(span, misfit.message).hint(misfit.hint)
        })?;
        let program = ModelProgram::compile(&self.model, &self.card.model_file(), standard_package())?;
        let (scenario, folders) = (&self.card.scenario, Box::new(MemoryFiles::default()));
        ModelHost::new(program, site, scenario, self.card.seed(), self.card.origin, folders)
    }

    /// Begins the lab in an empty folder; one that is there is stopped and removed first.
    ///
    /// # Errors
    /// When its folder cannot be written or its process does not start.
    pub fn open(self, site: &Inventory) -> Result<Lab> {
        let place = &self.place;
        self.clear()?;
        self.furnish(site)?;
        let folder = place.folder().display().to_string();
        let serve = ["lab".into(), "serve".into(), "--dir".into(), folder];
        processes::start_detached(&desk::program()?, &serve, &place.complaints())?;
        let lab = Lab::new(self.card.clone(), place.clone());
        if !desk::wait_for(PATIENCE, &mut || lab.answers()) {
            let why = desk::read_text(&place.complaints())?.unwrap_or_default();
            return Err(
                Error::new(Kind::Precondition, format!("the lab `{}` does not start", lab.name())).cause(why.trim())
            );
        }
        // Its process has written its own id on the card.
        Ok(Lab::new(place.card()?.unwrap_or(lab.card), lab.place))
    }

    /// Stops the lab that is there and removes its folder. One whose runner died while it started writes on for a
    /// moment before it can be told to stop.
    fn clear(&self) -> Result<()> {
        self.place.must_be_ours(self.name())?;
        let mut cleared = Ok(());
        desk::wait_for(PATIENCE, &mut || {
            cleared = self.former.as_ref().map_or(Ok(()), |former| Lab::new(former.clone(), self.place.clone()).stop());
            cleared = cleared.clone().and_then(|()| desk::remove_folder(self.place.folder()));
            cleared.is_ok()
        });
        cleared
    }

    /// Writes everything the lab's process and its hosts need.
    fn furnish(&self, site: &Inventory) -> Result<()> {
        let place = &self.place;
        place.write_card(&self.card)?;
        desk::write_new(&place.inventory(), &self.inventory)?;
        desk::write_new(&place.model(&self.card.model), &self.model)?;
        for (product, text) in &self.profiles {
            desk::write_new(&place.profile(product), text)?;
        }
        let calls = Calls::of(site);
        desk::write_new(&place.calls(), &serde_json::to_string(&calls).unwrap_or_default())?;
        let own = |program: &String| beneath(place.folder(), Path::new(program)).ok();
        for program in calls.programs().iter().filter_map(own) {
            let folder = quoted(&place.folder().display().to_string());
            let baton = quoted(&desk::program()?.display().to_string());
            let script = format!("#!/bin/sh\nexec {baton} lab tool --dir {folder} -- \"$0\" \"$@\"\n");
            desk::write_program(&program, &script)?;
        }
        Ok(())
    }
}

/// What of a site cannot be rehearsed: where it stands in the inventory, what is wrong, and what to write.
struct Unrehearsable<'s> {
    place: [&'s str; 3],
    message: String,
    hint: &'static str,
}

/// A site that can be rehearsed: every host is this machine, and all it keeps lies below the lab's folder.
fn fits<'s>(site: &'s Inventory, lab: &Path) -> std::result::Result<(), Unrehearsable<'s>> {
    for (name, host) in &site.hosts {
        if host.address != "local" {
            let message = format!("host `{name}` is `{}`: no real host is reached in a lab", host.address);
            let hint = "write `address = \"local\"` there: it is only imitated";
            return Err(Unrehearsable { place: ["hosts", name, "address"], message, hint });
        }
        if let Some(Err(why)) = host.jobs.as_ref().map(|jobs| beneath(lab, Path::new(jobs))) {
            let message = format!("`jobs` of host `{name}` is not the lab's: {why}");
            return Err(Unrehearsable {
                place: ["hosts", name, "jobs"],
                message,
                hint: "leave it out, or write `{lab}/…`",
            });
        }
    }
    log_folders(site, lab).map(drop).map_err(|(name, why)| Unrehearsable {
        place: ["services", name, "logs"],
        message: format!("the log of `{name}` is not the lab's: {why}"),
        hint: "write `{lab}/…` there",
    })
}

/// The products that an inventory's services name.
fn products(inventory: &str) -> Vec<String> {
    let table: toml::Table = inventory.parse().unwrap_or_default();
    let services = table.get("services").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    services.filter_map(|service| service.get("product")?.as_str().map(str::to_owned)).collect()
}

/// A word as a POSIX shell reads it back, always in quotes.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
