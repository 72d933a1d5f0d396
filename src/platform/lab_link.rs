//! The wire between a lab and those who use it, the runner and the commands of its hosts: a Unix socket, and for each
//! request one line of JSON each way. It must not know what a lab does with a request.

use super::processes;
use crate::error::{Error, Kind, Result};
use crate::model::run::effect::Ask;
use crate::model::value::Fields;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// The longest line either side accepts, in bytes.
const LINE_MAX: u64 = 4 << 20;
/// How long a caller may take to say what it wants, and to take its reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long what is on its way may take on a busy machine.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// What can be asked of a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabRequest {
    /// A change of a service.
    Verb {
        /// Which service.
        service: String,
        /// Which verb.
        verb: String,
        /// Its arguments.
        args: Fields,
    },
    /// A reading of a service.
    Probe {
        /// Which service.
        service: String,
        /// What is read.
        what: String,
        /// Its arguments.
        args: Fields,
    },
    /// What a runner wants to have started: may it be, as this job? It is carried out when the job comes.
    Admit {
        /// The job.
        job: String,
        /// What it is to do.
        command: LabCommand,
    },
    /// A job that was admitted has been started: carry out what it is to do.
    Job {
        /// The job.
        job: String,
        /// Who records how it ends.
        recorder: JobRecorder,
    },
    /// A reading that a runner wants.
    Read(LabCommand),
    /// A question to the lab's operator.
    Ask(Ask),
    /// How the lab stands.
    State,
    /// The lab is to end.
    Stop,
}

/// Who records how a job ends, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecorder {
    /// The process that does.
    pub process: u32,
    /// The file that says it then; blank before.
    pub record: PathBuf,
}

impl JobRecorder {
    /// Whether it is recorded, or never will be.
    fn is_done(&self) -> bool {
        processes::is_gone(self.process) || std::fs::read(&self.record).is_ok_and(|text| text.starts_with(b"exit "))
    }
}

/// A command of a run, by what it means. Its words are for hosts that have such a program: a lab has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabCommand {
    /// On which host.
    pub host: String,
    /// Of which service, if of one.
    pub service: Option<String>,
    /// Which verb or probe.
    pub name: String,
    /// Its arguments.
    pub args: Fields,
    /// The program that it would be on a host.
    pub program: String,
}

/// Why a lab has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabTrouble {
    /// It is not the lab's: nothing was done.
    NotOurs(String),
    /// The model is wrong: what, and where in its text.
    Model(String),
}

/// What a lab replies. Which fields count depends on the request; the others are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LabReply {
    /// The exit code of the command.
    pub exit: i32,
    /// What the command prints, or the lab's state.
    pub output: String,
    /// The operator's word; empty when they have none.
    pub word: String,
    /// What the operator adds, or what went wrong.
    pub note: String,
    /// Why there is no answer.
    pub trouble: Option<LabTrouble>,
}

/// Asks a lab and waits for the reply, for ever without a `limit`.
///
/// # Errors
/// `Failed` when no lab listens there, it ended before it replied, or the limit was over.
pub fn lab_call(socket: &Path, request: &LabRequest, limit: Option<Duration>) -> Result<LabReply> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Failed, format!("the lab at `{}` does not answer", socket.display())).cause(error)
    };
    let stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(limit).map_err(failed)?;
    send(&stream, request).map_err(failed)?;
    receive(&stream).map_err(failed)
}

/// The lab's end of the wire. The socket is removed when it is dropped.
#[derive(Debug)]
pub struct LabServer {
    socket: PathBuf,
    /// Which file that is: another lab may have made its own there since.
    own: Option<(u64, u64)>,
    calls: Receiver<LabCall>,
    ending: Arc<AtomicBool>,
}

/// A request that waits for its reply. Dropped without one, the caller sees the lab end.
#[derive(Debug)]
pub struct LabCall {
    /// What is asked.
    pub request: LabRequest,
    stream: UnixStream,
}

