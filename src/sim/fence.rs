//! What keeps former runners out of simulated hosts: leases, by the same rules as on real ones. It knows who a runner
//! is and which numbers it has taken; the leases themselves stay with the hosts.

use crate::sim::estate_state::EstateState;
use crate::sim::host::SimHost;
use crate::world::lease::{self, Lease, Runner};
use crate::world::request::{ReleaseLease, TakeLease};
use crate::world::{CameBack, HasReply, Request, Trouble};
use std::collections::BTreeMap;

/// One runner at the fences of all hosts.
#[derive(Debug, Default)]
pub(super) struct Fence {
    /// Nobody that leases are for, as in a test that changes something behind the runner's back.
    pub(super) runner: Option<Runner>,
    /// The numbers it has taken, by host.
    numbers: BTreeMap<String, u64>,
}

impl Fence {
    /// The reply to a request that goes no further: it is about leases, or the runner may not change that host.
    pub(super) fn stop(&mut self, estate: &mut EstateState, request: &Request) -> Option<CameBack> {
        let runner = self.runner.as_ref()?;
        let about_lease = matches!(request, Request::TakeLease(_) | Request::ReleaseLease(_));
        let name = if about_lease { request.host() } else { request.changes() }?;
        let obstacle = estate.obstacle(name);
        let now = lease::since(estate.moment().wall);
        let host = match (obstacle, estate.hosts.get_mut(name)) {
            (None, Some(host)) => host,
            // Whoever carries the request out says so.
            (obstacle, _) => return obstacle.filter(|_| about_lease).map(Err),
        };
        if matches!(request, Request::ReleaseLease(_)) {
            return Some(Ok(ReleaseLease::answered(host.release(runner))));
        }
        let taken = if let Request::TakeLease(TakeLease { force, .. }) = request {
            host.take(name, runner, now, *force)
        } else {
            self.admit(host, name, runner, now)
        };
        match taken {
            Ok(number) => {
                self.numbers.insert(name.to_owned(), number);
                about_lease.then(|| Ok(TakeLease::answered(number)))
            }
            Err(trouble) => Some(Err(trouble)),
        }
    }

    /// The number under which the runner may change something on a host.
    fn admit(&self, host: &mut SimHost, name: &str, runner: &Runner, now: String) -> Result<u64, Trouble> {
        match (self.numbers.get(name), &host.lease) {
            (Some(number), Some(lease)) if lease.number == *number => Ok(*number),
            (Some(_), there) => Err(Trouble::Leased(Lease::lost(there.clone(), name))),
            (None, _) => host.take(name, runner, now, false),
        }
    }
}
