//! Fixed scripts on channels of their own: probes and what is read of files. The values go along as data; what comes
//! back is capped, and complete or not at all.

use super::connection::{Channel, Connection};
use super::fields::{field, fits, quoted};
use crate::world::Trouble;
use openssh::{ChildStdin, ChildStdout};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// What comes before the body of every script.
const PRELUDE: &str = concat!(include_str!("get.sh"), include_str!("prelude.sh"));
/// What comes after it: the mark that it came to its end, with its exit code.
const EPILOGUE: &str = "main \"$@\"\ncode=$?\nprintf '\\n\\036%s\\n' \"$code\" >&2\n";
/// What a script says when it has its arguments.
const READY: &[u8] = b"baton\n";
/// The last line of what a stream says.
const END: &[u8] = b"/\n";
/// The most that a login may say before that.
const GREETING_MAX: usize = 64 * 1024;

/// How a shell is begun in surroundings that do not differ from one runner or login to the next.
pub(super) fn shell(script: &str) -> String {
    let keeps = "HOME=\"$HOME\" PATH=\"$PATH\" USER=\"$USER\" LOGNAME=\"$LOGNAME\" \
        ${LANG:+\"LANG=$LANG\"} ${TZ:+\"TZ=$TZ\"} ${TMPDIR:+\"TMPDIR=$TMPDIR\"}";
    format!("exec env -i {keeps} sh -c {} baton", quoted(script))
}

/// A script, with what it is given.
pub(super) struct Script<'a> {
    /// Defines `main`.
    pub(super) text: &'static str,
    /// Its arguments.
    pub(super) values: &'a [&'a [u8]],
    /// What `main` can read.
    pub(super) body: &'a [u8],
    /// The most that is kept of its output, and of its error output, in bytes; the rest is read and dropped.
    pub(super) most: usize,
    /// When to give up.
    pub(super) until: Instant,
}

/// What a script printed.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) exit: i32,
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
}

impl Printed {
    /// The last line of the error output, for a message.
    pub(super) fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.err);
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no reason is given").to_owned()
    }
}

/// Runs a script to its end.
///
/// # Errors
/// `Unreachable`: it was not started. `Late`: it has not ended in time. `Lost`: the link broke. `Refused`: the host
/// does not run scripts.
pub(super) async fn run(connection: &Connection, script: Script<'_>) -> Result<Printed, Trouble> {
    if !fits(script.values) {
        return Err(Trouble::Refused("a zero byte cannot be part of an argument".into()));
    }
    let line = shell(&format!("{PRELUDE}{}{EPILOGUE}", script.text));
    let opened = timeout_at(script.until, connection.open(&line)).await;
    let mut channel = opened.map_err(|_| Trouble::Late)??;
    match timeout_at(script.until, carry_out(&mut channel, &script)).await {
        Ok(Ok(printed)) => Ok(printed),
        Ok(Err(said)) => Err(match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
            Some(line) if connection.check().await => {
                Trouble::Refused(format!("host `{}` does not run `sh` as it must: {line}", connection.host))
            }
            Some(_) => lost(),
            None => {
                connection.check().await;
                lost()
            }
        }),
        Err(_) => Err(Trouble::Late),
    }
}

/// What the script printed; when it did not come to its end, what was said in place of its beginning.
async fn carry_out(channel: &mut Channel, script: &Script<'_>) -> Result<Printed, String> {
    let child = &mut channel.child;
    let (Some(mut to), Some(from), Some(errors)) = (child.stdin().take(), child.stdout().take(), child.stderr().take())
    else {
        return Err(String::new());
    };
    let message = arguments(script.values);
    let send = async {
        // A script that ends without having read everything says so itself.
        let _ = to.write_all(&message).await;
        let _ = to.write_all(script.body).await;
        let _ = to.flush().await;
        // Kept open: its end tells the script that nobody listens any more.
        to
    };
    let (_open, out, err) = tokio::join!(send, keep(from, script.most + GREETING_MAX), keep(errors, script.most));
    let Some(out) = out.after_greeting(script.most) else {
        return Err(String::from_utf8_lossy(&err.head).into_owned());
    };
    let (err, exit) = err.tail().ok_or_else(String::new)?;
    Ok(Printed { exit, out, err })
}

