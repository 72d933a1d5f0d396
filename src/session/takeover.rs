//! Taking a run's hosts over from whoever works there, a runner that hangs or another run: the fence number is raised
//! on every host before anything else, so that nothing that was begun under a lower one gets any further.

use crate::dispatch::runner;
use crate::error::{Error, Kind, Result};
use crate::journal::{Store, StoreResult};
use crate::model::run::record::{EffectId, Fact, Moment, TrackId, Who};
use crate::model::span::Span;
use crate::world::request::{LookAtJob, TakeLease};
use crate::world::{Completion, HasReply, JobId, Ticket, Trouble, World};
use std::collections::BTreeMap;

/// How long a host may take to show that it can be reached.
const PATIENCE: Span = Span::mins(1);

/// What a person wants taken over.
#[derive(Debug, Clone)]
pub struct Takeover {
    /// The run that is to hold the hosts.
    pub run: String,
    /// The hosts.
    pub hosts: Vec<String>,
    /// Those of its hosts that stay as they are.
    pub without: Vec<String>,
    /// Why they may be taken over, as whoever does it says: it goes into the record.
    pub reason: String,
    /// For whom it is done, if not for whoever types it.
    pub name: Option<String>,
    /// Who types it.
    pub by: Who,
}

impl Takeover {
    /// Raises the fence number on every host, for a runner that comes after record `last_seq` of the run: all of them
    /// or, when one cannot be reached, none. Gives the numbers by host.
    ///
    /// # Errors
    /// `Refused` naming the hosts that cannot be reached or taken; `Interrupted`.
    pub fn raise(&self, world: &mut dyn World, last_seq: u64) -> Result<BTreeMap<String, u64>> {
        world.act_for(runner(&self.run, &self.by, last_seq + 1));
        let until = world.now().mono + PATIENCE;
        let job = self.no_job();
        let look =
            |host: &String| LookAtJob { host: host.clone(), job: job.clone(), asked: None, kept_in: None, until };
        let (_, deaf) = self.ask(world, look)?;
        if !deaf.is_empty() {
            return Err(self.unreachable(&deaf).hint("nothing was taken over"));
        }
        let take = |host: &String| TakeLease { host: host.clone(), force: true };
        let (numbers, deaf) = self.ask(world, take)?;
        if deaf.is_empty() { Ok(numbers) } else { Err(self.unreachable(&deaf).hint(some(&numbers))) }
    }

    /// Writes down who took the run over, and why; `at` is the time and `numbers` are those that [`raise`](Self::raise)
    /// gave. A runner that still wrote after `last_seq` is told of by the error.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::journal::StoreError) when another writer was there first.
    pub fn record(
        &self,
        store: &mut dyn Store,
        last_seq: u64,
        numbers: &BTreeMap<String, u64>,
        at: Moment,
    ) -> StoreResult<u64> {
        let hosts: Vec<String> = numbers.iter().map(|(host, number)| format!("{host} (lease {number})")).collect();
        let person = self.name.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
        let left =
            if self.without.is_empty() { String::new() } else { format!(", without {}", self.without.join(", ")) };
        let held = if hosts.is_empty() { String::new() } else { format!(": {}", hosts.join(", ")) };
        let what = format!("took the run over{person}{held}{left}");
        let hosts = numbers.keys().cloned().collect();
        let record = Fact::Deviation { what, reason: self.reason.clone(), hosts }.by(self.by.clone(), at);
        store.append(&self.run, last_seq, &[record.into()])
    }

    /// A job that never is: whoever can tell so can be reached.
    fn no_job(&self) -> JobId {
        JobId { run: self.run.clone(), effect: EffectId { track: TrackId::main(), n: 0 }, attempt: 0 }
    }

    /// Asks all hosts the same, all at once: what they reply, and why those do not that do not.
    fn ask<R: HasReply>(&self, world: &mut dyn World, request: impl Fn(&String) -> R) -> Result<ByHost<R::Reply>> {
        let (mut replies, mut deaf) = ByHost::default();
        for (ticket, host) in (1..).zip(&self.hosts) {
            world.submit(Ticket(ticket), request(host).into());
        }
        for _ in &self.hosts {
            let (ticket, came) = match world.next_result() {
                Completion::Reply(Ticket(ticket), came) => (ticket, came),
                Completion::Told(_) | Completion::Interrupted | Completion::Idle => {
                    let hint = format!("do it again: {}", self.command());
                    return Err(Error::new(Kind::Interrupted, "interrupted while hosts were taken over").hint(hint));
                }
            };
            let host = usize::try_from(ticket - 1).ok().and_then(|index| self.hosts.get(index)).cloned();
            let host = host.unwrap_or_default();
            match R::came_back(came) {
                Ok(reply) => drop(replies.insert(host, reply)),
                Err(trouble) => drop(deaf.insert(host, words(trouble))),
            }
        }
        Ok((replies, deaf))
    }

    fn unreachable(&self, deaf: &BTreeMap<String, String>) -> Box<Error> {
        let names: Vec<String> = deaf.keys().map(|host| format!("`{host}`")).collect();
        let error = Error::new(Kind::Refused, format!("{} cannot be taken over", names.join(", ")));
        let error = deaf.iter().fold(error, |error, (host, why)| error.cause(format!("{host}: {why}")));
        let left: String = deaf.keys().map(|host| format!(" --without {host}")).collect();
        error
            .hint(format!("when it can be reached: {}", self.command()))
            .hint(format!("or leave it as it is, if nobody works there: {}{left}", self.command()))
    }

    fn command(&self) -> String {
        format!("baton takeover {} --reason \"why\"", self.run)
    }
}

/// The replies by host, and why others gave none.
type ByHost<T> = (BTreeMap<String, T>, BTreeMap<String, String>);

fn some(numbers: &BTreeMap<String, u64>) -> String {
    let hosts: Vec<&str> = numbers.keys().map(String::as_str).collect();
    if hosts.is_empty() {
        "nothing was taken over".to_owned()
    } else {
        format!("taken over already: {}", hosts.join(", "))
    }
}

fn words(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unreachable(why) | Trouble::Missing(why) | Trouble::Refused(why) => why,
        Trouble::Lost(why) => why,
        Trouble::Leased(denied) => denied.to_string(),
        Trouble::Late => "no reply in time".to_owned(),
    }
}
