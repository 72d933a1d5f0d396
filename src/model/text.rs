//! Text that came from a host, made safe to show: control characters and direction marks are
//! written out, never obeyed, and lines are cut to a length. It must not add colours of its own.

use std::borrow::Cow;

/// The longest line of foreign text that is shown; the rest is counted, not printed.
pub const LINE_MAX: usize = 400;
/// The longest line of what is told or asked. Nobody can answer a question of which the end is missing, so the
/// language takes no longer one.
pub const TOLD_MAX: usize = 4_000;

/// A word as it is typed in a shell: in quotes unless it is plain.
#[must_use]
pub fn typed(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// One line of foreign text, safe for a terminal: every control, bidirectional or zero-width
/// character appears as `\u{..}` (tabs as four spaces), and the line is cut at [`LINE_MAX`].
#[must_use]
pub fn shown(text: &str) -> String {
    cut(text, LINE_MAX)
}

fn cut(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most + 32));
    for (count, character) in text.chars().enumerate() {
        if count == most {
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

/// What is told or asked, as safe as [`shown`], each line up to [`TOLD_MAX`]: the ends of lines stay, whoever lays them
/// out sees to where they begin.
#[must_use]
pub fn lines_shown(text: &str) -> String {
    text.lines().map(|line| cut(line, TOLD_MAX)).collect::<Vec<_>>().join("\n")
}

/// Whether a terminal obeys the character, or shows other text than there is because of it.
#[must_use]
pub fn unsafe_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A whole page as it may go to a screen: lines and tabs stay, and colours where the page has them; every other
/// character that a terminal obeys is written out. This is the last look at a page, whoever put it together.
#[must_use]
pub fn page(text: &str, coloured: bool) -> Cow<'_, str> {
    let stays = |c: char| matches!(c, '\n' | '\t') || !unsafe_on_a_terminal(c);
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = if coloured { colour(rest) } else { None };
        let length = colour.unwrap_or(c.len_utf8());
        if colour.is_some() || stays(c) {
            out.push_str(&rest[..length]);
        } else {
            out.extend(c.escape_unicode());
        }
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// The length of a change of colour or weight at the beginning of a text. Those that hide text are none.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    if !numbers[end..].starts_with('m') {
        return None;
    }
    let known = |number: &str| matches!(number.parse(), Ok(0..=4 | 22..=24 | 31..=37 | 39 | 91..=97));
    (numbers[..end].split(';').all(known)).then_some("\u{1b}[".len() + end + 1)
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

/// The fewest stars that stand for a secret.
const STARS_MIN: usize = 4;

/// Whether a secret is hidden in a text: stars stand for it, as many as it is long.
#[must_use]
pub(crate) fn hides(text: &str) -> bool {
    text.contains(&"*".repeat(STARS_MIN))
}

/// Whether two texts may be the same although a secret is hidden in one of them.
#[must_use]
pub(crate) fn may_be_hidden(one: &str, other: &str) -> bool {
    (hides(one) || hides(other)) && may_be_alike(one.as_bytes(), other.as_bytes())
}

/// Whether parts of such texts may be the same, by what stars in them stand for.
#[must_use]
pub(crate) fn may_be_alike(one: &[u8], other: &[u8]) -> bool {
    let alike = |(a, b): (&u8, &u8)| a == b || *a == b'*' || *b == b'*';
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_move_the_cursor() {
        assert_eq!(shown("ok\u{1b}[2Jgone\r\u{202e}x"), "ok\\u{1b}[2Jgone\\u{d}\\u{202e}x");
    }

    /// A terminal of the least understanding: what of a text it would obey, colours apart.
    fn obeyed(text: &str) -> Vec<char> {
        let mut obeyed = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let colour = rest.strip_prefix("\u{1b}[").and_then(|rest| rest.split_once('m'));
            let colour = colour.filter(|(numbers, _)| numbers.chars().all(|c| c.is_ascii_digit() || c == ';'));
            if let Some((_, behind)) = colour {
                rest = behind;
                continue;
            }
            obeyed.extend((!matches!(c, '\n' | '\t') && unsafe_on_a_terminal(c)).then_some(c));
            rest = &rest[c.len_utf8()..];
        }
        obeyed
    }

    #[test]
    fn whatever_is_on_a_page_only_lines_tabs_and_colours_are_obeyed() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize
        };
        let pieces = [
            "\u{1b}",
            "[",
            "]0;",
            "2J",
            "8m",
            "31m",
            "1;31m",
            "\u{7}",
            "\u{9b}",
            "\u{9d}",
            "\r",
            "\u{8}",
            "\u{202e}",
            "\u{200b}",
            "a",
            "ä",
            "\n",
            "\t",
            "P",
            "\u{90}",
            "\u{1b}\\",
            "\u{1b}[2K",
            "?1049h",
            "\u{85}",
            "\u{e0041}",
            "0m",
            ";",
        ];
        for _ in 0..20_000 {
            let text: String = (0..next() % 9).map(|_| pieces[next() % pieces.len()]).collect();
            assert_eq!(obeyed(&page(&text, true)), [], "{text:?}");
            assert!(
                page(&text, false).chars().all(|c| matches!(c, '\n' | '\t') || !unsafe_on_a_terminal(c)),
                "{text:?}"
            );
            assert!(shown(&text).chars().all(|c| !unsafe_on_a_terminal(c)), "{text:?}");
        }
        assert_eq!(page("\u{1b}[1;31mred\u{1b}[0m\u{1b}[8mhidden", true), "\u{1b}[1;31mred\u{1b}[0m\\u{1b}[8mhidden");
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
