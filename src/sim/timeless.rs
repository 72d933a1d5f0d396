//! Texts without the times in them, for whoever tells two states apart: when something was is no difference by itself.

use std::hash::{Hash, Hasher};

/// How many digits a time has at the least.
const DIGITS_MIN: usize = 6;

/// Adds a text to a hash, without the times in it: runs of digits and the marks between those of a time, of six digits
/// and more. A version such as `8.5.101.10` is none.
pub fn hash(text: &[u8], hasher: &mut impl Hasher) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(u8::is_ascii_digit) {
        let length = rest[at..].iter().position(|byte| !is_of_time(*byte)).unwrap_or(rest.len() - at);
        let run = &rest[at..at + length];
        rest[..at].hash(hasher);
        if is_time(run) {
            0_u8.hash(hasher)
        } else {
            run.hash(hasher)
        }
        rest = &rest[at + length..];
    }
    rest.hash(hasher);
}

fn is_of_time(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b':' | b'_' | b'-' | b'.' | b'T' | b'Z')
}

fn is_time(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let dotted_only = run.contains(&b'.') && !run.iter().any(|byte| matches!(byte, b':' | b'_' | b'-'));
    digits >= DIGITS_MIN && !dotted_only
}

#[cfg(test)]
mod tests {
    use super::hash;
    use std::hash::{DefaultHasher, Hasher};

    #[test]
    fn only_times_are_left_out() {
        let number = |text: &str| {
            let mut hasher = DefaultHasher::new();
            hash(text.as_bytes(), &mut hasher);
            hasher.finish()
        };
        assert_eq!(number("cs.20261121_220530_000.log"), number("cs.20261121_220600_000.log"));
        assert_eq!(number("at 2026-11-21T22:00:00.123 up"), number("at 2026-11-21T22:00:30.123 up"));
        assert_eq!(number("\"wall\":1795298400000,"), number("\"wall\":1795298430000,"));
        assert_ne!(number("has 8.5.101.10"), number("has 8.5.101.11"));
        assert_ne!(number("21-22170"), number("21-22171"));
        assert_ne!(number("offset 5120"), number("offset 5121"));
    }
}
