//! How an effect that is performed reaches the world: its track is suspended until there is a reply. It judges nothing.

use crate::dispatch::Halted;
use crate::dispatch::dispatcher::Dispatcher;
use crate::dispatch::track::{Give, TrackWant};
use crate::model::run::event::Event;
use crate::model::run::record::Moment;
use crate::world::{JobId, KeptOutput, Link, Reply, Request, Stopped};

impl Link for Dispatcher {
    fn call(&self, request: Request) -> Result<Reply, Stopped> {
        match self.suspend(TrackWant::Reply(Box::new(request))) {
            Ok(Give::Reply(reply)) => Ok(reply),
            Ok(Give::Begin | Give::Appended | Give::Joined | Give::Turn | Give::Stopped) | Err(Halted) => Err(Stopped),
        }
    }

    fn now(&self) -> Moment {
        self.moment()
    }

    fn tell(&self, event: Event) {
        self.emit(&event);
    }

    fn kept_output(&self, host: &str, job: &JobId) -> Option<KeptOutput> {
        self.world.borrow().kept_output(host, job)
    }
}
