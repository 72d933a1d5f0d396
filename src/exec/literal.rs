//! The text that whatever matches an expression must contain. Searching a large log for such texts is many times
//! faster than searching it for the expressions, which then only have to judge the lines found. It understands little
//! of expressions, and gives nothing rather than a guess.

use std::iter::Peekable;
use std::str::Chars;

/// Shorter texts are in too many lines to be worth looking for.
const SHORTEST: usize = 3;

/// The longest text that is in every match of `pattern`, if one can be told.
pub(super) fn required(pattern: &str) -> Option<String> {
    let mut chars = pattern.chars().peekable();
    let (mut best, mut run) = (String::new(), String::new());
    while let Some(char) = chars.next() {
        let literal = match char {
            '|' | ')' => return None,
            '\\' => match chars.next()? {
                // These take arguments that would have to be understood.
                'x' | 'u' | 'U' | 'p' | 'P' => return None,
                // `\b` and the like, `\<` and `\>`: the beginning and the end of a word.
                class if class.is_ascii_alphanumeric() || matches!(class, '<' | '>') => None,
                quoted => Some(quoted),
            },
            '(' => {
                skip_group(&mut chars)?;
                None
            }
            '[' => {
                skip_class(&mut chars)?;
                None
            }
            '*' | '?' => {
                run.pop();
                None
            }
            '{' => {
                run.pop();
                chars.by_ref().find(|char| *char == '}')?;
                None
            }
            '.' | '^' | '$' | '+' => None,
            plain => Some(plain),
        };
        match literal {
            Some(literal) => run.push(literal),
            None => keep_longer(&mut best, &mut run),
        }
    }
    keep_longer(&mut best, &mut run);
    (best.len() >= SHORTEST).then_some(best)
}

fn keep_longer(best: &mut String, run: &mut String) {
    if run.len() > best.len() {
        best.clone_from(run);
    }
    run.clear();
}

/// Skips the rest of a group. Nothing when it sets flags, such as `(?i)`: they change what the rest means.
fn skip_group(chars: &mut Peekable<Chars<'_>>) -> Option<()> {
    if chars.next_if_eq(&'?').is_some() && !matches!(chars.next()?, ':' | 'P' | '<') {
        return None;
    }
    loop {
        match chars.next()? {
            ')' => return Some(()),
            '(' => skip_group(chars)?,
            '[' => skip_class(chars)?,
            '\\' => {
                chars.next()?;
            }
            _ => {}
        }
    }
}

/// Skips the rest of a class such as `[^a-z]`.
fn skip_class(chars: &mut Peekable<Chars<'_>>) -> Option<()> {
    chars.next_if_eq(&'^');
    chars.next_if_eq(&']');
    loop {
        match chars.next()? {
            ']' => return Some(()),
            '[' => skip_class(chars)?,
            '\\' => {
                chars.next()?;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::required;

    #[test]
    fn the_longest_text_every_match_has_is_found() {
        for (pattern, text) in [
            ("promoted", "promoted"),
            ("^.{8,40} Std 2530[0-3] ", " Std 2530"),
            ("[Ll]icense .* (expired|exceeded)", "icense "),
            (r"\<ready\>", "ready"),
            (r"\bup\b{end} again", " again"),
            (r"\<b\> \/etc\.d", " /etc.d"),
            (r"GCTI\-21-(\d{5})", "GCTI-21-"),
            (r"fatal error\s+[0-9]+", "fatal error"),
            ("colou?red", "colo"),
            ("abc+def", "abc"),
            ("abcx{0,2}de", "abc"),
            ("(?:a|b) is (?P<what>gone|down)", " is "),
            (r"[^\]abc] gone []x]", " gone "),
            ("caf\u{e9} au", "caf\u{e9} au"),
        ] {
            assert_eq!(required(pattern).as_deref(), Some(text), "{pattern}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for pattern in ["start|stop", "(?i)ready", "(ready|done)", r"\x41bcd", r"\pLabcd", "ab*", "", "[abc", "abc("] {
            assert_eq!(required(pattern), None, "{pattern}");
        }
    }
}
