//! The labels of a `switch` beside what it decides by. The language takes values of different kinds for unequal without
//! a word, so that a label of another kind is never taken and the other way is gone. It tells only what is certain.

use crate::script::compile::regions::{Region, RegionKind};
use crate::script::compile::scanner::{At, Scanned};
use crate::script::values::sort::Sort;
use std::collections::BTreeMap;

/// The labels of each `switch` of a text with these parts as they are written, by where it stands.
pub(crate) fn labels(regions: &[Region]) -> BTreeMap<At, Vec<String>> {
    let mut found: BTreeMap<At, Vec<String>> = BTreeMap::new();
    for region in regions {
        // What stands before its arrow is the label of an arm; of another branch it has no `by`.
        if let RegionKind::Branch { group, when, by: Some(_), .. } = &region.kind {
            found.entry(*group).or_default().extend(parts(when));
        }
    }
    found
}

/// What is wrong with these labels of what is of this kind, with what to do: whether it is certain, and the words.
pub(crate) fn unlike(subject: Option<Sort>, labels: &[String]) -> Option<(bool, String, String)> {
    let sorts = labels.iter().filter_map(|label| Some((label, sort_of(label)?)));
    if let Some(subject) = subject {
        let (label, sort) = sorts.into_iter().find(|(_, sort)| *sort != subject)?;
        let message = format!("`switch` compares {subject} with {sort}, `{label}`: they are never equal");
        return Some((true, message, subject.written().to_owned()));
    }
    let mut sorts = sorts.into_iter();
    let (first, sort) = sorts.next()?;
    let (other, _) = sorts.find(|(_, other)| *other != sort)?;
    let message = format!("the labels `{first}` and `{other}` are of different kinds: one of them is never taken");
    Some((false, message, "a value is equal only to a label of its own kind".to_owned()))
}

/// The alternatives of a label, without its condition.
fn parts(label: &str) -> Vec<String> {
    let scanned = Scanned::of(label);
    let words = scanned.tokens.iter().map(|token| scanned.word(token)).take_while(|word| word != "if");
    let words: Vec<String> = words.collect();
    words.split(|word| word == "|").map(|part| part.concat()).collect()
}

/// The kind of a label that is written out.
fn sort_of(label: &str) -> Option<Sort> {
    let is_number = label.trim_start_matches('-').starts_with(|char: char| char.is_ascii_digit());
    match label {
        "true" | "false" => Some(Sort::Flag),
        _ if label.starts_with(['"', '\'', '`']) => Some(Sort::Text),
        _ if is_number => Some(Sort::Number),
        _ => None,
    }
}
