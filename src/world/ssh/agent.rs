//! The agent of a host, from this side: one channel, one request at a time, its answer. What an answer means is
//! for the jobs to say. It must not take for an answer what only looks like one: whoever is given a [`Trouble`] lets
//! the channel go.

use super::connection::{Channel, Connection};
use super::fields::field;
use super::frames::{FrameError, FrameReader, GREETING_MAX, shown};
use super::script::shell;
use crate::world::Trouble;
use crate::world::nonce::nonce;
use openssh::{ChildStderr, ChildStdin, ChildStdout, Session};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

/// The agent's text.
const RESIDENT: &str = concat!(
    include_str!("get.sh"),
    include_str!("agent.sh"),
    include_str!("folder.sh"),
    include_str!("lease.sh"),
    include_str!("agent_main.sh")
);
/// How long an answer may take that needs no waiting on the host, whatever the step allows.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the reason is waited for that a login gives on its error output.
const REASON: Duration = Duration::from_millis(500);
/// How much is read at a time, in bytes.
const CHUNK: usize = 16 * 1024;
/// The most that is kept of the error output, in bytes.
const ERRORS_MAX: usize = 2_048;

/// An agent that waits for a request.
#[derive(Debug)]
pub(super) struct Agent {
    /// The boot of the host it lives in.
    pub(super) boot: String,
    to: ChildStdin,
    from: ChildStdout,
    frames: FrameReader,
    /// The number of the last request.
    number: u64,
    channel: Channel,
}

/// What an agent has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AgentWord {
    /// One whole reply, as it was written.
    Said(String),
    /// Something that cannot be understood, because somebody else spoke in the midst of it. It may be asked again.
    Spoiled,
}

/// What came in place of a first frame.
enum Mute {
    /// It is there, but lacks this command.
    Lacks(String),
    /// Nothing more will come, or something that is no answer.
    Ended,
    /// Too much came, none of it ours.
    Talks,
    /// The time is over.
    Late,
}

impl Agent {
    /// Begins one by `until`, that keeps its records in `jobs`, or where it does so by default.
    ///
    /// # Errors
    /// `Unreachable`, or `Refused` when the host cannot do what is needed. Nothing was started.
    pub(super) async fn begin(
        connection: &Connection,
        host: &str,
        jobs: &str,
        until: Instant,
    ) -> Result<Self, Trouble> {
        let until = until.min(Instant::now() + PATIENCE);
        let nonce = nonce()?;
        let silent = |_| Trouble::Unreachable(format!("host `{host}` does not answer in time"));
        let mut channel = timeout_at(until, connection.open(&shell(RESIDENT))).await.map_err(silent)??;
        let (Some(to), Some(from), Some(mut errors)) =
            (channel.child.stdin().take(), channel.child.stdout().take(), channel.child.stderr().take())
        else {
            return Err(Trouble::Unreachable(format!("host `{host}` gives no channel")));
        };
        let mut agent = Self { boot: String::new(), to, from, frames: FrameReader::of(&nonce), number: 0, channel };
        let mut complaints = Vec::new();
        let mut first = [field(nonce.as_bytes()), field(jobs.as_bytes())].concat();
        let greeting = timeout_at(until, async {
            tokio::select! {
                greeting = agent.greet(&mut first) => greeting,
                // What it complains of must not hold it up.
                never = drain(&mut errors, &mut complaints) => never,
            }
        });
        match greeting.await.unwrap_or(Err(Mute::Late)) {
            Ok(boot) => {
                agent.boot = boot;
                tokio::spawn(async move { drain_to_end(&mut errors, &mut Vec::new()).await });
                Ok(agent)
            }
            Err(Mute::Lacks(tool)) => Err(Trouble::Refused(format!("host `{host}` lacks the command `{tool}`"))),
            Err(mute) => {
                connection.check().await;
                let _ = timeout(REASON, drain_to_end(&mut errors, &mut complaints)).await;
                Err(agent.mute(connection, host, &mute, &complaints))
            }
        }
    }

    /// Hears the first word: the boot of the host.
    async fn greet(&mut self, first: &mut [u8]) -> Result<String, Mute> {
        let sent = match self.to.write_all(first).await {
            Ok(()) => self.to.flush().await,
            failed => failed,
        };
        if sent.is_err() {
            return Err(Mute::Ended);
        }
        loop {
            match self.frames.first() {
                Ok(Some(word)) => {
                    return match word.split_once(' ') {
                        Some(("agent", boot)) => Ok(boot.to_owned()),
                        Some(("lacks", tool)) => Err(Mute::Lacks(tool.to_owned())),
                        Some(_) | None => Err(Mute::Ended),
                    };
                }
                Ok(None) => {}
                Err(FrameError::Senseless) => return Err(Mute::Talks),
                Err(FrameError::Spoiled) => return Err(Mute::Ended),
            }
            if !self.hear().await {
                return Err(Mute::Ended);
            }
        }
    }

