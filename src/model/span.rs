//! Lengths of time as people write them: `250ms`, `10s`, `5min`, `1h`. Milliseconds inside.
//! Knows no clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

/// The longest span baton accepts, 366 days: a longer one is a typing error.
pub const LONGEST: Span = Span(366 * 24 * 3600 * 1000);

impl Span {
    /// A span of whole seconds.
    #[must_use]
    pub const fn secs(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn mins(minutes: u64) -> Self {
        Self(minutes * 60_000)
    }

    /// Reads `250ms`, `10s`, `5min`, `5m`, `1h`, `1d`, `1.5h`, `1h 30min`.
    ///
    /// # Errors
    /// A sentence that says what was wrong, for the caller to put into its diagnostic.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time; write for example `90s`, `5min` or `1h 30min`");
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        let mut total = 0.0_f64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
            let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
            let after = rest[digits..].trim_start();
            let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let unit = match &after[..letters] {
                "ms" => 1.0,
                "s" | "sec" => 1000.0,
                "m" | "min" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return Err(wrong()),
            };
            total += number * unit;
            rest = after[letters..].trim_start();
        }
        if total > LONGEST.0 as f64 {
            return Err(format!("`{text}` is longer than a year; write for example `90s`, `5min` or `1h 30min`"));
        }
        Ok(Self(total.round() as u64))
    }
}

impl fmt::Display for Span {
    /// The two largest units that matter: `1h 30min`, `5min`, `12s`, `1.4s`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0;
        let pair = |f: &mut fmt::Formatter<'_>, big: u64, big_unit: &str, small: u64, small_unit: &str| {
            if small == 0 { write!(f, "{big}{big_unit}") } else { write!(f, "{big}{big_unit} {small}{small_unit}") }
        };
        if ms < 1000 {
            write!(f, "{ms}ms")
        } else if ms < 10_000 && !ms.is_multiple_of(1000) {
            write!(f, "{}.{}s", ms / 1000, ms % 1000 / 100)
        } else if ms < 60_000 {
            write!(f, "{}s", ms / 1000)
        } else if ms < 3_600_000 {
            pair(f, ms / 60_000, "min", ms % 60_000 / 1000, "s")
        } else if ms < 86_400_000 {
            pair(f, ms / 3_600_000, "h", ms % 3_600_000 / 60_000, "min")
        } else {
            pair(f, ms / 86_400_000, "d", ms % 86_400_000 / 3_600_000, "h")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn reads_what_people_write_and_writes_it_back() {
        for (text, ms, shown) in [
            ("250ms", 250, "250ms"),
            ("10s", 10_000, "10s"),
            ("5 min", 300_000, "5min"),
            ("1.5h", 5_400_000, "1h 30min"),
            ("1h 30min", 5_400_000, "1h 30min"),
            ("2d", 172_800_000, "2d"),
        ] {
            let span = Span::parse(text).expect(text);
            assert_eq!((span.0, span.to_string().as_str()), (ms, shown), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_span() {
        for text in ["", "10", "ten s", "5 parsecs", "-3s", "999999d"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
