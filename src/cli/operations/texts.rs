//! The texts a run is made of, read from the library and from where they are named, compiled, and refused here if they
//! can be seen to be wrong. It must not run anything.

use super::site::Site;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::lab::template::Template;
use crate::library::Shelf;
use crate::model::site::inventory::Inventory;
use crate::model::text::did_you_mean;
use crate::model::value::{Fields, Value};
use crate::platform::desk;
use crate::script::analysis::lint::{self, Severity};
use crate::session::{self, Prepared};
use std::path::Path;

/// The commands that show again what is wrong with the texts of a run, once somebody has mended them.
pub(in crate::cli) struct Recheck {
    /// Looks at the runbook alone.
    pub(in crate::cli) alone: String,
    /// Looks at it beside the site that it was meant for.
    pub(in crate::cli) beside_site: String,
}

impl Recheck {
    /// One command that does both.
    pub(in crate::cli) fn both(command: String) -> Self {
        Self { alone: command.clone(), beside_site: command }
    }
}

/// Everything a run is made of, compiled. What can be seen to be wrong without running it is refused here: in the midst
/// of a run it would leave a pair half changed. `check` is named so that what is said is seen again.
pub(in crate::cli) fn prepare(
    (name, text): &(String, String),
    inventory: (&str, &str),
    site: &Site,
    check: &Recheck,
) -> Result<Prepared> {
    let mut read_module = |module: &str| site.lookup(Shelf::Modules, module);
    let mut read_profile = |product: &str| site.lookup(Shelf::Products, product);
    let texts = site.check(session::gather(name, text, inventory, &mut read_module, &mut read_profile));
    let prepared = texts.and_then(session::prepare).map_err(|error| {
        if error.kind == Kind::Inventory { error.hint(format!("fix it, then: {}", check.beside_site)) } else { error }
    })?;
    let findings = lint::lint(&prepared.program, Some(&prepared.inventory));
    let mut errors = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    match errors.next() {
        Some(first) => {
            let alone = lint::lint(&prepared.program, None).contains(&first);
            Err(refused(first.error, errors.count(), if alone { &check.alone } else { &check.beside_site }))
        }
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

/// The name and the text of an inventory.
pub(in crate::cli) fn inventory_text(inventory: &Path) -> Result<(String, String)> {
    let text = desk::read_text(inventory)?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no inventory `{}`", inventory.display()))
            .hint("name the file that lists your hosts and services: -i FILE")
    })?;
    Ok((inventory.display().to_string(), text))
}

pub(in crate::cli) fn say_what_differs(site: &Site, context: &Context) {
    for path in site.differing() {
        context.screen.remark(&format!("using this folder's own {path}, which differs from the shipped one"));
    }
}

/// `name=value` words as a map of texts.
pub(in crate::cli) fn given_params(words: &[String], runbook: &str) -> Result<Fields> {
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

/// The description of a lab.
pub(in crate::cli) fn template(name: &str, site: &Site) -> Result<Template> {
    let Some(text) = site.text(Shelf::Labs, name)? else {
        let mut error = Error::new(Kind::Usage, format!("there is no lab `{name}`"));
        if let Some(near) = did_you_mean(name, site.names(Shelf::Labs).iter().map(String::as_str)) {
            error = error.hint(near);
        }
        return Err(error.hint("see which there are: baton lab"));
    };
    Template::parse(name, &text)
}

/// The site that an inventory of this name and text describes.
pub(in crate::cli) fn inventory((file, text): (&str, &str), site: &Site) -> Result<Inventory> {
    let mut profile = |product: &str| site.lookup(Shelf::Products, product);
    site.check(Inventory::parse(text, file, &mut profile))
}
