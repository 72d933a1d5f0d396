//! What goes wrong in a simulation, as data: which fault, at which occurrence of what. Printable, storable, and
//! made from a seed, so that a counterexample can be told as a story and played again. Nothing here acts.

use crate::model::run::effect::Form;
use crate::model::span::Span;
use crate::sim::random::Random;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The verb of a [`Trigger`] at which a model leaves something open.
pub const CHOICE: &str = "choice";

/// An occurrence in a run: the `nth` time that `verb` reaches `subject`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trigger {
    /// The verb of a job, the form of a question (`confirm`, `manual`, `choose`), or `write` and `install_file` of a
    /// file that is carried. Of a site that is explored also whatever is asked of it (`at start`, `at role`, `at log`),
    /// what happened there by itself (`after …`), and [`CHOICE`].
    pub verb: String,
    /// The service, or the host where there is none, or the question's gate.
    pub subject: String,
    /// Which time, from 1.
    pub nth: u32,
}

/// What goes wrong there. Lengths of time are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// The command ends with exit code 1 and has done nothing.
    FailsBefore,
    /// The command has done its work and ends with exit code 1 all the same.
    FailsAfter,
    /// The job starts, but the link breaks before the reply.
    ReplyLost,
    /// The host cannot be reached from now on for a while; the job is not started, others on it go on.
    HostDown {
        /// For how long.
        ms: u64,
    },
    /// The job's supervisor dies and leaves no exit record.
    JobLost {
        /// Whether the command had done its work.
        happened: bool,
    },
    /// The job does its work and the host restarts under it: its jobs are lost, it is away for a while.
    HostRestarts {
        /// For how long it is away.
        ms: u64,
    },
    /// From now on the service's log lines appear late.
    LogLate {
        /// By how much.
        ms: u64,
    },
    /// Nobody is there to answer.
    Nobody,
    /// The operator says `no`, `failed`, or the last of the options.
    SaysNo,
    /// The operator gives this answer.
    Says {
        /// One of the words of the question's form.
        word: String,
    },
    /// The operator takes this long to answer.
    AnswersLate {
        /// How much longer than usual.
        ms: u64,
    },
    /// The command does its work, and takes longer.
    Slow {
        /// By how much.
        ms: u64,
    },
    /// The probe that is asked for cannot tell.
    ProbeFails,
    /// A host cannot be reached from now on for a while; what runs on it goes on.
    LinkCut {
        /// Which host.
        host: String,
        /// For how long.
        ms: u64,
    },
    /// A host restarts by itself.
    HostDies {
        /// Which host.
        host: String,
        /// For how long it is away.
        ms: u64,
    },
    /// Something befalls a service by itself: what, its model says.
    Suffers {
        /// Which service.
        service: String,
        /// One of the words of the model's `faults(service)`.
        fault: String,
    },
    /// The next line that a service logs is not written.
    LineMissing {
        /// Which service.
        service: String,
    },
    /// The next line that a service logs is written twice.
    LineDoubled {
        /// Which service.
        service: String,
    },
    /// The next line that a service logs is written behind the one that follows it.
    LineSwapped {
        /// Which service.
        service: String,
    },
    /// What the model leaves open goes another way than the usual one.
    Goes {
        /// Which way, by its place in the list.
        way: usize,
    },
}

/// A harm and where it strikes. It strikes once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// What it waits for.
    pub at: Trigger,
    /// What happens then.
    pub harm: Harm,
}

/// Everything that goes wrong in one simulation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultPlan {
    /// The faults of the site.
    pub faults: Vec<Fault>,
    /// The points at which the first, second, … runner dies; see [`CrashClock`](crate::sim::CrashClock).
    pub crashes: Vec<u64>,
}

impl FaultPlan {
    /// A plan of at most `count` faults, each at another of `places`, always the same for the same seed.
    #[must_use]
    pub fn random(seed: u64, places: &[Trigger], count: usize) -> Self {
        let mut random = Random::new(seed);
        let mut faults = Vec::new();
        for _ in 0..count {
            let place = usize::try_from(random.below(places.len() as u64)).unwrap_or(0);
            let Some(at) = places.get(place) else { break };
            if faults.iter().any(|fault: &Fault| fault.at == *at) {
                continue;
            }
            let harms = Harm::possible(at);
            let choice = usize::try_from(random.below(harms.len() as u64)).unwrap_or(0);
            if let Some(harm) = harms.get(choice) {
                faults.push(Fault { at: at.clone(), harm: harm.clone() });
            }
        }
        Self { faults, crashes: Vec::new() }
    }

