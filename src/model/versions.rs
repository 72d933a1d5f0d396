//! Versions: numbers with dots between them, perhaps with words behind. Pure. It must not guess an order that the text
//! does not tell.

use crate::model::text::shown;
use std::cmp::Ordering;

/// Which of two versions is the older one, number by number; numbers that are missing are 0.
///
/// # Errors
/// A sentence: one of them is no version, or only what follows the numbers tells them apart.
pub(crate) fn compare(one: &str, other: &str) -> Result<Ordering, String> {
    let ((a, behind_a), (b, behind_b)) = (parts(one)?, parts(other)?);
    let number = |all: &[u64], at: usize| all.get(at).copied().unwrap_or_default();
    let orders = (0..a.len().max(b.len())).map(|at| number(&a, at).cmp(&number(&b, at)));
    match orders.into_iter().find(|order| *order != Ordering::Equal) {
        Some(order) => Ok(order),
        None if behind_a == behind_b => Ok(Ordering::Equal),
        None => Err(format!(
            "nobody can tell which of `{}` and `{}` is older: only what follows the numbers differs",
            shown(one.trim()),
            shown(other.trim())
        )),
    }
}

/// Whether a text is a version.
pub(crate) fn is_version(text: &str) -> bool {
    parts(text).is_ok()
}

/// The numbers of a version, and what follows them.
fn parts(text: &str) -> Result<(Vec<u64>, &str), String> {
    let text = text.trim();
    let no_version = || match text {
        "" => "an empty text is no version".to_owned(),
        _ => format!("`{}` is no version: numbers with dots between them, as 8.5.101", shown(text)),
    };
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let numbers = text[..end].trim_end_matches('.');
    let parsed: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
    Ok((parsed.map_err(|_| no_version())?, text[numbers.len()..].trim()))
}

#[cfg(test)]
mod tests {
    use super::{Ordering, compare, is_version};

    #[test]
    fn numbers_decide_and_nothing_else() {
        for (one, other, order) in [
            ("8.1.9", "8.1.10", Ordering::Less),
            ("8.5", "8.1.300", Ordering::Greater),
            (" 8.5", "8.5.0 ", Ordering::Equal),
            ("8.5 (beta)", "8.5.0  (beta)", Ordering::Equal),
            ("8.5 (beta)", "8.6", Ordering::Less),
            ("17rc1", "16.4", Ordering::Greater),
        ] {
            assert_eq!(compare(one, other), Ok(order), "{one} and {other}");
        }
    }

    #[test]
    fn what_no_text_tells_is_an_error() {
        for (one, other) in [("8.5 (beta)", "8.5"), ("17rc1", "17rc2"), ("1.x", "1")] {
            assert!(compare(one, other).is_err_and(|why| why.contains("nobody can tell")), "{one} and {other}");
        }
        for text in ["unknown", "", "abc", "v8.4", ".5", "8..5"] {
            assert!(!is_version(text), "{text}");
            assert!(compare("8.5", text).is_err_and(|why| why.contains("no version")), "{text}");
        }
    }
}
