//! Parts of a script that are run only for some products: branches that ask for the `.product` of a service, and what
//! follows one of them that leaves. It reads the text; what stands in these parts it does not judge.

use crate::script::compile::regions::{Region, RegionKind};
use crate::script::compile::scanner::{At, Scanned, at};
use rhai::Position;
use std::collections::{BTreeMap, BTreeSet};

/// The property that tells what a service is.
pub(crate) const PRODUCT: &str = "product";

/// The branches of one `if` or `switch`: where each begins and ends, and whether it leaves what is around it.
type Branches = Vec<(At, At, bool)>;

/// Where these parts are.
pub(crate) struct ProductBranches(Vec<(At, At)>);

impl ProductBranches {
    /// Reads a text with these parts.
    pub(crate) fn of(text: &str, regions: &[Region]) -> Self {
        let scanned = Scanned::of(text);
        let words: Vec<String> = scanned.tokens.iter().map(|token| scanned.word(token)).collect();
        let told = told(&words);
        let asks = |at: usize| is_product(&words, at) || told.contains(words[at].as_str());
        let mut groups: BTreeMap<At, Branches> = BTreeMap::new();
        for region in regions {
            if let RegionKind::Branch { group, leaves, .. } = &region.kind {
                groups.entry(*group).or_default().push((region.from, region.to, *leaves));
            }
        }
        let mut found = Vec::new();
        for (begin, branches) in groups {
            let end = branches.iter().map(|(_, to, _)| *to).max().unwrap_or(begin);
            let in_branch = |at: At| branches.iter().any(|(from, to, _)| *from < at && at < *to);
            let condition = |at: At| begin <= at && at <= end && !in_branch(at);
            if (0..words.len()).any(|index| condition(scanned.tokens[index].at) && asks(index)) {
                found.extend(branches.iter().map(|(from, to, _)| (*from, *to)));
                found.extend(branches.iter().any(|(.., leaves)| *leaves).then_some((end, (u32::MAX, 0))));
            }
        }
        Self(found)
    }

    /// Whether a place is in one of them.
    pub(crate) fn has(&self, position: Position) -> bool {
        let at = at(position);
        self.0.iter().any(|(from, to)| *from <= at && at <= *to)
    }
}

fn is_product(words: &[String], at: usize) -> bool {
    words[at] == PRODUCT && at > 0 && words[at - 1] == "."
}

/// The names of what is set by something that asks for the product: `let other = s.product == "other";`.
fn told(words: &[String]) -> BTreeSet<&str> {
    let mut told = BTreeSet::new();
    for begin in (0..words.len()).filter(|at| matches!(words[*at].as_str(), "let" | "const" | "fn")) {
        let Some(name) = words.get(begin + 1) else { continue };
        let ends = if words[begin] == "fn" { "}" } else { ";" };
        let end = words[begin..].iter().position(|word| word == ends).map_or(words.len(), |length| begin + length);
        if (begin..end).any(|at| is_product(words, at)) {
            told.insert(name.as_str());
        }
    }
    told
}
