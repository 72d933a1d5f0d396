//! What is read of a site: for each host what it is like, and of each of its services every probe and log that counts.
//! What is no pure reading, or wants an argument that only a run knows, is left out by name. Pure.

use super::spelling::{Misspelt, misspelt};
use super::wanted::DoctorScope;
use crate::model::run::effect::{Action, Effect, LogSource, Probe};
use crate::model::run::meaning::ProbeMeaning;
use crate::model::run::reading::Reading;
use crate::model::site::account::done_as;
use crate::model::site::inventory::{Host, Service};
use crate::model::span::Span;
use crate::model::value::Fields;
use crate::script::calls::lower;
use crate::world::facts::facts_command;
use std::collections::{BTreeMap, BTreeSet};

/// How much longer than a reading a host may take to be reached for the first time.
const GREETING: Span = Span::secs(3);

/// What is read of a site.
pub(super) struct ReadingPlan {
    /// Its hosts, in the order of the inventory.
    pub(super) hosts: Vec<HostPlan>,
    /// The names of the pairs that count.
    pub(super) pairs: Vec<String>,
    /// Probes that try something, and probes that want an argument: the services that have them.
    pub(super) acts: BTreeMap<String, Vec<String>>,
    pub(super) wants: BTreeMap<String, Vec<String>>,
}

/// What is read of a host.
pub(super) struct HostPlan {
    pub(super) name: String,
    /// What it is like; nothing where it is none of its own.
    pub(super) facts: Option<Effect>,
    /// Whether it is reached over SSH.
    pub(super) over_ssh: bool,
    /// Accounts that are entered there, with the reading that shows whether they can be.
    pub(super) accounts: BTreeMap<String, Effect>,
    pub(super) services: Vec<ServicePlan>,
}

/// What is read of a service.
pub(super) struct ServicePlan {
    pub(super) name: String,
    pub(super) account: Option<String>,
    pub(super) probes: Vec<PlannedProbe>,
    /// Probes that can never be read.
    pub(super) misspelt: Vec<Misspelt>,
    pub(super) log: Option<Result<LogSource, String>>,
}

/// A probe, to be read as it is printed.
pub(super) struct PlannedProbe {
    pub(super) name: String,
    /// What it reads, whatever the product calls it.
    pub(super) means: Option<ProbeMeaning>,
    pub(super) effect: Effect,
    /// How its output becomes a value.
    pub(super) reads: Reading,
    pub(super) steady: bool,
    /// Its exit code is its answer.
    pub(super) tells_by_exit: bool,
    /// How long the profile lets it take.
    pub(super) allowed: Span,
}

impl ServicePlan {
    /// The probe that reads this, if one does.
    pub(super) fn reads(&self, meaning: ProbeMeaning) -> Option<&PlannedProbe> {
        self.probes.iter().find(|probe| probe.means == Some(meaning))
    }
}

impl ReadingPlan {
    /// The plan of this service, if it is read.
    pub(super) fn service_named(&self, name: &str) -> Option<&ServicePlan> {
        self.hosts.iter().flat_map(|host| &host.services).find(|service| service.name == name)
    }

    /// What is wanted, spelled out.
    pub(super) fn of(wanted: &DoctorScope) -> Self {
        let site = &wanted.site;
        let services: Vec<&Service> = match &wanted.uses {
            Some(uses) => uses.services(site),
            None => site.services.values().collect(),
        };
        let mut plan = Self { hosts: Vec::new(), pairs: Vec::new(), acts: BTreeMap::new(), wants: BTreeMap::new() };
        let is_of_use = |name: &str| wanted.uses.as_ref().is_none_or(|uses| uses.host(name));
        let remote = site.hosts.values().filter(|host| host.address != "local").count() as u64;
        let waves = remote.div_ceil(site.ssh.connections.max(1)).max(1);
        // Who is called after others waits for them.
        let first = Span(wanted.limit.0.saturating_mul(waves).saturating_add(GREETING.0));
        for host in site.hosts.values() {
            let theirs: Vec<&Service> = services.iter().copied().filter(|service| service.host == host.name).collect();
            if theirs.is_empty() && !is_of_use(&host.name) {
                continue;
            }
            let read = theirs.iter().map(|service| plan.service(service, wanted)).collect();
            plan.hosts.push(host_plan(host, &theirs, read, wanted, first));
        }
        let named = |name: &String| wanted.uses.as_ref().is_none_or(|uses| uses.pair(name));
        plan.pairs = site.pairs.keys().filter(|name| named(name)).cloned().collect();
        plan
    }

