//! What a person is told whose run has failed by the value of a parameter: it is kept for the whole run, and no
//! `resume` gives another one. It changes nothing.

use crate::error::Error;
use crate::model::value::{Fields, Value};

/// Adds how to begin anew with another value, where the message quotes the value of a parameter.
pub(super) fn tell(error: &mut Error, params: &Fields, run: &str) {
    let quoted = |value: &Value| match value {
        Value::Text(text) => !text.is_empty() && error.message.contains(&format!("`{text}`")),
        Value::Int(_) | Value::Float(_) => error.message.contains(&format!("`{value}`")),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => false,
    };
    let quotes = params.iter().find(|(_, value)| quoted(value));
    let Some((name, value)) = quotes else { return };
    error.hints.push(format!(
        "if parameter `{name}` should not be `{value}`: a run keeps its parameters. Begin it anew with another value, \
         and give this one up: baton abort {run} --reason \"another value of {name}\""
    ));
}
