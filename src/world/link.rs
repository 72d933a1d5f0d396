//! How whoever carries an effect out reaches the world: one call at a time. It must not judge a reply.

use super::{JobId, KeptOutput, Reply, Request, Stopped};
use crate::model::run::event::Event;
use crate::model::run::record::Moment;

/// A track's line to the world: straight-line code asks, and is suspended until the reply is there.
pub trait Link {
    /// Asks and waits for the reply.
    ///
    /// # Errors
    /// [`Stopped`] when the run is being stopped.
    fn call(&self, request: Request) -> Result<Reply, Stopped>;
    /// What time it is.
    fn now(&self) -> Moment;
    /// Tells the sinks something that is not recorded.
    fn tell(&self, event: Event);
    /// Where a host keeps what a job wrote, asking nobody; nothing where that is not known.
    fn kept_output(&self, _host: &str, _job: &JobId) -> Option<KeptOutput> {
        None
    }
}