    /// Why it never said anything of ours.
    fn mute(&self, connection: &Connection, host: &str, mute: &Mute, complaints: &[u8]) -> Trouble {
        let said = self.frames.left().map(|said| format!(": its login says `{said}`")).unwrap_or_default();
        match mute {
            Mute::Talks => Trouble::Refused(format!(
                "host `{host}` says more than {GREETING_MAX} bytes before it runs anything{said}; a start-up file of \
                 the login account must be quiet when nobody sits there"
            )),
            Mute::Late if !said.is_empty() => Trouble::Refused(format!(
                "host `{host}` runs nothing in time{said}, and then nothing; a start-up file of the login account must \
                 not wait when nobody sits there"
            )),
            Mute::Late => Trouble::Unreachable(format!("host `{host}` does not answer in time")),
            Mute::Ended | Mute::Lacks(_) => {
                let text = String::from_utf8_lossy(complaints);
                let reason = text.lines().rev().find_map(|line| shown(line.as_bytes()));
                match reason {
                    Some(line) if line.contains("refused") => Trouble::Unreachable(connection.too_few_sessions()),
                    Some(line) => Trouble::Refused(format!("host `{host}` does not run `sh`: {line}")),
                    None if !said.is_empty() => Trouble::Refused(format!("host `{host}` does not run `sh`{said}")),
                    None => {
                        Trouble::Unreachable(format!("host `{host}` closed the connection before anything was asked"))
                    }
                }
            }
        }
    }

    /// Sends a request, a line of words and then fields, and hears its answer, by `until` or soon.
    ///
    /// # Errors
    /// `Lost`: some of it may have arrived, and may have been done.
    pub(super) async fn ask(&mut self, words: &str, fields: &[&[u8]], until: Instant) -> Result<AgentWord, Trouble> {
        self.number += 1;
        let mut message = format!("{} {words}\n", self.number).into_bytes();
        fields.iter().for_each(|value| message.extend(field(value)));
        let exchange = async {
            let sent = match self.to.write_all(&message).await {
                Ok(()) => self.to.flush().await,
                failed => failed,
            };
            sent.map_err(|error| Trouble::Lost(format!("the link broke while the request was sent: {error}")))?;
            self.more().await
        };
        let late = |_| Trouble::Lost("the host does not answer in time".into());
        timeout_at(until.min(Instant::now() + PATIENCE), exchange).await.map_err(late)?
    }

    /// The next word that it has to say about the same request, whenever it comes. Who gives up waiting loses none of
    /// it.
    ///
    /// # Errors
    /// `Lost`.
    pub(super) async fn more(&mut self) -> Result<AgentWord, Trouble> {
        loop {
            match self.frames.next(self.number) {
                Ok(Some(word)) => return Ok(AgentWord::Said(word)),
                Ok(None) => {}
                Err(FrameError::Senseless) => return Err(Trouble::Lost("the host's answer makes no sense".into())),
                Err(FrameError::Spoiled) => return Ok(AgentWord::Spoiled),
            }
            if !self.hear().await {
                return Err(Trouble::Lost("the link broke before the reply".into()));
            }
        }
    }

    /// Takes in what comes next; tells whether anything came.
    async fn hear(&mut self) -> bool {
        let mut chunk = vec![0; CHUNK];
        match self.from.read(&mut chunk).await {
            Ok(count @ 1..) => {
                self.frames.hear(&chunk[..count]);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// The session it is part of.
    pub(super) fn session(&self) -> Arc<Session> {
        self.channel.session()
    }
}

/// Reads an error output, keeps its beginning, and never returns: it says nothing about what else comes.
async fn drain<T>(errors: &mut ChildStderr, kept: &mut Vec<u8>) -> T {
    drain_to_end(errors, kept).await;
    std::future::pending().await
}

async fn drain_to_end(errors: &mut ChildStderr, kept: &mut Vec<u8>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(count @ 1..) = errors.read(&mut chunk).await {
        let room = ERRORS_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..count.min(room)]);
    }
}
