//! The agents of a host that wait for a request, and how one of them is asked. It must not know what an answer means.

use super::answers::spoiled;
use super::place::RecordPlace;
use super::resident::{Agent, AgentWord};
use super::transport::Transport;
use crate::world::Trouble;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

/// How often the same is asked when others speak in the midst of the answer.
pub(super) const SPOILED_MAX: u32 = 32;

/// The agents of a host.
#[derive(Debug)]
pub(in crate::world) struct AgentPool {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) place: RecordPlace,
    /// Those that wait for requests.
    idle: Mutex<Vec<Agent>>,
    /// One of them has come back.
    rested: Notify,
    /// How many more there may be: each takes a channel for as long as it is.
    room: Arc<Semaphore>,
}

impl AgentPool {
    /// Of a host that keeps its records in this place; none is begun yet.
    pub(super) fn new(transport: Arc<dyn Transport>, place: RecordPlace) -> Self {
        // One more than may supervise a job, for everything else.
        let room = Arc::new(Semaphore::new(transport.supervisors() + 1));
        Self { transport, place, idle: Mutex::default(), rested: Notify::new(), room }
    }

    /// An agent that waits for a request; begun if there is none, or waited for where there are as many as may be.
    pub(super) async fn free(&self, until: Instant) -> Result<Agent, Trouble> {
        loop {
            let mut rested = pin!(self.rested.notified());
            // From now on: one that comes back while it is looked for is not missed.
            rested.as_mut().enable();
            if let Some(agent) = self.waiting().await {
                return Ok(agent);
            }
            let room = tokio::select! {
                room = Arc::clone(&self.room).acquire_owned() => room,
                () = rested => continue,
                () = sleep_until(until) => {
                    let why = format!("host `{}` does not answer in time: its agents are all at work", self.host());
                    return Err(Trouble::Unreachable(why));
                }
            };
            let room = room.map_err(|_| Trouble::Unreachable("the host is being left".into()))?;
            return Agent::begin(&*self.transport, &self.place, room, until).await;
        }
    }

    /// One that waits for a request already.
    pub(super) async fn waiting(&self) -> Option<Agent> {
        loop {
            let agent = self.idle().pop()?;
            // Those of a connection that has broken are gone with it.
            if self.transport.carries(agent.link).await {
                return Some(agent);
            }
        }
    }

    /// An agent has answered and waits again.
    pub(super) fn rest(&self, agent: Agent) {
        self.idle().push(agent);
        self.rested.notify_waiters();
    }

    /// A request that may be repeated, and the first word of its answer.
    pub(super) async fn exchange(
        &self,
        agent: &mut Agent,
        words: &str,
        fields: &[&[u8]],
        until: Instant,
    ) -> Result<String, Trouble> {
        for _ in 0..=SPOILED_MAX {
            if let AgentWord::Said(answer) = self.send(agent, words, fields, until).await? {
                return Ok(answer);
            }
        }
        Err(spoiled())
    }

    /// A request and the first word of its answer, if it can be understood.
    pub(super) async fn send(
        &self,
        agent: &mut Agent,
        words: &str,
        fields: &[&[u8]],
        until: Instant,
    ) -> Result<AgentWord, Trouble> {
        let answer = agent.ask(words, fields, until).await;
        if answer.is_err() {
            self.transport.check().await;
        }
        answer
    }

    /// The name of the host.
    pub(super) fn host(&self) -> &str {
        self.transport.host()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Agent>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
