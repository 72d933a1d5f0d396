//! What a runner may do on a host: the folder of its run there, whether the host has been restarted since the run last
//! acted on it, and its lease. The rules of a lease are `world/lease.rs`; what is special about the one of this machine
//! is `world/machine_lease.rs`. It must not start anything.

use super::answers::{refusal, senseless};
use super::frames::bytes_of;
use super::pool::AgentPool;
use super::resident::Agent;
use crate::world::Trouble;
use crate::world::clock::Clock;
use crate::world::lease::{self, Denied, Lease, Runner};
use crate::world::machine_lease::MachineLease;
use crate::world::nonce::nonce;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex as Turn, MutexGuard as Held};
use tokio::time::{Instant, sleep, timeout_at};

/// How often the next lease is tried for when others are quicker.
const LEASE_TRIES: u32 = 100;
/// How often a lease that has no text yet is looked at again, and how long after; then it is nobody's.
const EMPTY_TRIES: u32 = 20;
const EMPTY_PAUSE: Duration = Duration::from_millis(50);
/// How long a request may take that no limit of a step counts for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a look may take once something was refused.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);
/// The longest text of a lease, in bytes.
const LEASE_MAX: usize = 4_096;

/// What runs may do on a host, as far as this process knows.
#[derive(Debug)]
pub(super) struct ActingRights {
    agents: Arc<AgentPool>,
    /// What is special about the host's lease when it is this machine.
    machine: Option<Arc<MachineLease>>,
    /// By run. One at a time asks for it.
    known: Turn<BTreeMap<String, ActingRight>>,
}

/// Whether a run may act on the host.
#[derive(Debug, Clone)]
pub(super) struct ActingRight {
    /// The boot in which it last began to act there before this process came, if it ever did.
    pub(super) former_boot: Option<String>,
    /// The boot in which this process came.
    pub(super) boot: String,
    lease: Option<Lease>,
    /// What counted when it came; no answer when somebody could have changed it since.
    seen: Option<Option<Lease>>,
}

/// What a host tells of a run and of its lease.
#[derive(Debug)]
struct LeaseWord {
    former_boot: Option<String>,
    lease: Option<Lease>,
    /// It has a number and no text: whoever makes it is about to write it, or died before.
    is_empty: bool,
}

impl ActingRights {
    pub(super) fn new(agents: Arc<AgentPool>, machine: Option<Arc<MachineLease>>) -> Self {
        Self { agents, machine, known: Turn::default() }
    }

    /// Makes the folder of a run, or finds it again: what tells it from every other one.
    pub(super) async fn enter(&self, run: &str, until: Instant) -> Result<String, Trouble> {
        let mut known = self.turn(until).await?;
        let fresh = nonce()?;
        let mut agent = self.agents.free(until).await?;
        let answer = self.agents.exchange(&mut agent, &format!("enter {run} - {fresh}"), &[], until).await?;
        let boot = agent.boot.clone();
        self.agents.rest(agent);
        let told = answer.strip_prefix("entered ").and_then(|told| told.split_once(' '));
        let (mark, told) = told.ok_or_else(|| refusal(self.agents.host(), &answer))?;
        let word = self.word_of(told)?;
        if !known.contains_key(run) {
            let seen = if word.is_empty { None } else { Some(word.lease) };
            known.insert(run.to_owned(), ActingRight { former_boot: word.former_boot, boot, lease: None, seen });
        }
        Ok(mark.to_owned())
    }

