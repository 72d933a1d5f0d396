//! Effects: what a run may ask of the world, what came of it, and what a rollback will need.
//! Everything here is plain data that the journal stores; nothing here acts.

pub use super::ask::{AnswerKind, Ask, Form, SUSPEND};
use super::automaton::DecisionTable;
use super::mark::Mark;
use super::meaning::{ProbeMeaning, VerbMeaning};
use super::reading::Reading;
pub use super::transfer::Transfer;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What baton promises about an effect when the runner dies in its midst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Reads only: asked again.
    Probe,
    /// Has a goal state: looked at, then re-attached or applied again.
    Idempotent,
    /// At most one start per attempt; settled by evidence or in doubt.
    Once,
    /// Goes on with its original mark and deadline.
    Wait,
    /// Asked again unless answered.
    Human,
    /// Bookkeeping of the run itself.
    Meta,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probe => "probe",
            Self::Idempotent => "idempotent",
            Self::Once => "once",
            Self::Wait => "wait",
            Self::Human => "human",
            Self::Meta => "note",
        })
    }
}

/// One thing asked of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// What is to be done.
    pub action: Action,
    /// How a person reads it: `shutdown(c2)`.
    pub label: String,
    /// The host it happens on, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The service it concerns, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What a rollback needs to undo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// Of a reading: the change that it is made for, which is left out when it reads so already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// A change whose goal is looked at before it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// How a person reads it: `shutdown(c2)`.
    pub change: String,
    /// The readings by which there is nothing to do.
    pub wants: Vec<Value>,
}

/// How to go back: the verb that undoes and the former value it restores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// The verb.
    pub verb: String,
    /// Its arguments; `former` holds the value observed before the change.
    pub args: Fields,
}

impl Undo {
    /// In place of a verb: nothing of it needs to be put back.
    pub const NOTHING: &str = "nothing";
}

/// The kinds of effect. Rarely grows: every `match` on it names its cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A verb or command that changes something on a host.
    Job(Job),
    /// A file that is carried to the host.
    Put(Transfer),
    /// A file that is carried from the host.
    Fetch(Transfer),
    /// A reading.
    Probe(Probe),
    /// Waiting for log records.
    Log(LogWait),
    /// Waiting for a probe to read a value.
    Until(Until),
    /// Waiting for time to pass.
    Sleep {
        /// How long.
        span: Span,
        /// Whether it is a pause between two looks of a wait that the script does itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pause: bool,
        /// How that wait stands. For who watches, no part of what is asked or recorded.
        #[serde(skip)]
        within: Option<Looks>,
    },
    /// A question to a person.
    Ask(Ask),
    /// A fact of the moment that replay must see again.
    Capture(Capture),
    /// A line for the record.
    Note {
        /// What it says.
        text: String,
        /// Whether it is a warning.
        warning: bool,
    },
    /// From here on there is no way back to what was before.
    NoReturn {
        /// What makes it so, as the runbook says.
        why: String,
    },
}

/// How a wait stands whose condition the script looks at itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Looks {
    /// What the last look read.
    pub readings: Vec<LookReading>,
    /// How long it has lasted.
    pub waited: Span,
    /// How much longer it may take, from this pause on.
    pub left: Span,
}

/// One reading of a look.
#[derive(Debug, Clone, PartialEq)]
pub struct LookReading {
    /// The probe: `clients`.
    pub probe: String,
    /// How a person reads it: `clients(c2)`.
    pub label: String,
    /// What it read.
    pub value: Value,
}

/// A change on a host, done by a command under the job wrapper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The verb, which the simulated world acts on.
    pub verb: String,
    /// What that does to the service or its host, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<VerbMeaning>,
    /// `Idempotent` or `Once`.
    pub class: Class,
    /// The command and its arguments, which the real world acts on.
    pub argv: Vec<String>,
    /// The call's arguments by name, as the model sees them.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub args: Fields,
    /// How long it may take, goal included.
    pub limit: Span,
    /// The state that must hold afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// A probe that tells whether a `once` job happened: `yes`, `no`, anything else is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Probe>,
    /// Whether baton may end it when its limit is over.
    pub killable: bool,
    /// The name of the secret that the command reads from its standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The goal state of an idempotent job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Reads the state.
    pub probe: Probe,
    /// The values that count as reached.
    pub wants: Vec<Value>,
    /// How long the state must go on holding.
    pub stays: Span,
}

