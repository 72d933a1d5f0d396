//! Texts without the times in them, for whoever tells two states apart: when something was is no difference by itself.

use std::hash::{Hash, Hasher};

/// So many digits in a row are a time, or part of one: milliseconds since 1970, `20261121`.
const DIGITS_MIN: usize = 8;

/// Adds a text to a hash, without the times in it: `22:05:30.123`, `2026-11-21`, `20261121_220530`, and long numbers. A
/// version such as `8.5.101.10` is none, nor is an event such as `21-22170`.
pub fn hash(text: &[u8], hasher: &mut impl Hasher) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(u8::is_ascii_digit) {
        rest[..at].hash(hasher);
        rest = &rest[at..];
        let length = time(rest);
        if length > 0 {
            0_u8.hash(hasher);
            rest = &rest[length..];
        } else {
            let digits = digits(rest);
            rest[..digits].hash(hasher);
            rest = &rest[digits..];
        }
    }
    rest.hash(hasher);
}

/// How many digits a text begins with.
fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How long the time is that a text begins with; 0 when it begins with none.
fn time(text: &[u8]) -> usize {
    let first = digits(text);
    let rest = &text[first..];
    match (first, rest.first()) {
        (DIGITS_MIN.., Some(b'_')) if digits(&rest[1..]) == 6 => first + 7,
        (DIGITS_MIN.., _) => first,
        (2, Some(b':')) if digits(&rest[1..]) == 2 => {
            first + rest.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')).count()
        }
        (4, Some(b'-')) if digits(&rest[1..]) == 2 && rest.get(3) == Some(&b'-') && digits(&rest[4..]) == 2 => {
            first + 6
        }
        _ => 0,
    }
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
