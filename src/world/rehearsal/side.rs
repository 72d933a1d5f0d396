//! The wall around a rehearsal. Whatever a run asks of its hosts goes through here first: nothing is started but the
//! lab's own tool, nothing is read or written but what lies below the lab's folder. What a command means is answered by
//! the lab; its words are never carried out. It must not know what a command means.

use super::pace::Pace;
use crate::model::site::account;
use crate::model::value::{Fields, Value};
use crate::platform::beneath::beneath;
use crate::platform::lab_link::{LabCommand, LabReply, LabRequest, LabTrouble, lab_call};
use crate::world::request::{AwaitChange, ListFolder, ReadFile, WorkOnFile};
use crate::world::transfer::{DigestFile, FileWork, InstallFile, RUNNER, ReadBlock, WriteBlock};
use crate::world::{JobId, Probed, Request, Trouble};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a lab may take to say something that takes no time in it.
const PATIENCE: Duration = Duration::from_secs(30);
/// What lies in a lab's folder for the lab itself.
const ITS_OWN: [&str; 4] = ["models", "products", "bin", "jobs"];

/// A lab, as a world in which it is rehearsed sees it.
#[derive(Debug, Clone)]
pub struct LabSide {
    folder: PathBuf,
    socket: PathBuf,
    program: PathBuf,
    pub(in crate::world) pace: Arc<Pace>,
}

/// A command that a run would start on a host.
pub(in crate::world) struct RehearsalCommand<'a> {
    pub(in crate::world) host: &'a str,
    pub(in crate::world) service: Option<&'a str>,
    pub(in crate::world) name: &'a str,
    pub(in crate::world) args: &'a Fields,
    pub(in crate::world) argv: &'a [String],
}

impl LabSide {
    /// The lab in `folder`, which listens at `socket`; `program` is baton, which its hosts have in place of everything.
    #[must_use]
    pub fn new(folder: PathBuf, socket: PathBuf, program: PathBuf, pace: Arc<Pace>) -> Self {
        Self { folder, socket, program, pace }
    }

    /// Why a request is none that a rehearsal may make.
    pub(in crate::world) fn refusal(&self, request: &Request) -> Option<Trouble> {
        let wrong = match request {
            Request::ListFolder(ListFolder { dir, .. })
            | Request::ReadFile(ReadFile { dir, .. })
            | Request::AwaitChange(AwaitChange { dir, .. }) => self.inside(dir).err(),
            Request::WorkOnFile(WorkOnFile { host, work, .. }) => self.file(host, work).err(),
            // Asked of the lab when they are carried out; no word of them is.
            Request::StartJob(_) | Request::RunProbe(_) | Request::EnterHost(_) => None,
            // What is known of jobs lies below the lab's folder, where its inventory says: `Lab::fits`.
            Request::LookAtJob(_) | Request::AwaitJob(_) | Request::ReadOutput(_) | Request::EndJob(_) => None,
            Request::TakeLease(_) | Request::ReleaseLease(_) | Request::ExpectNewKey(_) => None,
            Request::WaitUntil(_) | Request::AskPerson(_) | Request::ReadLine(_) => None,
        };
        wrong.map(|wrong| Trouble::Refused(format!("a rehearsal leaves everything outside its lab alone: {wrong}")))
    }

    /// The command that stands for what a run would start: the lab's own tool. `record` says how it ended, once it has.
    pub(in crate::world) async fn start(
        &self,
        (id, record): (&JobId, &Path),
        wanted: RehearsalCommand<'_>,
    ) -> Result<Vec<String>, Trouble> {
        let (job, command) = (name_of(id), wanted.command());
        self.ask(LabRequest::Admit { job: job.clone(), command }).await?;
        let own = |path: &Path| path.display().to_string();
        let mut argv = vec![own(&self.program)];
        argv.extend(["lab", "tool", "--dir"].map(str::to_owned));
        argv.extend([own(&self.folder), "--job".to_owned(), job, "--record".to_owned(), own(record)]);
        // For people who look at the processes of the lab, or at its records.
        argv.push("--".to_owned());
        argv.extend(wanted.argv.iter().cloned());
        Ok(account::standing_for(wanted.argv, argv))
    }

    /// What a run would read.
    pub(in crate::world) async fn probe(&self, wanted: RehearsalCommand<'_>) -> Result<Probed, Trouble> {
        let reply = self.ask(LabRequest::Read(wanted.command())).await?;
        let out = [account::proof(wanted.argv).as_bytes(), reply.output.as_bytes()].concat();
        Ok(Probed { exit: reply.exit, out, err: Vec::new() })
    }

    async fn ask(&self, request: LabRequest) -> Result<LabReply, Trouble> {
        let socket = self.socket.clone();
        let call = tokio::task::spawn_blocking(move || lab_call(&socket, &request, Some(PATIENCE)));
        let reply = match call.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(Trouble::Unreachable(error.message)),
            Err(error) => return Err(Trouble::Lost(error.to_string())),
        };
        match reply.trouble {
            Some(LabTrouble::NotOurs(why)) => Err(Trouble::Missing(why)),
            Some(LabTrouble::Model(why)) => Err(Trouble::Refused(why)),
            None => Ok(reply),
        }
    }

    fn inside(&self, path: &str) -> Result<PathBuf, String> {
        beneath(&self.folder, Path::new(path))
    }

    /// A file that is carried to a host comes from the person who rehearses: that one is read wherever it is.
    fn file(&self, host: &str, work: &FileWork) -> Result<(), String> {
        match work {
            FileWork::DigestFile(_) | FileWork::ReadBlock(_) if host == RUNNER => Ok(()),
            FileWork::DigestFile(DigestFile { path, .. }) | FileWork::ReadBlock(ReadBlock { path, .. }) => {
                self.of_host(path).map(drop)
            }
            FileWork::WriteBlock(WriteBlock { path, at, .. }) => {
                let path = self.of_host(path)?;
                // What is begun anew takes the place of whatever has that name.
                if *at > 0 { alone(&path) } else { Ok(()) }
            }
            FileWork::InstallFile(InstallFile { part, path, .. }) => {
                self.of_host(path)?;
                alone(&self.of_host(part)?)
            }
        }
    }

    /// A file of a host lies in a folder of the lab, not among what the lab itself needs.
    fn of_host(&self, path: &str) -> Result<PathBuf, String> {
        let whole = self.inside(path)?;
        let mut parts = whole.strip_prefix(&self.folder).unwrap_or(&whole).iter();
        let own = parts.next().is_none_or(|first| ITS_OWN.iter().any(|own| first == *own)) || parts.next().is_none();
        if own { Err(format!("`{path}` is the lab's own")) } else { Ok(whole) }
    }
}

impl RehearsalCommand<'_> {
    fn command(&self) -> LabCommand {
        // Of a command that a script gives, its own words; they may be surrounded by others.
        let own = match self.args.get("argv") {
            Some(Value::List(words)) => words.first().map(ToString::to_string),
            Some(_) | None => None,
        };
        LabCommand {
            host: self.host.to_owned(),
            service: self.service.map(str::to_owned),
            name: self.name.to_owned(),
            args: self.args.clone(),
            program: own.or_else(|| self.argv.first().cloned()).unwrap_or_default(),
        }
    }
}

/// Another name of the same file may lie anywhere.
fn alone(path: &Path) -> Result<(), String> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if about.nlink() > 1 => Err(format!("`{}` has another name as well", path.display())),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn name_of(id: &JobId) -> String {
    format!("{}/{}.{}/{}", id.run, id.effect.track, id.effect.n, id.attempt)
}
