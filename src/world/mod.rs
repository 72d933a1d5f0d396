//! The world: everything outside the program, behind one trait of requests and replies. This room is the
//! only code that touches processes, files of hosts, clocks and terminals; it takes no decisions about steps.
//!
//! `submit` never blocks; `next` blocks for the next completion. In [`SystemWorld`](system::SystemWorld) requests run
//! concurrently on a tokio runtime; in the simulated world they are events of virtual time.

pub mod asked;
pub mod carrier;
pub mod clock;
pub mod facts;
mod kept_output;
pub mod lease;
mod link;
pub mod local;
mod nonce;
pub mod nowhere;
pub mod operator;
pub mod rehearsal;
pub mod secrets;
pub mod ssh;
pub mod system;
pub mod trace;
pub mod transfer;

pub use kept_output::KeptOutput;
pub use link::Link;

use crate::model::run::effect::Ask;
use crate::model::run::instant::Mono;
use crate::model::run::mark::Identity;
use crate::model::run::record::{EffectId, Moment};
use crate::model::value::Fields;
use asked::CommandDigest;
use lease::{Denied, Runner};
use transfer::{Block, FileSeen, FileWork};

/// Names a request under way, so that its reply can be handed to the track that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Everything outside the program.
pub trait World {
    /// What time it is.
    fn now(&mut self) -> Moment;
    /// Begins a request. Its reply comes from [`next`](Self::next) under the same ticket.
    fn submit(&mut self, ticket: Ticket, request: Request);
    /// The next thing that happened, waiting for it if need be.
    fn next(&mut self) -> Completion;
    /// The next thing that came of something: what is only told along the way is passed over.
    fn next_result(&mut self) -> Completion {
        loop {
            let next = self.next();
            if !matches!(next, Completion::Told(_)) {
                return next;
            }
        }
    }
    /// Whether somebody wants what is done here to stop, without waiting for anything: for whoever computes. Told once.
    fn is_interrupted(&mut self) -> bool {
        false
    }
    /// The reply to this request is not wanted any more; none will come. What it started goes on.
    fn forget(&mut self, ticket: Ticket);
    /// From now on it is this runner who asks: hosts are leased to it before the first change there. A world in which
    /// nobody else acts need not care.
    fn act_for(&mut self, _runner: Runner) {}
    /// From now on the hosts of this other run are for the runner too: it is over, and did not give them back. Tells
    /// whether that is new.
    fn follow(&mut self, _run: &str) -> bool {
        false
    }
    /// Where a host keeps what a job wrote, asking nobody; nothing in a world that keeps no files of it.
    fn kept_output(&self, _host: &str, _job: &JobId) -> Option<KeptOutput> {
        None
    }
}

/// What comes back from the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Completion {
    /// The reply to a request.
    Reply(Ticket, Reply),
    /// Something that whoever watches the run should know; nothing has come of it yet.
    Told(String),
    /// The operator pressed Ctrl-C, or the terminal went away.
    Interrupted,
    /// Nothing is under way: waiting would be for ever.
    Idle,
}

/// Which job: the same id is started at most once, however often it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    /// The run.
    pub run: String,
    /// The effect.
    pub effect: EffectId,
    /// The attempt.
    pub attempt: u32,
}

