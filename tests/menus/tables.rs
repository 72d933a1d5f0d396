//! The words and the prompts that the source knows: what no state of a test offers is found by them. It reads text, and
//! judges nothing.

use std::path::{Path, PathBuf};

/// Tables of the same form that are no words to be typed at a prompt, and what they are.
const NO_MENUS: [(&str, &str); 2] = [
    ("ELSEWHERE", "words of other programs, answered with the one that is meant"),
    ("READS", "verbs of the language, with the probe that they read"),
];

/// Texts that end as a prompt does: some are shown behind one, where the question is the same; those of the REPL are
/// drawn anew with each key, and what is waited for there is a new line.
const NO_PROMPTS: [&str; 5] =
    ["is none of the words; type", "` is not {}; type", "still waiting since", "baton> ", "baton {number}> "];

/// A word as it is offered, and what it does.
pub type Row = (String, String);

pub fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The rows of a table; those of the REPL are known to the library.
pub fn rows(table: &str) -> Vec<Row> {
    let of_menus = of_menus().into_iter();
    of_menus.filter(|(name, _)| name == table).map(|(_, rows)| rows).next().unwrap_or_default()
}

/// Every table of words.
pub fn of_menus() -> Vec<(String, Vec<Row>)> {
    let mut tables = Vec::new();
    for text in sources() {
        for head in ["[MenuRow; ", "[(&str, &str); "] {
            for (at, _) in text.match_indices(head) {
                let name = text[..at].rsplit("const ").next().unwrap_or_default().trim_end_matches(": ");
                let body = text[at..].split_once(" = [").and_then(|(_, rest)| rest.split_once("\n];"));
                let Some((body, _)) = body.filter(|_| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')) else {
                    continue;
                };
                tables.push((name.to_owned(), pairs(body, &text)));
            }
        }
    }
    tables.retain(|(name, _)| !NO_MENUS.iter().any(|(other, _)| other == name));
    assert!(tables.len() >= 8, "only {} tables were found", tables.len());
    let commands = baton::repl::command::COMMANDS.iter();
    let row = |doc: &baton::repl::command::CommandDoc| {
        (format!(":{} {}", doc.name, doc.args).trim_end().to_owned(), doc.summary.to_owned())
    };
    tables.push(("COMMANDS".to_owned(), commands.map(row).collect()));
    tables
}

/// The texts of a table, two and two; a name stands for the text that the file gives it.
fn pairs(body: &str, file: &str) -> Vec<Row> {
    let mut texts = Vec::new();
    for line in body.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once('"') {
            texts.extend(named(before, file));
            let (text, after) = behind.split_once('"').expect("the text ends in its line");
            texts.push(text.to_owned());
            rest = after;
        }
        texts.extend(named(rest, file));
    }
    assert!(texts.len() % 2 == 0, "{texts:#?}");
    texts.chunks(2).map(|two| (two[0].clone(), two[1].clone())).collect()
}

/// What the constants stand for that are named between texts.
fn named(between: &str, file: &str) -> Vec<String> {
    let names = between.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|name| !name.is_empty());
    let text = |name: &str| {
        let (_, rest) = file.split_once(&format!("const {name}: &str = \"")).expect("the constant is in the file");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    names.map(text).collect()
}

/// The texts that end as a prompt does, in the parts between what is filled in.
pub fn prompts() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for text in sources() {
        for (end, _) in text.match_indices("> \"") {
            let start = text[..end].rfind('"').map_or(0, |at| at + 1);
            let literal = format!("{}> ", text[start..end].trim_start_matches("\\n"));
            let is_one = !["=> ", " -> ", "\n"].iter().any(|code| literal.contains(code)) && literal.len() > 2;
            if is_one && !NO_PROMPTS.iter().any(|other| literal.contains(other)) {
                let parts = literal.split('{').map(|part| part.split_once('}').map_or(part, |(_, part)| part));
                let parts = parts.map(|part| part.replace("\\n", "\r\n"));
                found.push(parts.filter(|part| !part.is_empty()).collect());
            }
        }
    }
    assert!(found.len() >= 8, "only {} prompts were found: {found:#?}", found.len());
    found
}

/// The source, file by file, without its tests.
fn sources() -> Vec<String> {
    let mut folders: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("lists").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("reads");
                texts.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
            }
        }
    }
    texts
}
