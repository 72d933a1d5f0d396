//! The labels of a `switch` beside what it decides by. The language takes values of different kinds for unequal without
//! a word, so that a label of another kind is never taken and the other way is gone. It tells only what is certain.

use crate::script::handles::{HostHandle, PairHandle, ServiceHandle};
use crate::script::regions::{Region, RegionKind};
use crate::script::scanner::{At, Scanned};
use rhai::Dynamic;
use std::collections::BTreeMap;
use std::fmt;

/// Kinds of values that labels can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    /// A text or a character.
    Text,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A list.
    List,
    /// A map with these keys and no others.
    Map(&'static [&'static str]),
    /// A host of the inventory.
    Host,
    /// A service of the inventory.
    Service,
    /// A pair of the inventory.
    Pair,
    /// A closure.
    Closure,
}

impl Sort {
    /// The kind of a value.
    pub(crate) fn of(value: &Dynamic) -> Option<Self> {
        match value {
            value if value.is_string() || value.is_char() => Some(Self::Text),
            value if value.is_int() || value.is_float() => Some(Self::Number),
            value if value.is_bool() => Some(Self::Flag),
            value if value.is_array() => Some(Self::List),
            value if value.is_fnptr() => Some(Self::Closure),
            value if value.is::<HostHandle>() => Some(Self::Host),
            value if value.is::<ServiceHandle>() => Some(Self::Service),
            value if value.is::<PairHandle>() => Some(Self::Pair),
            _ => None,
        }
    }

    /// The kind of what `host("a")` and the like give.
    pub(crate) fn of_thing(word: &str) -> Option<Self> {
        match word {
            "host" => Some(Self::Host),
            "service" => Some(Self::Service),
            "pair" => Some(Self::Pair),
            _ => None,
        }
    }

    /// Whether it is a text, a number, or true or false.
    pub(crate) fn is_single(self) -> bool {
        matches!(self, Self::Text | Self::Number | Self::Flag)
    }

    /// Whether values of these kinds can be equal; which keys a map has is another matter.
    pub(crate) fn is_like(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::Map(_), Self::Map(_)))
    }

    /// How a label of this kind is written.
    fn written(self) -> &'static str {
        match self {
            Self::Map(_) => "decide by one of its keys, as `.changed`",
            Self::Host | Self::Service | Self::Pair => "decide by its `.name`",
            Self::List | Self::Closure => "decide by a text, a number, or true or false",
            Self::Text => "write its labels in quotes",
            Self::Number => "write its labels as numbers, without quotes",
            Self::Flag => "its labels are `true` and `false`",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::List => "a list",
            Self::Map(_) => "a map",
            Self::Host => "a host",
            Self::Service => "a service",
            Self::Pair => "a pair",
            Self::Closure => "a closure",
        })
    }
}

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
