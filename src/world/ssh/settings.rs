//! What all connections of a process share: the configuration that is laid over the user's own, the private folder
//! of control sockets, and how many connections are established at a time. It must not weaken what the user's own
//! configuration demands.

use super::progress::Progress;
use crate::model::span::Span;
use crate::model::ssh::{Multiplexing, Ssh};
use crate::world::Completion;
use std::fs::{self, DirBuilder};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a master without sessions stays when nobody told it to go.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// Laid over the user's configuration: OpenSSH takes the first value that it finds.
const OVERLAY: &str = "ForwardAgent no\nForwardX11 no\nClearAllForwardings yes\nPermitLocalCommand no\n\
    RemoteCommand none\nRequestTTY no\nUpdateHostKeys no\nVerifyHostKeyDNS no\nLogLevel INFO\n\
    ServerAliveCountMax 3\nTCPKeepAlive yes\n";

/// What all connections share.
#[derive(Debug)]
pub(super) struct Settings {
    /// Gone when this is.
    folder: PathBuf,
    pub(super) config: PathBuf,
    pub(super) multiplexing: Multiplexing,
    pub(super) connect_limit: Duration,
    pub(super) alive: Duration,
    pub(super) reconnect: Duration,
    /// One permit for each connection being established.
    pub(super) connecting: Semaphore,
    pub(super) progress: Progress,
    /// Where the keys are that hosts have shown after they were set up anew.
    pub(super) known_hosts: PathBuf,
}

impl Settings {
    /// Makes the private folder with the configuration in it. `known_hosts` is a folder for keys that were expected
    /// to change.
    pub(super) fn new(ssh: &Ssh, known_hosts: PathBuf, outbox: Sender<Completion>) -> Result<Self> {
        let folder = private_folder()?;
        let config = folder.join("config");
        fs::write(&config, overlay(ssh))?;
        let limit = |span: Span| Duration::from_millis(span.0);
        Ok(Self {
            folder,
            config,
            multiplexing: ssh.multiplexing,
            connect_limit: limit(ssh.connect_limit),
            alive: limit(ssh.alive),
            reconnect: limit(ssh.reconnect),
            connecting: Semaphore::new(usize::try_from(ssh.connections).unwrap_or(1).max(1)),
            progress: Progress::new(outbox),
            known_hosts,
        })
    }

    /// Where control sockets are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // Nothing but sockets and the configuration is in it; a folder that stays is swept by the next process.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn overlay(ssh: &Ssh) -> String {
    let own = match &ssh.config {
        Some(path) => include(path),
        None => format!("{}Include /etc/ssh/ssh_config\n", include("~/.ssh/config")),
    };
    format!("{OVERLAY}{own}")
}

fn include(path: &str) -> String {
    format!("Include \"{path}\"\n")
}

/// A folder for us alone, with a short path: names of sockets must fit into 108 bytes.
fn private_folder() -> Result<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| is_ours(dir));
    let above = own.unwrap_or_else(|| PathBuf::from("/tmp"));
    sweep(&above);
    for n in 0..1_000 {
        let folder = above.join(format!("baton-{}-{n}", std::process::id()));
        // Made by us or not at all: a folder that is there may be somebody's trap.
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
    Err(Error::other(format!("no name is free for a folder in `{}`", above.display())))
}

fn is_ours(dir: &Path) -> bool {
    let uid = rustix::process::getuid().as_raw();
    dir.as_os_str().len() <= 32 && fs::symlink_metadata(dir).is_ok_and(|data| data.is_dir() && data.uid() == uid)
}

/// Removes the folders that processes left which are gone.
fn sweep(above: &Path) {
    let uid = rustix::process::getuid().as_raw();
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("baton-")?.split('-').next()?.parse::<u32>().ok());
        let left = pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
        let ours = fs::symlink_metadata(entry.path()).is_ok_and(|data| data.is_dir() && data.uid() == uid);
        if left && ours {
            // Another process may sweep as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
