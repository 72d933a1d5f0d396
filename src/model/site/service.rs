//! One service of an inventory: its product's profile with the site's changes, and its variables expanded.

use super::document::{Document, Section, listed};
use super::host::{Host, account};
use super::profile::{Profile, fill};
use super::template::expand;
use crate::error::{Error, Result};
use crate::model::text::did_you_mean;
use crate::model::value::Fields;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What a section may change of its profile.
const CHANGES: [&str; 3] = ["verbs", "probes", "log"];
/// The keys that mean something for every product. `vars` holds what only the site's own runbooks read.
const COMMON: [&str; 5] = ["host", "product", "vars", "become", "tags"];

/// A managed program on a host.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name in the inventory.
    pub name: String,
    /// The host it runs on.
    pub host: String,
    /// What the profile's `{name}` placeholders stand for, fully expanded. Always has
    /// `name`, `host` and everything the profile requires or gives a default for.
    pub vars: BTreeMap<String, String>,
    /// The product's profile with the site's overrides applied.
    pub profile: Rc<Profile>,
    /// The account that its jobs and probes become, its own or its host's.
    pub account: Option<String>,
    /// Words by which runbooks find what belongs together.
    pub tags: BTreeSet<String>,
}

/// A product as it is shipped: its text, and the profile that services without changes share.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    text: Rc<str>,
    profile: Rc<Profile>,
}

impl Product {
    /// Reads and checks the profile of the product `name`.
    pub(crate) fn parse(text: String, name: &str) -> Result<Self> {
        Ok(Self { profile: Rc::new(Profile::parse(&text, name)?), text: text.into() })
    }
}

/// The service that a section declares, on a host that exists.
pub(crate) fn build(section: &Section<'_, '_>, host: &Host, product: &Product) -> Result<Service> {
    let name = section.name;
    let profile = changed(section, product)?;
    let raw = variables(section, &host.name, &profile)?;
    let vars = expand(&raw).map_err(|unfit| {
        let own = section.table.get(unfit.variable.as_str()).map(Spanned::span);
        let message = format!("variable `{}` of service `{name}`: {}", unfit.variable, unfit.reason);
        section.document.wrong(own.unwrap_or_else(|| section.span.clone()), message)
    })?;
    for (key, template) in profile.log.iter().flat_map(|log| [("dir", &log.dir), ("files", &log.files)]) {
        let fits = fill(template, &vars, &Fields::new());
        fits.map_err(|reason| section.wrong(format!("`log.{key}` of service `{name}`: {reason}")))?;
    }
    let account = account(section)?.or_else(|| host.account.clone());
    Ok(Service { name: name.to_owned(), host: host.name.clone(), vars, profile, account, tags: section.tags()? })
}

/// The product's profile with the section's `verbs`, `probes` and `log` laid over it.
fn changed(section: &Section<'_, '_>, product: &Product) -> Result<Rc<Profile>> {
    let changes: Vec<_> = section.table.iter().filter(|(key, _)| CHANGES.contains(&key.get_ref().as_ref())).collect();
    if changes.is_empty() {
        return Ok(Rc::clone(&product.profile));
    }
    let mut table = Document::new("", &product.text).parse()?.into_inner();
    for (key, value) in changes {
        lay_over(&mut table, key, value);
    }
    // The profile alone was fine, so whatever is wrong now stands in the section.
    let mut profile = Profile::from_table(section.document, Spanned::new(section.span.clone(), table))?;
    profile.written = product.profile.written.clone();
    profile.written.add(section.document, section.table);
    profile.check().map_err(|misfit| misfit.at(section.document, section.table, section.span.clone()))?;
    Ok(Rc::new(profile))
}

/// Tables are merged key by key; everything else is replaced. Places are those of the upper layer.
fn lay_over<'t>(table: &mut DeTable<'t>, key: &Spanned<DeString<'t>>, upper: &Spanned<DeValue<'t>>) {
    let lower = table.remove(key);
    let value = match (lower.map(Spanned::into_inner), upper.get_ref()) {
        (Some(DeValue::Table(mut lower)), DeValue::Table(changes)) => {
            for (key, value) in changes {
                lay_over(&mut lower, key, value);
            }
            Spanned::new(upper.span(), DeValue::Table(lower))
        }
        (_, _) => upper.clone(),
    };
    table.insert(key.clone(), value);
}

/// The variables as they are written: defaults of the profile, then the section's, then `name` and `host`.
fn variables(section: &Section<'_, '_>, host: &str, profile: &Profile) -> Result<BTreeMap<String, String>> {
    let name = section.name;
    let mut vars = profile.defaults.clone();
    for (key, value) in section.table {
        let known: &str = key.get_ref();
        if COMMON.contains(&known) || CHANGES.contains(&known) {
            continue;
        }
        if !profile.requires.contains_key(known) && !profile.defaults.contains_key(known) {
            return Err(undeclared(section, key, profile));
        }
        vars.insert(known.to_owned(), scalar(section, known, value)?);
    }
    if let Some(own) = section.table.get("vars") {
        let Some(table) = own.get_ref().as_table() else {
            return Err(section.document.wrong(own.span(), "`vars` is not a table"));
        };
        if let Some((key, _)) = table.iter().find(|(key, _)| matches!(key.get_ref().as_ref(), "name" | "host")) {
            let message = format!("`{}` is set by baton itself", key.get_ref());
            return Err(section.document.wrong(key.span(), message).hint("give the variable another name"));
        }
        for (key, value) in table {
            vars.insert(key.get_ref().to_string(), scalar(section, key.get_ref(), value)?);
        }
    }
    if let Some((missing, meaning)) = profile.requires.iter().find(|(required, _)| !vars.contains_key(*required)) {
        let hint = format!("`{missing}` is {meaning}");
        return Err(section.wrong(format!("service `{name}` lacks `{missing}`")).hint(hint));
    }
    vars.insert("name".to_owned(), name.to_owned());
    vars.insert("host".to_owned(), host.to_owned());
    Ok(vars)
}

fn undeclared(section: &Section<'_, '_>, key: &Spanned<DeString<'_>>, profile: &Profile) -> Box<Error> {
    let declared = profile.requires.keys().chain(profile.defaults.keys()).map(String::as_str);
    let known: Vec<&str> = COMMON.into_iter().chain(CHANGES).chain(declared).collect();
    let message = format!("unknown key `{}` in service `{}`", key.get_ref(), section.name);
    let near = did_you_mean(key.get_ref(), known.iter().copied());
    let own = format!("variables of your own go into [services.{}.vars]", section.name);
    let error = section.document.wrong(key.span(), message);
    match near {
        Some(near) => error.hint(near),
        None => error.hint(listed("the keys here are", &known)).hint(own),
    }
}

fn scalar(section: &Section<'_, '_>, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            let message = format!("`{key}` of service `{}` must be text", section.name);
            Err(section.document.wrong(value.span(), message).hint("texts stand in quotes: \"…\""))
        }
    }
}
