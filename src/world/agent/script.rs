//! Fixed scripts on channels of their own: probes and what is read of files. The values go along as data; what comes
//! back is capped, and complete or not at all. It must not take for a script's word what somebody else has said who
//! holds the channel as well: a start-up file before it, or what a command left behind.

use super::answers::spoiled;
use super::fields::{field, fits};
use super::frames::{GREETING_MAX, shown};
use super::transport::{Channel, ChannelInput, ChannelOutput, Held, Transport};
use crate::world::Trouble;
use crate::world::nonce::nonce;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// What comes before the body of every script.
const PRELUDE: &str = concat!(include_str!("get.sh"), include_str!("prelude.sh"));
/// What comes after it.
const EPILOGUE: &str = include_str!("epilogue.sh");
/// What stands before a nonce.
const MARK: char = '\u{1e}';

/// A script, with what it is given.
pub(in crate::world) struct Script<'a> {
    /// Defines `main`.
    pub(in crate::world) text: &'static str,
    /// Its arguments.
    pub(in crate::world) values: &'a [&'a [u8]],
    /// What `main` can read.
    pub(in crate::world) body: &'a [u8],
    /// What of its output is its own.
    pub(in crate::world) form: OutputForm,
    /// The most that is kept of its output, and of its error output, in bytes; the rest is read and dropped.
    pub(in crate::world) most: usize,
    /// When to give up.
    pub(in crate::world) until: Instant,
}

/// What of the output between the nonces is a script's own. A start-up file of the login may have left something behind
/// that has the same output and goes on talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum OutputForm {
    /// All of it: whoever reads it can tell, or does not look.
    All,
    /// What it marks with the nonce, line by line (`tell` and `tell_all`).
    Marked,
}

/// What a script printed.
#[derive(Debug)]
pub(in crate::world) struct Printed {
    pub(in crate::world) exit: i32,
    pub(in crate::world) out: Vec<u8>,
    pub(in crate::world) err: Vec<u8>,
    /// The output was longer than what is kept of it.
    pub(in crate::world) cut: bool,
}

impl Printed {
    /// The last line of the error output, for a message.
    pub(in crate::world) fn complaint(&self) -> String {
        complaint(&self.err)
    }
}

/// Runs a script to its end.
///
/// # Errors
/// `Unreachable`: it was not started. `Late`: it has not ended in time. `Lost`: the link broke. `Refused`: the host
/// does not run scripts.
pub(in crate::world) async fn run(transport: &dyn Transport, script: Script<'_>) -> Result<Printed, Trouble> {
    if !fits(script.values) {
        return Err(Trouble::Refused("a zero byte cannot be part of an argument".into()));
    }
    let nonce = nonce()?;
    let text = format!("{PRELUDE}{}{EPILOGUE}", script.text);
    let opened = timeout_at(script.until, transport.open(&text)).await;
    let channel = opened.map_err(|_| Trouble::Late)??;
    let mut out = Speech { form: script.form, ..Speech::of(&nonce, script.most) };
    let mut err = Speech { hears_all: true, ..Speech::of(&nonce, script.most) };
    let in_time = timeout_at(script.until, carry_out(channel, &script, &nonce, &mut out, &mut err)).await;
    if let (Some(exit), true) = (out.exit(), err.ended()) {
        return Ok(Printed { exit, cut: out.cut, out: out.kept, err: err.kept });
    }
    let lacks = out.after.as_deref() == Some("lacks");
    // What came in place of a script's word, or with it when it could not begin.
    let instead = if out.begun { None } else { shown(&out.heard).or_else(|| shown(&err.heard)) };
    let host = transport.host();
    Err(match instead {
        _ if lacks => Trouble::Refused(format!("host `{host}` does not run `sh` as it must: {}", complaint(&err.kept))),
        Some(said) if out.heard.len() > GREETING_MAX || (in_time.is_err() && !out.heard.is_empty()) => {
            Trouble::Refused(format!("host `{host}` runs nothing in time: its login says `{said}`"))
        }
        _ if in_time.is_err() => Trouble::Late,
        Some(said) if transport.check().await => {
            Trouble::Refused(format!("host `{host}` does not run `sh` as it must: {said}"))
        }
        Some(_) => lost(),
        None => {
            transport.check().await;
            lost()
        }
    })
}