/// A reading on a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// What is read; the simulated world acts on it.
    pub what: String,
    /// What that tells of the service, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<ProbeMeaning>,
    /// The command and its arguments; the real world acts on it.
    pub argv: Vec<String>,
    /// The call's arguments by name.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub args: Fields,
    /// How long one try may take.
    pub limit: Span,
    /// How often it is tried before it counts as failed.
    pub tries: u32,
    /// How the output becomes a value.
    pub reads: Reading,
    /// How long all tries may take, where the reading is part of a wait: no other begins after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Whether a non-zero exit is a value (the check commands) and not a failure.
    pub exit_tells: bool,
    /// The name of the secret that the command reads from its standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Where a log is and how its events are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSource {
    /// The folder on the host.
    pub dir: String,
    /// The file names, `*` allowed.
    pub files: String,
    /// Anchored patterns with one capture group, the event's number: what stands after it is text.
    pub event_patterns: Vec<String>,
    /// The event numbers that count; others are noise.
    pub events: Vec<i64>,
    /// What events mean, by number, for people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub meanings: BTreeMap<String, String>,
}

/// Waiting for records of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogWait {
    /// Where to read.
    pub source: LogSource,
    /// Where reading starts.
    pub from: Mark,
    /// What ends the wait.
    pub want: Want,
    /// How long to wait.
    pub limit: Span,
    /// How long to wait for the first event at all, if that is shorter (tables only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Span>,
    /// How to see that the service has exited, if that ends the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitWatch>,
}

/// What a wait on a log looks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Want {
    /// The first record that is one of these events or matches one of these patterns.
    Match {
        /// Event numbers.
        events: Vec<i64>,
        /// Regular expressions.
        patterns: Vec<String>,
    },
    /// A decision table, fed with every event until it ends.
    Table(DecisionTable),
}

/// How to see that a service has exited while its log is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExitWatch {
    /// Reads the status.
    pub probe: Probe,
    /// The value that means: not running any more.
    pub gone: Value,
    /// How often to look.
    pub every: Span,
}

/// Waiting for a probe to read one of some values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Until {
    /// What is read.
    pub probe: Probe,
    /// The values that end the wait.
    pub wants: Vec<Value>,
    /// How often to look.
    pub every: Span,
    /// How long the value must go on holding.
    pub stays: Span,
    /// How long to wait.
    pub limit: Span,
}

/// A fact of the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capture {
    /// The wall clock, in milliseconds since 1970.
    Now,
    /// The instant in all clocks, to count a limit by.
    Clocks,
    /// Where a log stands.
    Mark {
        /// The log.
        source: LogSource,
    },
    /// That the host will show another SSH host key, which then counts.
    NewKey,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is done.
    Done {
        /// What the script gets.
        value: Value,
        /// Where the log stands now, for waits and marks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<Mark>,
    },
    /// It failed: a catchable error map in the script.
    Failed(Failure),
    /// A person had it left out: it was not done, the script goes on.
    Skipped {
        /// The reason the person gave.
        reason: String,
        /// Their account.
        by: String,
    },
}

impl Outcome {
    /// Done, with a value and no mark.
    #[must_use]
    pub fn done(value: impl Into<Value>) -> Self {
        Self::Done { value: value.into(), mark: None }
    }
}

/// Why an effect failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// A lower-case fragment: what happened.
    pub message: String,
    /// The exit code of the command, if it ended with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The end of its output, capped; foreign text, not made safe for a terminal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

impl Failure {
    /// Whether what failed may have changed something all the same: it was started, or nobody can tell.
    #[must_use]
    pub fn may_have_changed(&self) -> bool {
        match self.kind {
            FailureKind::Exit | FailureKind::Limit | FailureKind::Goal => true,
            FailureKind::Unreachable | FailureKind::Missing | FailureKind::Declined => false,
            FailureKind::Guard | FailureKind::Unreadable => false,
        }
    }
}

/// The sorts of failure a script can catch; `kind` in its error map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The command ended with a non-zero exit code or by a signal.
    Exit,
    /// The limit was over.
    Limit,
    /// The command ended well but the goal state was not reached.
    Goal,
    /// The host could not be reached or would not do it; nothing was started.
    Unreachable,
    /// The command, file or folder is not there.
    Missing,
    /// A person said no, or that it failed.
    Declined,
    /// A guard did not hold.
    Guard,
    /// A probe's output could not be read.
    Unreadable,
}

