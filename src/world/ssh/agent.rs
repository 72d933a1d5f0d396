//! The resident on a host, from this side: one channel, one request at a time, its answer. What an answer means is
//! for the jobs to say.

use super::connection::{Channel, Connection};
use super::fields::field;
use super::script::shell;
use crate::world::Trouble;
use openssh::{ChildStderr, ChildStdin, ChildStdout, Session};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// The resident's text.
const RESIDENT: &str =
    concat!(include_str!("get.sh"), include_str!("agent.sh"), include_str!("lease.sh"), include_str!("resident.sh"));
/// What it says first, before the boot of the host.
const HELLO: &str = "baton agent ";
/// The longest answer's line, and the most that a login may say before the first one, in bytes.
const LINE_MAX: usize = 64 * 1024;
/// How long an answer may take that needs no waiting on the host.
const PATIENCE: Duration = Duration::from_secs(60);

/// A resident that waits for a request.
#[derive(Debug)]
pub(super) struct Agent {
    /// The boot of the host it lives in.
    pub(super) boot: String,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// The beginning of a line that has not ended yet.
    begun: Vec<u8>,
    /// Kept open: a resident that complains must not be held up or ended by it.
    _errors: Option<ChildStderr>,
    channel: Channel,
}

impl Agent {
    /// Begins one, that keeps its records in `jobs`, or where it does so by default.
    ///
    /// # Errors
    /// `Unreachable`, or `Refused` when the host cannot do what is needed. Nothing was started.
    pub(super) async fn begin(connection: &Connection, host: &str, jobs: &str) -> Result<Self, Trouble> {
        let mut channel = connection.open(&shell(RESIDENT)).await?;
        let (Some(to), Some(from), errors) =
            (channel.child.stdin().take(), channel.child.stdout().take(), channel.child.stderr().take())
        else {
            return Err(Trouble::Unreachable(format!("host `{host}` gives no channel")));
        };
        let mut agent =
            Self { boot: String::new(), to, from: BufReader::new(from), begun: Vec::new(), _errors: errors, channel };
        match agent.greet(jobs).await {
            Some(Ok(())) => Ok(agent),
            Some(Err(lacks)) => Err(Trouble::Refused(format!("host `{host}` lacks the command `{lacks}`"))),
            None => {
                connection.check().await;
                Err(agent.mute(connection, host).await)
            }
        }
    }

    /// Hears the first word: what the host lacks, if it lacks something; nothing when none came.
    async fn greet(&mut self, jobs: &str) -> Option<Result<(), String>> {
        self.to.write_all(&field(jobs.as_bytes())).await.ok()?;
        self.to.flush().await.ok()?;
        // A login may have something to say before.
        loop {
            let line = timeout(PATIENCE, self.line()).await.ok()??;
            if let Some(boot) = line.strip_prefix(HELLO) {
                boot.clone_into(&mut self.boot);
                return Some(Ok(()));
            }
            if let Some(tool) = line.strip_prefix("baton lacks ") {
                return Some(Err(tool.to_owned()));
            }
        }
    }

    /// Why it never said anything: from what it wrote to its error output.
    async fn mute(&mut self, connection: &Connection, host: &str) -> Trouble {
        let mut said = vec![0; 2_048];
        let mut length = 0;
        if let Some(errors) = &mut self._errors
            && let Ok(Ok(count)) = timeout(Duration::from_millis(500), errors.read(&mut said)).await
        {
            length = count;
        }
        let said = String::from_utf8_lossy(&said[..length]);
        match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
            Some(line) if line.contains("refused") => Trouble::Unreachable(connection.too_few_sessions()),
            Some(line) => Trouble::Refused(format!("host `{host}` does not run `sh`: {line}")),
            None => Trouble::Unreachable(format!("host `{host}` closed the connection before anything was asked")),
        }
    }

    /// Sends a request: a line of words, then fields.
    ///
    /// # Errors
    /// `Lost`: some of it may have arrived.
    pub(super) async fn ask(&mut self, words: &str, fields: &[&[u8]]) -> Result<(), Trouble> {
        let mut message = format!("{words}\n").into_bytes();
        fields.iter().for_each(|value| message.extend(field(value)));
        let sent = match self.to.write_all(&message).await {
            Ok(()) => self.to.flush().await,
            failed => failed,
        };
        sent.map_err(|error| Trouble::Lost(format!("the link broke while the request was sent: {error}")))
    }

    /// The line it answers with, soon.
    ///
    /// # Errors
    /// `Lost`.
    pub(super) async fn answer(&mut self) -> Result<String, Trouble> {
        match timeout(PATIENCE, self.line()).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) | Err(_) => Err(lost()),
        }
    }

    /// The next line, whenever it comes; nothing when the link broke. Who gives up waiting loses none of it.
    pub(super) async fn line(&mut self) -> Option<String> {
        loop {
            let there = self.from.fill_buf().await.ok().filter(|there| !there.is_empty())?;
            let end = there.iter().position(|&byte| byte == b'\n');
            let count = end.map_or(there.len(), |end| end + 1);
            self.begun.extend_from_slice(&there[..end.unwrap_or(count)]);
            self.from.consume(count);
            if self.begun.len() > LINE_MAX {
                return None;
            }
            if end.is_some() {
                return Some(String::from_utf8_lossy(&std::mem::take(&mut self.begun)).into_owned());
            }
        }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// `Lost`.
    pub(super) async fn bytes(&mut self, count: usize) -> Result<Vec<u8>, Trouble> {
        let mut bytes = vec![0; count];
        match timeout(PATIENCE, self.from.read_exact(&mut bytes)).await {
            Ok(Ok(_)) => Ok(bytes),
            Ok(Err(_)) | Err(_) => Err(lost()),
        }
    }

    /// The session it is part of.
    pub(super) fn session(&self) -> Arc<Session> {
        self.channel.session()
    }
}

fn lost() -> Trouble {
    Trouble::Lost("the link broke before the reply".into())
}
