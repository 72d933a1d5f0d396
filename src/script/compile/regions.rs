//! Which parts of a script's text are not simply run in their turn: functions, branches, rounds, the bodies of steps.
//! It reads the text, evaluates nothing, and knows nothing of what stands in the parts.

use crate::script::compile::scanner::{At, Scanned, Token};

/// How long the words of a condition may be.
const WORDS_MAX: usize = 60;

/// What kind of part it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RegionKind {
    /// The body of a function of this name with so many parameters.
    Function(String, usize),
    /// What a call of `step` or `ensure` is given.
    Step,
    /// What undoes a step: it is not run on the way forward.
    Undo,
    /// One of several, of which one is run or none.
    Branch {
        /// Where the first of them begins: it is the same for all.
        group: At,
        /// When it is run.
        when: String,
        /// What is decided by, where all of them have it in common.
        by: Option<String>,
        /// Whether it leaves what is around it: what follows is not run then.
        leaves: bool,
    },
    /// It is run once for each of something, as long as something holds, or whenever it is called.
    Rounds(String),
}

/// A part of a script's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// What kind.
    pub(crate) kind: RegionKind,
    /// Where it begins.
    pub(crate) from: At,
    /// Where it ends.
    pub(crate) to: At,
}

impl Region {
    /// Whether a place is in it.
    pub(crate) fn has(&self, at: At) -> bool {
        self.from <= at && at <= self.to
    }
}

/// The parts of a text, in the order in which they begin.
pub(crate) fn regions(text: &str) -> Vec<Region> {
    let scanned = Scanned::of(text);
    let words = scanned.tokens.iter().map(|token| scanned.word(token)).collect();
    let mut parser = Parser { words, scanned, next: 0, found: Vec::new() };
    while parser.next < parser.words.len() {
        parser.block();
    }
    parser.found.sort_by_key(|region| (region.from, std::cmp::Reverse(region.to)));
    parser.found
}

struct Parser {
    scanned: Scanned,
    words: Vec<String>,
    next: usize,
    found: Vec<Region>,
}

impl Parser {
    fn word(&self, ahead: usize) -> &str {
        self.words.get(self.next + ahead).map_or("", String::as_str)
    }

    fn token(&self, index: usize) -> Token {
        let last = self.scanned.tokens.last().copied();
        self.scanned.tokens.get(index).copied().or(last).unwrap_or(Token { from: 0, to: 0, at: (1, 1) })
    }

    /// What is written from one token to before another, on one line.
    fn written(&self, from: usize, to: usize) -> String {
        let (from, to) = (self.token(from).from, self.token(to.saturating_sub(1)).to);
        let text: String = self.scanned.chars.get(from..to).unwrap_or_default().iter().collect();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= WORDS_MAX {
            return line;
        }
        line.chars().take(WORDS_MAX - 1).chain(['…']).collect()
    }

    /// Up to the brace that ends this block, which is taken, or the end. Whether it leaves what is around it.
    fn block(&mut self) -> bool {
        let mut leaves = false;
        while self.next < self.words.len() {
            if self.word(0) == "}" {
                self.next += 1;
                return leaves;
            }
            leaves |= matches!(self.word(0), "return" | "throw");
            self.one();
        }
        leaves
    }

    /// One word or sign, with all that belongs to it.
    fn one(&mut self) {
        let is_member = self.next > 0 && self.words[self.next - 1] == ".";
        match self.word(0) {
            "fn" => self.function(),
            "if" => self.branches(),
            "switch" => self.arms(),
            "for" | "while" | "loop" => self.rounds(),
            "try" => self.attempt(),
            "step" | "ensure" if self.word(1) == "(" && !is_member => self.step(),
            "|" if self.begins_closure() => self.closure(),
            "undo" if self.word(1) == ":" && self.word(2) != ":" => self.undo(),
            "{" | "${" => {
                self.next += 1;
                self.block();
            }
            "(" => self.enclosed(")"),
            "[" => self.enclosed("]"),
            _ => self.next += 1,
        }
    }

