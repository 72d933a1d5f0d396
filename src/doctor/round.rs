//! Reads what is planned: all hosts at once, each by a few strands side by side, everything twice. A host that gives no
//! answer costs its own time and nobody else's. It keeps what came back and judges none of it.

use super::plan::{HostPlan, ReadingPlan, ServicePlan};
use crate::dispatch::{Body, Dispatcher, Door};
use crate::exec::{self, LogSeen, Scanners};
use crate::model::run::effect::{Effect, Failure, FailureKind};
use crate::model::run::record::Moment;
use crate::world::Stopped;
use crate::world::facts::Facts;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// How many readings of a host are under way at a time. OpenSSH allows ten sessions, and baton uses six.
const LANES: usize = 4;
/// How many readings of a host may hang before the rest is left alone.
const HANGING: u32 = 4;

/// What came back, by host.
pub(super) type HostReplies = BTreeMap<String, HostSeen>;

/// What came back of a host.
#[derive(Default)]
pub(super) struct HostSeen {
    /// What it is like, or why that cannot be told, and when it was asked and answered.
    pub(super) facts: Option<(Result<Facts, Failure>, Moment, Moment)>,
    /// Accounts that cannot be entered; why.
    pub(super) refused: BTreeMap<String, Failure>,
    /// Its services.
    pub(super) services: BTreeMap<String, ServiceSeen>,
    /// Nothing more was asked: too many readings gave no answer.
    pub(super) given_up: bool,
}

/// What came back of a service.
#[derive(Default)]
pub(super) struct ServiceSeen {
    /// What each probe printed, once for each round.
    pub(super) probes: BTreeMap<String, Vec<Result<String, Failure>>>,
    /// What its log showed, once for each round.
    pub(super) log: Vec<LogSeen>,
}

/// One reading, by the places of the service and of its probe; without a probe, of the log.
type ReadingTask = (usize, Option<usize>);

/// One host while it is read.
struct Visit {
    link: Rc<Dispatcher>,
    plan: Rc<ReadingPlan>,
    at: usize,
    seen: RefCell<HostSeen>,
    errands: RefCell<VecDeque<ReadingTask>>,
    hanging: Cell<u32>,
    scanners: Scanners,
}

/// Reads all of it.
pub(super) fn read_all(link: &Rc<Dispatcher>, plan: &Rc<ReadingPlan>, seen: &Rc<RefCell<HostReplies>>) {
    let bodies = (0..plan.hosts.len()).map(|at| {
        let (link, plan, seen) = (Rc::clone(link), Rc::clone(plan), Rc::clone(seen));
        let body: Body = Box::new(move || {
            let visit = Rc::new(Visit {
                link,
                plan,
                at,
                seen: RefCell::default(),
                errands: RefCell::default(),
                hanging: Cell::new(0),
                scanners: Scanners::default(),
            });
            // Whoever is stopped has nothing to tell: nobody reads it.
            let _ = visit.host();
            let name = visit.plan().name.clone();
            seen.borrow_mut().insert(name, visit.seen.take());
        });
        body
    });
    // Stopped: why is kept by the door.
    let _ = link.fork(bodies.collect());
}

impl Visit {
    fn plan(&self) -> &HostPlan {
        &self.plan.hosts[self.at]
    }

    fn host(self: &Rc<Self>) -> Result<(), Stopped> {
        let link = self.link.link();
        if let Some(effect) = &self.plan().facts {
            let asked = link.now();
            let read = self.read(effect)?;
            let unread = |said: &String| Failure {
                kind: FailureKind::Unreadable,
                message: "it did not come to the end of what it was asked".into(),
                exit: None,
                output: said.clone(),
            };
            let facts = read.and_then(|said| Facts::read(&said).ok_or_else(|| unread(&said)));
            let gone = facts.is_err();
            self.seen.borrow_mut().facts = Some((facts, asked, link.now()));
            if gone {
                return Ok(());
            }
        }
        for (account, effect) in &self.plan().accounts {
            if let Err(failure) = self.read(effect)? {
                self.seen.borrow_mut().refused.insert(account.clone(), failure);
            }
        }
        for _round in 0..2 {
            self.round()?;
        }
        Ok(())
    }

    /// Everything once, in some strands.
    fn round(self: &Rc<Self>) -> Result<(), Stopped> {
        let refused: BTreeSet<String> = self.seen.borrow().refused.keys().cloned().collect();
        let barred = |service: &&ServicePlan| service.account.as_ref().is_some_and(|account| refused.contains(account));
        let mut errands = VecDeque::new();
        for (index, service) in self.plan().services.iter().enumerate().filter(|(_, service)| !barred(service)) {
            errands.extend((0..service.probes.len()).map(|probe| (index, Some(probe))));
            errands.extend(service.log.as_ref().map(|_| (index, None)));
        }
        let lanes = LANES.min(errands.len());
        self.errands.replace(errands);
        let lane = |_| {
            let visit = Rc::clone(self);
            let body: Body = Box::new(move || {
                let _ = visit.lane();
            });
            body
        };
        self.link.fork((0..lanes).map(lane).collect()).map_err(|_| Stopped)
    }

    fn lane(&self) -> Result<(), Stopped> {
        loop {
            let errand = self.errands.borrow_mut().pop_front();
            let Some((service, probe)) = errand else { return Ok(()) };
            if self.hanging.get() >= HANGING {
                self.seen.borrow_mut().given_up = true;
                return Ok(());
            }
            let about = &self.plan().services[service];
            match probe {
                Some(probe) => self.probe(about, probe)?,
                None => self.log(about)?,
            }
        }
    }

    fn probe(&self, service: &ServicePlan, probe: usize) -> Result<(), Stopped> {
        let reader = &service.probes[probe];
        // What hung once would hang again.
        let hung = |read: &Result<String, Failure>| read.as_ref().is_err_and(|why| why.kind == FailureKind::Limit);
        let known = |seen: &HostSeen| {
            let probes = seen.services.get(&service.name).map(|seen| &seen.probes);
            probes.and_then(|probes| probes.get(&reader.name)).is_some_and(|reads| reads.iter().any(hung))
        };
        if known(&self.seen.borrow()) {
            return Ok(());
        }
        let read = self.read(&reader.effect)?;
        if hung(&read) {
            self.hanging.set(self.hanging.get() + 1);
        }
        let mut seen = self.seen.borrow_mut();
        let service = seen.services.entry(service.name.clone()).or_default();
        service.probes.entry(reader.name.clone()).or_default().push(read);
        Ok(())
    }

    fn log(&self, service: &ServicePlan) -> Result<(), Stopped> {
        let Some(Ok(source)) = &service.log else { return Ok(()) };
        // What hung once would hang again.
        let known =
            |seen: &HostSeen| seen.services.get(&service.name).is_some_and(|seen| seen.log.contains(&LogSeen::Late));
        if known(&self.seen.borrow()) {
            return Ok(());
        }
        let seen = exec::look_at_log(self.link.link(), &self.plan().name, source, &self.scanners)?;
        if seen == LogSeen::Late {
            self.hanging.set(self.hanging.get() + 1);
        }
        self.seen.borrow_mut().services.entry(service.name.clone()).or_default().log.push(seen);
        Ok(())
    }

    /// Reads a probe as it is printed.
    fn read(&self, effect: &Effect) -> Result<Result<String, Failure>, Stopped> {
        Ok(exec::read_again(self.link.link(), effect)?.map(|value| value.to_string()))
    }
}