    fn service(&mut self, service: &Service, wanted: &DoctorScope) -> ServicePlan {
        let profile = &service.profile;
        let (mut probes, mut slips) = (Vec::new(), Vec::new());
        for (name, reader) in &profile.probes {
            if wanted.uses.as_ref().is_some_and(|uses| !uses.probe(profile, name)) {
                continue;
            }
            if reader.acts {
                self.acts.entry(name.clone()).or_default().push(service.name.clone());
                continue;
            }
            // What the profile cannot fill in by itself, the runbook says.
            let Ok(probe) = lower::probe(service, name, Fields::new()) else {
                match misspelt(service, name) {
                    Some(slip) => slips.push(slip),
                    None => self.wants.entry(name.clone()).or_default().push(service.name.clone()),
                }
                continue;
            };
            let tells_by_exit = profile.verbs.values().any(|verb| verb.check.as_ref() == Some(&reader.argv));
            let (reads, allowed) = (probe.reads.clone(), probe.limit);
            let probe = Probe { exit_tells: tells_by_exit, ..raw(probe, Span(allowed.0.min(wanted.limit.0))) };
            let effect = lower::on_service(service, name.clone(), Action::Probe(probe));
            let (steady, means) = (reader.is_steady(name), reader.meaning(name));
            probes.push(PlannedProbe { name: name.clone(), means, effect, reads, steady, tells_by_exit, allowed });
        }
        let looks = wanted.uses.as_ref().is_none_or(|uses| uses.logs());
        let log = (looks && profile.log.is_some()).then(|| lower::log(service));
        ServicePlan { name: service.name.clone(), account: service.account.clone(), probes, misspelt: slips, log }
    }
}

fn host_plan(
    host: &Host,
    theirs: &[&Service],
    services: Vec<ServicePlan>,
    wanted: &DoctorScope,
    first: Span,
) -> HostPlan {
    let over_ssh = host.address != "local";
    let logs: BTreeSet<String> = services
        .iter()
        .filter_map(|service| service.log.as_ref()?.as_ref().ok())
        .map(|log| log.dir.clone())
        .filter(|dir| dir.starts_with('/'))
        .collect();
    let jobs = wanted.jobs.get(&host.name).cloned().or_else(|| host.jobs.clone()).unwrap_or_default();
    let logs: Vec<String> = logs.into_iter().collect();
    let limit = if over_ssh { first } else { wanted.limit };
    let leases = if over_ssh { "" } else { wanted.leases.as_str() };
    let facts = of_host(host, "state", facts_command((&jobs, leases), &logs), limit);
    let accounts = theirs.iter().filter_map(|service| service.account.clone()).chain(host.account.clone());
    let entering = |account: String| {
        let command = done_as(Some(&account), vec!["true".to_owned()]);
        let effect = of_host(host, "account", command, wanted.limit);
        (account, effect)
    };
    let own = !wanted.rehearsed;
    HostPlan {
        name: host.name.clone(),
        facts: own.then_some(facts),
        over_ssh,
        accounts: accounts.filter(|_| own).map(entering).collect(),
        services,
    }
}

/// A reading of the host itself.
fn of_host(host: &Host, what: &str, argv: Vec<String>, limit: Span) -> Effect {
    let probe = raw(lower::script_check(argv), limit);
    let probe = Probe { what: what.to_owned(), exit_tells: false, ..probe };
    let (action, label) = (Action::Probe(probe), what.to_owned());
    Effect { action, label, host: Some(host.name.clone()), service: None, undo: None, before: None }
}

/// A probe that is tried once, for this long at the most, and gives what was printed.
fn raw(probe: Probe, limit: Span) -> Probe {
    Probe { limit, tries: 1, reads: Reading::Text, ..probe }
}
