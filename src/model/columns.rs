//! How many columns text takes on a terminal, and how it is broken into lines or cut for one. A character of double
//! width takes two, one that combines with the character before it takes none. It must not know what is written.

use unicode_width::UnicodeWidthChar;

/// How many columns a text of one line takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(of).sum()
}

fn of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// `text` with as many spaces behind it as make it this wide.
#[must_use]
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Words broken into lines of at most `columns`, at spaces where there are any; a line's end in them stays one, and so
/// do the spaces a line begins with, for the lines that it is broken into as well. At least one line.
#[must_use]
pub fn wrap(words: &str, columns: usize) -> Vec<String> {
    words.split('\n').flat_map(|line| wrap_line(line, columns)).collect()
}

fn wrap_line(line: &str, columns: usize) -> Vec<String> {
    let words = line.trim_start_matches(' ');
    // What is moved in so far that no room is left begins where it can.
    let margin = if words.is_empty() { 0 } else { (line.len() - words.len()).min(columns / 2) };
    let room = (columns - margin).max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words.split(' ') {
        let mut word = word;
        if !line.is_empty() && width(&line) + 1 + width(word) > room {
            lines.push(std::mem::take(&mut line));
        }
        while width(word) > room {
            let (first, rest) = word.split_at(fitting(word, room));
            if rest.is_empty() {
                break;
            }
            lines.push(first.to_owned());
            word = rest;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.iter().map(|line| format!("{:margin$}{line}", "")).collect()
}

/// The length of the longest beginning that is not wider than this; at least one character, with what combines with it.
fn fitting(text: &str, columns: usize) -> usize {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        if at > 0 && taken + of(c) > columns {
            return at;
        }
        taken += of(c);
    }
    text.len()
}

/// Words behind a head, which go on in the column where they begin.
#[must_use]
pub fn hung(head: &str, words: &str, columns: usize) -> String {
    let indent = width(head);
    let margin = format!("\n{:indent$}", "");
    format!("{head}{}", wrap(words, columns.saturating_sub(indent)).join(&margin))
}

/// A page of whole lines, those broken that are too wide; what follows is moved in a little.
#[must_use]
pub fn folded(page: &str, columns: usize) -> String {
    let mut text = String::with_capacity(page.len());
    for line in page.split_inclusive('\n') {
        let (words, end) = line.strip_suffix('\n').map_or((line, ""), |words| (words, "\n"));
        if width(words) <= columns {
            text.push_str(line);
            continue;
        }
        let bare = words.trim_start_matches(' ');
        let margin = (words.len() - bare.len()).min(columns / 2);
        let lines = wrap(bare, columns.saturating_sub(margin + 2));
        text += &format!("{:margin$}{}{end}", "", lines.join(&format!("\n{:1$}", "", margin + 2)));
    }
    text
}

/// `text` cut to this many columns, the cut shown.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let end = if room == 0 { 0 } else { fitting(text, room) };
    format!("{}…", &text[..end])
}

/// `text` shortened in its middle to this many columns, the cut shown: how it begins and how it ends is to be seen.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let behind = room / 3;
    let begins = cut(text, room - behind + 1);
    let mut from = text.len();
    for (at, _) in text.char_indices().rev() {
        if width(&text[at..]) > behind {
            break;
        }
        from = at;
    }
    // What combines with a character that is left out would combine with the mark of the cut.
    let ends = text[from..].trim_start_matches(|c| of(c) == 0);
    format!("{begins}{ends}")
}

#[cfg(test)]
mod tests {
    use super::{cut, folded, hung, padded, shortened, width, wrap};

    #[test]
    fn lines_break_at_spaces_and_long_words_are_broken() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("ab", 0), ["a", "b"]);
        assert_eq!(wrap("one\ntwo three", 6), ["one", "two", "three"]);
        assert_eq!(wrap("  one two", 6), ["  one", "  two"]);
    }

    #[test]
    fn what_a_terminal_shows_counts() {
        assert_eq!(width("主备 e\u{301}"), 6);
        assert_eq!(padded("主备", 6), "主备  ");
        assert_eq!(wrap("主要服务器 c1", 6), ["主要服", "务器", "c1"]);
        assert_eq!(wrap("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
        assert_eq!(wrap("主备", 1), ["主", "备"]);
        assert_eq!(cut("主要服务器", 6), "主要…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn what_is_hung_or_folded_keeps_its_margin() {
        assert_eq!(hung("? ", "one two\nthree", 7), "? one\n  two\n  three");
        assert_eq!(folded("  one two\nend\n", 8), "  one\n    two\nend\n");
        assert_eq!(folded("one two", 80), "one two");
    }

    #[test]
    fn a_text_is_shortened_in_its_middle() {
        assert_eq!(shortened("4 of 6 clients on the server", 16), "4 of 6 cli…erver");
        assert_eq!(shortened("short", 16), "short");
        assert!(width(&shortened("主要服务器 c1 主要服务器", 9)) <= 9);
    }
}
