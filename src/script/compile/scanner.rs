//! A script's text taken apart as it is written: the words and signs of its code, and what in its texts is not what it
//! looks like. For what the syntax tree no longer tells. It judges nothing and refuses nothing.

use rhai::Position;
use std::collections::BTreeSet;

/// Line and column, from 1.
pub(crate) type At = (u32, u32);

/// Where the syntax tree has something; what it has nowhere is before everything.
pub(crate) fn at(position: Position) -> At {
    let number = |given: Option<usize>| given.and_then(|given| u32::try_from(given).ok()).unwrap_or(0);
    (number(position.line()), number(position.position()))
}

/// A word or sign of the code. Comments have none. A text in plain quotes is one; one in back-ticks has its quotes and
/// what stands in `${…}`, whose first sign is `${`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its first character, from 0.
    pub(crate) from: usize,
    /// Behind its last one.
    pub(crate) to: usize,
    /// Where it stands.
    pub(crate) at: At,
}

/// What in a text is not what it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookalike {
    /// `\n` in back-ticks: there it is two characters.
    Escape,
    /// `${…}` in plain quotes: there it stays as it is. What stands between the braces.
    Value(String),
}

/// A text taken apart.
pub(crate) struct Scanned {
    /// Its characters.
    pub(crate) chars: Vec<char>,
    /// Its words and signs, in order.
    pub(crate) tokens: Vec<Token>,
    /// Its comments of one line, in order: where each stands, and what it says behind its `//`.
    pub(crate) comments: Vec<(At, String)>,
    found: Vec<(At, Lookalike)>,
    /// Values that are a shell's unless the script has a variable of that name.
    shells: Vec<(At, String)>,
}

impl Scanned {
    /// Takes a text apart.
    pub(crate) fn of(text: &str) -> Self {
        let (found, shells, tokens, comments) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let scanned = Self { chars: text.chars().collect(), tokens, comments, found, shells };
        let mut reader = TextCursor { scanned, next: 0, line: 1, column: 1 };
        reader.code(false);
        reader.scanned
    }

    /// What a token is.
    pub(crate) fn word(&self, token: &Token) -> String {
        self.chars[token.from..token.to].iter().collect()
    }

    /// What is not what it looks like. A `${name}` in plain quotes is left out where it is a shell's: the script has
    /// no such variable, and it is in capitals or the text itself sets it.
    pub(crate) fn lookalikes(&self) -> impl Iterator<Item = &(At, Lookalike)> {
        let called = |index: usize| self.tokens.get(index + 1).is_some_and(|next| self.word(next) == "(");
        let variables = self.tokens.iter().enumerate().filter(|(index, _)| !called(*index));
        let names: BTreeSet<String> = variables.map(|(_, token)| self.word(token)).collect();
        let is_shells = move |at: &At| self.shells.iter().any(|(of, name)| of == at && !names.contains(name));
        self.found.iter().filter(move |(at, _)| !is_shells(at))
    }
}

struct TextCursor {
    scanned: Scanned,
    next: usize,
    line: u32,
    column: u32,
}

impl TextCursor {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.scanned.chars.get(self.next + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek(0)?;
        self.next += 1;
        (self.line, self.column) = if char == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        Some(char)
    }

