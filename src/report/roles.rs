//! The role of each service as it was last read, and whether that still counts: whoever was asked to stop or to start
//! since may be something else. Pure; it must not guess a role that was not read.

use crate::model::run::effect::{Effect, Job};
use crate::model::run::meaning::VerbMeaning;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a service's role.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LastRole {
    /// It was read.
    Read(String),
    /// It was read before the service was asked to stop, and not since.
    BeforeStop,
    /// It was read before the service was asked to start, or its host to restart, and not since.
    BeforeStart,
}

/// The roles of services, as far as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    last: BTreeMap<String, LastRole>,
    /// On which host each service is.
    hosts: BTreeMap<String, String>,
}

impl Roles {
    /// The role of a service when it was last read, if nothing has made it void since.
    #[must_use]
    pub fn of(&self, service: &str) -> Option<&str> {
        match self.last.get(service)? {
            LastRole::Read(role) => Some(role),
            LastRole::BeforeStop | LastRole::BeforeStart => None,
        }
    }

    /// A role was read.
    pub(super) fn read(&mut self, service: &str, host: Option<&str>, role: String) {
        self.last.insert(service.to_owned(), LastRole::Read(role));
        if let Some(host) = host {
            self.hosts.insert(service.to_owned(), host.to_owned());
        }
    }

    /// A job is asked for: what it stops or starts may come back as something else.
    pub(super) fn asked(&mut self, effect: &Effect, job: &Job) {
        match (&effect.service, &effect.host) {
            (Some(service), _) if job.means == Some(VerbMeaning::Stops) => self.void(service, LastRole::BeforeStop),
            (Some(service), _) if job.means == Some(VerbMeaning::Starts) => self.void(service, LastRole::BeforeStart),
            (_, Some(host)) if job.means == Some(VerbMeaning::RestartsHost) => {
                let there = self.hosts.iter().filter(|(_, on)| *on == host).map(|(service, _)| service.clone());
                for service in there.collect::<Vec<_>>() {
                    self.void(&service, LastRole::BeforeStart);
                }
            }
            _ => {}
        }
    }

    /// A service was found stopped.
    pub(super) fn found_stopped(&mut self, service: &str) {
        self.void(service, LastRole::BeforeStop);
    }

    fn void(&mut self, service: &str, since: LastRole) {
        if let Some(last) = self.last.get_mut(service) {
            *last = since;
        }
    }

    /// The roles in words, those that count first; of services that are known to be stopped nothing is said. Nothing
    /// where no role was read.
    pub(super) fn told(&self, stopped: &BTreeSet<&str>) -> Option<String> {
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for (service, last) in self.last.iter().filter(|(service, _)| !stopped.contains(service.as_str())) {
            match last {
                LastRole::Read(role) => read.push(format!("{service} {role}")),
                LastRole::BeforeStop => unread.push(format!("{service} not read since its stop")),
                LastRole::BeforeStart => unread.push(format!("{service} not read since its start")),
            }
        }
        let parts = [read.join(", "), unread.join(", ")];
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