    /// What stands in brackets, with its end.
    fn enclosed(&mut self, end: &str) {
        self.next += 1;
        while self.next < self.words.len() && self.word(0) != "}" {
            if self.word(0) == end {
                self.next += 1;
                return;
            }
            self.one();
        }
    }

    /// Up to the brace that begins a block; a map's brace begins none. What is written there.
    fn head(&mut self) -> String {
        let from = self.next;
        while self.next < self.words.len() && !matches!(self.word(0), "{" | "}" | ";") {
            if self.word(0) == "#" && self.word(1) == "{" {
                self.next += 1;
            }
            self.one();
        }
        self.written(from, self.next)
    }

    /// A block in braces, if one begins here.
    fn body(&mut self, kind: impl FnOnce(bool) -> RegionKind) {
        if self.word(0) != "{" {
            return;
        }
        let from = self.token(self.next).at;
        self.next += 1;
        let leaves = self.block();
        let to = self.token(self.next.saturating_sub(1)).at;
        self.found.push(Region { kind: kind(leaves), from, to });
    }

    fn function(&mut self) {
        self.next += 1;
        let name = self.word(0).to_owned();
        let opened = self.next + 1;
        self.head();
        let parameters = self.words[opened.min(self.next)..self.next].iter();
        let count = parameters.filter(|word| !["(", ")", ","].contains(&word.as_str())).count();
        self.body(|_| RegionKind::Function(name, count));
    }

    fn step(&mut self) {
        self.next += 1;
        let from = self.token(self.next).at;
        self.next += 1;
        while self.next < self.words.len() && !matches!(self.word(0), ")" | "}") {
            // Its own closure is called once.
            if self.word(0) == "|" && self.begins_closure() { self.parameters() } else { self.one() }
        }
        self.next += usize::from(self.word(0) == ")");
        let to = self.token(self.next.saturating_sub(1)).at;
        self.found.push(Region { kind: RegionKind::Step, from, to });
    }

    /// Whether a bar begins the parameters of a closure: it stands where a value does.
    fn begins_closure(&self) -> bool {
        let before = self.next.checked_sub(1).and_then(|before| self.words.get(before));
        before.is_none_or(|word| ["(", ",", "=", ":", "[", "{", ";", "return"].contains(&word.as_str()))
    }

    /// The parameters of a closure, with both bars.
    fn parameters(&mut self) {
        self.next += 1;
        while self.next < self.words.len() && self.word(0) != "|" {
            self.next += 1;
        }
        self.next += 1;
    }

    /// A closure that somebody may call more than once, or never.
    fn closure(&mut self) {
        self.parameters();
        let from = self.token(self.next).at;
        while self.next < self.words.len() && !matches!(self.word(0), "," | ";" | ")" | "]" | "}") {
            self.one();
        }
        let to = self.token(self.next).at;
        self.found.push(Region { kind: RegionKind::Rounds("each time it is called".to_owned()), from, to });
    }

    /// The value of a map's key, up to the comma or the brace behind it.
    fn undo(&mut self) {
        self.next += 2;
        let from = self.token(self.next).at;
        while self.next < self.words.len() && !matches!(self.word(0), "," | "}") {
            self.one();
        }
        self.found.push(Region { kind: RegionKind::Undo, from, to: self.token(self.next).at });
    }

    fn branches(&mut self) {
        let group = self.token(self.next).at;
        let branch = |when: String| move |leaves| RegionKind::Branch { group, when, by: None, leaves };
        let mut word = "if";
        loop {
            self.next += 1;
            let condition = self.head();
            self.body(branch(format!("{word} {condition}")));
            if self.word(0) != "else" {
                return;
            }
            self.next += 1;
            if self.word(0) != "if" {
                return self.body(branch("otherwise".to_owned()));
            }
            word = "or if";
        }
    }

    fn attempt(&mut self) {
        let group = self.token(self.next).at;
        self.next += 1;
        if self.word(0) == "{" {
            self.next += 1;
            self.block();
        }
        if self.word(0) == "catch" {
            self.head();
            let when = "if that fails".to_owned();
            self.body(|leaves| RegionKind::Branch { group, when, by: None, leaves });
        }
    }

