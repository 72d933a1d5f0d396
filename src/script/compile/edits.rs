//! What differs between two versions of the texts of a run, told by steps: unchanged, changed, new, gone. It compares
//! words, not meaning: comments and spacing do not count. It must not decide what a run may go on with.

use crate::model::run::source_name::SourceName;
use crate::script::compile::sources::file_of;
use std::collections::{BTreeMap, BTreeSet};

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edits {
    /// Steps that are as they were.
    pub unchanged: usize,
    /// What is not: one line a step or file.
    pub lines: Vec<String>,
}

/// The texts of a run.
type TextsByKey = BTreeMap<SourceName, String>;

/// Compares two versions of the texts of a run.
#[must_use]
pub fn compare(before: &TextsByKey, now: &TextsByKey) -> Edits {
    let (old, new) = (TextParts::of(before), TextParts::of(now));
    let common: BTreeSet<&str> = old.names().intersection(&new.names()).copied().collect();
    let of_both = |body: &[TextPiece]| -> Vec<TextPiece> {
        let stays =
            |piece: &&TextPiece| if let TextPiece::Step(name) = piece { common.contains(name.as_str()) } else { true };
        body.iter().filter(stays).cloned().collect()
    };
    let mut edits = Edits { unchanged: 0, lines: Vec::new() };
    let mut told = BTreeSet::new();
    for step in &new.steps {
        let word = match old.find(step) {
            Some(former) if of_both(&former.body) == of_both(&step.body) => {
                edits.unchanged += 1;
                continue;
            }
            Some(former) => {
                told.insert(&former.file);
                "changed"
            }
            None => "new",
        };
        told.insert(&step.file);
        edits.lines.push(format!("{word}: \"{}\"", step.name));
    }
    for step in old.steps.iter().filter(|step| new.find(step).is_none()) {
        told.insert(&step.file);
        edits.lines.push(format!("gone: \"{}\"", step.name));
    }
    for name in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let around = |parts: &TextParts| parts.around.get(name).map(|body| of_both(body));
        let word = match (before.get(name), now.get(name)) {
            (Some(text), Some(other)) if text == other => continue,
            (None, _) => "new",
            (_, None) => "gone",
            (Some(_), Some(_)) if !name.is_script() => "changed",
            (Some(_), Some(_)) if around(&old) != around(&new) => "changed around its steps",
            (Some(_), Some(_)) if told.contains(name) => continue,
            (Some(_), Some(_)) => "only comments or spacing changed",
        };
        edits.lines.push(format!("{word}: {}", for_people(name)));
    }
    edits
}

fn for_people(key: &SourceName) -> String {
    if key.is_script() { file_of(key) } else { format!("{} {}", key.kind(), key.bare()) }
}

/// A token, or a step in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TextPiece {
    Token(String),
    Step(String),
}

/// The text of one step, without the steps inside it.
struct StepText {
    name: String,
    /// Its number among the steps of this name.
    nth: usize,
    file: SourceName,
    body: Vec<TextPiece>,
}

/// The steps of some texts in the order they are written, and what stands around them in each file.
#[derive(Default)]
struct TextParts {
    steps: Vec<StepText>,
    around: BTreeMap<SourceName, Vec<TextPiece>>,
}

impl TextParts {
    fn of(files: &TextsByKey) -> Self {
        let mut parts = Self::default();
        for (file, text) in files.iter().filter(|(key, _)| key.is_script()) {
            let body = parts.cut(file, &tokens(text));
            parts.around.insert(file.clone(), body);
        }
        parts
    }

    fn names(&self) -> BTreeSet<&str> {
        self.steps.iter().map(|step| step.name.as_str()).collect()
    }

    /// The same step in these texts.
    fn find(&self, other: &StepText) -> Option<&StepText> {
        self.steps.iter().find(|step| step.name == other.name && step.nth == other.nth)
    }

