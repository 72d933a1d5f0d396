//! Hides the values of secrets in bytes, by value and in the forms in which programs print them. What comes out is as
//! long as what went in, so that offsets in logs stay true. It must not know where bytes come from.

use super::spelling::{FollowedBytes, Quoting, Spelling};
use std::fmt;
use std::sync::Arc;

/// Values shorter than this cannot be hidden: they would be found everywhere.
pub const SHORTEST: usize = 4;
/// Lines of a value shorter than this are not looked for by themselves.
const SHORTEST_LINE: usize = 8;
/// What stands in place of each hidden byte.
const HIDDEN: u8 = b'*';

/// What is looked for. Shows nothing of it.
#[derive(Clone, Default)]
pub struct Redactor {
    values: Vec<Spelling>,
    /// Which of them may begin with a byte, by the byte.
    beginning: Arc<Vec<Vec<usize>>>,
    quoting: Arc<Quoting>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask of {}", self.values.len())
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

impl Redactor {
    /// Looks for these values, each of at least [`SHORTEST`] bytes.
    #[must_use]
    pub fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Self {
        let (mut spelled, mut exact): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for value in values.into_iter().filter(|value| value.len() >= SHORTEST) {
            spelled.push(value.to_vec());
            let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            spelled.extend(lines.filter(|line| line.len() >= SHORTEST_LINE).map(<[u8]>::to_vec));
            let signs = [(b'+', b'/'), (b'-', b'_')];
            exact.extend(signs.iter().flat_map(|signs| (0..3).map(|shift| base64(value, shift, *signs))));
            exact.push(value.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
            exact.push(value.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect());
        }
        exact.retain(|needle| needle.len() >= SHORTEST);
        for values in [&mut spelled, &mut exact] {
            values.sort_unstable();
            values.dedup();
        }
        let quoting = Arc::new(Quoting::default());
        let values = spelled
            .iter()
            .map(|value| Spelling::of(value, &quoting))
            .chain(exact.iter().map(|text| Spelling::exact(text, &quoting)));
        let values: Vec<Spelling> = values.collect();
        let with = |byte: u8| (0..values.len()).filter(|value| values[*value].may_begin(byte)).collect();
        let beginning = Arc::new((0..=255).map(with).collect());
        Self { values, beginning, quoting }
    }

    /// The same bytes with every value hidden.
    #[must_use]
    pub fn bytes(&self, bytes: Vec<u8>, cut: Cut) -> Vec<u8> {
        let mut shown = bytes.clone();
        let mut text = FollowedBytes::new(&bytes, &self.quoting);
        for (at, byte) in bytes.iter().enumerate() {
            for value in self.beginning.get(usize::from(*byte)).into_iter().flatten() {
                let reach = self.values[*value].from(&mut text, 0, at);
                if let Some(end) = reach.end {
                    shown[at..end].fill(HIDDEN);
                }
                if cut.end && reach.is_cut && bytes.len() - at >= SHORTEST {
                    shown[at..].fill(HIDDEN);
                }
            }
        }
        for value in &self.values {
            if cut.start {
                for reach in value.endings(&mut text) {
                    if let Some(end) = reach.end.filter(|end| *end >= SHORTEST) {
                        shown[..end].fill(HIDDEN);
                    }
                    if cut.end && reach.is_cut && bytes.len() >= SHORTEST {
                        shown.fill(HIDDEN);
                    }
                }
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
        String::from_utf8(Redactor::of([secret.as_bytes()]).bytes(text.into(), cut)).unwrap()
    }

    #[test]
    fn a_value_is_hidden_wherever_it_stands_and_nothing_moves() {
        assert_eq!(masked("hunter22", "pw=hunter22;hunter22", Cut::NONE), "pw=********;********");
        assert_eq!(masked("abab1", "ababab1", Cut::NONE), "ab*****");
        assert_eq!(masked("hunter22", "hunter2", Cut::NONE), "hunter2");
        assert_eq!(masked("hunter22", "", MIDST), "");
        let both = Redactor::of([&b"abcdef"[..], b"defghi"]);
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
    fn what_was_quoted_is_hidden_when_it_is_quoted_again() {
        let json = |text: &str| format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
        let python = |text: &str| format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
        let shell = |text: &str| {
            let one = |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\{c}") };
            text.chars().map(one).collect::<String>()
        };
        let html =
            |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#x27;").replace('<', "&lt;");
        let php = |text: &str| text.replace('&', "&#38;").replace('\'', "&#039;").replace('"', "&#X22;");
        let address = |text: &str| {
            let one =
                |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("%{:02X}", u32::from(c)) };
            text.chars().map(one).collect::<String>()
        };
        let ways: [&dyn Fn(&str) -> String; 6] = [&json, &python, &shell, &html, &php, &address];
        for secret in ["Sup3r'\"&\\ pass", "it's", "a<b>c&d$e%f"] {
            let mask = Redactor::of([secret.as_bytes()]);
            for (first, second) in ways.iter().flat_map(|way| ways.iter().map(move |again| (way, again))) {
                for third in [&json, &python, &(ways[2])] as [&dyn Fn(&str) -> String; 3] {
                    let text = format!("[{}]", third(&second(&first(secret))));
                    let shown = mask.text(text.clone());
                    let left: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
                    // The quotes around it show, and how they were quoted themselves.
                    assert!(
                        !["Sup", "pass", "it", "a<", "b"].iter().any(|part| left.contains(part)),
                        "{text}: {shown}"
                    );
                    assert!(shown.contains(&"*".repeat(secret.len())), "{text}: {shown}");
                }
            }
        }
    }

    #[test]
    fn digits_are_hidden_over_the_ends_of_lines() {
        let secret = "0123456789abcdefghijABCDEFGHIJ0123456789klmnopqrstKLMNOPQRST0123456789uvwxyzabcdUVWXYZABCD";
        let mask = Redactor::of([secret.as_bytes()]);
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let base64 = String::from_utf8(base64(secret.as_bytes(), 0, (b'+', b'/'))).unwrap();
        for digits in [hex.clone(), hex.to_uppercase(), base64] {
            for width in [20, 64, 76] {
                for line_end in ["\n", "\r\n", "\\n", "\\r\\n", "\n  "] {
                    let lines: Vec<&str> =
                        (0..digits.len()).step_by(width).map(|at| &digits[at..digits.len().min(at + width)]).collect();
                    let text = format!("> {} <", lines.join(line_end));
                    let inside = |shown: &[u8]| shown.iter().all(|byte| *byte == b'*');
                    let whole = mask.bytes(text.clone().into_bytes(), Cut::NONE);
                    assert!(inside(&whole[2..whole.len() - 4]), "{}", String::from_utf8_lossy(&whole));
                    for at in (8..text.len() - 8).step_by(11) {
                        let head = mask.bytes(text.as_bytes()[..at].to_vec(), Cut { start: false, end: true });
                        assert!(inside(&head[2..]), "{at}: {}", String::from_utf8_lossy(&head));
                        let tail = mask.bytes(text.as_bytes()[at..].to_vec(), Cut { start: true, end: false });
                        assert!(inside(&tail[..tail.len() - 4]), "{at}: {}", String::from_utf8_lossy(&tail));
                    }
                }
            }
        }
    }

    #[test]
    fn hiding_keeps_up_with_what_hosts_print() {
        let secrets = ["Sup3r'\"&\\ pass", "hunter22", "correct horse battery staple"];
        let mask = Redactor::of(secrets.iter().map(|secret| secret.as_bytes()));
        let plain = "2026-11-29 08:00:01 INFO request \"GET /a%20b?c=d&e=f\" took 12 ms, 'ok'\n";
        for line in [plain, "\\", "'\"'\"", "&#", "S\\\\u0073", "%25%5c"] {
            let text = line.repeat(100_000 / line.len());
            let begun = std::time::Instant::now();
            assert_eq!(mask.text(text.clone()).len(), text.len());
            assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{line:?}: {:?}", begun.elapsed());
        }
    }

    /// A value as many programs print it, character by character: how they quote does not depend on the others.
    fn printed(value: &str, way: usize) -> String {
        let one = |c: char| match (way, c) {
            (0, '\'') => r"'\''".to_owned(),
            (1, '\'') => r#"'"'"'"#.to_owned(),
            (2, c) if c != '\n' && !c.is_ascii_alphanumeric() && !"_-./:@%+,".contains(c) && c.is_ascii() => {
                format!("\\{c}")
            }
            (3, '\n') | (4, '\n') => r"\n".to_owned(),
            (3, '\'' | '\\') => format!("\\{c}"),
            (4, '"' | '\\' | '/') => format!("\\{c}"),
            (3, c) if !c.is_ascii() => c.to_string().bytes().map(|byte| format!("\\{byte:03o}")).collect(),
            (4, c) if !c.is_ascii() => {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            }
            (5, '"' | '\\' | '$' | '`') => format!("\\{c}"),
            (6, c) if !c.is_ascii_alphanumeric() => {
                c.to_string().bytes().map(|byte| format!("\\x{byte:02x}")).collect()
            }
            (7, ' ') => "+".to_owned(),
            (7 | 8, c) if !c.is_ascii_alphanumeric() => {
                c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
            }
            (9, '\n') => r"'$'\n''".to_owned(),
            (9, '\'') => r"'\''".to_owned(),
            (10, '\'') => "''".to_owned(),
            (10, '"') => "\"\"".to_owned(),
            (11, '<') => "&lt;".to_owned(),
            (11, '>') => "&gt;".to_owned(),
            (11, '&') => "&amp;".to_owned(),
            (11, '"') => "&quot;".to_owned(),
            (11, '\'') => "&#39;".to_owned(),
            (12, c) => format!("\\u{{{:x}}}", u32::from(c)),
            (13, c) => format!("&#{};", u32::from(c)),
            (14, c) => format!("&#x{:x};", u32::from(c)),
            (15, 'a' | 'p' | 'z') => format!("&#{:03};", u32::from(c)),
            (_, c) => c.to_string(),
        };
        value.chars().map(one).collect()
    }

    #[test]
    fn however_a_program_quotes_a_value_nothing_of_it_is_left_at_any_cut() {
        for secret in [
            "it's $HOME \"q\" a&b/c",
            "back\\slash\\n",
            "p@ss w0rd!;|<x>",
            "zwei\nzeilen'",
            "schl\u{fc}ssel \u{1f511}",
            "aaaaab",
        ] {
            let mask = Redactor::of([secret.as_bytes()]);
            for way in 0..16 {
                let form = printed(secret, way);
                let text = format!("before [{form}] after");
                let (from, to) = (8, 8 + form.len());
                let whole = mask.bytes(text.clone().into_bytes(), Cut::NONE);
                assert!(whole[from..to].iter().all(|byte| *byte == b'*'), "{way}: {}", String::from_utf8_lossy(&whole));
                assert_eq!((&whole[..from], &whole[to..]), (&b"before ["[..], &b"] after"[..]), "{way}");
                // Cut in two anywhere inside: what shows of either half is hidden where it is 4 bytes or more.
                for at in from + 4..to.saturating_sub(4) {
                    let head = mask.bytes(text.as_bytes()[..at].to_vec(), Cut { start: false, end: true });
                    assert!(
                        head[from..].iter().all(|byte| *byte == b'*'),
                        "{way} at {at}: {}",
                        String::from_utf8_lossy(&head)
                    );
                    let tail = mask.bytes(text.as_bytes()[at..].to_vec(), Cut { start: true, end: false });
                    assert!(
                        tail[..to - at].iter().all(|byte| *byte == b'*'),
                        "{way} at {at}: {}",
                        String::from_utf8_lossy(&tail)
                    );
                }
            }
        }
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
