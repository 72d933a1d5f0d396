//! The world: everything outside the program, behind one trait of requests and replies. This room is the
//! only code that touches processes, files of hosts, clocks and terminals; it takes no decisions about steps.
//!
//! `submit` never blocks; `next` blocks for the next completion. In [`SystemWorld`](system::SystemWorld) requests run
//! concurrently on a tokio runtime; in the simulated world they are events of virtual time.

mod agent;
pub mod asked;
pub mod carrier;
pub mod clock;
pub mod crew;
pub mod facts;
mod kept_output;
pub mod lease;
mod link;
pub mod local;
pub mod machine_lease;
mod nonce;
pub mod nowhere;
pub mod operator;
pub mod rehearsal;
pub mod request;
pub mod secrets;
pub mod ssh;
pub mod system;
pub mod trace;
pub mod transfer;

pub use kept_output::KeptOutput;
pub use link::{Link, Try};
pub use request::{CameBack, HasReply, Reply, Request};

use crate::model::run::mark::Identity;
use crate::model::run::record::{EffectId, Moment};
use lease::{Denied, Runner};

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
    /// What came of a request.
    Reply(Ticket, CameBack),
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

/// What a command that only reads came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The exit code (128 + n for signal n).
    pub exit: i32,
    /// Standard output, capped at [`PROBE_BYTES_MAX`].
    pub out: Vec<u8>,
    /// Standard error, capped likewise.
    pub err: Vec<u8>,
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
