//! Where a run acts: a site with its inventory, or a rehearsal. It knows who is asked there, which clock counts, and
//! which lock keeps a second runner out. It must not decide what is done there.

use super::Desk;
use crate::error::Result;
use crate::journal::history::History;
use crate::journal::lease::{Holder, Lease};
use crate::lab::Lab;
use crate::model::inventory::Inventory;
use crate::report::layout::time_of_day;
use crate::world::clock::Clock;
use crate::world::console::Console;
use crate::world::desk;
use crate::world::keyring::Keyring;
use crate::world::person::Person;
use crate::world::ssh::RemotePlace;
use crate::world::system::{HostPlace, SystemWorld};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a run acts.
#[derive(Clone)]
pub(super) enum Estate {
    /// Real hosts.
    Site,
    /// A rehearsal.
    Lab(Lab),
}

impl Estate {
    /// Where a run acts that is on record.
    ///
    /// # Errors
    /// `Refused` when its lab is gone.
    pub(super) fn of(history: &History, run: &str, desk: &Desk) -> Result<Self> {
        match lab_of(history) {
            None => Ok(Self::Site),
            Some(lab) => Ok(Self::Lab(Lab::find(lab, &desk.state, run)?)),
        }
    }

    /// The name under which it is leased to one runner.
    pub(super) fn lease_name(&self, site: &Inventory) -> String {
        match self {
            Self::Site => site_name(site),
            Self::Lab(lab) => lab_name(lab.name()),
        }
    }

    /// As the journal has it: `site`, or `lab genesys:upgrade-mode`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Site => "site".to_owned(),
            Self::Lab(lab) => format!("lab {}:{}", lab.name(), lab.scenario()),
        }
    }

    /// Whether questions are for whoever sits at this terminal.
    pub(super) fn asks_here(&self) -> bool {
        match self {
            Self::Site => true,
            Self::Lab(lab) => lab.card().unattended,
        }
    }

    /// The world of these hosts.
    pub(super) fn world(&self, site: &Inventory, desk: &Desk) -> Result<SystemWorld> {
        let (mut here, mut remote) = (BTreeMap::new(), BTreeMap::new());
        for (name, host) in &site.hosts {
            if host.address == "local" {
                let jobs = host.jobs.as_ref().map_or_else(|| desk.state.join("jobs").join(name), Into::into);
                here.insert(name.clone(), HostPlace { jobs });
            } else {
                remote.insert(name.clone(), RemotePlace { address: host.address.clone(), jobs: host.jobs.clone() });
            }
        }
        let (clock, person) = match self {
            Self::Site => (Clock::real(), Person::Terminal(Arc::clone(&desk.terminal))),
            Self::Lab(lab) if self.asks_here() => (lab.clock(), Person::Terminal(Arc::clone(&desk.terminal))),
            Self::Lab(lab) => (lab.clock(), lab.operator()),
        };
        let world = SystemWorld::new(here, clock, person)?;
        let world = match self {
            Self::Site => world.on_this_machine(desk.leases.clone(), &desk.state)?,
            Self::Lab(_) => world,
        };
        let world = world.over_ssh(remote, &site.ssh, desk.state.join("host-keys"))?;
        let world = world.keyed(Keyring::new(site.secrets.clone()));
        Ok(world.steered(Console::Terminal(Arc::clone(&desk.terminal))))
    }
}

/// The lab that a run on record acts in, if it does.
pub(super) fn lab_of(history: &History) -> Option<&str> {
    let name = history.begun().estate.strip_prefix("lab ")?;
    Some(name.split(':').next().unwrap_or(name))
}

/// The name under which the hosts of a site are leased to one runner.
pub(super) fn site_name(site: &Inventory) -> String {
    let hosts: Vec<String> = site.hosts.values().map(|host| format!("{}={}", host.name, host.address)).collect();
    let digest = blake3::hash(hosts.join("\n").as_bytes()).to_hex();
    format!("site {}", &digest.as_str()[..12])
}

/// The name under which a lab is leased to one runner.
pub(super) fn lab_name(lab: &str) -> String {
    format!("lab {lab}")
}

/// Takes `name` away from the runner that holds it, and tells who that was.
pub(super) fn break_lease(desk: &Desk, name: &str) -> Result<Option<Holder>> {
    Lease::break_open(&desk.state, name)
}

/// Keeps other runners away from `name` until it is dropped.
pub(super) fn lease(desk: &Desk, name: &str, run: &str) -> Result<Lease> {
    let who = desk::who();
    let since = time_of_day(Clock::real().now().wall, &desk.screen.zone);
    let holder = Holder { run: run.to_owned(), pid: who.pid, user: who.user, host: who.host, since };
    Lease::take(&desk.state, name, &holder)
}
