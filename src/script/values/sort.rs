//! Of which kind a value is, as far as a text tells before it runs. It tells only what is certain.

use super::handles::{HostHandle, PairHandle, ServiceHandle};
use rhai::Dynamic;
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
    pub(crate) fn written(self) -> &'static str {
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
