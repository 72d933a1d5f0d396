//! The names of the texts a run is made of, as `runbook:genesys/confserv-ha` in its record. The one place that knows
//! how they are written; it must not know where a text lies.

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A text of a run, by what it is and its name among those: in the order in which changes of texts are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceName {
    /// The file that lists hosts and services, as it was typed.
    Inventory(String),
    /// What plays a product where nothing is real.
    Model(String),
    /// A module that the runbook or another module imports, as `vendor/name`.
    Module(String),
    /// The profile of a product.
    Profile(String),
    /// The runbook itself.
    Runbook(String),
}

impl SourceName {
    /// The name without what it is the name of.
    #[must_use]
    pub fn bare(&self) -> &str {
        match self {
            Self::Inventory(name) | Self::Model(name) | Self::Module(name) => name,
            Self::Profile(name) | Self::Runbook(name) => name,
        }
    }

    /// What it is the name of, as it is written and told.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Inventory(_) => "inventory",
            Self::Model(_) => "model",
            Self::Module(_) => "module",
            Self::Profile(_) => "profile",
            Self::Runbook(_) => "runbook",
        }
    }

    /// Whether it is a text in the language of runbooks that a run evaluates.
    #[must_use]
    pub fn is_script(&self) -> bool {
        match self {
            Self::Module(_) | Self::Runbook(_) => true,
            Self::Inventory(_) | Self::Model(_) | Self::Profile(_) => false,
        }
    }

    /// The file of the inventory, if it is one.
    #[must_use]
    pub fn inventory(&self) -> Option<&str> {
        if let Self::Inventory(file) = self { Some(file) } else { None }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.bare())
    }
}

impl FromStr for SourceName {
    type Err = NoSource;

    fn from_str(text: &str) -> Result<Self, NoSource> {
        let (kind, name) = text.split_once(':').ok_or(NoSource)?;
        let name = name.to_owned();
        match kind {
            "inventory" => Ok(Self::Inventory(name)),
            "model" => Ok(Self::Model(name)),
            "module" => Ok(Self::Module(name)),
            "profile" => Ok(Self::Profile(name)),
            "runbook" => Ok(Self::Runbook(name)),
            _ => Err(NoSource),
        }
    }
}

/// A text that names no source of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSource;

impl Serialize for SourceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SourceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = SourceName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a text such as `runbook:NAME` or `inventory:FILE`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SourceName, E> {
                text.parse().map_err(|NoSource| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Written).map_err(|error| D::Error::custom(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::SourceName;
    use std::collections::BTreeMap;

    #[test]
    fn names_are_written_and_read_in_one_order() {
        let texts = ["inventory:a:b.toml", "model:m", "module:vendor/name", "profile:p", "runbook:own/x"];
        let names: Vec<SourceName> = texts.iter().map(|text| text.parse().expect("a name")).collect();
        assert!(names.is_sorted());
        assert_eq!(names.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
        assert_eq!(names[0].inventory(), Some("a:b.toml"));
        let listed: BTreeMap<SourceName, u8> = names.into_iter().zip(0..).collect();
        let json = serde_json::to_string(&listed).expect("a map");
        assert!(json.starts_with("{\"inventory:a:b.toml\":0,"), "{json}");
        assert_eq!(serde_json::from_str::<BTreeMap<SourceName, u8>>(&json).expect("a map"), listed);
        for text in ["", "runbook", "book:x", "Runbook:x", "lab genesys:x"] {
            assert!(text.parse::<SourceName>().is_err(), "{text}");
        }
    }
}