/// Runs a script that only reads and prints bytes, and before them on a line how many; the bytes are what is given
/// back, `cut` when they are more than `max`. It is run again when somebody else has spoken in the midst of them.
///
/// # Errors
/// As [`run`] does. `Lost`, too, when that happens every time.
pub(in crate::world) async fn run_counted(
    transport: &dyn Transport,
    text: &'static str,
    values: &[&[u8]],
    max: u64,
    until: Instant,
) -> Result<Printed, Trouble> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let most = max.saturating_add(COUNT_MAX);
    for _ in 0..COUNT_TRIES {
        let printed = run(transport, Script { text, values, body: &[], form: OutputForm::All, most, until }).await?;
        if printed.exit != 0 {
            return Ok(printed);
        }
        match counted(printed.out, max) {
            CountedOutput::Whole(out) => return Ok(Printed { out, ..printed }),
            CountedOutput::TooMany => return Ok(Printed { out: Vec::new(), cut: true, ..printed }),
            CountedOutput::Spoiled => {}
        }
    }
    Err(spoiled())
}

/// Hears what the script prints, until it has come to its end, or nothing comes any more.
async fn carry_out(channel: Channel, script: &Script<'_>, nonce: &str, out: &mut Speech, err: &mut Speech) {
    let Channel { mut to, mut from, mut errors, link: _, held: _held } = channel;
    let message = [field(nonce.as_bytes()), arguments(script.values)].concat();
    let send = async {
        // A script that ends without having read everything says so itself.
        let _ = to.write_all(&message).await;
        let _ = to.write_all(script.body).await;
        let _ = to.flush().await;
        // Kept open: its end tells the script that nobody listens any more.
        std::future::pending::<()>().await;
    };
    // What a command left behind may hold the outputs for ever: the end of the script is told by the script.
    let hear = async { tokio::join!(out.hear_out(&mut from), err.hear_out(&mut errors)) };
    tokio::select! {
        () = send => {}
        _ = hear => {}
    }
}

/// The last line of an error output, for a message.
fn complaint(err: &[u8]) -> String {
    let lines = err.rsplit(|&byte| byte == b'\n');
    lines.map(shown).find_map(|line| line).unwrap_or_else(|| "no reason is given".to_owned())
}

fn lost() -> Trouble {
    Trouble::Lost("the link broke before the reply".into())
}

/// A script that goes on until this is dropped, and says something when there is something to say.
pub(in crate::world) struct ScriptStream {
    from: ChannelOutput,
    /// What it has said so far.
    said: Speech,
    /// Its end ends the script.
    _to: ChannelInput,
    _held: Held,
}

impl ScriptStream {
    /// Begins it. It may say `most` bytes.
    ///
    /// # Errors
    /// `Unreachable`.
    pub(in crate::world) async fn begin(
        transport: &dyn Transport,
        text: &str,
        values: &[&[u8]],
        most: usize,
    ) -> Result<Self, Trouble> {
        let nonce = nonce()?;
        let text = format!("{PRELUDE}{text}main \"$@\"\n");
        let Channel { mut to, from, held, .. } = transport.open(&text).await?;
        let sent = to.write_all(&[field(nonce.as_bytes()), arguments(values)].concat()).await;
        sent.map_err(|error| Trouble::Unreachable(format!("the host takes no arguments: {error}")))?;
        Ok(Self { from, said: Speech::of(&nonce, most), _to: to, _held: held })
    }

    /// What it says, once it has something to say; nothing when it will not say anything any more, or too much.
    pub(in crate::world) async fn word(&mut self) -> Option<Vec<u8>> {
        // Kept in ourselves: who gives up waiting loses none of it.
        self.said.hear_out(&mut self.from).await;
        let whole = self.said.exit().is_some() && !self.said.cut;
        whole.then(|| std::mem::take(&mut self.said.kept))
    }
}

/// The arguments of a script as it reads them.
fn arguments(values: &[&[u8]]) -> Vec<u8> {
    let mut message = field(values.len().to_string().as_bytes());
    values.iter().for_each(|value| message.extend(field(value)));
    message
}

/// What comes over one output: what a script says stands between two nonces, and what is said before and after is
/// somebody else's.
#[derive(Debug)]
struct Speech {
    mark: Vec<u8>,
    most: usize,
    form: OutputForm,
    /// However much comes before the first nonce is passed over.
    hears_all: bool,
    /// What has come and is not understood yet; before the first nonce, all of it.
    heard: Vec<u8>,
    begun: bool,
    /// What it says, its beginning if it is more than `most` bytes.
    kept: Vec<u8>,
    cut: bool,
    /// What stands behind the last nonce.
    after: Option<String>,
}

/// The longest line that says how many bytes follow, with its end.
const COUNT_MAX: usize = 24;
/// How often such a script is run when somebody else speaks in the midst of what it prints.
const COUNT_TRIES: u32 = 12;

