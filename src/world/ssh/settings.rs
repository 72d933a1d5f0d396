//! What all connections of a process share: the configuration that is laid over the user's own, the private folder
//! of control sockets, and how many connections are established at a time. It must not weaken what the user's own
//! configuration demands.

use super::folder::PrivateFolder;
use super::progress::Progress;
use crate::error::{Error, Kind};
use crate::model::site::ssh::{Multiplexing, Ssh};
use crate::model::span::Span;
use crate::model::text::typed;
use crate::platform::trust::{self, Doubt};
use crate::world::Completion;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Where control sockets are. Gone when this is.
    folder: Mutex<PrivateFolder>,
    /// The configuration that lies there.
    config: String,
    /// The one that is used in place of the user's own.
    given: Option<String>,
    pub(super) multiplexing: Multiplexing,
    pub(super) connect_limit: Duration,
    pub(super) alive: Duration,
    pub(super) reconnect: Duration,
    /// For a look at a folder, or at a part of a file.
    pub(super) look_limit: Duration,
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
        let config = overlay(ssh);
        let folder = Mutex::new(PrivateFolder::new(&config)?);
        let limit = |span: Span| Duration::from_millis(span.0);
        Ok(Self {
            folder,
            config,
            given: ssh.config.clone(),
            multiplexing: ssh.multiplexing,
            connect_limit: limit(ssh.connect_limit),
            alive: limit(ssh.alive),
            reconnect: limit(ssh.reconnect),
            look_limit: limit(ssh.look_limit),
            connecting: Semaphore::new(usize::try_from(ssh.connections).unwrap_or(1).max(1)),
            progress: Progress::new(outbox),
            known_hosts,
        })
    }

    /// How a person calls the host at this address as baton does.
    pub(super) fn by_hand(&self, address: &str) -> String {
        let config = self.given.as_ref().map(|config| format!("-F {} ", typed(config))).unwrap_or_default();
        format!("ssh {config}{}", typed(address))
    }

    /// The private folder, made again if it was cleared away under us.
    pub(super) fn folder(&self) -> Result<MutexGuard<'_, PrivateFolder>> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        folder.mend(&self.config)?;
        Ok(folder)
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

/// Refuses a configuration of SSH that `ssh` would silently do without, or that others may write: it names commands.
pub(in crate::world) fn check_config(config: &Path) -> crate::error::Result<()> {
    let shown = config.display();
    let wrong = |why: String, hint: String| {
        Err(Error::new(Kind::Inventory, format!("the `config` of `[ssh]` cannot be used: {why}"))
            .hint("nothing was done: `ssh` would go on without it, with other addresses, accounts and keys")
            .hint(hint))
    };
    let look = format!("name another file in the inventory, or look at what it is: ls -ld {shown}");
    match std::fs::metadata(config) {
        Err(error) => return wrong(format!("`{shown}`: {error}"), look),
        Ok(data) if !data.is_file() => return wrong(format!("`{shown}` is not a file"), look),
        Ok(_) => {}
    }
    if let Err(error) = std::fs::File::open(config) {
        return wrong(format!("`{shown}`: {error}"), look);
    }
    match trust::text(config.parent().unwrap_or(config), Path::new(config.file_name().unwrap_or_default())) {
        Some(Doubt { why, command }) => wrong(why, format!("look at what it says, then: {command}")),
        None => Ok(()),
    }
}
