//! The agent of a host, from this side: one channel, one request at a time, its answer. What an answer means is
//! for the jobs to say. It must not take for an answer what only looks like one: whoever is given a [`Trouble`] lets
//! the channel go.

use super::fields::field;
use super::frames::{FrameError, FrameReader, GREETING_MAX, shown};
use super::place::RecordPlace;
use super::transport::{Channel, ChannelInput, ChannelOutput, Held, LinkNumber, Transport};
use crate::world::Trouble;
use crate::world::nonce::nonce;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

/// The agent's text.
const RESIDENT: &str = concat!(
    include_str!("get.sh"),
    include_str!("jobs.sh"),
    include_str!("folder.sh"),
    include_str!("lease.sh"),
    include_str!("taking.sh"),
    include_str!("reading.sh"),
    include_str!("transfer/answer.sh"),
    include_str!("transfer/part.sh"),
    include_str!("transfer/digest.sh"),
    include_str!("transfer/write.sh"),
    include_str!("transfer/keep.sh"),
    include_str!("transfer/install.sh"),
    include_str!("main.sh")
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
pub(super) struct Agent {
    /// The boot of the host it lives in.
    pub(super) boot: String,
    /// The link that it hears us over.
    pub(super) link: LinkNumber,
    to: ChannelInput,
    from: ChannelOutput,
    frames: FrameReader,
    /// The number of the last request.
    number: u64,
    _held: Held,
    /// Another may be begun in its place when it is gone.
    _room: OwnedSemaphorePermit,
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
    /// Begins one by `until`, that keeps its records in this place.
    ///
    /// # Errors
    /// `Unreachable`, or `Refused` when the host cannot do what is needed. Nothing was started.
    pub(super) async fn begin(
        transport: &dyn Transport,
        place: &RecordPlace,
        room: OwnedSemaphorePermit,
        until: Instant,
    ) -> Result<Self, Trouble> {
        let until = until.min(Instant::now() + PATIENCE);
        let nonce = nonce()?;
        let silent = |_| Trouble::Unreachable(format!("host `{}` does not answer in time", transport.host()));
        let opened = timeout_at(until, transport.open(RESIDENT)).await.map_err(silent)??;
        let Channel { to, from, mut errors, link, held } = opened;
        let frames = FrameReader::of(&nonce);
        let mut agent = Self { boot: String::new(), link, to, from, frames, number: 0, _held: held, _room: room };
        let mut complaints = Vec::new();
        let mut first: Vec<u8> =
            [nonce.as_str()].iter().chain(&place.words()).flat_map(|word| field(word.as_bytes())).collect();
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
            Err(Mute::Lacks(tool)) => {
                Err(Trouble::Refused(format!("host `{}` lacks the command `{tool}`", transport.host())))
            }
            Err(mute) => {
                transport.check().await;
                let _ = timeout(REASON, drain_to_end(&mut errors, &mut complaints)).await;
                Err(agent.mute(transport, &mute, &complaints))
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
    fn mute(&self, transport: &dyn Transport, mute: &Mute, complaints: &[u8]) -> Trouble {
        let host = transport.host();
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
                if let Some(known) = reason.as_deref().and_then(|line| transport.meaning(line)) {
                    return known;
                }
                match reason {
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
        self.work(words, fields, &[], until.min(Instant::now() + PATIENCE)).await
    }

    /// The same for what may take long, up to `until`; with bytes behind the fields, as many as the words say.
    ///
    /// # Errors
    /// `Lost`, as well.
    pub(super) async fn work(
        &mut self,
        words: &str,
        fields: &[&[u8]],
        body: &[u8],
        until: Instant,
    ) -> Result<AgentWord, Trouble> {
        self.number += 1;
        let mut message = format!("{} {words}\n", self.number).into_bytes();
        fields.iter().for_each(|value| message.extend(field(value)));
        let exchange = async {
            let sent = async {
                self.to.write_all(&message).await?;
                self.to.write_all(body).await?;
                self.to.flush().await
            };
            let broken = |error| Trouble::Lost(format!("the link broke while the request was sent: {error}"));
            sent.await.map_err(broken)?;
            self.more().await
        };
        let late = |_| Trouble::Lost("the host does not answer in time".into());
        timeout_at(until, exchange).await.map_err(late)?
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
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("boot", &self.boot).field("link", &self.link).finish_non_exhaustive()
    }
}

/// Reads an error output, keeps its beginning, and never returns: it says nothing about what else comes.
async fn drain<T>(errors: &mut ChannelOutput, kept: &mut Vec<u8>) -> T {
    drain_to_end(errors, kept).await;
    std::future::pending().await
}

async fn drain_to_end(errors: &mut ChannelOutput, kept: &mut Vec<u8>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(count @ 1..) = errors.read(&mut chunk).await {
        let room = ERRORS_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..count.min(room)]);
    }
}
