//! Text that came from a host, made safe to show: control characters and direction marks are
//! written out, never obeyed, and lines are cut to a length. It must not add colours of its own.

/// The longest line of foreign text that is shown; the rest is counted, not printed.
pub const LINE_MAX: usize = 400;

/// One line of foreign text, safe for a terminal: every control, bidirectional or zero-width
/// character appears as `\u{..}` (tabs as four spaces), and the line is cut at [`LINE_MAX`].
#[must_use]
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LINE_MAX + 32));
    for (count, character) in text.chars().enumerate() {
        if count == LINE_MAX {
            out.push_str(&format!("… ({} more characters)", text.chars().count() - count));
            break;
        }
        match character {
            '\t' => out.push_str("    "),
            c if unsafe_on_a_terminal(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a terminal obeys the character, or shows other text than there is because of it.
#[must_use]
pub fn unsafe_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Names that differ from `given` by little, nearest first, at most three.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(given.chars().count()) / 3).clamp(1, 4))
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `did you mean …?` for the nearest of `known`, or nothing when none is near.
#[must_use]
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = nearest(given, known);
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    (!quoted.is_empty()).then(|| format!("did you mean {}?", quoted.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_move_the_cursor() {
        assert_eq!(shown("ok\u{1b}[2Jgone\r\u{202e}x"), "ok\\u{1b}[2Jgone\\u{d}\\u{202e}x");
    }

    #[test]
    fn a_long_line_is_cut_and_the_rest_counted() {
        assert!(shown(&"x".repeat(500)).ends_with("… (100 more characters)"));
    }

    #[test]
    fn near_names_are_offered() {
        assert_eq!(did_you_mean("bakcup", ["backup", "start"]).as_deref(), Some("did you mean `backup`?"));
        assert_eq!(did_you_mean("zzz", ["backup"]), None);
        assert_eq!(did_you_mean("port", ["host"]), None);
    }
}
