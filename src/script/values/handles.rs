//! The things scripts hold: a host, a service, a pair of the inventory. A handle is a name and the inventory it
//! belongs to; it never holds anything observed.

use crate::error::Error;
use crate::error::Kind;
use crate::model::site::inventory::{Host, Inventory, Pair, Service};
use crate::model::site::secret::Secret;
use crate::model::text::did_you_mean;
use std::rc::Rc;

/// Something the inventory lists by name.
pub(crate) trait Listed: Clone + 'static {
    /// How messages call it: `service`.
    const WORD: &'static str;
    /// The one called `name`.
    fn find<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Self>;
    /// Its name.
    fn name(&self) -> &str;
    /// All names.
    fn names(inventory: &Inventory) -> Vec<&str>;
}

impl Listed for Host {
    const WORD: &'static str = "host";
    fn find<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Self> {
        inventory.hosts.get(name)
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn names(inventory: &Inventory) -> Vec<&str> {
        inventory.hosts.keys().map(String::as_str).collect()
    }
}

impl Listed for Service {
    const WORD: &'static str = "service";
    fn find<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Self> {
        inventory.services.get(name)
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn names(inventory: &Inventory) -> Vec<&str> {
        inventory.services.keys().map(String::as_str).collect()
    }
}

impl Listed for Pair {
    const WORD: &'static str = "pair";
    fn find<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Self> {
        inventory.pairs.get(name)
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn names(inventory: &Inventory) -> Vec<&str> {
        inventory.pairs.keys().map(String::as_str).collect()
    }
}

impl Listed for Secret {
    const WORD: &'static str = "secret";
    fn find<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Self> {
        inventory.secrets.get(name)
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn names(inventory: &Inventory) -> Vec<&str> {
        inventory.secrets.keys().map(String::as_str).collect()
    }
}

/// A secret by its name. Scripts can do nothing with it but hand it to a command.
#[derive(Clone)]
pub(crate) struct SecretHandle(String);

impl SecretHandle {
    /// The secret of this name, which the inventory has.
    pub(crate) fn new(name: String) -> Self {
        Self(name)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// A handle to one of them.
#[derive(Clone)]
pub(crate) struct Handle<T> {
    inventory: Rc<Inventory>,
    thing: Rc<T>,
}

/// A machine.
pub(crate) type HostHandle = Handle<Host>;
/// A managed program.
pub(crate) type ServiceHandle = Handle<Service>;
/// Two services of which one is primary.
pub(crate) type PairHandle = Handle<Pair>;

impl<T: Listed> Handle<T> {
    /// The handle of `name`, if the inventory has it.
    pub(crate) fn find(inventory: &Rc<Inventory>, name: &str) -> Option<Self> {
        let thing = Rc::new(T::find(inventory, name)?.clone());
        Some(Self { inventory: Rc::clone(inventory), thing })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.thing.name()
    }

    /// What the inventory says about it.
    pub(crate) fn get(&self) -> &T {
        &self.thing
    }

    /// The inventory it belongs to.
    pub(crate) fn inventory(&self) -> &Rc<Inventory> {
        &self.inventory
    }
}

/// The message for a name that the inventory does not have.
pub(crate) fn unknown<T: Listed>(name: &str, known: &[&str]) -> Box<Error> {
    let error = Error::new(Kind::Script, format!("the inventory has no {} `{name}`", T::WORD));
    match did_you_mean(name, known.iter().copied()) {
        Some(hint) => error.hint(hint),
        None if known.is_empty() => {
            error.hint(format!("it has no {} at all; give one with `-i FILE` or `--lab`", T::WORD))
        }
        None => error.hint(format!("it has {}", known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))),
    }
}
