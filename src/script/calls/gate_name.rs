//! The names of gates: which a script may give, and the one that baton gives itself. It must not ask anything.

/// What undoes by hand is asked under this name.
pub(crate) const UNDO_BY_HAND: &str = "undo-by-hand";

/// What is wrong with a name for a gate, if something is.
pub(crate) fn wrong_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
    (!good).then(|| format!("`{name}` is no name for a gate: use letters, digits and dashes, a letter first"))
}
