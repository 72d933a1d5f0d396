//! The lab in which a runbook can be rehearsed, for whoever has not said where it shall act. It begins none.

use super::site::Site;
use super::texts;
use crate::error::Result;
use crate::library::Shelf;
use crate::script::analysis::lint::{self, Severity};
use crate::script::compile::program::Program;
use crate::script::compile::sources::Sources;
use std::rc::Rc;

/// The lab that is named where none is known to fit.
pub(in crate::cli) const USUAL_LAB: &str = "genesys";

/// The lab of a runbook as it was given, if there is one that fits it; the usual one without a runbook. What is wrong
/// with its text is told when it is to be run.
///
/// # Errors
/// `Usage` when there is no such runbook.
pub(in crate::cli) fn lab_for(given: Option<&str>, site: &Site) -> Result<Option<String>> {
    let Some(given) = given else { return Ok(Some(USUAL_LAB.to_owned())) };
    let (name, text) = site.runbook(given)?;
    Ok(program(&name, &text, site).ok().and_then(|program| own_lab(&name, &program, site)))
}

/// The program of a runbook, to be looked at.
pub(in crate::cli) fn program(name: &str, text: &str, site: &Site) -> Result<Rc<Program>> {
    let mut read_module = |module: &str| site.lookup(Shelf::Modules, module);
    crate::script::program(&site.check(Sources::collect(name, text, &mut read_module))?)
}

/// The lab in which a runbook can be rehearsed: it is called like the shelf that it, or a module of it, lies on. Of the
/// usual one it is looked whether it has the hosts and services that the runbook names.
pub(in crate::cli) fn own_lab(name: &str, program: &Rc<Program>, site: &Site) -> Option<String> {
    let shelves: Vec<&str> =
        [name].into_iter().chain(program.module_names()).filter_map(|name| Some(name.split_once('/')?.0)).collect();
    let lab = site.names(Shelf::Labs).into_iter().find(|lab| shelves.contains(&lab.as_str()));
    lab.or_else(|| fits_usual_lab(program, site).then(|| USUAL_LAB.to_owned()))
}

fn fits_usual_lab(program: &Rc<Program>, site: &Site) -> bool {
    let Ok(template) = texts::template(USUAL_LAB, site) else { return false };
    let text = template.inventory("/lab");
    let Ok(inventory) = texts::inventory((USUAL_LAB, &text), site) else { return false };
    let findings = lint::lint(program, Some(&Rc::new(inventory)));
    findings.iter().all(|finding| finding.severity != Severity::Error)
}
