//! What is said while connections are made, which takes a while with many hosts or a silent one. It must not be heard
//! more than once a second for all hosts together.

use crate::world::Completion;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is said how many hosts are reached.
const EVERY: Duration = Duration::from_secs(1);

/// How far the making of connections is.
#[derive(Debug)]
pub(super) struct Progress {
    outbox: Sender<Completion>,
    count: Mutex<Count>,
}

#[derive(Debug)]
struct Count {
    called: usize,
    reached: usize,
    said: Instant,
}

impl Progress {
    pub(super) fn new(outbox: Sender<Completion>) -> Self {
        Self { outbox, count: Mutex::new(Count { called: 0, reached: 0, said: Instant::now() }) }
    }

    /// A host is called.
    pub(super) fn called(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if count.called == count.reached {
            // Nobody was being called: a new round, in which the first word is due after a while.
            *count = Count { called: 0, reached: 0, said: Instant::now() };
        }
        count.called += 1;
    }

    /// It has answered, or it is not called any more.
    pub(super) fn settled(&self) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.reached += 1;
        let (called, reached) = (count.called, count.reached);
        if called > 1 && count.said.elapsed() >= EVERY {
            count.said = Instant::now();
            self.say(format!("connecting: {reached} of {called} hosts have answered"));
        }
    }

    /// Says something that whoever waits should know.
    pub(super) fn say(&self, text: String) {
        // Nobody listens any more when the world is being dropped.
        let _ = self.outbox.send(Completion::Told(text));
    }
}
