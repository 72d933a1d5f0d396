//! Of which kind what a primitive gives is, where that is certain before it is called.

use crate::model::run::reading::Reading;
use crate::script::values::sort::Sort;

/// What a change gives.
const CHANGE: Sort = Sort::Map(&["changed", "former", "output", "skipped"]);

/// Primitives whose result is always of one kind.
const SORTS: [(&str, Sort); 26] = [
    ("status", Sort::Text),
    ("role", Sort::Text),
    ("version", Sort::Text),
    ("running_version", Sort::Text),
    ("read_option", Sort::Text),
    ("var", Sort::Text),
    ("choose", Sort::Text),
    ("to_string", Sort::Text),
    ("type_of", Sort::Text),
    ("clients", Sort::Number),
    ("now", Sort::Number),
    ("is_readonly", Sort::Flag),
    ("older", Sort::Flag),
    ("same_version", Sort::Flag),
    ("confirm", Sort::Flag),
    ("run", CHANGE),
    ("change", CHANGE),
    ("set_readonly", CHANGE),
    ("unset_readonly", CHANGE),
    ("set_option", CHANGE),
    ("unset_option", CHANGE),
    ("start", CHANGE),
    ("shutdown", CHANGE),
    ("install", CHANGE),
    ("swap_folder", CHANGE),
    ("unswap_folder", CHANGE),
];

/// The kind of what a primitive gives.
pub(crate) fn of_verb(name: &str) -> Option<Sort> {
    SORTS.iter().find(|(verb, _)| *verb == name).map(|(_, sort)| *sort)
}

/// The kind of what a probe of a profile gives that reads so.
pub(crate) fn of_probe(reads: &Reading) -> Option<Sort> {
    match reads {
        Reading::Text | Reading::Words(_) => Some(Sort::Text),
        Reading::Int => Some(Sort::Number),
        Reading::Flag => Some(Sort::Flag),
        Reading::Lines => None,
    }
}