impl LabServer {
    /// Listens at `socket`, for this account only.
    ///
    /// # Errors
    /// `Refused` when a lab listens there already; `Failed` when the socket cannot be made.
    pub fn bind(socket: &Path) -> Result<Self> {
        let shown = socket.display();
        if UnixStream::connect(socket).is_ok() {
            return Err(Error::new(Kind::Refused, format!("a lab is running at `{shown}` already")));
        }
        // What nobody listens on was left by a lab that died.
        if std::fs::symlink_metadata(socket).is_ok_and(|there| there.file_type().is_socket()) {
            let _ = std::fs::remove_file(socket);
        }
        let failed = |error| {
            Error::new(Kind::Failed, format!("cannot listen at `{shown}`"))
                .cause(error)
                .hint("the path of a socket may have 107 bytes at the most: use a folder with a shorter name")
        };
        let listener = UnixListener::bind(socket).map_err(failed)?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (sender, calls) = channel();
        let ending = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ending);
        std::thread::Builder::new()
            .name("lab link".into())
            .spawn(move || accept(&listener, &ended, &sender))
            .map_err(failed)?;
        Ok(Self { socket: socket.to_path_buf(), own: identity(socket), calls, ending })
    }

    /// The next request, or nothing when none came within `wait`.
    #[must_use]
    pub fn next(&self, wait: Duration) -> Option<LabCall> {
        self.calls.recv_timeout(wait).ok()
    }
}

impl Drop for LabServer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = UnixStream::connect(&self.socket);
        if self.own.is_some() && identity(&self.socket) == self.own {
            let _ = std::fs::remove_file(&self.socket);
        }
    }
}

impl LabCall {
    /// Replies. A caller that has gone meanwhile is no error: it will ask again or it does not care. `recorder` has to
    /// record what the reply means, if anybody has.
    pub fn reply(self, reply: &LabReply, recorder: Option<JobRecorder>) -> Delivery {
        let sent = send(&self.stream, reply).and_then(|()| self.stream.set_nonblocking(true));
        Delivery { stream: sent.is_ok().then_some(self.stream), recorder, patience: Patience::begin() }
    }
}

/// How long something that is on its way between a lab and its hosts is waited for.
#[derive(Debug)]
pub struct Patience(Instant);

impl Patience {
    /// From now on.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Whether it will hardly come any more: whoever should have brought it has died.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.elapsed() > ON_ITS_WAY
    }
}

/// A reply on its way.
#[derive(Debug)]
pub struct Delivery {
    /// Gone when the caller is.
    stream: Option<UnixStream>,
    recorder: Option<JobRecorder>,
    patience: Patience,
}

impl Delivery {
    /// Whether the caller has taken it, and whoever has to record it has: or they had long enough.
    pub fn is_over(&mut self) -> bool {
        if let Some(mut stream) = self.stream.as_ref() {
            let waits = stream.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            if !waits {
                self.stream = None;
            }
        }
        let recorded = self.stream.is_none() && self.recorder.as_ref().is_none_or(JobRecorder::is_done);
        recorded || self.patience.is_over()
    }
}

/// Which file has this name, if any has.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|there| (there.dev(), there.ino()))
}

fn accept(listener: &UnixListener, ended: &AtomicBool, calls: &Sender<LabCall>) {
    for stream in listener.incoming() {
        if ended.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), calls) = (stream, calls.clone()) else { continue };
        // A thread for each caller, so that one that says nothing keeps nobody waiting.
        let _ = std::thread::Builder::new().name("lab caller".into()).spawn(move || hear(stream, &calls));
    }
}

fn hear(stream: UnixStream, calls: &Sender<LabCall>) {
    let patient = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    if patient.is_err() {
        return;
    }
    match receive(&stream) {
        // When the lab is ending nobody takes it, and the caller sees the connection close.
        Ok(request) => {
            let _ = calls.send(LabCall { request, stream });
        }
        Err(error) => {
            let note = format!("this is not a request to a lab: {error}");
            let _ = send(&stream, &LabReply { exit: 2, note, ..LabReply::default() });
        }
    }
}

fn send(mut stream: &UnixStream, what: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn receive<T: DeserializeOwned>(stream: &UnixStream) -> std::io::Result<T> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_MAX)).read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&line)?)
}
