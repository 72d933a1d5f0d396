//! Where a request goes, the requests that are asked in many places, and troubles in words. Must not retry: what a
//! trouble means is for the caller to say.

use crate::exec::order::{ExecResult, failure};
use crate::model::run::effect::{Effect, Failure, FailureKind};
use crate::model::run::mark::Identity;
use crate::world::Trouble;
use crate::world::request::{ListFolder, ReadFile};

/// Where an effect happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct EffectSite<'a> {
    /// The host.
    pub(super) host: &'a str,
    /// The service, if it concerns one.
    pub(super) service: Option<&'a str>,
}

impl<'a> EffectSite<'a> {
    /// The site of an effect; an effect that must happen on a host and names none is a failure.
    pub(super) fn of(effect: &'a Effect) -> Result<Self, ExecResult> {
        match effect.host.as_deref() {
            Some(host) => Ok(Self { host, service: effect.service.as_deref() }),
            None => Err(ExecResult::failed(FailureKind::Missing, format!("`{}` names no host", effect.label))),
        }
    }

    /// What a person calls it: the service, else the host.
    pub(super) fn name(&self) -> &'a str {
        self.service.unwrap_or(self.host)
    }
}

/// The request to read a file of a folder.
pub(super) fn read(host: &str, dir: &str, (name, identity): (&str, Identity), from: u64, max: u64) -> ReadFile {
    ReadFile { host: host.to_owned(), dir: dir.to_owned(), name: name.to_owned(), identity, from, max }
}

/// The request to list a folder.
pub(super) fn list(host: &str, dir: &str) -> ListFolder {
    ListFolder { host: host.to_owned(), dir: dir.to_owned() }
}

/// A trouble in words.
pub(super) fn words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unreachable(why) | Trouble::Missing(why) | Trouble::Refused(why) => why.clone(),
        Trouble::Lost(why) => why.clone(),
        Trouble::Leased(denied) => denied.to_string(),
        Trouble::Late => "no reply in time".into(),
    }
}

/// A trouble as the failure of something of which nothing was done.
pub(super) fn failed(what: &str, trouble: &Trouble) -> Failure {
    let kind = match trouble {
        Trouble::Unreachable(_) | Trouble::Refused(_) | Trouble::Lost(_) | Trouble::Leased(_) => {
            FailureKind::Unreachable
        }
        Trouble::Missing(_) => FailureKind::Missing,
        Trouble::Late => FailureKind::Limit,
    };
    failure(kind, format!("{what}: {}", words(trouble)))
}
