//! Requests to the world with replies of the right type, and where a request goes. Must not retry:
//! what a trouble means is for the caller to say.

use crate::exec::order::{ExecResult, failure};
use crate::model::run::effect::{Effect, Failure, FailureKind};
use crate::model::run::instant::Mono;
use crate::model::run::mark::Identity;
use crate::world::{FileStat, JobState, Link, Reply, Request, Stopped, Trouble};

/// A reply, or why there is none; or the run is being stopped.
pub(super) type Try<T> = Result<Result<T, Trouble>, Stopped>;

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

/// A request about a job.
pub(super) fn job(link: &dyn Link, request: Request) -> Try<JobState> {
    let reply = link.call(request)?;
    if let Reply::Job(state) = reply { Ok(Ok(state)) } else { Ok(Err(unfit(reply))) }
}

/// A request for the place in which a host keeps what it knows of the jobs of a run.
pub(super) fn entered(link: &dyn Link, host: &str, run: &str, until: Mono) -> Try<String> {
    let reply = link.call(Request::Enter { host: host.to_owned(), run: run.to_owned(), until })?;
    if let Reply::Entered(place) = reply { Ok(Ok(place)) } else { Ok(Err(unfit(reply))) }
}

/// A request for bytes.
pub(super) fn bytes(link: &dyn Link, request: Request) -> Try<Vec<u8>> {
    let reply = link.call(request)?;
    if let Reply::Bytes(bytes) = reply { Ok(Ok(bytes)) } else { Ok(Err(unfit(reply))) }
}

/// A request for a listing.
pub(super) fn listing(link: &dyn Link, request: Request) -> Try<Vec<FileStat>> {
    let reply = link.call(request)?;
    if let Reply::Listing(files) = reply { Ok(Ok(files)) } else { Ok(Err(unfit(reply))) }
}

/// The request to read a file of a folder.
pub(super) fn read(host: &str, dir: &str, (name, identity): (&str, Identity), from: u64, max: u64) -> Request {
    Request::Read { host: host.to_owned(), dir: dir.to_owned(), name: name.to_owned(), identity, from, max }
}

/// The trouble in a reply of another type than was asked for.
pub(super) fn unfit(reply: Reply) -> Trouble {
    match reply {
        Reply::Trouble(trouble) => trouble,
        Reply::Job(_)
        | Reply::Bytes(_)
        | Reply::Probed { .. }
        | Reply::Listing(_)
        | Reply::File(_)
        | Reply::Block(_)
        | Reply::Kept
        | Reply::Lease(_)
        | Reply::Entered(_)
        | Reply::Noted
        | Reply::Woke
        | Reply::Answer(_)
        | Reply::Line(_) => Trouble::Refused("the reply does not fit the request".into()),
    }
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
