//! What can be asked of the world, and which reply belongs to what: each request is a type of its own that names the
//! type of its reply, so that neither who asks nor who answers can mean another. It carries nothing out.

use super::asked::CommandDigest;
use super::transfer::{Block, DigestFile, FileSeen, FileWork, InstallFile, RUNNER, ReadBlock, WriteBlock};
use super::{Answer, FileStat, JobId, JobState, Line, Probed, Stream, Trouble};
use crate::model::run::effect::Ask;
use crate::model::run::instant::Mono;
use crate::model::run::mark::Identity;
use crate::model::run::record::EffectId;
use crate::model::value::Fields;

/// Start a job unless its id was started before; the reply is its state either way.
#[derive(Debug, Clone, PartialEq)]
pub struct StartJob {
    /// On which host.
    pub host: String,
    /// Under which id.
    pub job: JobId,
    /// For which service, if any.
    pub service: Option<String>,
    /// The verb (the simulated world acts on it).
    pub verb: String,
    /// The command (the real world acts on it).
    pub argv: Vec<String>,
    /// The arguments by name.
    pub args: Fields,
    /// The name of the secret that the command reads from its standard input.
    pub secret: Option<String>,
    /// When to give up.
    pub until: Mono,
}

/// Make the place in which a host keeps what it knows of the jobs of a run, durably, or find it again. Asked before the
/// intent of a job is written: afterwards, a job without a record is told from a record that is gone. The reply tells
/// the place from any other that may be made there later; it is empty where nothing is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct EnterHost {
    /// Which host.
    pub host: String,
    /// Of which run.
    pub run: String,
    /// When to give up.
    pub until: Mono,
}

/// How a job stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct LookAtJob {
    /// On which host.
    pub host: String,
    /// Which job.
    pub job: JobId,
    /// Of which command it must be; not said, of any.
    pub asked: Option<CommandDigest>,
    /// Where its record would be, as [`EnterHost`] said before it was asked for: when that place is gone, the job is
    /// lost and not absent. Not said, nobody knows of such a place.
    pub kept_in: Option<String>,
    /// When to give up.
    pub until: Mono,
}

/// How a job stands as soon as it has ended, or at `until`.
#[derive(Debug, Clone, PartialEq)]
pub struct AwaitJob {
    /// On which host.
    pub host: String,
    /// Which job.
    pub job: JobId,
    /// At the latest.
    pub until: Mono,
}

/// The output of a job from an offset.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOutput {
    /// On which host.
    pub host: String,
    /// Of which job.
    pub job: JobId,
    /// Which stream.
    pub stream: Stream,
    /// From which byte.
    pub from: u64,
    /// How many bytes at the most.
    pub max: u64,
}

/// End a running job; the reply is its state afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct EndJob {
    /// On which host.
    pub host: String,
    /// Which job.
    pub job: JobId,
}

/// Run a command that only reads.
#[derive(Debug, Clone, PartialEq)]
pub struct RunProbe {
    /// On which host.
    pub host: String,
    /// For which service, if any.
    pub service: Option<String>,
    /// What is read (the simulated world acts on it).
    pub what: String,
    /// The command (the real world acts on it).
    pub argv: Vec<String>,
    /// The arguments by name.
    pub args: Fields,
    /// The name of the secret that the command reads from its standard input.
    pub secret: Option<String>,
    /// At the latest.
    pub until: Mono,
}

/// The regular files in a folder and the links to such, by name; `Missing` when there is no such folder.
#[derive(Debug, Clone, PartialEq)]
pub struct ListFolder {
    /// On which host.
    pub host: String,
    /// Which folder.
    pub dir: String,
}

/// Bytes of a file. Fewer than `max` only at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadFile {
    /// On which host.
    pub host: String,
    /// Which folder.
    pub dir: String,
    /// Which file in it.
    pub name: String,
    /// It must be this file, whatever has its name by now; else `Missing`.
    pub identity: Identity,
    /// From which byte.
    pub from: u64,
    /// How many bytes at the most.
    pub max: u64,
}

/// Something about a file that is carried to or from a host. What is to be done decides what the reply is.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkOnFile<W = FileWork> {
    /// On which host, or the [`RUNNER`].
    pub host: String,
    /// What is to be done to which file there.
    pub work: W,
    /// When to give up.
    pub until: Mono,
}

/// Replies with the listing as soon as it differs from `seen`, or at `until`. A missing folder is an empty one.
#[derive(Debug, Clone, PartialEq)]
pub struct AwaitChange {
    /// On which host.
    pub host: String,
    /// Which folder.
    pub dir: String,
    /// What the caller knows.
    pub seen: Vec<FileStat>,
    /// At the latest.
    pub until: Mono,
}