    /// The fence number under which this runner acts on the host: that of the lease it has, or else of the next; 0 for
    /// a runner of no run, who needs none.
    pub(super) async fn lease(&self, runner: &Runner, force: bool, until: Instant) -> Result<u64, Trouble> {
        if runner.run.is_empty() {
            return Ok(0);
        }
        let mut known = self.turn(until).await?;
        let right = known.get_mut(&runner.run);
        if let Some(lease) = right.as_ref().and_then(|right| right.lease.as_ref())
            && !force
        {
            return Ok(lease.number);
        }
        let mut seen = right.and_then(|right| right.seen.take());
        let mut agent = self.agents.free(until).await?;
        for _ in 0..LEASE_TRIES {
            let looked = seen.take();
            let is_fresh = looked.is_none();
            let there = match looked {
                Some(there) => there,
                None => {
                    let word = self.ask(&mut agent, &runner.run, until).await?;
                    let right = ActingRight {
                        former_boot: word.former_boot,
                        boot: agent.boot.clone(),
                        lease: None,
                        seen: None,
                    };
                    known.entry(runner.run.clone()).or_insert(right);
                    word.lease
                }
            };
            let next = match self.next(there.as_ref(), runner, force) {
                Ok(next) => next,
                Err(_) if !is_fresh => continue,
                Err(denied) => return Err(Trouble::Leased(denied)),
            };
            if next.number > Lease::LAST {
                let (host, name) = (self.agents.host(), Lease::file_name(Lease::LAST));
                return Err(Trouble::Refused(format!(
                    "nobody can take a lease of `{host}`: there is one that can have none after it, `{name}` among the \
                     files of its leases, which baton never made; look whose it is, and remove it"
                )));
            }
            if there.as_ref() == Some(&next) || self.put(&mut agent, &runner.run, &next, until).await? {
                let number = next.number;
                if let Some(right) = known.get_mut(&runner.run) {
                    right.lease = Some(next);
                }
                self.agents.rest(agent);
                return Ok(number);
            }
        }
        Err(Trouble::Refused(format!("others take the leases of `{}` faster than this run can", self.agents.host())))
    }

    /// Gives the lease of the host back, if the run holds it: its number, or 0. It is the next lease that says so.
    pub(super) async fn release(&self, runner: &Runner) -> Result<u64, Trouble> {
        if runner.run.is_empty() {
            return Ok(0);
        }
        let until = Instant::now() + PATIENCE;
        let mut known = self.turn(until).await?;
        let mut agent = self.agents.free(until).await?;
        let mut number = 0;
        // Whoever has taken it meanwhile has taken that number as well.
        let mut own = known.get(&runner.run).and_then(|right| right.lease.clone());
        for _ in 0..LEASE_TRIES {
            let there = match own.take() {
                Some(own) => Some(own),
                None => self.ask(&mut agent, &runner.run, until).await?.lease,
            };
            let Some(lease) = there.filter(|lease| lease.is_of(runner) && !lease.released) else { break };
            // Who was beaten has lost it, and gives nothing back.
            if self.put(&mut agent, &runner.run, &lease.given_back(), until).await? {
                number = lease.number;
                break;
            }
        }
        self.agents.rest(agent);
        known.remove(&runner.run);
        Ok(number)
    }

    /// What is known of the run's right to act on the host; asked for before this process does anything there.
    pub(super) async fn of_run(&self, run: &str, until: Instant) -> Result<ActingRight, Trouble> {
        let mut known = self.turn(until).await?;
        if let Some(right) = known.get(run) {
            return Ok(right.clone());
        }
        let mut agent = self.agents.free(until).await?;
        let former_boot = self.ask(&mut agent, run, until).await?.former_boot;
        let right = ActingRight { former_boot, boot: agent.boot.clone(), lease: None, seen: None };
        self.agents.rest(agent);
        known.insert(run.to_owned(), right.clone());
        Ok(right)
    }

    /// Who has the lease that this runner had, or why that cannot be told.
    pub(super) async fn taken_over(&self, runner: &Runner) -> Trouble {
        let there = async {
            let until = Instant::now() + LOOK_PATIENCE;
            let mut agent = self.agents.free(until).await?;
            let there = self.ask(&mut agent, &runner.run, until).await?.lease;
            self.agents.rest(agent);
            Ok(there)
        };
        match there.await {
            Ok(there) => Trouble::Leased(Lease::lost(there, self.agents.host())),
            Err(trouble) => trouble,
        }
    }