    /// Script, to its end, or in a text to the brace that closes it.
    fn code(&mut self, inside: bool) {
        let mut depth = 0_usize;
        loop {
            let (from, at) = (self.next, (self.line, self.column));
            let Some(char) = self.next() else { return };
            match (char, self.peek(0)) {
                ('/', Some('/')) => {
                    while self.peek(0).is_some_and(|char| char != '\n') && self.next().is_some() {}
                    let said = self.scanned.chars[from + 2..self.next].iter().collect();
                    self.scanned.comments.push((at, said));
                }
                ('/', Some('*')) => self.comment(),
                _ if char.is_whitespace() => {}
                _ => {
                    match char {
                        '"' | '\'' => self.quoted(char),
                        _ => while is_of_name(char) && self.peek(0).is_some_and(is_of_name) && self.next().is_some() {},
                    }
                    self.scanned.tokens.push(Token { from, to: self.next, at });
                    match char {
                        '`' => self.backticks(),
                        '{' => depth += 1,
                        '}' if inside && depth == 0 => return,
                        '}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
            }
        }
    }

    /// A comment of several lines, which may have others in it.
    fn comment(&mut self) {
        let mut depth = 1_usize;
        self.next();
        while depth > 0 {
            match (self.next(), self.peek(0)) {
                (None, _) => return,
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                _ => continue,
            }
            self.next();
        }
    }

    fn quoted(&mut self, quote: char) {
        let from = self.next;
        let mut values = Vec::new();
        loop {
            let here = (self.line, self.column);
            match (self.next(), self.peek(0)) {
                (None, _) => break,
                (Some('\\'), _) => drop(self.next()),
                (Some(char), _) if char == quote => break,
                (Some('$'), Some('{')) if quote == '"' => values.extend(self.value().map(|value| (here, value))),
                _ => {}
            }
        }
        let text: String = self.scanned.chars[from..self.next].iter().collect();
        for (at, value) in values {
            let name: String = value.chars().take_while(|char| is_of_name(*char)).collect();
            let others = text.replace(&format!("${{{value}}}"), "");
            let set_here = others.split(|char| !is_of_name(char)).any(|word| word == name);
            if set_here || !name.chars().any(char::is_lowercase) {
                self.scanned.shells.push((at, name));
            }
            self.scanned.found.push((at, Lookalike::Value(value)));
        }
    }

    /// What stands in the braces that begin here, when it reads like a value of a script: a name first, then nothing
    /// that only a shell knows.
    fn value(&self) -> Option<String> {
        let behind = self.scanned.chars[self.next + 1..].iter();
        let inside: String = behind.take_while(|char| !['}', '"', '\n'].contains(char)).collect();
        let rest = inside.trim_start_matches(is_of_name);
        let closed = self.peek(1 + inside.chars().count()) == Some('}');
        let begins = inside.starts_with(|char: char| is_of_name(char) && !char.is_ascii_digit());
        let of_script = rest.chars().next().is_none_or(|char| ".[( ".contains(char));
        (closed && begins && of_script).then_some(inside)
    }

    fn backticks(&mut self) {
        loop {
            let (from, at) = (self.next, (self.line, self.column));
            match (self.next(), self.peek(0)) {
                (None, _) => return,
                (Some('`'), Some('`')) => drop(self.next()),
                (Some('`'), _) => return self.scanned.tokens.push(Token { from, to: self.next, at }),
                (Some('$'), Some('{')) => {
                    self.next();
                    self.scanned.tokens.push(Token { from, to: self.next, at });
                    self.code(true);
                }
                (Some('\\'), Some('n')) => self.scanned.found.push((at, Lookalike::Escape)),
                // Of `\\n` somebody has thought.
                (Some('\\'), Some('\\')) => drop(self.next()),
                _ => {}
            }
        }
    }
}

fn is_of_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::{Lookalike, Scanned};

    #[test]
    fn only_texts_in_backticks_have_no_escapes() {
        let text = r#"let a = "x\n"; // `\n`
/* `\n` /* ` */ */ let b = `${ list.join("\n") } and ${ `in\n` }`;
let c = `first
  second\n`; let d = '`'; let e = `a\\n`;"#;
        let scanned = Scanned::of(text);
        let found: Vec<_> = scanned.lookalikes().cloned().collect();
        assert_eq!(found, [((2, 60), Lookalike::Escape), ((4, 9), Lookalike::Escape)], "{text}");
        let words: Vec<String> =
            scanned.tokens[scanned.tokens.len() - 6..].iter().map(|one| scanned.word(one)).collect();
        assert_eq!(words, ["let", "e", "=", "`", "`", ";"], "{text}");
    }

    #[test]
    fn a_value_in_plain_quotes_is_told_from_a_shells() {
        let text = r#"let host = "h1"; note("on ${host}"); // "${host}"
note(`${host} and ${ f("${host.name}") }`); note("\\${host} ${missing}");
run(host, ["sh", "-c", "echo ${HOME} ${host%.*} ${x:-1}; for f in a b; do echo ${f}; done"]);
let LIMIT = 3; note("${LIMIT} of ${1}"); note("${not closed"); note("${host_of(c1)}");"#;
        let value = |found: Lookalike| match found {
            Lookalike::Value(value) => value,
            Lookalike::Escape => panic!("an escape in {text}"),
        };
        let scanned = Scanned::of(text);
        let values: Vec<_> = scanned.lookalikes().cloned().map(|(at, found)| (at, value(found))).collect();
        let expected = [
            ((1, 27), "host"),
            ((2, 25), "host.name"),
            ((2, 53), "host"),
            ((2, 61), "missing"),
            ((4, 22), "LIMIT"),
            ((4, 70), "host_of(c1)"),
        ];
        assert_eq!(values, expected.map(|(at, value)| (at, value.to_owned())), "{text}");
    }
}
