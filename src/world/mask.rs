//! Hides the values of secrets in bytes, by value and in the forms in which programs print them. What comes out is as
//! long as what went in, so that offsets in logs stay true. It must not know where bytes come from.

use std::fmt;

/// Values shorter than this cannot be hidden: they would be found everywhere.
pub const SHORTEST: usize = 4;
/// Lines of a value shorter than this are not looked for by themselves.
const SHORTEST_LINE: usize = 8;
/// What stands in place of each hidden byte.
const HIDDEN: u8 = b'*';

/// What is looked for. Shows nothing of it.
#[derive(Clone, Default)]
pub struct Mask {
    needles: Vec<Vec<u8>>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask of {}", self.needles.len())
    }
}

/// Which ends of some bytes may have been cut in the midst of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// There is more before them.
    pub start: bool,
    /// There is more behind them, or will be.
    pub end: bool,
}

impl Cut {
    /// The bytes are all there is.
    pub const NONE: Self = Self { start: false, end: false };
}

impl Mask {
    /// Looks for these values, each of at least [`SHORTEST`] bytes.
    #[must_use]
    pub fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Self {
        let mut needles: Vec<Vec<u8>> = values.into_iter().flat_map(forms).collect();
        needles.retain(|needle| needle.len() >= SHORTEST);
        needles.sort_unstable();
        needles.dedup();
        Self { needles }
    }

    /// The same bytes with every value hidden.
    #[must_use]
    pub fn bytes(&self, bytes: Vec<u8>, cut: Cut) -> Vec<u8> {
        let mut shown = bytes.clone();
        for needle in &self.needles {
            for at in found(&bytes, needle) {
                hide(&mut shown[at..at + needle.len()]);
            }
            if cut.start && cut.end && bytes.len() >= SHORTEST && found(needle, &bytes).next().is_some() {
                hide(&mut shown);
            }
            if cut.start {
                let begins = |length: &usize| needle.ends_with(&bytes[..*length]);
                hide_if(longest(&bytes, needle).find(begins), |length| &mut shown[..length]);
            }
            if cut.end {
                let from = |length: usize| bytes.len() - length;
                let ends = |length: &usize| needle.starts_with(&bytes[from(*length)..]);
                hide_if(longest(&bytes, needle).find(ends), |length| &mut shown[from(length)..]);
            }
        }
        shown
    }

    /// The same text with every value hidden.
    #[must_use]
    pub fn text(&self, text: String) -> String {
        String::from_utf8_lossy(&self.bytes(text.into_bytes(), Cut::NONE)).into_owned()
    }
}

/// The lengths a piece of a cut needle can have at an end of `bytes`, the longest first.
fn longest(bytes: &[u8], needle: &[u8]) -> impl Iterator<Item = usize> + use<> {
    (SHORTEST..=bytes.len().min(needle.len().saturating_sub(1))).rev()
}

fn hide(bytes: &mut [u8]) {
    bytes.fill(HIDDEN);
}

fn hide_if<'b>(length: Option<usize>, part: impl FnOnce(usize) -> &'b mut [u8]) {
    if let Some(length) = length {
        hide(part(length));
    }
}

/// Where `needle` begins in `bytes`, overlaps included.
fn found<'b>(bytes: &'b [u8], needle: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
    let last = (bytes.len() + 1).saturating_sub(needle.len());
    let first = needle.first().copied();
    let candidates = bytes[..last].iter().enumerate().filter(move |(_, byte)| Some(**byte) == first);
    candidates.map(|(at, _)| at).filter(move |at| bytes[*at..].starts_with(needle))
}