    /// The lease that is to be taken when this one counts.
    fn next(&self, there: Option<&Lease>, runner: &Runner, force: bool) -> Result<Lease, Denied> {
        let host = self.agents.host();
        let machine = self.machine.as_deref();
        if let (Some(machine), Some(there)) = (machine, there)
            && !force
            && machine.went_on_elsewhere(there, runner)
        {
            return Err(Denied::TakenOver { host: host.to_owned(), by: Box::new(there.clone()) });
        }
        let is_void = machine.is_some() && there.is_some_and(MachineLease::is_void);
        let since = lease::since(Clock::real().now().wall);
        let next = Lease::next(there, runner, since, force || is_void, host)?;
        Ok(match machine {
            Some(machine) if there != Some(&next) => Lease { state: Some(machine.state()), ..next },
            Some(_) | None => next,
        })
    }

    /// Makes a lease; not when another was quicker.
    async fn put(&self, agent: &mut Agent, run: &str, next: &Lease, until: Instant) -> Result<bool, Trouble> {
        let text = next.render();
        let lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
        let words = format!("take {run} - {} {}", Lease::file_name(next.number), lines.len());
        let answer = self.agents.exchange(agent, &words, &lines, until).await?;
        match answer.as_str() {
            "taken" => Ok(true),
            "beaten" => Ok(false),
            other => Err(refusal(self.agents.host(), other)),
        }
    }

    /// The boot in which the run last began to act on the host, and the lease that counts there.
    async fn ask(&self, agent: &mut Agent, run: &str, until: Instant) -> Result<LeaseWord, Trouble> {
        for _ in 0..EMPTY_TRIES {
            let word = self.ask_once(agent, run, until).await?;
            if !word.is_empty {
                return Ok(word);
            }
            sleep(EMPTY_PAUSE).await;
        }
        self.ask_once(agent, run, until).await
    }

    async fn ask_once(&self, agent: &mut Agent, run: &str, until: Instant) -> Result<LeaseWord, Trouble> {
        let answer = self.agents.exchange(agent, &format!("lease {run} -"), &[], until).await?;
        let told = answer.strip_prefix("lease ").ok_or_else(|| refusal(self.agents.host(), &answer))?;
        self.word_of(told)
    }

    fn word_of(&self, told: &str) -> Result<LeaseWord, Trouble> {
        let mut words = told.splitn(3, ' ');
        let (Some(boot), Some(number), Some(text)) = (words.next(), words.next(), words.next()) else {
            return Err(senseless());
        };
        let text = match (text.strip_prefix('='), text.strip_prefix('%')) {
            (Some(plain), _) => plain.to_owned(),
            (None, Some(hex)) => {
                let bytes = bytes_of(hex, LEASE_MAX).ok_or_else(senseless)?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            (None, None) => return Err(senseless()),
        };
        let former_boot = Some(boot).filter(|boot| *boot != "none").map(str::to_owned);
        let Some(number) = Lease::number_in(number) else {
            return Ok(LeaseWord { former_boot, lease: None, is_empty: false });
        };
        if text.is_empty() {
            return Ok(LeaseWord { former_boot, lease: Some(Lease::of_nobody(number)), is_empty: true });
        }
        let lease = Lease::parse(&text).filter(|lease| lease.number == number);
        let host = self.agents.host();
        let lease = lease.ok_or_else(|| {
            let name = Lease::file_name(number);
            Trouble::Refused(format!("the lease of `{host}` cannot be used: its file `{name}` is not a lease"))
        })?;
        Ok(LeaseWord { former_boot, lease: Some(lease), is_empty: false })
    }

    async fn turn(&self, until: Instant) -> Result<Held<'_, BTreeMap<String, ActingRight>>, Trouble> {
        let busy = |_| Trouble::Unreachable(format!("host `{}` does not answer in time", self.agents.host()));
        timeout_at(until, self.known.lock()).await.map_err(busy)
    }
}
