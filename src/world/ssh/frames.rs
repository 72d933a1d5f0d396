//! What a resident answers, cut into frames: the nonce of the channel, the number of the request, a length, and that
//! much plain text. Pure: bytes go in. It must not guess: what does not fit is no answer, and nothing behind it is.

use crate::model::text::unsafe_on_a_terminal;

/// The most that a login may say before the first frame, in bytes.
pub(super) const GREETING_MAX: usize = 64 * 1024;
/// The longest text of a frame, in bytes.
const TEXT_MAX: usize = 256 * 1024;
/// The most digits of a length.
const DIGITS_MAX: usize = 7;
/// How much of what was said instead is shown, in characters.
const SHOWN_MAX: usize = 160;

/// The frames of one channel.
#[derive(Debug)]
pub(super) struct Frames {
    /// Only the resident knows it, from its input: nothing else can begin a frame.
    nonce: String,
    /// What has come and is not taken yet.
    heard: Vec<u8>,
}

/// What has come is not what a resident answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit;

impl Frames {
    /// None has come yet.
    pub(super) fn of(nonce: &str) -> Self {
        Self { nonce: nonce.to_owned(), heard: Vec::new() }
    }

    /// This has come as well.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// The first frame, whatever a login has said before it; nothing as long as it is not whole.
    pub(super) fn first(&mut self) -> Result<Option<String>, Unfit> {
        let begin = self.begin(0);
        match self.heard.windows(begin.len()).position(|window| window == begin) {
            Some(at) => {
                self.heard.drain(..at);
                self.next(0)
            }
            None if self.heard.len() > GREETING_MAX => Err(Unfit),
            None => Ok(None),
        }
    }

    /// The next frame, which answers the request of this number; nothing as long as it is not whole.
    pub(super) fn next(&mut self, number: u64) -> Result<Option<String>, Unfit> {
        let begin = self.begin(number);
        let there = begin.len().min(self.heard.len());
        if self.heard[..there] != begin[..there] {
            return Err(Unfit);
        }
        let rest = &self.heard[there..];
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return if rest.len() > DIGITS_MAX { Err(Unfit) } else { Ok(None) };
        };
        let digits = std::str::from_utf8(&rest[..end]).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let length: usize = digits.and_then(|text| text.parse().ok()).filter(|it| *it <= TEXT_MAX).ok_or(Unfit)?;
        let (from, until) = (there + end + 1, there + end + 1 + length);
        match self.heard.get(until) {
            None => Ok(None),
            Some(b'\n') => {
                let text = std::str::from_utf8(&self.heard[from..until]).map(str::to_owned).map_err(|_| Unfit);
                self.heard.drain(..=until);
                text.map(Some)
            }
            Some(_) => Err(Unfit),
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

/// The beginning of what somebody has said, on one line and without anything that a terminal would obey.
pub(super) fn shown(said: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&said[..said.len().min(4 * SHOWN_MAX)]);
    let text = text.trim();
    let mut line = String::new();
    for c in text.chars().take(SHOWN_MAX) {
        if unsafe_on_a_terminal(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if text.chars().count() > SHOWN_MAX || said.len() > 4 * SHOWN_MAX {
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
    use super::{Frames, Unfit, bytes_of, shown};

    fn heard(bytes: &[u8]) -> Frames {
        let mut frames = Frames::of("abc");
        frames.hear(bytes);
        frames
    }

    #[test]
    fn a_frame_is_taken_whole_or_not_at_all() {
        let whole = b"abc 7 4\na\nbc\n";
        for cut in 0..whole.len() {
            assert_eq!(heard(&whole[..cut]).next(7), Ok(None), "{cut}");
        }
        let mut frames = heard(b"abc 7 4\na\nbc\nabc 7 0\n\n");
        assert_eq!(frames.next(7), Ok(Some("a\nbc".into())));
        assert_eq!(frames.next(7), Ok(Some(String::new())));
        assert_eq!(frames.next(7), Ok(None));
    }

    #[test]
    fn what_is_no_frame_is_no_answer() {
        for odd in [
            &b"exited 0\n"[..],
            b"abd 7 2\nok\n",
            b"abc 6 2\nok\n",
            b"abc 7 2\nok!",
            b"abc 7 -2\nok\n",
            b"abc 7 +2\nok\n",
            b"abc 7 99999999",
            b"abc 7 9999999\n",
            b"abc 7 1\n\xff\n",
            b"abc 7 \n\n",
            b"\nabc 7 2\nok\n",
        ] {
            assert_eq!(heard(odd).next(7), Err(Unfit), "{}", String::from_utf8_lossy(odd));
        }
    }

    #[test]
    fn what_a_login_says_first_is_passed_over_up_to_a_limit() {
        for before in ["", "baton\n", "\u{1b}]0;root\u{7}", "baton agent 11\n", "abc\n", "abc 0", "abc 0 2x\n"] {
            let frames = heard(format!("{before}abc 0 2\nok\n").as_bytes()).first();
            assert_eq!(frames, if before == "abc 0 2x\n" { Err(Unfit) } else { Ok(Some("ok".into())) }, "{before:?}");
        }
        let mut endless = heard(&b"hello\n".repeat(11_000));
        assert_eq!(endless.first(), Err(Unfit));
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