/// Take the lease of a host; without `force` only if nobody else's run holds it. Whatever changes something on a host
/// does so by itself before the first change there. The reply is the fence number.
#[derive(Debug, Clone, PartialEq)]
pub struct TakeLease {
    /// Of which host.
    pub host: String,
    /// Take it from whoever holds it.
    pub force: bool,
}

/// Give the lease of a host back, if the run holds it. The reply is the fence number; 0 when there was nothing to give
/// back.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseLease {
    /// Of which host.
    pub host: String,
}

/// The host may show another key when it is next reached: that one counts from then on. Told before the change.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectNewKey {
    /// Which host.
    pub host: String,
}

/// Replies at this time.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitUntil {
    /// The instant at which it replies.
    pub until: Mono,
}

/// Put a question to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct AskPerson {
    /// For which effect.
    pub id: EffectId,
    /// The question.
    pub ask: Ask,
}

/// A line from whoever steers baton: not an answer for the record, but what to do next.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadLine {
    /// What stands before it.
    pub prompt: String,
}

/// Any request, under the name of its type.
#[allow(missing_docs, reason = "each type says what it is")]
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    StartJob(StartJob),
    EnterHost(EnterHost),
    LookAtJob(LookAtJob),
    AwaitJob(AwaitJob),
    ReadOutput(ReadOutput),
    EndJob(EndJob),
    RunProbe(RunProbe),
    ListFolder(ListFolder),
    ReadFile(ReadFile),
    WorkOnFile(WorkOnFile),
    AwaitChange(AwaitChange),
    TakeLease(TakeLease),
    ReleaseLease(ReleaseLease),
    ExpectNewKey(ExpectNewKey),
    WaitUntil(WaitUntil),
    AskPerson(AskPerson),
    ReadLine(ReadLine),
}

/// Any reply, by its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// How a job stands.
    Job(JobState),
    /// What tells the place of a run's jobs on a host from any other.
    Entered(String),
    /// What stands in a file.
    Bytes(Vec<u8>),
    /// What a command that only reads came to.
    Probed(Probed),
    /// What is in a folder.
    Listing(Vec<FileStat>),
    /// A fence number.
    Lease(u64),
    /// What a file holds that is carried; nothing when there is no such file.
    File(Option<FileSeen>),
    /// A part of a file that is carried.
    Block(Block),
    /// What a person says.
    Answer(Answer),
    /// What came of waiting for a line.
    Line(Line),
    /// It is done, and there is no more to be said.
    Done(()),
}

/// What comes back for a request: the reply, or why it could not be carried out.
pub type CameBack<T = Reply> = Result<T, Trouble>;

/// A request, with the one type of reply that belongs to it.
pub trait HasReply: Into<Request> {
    /// What is replied to it.
    type Reply;

    /// The reply to it, from whoever carries it out.
    fn answered(reply: Self::Reply) -> Reply;

    /// What is in a reply to it; nothing in one of another kind.
    fn told(reply: Reply) -> Option<Self::Reply>;

    /// What came back for it, to whoever asked.
    ///
    /// # Errors
    /// Why it could not be carried out. A world that replies to something else has not carried it out.
    fn came_back(came: CameBack) -> CameBack<Self::Reply> {
        Self::told(came?).ok_or_else(|| Trouble::Refused("the reply does not fit the request".into()))
    }
}

/// Which reply belongs to which request.
macro_rules! replies {
    ($($request:ty => $kind:ident($reply:ty);)*) => {$(
        impl HasReply for $request {
            type Reply = $reply;

            fn answered(reply: $reply) -> Reply {
                Reply::$kind(reply)
            }

            fn told(reply: Reply) -> Option<$reply> {
                if let Reply::$kind(reply) = reply { Some(reply) } else { None }
            }
        }
    )*};
}

replies! {
    StartJob => Job(JobState);
    EnterHost => Entered(String);
    LookAtJob => Job(JobState);
    AwaitJob => Job(JobState);
    ReadOutput => Bytes(Vec<u8>);
    EndJob => Job(JobState);
    RunProbe => Probed(Probed);
    ListFolder => Listing(Vec<FileStat>);
    ReadFile => Bytes(Vec<u8>);
    WorkOnFile<DigestFile> => File(Option<FileSeen>);
    WorkOnFile<ReadBlock> => Block(Block);
    WorkOnFile<WriteBlock> => Done(());
    WorkOnFile<InstallFile> => Done(());
    AwaitChange => Listing(Vec<FileStat>);
    TakeLease => Lease(u64);
    ReleaseLease => Lease(u64);
    ExpectNewKey => Done(());
    WaitUntil => Done(());
    AskPerson => Answer(Answer);
    ReadLine => Line(Line);
}

