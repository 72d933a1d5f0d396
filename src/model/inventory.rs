//! A site: its hosts, services and pairs, as the inventory file (TOML) declares them.
//! Reading and checking are pure; the file itself is read elsewhere.

use crate::error::{Error, Result};
use crate::model::account::is_account;
use crate::model::document::{Document, Line, Section, only, span_of};
use crate::model::profile::Profile;
use crate::model::secret::Secret;
use crate::model::service::{self, Product};
use crate::model::ssh::Ssh;
use crate::model::text::{did_you_mean, shown};
use std::collections::BTreeMap;
use std::rc::Rc;

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

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Where it is reached: a destination as `ssh` takes it, or `local` for the machine baton runs on.
    pub address: String,
    /// The folder on the host in which baton keeps its job records; not said, `.baton` in the home folder there.
    pub jobs: Option<String>,
    /// The account that jobs and probes become there, through `sudo`; not said, they stay the login account.
    pub account: Option<String>,
    /// The command that restarts it; not said, `systemctl reboot`.
    pub reboot: Option<Vec<String>>,
}

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
            named(&section, "secret")?;
            inventory.secrets.insert(section.name.to_owned(), Secret::read(&section)?);
        }
        for section in document.sections(root.get_ref(), "hosts")? {
            inventory.hosts.insert(section.name.to_owned(), host(&section)?);
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
        let what = named(section, "service")?;
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
        let what = named(section, "pair")?;
        let known = |line: Line<'_>, word: &str| {
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

fn host(section: &Section<'_, '_>) -> Result<Host> {
    let what = named(section, "host")?;
    section.only(&["address", "jobs", "become", "reboot"])?;
    let address = section.required("address", &what)?;
    let wrong = |message: String| section.document.wrong(address.span.clone(), message);
    if !is_destination(address.text) {
        let message = format!("`{}` is not an address", shown(address.text));
        return Err(wrong(message).hint("write `local`, or a destination as ssh takes it: `user@machine`"));
    }
    let jobs = section.text("jobs")?;
    if let Some(jobs) = jobs.as_ref().filter(|jobs| !jobs.text.starts_with('/')) {
        let message = format!("`jobs` of {what} must be a full path: `{}`", shown(jobs.text));
        return Err(section.document.wrong(jobs.span.clone(), message));
    }
    let jobs = jobs.map(|jobs| jobs.text.to_owned());
    let account = account(section)?;
    let reboot = command(section, "reboot")?;
    Ok(Host { name: section.name.to_owned(), address: address.text.to_owned(), jobs, account, reboot })
}

/// A command as a list of its words, if the section has one under this key.
fn command(section: &Section<'_, '_>, key: &str) -> Result<Option<Vec<String>>> {
    let Some(value) = section.table.get(key) else { return Ok(None) };
    let words = value.get_ref().as_array().map(|words| words.iter().map(|word| word.get_ref().as_str()).collect());
    match words {
        Some(Some(words)) if !Vec::<&str>::is_empty(&words) => Ok(Some(words.into_iter().map(str::to_owned).collect())),
        Some(_) | None => {
            let message = format!("`{key}` is a list of words such as `[\"systemctl\", \"reboot\"]`");
            Err(section.document.wrong(value.span(), message))
        }
    }
}

/// The account that `become` names, if the section has that.
pub(crate) fn account(section: &Section<'_, '_>) -> Result<Option<String>> {
    match section.text("become")? {
        Some(line) if !is_account(line.text) => {
            let message = format!("`{}` is not the name of an account", shown(line.text));
            Err(section.document.wrong(line.span, message).hint("names are small letters, digits, `-` and `_`"))
        }
        line => Ok(line.map(|line| line.text.to_owned())),
    }
}

/// The section's kind and name for messages, once the name is one that files and commands can carry.
fn named(section: &Section<'_, '_>, kind: &str) -> Result<String> {
    let mut characters = section.name.chars();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if characters.next().is_some_and(plain) && characters.all(|c| plain(c) || c == '-' || c == '_') {
        return Ok(format!("{kind} `{}`", section.name));
    }
    let message = format!("`{}` cannot be the name of a {kind}", shown(section.name));
    Err(section.wrong(message).hint("names are small letters, digits, `-` and `_`, with a letter or digit first"))
}

/// A mention of something that is not declared.
fn nobody<'a>(
    section: &Section<'_, '_>,
    what: &str,
    key: &str,
    line: &Line<'_>,
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

/// Whether OpenSSH would take it for `[user@]host` or `ssh://[user@]host[:port]` and for nothing else.
fn is_destination(address: &str) -> bool {
    let bare = address.strip_prefix("ssh://").unwrap_or(address);
    let part = |text: &str| {
        let safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%');
        !text.is_empty() && !text.starts_with('-') && text.chars().all(safe)
    };
    match bare.rsplit_once('@') {
        Some((user, host)) => part(user) && part(host),
        None => part(bare),
    }
}
