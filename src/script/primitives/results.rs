//! Of which kind what is not said of a primitive is: results of the language, and readings of a profile.

use crate::model::run::reading::Reading;
use crate::script::values::sort::Sort;

/// Functions of the language itself whose result is always of one kind.
const OF_THE_LANGUAGE: [(&str, Sort); 3] = [("var", Sort::Text), ("to_string", Sort::Text), ("type_of", Sort::Text)];

/// The kind of what such a function gives.
pub(super) fn of_language(name: &str) -> Option<Sort> {
    OF_THE_LANGUAGE.iter().find(|(function, _)| *function == name).map(|(_, sort)| *sort)
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
