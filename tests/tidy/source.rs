//! A Rust source as the inspector sees it: tokens without comments and strings. Knows no rules of the house.

use std::collections::BTreeSet;

/// A path such as `std::fs::read`, groups written out; `depth` counts the inline modules around it.
pub(super) struct Path {
    /// Its segments.
    pub(super) parts: Vec<String>,
    /// Where it begins.
    pub(super) line: usize,
    /// How many `mod x { … }` of this file it stands in.
    pub(super) depth: usize,
    /// Whether it only says who may see something: `pub(super)`, `pub(in crate::cli)`.
    pub(super) is_scope: bool,
}

/// One word or sign with its line.
#[derive(Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// A tokenised file.
pub(super) struct Source {
    tokens: Vec<Token>,
    /// First and last line of every item under `#[cfg(test)]`.
    tests: Vec<(usize, usize)>,
    /// First and last token of every inline module.
    modules: Vec<(usize, usize)>,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let mut source = Self { tokens: tokens(text), tests: Vec::new(), modules: Vec::new() };
        source.tests = source.test_ranges();
        source.modules = source.module_ranges();
        source
    }

    /// Whether the line stands in an item under `#[cfg(test)]`.
    pub(super) fn in_test(&self, line: usize) -> bool {
        self.tests.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Every path of the file; a single name counts as a path of one segment.
    pub(super) fn paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        let mut index = 0;
        while index < self.tokens.len() {
            if is_name(self.text(index)) && (index == 0 || self.text(index - 1) != "::") {
                let line = self.tokens[index].line;
                let depth = self.module_depth(index);
                let before = |back: usize| index.checked_sub(back).map_or("", |at| self.text(at));
                let is_scope = before(1) == "(" && before(2) == "pub" || before(1) == "in" && before(2) == "(";
                let mut paths = Vec::new();
                index = self.path_at(index, Vec::new(), &mut paths);
                found.extend(paths.into_iter().map(|parts| Path { parts, line, depth, is_scope }));
            } else {
                index += 1;
            }
        }
        found
    }

    /// What the file offers as its own: the paths behind `pub use`.
    pub(super) fn offered(&self) -> Vec<Path> {
        let mut found = Vec::new();
        for index in 0..self.tokens.len() {
            if self.text(index) != "use" || index == 0 {
                continue;
            }
            let is_open = match self.text(index - 1) {
                "pub" => true,
                ")" => (index.saturating_sub(6)..index).any(|at| self.text(at) == "pub" && self.text(at + 1) == "("),
                _ => false,
            };
            let (line, depth) = (self.tokens[index].line, self.module_depth(index));
            let mut paths = Vec::new();
            if is_open {
                self.path_at(index + 1, Vec::new(), &mut paths);
            }
            found.extend(paths.into_iter().map(|parts| Path { parts, line, depth, is_scope: false }));
        }
        found
    }

    /// The types that are defined in the file, outside functions and `impl`s.
    pub(super) fn types(&self) -> BTreeSet<String> {
        let kinds = ["struct", "enum", "trait", "type", "union"];
        let mut nested = 0;
        let mut found = BTreeSet::new();
        for index in 0..self.tokens.len() {
            let name = self.text(index + 1);
            if nested == 0
                && kinds.contains(&self.text(index))
                && is_name(name)
                && !self.in_test(self.tokens[index].line)
            {
                found.insert(name.to_owned());
            }
            nested += i32::from(self.text(index) == "{") - i32::from(self.text(index) == "}");
        }
        found
    }

    /// The types that have functions of their own in the file: `impl X { … }`.
    pub(super) fn extended(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for index in 0..self.tokens.len() {
            if self.text(index) != "impl" || self.in_test(self.tokens[index].line) {
                continue;
            }
            let Some(open) = self.body_of(index) else { continue };
            let mut at = index + 1;
            if self.text(at) == "<" {
                let mut depth = 0;
                while at < open {
                    depth += i32::from(self.text(at) == "<") - i32::from(self.text(at) == ">");
                    at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            let is_of_trait = (at..open).any(|at| self.text(at) == "for");
            // `impl Trait` in the place of a type begins no item.
            let begins = index == 0 || ["}", ";", "]"].contains(&self.text(index - 1));
            if begins && !is_of_trait && is_name(self.text(at)) {
                found.insert(self.text(at).to_owned());
            }
        }
        found
    }

    /// Every `name!`, with its line.
    pub(super) fn macros(&self) -> Vec<(usize, String)> {
        let pairs = self.tokens.windows(2);
        let called = pairs.filter(|pair| is_name(&pair[0].text) && pair[1].text == "!");
        called.map(|pair| (pair[0].line, pair[0].text.clone())).collect()
    }

    /// Every call of a method or function with one of these names.
    pub(super) fn calls(&self, names: &[&str]) -> Vec<(usize, String)> {
        let named = self.tokens.windows(2).filter(|pair| names.contains(&pair[0].text.as_str()));
        let called = named.filter(|pair| pair[1].text == "(" || pair[1].text == ")");
        called.map(|pair| (pair[0].line, pair[0].text.clone())).collect()
    }

    /// Every function that has a body: its line, name and length in lines.
    pub(super) fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut found = Vec::new();
        for index in 0..self.tokens.len() {
            if self.text(index) != "fn" || !is_name(self.text(index + 1)) {
                continue;
            }
            let Some(open) = self.body_of(index) else { continue };
            let line = self.tokens[index].line;
            found.push((line, self.text(index + 1).to_owned(), self.tokens[self.closing(open)].line - line + 1));
        }
        found
    }

    fn text(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &token.text)
    }

    /// Reads the path that goes on at `index` behind `before`; returns where it ends.
    fn path_at(&self, mut index: usize, mut before: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
        while is_name(self.text(index)) {
            before.push(self.text(index).to_owned());
            index += 1;
            if self.text(index) != "::" {
                found.push(before);
                return index;
            }
            index += 1;
        }
        if self.text(index) != "{" {
            found.push(before);
            return index;
        }
        index += 1;
        while index < self.tokens.len() && self.text(index) != "}" {
            index = if is_name(self.text(index)) { self.path_at(index, before.clone(), found) } else { index + 1 };
        }
        index + 1
    }

    /// The brace that opens the body of the item at `index`; none if a `;` comes first.
    fn body_of(&self, index: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for at in index..self.tokens.len() {
            match self.text(at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                "{" if depth == 0 => return Some(at),
                ";" if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_i32;
        for at in open..self.tokens.len() {
            depth += i32::from(self.text(at) == "{") - i32::from(self.text(at) == "}");
            if depth == 0 {
                return at;
            }
        }
        self.tokens.len() - 1
    }

    fn module_depth(&self, index: usize) -> usize {
        self.modules.iter().filter(|(first, last)| (*first..=*last).contains(&index)).count()
    }

    fn module_ranges(&self) -> Vec<(usize, usize)> {
        let opens = (2..self.tokens.len()).filter(|at| self.text(at - 2) == "mod" && self.text(*at) == "{");
        opens.map(|open| (open, self.closing(open))).collect()
    }

    fn test_ranges(&self) -> Vec<(usize, usize)> {
        let wanted = ["#", "[", "cfg", "(", "test", ")", "]"];
        let mut found = Vec::new();
        for index in 0..self.tokens.len() {
            if wanted.iter().enumerate().all(|(offset, text)| self.text(index + offset) == *text) {
                let item = index + wanted.len();
                let last = self.body_of(item).map_or(item, |open| self.closing(open));
                found.push((self.tokens[index].line, self.tokens[last].line));
            }
        }
        found
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words and signs; comments, strings and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let end = token_end(&chars, at);
        let text: String = chars[at..end].iter().collect();
        let kept = is_name(&text) && !text.contains('"') || text.len() <= 2 && !text.starts_with(['/', '"', '\'']);
        if kept && !text.trim().is_empty() {
            found.push(Token { text: text.clone(), line });
        }
        line += text.matches('\n').count();
        at = end;
    }
    found
}

fn token_end(chars: &[char], at: usize) -> usize {
    let peek = |offset: usize| chars.get(at + offset).copied().unwrap_or(' ');
    let find = |from: usize, what: &str| find(chars, from, what);
    match (peek(0), peek(1)) {
        ('/', '/') => find(at, "\n"),
        ('/', '*') => find(at + 2, "*/") + 2,
        ('"', _) => string_end(chars, at + 1),
        ('b', '"') => string_end(chars, at + 2),
        ('r', '"' | '#') | ('b', 'r') if raw_string(chars, at).is_some() => raw_string(chars, at).unwrap_or(at + 1),
        ('\'', '\\') => find(at + 3, "'") + 1,
        ('\'', _) if peek(2) == '\'' => at + 3,
        (':', ':') => at + 2,
        (c, _) if c.is_alphanumeric() || c == '_' => {
            at + chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
        }
        _ => at + 1,
    }
    .min(chars.len())
}

fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let start = at + chars[at..].iter().take_while(|c| **c == 'b' || **c == 'r').count();
    let hashes = chars[start..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    Some(find(chars, start + hashes + 1, &close) + close.len())
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn find(chars: &[char], from: usize, what: &str) -> usize {
    let wanted: Vec<char> = what.chars().collect();
    (from..chars.len()).find(|at| chars[*at..].starts_with(&wanted)).unwrap_or(chars.len())
}