/// Which output of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What can be asked of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Start a job unless its id was started before; the reply is its state either way.
    Start {
        /// On which host.
        host: String,
        /// Under which id.
        job: JobId,
        /// For which service, if any.
        service: Option<String>,
        /// The verb (the simulated world acts on it).
        verb: String,
        /// The command (the real world acts on it).
        argv: Vec<String>,
        /// The arguments by name.
        args: Fields,
        /// The name of the secret that the command reads from its standard input.
        secret: Option<String>,
        /// When to give up.
        until: Mono,
    },
    /// Make the place in which a host keeps what it knows of the jobs of a run, durably, or find it again. Asked
    /// before the intent of a job is written: afterwards, a job without a record is told from a record that is gone.
    Enter {
        /// On which host.
        host: String,
        /// Of which run.
        run: String,
        /// When to give up.
        until: Mono,
    },
    /// How a job stands now.
    Look {
        /// On which host.
        host: String,
        /// Which job.
        job: JobId,
        /// Of which command it must be; not said, of any.
        asked: Option<CommandDigest>,
        /// Where its record would be, as [`Request::Enter`] said before it was asked for: when that place is gone, the
        /// job is lost and not absent. Not said, nobody knows of such a place.
        kept_in: Option<String>,
        /// When to give up.
        until: Mono,
    },
    /// How a job stands as soon as it has ended, or at `until`.
    JobEnd {
        /// On which host.
        host: String,
        /// Which job.
        job: JobId,
        /// At the latest.
        until: Mono,
    },
    /// The output of a job from an offset.
    JobOutput {
        /// On which host.
        host: String,
        /// Which job.
        job: JobId,
        /// Which stream.
        stream: Stream,
        /// From which byte.
        from: u64,
        /// How many bytes at the most.
        max: u64,
    },
    /// End a running job.
    EndJob {
        /// On which host.
        host: String,
        /// Which job.
        job: JobId,
    },
    /// Run a command that only reads.
    Probe {
        /// On which host.
        host: String,
        /// For which service, if any.
        service: Option<String>,
        /// What is read (the simulated world acts on it).
        what: String,
        /// The command (the real world acts on it).
        argv: Vec<String>,
        /// The arguments by name.
        args: Fields,
        /// The name of the secret that the command reads from its standard input.
        secret: Option<String>,
        /// At the latest.
        until: Mono,
    },
    /// The regular files in a folder and the links to such, by name; `Missing` when there is no such folder.
    List {
        /// On which host.
        host: String,
        /// Which folder.
        dir: String,
    },
    /// Bytes of a file. Fewer than `max` only at its end.
    Read {
        /// On which host.
        host: String,
        /// Which folder.
        dir: String,
        /// Which file in it.
        name: String,
        /// It must be this file, whatever has its name by now; else `Missing`.
        identity: Identity,
        /// From which byte.
        from: u64,
        /// How many bytes at the most.
        max: u64,
    },
    /// Something about a file that is carried to or from a host.
    File {
        /// On which host, or the [`RUNNER`](transfer::RUNNER).
        host: String,
        /// What is to be done to which file there.
        work: FileWork,
        /// When to give up.
        until: Mono,
    },
    /// Replies with the listing as soon as it differs from `seen`, or at `until`. A missing folder is an empty one.
    Changed {
        /// On which host.
        host: String,
        /// Which folder.
        dir: String,
        /// What the caller knows.
        seen: Vec<FileStat>,
        /// At the latest.
        until: Mono,
    },
    /// Take the lease of a host; without `force` only if nobody else's run holds it. Whatever changes something on a
    /// host does so by itself before the first change there.
    TakeLease {
        /// Of which host.
        host: String,
        /// Take it from whoever holds it.
        force: bool,
    },
    /// Give the lease of a host back, if the run holds it.
    Release {
        /// Of which host.
        host: String,
    },
    /// The host may show another key when it is next reached: that one counts from then on. Told before the change.
    ExpectNewKey {
        /// Which host.
        host: String,
    },
    /// Replies at this time.
    WaitUntil {
        /// The time at which it replies.
        until: Mono,
    },
    /// Put a question to a person.
    Ask {
        /// For which effect.
        id: EffectId,
        /// The question.
        ask: Ask,
    },
    /// A line from whoever steers baton: not an answer for the record, but what to do next.
    Line {
        /// What stands before it.
        prompt: String,
    },
}

impl Request {
    /// The host it is for, if it is for one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Start { host, .. } | Self::Look { host, .. } | Self::JobEnd { host, .. } => Some(host),
            Self::Enter { host, .. } => Some(host),
            Self::JobOutput { host, .. } | Self::EndJob { host, .. } | Self::Probe { host, .. } => Some(host),
            Self::List { host, .. } | Self::Read { host, .. } | Self::Changed { host, .. } => Some(host),
            Self::File { host, .. } => Some(host),
            Self::TakeLease { host, .. } | Self::Release { host } | Self::ExpectNewKey { host } => Some(host),
            Self::WaitUntil { .. } | Self::Ask { .. } | Self::Line { .. } => None,
        }
    }

    /// The host that it may change something on: for that the runner must hold its lease. The one place that says so;
    /// whoever carries requests out asks here, and so does whoever keeps former runners out.
    #[must_use]
    pub fn changes(&self) -> Option<&str> {
        match self {
            Self::Start { host, .. } | Self::EndJob { host, .. } => Some(host),
            Self::File { host, work, .. } => (host != transfer::RUNNER && work.changes()).then_some(host),
            // The place of a run's records is made before its lease is taken; leases have rules of their own.
            Self::Enter { .. } | Self::TakeLease { .. } | Self::Release { .. } => None,
            Self::Look { .. } | Self::JobEnd { .. } | Self::JobOutput { .. } | Self::Probe { .. } => None,
            Self::List { .. } | Self::Read { .. } | Self::Changed { .. } | Self::ExpectNewKey { .. } => None,
            Self::WaitUntil { .. } | Self::Ask { .. } | Self::Line { .. } => None,
        }
    }

    /// For what moment it waits at the longest, if waiting is all that it does.
    pub(crate) fn waits_until(&self) -> Option<Mono> {
        match self {
            Self::JobEnd { until, .. } | Self::Changed { until, .. } | Self::WaitUntil { until } => Some(*until),
            Self::Ask { .. } | Self::Line { .. } => Some(Mono::NEVER),
            Self::Start { .. } | Self::Look { .. } | Self::JobOutput { .. } | Self::EndJob { .. } => None,
            Self::Enter { .. } => None,
            Self::Probe { .. } | Self::List { .. } | Self::Read { .. } | Self::File { .. } => None,
            Self::TakeLease { .. } | Self::Release { .. } | Self::ExpectNewKey { .. } => None,
        }
    }

    /// Whether it only waits, so that it can be dropped when its reply is forgotten; what acts is carried through.
    pub(crate) fn only_waits(&self) -> bool {
        match self {
            Self::JobEnd { .. } | Self::Changed { .. } | Self::WaitUntil { .. } => true,
            Self::Ask { .. } | Self::Line { .. } => true,
            // A digest of a large file takes as long as a wait.
            Self::File { work, .. } => !work.changes(),
            Self::Start { .. }
            | Self::Enter { .. }
            | Self::Look { .. }
            | Self::JobOutput { .. }
            | Self::EndJob { .. }
            | Self::Probe { .. }
            | Self::List { .. }
            | Self::Read { .. }
            | Self::TakeLease { .. }
            | Self::Release { .. }
            | Self::ExpectNewKey { .. } => false,
        }
    }
}

