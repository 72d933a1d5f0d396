//! How whoever carries an effect out reaches the world: one call at a time. It must not judge a reply.

use super::request::WaitUntil;
use super::{CameBack, HasReply, JobId, KeptOutput, Reply, Request, Stopped};
use crate::model::run::event::Event;
use crate::model::run::instant::{Moment, Mono};

/// A reply, or why there is none; or the run is being stopped.
pub type Try<T> = Result<CameBack<T>, Stopped>;

/// A track's line to the world: straight-line code asks, and is suspended until the reply is there.
pub trait Link {
    /// Asks and waits for what comes back. Whoever has a request of its own type asks with [`ask`](#method.ask).
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    fn call(&self, request: Request) -> Try<Reply>;
    /// What time it is.
    fn now(&self) -> Moment;
    /// Tells the sinks something that is not recorded.
    fn tell(&self, event: Event);
    /// Where a host keeps what a job wrote, asking nobody; nothing where that is not known.
    fn kept_output(&self, _host: &str, _job: &JobId) -> Option<KeptOutput> {
        None
    }
}

impl dyn Link + '_ {
    /// Asks and waits for the reply that belongs to the request.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    pub fn ask<R: HasReply>(&self, request: R) -> Try<R::Reply> {
        Ok(R::came_back(self.call(request.into())?))
    }

    /// Waits until this time. Where that cannot be done, whoever waits looks again sooner.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    pub fn wait_until(&self, until: Mono) -> Result<(), Stopped> {
        self.ask(WaitUntil { until }).map(drop)
    }
}
