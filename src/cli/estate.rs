//! Where a run acts: a site with its inventory, or a rehearsal. It knows who is asked there, which clock counts, and
//! which lock keeps a second runner out. It must not decide what is done there.

use super::Desk;
use crate::error::{Error, Kind, Result};
use crate::lab::Lab;
use crate::model::inventory::Inventory;
use crate::report::layout::date_and_time;
use crate::world::clock::Clock;
use crate::world::desk::{self, Lock};
use crate::world::person::Person;
use crate::world::system::{HostPlace, SystemWorld};
use std::collections::BTreeMap;

/// Where a run acts.
pub(super) enum Estate {
    /// Real hosts.
    Site,
    /// A rehearsal.
    Lab(Lab),
}

impl Estate {
    /// As the journal has it: `site`, or `lab genesys:upgrade-mode`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Site => "site".to_owned(),
            Self::Lab(lab) => format!("lab {}:{}", lab.name(), lab.scenario()),
        }
    }

    /// The world of these hosts.
    pub(super) fn world(&self, site: &Inventory, desk: &Desk) -> Result<SystemWorld> {
        let mut hosts = BTreeMap::new();
        for (name, host) in &site.hosts {
            if host.address != "local" {
                let message =
                    format!("host `{name}` has the address `{}`; this version acts on `local` only", host.address);
                return Err(Error::new(Kind::Inventory, message).hint("start baton on that host"));
            }
            let jobs = host.jobs.as_ref().map_or_else(|| desk.state.join("jobs").join(name), Into::into);
            hosts.insert(name.clone(), HostPlace { jobs });
        }
        let (clock, person) = match self {
            Self::Site => (Clock::real(), Person::at_the_terminal()),
            Self::Lab(lab) => (lab.clock(), lab.operator()),
        };
        SystemWorld::new(hosts, clock, person)
    }
}

/// Keeps a second runner away from the same hosts until it is dropped.
pub(super) fn lock_site(desk: &Desk, site: &Inventory) -> Result<Lock> {
    let hosts: String = site.hosts.iter().map(|(name, host)| format!("{name} {}\n", host.address)).collect();
    let digest = blake3::hash(hosts.as_bytes()).to_hex();
    lock(desk, &format!("site-{}", &digest.as_str()[..16]), "these hosts are")
}

/// Keeps a second runner away from a lab until it is dropped.
pub(super) fn lock_lab(desk: &Desk, lab: &str) -> Result<Lock> {
    lock(desk, &format!("lab-{lab}"), &format!("the lab `{lab}` is"))
}

fn lock(desk: &Desk, name: &str, what: &str) -> Result<Lock> {
    let who = desk::who();
    let since = date_and_time(Clock::real().now().wall, &desk.screen.zone);
    let note = format!("{} on {}, pid {}, since {since}", who.user, who.host, who.pid);
    desk::lock(&desk.state.join("locks").join(name), &note)?.map_err(|holder| {
        Error::new(Kind::Refused, format!("{what} in use by {holder}"))
            .hint("wait until that runner has ended, or end it; then see where its run stands: baton runs")
    })
}