/// The most that stands behind a nonce: an exit code.
const AFTER_MAX: usize = 16;

impl Speech {
    fn of(nonce: &str, most: usize) -> Self {
        let mark = format!("{MARK}{nonce}").into_bytes();
        Self {
            mark,
            most,
            form: OutputForm::All,
            hears_all: false,
            heard: Vec::new(),
            begun: false,
            kept: Vec::new(),
            cut: false,
            after: None,
        }
    }

    /// Reads until the script has come to its end, or the stream has, or it is clear that there is no script.
    async fn hear_out(&mut self, mut stream: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; 32 * 1024];
        while !self.ended()
            && let Ok(count @ 1..) = stream.read(&mut chunk).await
        {
            self.hear(&chunk[..count]);
            if !self.begun && !self.hears_all && self.heard.len() > GREETING_MAX {
                return;
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        if !self.begun {
            if self.hears_all && self.heard.len() > GREETING_MAX {
                self.heard.drain(..self.heard.len() - bytes.len() - self.mark.len() - 1);
            }
            let begin = [self.mark.as_slice(), b"\n"].concat();
            let Some(at) = position(&self.heard, &begin) else { return };
            self.begun = true;
            self.heard.drain(..at + begin.len());
        }
        if self.form == OutputForm::Marked {
            return self.hear_marked();
        }
        let at = position(&self.heard, &self.mark);
        if let Some(at) = at {
            let rest = &self.heard[at + self.mark.len()..];
            let line = rest.iter().position(|&byte| byte == b'\n');
            if line.is_some() || rest.len() > AFTER_MAX {
                let end = line.unwrap_or(AFTER_MAX).min(AFTER_MAX);
                self.after = Some(String::from_utf8_lossy(&rest[..end]).trim().to_owned());
            }
        }
        // A nonce may have begun at the very end of what has come.
        let own = at.unwrap_or(self.heard.len().saturating_sub(self.mark.len() - 1));
        let room = (self.most - self.kept.len()).min(own);
        self.cut |= room < own;
        self.kept.extend_from_slice(&self.heard[..room]);
        self.heard.drain(..own);
    }

    /// Takes the marked lines: behind the nonce stands `=` and a line, `-` and a part of one, or a blank and the exit
    /// code. Each is written at once: nobody else speaks within it.
    fn hear_marked(&mut self) {
        let mut taken = 0;
        while self.after.is_none()
            && let Some(at) = position(&self.heard[taken..], &self.mark).map(|at| taken + at + self.mark.len())
            && let Some(end) = self.heard[at..].iter().position(|&byte| byte == b'\n').map(|end| at + end)
        {
            match self.heard[at..end].split_first() {
                Some((b'=', _)) => self.keep(at + 1..end + 1),
                Some((b'-', _)) => self.keep(at + 1..end),
                Some(_) | None => {
                    let after = &self.heard[at..end.min(at + AFTER_MAX)];
                    self.after = Some(String::from_utf8_lossy(after).trim().to_owned());
                }
            }
            taken = end + 1;
        }
        self.heard.drain(..taken);
        if position(&self.heard, &self.mark).is_none() {
            let passed = self.heard.len().saturating_sub(self.mark.len() - 1);
            self.heard.drain(..passed);
        }
    }

    fn keep(&mut self, part: std::ops::Range<usize>) {
        let room = (self.most - self.kept.len()).min(part.len());
        self.cut |= room < part.len();
        self.kept.extend_from_slice(&self.heard[part.start..part.start + room]);
    }

    /// The script has come to its end.
    fn ended(&self) -> bool {
        self.after.is_some()
    }

    /// With which exit code.
    fn exit(&self) -> Option<i32> {
        self.after.as_ref()?.parse().ok()
    }
}

/// What an output is that begins with a line that says how many bytes follow.
#[derive(Debug, PartialEq, Eq)]
enum CountedOutput {
    /// These bytes.
    Whole(Vec<u8>),
    /// More than were wanted.
    TooMany,
    /// There are others, because somebody else has spoken in the midst of it.
    Spoiled,
}

fn counted(mut out: Vec<u8>, max: usize) -> CountedOutput {
    let line = out.iter().take(COUNT_MAX).position(|&byte| byte == b'\n');
    let count = |line: usize| std::str::from_utf8(out.get(..line)?).ok()?.parse::<usize>().ok();
    let Some((line, count)) = line.and_then(|line| Some((line, count(line)?))) else { return CountedOutput::Spoiled };
    if count > max {
        return CountedOutput::TooMany;
    }
    out.drain(..=line);
    if out.len() == count { CountedOutput::Whole(out) } else { CountedOutput::Spoiled }
}

fn position(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

/// When a span from now on is over.
pub(in crate::world) fn within(span: Duration) -> Instant {
    Instant::now() + span
}

#[cfg(test)]
mod tests {
    use super::{CountedOutput, OutputForm, Speech, counted};

    fn heard(most: usize, chunks: &[&[u8]]) -> Speech {
        let mut speech = Speech::of("abc", most);
        chunks.iter().for_each(|chunk| speech.hear(chunk));
        speech
    }

    #[test]
    fn what_a_script_says_stands_between_two_nonces_however_it_is_cut() {
        let all = b"hello\nbaton\n\x1e0\n\x1eabc\none\n\x1eab\x1eabc 3\nwhat was left behind\n\x1e0\n";
        for cut in 0..all.len() {
            let speech = heard(99, &[&all[..cut], &all[cut..]]);
            assert_eq!((speech.kept.as_slice(), speech.exit()), (&b"one\n\x1eab"[..], Some(3)), "{cut}");
        }
        let bytes: Vec<&[u8]> = all.chunks(1).collect();
        assert_eq!(heard(99, &bytes).kept, b"one\n\x1eab");
    }

    #[test]
    fn what_others_say_between_marked_lines_is_passed_over_however_it_is_cut() {
        let all = b"hi\n\x1eabc\nnoise\n\x1eabc=one\nhalf a line\x1eabc-tw\nnoise\n\x1eabc=o\n\
            \x1eabc=\nnoise\x1eabc 3\nleft\n";
        for cut in 0..all.len() {
            let mut speech = Speech { form: OutputForm::Marked, ..Speech::of("abc", 99) };
            speech.hear(&all[..cut]);
            speech.hear(&all[cut..]);
            assert_eq!((speech.kept.as_slice(), speech.exit()), (&b"one\ntwo\n\n"[..], Some(3)), "{cut}");
        }
        let mut endless = Speech { form: OutputForm::Marked, ..Speech::of("abc", 4) };
        endless.hear(b"\x1eabc\n");
        (0..10_000).for_each(|_| endless.hear(b"some noise\n"));
        assert!(endless.heard.len() < 9, "it keeps what it has passed over");
        endless.hear(b"\x1eabc=fourteen\n\x1eabc 0\n");
        assert_eq!((endless.kept.as_slice(), endless.cut, endless.exit()), (&b"four"[..], true, Some(0)));
    }

    #[test]
    fn bytes_that_are_counted_are_whole_or_none() {
        assert_eq!(counted(b"3\na\nb".to_vec(), 3), CountedOutput::Whole(b"a\nb".to_vec()));
        assert_eq!(counted(b"0\n".to_vec(), 0), CountedOutput::Whole(Vec::new()));
        assert_eq!(counted(b"4\nfou".to_vec(), 3), CountedOutput::TooMany);
        for odd in [&b"3\na\nbnoise\n"[..], b"noise\n3\na\nb", b"3\na", b"3noise\n\na\nb", b"", b"3"] {
            assert_eq!(counted(odd.to_vec(), 9), CountedOutput::Spoiled, "{}", String::from_utf8_lossy(odd));
        }
    }

    #[test]
    fn complaints_before_it_are_passed_over_however_long() {
        let mut speech = Speech { hears_all: true, ..Speech::of("abc", 9) };
        for _ in 0..20 {
            speech.hear(&[b'x'; 8_000]);
        }
        speech.hear(b"\x1ea");
        speech.hear(b"bc\nown\x1eabc\n");
        assert_eq!((speech.kept.as_slice(), speech.ended()), (&b"own"[..], true));
    }

    #[test]
    fn more_than_the_most_is_dropped_and_known() {
        let speech = heard(2, &[b"\x1eabc\nfour", b"teen\x1eabc 0\n"]);
        assert_eq!((speech.kept.as_slice(), speech.cut, speech.exit()), (&b"fo"[..], true, Some(0)));
        let exact = heard(4, &[b"\x1eabc\nfour\x1eabc 0\n"]);
        assert_eq!((exact.kept.as_slice(), exact.cut), (&b"four"[..], false));
    }

    #[test]
    fn without_its_nonce_it_has_no_end() {
        for said in [&b"baton\nx\n\x1e0\n"[..], b"\x1eabc\nx\n\x1e0\n", b"abc\nx\nabc 0\n", b"\x1eabc\nx\x1eabc \n"] {
            assert_eq!(heard(9, &[said]).exit(), None, "{}", String::from_utf8_lossy(said));
        }
    }
}
