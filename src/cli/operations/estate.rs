//! Where a run acts: a site with its inventory, or a rehearsal. It knows who is asked there, which clock counts, and
//! which lock keeps a second runner out. It must not decide what is done there.

use crate::cli::context::Context;
use crate::error::Result;
use crate::journal::history::History;
use crate::lab::Lab;
use crate::model::run::estate::EstateId;
use crate::model::site::inventory::Inventory;
use crate::platform::runner_lock::{Holder, LockError, RunnerLock};
use crate::report::layout::time_of_day;
use crate::world::carrier::HostPlace;
use crate::world::clock::Clock;
use crate::world::operator::console::Console;
use crate::world::operator::person::Person;
use crate::world::secrets::keyring::Keyring;
use crate::world::ssh::RemotePlace;
use crate::world::system::SystemWorld;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Where a run acts.
#[derive(Clone)]
pub(in crate::cli) enum Estate {
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
    pub(in crate::cli) fn of(history: &History, run: &str, context: &Context) -> Result<Self> {
        match lab_of(history) {
            None => Ok(Self::Site),
            Some(lab) => {
                let is_gone = Lab::gone(lab, &context.state, run)?.is_some();
                Lab::find(lab, &context.state, run).map(Self::Lab).map_err(|error| {
                    let now = Lab::any(lab, &context.state).ok().flatten().map(|lab| lab.card().run.clone());
                    let runs = context.store().and_then(|store| Ok(store.runs()?)).unwrap_or_default();
                    let other = now.filter(|now| now != run && runs.contains(now));
                    let error = other.into_iter().fold(error, |error, now| {
                        error.hint(format!("see the run that has the lab now: baton show {now}"))
                    });
                    if is_gone && !history.is_final() {
                        return error.hint(format!("clear it away: {}", cleared_away(lab, run, context)));
                    }
                    error
                })
            }
        }
    }

    /// The name under which it is leased to one runner.
    pub(in crate::cli) fn lease_name(&self, site: &Inventory) -> String {
        match self {
            Self::Site => site_name(site),
            Self::Lab(lab) => lab_name(lab.name()),
        }
    }

    /// As the journal names it.
    pub(in crate::cli) fn id(&self) -> EstateId {
        match self {
            Self::Site => EstateId::Site,
            Self::Lab(lab) => EstateId::Lab { lab: lab.name().to_owned(), scenario: lab.scenario().to_owned() },
        }
    }

    /// Whether questions are for whoever sits at this terminal.
    pub(in crate::cli) fn asks_here(&self) -> bool {
        match self {
            Self::Site => true,
            Self::Lab(lab) => lab.card().unattended,
        }
    }

    /// The world of these hosts.
    ///
    /// # Errors
    /// When it cannot be opened, or the hosts are none that can be rehearsed.
    pub(in crate::cli) fn world(&self, site: &Inventory, context: &Context) -> Result<SystemWorld> {
        let terminal = || Person::Terminal(Arc::clone(&context.terminal));
        let world = match self {
            Self::Site => {
                let (here, remote) = places(site, &context.state.join("jobs"));
                let world = SystemWorld::new(here, Clock::real(), terminal())?;
                let world = world.on_this_machine(context.leases.clone(), &context.state)?;
                let world = world.over_ssh(remote, &site.ssh, context.state.join("host-keys"))?;
                world.keyed(Keyring::new(site.secrets.clone()))
            }
            Self::Lab(lab) => {
                let side = lab.side(site)?;
                // All of them are here: else it would not be the side of a lab.
                let (here, _) = places(site, &lab.folder().join("jobs"));
                let person = if self.asks_here() { terminal() } else { lab.operator() };
                let world = SystemWorld::new(here, lab.clock(), person)?.rehearsed(side);
                world.keyed(Keyring::rehearsed(site.secrets.clone()))
            }
        };
        Ok(world.steered(Console::Terminal(Arc::clone(&context.terminal))))
    }
}

/// Where baton works on the hosts of a site: those that are this machine, with their job records below `jobs` unless
/// the inventory says where, and those that are not.
fn places(site: &Inventory, jobs: &Path) -> (BTreeMap<String, HostPlace>, BTreeMap<String, RemotePlace>) {
    let (mut here, mut remote) = (BTreeMap::new(), BTreeMap::new());
    for (name, host) in &site.hosts {
        if host.address == "local" {
            let jobs = host.jobs.as_ref().map_or_else(|| jobs.join(name), Into::into);
            here.insert(name.clone(), HostPlace { jobs });
        } else {
            remote.insert(name.clone(), RemotePlace { address: host.address.clone(), jobs: host.jobs.clone() });
        }
    }
    (here, remote)
}

/// The lab that a run on record acts in, if it does.
pub(in crate::cli) fn lab_of(history: &History) -> Option<&str> {
    history.begun().estate.lab()
}

/// The name under which the hosts of a site are leased to one runner.
pub(in crate::cli) fn site_name(site: &Inventory) -> String {
    let hosts: Vec<String> = site.hosts.values().map(|host| format!("{}={}", host.name, host.address)).collect();
    let digest = blake3::hash(hosts.join("\n").as_bytes()).to_hex();
    format!("site {}", &digest.as_str()[..12])
}

/// The name under which a lab is leased to one runner.
pub(in crate::cli) fn lab_name(lab: &str) -> String {
    format!("lab {lab}")
}

/// The command that clears away a run whose lab is there for it no more, with what became of the lab.
pub(in crate::cli) fn cleared_away(lab: &str, run: &str, context: &Context) -> String {
    let now = Lab::any(lab, &context.state).ok().flatten().map(|lab| lab.card().run.clone());
    let reason = match now.filter(|now| now != run) {
        Some(now) => format!("its lab is that of run {now} now"),
        None => "its lab is gone".to_owned(),
    };
    format!("baton abort {run} --reason \"{reason}\"")
}

/// Takes `name` away from the runner that holds it, and tells who that was.
pub(in crate::cli) fn break_lease(context: &Context, name: &str) -> Result<Option<Holder>> {
    RunnerLock::break_open(&context.state, name)
}

/// Keeps other runners away from `name` until it is dropped.
pub(in crate::cli) fn lease(context: &Context, name: &str, run: &str) -> std::result::Result<RunnerLock, LockError> {
    let who = context.who();
    let since = time_of_day(Clock::real().now().wall, &context.screen.zone);
    let holder = Holder { run: run.to_owned(), pid: who.pid, user: who.user, host: who.host, since };
    RunnerLock::take(&context.state, name, &holder)
}
