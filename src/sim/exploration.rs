//! Where things can go otherwise in a simulated site that is being explored: every instant at which something is asked
//! of it or happens in it, and what could go wrong there. It notes instants and makes nothing happen by itself.

use crate::model::run::instant::Wall;
use crate::sim::fault::{Fault, Harm, Trigger};
use crate::world::Request;
use crate::world::request::{AskPerson, AwaitChange, AwaitJob, RunProbe, StartJob, WorkOnFile};
use crate::world::transfer::RUNNER;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How the verb of an instant begins at which a probe is asked for.
pub(super) const AT_PROBE: &str = "at probe ";

/// An instant at which something could have gone otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Which instant.
    pub at: Trigger,
    /// What could have gone wrong.
    pub harms: Vec<Harm>,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// What it was, and at which instant.
    pub fault: Fault,
    /// When.
    pub when: Wall,
}

/// What is noted of a site that is being explored.
#[derive(Debug, Clone, Default)]
pub(super) struct Exploration {
    counts: BTreeMap<(String, String), u32>,
    points: Vec<Point>,
    /// The instants that were met, by how site and record stood and by what was asked: the same again is no new one.
    met: BTreeSet<(u64, u64, String)>,
    /// How the record of the run stands, as a number that whoever keeps it sets.
    record: Rc<Cell<u64>>,
    struck: Vec<Struck>,
    /// When something was last asked.
    last: Option<Wall>,
    /// The services that were looked at since something last went wrong.
    looked_at: BTreeSet<String>,
}

impl Exploration {
    /// Nothing yet, with the number that says how the record stands.
    pub(super) fn new(record: Rc<Cell<u64>>) -> Self {
        Self { record, ..Self::default() }
    }

    /// The same once more, for another run of events and its record.
    pub(super) fn fork(&self, record: Rc<Cell<u64>>) -> Self {
        Self { record, points: Vec::new(), ..self.clone() }
    }

    /// The next occurrence of this.
    pub(super) fn occurs(&mut self, verb: &str, subject: &str) -> Trigger {
        let nth = self.counts.entry((verb.to_owned(), subject.to_owned())).or_default();
        *nth += 1;
        Trigger { verb: verb.to_owned(), subject: subject.to_owned(), nth: *nth }
    }

    /// Whether such an instant was not met before, the site standing like this.
    pub(super) fn is_new(&mut self, site: u64, at: &Trigger) -> bool {
        self.met.insert((site, self.record.get(), format!("{} {}", at.verb, at.subject)))
    }

    /// Something is asked now: whether time has passed since something was last asked.
    pub(super) fn time_passes(&mut self, now: Wall) -> bool {
        self.last.replace(now) != Some(now)
    }

    /// Notes what could have gone wrong at an instant.
    pub(super) fn note(&mut self, at: Trigger, harms: Vec<Harm>) {
        if !harms.is_empty() {
            self.points.push(Point { at, harms });
        }
    }

    /// Something goes wrong.
    pub(super) fn strike(&mut self, at: &Trigger, harm: &Harm, when: Wall) {
        self.looked_at.clear();
        self.struck.push(Struck { fault: Fault { at: at.clone(), harm: harm.clone() }, when });
    }

    /// A service is looked at.
    pub(super) fn look_at(&mut self, service: &str) {
        self.looked_at.insert(service.to_owned());
    }

    /// What went wrong so far.
    pub(super) fn struck(&self) -> &[Struck] {
        &self.struck
    }

    /// The services that were looked at since something last went wrong.
    pub(super) fn looked_at(&self) -> &BTreeSet<String> {
        &self.looked_at
    }

    /// The instants so far.
    pub(super) fn points(&self) -> Vec<Point> {
        self.points.clone()
    }
}

/// The instant at which a request arrives: what it is about, in the words of a [`Trigger`]. Nothing for what only keeps
/// books.
pub(super) fn instant_of(request: &Request) -> Option<(String, String)> {
    let of = |verb: String, subject: &str| Some((verb, subject.to_owned()));
    match request {
        Request::StartJob(StartJob { host, service, verb, .. }) => {
            of(format!("at {verb}"), service.as_deref().unwrap_or(host))
        }
        Request::RunProbe(RunProbe { host, service, what, .. }) => {
            of(format!("{AT_PROBE}{what}"), service.as_deref().unwrap_or(host))
        }
        Request::AwaitJob(AwaitJob { host, .. }) => of("at the work of".to_owned(), host),
        Request::AwaitChange(AwaitChange { host, .. }) => of("at the logs of".to_owned(), host),
        Request::WaitUntil(_) => of("at".to_owned(), "a pause"),
        Request::AskPerson(AskPerson { ask, .. }) => of("at the question".to_owned(), &ask.gate),
        Request::WorkOnFile(WorkOnFile { host, .. }) if host != RUNNER => of("at the files of".to_owned(), host),
        Request::WorkOnFile(_) | Request::EnterHost(_) | Request::LookAtJob(_) | Request::ReadOutput(_) => None,
        Request::EndJob(_) | Request::ListFolder(_) | Request::ReadFile(_) | Request::ExpectNewKey(_) => None,
        Request::TakeLease(_) | Request::ReleaseLease(_) | Request::ReadLine(_) => None,
    }
}

/// Whether whoever asks for this lets time pass.
pub(super) fn waits(request: &Request) -> bool {
    matches!(request, Request::AwaitJob(_) | Request::AwaitChange(_) | Request::WaitUntil(_) | Request::AskPerson(_))
}
