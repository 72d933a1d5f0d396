//! What an agent answers, cut into frames: the nonce of the channel, the number of the request, a length, that much
//! plain text, and an end that says the same again. Pure: bytes go in. What others say between frames, who have got the
//! same output from the login, is passed over; what they say within one spoils it. It must not guess: a frame that is
//! not whole is no answer.

use crate::model::text::unsafe_on_a_terminal;

/// The most that a login may say before the first frame, in bytes.
pub(super) const GREETING_MAX: usize = 64 * 1024;
/// The longest text of a frame, in bytes.
const TEXT_MAX: usize = 256 * 1024;
/// The most digits of a length.
const DIGITS_MAX: usize = 7;
/// How much of what was said instead is shown, in characters.
const SHOWN_MAX: usize = 160;

/// How much others may say within a frame, in bytes, before it is given up.
const AMID_MAX: usize = 256 * 1024;

/// The frames of one channel.
#[derive(Debug)]
pub(super) struct FrameReader {
    /// Only the agent knows it, from its input: nothing else can begin a frame.
    nonce: String,
    /// What has come and is not taken yet.
    heard: Vec<u8>,
}

/// What has come is not what an agent answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameError {
    /// It never will be.
    Senseless,
    /// A frame was there, and somebody else has spoken in the midst of it: the next one may be whole.
    Spoiled,
}

impl FrameReader {
    /// None has come yet.
    pub(super) fn of(nonce: &str) -> Self {
        Self { nonce: nonce.to_owned(), heard: Vec::new() }
    }

    /// This has come as well.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// The first frame, whatever a login has said before it; nothing as long as it is not whole.
    pub(super) fn first(&mut self) -> Result<Option<String>, FrameError> {
        if position(&self.heard, &self.begin(0)).is_none() && self.heard.len() > GREETING_MAX {
            return Err(FrameError::Senseless);
        }
        self.take(0)
    }

    /// The next frame, which answers the request of this number; nothing as long as it is not whole. However much is
    /// said before it is passed over.
    pub(super) fn next(&mut self, number: u64) -> Result<Option<String>, FrameError> {
        let begin = self.begin(number);
        if position(&self.heard, &begin).is_none() {
            // It may have begun at the very end of what has come.
            let passed = self.heard.len().saturating_sub(begin.len() - 1);
            self.heard.drain(..passed);
        }
        self.take(number)
    }

    /// Takes the first frame of this number from what has come.
    fn take(&mut self, number: u64) -> Result<Option<String>, FrameError> {
        let begin = self.begin(number);
        let Some(at) = position(&self.heard, &begin) else { return Ok(None) };
        self.heard.drain(..at);
        // The agent writes a line of its own at once, and this is one: nobody else speaks within it.
        let rest = &self.heard[begin.len()..];
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return if rest.len() > DIGITS_MAX { Err(FrameError::Senseless) } else { Ok(None) };
        };
        let digits = std::str::from_utf8(&rest[..end]).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let length = digits.and_then(|text| text.parse::<usize>().ok()).filter(|it| *it <= TEXT_MAX);
        let length = length.ok_or(FrameError::Senseless)?;
        let from = begin.len() + end + 1;
        let ending = format!("\n{} {number} end\n", self.nonce).into_bytes();
        match position(&self.heard[from..], &ending) {
            None if self.heard.len() > from + length + ending.len() + AMID_MAX => Err(FrameError::Senseless),
            None => Ok(None),
            Some(told) => {
                let text = String::from_utf8(self.heard[from..from + told].to_vec());
                self.heard.drain(..from + told + ending.len());
                text.ok().filter(|text| text.len() == length).map(Some).ok_or(FrameError::Spoiled)
            }
        }
    }

    /// What has come and is not taken, as a person reads it; nothing when nothing has.
    pub(super) fn left(&self) -> Option<String> {
        shown(&self.heard)
    }

    fn begin(&self, number: u64) -> Vec<u8> {
        format!("{} {number} ", self.nonce).into_bytes()
    }
}

