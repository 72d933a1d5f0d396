//! A site: its hosts, services and pairs, as the inventory file (TOML) declares them.
//! Reading and checking are pure; the file itself is read elsewhere.

use super::document::{Document, Section, SectionText, only, span_of};
pub use super::host::Host;
use super::secret::Secret;
pub use super::service::Service;
use super::service::{self, Product};
use super::ssh::Ssh;
use crate::error::{Error, Result};
use crate::model::text::{did_you_mean, shown};
use std::collections::BTreeMap;

/// A whole site, checked: every name that is mentioned exists.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Machines by name.
    pub hosts: BTreeMap<String, Host>,
    /// Managed programs by name.
    pub services: BTreeMap<String, Service>,
    /// Redundant pairs by name.
    pub pairs: BTreeMap<String, Pair>,
    /// How hosts are reached that are not this machine.
    pub ssh: Ssh,
    /// Secrets by name; never their values.
    pub secrets: BTreeMap<String, Secret>,
}

/// Two services of which one is primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name in the inventory.
    pub name: String,
    /// The service configured as primary. Which one *runs* as primary is observed, never read here.
    pub primary: String,
    /// The service configured as backup.
    pub backup: String,
    /// Services that belong to the pair under a word of their own, such as `database`.
    pub related: BTreeMap<String, String>,
}

impl Inventory {
    /// Reads an inventory. `profiles` gives the text of a product's profile by name; `file_name` is for messages.
    ///
    /// # Errors
    /// `Inventory`, with the place in the file, for whatever is not a whole and sound site.
    pub fn parse(text: &str, file_name: &str, profiles: &mut dyn FnMut(&str) -> Option<String>) -> Result<Self> {
        let document = Document::new(file_name, text);
        let root = document.parse()?;
        only(document, root.get_ref(), &["ssh", "secrets", "hosts", "services", "pairs"])?;
        let mut inventory = Self::default();
        if let Some(section) = document.section(root.get_ref(), "ssh")? {
            inventory.ssh = Ssh::read(&section)?;
        }
        for section in document.sections(root.get_ref(), "secrets")? {
            section.named("secret")?;
            inventory.secrets.insert(section.name.to_owned(), Secret::read(&section)?);
        }
        for section in document.sections(root.get_ref(), "hosts")? {
            inventory.hosts.insert(section.name.to_owned(), Host::of(&section)?);
        }
        let mut products = BTreeMap::new();
        for section in document.sections(root.get_ref(), "services")? {
            let service = inventory.service(&section, &mut products, profiles)?;
            inventory.services.insert(section.name.to_owned(), service);
        }
        for section in document.sections(root.get_ref(), "pairs")? {
            let pair = inventory.pair(&section)?;
            inventory.pairs.insert(section.name.to_owned(), pair);
        }
        Ok(inventory)
    }

    fn service(
        &self,
        section: &Section<'_, '_>,
        products: &mut BTreeMap<String, Product>,
        profiles: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Service> {
        let what = section.named("service")?;
        let host = section.required("host", &what)?;
        let Some(on) = self.hosts.get(host.text) else {
            return Err(nobody(section, &what, "host", &host, self.hosts.keys()));
        };
        let wanted = section.required("product", &what)?;
        if !products.contains_key(wanted.text) {
            let Some(text) = profiles(wanted.text) else {
                let hint = format!("a product is described by a file `stdlib/products/{}.toml`", wanted.text);
                return Err(nobody(section, &what, "product", &wanted, [].iter()).hint(hint));
            };
            products.insert(wanted.text.to_owned(), Product::parse(text, wanted.text)?);
        }
        match products.get(wanted.text) {
            Some(product) => {
                let service = service::build(section, on, product)?;
                self.has_secrets_of(section, &service)?;
                Ok(service)
            }
            None => Err(nobody(section, &what, "product", &wanted, [].iter())),
        }
    }

    /// Whether the secrets that the commands of a service read are secrets of this site.
    fn has_secrets_of(&self, section: &Section<'_, '_>, service: &Service) -> Result<()> {
        let missing = |(_, _, secret): &(&str, &str, &str)| !self.secrets.contains_key(*secret);
        let Some((table, name, secret)) = service.profile.secrets().find(missing) else { return Ok(()) };
        let own = span_of(section.table, &[table, name, "stdin"]);
        let (word, shown_secret) = (if table == "verbs" { "verb" } else { "probe" }, shown(secret));
        let message = format!(
            "{word} `{name}` of service `{}` reads secret `{shown_secret}`, which the inventory has not",
            service.name
        );
        let error = section.document.wrong(own.unwrap_or_else(|| section.span.clone()), message);
        let near = did_you_mean(secret, self.secrets.keys().map(String::as_str));
        Err(error.hint(near.unwrap_or_else(|| format!("say where it is had from: [secrets.{shown_secret}]"))))
    }

    fn pair(&self, section: &Section<'_, '_>) -> Result<Pair> {
        let what = section.named("pair")?;
        let known = |line: SectionText<'_>, word: &str| {
            if self.services.contains_key(line.text) {
                Ok(line.text.to_owned())
            } else {
                Err(nobody(section, &what, word, &line, self.services.keys()))
            }
        };
        let primary = known(section.required("primary", &what)?, "primary")?;
        let backup = section.required("backup", &what)?;
        if backup.text == primary {
            let message = format!("{what} has `{primary}` twice: a pair is two services");
            return Err(section.document.wrong(backup.span, message));
        }
        let backup = known(backup, "backup")?;
        let mut related = BTreeMap::new();
        for word in section.table.keys().map(|key| key.get_ref().as_ref()) {
            if !matches!(word, "primary" | "backup") {
                related.insert(word.to_owned(), known(section.required(word, &what)?, word)?);
            }
        }
        Ok(Pair { name: section.name.to_owned(), primary, backup, related })
    }
}

/// A mention of something that is not declared.
fn nobody<'a>(
    section: &Section<'_, '_>,
    what: &str,
    key: &str,
    line: &SectionText<'_>,
    known: impl Iterator<Item = &'a String>,
) -> Box<Error> {
    let sort = if matches!(key, "host" | "product") { key } else { "service" };
    let message = format!("`{key}` of {what} is `{}`: there is no such {sort}", shown(line.text));
    let error = section.document.wrong(line.span.clone(), message);
    match did_you_mean(line.text, known.map(String::as_str)) {
        Some(near) => error.hint(near),
        None => error,
    }
}
