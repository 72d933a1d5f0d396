//! The commands that the source can name: every text in it with `baton` and a command behind it. Those that nothing
//! brought forth are told.

use super::said::COMMANDS;
use std::collections::BTreeSet;
use std::path::Path;

/// The commands that the source names and that are not among those that were printed.
pub fn unseen(printed: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 60, "the source names only {} commands", found.len());
    found.retain(|(_, text)| !printed.iter().any(|line| fits(text, line)));
    found.into_iter().map(|(place, text)| format!("{place}: {text}")).collect()
}

fn read(folder: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).expect("lists").flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).expect("reads");
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
                let place = format!("{}:{}", path.file_name().unwrap_or_default().to_string_lossy(), n + 1);
                found.extend(named(line).into_iter().map(|text| (place.clone(), text)));
            }
        }
    }
}

/// The commands in the texts of a line of source, as they are written there.
fn named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("baton ") {
        let rest = &line[at + "baton ".len()..];
        let name = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        let begins = line[..at].ends_with([' ', '"', '(']) && !line[..at].ends_with(". ");
        if begins && (COMMANDS.contains(&name) && !name.is_empty() || rest.starts_with("{command}")) {
            let text = rest.replace("\\\"", "'");
            let text = text.split(['"', '\\', '`', ')', ';']).next().unwrap_or_default();
            found.push(format!("baton {}", text.trim().replace('\'', "\"")));
        }
    }
    found
}

/// Whether a line that was printed is made of this text: what stands in braces is anything.
fn fits(text: &str, line: &str) -> bool {
    let mut rest = line;
    let text = text.replace('"', "");
    for (n, piece) in text.split('{').map(|part| part.split_once('}').map_or(part, |(_, piece)| piece)).enumerate() {
        match rest.find(piece) {
            Some(at) if n > 0 || at == 0 => rest = &rest[at + piece.len()..],
            Some(_) | None => return false,
        }
    }
    true
}
