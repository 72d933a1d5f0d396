//! How what a probe prints becomes a value, and which values it can ever give. Pure. It must not read anything.

use crate::model::text::{did_you_mean, shown};
use crate::model::value::Value;
use serde::{Deserialize, Serialize};

/// How a probe's output becomes a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// The output without surrounding white space.
    #[default]
    Text,
    /// A whole number.
    Int,
    /// `yes`/`true`/`on`/`1` or `no`/`false`/`off`/`0`.
    Flag,
    /// One text a line.
    Lines,
    /// The text itself, which must be one of these words; anything else reads as `unknown`.
    Words(Vec<String>),
}

impl Reading {
    /// Whether a probe that reads so can ever give this value. What is wanted may be written as text: `"3"` is 3.
    ///
    /// # Errors
    /// What it gives instead, as the end of a sentence: `` never reads `runing`; … ``.
    pub fn can_give(&self, want: &Value) -> std::result::Result<(), String> {
        let text = want.to_string();
        let never = |rest: String| Err(format!("never reads `{}`{rest}", shown(&text)));
        match self {
            Self::Int if text.parse::<i64>().is_err() => never(": it reads a whole number".into()),
            Self::Flag if !matches!(text.as_str(), "true" | "false") => never(": it reads true or false".into()),
            Self::Words(words) if text != Self::UNKNOWN && !words.contains(&text) => {
                let near = did_you_mean(&text, words.iter().map(String::as_str)).map(|hint| format!("; {hint}"));
                never(format!(": it reads {}{}", listed(words), near.unwrap_or_default()))
            }
            Self::Text | Self::Int | Self::Flag | Self::Lines | Self::Words(_) => Ok(()),
        }
    }

    /// What a `Words` probe reads when the output is none of its words, and a check whose exit code says nothing.
    pub const UNKNOWN: &str = "unknown";

    /// A wanted value that is written as text, as a probe of this kind reads it.
    #[must_use]
    pub fn typed(&self, text: &str) -> Value {
        match self {
            Self::Int => text.parse().map_or_else(|_| text.into(), Value::Int),
            Self::Flag => match text {
                "yes" | "true" | "on" | "1" => Value::Bool(true),
                "no" | "false" | "off" | "0" => Value::Bool(false),
                _ => text.into(),
            },
            Self::Text | Self::Lines | Self::Words(_) => text.into(),
        }
    }
}

/// Words as a sentence lists them.
fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
