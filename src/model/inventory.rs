//! A site: its hosts, services and pairs, as the inventory file (TOML) declares them.
//! Reading and checking are pure; the file itself is read elsewhere.

use crate::model::profile::Profile;
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
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Where it is reached; `local` is the machine baton runs on.
    pub address: String,
    /// The folder on the host in which baton keeps its job records.
    pub jobs: Option<String>,
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