/// A file in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileStat {
    /// Its name.
    pub name: String,
    /// Which file it is.
    pub identity: Identity,
    /// Its length in bytes.
    pub len: u64,
    /// When it was last written, in nanoseconds since 1970: tells a file rewritten to the same length.
    pub modified: i64,
    /// What stands under the name.
    pub kind: FileKind,
}

/// What stands under a name in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A symbolic link to a regular file; the rest of what is known is that file's.
    Link,
    /// A symbolic link whose file is not there or cannot be reached; nothing else is known.
    Nowhere,
    /// Something whose name is not UTF-8, so that nobody could ask for it; the name is what can be shown of it.
    Unnamed,
    /// A folder, a pipe or another thing that is no regular file: it is never opened, and nothing else is known.
    Other,
}

impl FileStat {
    /// Something of this name that is no regular file.
    pub(crate) fn other(name: String) -> Self {
        Self { name, identity: Identity { device: 0, inode: 0 }, len: 0, modified: 0, kind: FileKind::Other }
    }
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Never started under this id.
    Absent,
    /// Running now.
    Running,
    /// Ended with this exit code (128 + n for signal n).
    Exited(i32),
    /// It was started, is not running, and left no exit record; the reason in words.
    Lost(String),
    /// What was started under this id is another command than the one asked for, which was not started.
    Foreign,
}

/// Why a job is lost of which there is no record where one would be.
const RECORDS_GONE: &str =
    "the folder in which the host kept what it knew of this run's jobs is gone, or was put back from a copy";

/// The reply to a [`Request`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// To `Start`, `Look`, `JobEnd` and `EndJob`.
    Job(JobState),
    /// To `Enter`: what tells the place from any other that may be made there later. Empty where nothing is lost.
    Entered(String),
    /// To `JobOutput` and `Read`.
    Bytes(Vec<u8>),
    /// To `Probe`.
    Probed {
        /// The exit code (128 + n for signal n).
        exit: i32,
        /// Standard output, capped at [`PROBE_BYTES_MAX`].
        out: Vec<u8>,
        /// Standard error, capped likewise.
        err: Vec<u8>,
    },
    /// To `List` and `Changed`.
    Listing(Vec<FileStat>),
    /// To `TakeLease` and `Release`: the fence number; 0 when there was nothing to give back.
    Lease(u64),
    /// To `ExpectNewKey`.
    Noted,
    /// To `FileWork::Digest`: nothing when there is no such file.
    File(Option<FileSeen>),
    /// To `FileWork::Read`.
    Block(Block),
    /// To `FileWork::Write` and `FileWork::Install`: done.
    Kept,
    /// To `WaitUntil`.
    Woke,
    /// To `Ask`.
    Answer(Answer),
    /// To `Line`.
    Line(Line),
    /// The request could not be carried out.
    Trouble(Trouble),
}

/// The most a probe may print; more is cut.
pub const PROBE_BYTES_MAX: usize = 1 << 20;

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// They answered.
    Given {
        /// The word, one of the form's.
        word: String,
        /// What they added.
        note: String,
        /// Who: an account, or `lab operator`.
        by: String,
    },
    /// There is no one to ask: no terminal, or it was closed, or they typed `suspend`.
    Nobody(String),
}

/// What came of waiting for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// It was typed; without its newline.
    Typed(String),
    /// Ctrl-C at the prompt: what was typed so far is dropped.
    Cancelled,
    /// Nobody will type any more: end of input, a terminal that went away, or none at all; why.
    Closed(String),
}

/// Why a request could not be carried out. Never means "perhaps": what is uncertain is a [`JobState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The host cannot be reached; nothing was started.
    Unreachable(String),
    /// The command, file or folder is not there.
    Missing(String),
    /// `until` was over before it was done (probes).
    Late,
    /// The host would not: permission, disk full.
    Refused(String),
    /// The link broke before the reply: it may or may not have been done. Look again.
    Lost(String),
    /// The host is not leased to this runner. Nothing was started.
    Leased(Denied),
}

/// The run is being stopped: give up at once, change nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;