    /// Takes the steps out of a stretch of text; what is left has their names in their places.
    fn cut(&mut self, file: &SourceName, tokens: &[String]) -> Vec<TextPiece> {
        let mut left = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let after = |word: &str| at > 0 && tokens.get(at - 1).is_some_and(|before| before == word);
            let is_call = tokens.get(at + 1).is_some_and(|next| next == "(") && !after("fn") && !after(".");
            if !is_call || !matches!(token.as_str(), "step" | "ensure") {
                left.push(TextPiece::Token(token.clone()));
                at += 1;
                continue;
            }
            let end = closing(tokens, at + 1);
            let inside = tokens.get(at + 2..end).unwrap_or_default();
            let name = inside.first().map_or("", |name| name.trim_matches(['"', '`'])).to_owned();
            let body = self.cut(file, inside);
            let nth = self.steps.iter().filter(|step| step.name == name).count();
            self.steps.push(StepText { name: name.clone(), nth, file: file.clone(), body });
            left.push(TextPiece::Step(name));
            at = end + 1;
        }
        left
    }
}

/// Where the bracket that opens at `open` is closed.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// The words, literals and signs of a text, without comments and spaces.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => comment(rest),
            '"' | '`' | '\'' => literal(rest, first),
            _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() && !token.starts_with("//") && !token.starts_with("/*") {
            found.push(token.to_owned());
        }
        rest = after;
    }
    found
}

/// How long the comment is that `text` begins with. Comments of this kind may contain others.
fn comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (step, change) = match rest {
            _ if rest.starts_with("/*") => (2, 1),
            _ if rest.starts_with("*/") => (2, -1),
            _ => (rest.chars().next().map_or(1, char::len_utf8), 0),
        };
        at += step;
        depth = depth.saturating_add_signed(change);
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// How long the literal is that `text` begins with; `quote` ends it. What stands in `${…}` may have quotes of its own.
fn literal(text: &str, quote: char) -> usize {
    let mut at = quote.len_utf8();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or_default();
        at += match first {
            '\\' if quote != '`' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '$' if quote == '`' && rest.starts_with("${") => 1 + block(&rest[1..]),
            _ if first == quote => return at + quote.len_utf8(),
            _ => first.len_utf8(),
        };
    }
    text.len()
}

/// How long the block in braces is that `text` begins with.
fn block(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or_default();
        at += match first {
            '"' | '`' | '\'' => literal(rest, first),
            _ => first.len_utf8(),
        };
        match first {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{SourceName, compare, tokens};
    use std::collections::BTreeMap;

    fn edits(before: &str, now: &str) -> (usize, Vec<String>) {
        let files = |text: &str| BTreeMap::from([(SourceName::Runbook("t".into()), text.to_owned())]);
        let edits = compare(&files(before), &files(now));
        (edits.unchanged, edits.lines)
    }

    #[test]
    fn steps_are_told_apart_by_their_words() {
        let before = r#"step("A", || { step("B", || stop(`x ${y("}")} z`)); go(1) }); end("c")"#;
        assert_eq!(edits(before, before), (2, vec![]));
        let spaced = before.replace("go(1)", "go( 1 ) /* a /* b */ c */ // d\n");
        assert_eq!(edits(before, &spaced), (2, vec!["only comments or spacing changed: t.rhai".into()]));
        assert_eq!(edits(before, &before.replace("z`", "w`")), (1, vec!["changed: \"B\"".into()]));
        assert_eq!(edits(before, &before.replace("go(1)", "go(2)")), (1, vec!["changed: \"A\"".into()]));
        let more = before.replace("go(1)", r#"go(1); step("C", || go(3))"#);
        assert_eq!(edits(before, &more), (1, vec!["new: \"C\"".into(), "changed: \"A\"".into()]));
        assert_eq!(edits(before, &before.replace("\"c\"", "\"d\"")).1, ["changed around its steps: t.rhai"]);
    }

    #[test]
    fn text_that_ends_in_the_midst_of_something_is_read_to_its_end() {
        for broken in ["\"a", "`a ${b", "/* a", "step(", "'", "step(\"x\", {"] {
            assert!(!tokens(broken).is_empty() || broken.starts_with("/*"), "{broken}");
            edits(broken, "");
        }
    }
}
