//! Values as they would be written in a script: what the prompt shows. Handles look like the calls that give them. It
//! must not shorten anything: whoever shows it knows how much room there is.

use crate::script::values::handles::{HostHandle, PairHandle, ServiceHandle};
use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};

/// How deep lists and maps are followed: a map can contain itself.
const DEPTH_MAX: usize = 16;

/// The value as it would be written.
pub(crate) fn written(value: &Dynamic) -> String {
    at_depth(value, 0)
}

/// The lines of a text, from the way it would be written; nothing for what is no text.
pub(crate) fn lines_of(written: &str) -> Option<Vec<String>> {
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    let (mut text, mut characters) = (String::with_capacity(inner.len()), inner.chars());
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => text.extend(characters.next().map(|escaped| if escaped == 'n' { '\n' } else { escaped })),
            (plain, false) => text.push(plain),
        }
    }
    Some(text.lines().map(str::to_owned).collect())
}

fn at_depth(value: &Dynamic, depth: usize) -> String {
    if depth > DEPTH_MAX {
        return "…".to_owned();
    }
    if let Some(handle) = value.read_lock::<ServiceHandle>() {
        return format!("service({:?})", handle.name());
    }
    if let Some(handle) = value.read_lock::<PairHandle>() {
        return format!("pair({:?})", handle.name());
    }
    if let Some(handle) = value.read_lock::<HostHandle>() {
        return format!("host({:?})", handle.name());
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    }
    if let Some(items) = value.read_lock::<Array>() {
        let items: Vec<String> = items.iter().map(|item| at_depth(item, depth + 1)).collect();
        return format!("[{}]", items.join(", "));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries: Vec<String> =
            map.iter().map(|(key, value)| format!("{key}: {}", at_depth(value, depth + 1))).collect();
        return format!("#{{ {} }}", entries.join(", "));
    }
    if value.is::<FnPtr>() {
        return "a closure".to_owned();
    }
    if value.is_unit() { "()".to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{lines_of, written};
    use rhai::Dynamic;

    #[test]
    fn a_text_is_read_back_as_it_was() {
        for text in ["", "one", "a\nb", "a\\nb", "say \"x\"\n\\", "\\\\n\n\n."] {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            assert_eq!(lines_of(&written(&Dynamic::from(text.to_owned()))), Some(lines), "{text:?}");
        }
        assert_eq!(lines_of("[1, 2]"), None);
    }
}
