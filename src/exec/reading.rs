//! How the output of a probe becomes a value. Pure; the commands are run elsewhere.

use crate::model::run::reading::Reading;
use crate::model::text::{may_be_hidden, shown};
use crate::model::value::Value;

/// What a `Words` probe reads when the output is none of its words, and a check whose exit code says nothing.
pub(super) const UNKNOWN: &str = Reading::UNKNOWN;

/// The value of an output, or what is wrong with it as a message fragment.
pub(crate) fn value_of(reading: &Reading, out: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(out);
    let text = text.trim();
    match reading {
        Reading::Text => Ok(text.into()),
        Reading::Int => match text.parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => Err(format!("`{}` is not a whole number", shown(text))),
        },
        Reading::Flag => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "1" => Ok(Value::Bool(true)),
            "no" | "false" | "off" | "0" => Ok(Value::Bool(false)),
            _ => Err(format!("`{}` is neither `yes` nor `no`", shown(text))),
        },
        Reading::Lines => Ok(Value::List(text.lines().map(|line| line.trim_end().into()).collect())),
        Reading::Words(words) => Ok(words.iter().find(|word| *word == text).map_or(UNKNOWN, String::as_str).into()),
    }
}

/// What the exit code of a check says.
pub(super) fn exit_word(exit: i32) -> &'static str {
    match exit {
        0 => "yes",
        1 => "no",
        _ => UNKNOWN,
    }
}

/// Whether a value read is one of those wanted. Profiles write wanted values as text, so `3` also means 3.
pub(super) fn wanted(wants: &[Value], value: &Value) -> bool {
    wants.iter().any(|want| want == value || want.to_string() == value.to_string())
}

/// Whether a secret is hidden in a value read, or in one wanted, and only that tells whether it is one of those.
pub(super) fn is_hidden(wants: &[Value], value: &Value) -> bool {
    let value = value.to_string();
    wants.iter().any(|want| may_be_hidden(&want.to_string(), &value))
}

/// Why nobody can tell then.
pub(super) const HIDDEN: &str = "holds a secret: it is hidden, so nobody can tell whether that is what is wanted";

/// The wanted values in words: `primary` or `backup`.
pub(super) fn choices(wants: &[Value]) -> String {
    wants.iter().map(|want| format!("`{want}`")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_becomes_the_value_its_reading_says() {
        let words = Reading::Words(vec!["running".into(), "stopped".into()]);
        for (reading, out, value) in [
            (Reading::Text, " 8.5.101\r\n", Value::from("8.5.101")),
            (Reading::Int, "42\n", Value::Int(42)),
            (Reading::Flag, "Yes\n", Value::Bool(true)),
            (Reading::Flag, "0", Value::Bool(false)),
            (Reading::Lines, "a\r\nb\n", Value::List(vec!["a".into(), "b".into()])),
            (words.clone(), "running\n", "running".into()),
            (words, "exploded\n", UNKNOWN.into()),
        ] {
            assert_eq!(value_of(&reading, out.as_bytes()), Ok(value), "{out:?}");
        }
        assert!(value_of(&Reading::Int, b"many").is_err());
        assert!(value_of(&Reading::Flag, b"perhaps").is_err());
    }

    #[test]
    fn a_number_read_is_the_number_a_profile_writes_as_text() {
        assert!(wanted(&["3".into()], &Value::Int(3)));
        assert!(!wanted(&["3".into()], &Value::Int(4)));
    }
}
