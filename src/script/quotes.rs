//! Texts in back-ticks as they are written: what looks like an escape in them is none. It reads a file's text and
//! judges nothing else.

/// The places, as line and column from 1, where `\n` stands in a text in back-ticks: there it is two characters.
pub(crate) fn escapes_in_backticks(text: &str) -> Vec<(usize, usize)> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, line: 1, column: 1, found: Vec::new() };
    reader.code(false);
    reader.found
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    column: usize,
    found: Vec<(usize, usize)>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek(0)?;
        self.at += 1;
        (self.line, self.column) = if char == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        Some(char)
    }

    /// Script, to its end, or in a text to the brace that closes it.
    fn code(&mut self, inside: bool) {
        let mut depth = 0_usize;
        while let Some(char) = self.next() {
            match (char, self.peek(0)) {
                ('{', _) => depth += 1,
                ('}', _) if inside && depth == 0 => return,
                ('}', _) => depth = depth.saturating_sub(1),
                ('/', Some('/')) => while self.peek(0).is_some_and(|char| char != '\n') && self.next().is_some() {},
                ('/', Some('*')) => self.comment(),
                ('"' | '\'', _) => self.quoted(char),
                ('`', _) => self.backticks(),
                _ => {}
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
        while let Some(char) = self.next() {
            match char {
                '\\' => drop(self.next()),
                _ if char == quote => return,
                _ => {}
            }
        }
    }

    fn backticks(&mut self) {
        loop {
            let here = (self.line, self.column);
            match (self.next(), self.peek(0)) {
                (None, _) => return,
                (Some('`'), Some('`')) => drop(self.next()),
                (Some('`'), _) => return,
                (Some('$'), Some('{')) => {
                    self.next();
                    self.code(true);
                }
                (Some('\\'), Some('n')) => self.found.push(here),
                // Of `\\n` somebody has thought.
                (Some('\\'), Some('\\')) => drop(self.next()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::escapes_in_backticks;

    #[test]
    fn only_texts_in_backticks_are_meant() {
        let text = r#"let a = "x\n"; // `\n`
/* `\n` /* ` */ */ let b = `${ list.join("\n") } and ${ `in\n` }`;
let c = `first
  second\n`; let d = '`'; let e = `a\\n`;"#;
        assert_eq!(escapes_in_backticks(text), [(2, 60), (4, 9)], "{text}");
    }
}
