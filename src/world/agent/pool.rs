//! The agents of a host that wait for a request, and how one of them is asked. It must not know what an answer means.

use super::answers::spoiled;
use super::place::RecordPlace;
use super::resident::{Agent, AgentWord};
use super::transport::Transport;
use crate::world::Trouble;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// How often the same is asked when others speak in the midst of the answer.
pub(super) const SPOILED_MAX: u32 = 32;

/// The agents of a host.
#[derive(Debug)]
pub(in crate::world) struct AgentPool {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) place: RecordPlace,
    /// Those that wait for requests.
    idle: Mutex<Vec<Agent>>,
}

impl AgentPool {
    /// Of a host that keeps its records in this place; none is begun yet.
    pub(super) fn new(transport: Arc<dyn Transport>, place: RecordPlace) -> Self {
        Self { transport, place, idle: Mutex::default() }
    }

    /// An agent that waits for a request; begun if there is none.
    pub(super) async fn free(&self, until: Instant) -> Result<Agent, Trouble> {
        match self.waiting().await {
            Some(agent) => Ok(agent),
            None => Agent::begin(&*self.transport, &self.place, until).await,
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