    /// Every plan of a single fault at one of `places`.
    pub fn singles(places: &[Trigger]) -> impl Iterator<Item = Self> {
        let fault = |at: &Trigger, harm| Fault { at: at.clone(), harm };
        let faults = places.iter().flat_map(move |at| Harm::possible(at).into_iter().map(move |harm| fault(at, harm)));
        faults.map(|fault| Self { faults: vec![fault], crashes: Vec::new() })
    }
}

impl Harm {
    /// The harms that can strike at a place.
    #[must_use]
    pub fn possible(at: &Trigger) -> Vec<Self> {
        if ["confirm", "manual", "choose"].contains(&at.verb.as_str()) {
            return vec![Self::Nobody, Self::SaysNo];
        }
        vec![
            Self::FailsBefore,
            Self::FailsAfter,
            Self::ReplyLost,
            Self::HostDown { ms: 30_000 },
            Self::JobLost { happened: false },
            Self::JobLost { happened: true },
            Self::HostRestarts { ms: 60_000 },
            Self::LogLate { ms: 5_000 },
        ]
    }

    /// What can go wrong with a job that is started.
    #[must_use]
    pub(super) fn of_jobs() -> Vec<Self> {
        vec![
            Self::FailsBefore,
            Self::FailsAfter,
            Self::ReplyLost,
            Self::JobLost { happened: false },
            Self::JobLost { happened: true },
            Self::HostDown { ms: 30_000 },
            Self::Slow { ms: 600_000 },
            Self::LogLate { ms: 5_000 },
        ]
    }

    /// What can go wrong with a file that is carried.
    #[must_use]
    pub(super) fn of_files() -> Vec<Self> {
        vec![Self::FailsBefore, Self::ReplyLost, Self::HostDown { ms: 30_000 }]
    }

    /// What can come of a question.
    #[must_use]
    pub(super) fn of_questions(form: &Form) -> Vec<Self> {
        let words = form.words().into_iter().map(|word| Self::Says { word });
        words.chain([Self::Nobody, Self::AnswersLate { ms: 1_800_000 }]).collect()
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}) #{}", self.verb, self.subject, self.nth)
    }
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailsBefore => f.write_str("the command fails without doing anything"),
            Self::FailsAfter => f.write_str("the command does its work and fails"),
            Self::ReplyLost => f.write_str("the job starts and the reply is lost"),
            Self::HostDown { ms } => write!(f, "the host is out of reach for {ms} ms"),
            Self::JobLost { happened: true } => f.write_str("the job does its work and loses its exit record"),
            Self::JobLost { happened: false } => f.write_str("the job is lost before it does anything"),
            Self::HostRestarts { ms } => write!(f, "the job does its work and the host restarts, away for {ms} ms"),
            Self::LogLate { ms } => write!(f, "from here on log lines appear {ms} ms late"),
            Self::Nobody => f.write_str("nobody is there to answer"),
            Self::SaysNo => f.write_str("the operator says no"),
            Self::Says { word } => write!(f, "the operator says `{word}`"),
            Self::AnswersLate { ms } => write!(f, "the operator answers {} later", Span(*ms)),
            Self::Slow { ms } => write!(f, "the command takes {} longer", Span(*ms)),
            Self::ProbeFails => f.write_str("the probe cannot tell"),
            Self::LinkCut { host, ms } => write!(f, "`{host}` is out of reach for {}", Span(*ms)),
            Self::HostDies { host, ms } => write!(f, "`{host}` restarts by itself, away for {}", Span(*ms)),
            Self::Suffers { service, fault } => write!(f, "{service} {fault}"),
            Self::LineMissing { service } => write!(f, "the next line of {service}'s log is not written"),
            Self::LineDoubled { service } => write!(f, "the next line of {service}'s log is written twice"),
            Self::LineSwapped { service } => {
                write!(f, "the next line of {service}'s log comes behind the one that follows it")
            }
            Self::Goes { way } => write!(f, "it goes way {way}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.harm)
    }
}

impl fmt::Display for FaultPlan {
    /// One line a fault; `nothing goes wrong` when there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults.is_empty() && self.crashes.is_empty() {
            return f.write_str("nothing goes wrong");
        }
        let faults = self.faults.iter().map(ToString::to_string);
        let crash = |(runner, point): (usize, &u64)| format!("runner {} dies at point {point}", runner + 1);
        let lines: Vec<String> = faults.chain(self.crashes.iter().enumerate().map(crash)).collect();
        f.write_str(&lines.join("\n"))
    }
}