/// A value as it is, and as programs print it: its lines, quoted for shells, JSON and addresses, in base64.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec()];
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    forms.extend(lines.filter(|line| line.len() >= SHORTEST_LINE).map(<[u8]>::to_vec));
    forms.push(replaced(value, &[(b'\'', br"'\''")]));
    forms.push(replaced(value, &[(b'\\', br"\\"), (b'"', br#"\""#), (b'\n', br"\n"), (b'\t', br"\t")]));
    forms.extend(["0123456789ABCDEF", "0123456789abcdef"].map(|digits| percent(value, digits.as_bytes())));
    let signs = [(b'+', b'/'), (b'-', b'_')];
    forms.extend(signs.iter().flat_map(|signs| (0..3).map(|shift| base64(value, shift, *signs))));
    forms
}

fn replaced(value: &[u8], by: &[(u8, &[u8])]) -> Vec<u8> {
    let one = |byte: &u8| by.iter().find(|(from, _)| from == byte).map_or_else(|| vec![*byte], |(_, to)| to.to_vec());
    value.iter().flat_map(one).collect()
}

fn percent(value: &[u8], digits: &[u8]) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => vec![*byte],
        _ => vec![b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]],
    };
    value.iter().flat_map(one).collect()
}

/// The characters of a base64 text that `value` alone decides, when `shift` bytes of its group of three precede it.
fn base64(value: &[u8], shift: usize, signs: (u8, u8)) -> Vec<u8> {
    let sign = |bits: u32| match (bits & 63) as u8 {
        number @ 0..=25 => b'A' + number,
        number @ 26..=51 => b'a' + number - 26,
        number @ 52..=61 => b'0' + number - 52,
        62 => signs.0,
        _ => signs.1,
    };
    let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(value.iter().copied()).collect();
    let mut text = Vec::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        text.extend([18, 12, 6, 0].map(|at| sign(bits >> at)));
    }
    // Sign n holds the bits from 6n on: it belongs to the value alone from its first whole one to its last.
    let (first, end) = ((8 * shift).div_ceil(6), 8 * bytes.len() / 6);
    text.get(first..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDST: Cut = Cut { start: true, end: true };

    fn masked(secret: &str, text: &str, cut: Cut) -> String {
        String::from_utf8(Mask::of([secret.as_bytes()]).bytes(text.into(), cut)).unwrap()
    }

    #[test]
    fn a_value_is_hidden_wherever_it_stands_and_nothing_moves() {
        assert_eq!(masked("hunter22", "pw=hunter22;hunter22", Cut::NONE), "pw=********;********");
        assert_eq!(masked("abab1", "ababab1", Cut::NONE), "ab*****");
        assert_eq!(masked("hunter22", "hunter2", Cut::NONE), "hunter2");
        assert_eq!(masked("hunter22", "", MIDST), "");
        let both = Mask::of([&b"abcdef"[..], b"defghi"]);
        assert_eq!(both.text("abcdefghi".into()), "*********");
    }

    #[test]
    fn a_value_that_was_cut_is_hidden_to_four_bytes() {
        assert_eq!(masked("hunter22", "er22 and hunt", MIDST), "**** and ****");
        assert_eq!(masked("hunter22", "r22 and hun", MIDST), "r22 and hun");
        assert_eq!(masked("hunter22", "er22 and hunt", Cut::NONE), "er22 and hunt");
        assert_eq!(masked("hunter22", "unter2", MIDST), "******");
    }

    #[test]
    fn the_forms_programs_print_are_hidden_too() {
        assert_eq!(masked("it's", r"'it'\''s'", Cut::NONE), "'*******'");
        assert_eq!(masked("a\"b\\c", r#"{"p":"a\"b\\c"}"#, Cut::NONE), r#"{"p":"*******"}"#);
        assert_eq!(masked("p@ss/1", "u:p%40ss%2F1@h u:p%40ss%2f1@h", Cut::NONE), "u:**********@h u:**********@h");
        assert_eq!(masked("line-one-1\nline-two-2", "> line-two-2", Cut::NONE), "> **********");
    }

    #[test]
    fn base64_is_hidden_at_every_alignment() {
        let secret = "correct horse";
        for before in ["", "u", "u:", "us:", "user:"] {
            let text = base64(format!("{before}{secret}!").as_bytes(), 0, (b'+', b'/'));
            let shown = masked(secret, std::str::from_utf8(&text).unwrap(), Cut::NONE);
            assert!(shown.matches('*').count() >= 8 * secret.len() / 6 - 1, "{before}: {shown}");
        }
    }
}
