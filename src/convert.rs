//! Plain data in and out of Rhai. What is not plain data (closures, handles, infinities) is refused by name and
//! place, never turned into text behind the script's back. It must not know any primitive.

use crate::model::value::{Fields, Value};
use rhai::{Array, Dynamic, Map};

/// How deeply lists and maps may be nested. Shared captures can contain themselves; this ends such a chain.
const DEPTH_MAX: usize = 64;

/// The plain data in `dynamic`. A character becomes text of one character.
///
/// # Errors
/// A fragment that names what is not plain data, and where it is: "`.hosts[2]` is a closure, …".
pub fn to_value(dynamic: &Dynamic) -> Result<Value, String> {
    value_at(dynamic, 0).map_err(|wrong| {
        let place = if wrong.path.is_empty() { "the value".to_owned() } else { format!("`{}`", wrong.path) };
        format!("{place} is {}, which is not plain data", wrong.what)
    })
}

/// What is not plain data, and the way to it.
struct NotPlain {
    path: String,
    what: String,
}

impl NotPlain {
    fn inside(self, step: &str) -> Self {
        Self { path: format!("{step}{}", self.path), what: self.what }
    }
}

fn value_at(dynamic: &Dynamic, depth: usize) -> Result<Value, NotPlain> {
    let wrong = |what: &str| Err(NotPlain { path: String::new(), what: what.to_owned() });
    if depth > DEPTH_MAX {
        return wrong("nested too deeply");
    }
    if dynamic.is_shared() {
        return value_at(&dynamic.flatten_clone(), depth);
    }
    if dynamic.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = dynamic.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = dynamic.as_int() {
        return Ok(Value::Int(number));
    }
    if let Ok(number) = dynamic.as_float() {
        return if number.is_finite() { Ok(Value::Float(number)) } else { wrong("not a finite number") };
    }
    if let Ok(character) = dynamic.as_char() {
        return Ok(Value::Text(character.to_string()));
    }
    if let Some(text) = dynamic.read_lock::<rhai::ImmutableString>() {
        return Ok(Value::Text(text.to_string()));
    }
    if let Some(items) = dynamic.read_lock::<Array>() {
        let item = |(index, item)| value_at(item, depth + 1).map_err(|wrong| wrong.inside(&format!("[{index}]")));
        return items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::List);
    }
    if let Some(map) = dynamic.read_lock::<Map>() {
        return fields_at(&map, depth).map(Value::Map);
    }
    if dynamic.is_fnptr() { wrong("a closure") } else { wrong(&format!("a {}", short_name(dynamic.type_name()))) }
}

/// `Service` of `baton::script::values::handles::Service`, `Range` of `core::ops::range::Range<i64>`.
fn short_name(type_name: &str) -> &str {
    let plain = type_name.split('<').next().unwrap_or(type_name);
    plain.rsplit("::").next().unwrap_or(plain)
}

fn fields_at(map: &Map, depth: usize) -> Result<Fields, NotPlain> {
    let field = |(key, item): (&rhai::Identifier, &Dynamic)| {
        let value = value_at(item, depth + 1).map_err(|wrong| wrong.inside(&format!(".{key}")))?;
        Ok((key.to_string(), value))
    };
    map.iter().map(field).collect()
}

/// The same data for a script.
pub fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => Dynamic::from_bool(*flag),
        Value::Int(number) => Dynamic::from_int(*number),
        Value::Float(number) => Dynamic::from_float(*number),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => Dynamic::from_array(items.iter().map(to_dynamic).collect()),
        Value::Map(fields) => Dynamic::from_map(to_map(fields)),
    }
}

/// The same fields as a map for a script.
#[must_use]
pub fn to_map(fields: &Fields) -> Map {
    fields.iter().map(|(key, value)| (key.as_str().into(), to_dynamic(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Limits, sandbox, standard_package};

    fn evaluated(script: &str) -> Dynamic {
        sandbox(Limits::RUNBOOK, standard_package()).eval(script).unwrap()
    }

    #[test]
    fn plain_data_comes_back_as_it_went_in() {
        let data = to_value(&evaluated("#{ a: [1, 2.5, true, ()], b: \"text\", c: 'x', d: #{} }")).unwrap();
        assert_eq!(data.to_string(), r#"{"a":[1,2.5,true,null],"b":"text","c":"x","d":{}}"#);
        assert_eq!(to_value(&to_dynamic(&data)).unwrap(), data);
    }

    #[test]
    fn what_is_not_plain_data_is_refused_by_its_place() {
        for (script, message) in [
            ("#{ hosts: [1, || 2] }", "`.hosts[1]` is a closure, which is not plain data"),
            ("1.0 / 0.0", "the value is not a finite number, which is not plain data"),
            ("[1..3]", "`[0]` is a Range, which is not plain data"),
        ] {
            assert_eq!(to_value(&evaluated(script)).unwrap_err(), message, "{script}");
        }
    }
}