impl FailureKind {
    /// The word scripts compare with.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Limit => "limit",
            Self::Goal => "goal",
            Self::Unreachable => "unreachable",
            Self::Missing => "missing",
            Self::Declined => "declined",
            Self::Guard => "guard",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Effect {
    /// What is promised about it.
    #[must_use]
    pub fn class(&self) -> Class {
        match &self.action {
            Action::Job(job) => job.class,
            Action::Put(_) | Action::Fetch(_) => Class::Idempotent,
            Action::Probe(_) => Class::Probe,
            Action::Log(_) | Action::Until(_) | Action::Sleep { .. } => Class::Wait,
            Action::Ask(_) => Class::Human,
            Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => Class::Meta,
        }
    }

    /// Whether it needs a durable intent: everything but what only reads or notes.
    #[must_use]
    pub fn needs_intent(&self) -> bool {
        matches!(self.class(), Class::Idempotent | Class::Once | Class::Wait | Class::Human)
    }

    /// Whether it is only a pause between two looks of a wait that the script does itself: no deed of its own.
    #[must_use]
    pub fn is_pause(&self) -> bool {
        matches!(self.action, Action::Sleep { pause: true, .. })
    }

    /// The same without what is for who watches alone.
    #[must_use]
    pub fn as_recorded(&self) -> Self {
        let mut effect = self.clone();
        if let Action::Sleep { within, .. } = &mut effect.action {
            *within = None;
        }
        effect
    }

    /// The change that was not made, because this reading says that it was so already.
    #[must_use]
    pub fn spared(&self, outcome: &Outcome) -> Option<&str> {
        let (Some(before), Outcome::Done { value, .. }) = (&self.before, outcome) else { return None };
        before.wants.contains(value).then_some(before.change.as_str())
    }

    /// Whether a person may have it left out: the runbook must not be decided by what it would have told.
    #[must_use]
    pub fn may_be_left_out(&self) -> bool {
        match &self.action {
            Action::Job(_) | Action::Put(_) | Action::Fetch(_) | Action::Until(_) | Action::Sleep { .. } => true,
            Action::Log(wait) => match &wait.want {
                Want::Match { events, patterns } => events.len() + patterns.len() == 1,
                Want::Table(_) => false,
            },
            Action::Probe(_) | Action::Ask(_) | Action::Capture(_) => false,
            Action::Note { .. } | Action::NoReturn { .. } => false,
        }
    }

    /// The kind, as divergence messages and the journal name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.action {
            Action::Job(_) => "job",
            Action::Put(_) => "put",
            Action::Fetch(_) => "fetch",
            Action::Probe(_) => "probe",
            Action::Log(_) => "log",
            Action::Until(_) => "until",
            Action::Sleep { .. } => "sleep",
            Action::Ask(_) => "ask",
            Action::Capture(_) => "capture",
            Action::Note { .. } => "note",
            Action::NoReturn { .. } => "no_return",
        }
    }

    /// The verb or probe that asks for it, by which a person names it; of what has none, the word of the language.
    #[must_use]
    pub fn verb(&self) -> &str {
        match &self.action {
            Action::Job(job) => &job.verb,
            Action::Probe(probe) => &probe.what,
            Action::Until(until) => &until.probe.what,
            Action::Put(_) => "put",
            Action::Fetch(_) => "fetch",
            Action::Log(LogWait { want: Want::Match { .. }, .. }) => "wait_for_log",
            Action::Log(LogWait { want: Want::Table(_), .. }) => "watch_log",
            Action::Sleep { .. } => "sleep",
            Action::Ask(ask) => match ask.form {
                Form::Confirm => "confirm",
                Form::Manual => "manual",
                Form::Choose(_) => "choose",
                Form::Write(_) => "ask",
            },
            Action::Capture(Capture::Now | Capture::Clocks) => "now",
            Action::Capture(Capture::Mark { .. }) => "mark",
            Action::Capture(Capture::NewKey) => "expect_new_host_key",
            Action::Note { warning: false, .. } => "note",
            Action::Note { warning: true, .. } => "warn",
            Action::NoReturn { .. } => "point_of_no_return",
        }
    }

    /// Whether baton itself makes something another.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self.action, Action::Job(_) | Action::Put(_) | Action::Fetch(_))
    }

    /// Whether something outside may be another afterwards: by a command, or by the hands of a person.
    #[must_use]
    pub fn may_change(&self) -> bool {
        match &self.action {
            Action::Job(_) | Action::Put(_) | Action::Fetch(_) => true,
            Action::Ask(ask) => ask.form == Form::Manual,
            Action::Probe(_) | Action::Log(_) | Action::Until(_) | Action::Sleep { .. } => false,
            Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => false,
        }
    }

    /// A digest of what is asked and of whom; labels and undo do not count.
    #[must_use]
    pub fn digest(&self) -> String {
        let bytes = serde_json::to_vec(&(&self.action, &self.host, &self.service)).unwrap_or_default();
        blake3::hash(&bytes).to_hex().as_str()[..16].to_owned()
    }
}
