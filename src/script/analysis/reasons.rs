//! What a text says of lines that no run reaches: `// unreached: why`, behind what it is about or alone above it. It
//! must not know whether that is true.

use crate::script::compile::scanner::Scanned;
use std::collections::BTreeMap;

/// What such a comment begins with.
const MARK: &str = "unreached:";

/// A reason that a text gives.
pub(crate) struct Reason {
    /// Where the comment stands: line and column.
    pub(crate) at: (u32, u32),
    /// Why.
    pub(crate) why: String,
}

/// The reasons of a text by the line they are about. One that says nothing is none.
pub(crate) fn of(text: &str) -> BTreeMap<u32, Reason> {
    let scanned = Scanned::of(text);
    let code = |line: u32| scanned.tokens.iter().any(|token| token.at.0 == line);
    let alone = |line: u32, column: u32| !scanned.tokens.iter().any(|token| token.at.0 == line && token.at.1 < column);
    let mut found = BTreeMap::new();
    for (index, (at, said)) in scanned.comments.iter().enumerate() {
        let Some(why) = said.trim().strip_prefix(MARK) else { continue };
        let mut why = why.trim().to_owned();
        let mut about = at.0;
        if alone(at.0, at.1) {
            // It may go on below.
            let below = scanned.comments[index + 1..].iter().zip(at.0 + 1..);
            let goes_on = below.take_while(|((below, said), line)| {
                below.0 == *line && !code(*line) && !said.trim().starts_with(MARK) && !said.starts_with('/')
            });
            for ((_, more), line) in goes_on {
                about = line;
                why = format!("{why} {}", more.trim()).trim().to_owned();
            }
            about += 1;
        }
        if !why.is_empty() {
            found.insert(about, Reason { at: *at, why });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reason_is_about_its_line_or_the_one_below() {
        let text = "a(); // unreached: never\n// unreached: a long\n// story\nb();\n// unreached:\nc();\n\
                    let d = \"// unreached: no\"; // unreached:\n/// unreached: a page\n";
        let found: Vec<_> = super::of(text).into_iter().map(|(line, reason)| (line, reason.at, reason.why)).collect();
        assert_eq!(found, [(1, (1, 6), "never".to_owned()), (4, (2, 1), "a long story".to_owned())]);
    }
}