/// Each of these is one of the whole, under its own name.
macro_rules! parts {
    ($whole:ident: $($part:ident)*) => {$(
        impl From<$part> for $whole {
            fn from(part: $part) -> Self {
                Self::$part(part)
            }
        }
    )*};
}

parts!(FileWork: DigestFile ReadBlock WriteBlock InstallFile);
parts!(Request: StartJob EnterHost LookAtJob AwaitJob ReadOutput EndJob RunProbe ListFolder ReadFile);
parts!(Request: AwaitChange TakeLease ReleaseLease ExpectNewKey WaitUntil AskPerson ReadLine);

impl<W: Into<FileWork>> From<WorkOnFile<W>> for Request {
    fn from(WorkOnFile { host, work, until }: WorkOnFile<W>) -> Self {
        Self::WorkOnFile(WorkOnFile { host, work: work.into(), until })
    }
}

impl Request {
    /// The host it is for, if it is for one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::StartJob(StartJob { host, .. }) | Self::EnterHost(EnterHost { host, .. }) => Some(host),
            Self::LookAtJob(LookAtJob { host, .. }) | Self::AwaitJob(AwaitJob { host, .. }) => Some(host),
            Self::ReadOutput(ReadOutput { host, .. }) | Self::EndJob(EndJob { host, .. }) => Some(host),
            Self::RunProbe(RunProbe { host, .. }) | Self::ListFolder(ListFolder { host, .. }) => Some(host),
            Self::ReadFile(ReadFile { host, .. }) | Self::AwaitChange(AwaitChange { host, .. }) => Some(host),
            Self::WorkOnFile(WorkOnFile { host, .. }) | Self::ExpectNewKey(ExpectNewKey { host }) => Some(host),
            Self::TakeLease(TakeLease { host, .. }) | Self::ReleaseLease(ReleaseLease { host }) => Some(host),
            Self::WaitUntil(_) | Self::AskPerson(_) | Self::ReadLine(_) => None,
        }
    }

    /// The host that it may change something on: for that the runner must hold its lease. The one place that says so;
    /// whoever carries requests out asks here, and so does whoever keeps former runners out.
    #[must_use]
    pub fn changes(&self) -> Option<&str> {
        match self {
            Self::StartJob(StartJob { host, .. }) | Self::EndJob(EndJob { host, .. }) => Some(host),
            Self::WorkOnFile(WorkOnFile { host, work, .. }) => (host != RUNNER && work.changes()).then_some(host),
            // The place of a run's records is made before its lease is taken; leases have rules of their own.
            Self::EnterHost(_) | Self::TakeLease(_) | Self::ReleaseLease(_) => None,
            Self::LookAtJob(_) | Self::AwaitJob(_) | Self::ReadOutput(_) | Self::RunProbe(_) => None,
            Self::ListFolder(_) | Self::ReadFile(_) | Self::AwaitChange(_) | Self::ExpectNewKey(_) => None,
            Self::WaitUntil(_) | Self::AskPerson(_) | Self::ReadLine(_) => None,
        }
    }

    /// For what moment it waits at the longest, if waiting is all that it does.
    pub(crate) fn waits_until(&self) -> Option<Mono> {
        match self {
            Self::AwaitJob(AwaitJob { until, .. })
            | Self::AwaitChange(AwaitChange { until, .. })
            | Self::WaitUntil(WaitUntil { until }) => Some(*until),
            Self::AskPerson(_) | Self::ReadLine(_) => Some(Mono::NEVER),
            Self::StartJob(_) | Self::EnterHost(_) | Self::LookAtJob(_) | Self::ReadOutput(_) => None,
            Self::EndJob(_) | Self::RunProbe(_) | Self::ListFolder(_) | Self::ReadFile(_) => None,
            Self::WorkOnFile(_) | Self::TakeLease(_) | Self::ReleaseLease(_) | Self::ExpectNewKey(_) => None,
        }
    }

    /// Whether it only waits, so that it can be dropped when its reply is forgotten; what acts is carried through.
    pub(crate) fn only_waits(&self) -> bool {
        match self {
            Self::AwaitJob(_) | Self::AwaitChange(_) | Self::WaitUntil(_) => true,
            Self::AskPerson(_) | Self::ReadLine(_) => true,
            // A digest of a large file takes as long as a wait.
            Self::WorkOnFile(WorkOnFile { work, .. }) => !work.changes(),
            Self::StartJob(_) | Self::EnterHost(_) | Self::LookAtJob(_) | Self::ReadOutput(_) => false,
            Self::EndJob(_) | Self::RunProbe(_) | Self::ListFolder(_) | Self::ReadFile(_) => false,
            Self::TakeLease(_) | Self::ReleaseLease(_) | Self::ExpectNewKey(_) => false,
        }
    }
}
