//! The scenes in which a runbook is explored: every scenario of its lab, or a site of one's own, with the models of its
//! products. It gathers texts and plays nothing.

use super::own_lab::{own_lab, program};
use super::site::Site;
use super::texts::{self, Recheck};
use crate::error::{Error, Kind, Result};
use crate::lab::template::Template;
use crate::library::{self, Shelf};
use crate::model::run::estate::{EstateId, LabChoice};
use crate::model::site::inventory::Inventory;
use crate::model::text::{shown, typed};
use crate::model::value::{Fields, Value};
use crate::session::Prepared;
use crate::verify::scene::SceneTexts;
use crate::verify::schedule::Schedule;
use std::collections::BTreeMap;
use std::path::Path;

/// The folder that the paths of a lab's site begin with: nothing lies there.
const FOLDER: &str = "/lab";

/// How a comment begins that keeps a counterexample: it is walked first each time.
const REGRESSION: &str = "// verify:";

/// The model of products of which nothing is known.
const UNKNOWN: &str = "unknown";

/// Where a runbook is to be explored.
pub(in crate::cli) struct Wanted<'a> {
    /// The runbook as it was given.
    pub(in crate::cli) runbook: &'a str,
    /// A site of one's own.
    pub(in crate::cli) inventory: Option<&'a Path>,
    /// A lab, and a scenario of it.
    pub(in crate::cli) lab: Option<&'a str>,
    /// Parameters as they were given.
    pub(in crate::cli) params: &'a Fields,
}

/// What is explored of one runbook.
pub(in crate::cli) struct Scenes {
    /// Its name.
    pub(in crate::cli) name: String,
    /// Made ready once, to be looked at.
    pub(in crate::cli) prepared: Prepared,
    /// The scenes.
    pub(in crate::cli) scenes: Vec<SceneTexts>,
    /// The scenarios that are none for it, each with the reason.
    pub(in crate::cli) left_out: Vec<(String, String)>,
    /// The services of the site that no model plays.
    pub(in crate::cli) unknown: Vec<String>,
}

/// Gathers them.
///
/// # Errors
/// `Usage` when there is no such runbook, lab or scenario, or none that it could be explored in; what is wrong with a
/// text.
pub(in crate::cli) fn gather(wanted: &Wanted<'_>, site: &Site) -> Result<Scenes> {
    let named = site.runbook(wanted.runbook)?;
    match wanted.inventory {
        Some(path) => on_site(&named, path, wanted, site),
        None => in_lab(&named, wanted, site),
    }
}

fn on_site(named: &(String, String), path: &Path, wanted: &Wanted<'_>, site: &Site) -> Result<Scenes> {
    let inventory = texts::inventory_text(path)?;
    let check = Recheck::both(format!("baton check {} -i {}", typed(&named.0), typed(&inventory.0)));
    let prepared = texts::prepare(named, (&inventory.0, &inventory.1), site, &check)?;
    let (models, unknown) = models(&prepared.inventory, site);
    let params = wanted.params.clone();
    prepared.program.resolve_params(&params)?;
    let texts = prepared.texts.clone();
    let known = regressions(&named.1)?;
    let regressions = of_scenario(&known, "");
    let scenes =
        vec![SceneTexts { texts, models, scenario: String::new(), params, estate: EstateId::Site, regressions }];
    Ok(Scenes { name: named.0.clone(), prepared, scenes, left_out: Vec::new(), unknown })
}