fn lost() -> Trouble {
    Trouble::Lost("the link broke before the reply".into())
}

/// A script that goes on until this is dropped, and says something when there is something to say.
#[derive(Debug)]
pub(super) struct Stream {
    from: ChildStdout,
    /// What it has said so far.
    heard: Vec<u8>,
    /// Its end ends the script.
    _to: ChildStdin,
    _channel: Channel,
}

impl Stream {
    /// Begins it.
    ///
    /// # Errors
    /// `Unreachable`.
    pub(super) async fn begin(connection: &Connection, text: &str, values: &[&[u8]]) -> Result<Self, Trouble> {
        let line = shell(&format!("{PRELUDE}{text}main \"$@\"\n"));
        let mut channel = connection.open(&line).await?;
        let (Some(mut to), Some(from)) = (channel.child.stdin().take(), channel.child.stdout().take()) else {
            return Err(Trouble::Unreachable("the host gives no channel".into()));
        };
        let sent = to.write_all(&arguments(values)).await;
        sent.map_err(|error| Trouble::Unreachable(format!("the host takes no arguments: {error}")))?;
        Ok(Self { from, heard: Vec::new(), _to: to, _channel: channel })
    }

    /// What it says, once it has something to say; nothing when it will not say anything any more, or more than `most`
    /// bytes.
    pub(super) async fn word(&mut self, most: usize) -> Option<Vec<u8>> {
        let mut chunk = vec![0; 16 * 1024];
        loop {
            let count = self.from.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
            // Kept in ourselves: who gives up waiting loses none of it.
            let heard = &mut self.heard;
            heard.extend_from_slice(&chunk[..count]);
            if heard.len() > most {
                return None;
            }
            if heard.ends_with(END) {
                let begin = heard.windows(READY.len()).position(|window| window == READY)? + READY.len();
                return Some(heard.get(begin..heard.len() - END.len())?.to_vec());
            }
        }
    }
}

/// The arguments of a script as it reads them.
fn arguments(values: &[&[u8]]) -> Vec<u8> {
    let mut message = field(values.len().to_string().as_bytes());
    values.iter().for_each(|value| message.extend(field(value)));
    message
}

/// The beginning of a stream and its last bytes.
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// How many of the last bytes are kept: enough for the exit code.
const TAIL: usize = 64;

/// Reads a stream to its end and keeps the beginning and the last bytes.
async fn keep(mut stream: impl AsyncRead + Unpin, most: usize) -> Kept {
    let mut kept = Kept { head: Vec::new(), tail: Vec::new() };
    let mut chunk = vec![0; 32 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let room = most - kept.head.len();
        kept.head.extend_from_slice(&chunk[..count.min(room)]);
        kept.tail.extend_from_slice(&chunk[count.saturating_sub(TAIL)..count]);
        let surplus = kept.tail.len().saturating_sub(TAIL);
        kept.tail.drain(..surplus);
    }
    kept
}

impl Kept {
    /// What the script itself printed; nothing when it never came to say that it was ready.
    fn after_greeting(self, most: usize) -> Option<Vec<u8>> {
        let at = self.head.windows(READY.len()).position(|window| window == READY)?;
        let mut own = self.head;
        own.drain(..at + READY.len());
        own.truncate(most);
        Some(own)
    }

    /// The error output without its mark, and the exit code in it; nothing without the mark.
    fn tail(self) -> Option<(Vec<u8>, i32)> {
        let at = self.tail.iter().rposition(|&byte| byte == 0o036)?;
        let exit = std::str::from_utf8(&self.tail[at + 1..]).ok()?.strip_suffix('\n')?.parse().ok()?;
        let mut own = self.head;
        if let Some(mark) = own.iter().rposition(|&byte| byte == 0o036)
            && own[mark..].len() == self.tail[at..].len()
        {
            own.truncate(mark.saturating_sub(1));
        }
        Some((own, exit))
    }
}

/// When a span from now on is over.
pub(super) fn within(span: Duration) -> Instant {
    Instant::now() + span
}