fn position(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

/// The beginning of what somebody has said, on one line and without anything that a terminal would obey.
pub(super) fn shown(said: &[u8]) -> Option<String> {
    shown_up_to(said, SHOWN_MAX)
}

/// The same, at most this many characters of it.
pub(super) fn shown_up_to(said: &[u8], most: usize) -> Option<String> {
    let text = String::from_utf8_lossy(&said[..said.len().min(4 * most)]);
    let text = text.trim();
    let mut line = String::new();
    for c in text.chars().take(most) {
        if unsafe_on_a_terminal(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if text.chars().count() > most || said.len() > 4 * most {
        line.push('…');
    }
    if line.is_empty() { None } else { Some(line) }
}

/// The bytes that a host tells in hexadecimal, a byte a word; nothing when it tells something else, or more than
/// `most`.
pub(super) fn bytes_of(words: &str, most: usize) -> Option<Vec<u8>> {
    let plain = |word: &&str| word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |word: &str| Some(word).filter(plain).and_then(|word| u8::from_str_radix(word, 16).ok());
    let bytes: Option<Vec<u8>> = words.split_ascii_whitespace().take(most.saturating_add(1)).map(byte).collect();
    bytes.filter(|bytes| bytes.len() <= most)
}

#[cfg(test)]
mod tests {
    use super::{FrameError, FrameReader, bytes_of, shown};

    fn heard(bytes: &[u8]) -> FrameReader {
        let mut frames = FrameReader::of("abc");
        frames.hear(bytes);
        frames
    }

    #[test]
    fn a_frame_is_taken_whole_or_not_at_all() {
        let whole = b"abc 7 4\na\nbc\nabc 7 end\n";
        for cut in 0..whole.len() {
            assert_eq!(heard(&whole[..cut]).next(7), Ok(None), "{cut}");
        }
        let mut frames = heard(b"abc 7 4\na\nbc\nabc 7 end\nabc 7 0\n\nabc 7 end\n");
        assert_eq!(frames.next(7), Ok(Some("a\nbc".into())));
        assert_eq!(frames.next(7), Ok(Some(String::new())));
        assert_eq!(frames.next(7), Ok(None));
    }

    #[test]
    fn what_is_no_frame_is_no_answer() {
        for odd in [&b"abc 7 -2\nok\n"[..], b"abc 7 +2\nok\n", b"abc 7 99999999", b"abc 7 9999999\n", b"abc 7 \n\n"] {
            assert_eq!(heard(odd).next(7), Err(FrameError::Senseless), "{}", String::from_utf8_lossy(odd));
        }
        for other in [&b"exited 0\n"[..], b"abd 7 2\nok\nabd 7 end\n", b"abc 6 2\nok\nabc 6 end\n"] {
            assert_eq!(heard(other).next(7), Ok(None), "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn what_others_say_between_frames_is_passed_over_however_much_it_is() {
        let mut frames = heard(b"");
        for number in 1..3 {
            for _ in 0..100_000 {
                frames.hear(b"some noise\n");
                assert_eq!(frames.next(number), Ok(None));
            }
            frames.hear(format!("half a line abc {number} 2\nok\nabc {number} end\nmore noise").as_bytes());
            assert_eq!(frames.next(number), Ok(Some("ok".into())));
            assert!(frames.heard.len() < 100, "it keeps what it has passed over");
        }
    }

    #[test]
    fn what_others_say_within_a_frame_spoils_that_frame_and_no_other() {
        let noise = "some noise\n";
        for text in ["exited 0", "bytes 0a\n 0b\n 0c", "x"] {
            let whole = format!("abc 7 {}\n{text}", text.len());
            for at in "abc 7 N\n".len()..=whole.len() {
                if !whole.is_char_boundary(at) || at < whole.find('\n').map_or(0, |end| end + 1) {
                    continue;
                }
                let spoiled = format!("{}{noise}{}\nabc 7 end\n", &whole[..at], &whole[at..]);
                let mut frames = heard(spoiled.as_bytes());
                assert_eq!(frames.next(7), Err(FrameError::Spoiled), "{spoiled}");
                frames.hear(b"abc 8 2\nok\nabc 8 end\n");
                assert_eq!(frames.next(8), Ok(Some("ok".into())));
            }
        }
        assert_eq!(heard(b"abc 7 1\n\xff\nabc 7 end\n").next(7), Err(FrameError::Spoiled));
        let endless = [b"abc 7 1\n".as_slice(), &b"noise\n".repeat(60_000)].concat();
        assert_eq!(heard(&endless).next(7), Err(FrameError::Senseless));
    }

    #[test]
    fn what_a_login_says_first_is_passed_over_up_to_a_limit() {
        for before in ["", "baton\n", "\u{1b}]0;root\u{7}", "baton agent 11\n", "abc\n", "abc 0", "abc 0 2x\n"] {
            let frames = heard(format!("{before}abc 0 2\nok\nabc 0 end\n").as_bytes()).first();
            let right = if before == "abc 0 2x\n" { Err(FrameError::Senseless) } else { Ok(Some("ok".into())) };
            assert_eq!(frames, right, "{before:?}");
        }
        let mut endless = heard(&b"hello\n".repeat(11_000));
        assert_eq!(endless.first(), Err(FrameError::Senseless));
        assert!(endless.left().is_some_and(|shown| shown.starts_with(r"hello\nhello\n") && shown.ends_with('…')));
    }

    #[test]
    fn what_is_shown_does_nothing_to_a_terminal() {
        assert_eq!(shown(b"\x1b[2J\xc2\x9b1m ok\r\n").as_deref(), Some(r"\u{1b}[2J\u{9b}1m ok"));
        assert_eq!(shown("für".as_bytes()).as_deref(), Some("für"));
        assert_eq!(shown(b" \n"), None);
    }

    #[test]
    fn bytes_are_read_whole_or_not_at_all() {
        assert_eq!(bytes_of(" 00 ff\n 0a", 3), Some(vec![0, 255, 10]));
        assert_eq!(bytes_of("", 0), Some(Vec::new()));
        for odd in ["0", "000", "+1", "zz", "00 1"] {
            assert_eq!(bytes_of(odd, 9), None, "{odd}");
        }
        assert_eq!(bytes_of("00 00", 1), None);
    }
}