fn in_lab(named: &(String, String), wanted: &Wanted<'_>, site: &Site) -> Result<Scenes> {
    let (name, text) = named;
    let choice = match wanted.lab {
        Some(lab) => LabChoice::parse(lab),
        None => {
            let lab = own_lab(name, &program(name, text, site)?, site).ok_or_else(|| nowhere(name))?;
            LabChoice { lab, scenario: None }
        }
    };
    let template = texts::template(&choice.lab, site)?;
    let only = choice.scenario.as_ref().map(|_| template.scenario(&choice)).transpose()?;
    let file = Shelf::Labs.path(&choice.lab);
    let check = Recheck::both(format!("baton check {}", typed(name)));
    let prepared = texts::prepare(named, (&file, &template.inventory(FOLDER)), site, &check)?;
    let (models, unknown) = models(&prepared.inventory, site);
    let known = regressions(text)?;
    let (mut scenes, mut left_out) = (Vec::new(), Vec::new());
    for (scenario, _) in template.in_order().filter(|(name, _)| only.as_ref().is_none_or(|only| only == *name)) {
        let params = params_of(&template, scenario, &prepared, wanted.params);
        match prepared.program.resolve_params(&params) {
            Ok(_) => scenes.push(SceneTexts {
                texts: prepared.texts.clone(),
                models: models.clone(),
                scenario: scenario.clone(),
                params,
                estate: EstateId::Lab { lab: choice.lab.clone(), scenario: scenario.clone() },
                regressions: of_scenario(&known, scenario),
            }),
            Err(error) if only.is_some() => return Err(error),
            Err(error) => left_out.push((scenario.clone(), error.message)),
        }
    }
    if scenes.is_empty() {
        let (_, why) = left_out.first().cloned().unwrap_or_default();
        return Err(Error::new(Kind::Usage, format!("no scenario of the lab `{}` fits `{name}`: {why}", choice.lab))
            .hint(format!("see its parameters: baton run {} --help", typed(name))));
    }
    Ok(Scenes { name: name.clone(), prepared, scenes, left_out, unknown })
}

/// The counterexamples that are written into a runbook, each a comment of its own, with their scenarios.
fn regressions(text: &str) -> Result<Vec<(String, Schedule)>> {
    let lines =
        (1..).zip(text.lines()).filter_map(|(number, line)| Some((number, line.trim().strip_prefix(REGRESSION)?)));
    let read = |(number, line): (u32, &str)| {
        let of_line = |mut error: Box<Error>| {
            error.causes.push(format!("in line {number} of the runbook: {}", line.trim()));
            error
        };
        let (scenario, schedule) = Schedule::of_line(line.trim()).map_err(of_line)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !scenario.chars().all(plain) || line.trim().is_empty() {
            let error = Error::new(Kind::Usage, format!("`{}` names no scenario", shown(line.trim())));
            return Err(of_line(error.hint("a line begins with a scenario of a lab, or with `site`")));
        }
        Ok((scenario.to_owned(), schedule))
    };
    lines.map(read).collect()
}

fn of_scenario(known: &[(String, Schedule)], scenario: &str) -> Vec<Schedule> {
    known.iter().filter(|(name, _)| name == scenario).map(|(_, schedule)| schedule.clone()).collect()
}

fn nowhere(name: &str) -> Box<Error> {
    Error::new(Kind::Usage, format!("no lab fits `{name}`: where shall it be explored?"))
        .hint(format!("name a lab: baton verify {} --lab LAB", typed(name)))
        .hint(format!("or a site, of whose products there are models: baton verify {} -i INVENTORY", typed(name)))
}

/// What the scenario implies, as far as the runbook declares it, and what was given, which wins.
fn params_of(template: &Template, scenario: &str, prepared: &Prepared, given: &Fields) -> Fields {
    let implied = template.params.get(scenario).cloned().unwrap_or_default();
    let declared = |name: &String| prepared.program.params().iter().any(|param| param.name == *name);
    let mut params: Fields =
        implied.into_iter().filter(|(name, _)| declared(name)).map(|(name, v)| (name, Value::from(v))).collect();
    params.extend(given.clone());
    params
}

/// The models of a site's products by name, and the services that none plays.
fn models(inventory: &Inventory, site: &Site) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut models, mut unknown) = (BTreeMap::new(), Vec::new());
    for (name, service) in &inventory.services {
        let model = &service.profile.model;
        match site.lookup(Shelf::Models, model) {
            Some(text) => drop(models.insert(model.clone(), text)),
            None => {
                let text = library::model(UNKNOWN).unwrap_or_default();
                models.insert(model.clone(), text.to_owned());
                unknown.push(name.clone());
            }
        }
    }
    (models, unknown)
}