    fn rounds(&mut self) {
        let word = self.word(0).to_owned();
        self.next += 1;
        let head = self.head();
        let words = match word.as_str() {
            "for" => format!("for each {head}"),
            "while" => format!("while {head}"),
            _ => "again and again".to_owned(),
        };
        self.body(|_| RegionKind::Rounds(words));
    }

    fn arms(&mut self) {
        let group = self.token(self.next).at;
        self.next += 1;
        let by = self.head();
        if self.word(0) != "{" {
            return;
        }
        self.next += 1;
        while self.next < self.words.len() && self.word(0) != "}" {
            let label = self.label();
            let from = self.token(self.next).at;
            let leaves = self.arm();
            let to = self.token(self.next).at;
            let when = if label == "_" { "otherwise".to_owned() } else { label };
            let kind = RegionKind::Branch { group, when, by: Some(by.clone()), leaves };
            self.found.push(Region { kind, from, to });
            if self.word(0) == "," {
                self.next += 1;
            }
        }
        self.next += 1;
    }

    /// What stands behind the arrow of an arm: a block, or up to the comma. Whether it leaves what is around it.
    fn arm(&mut self) -> bool {
        if self.word(0) == "{" {
            self.next += 1;
            return self.block();
        }
        let leaves = matches!(self.word(0), "return" | "throw");
        while self.next < self.words.len() && !matches!(self.word(0), "," | "}") {
            self.one();
        }
        leaves
    }

    /// What stands before the arrow of an arm, and the arrow.
    fn label(&mut self) -> String {
        let from = self.next;
        while self.next < self.words.len() && !(self.word(0) == "=" && self.word(1) == ">") && self.word(0) != "}" {
            self.next += 1;
        }
        let label = self.written(from, self.next);
        self.next += if self.word(0) == "=" { 2 } else { 0 };
        label
    }
}

#[cfg(test)]
mod tests {
    use super::{RegionKind, regions};

    #[test]
    fn parts_are_found_where_they_stand() {
        let text = r#"
fn f(a, b) { if a == `x${ #{ k: 1 }.k }` { step("A", || g(b)); return; } else if b { 1 } else { 2 } }
for x in [1, 2] { switch x + 1 { "p" | "q" => f(1, 2), 2..5 if x > 1 => { throw "n" } _ => h.step(1) } }
let m = #{ if_: 1, f: |x| x }; each(m, || f(1) || x);
while m.k < 3 { try { f(1) } catch (e) { step("B", || (), #{ undo: || f(2) }); } }
"#;
        let told: Vec<String> = regions(text)
            .iter()
            .map(|region| {
                let kind = match &region.kind {
                    RegionKind::Function(name, count) => format!("fn {name}/{count}"),
                    RegionKind::Step => "step".to_owned(),
                    RegionKind::Undo => "undo".to_owned(),
                    RegionKind::Branch { when, by, leaves, .. } => {
                        format!("{when}{}{}", by.as_deref().unwrap_or(""), if *leaves { "!" } else { "" })
                    }
                    RegionKind::Rounds(words) => words.clone(),
                };
                format!("{}:{} {kind}", region.from.0, region.from.1)
            })
            .collect();
        let expected = [
            "2:12 fn f/2",
            "2:42 if a == `x${ #{ k: 1 }.k }`!",
            "2:48 step",
            "2:84 or if b",
            "2:95 otherwise",
            "3:17 for each x in [1, 2]",
            "3:47 \"p\" | \"q\"x + 1",
            "3:73 2..5 if x > 1x + 1!",
            "3:92 otherwisex + 1",
            "4:27 each time it is called",
            "4:43 each time it is called",
            "5:15 while m.k < 3",
            "5:40 if that fails",
            "5:46 step",
            "5:68 undo",
            "5:71 each time it is called",
        ];
        assert_eq!(told, expected, "{text}");
    }
}
