//! The house inspector: reads `src/` and fails with file:line on what the house does not allow. It judges text, not
//! meaning: it must stay simple enough to be believed, and every rule has an offending sample that proves it can fail.

#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/source.rs"]
mod source;

use house::House;
use source::{Path, Source};
use std::fs;

/// What lies on which floor. A file may use its own floor and what lies below it.
const FLOORS: &[(&str, u8)] = &[
    ("error", 1),
    ("model", 2),
    ("engine", 3),
    ("holdings", 3),
    ("convert", 3),
    ("library", 3),
    ("platform", 3),
    ("world", 4),
    ("journal", 5),
    ("sim", 6),
    ("report", 6),
    ("exec", 7),
    ("lab", 7),
    ("dispatch", 8),
    ("script", 9),
    ("session", 10),
    ("repl", 10),
    ("doctor", 10),
    ("verify", 11),
    ("cli", 12),
    ("main", 13),
    ("lib", 13),
];

/// Paths that only some rooms may use.
const CONFINED: &[(&[&str], &[&str], &str)] = &[
    (&["rhai"], &["engine", "holdings", "convert", "sim", "script"], "Rhai"),
    (&["tokio"], &["world"], "an async runtime"),
    (&["std", "process"], &["platform", "world", "main", "lib"], "processes"),
    (&["std", "net"], &["platform", "world"], "the network"),
    (&["std", "fs"], &["platform", "world", "journal"], "files"),
    (&["std", "thread"], &["platform", "world"], "threads"),
    (&["Instant"], &["platform", "world"], "the clock"),
    (&["SystemTime"], &["platform", "world"], "the clock"),
    (&["HashMap"], &["world"], "an unordered map"),
    (&["HashSet"], &["world"], "an unordered set"),
];

const MACROS: &[&str] =
    &["println", "eprintln", "print", "eprint", "dbg", "todo", "unimplemented", "panic", "thread_local"];
const WORDS: &[&str] = &["TODO", "FIXME", "XXX"];
const MACHINE_PATHS: &[&str] = &["/work/", "/home/", "/root/", "/Users/"];
/// A file has one subject, however long that takes; longer than this it has two.
const FILE_LINES: usize = 900;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 120;

#[test]
fn the_house_is_tidy() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut complaints = Vec::new();
    for (path, text) in files(root, "src", "rs") {
        complaints.extend(inspect(&path, &text));
    }
    for folder in ["runbooks", "stdlib"] {
        for (path, text) in files(root, folder, "rhai") {
            complaints.extend(inspect_script(&path, &text));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// Folders of a room, from the ground up: none may know of one that comes after it.
const FOLDERS: &[(&str, &[&str])] =
    &[("script", &["values", "compile", "calls", "primitives", "evaluate", "analysis"])];

#[test]
fn no_files_know_of_each_other_and_nothing_is_defined_twice() {
    let texts = files(env!("CARGO_MANIFEST_DIR"), "src", "rs").into_iter();
    let house = House::new(texts.map(|(path, text)| (module_path(&path), text)));
    assert_eq!(house.circles(), Vec::<Vec<String>>::new());
    assert_eq!(house.doubles(), Vec::<String>::new());
    for (room, folders) in FOLDERS {
        assert_eq!(house.climbs(room, folders), Vec::<String>::new());
    }
    assert_eq!(house.scattered(), Vec::<String>::new());
}

#[test]
fn what_only_the_whole_house_shows_can_fail() {
    let house =
        |files: &[(&str, &str)]| House::new(files.iter().map(|(path, text)| (module_path(path), (*text).to_owned())));
    let circle = house(&[
        ("src/exec/mod.rs", "mod a;\nmod b;\npub use a::A;"),
        ("src/exec/a.rs", "use super::b::B;\npub struct A;\nimpl A {}\nimpl Clone for A {}"),
        ("src/exec/b.rs", "use crate::exec::A;\npub struct B;\nimpl A {}\nfn f() -> impl Fn() {}"),
        ("src/sim/a.rs", "pub(in crate::exec) struct A;\n#[cfg(test)]\nmod t { struct B; }"),
    ]);
    assert_eq!(circle.circles(), [["exec/a", "exec/b"]]);
    assert_eq!(circle.doubles(), ["`A`: exec/a, sim/a"]);
    assert_eq!(circle.scattered(), ["`A`: exec/a, exec/b"]);
    let folders = house(&[
        ("src/exec/low/a.rs", "use super::super::high::B;\npub struct A;"),
        ("src/exec/high/mod.rs", "pub struct B;\npub fn f(_: crate::exec::low::a::A) {}"),
        ("src/exec/high/c.rs", "use super::B;"),
    ]);
    assert_eq!(folders.climbs("exec", &["low", "high"]), ["exec/low/a knows exec/high"]);
    assert_eq!(folders.climbs("exec", &["high", "low"]), ["exec/high knows exec/low/a"]);
    let tree = house(&[
        ("src/exec/mod.rs", "mod a;\nmod b;\npub use a::A;\npub fn f(_: b::B) {}"),
        ("src/exec/a.rs", "pub struct A;"),
        (
            "src/exec/b.rs",
            "use super::A;\npub(in crate::exec) struct B(A);\n#[cfg(test)]\nmod t { use crate::exec::f; }",
        ),
    ]);
    assert_eq!(tree.circles(), Vec::<Vec<String>>::new());
}

#[test]
fn every_rule_can_fail() {
    let long_line = format!("//! x\n// {}", "x".repeat(COLUMNS));
    let long_file = format!("//! x\n{}", "\n".repeat(FILE_LINES));
    let long_function = format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES));
    let samples: &[(&str, &str, &str)] = &[
        ("src/model/a.rs", "//! x\nuse crate::world::World;", "a.rs:2: imports upward: `world`"),
        ("src/model/a.rs", "//! x\nuse crate::{error::Kind, cli};", "imports upward: `cli`"),
        ("src/model/a.rs", "//! x\nuse super::super::cli::run;", "imports upward: `cli`"),
        ("src/model/mod.rs", "//! x\nmod t { use super::super::cli; }", "imports upward: `cli`"),
        ("src/error.rs", "//! x\nfn f() -> super::model::value::Value { g() }", "imports upward: `model`"),
        ("src/cli/a.rs", "//! x\nuse crate::attic::Box;", "unlisted room `attic`"),
        ("src/attic.rs", "//! x\n", "unlisted room `attic`"),
        ("src/cli/a.rs", "//! x\nuse rhai::Engine;", "Rhai has no place in `cli`"),
        ("src/exec/a.rs", "//! x\nuse tokio::time;", "an async runtime has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nuse std::{fs, io};", "files has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nuse std::process::Command;", "processes has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nuse std::net::TcpStream;", "the network has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nfn f() { std::thread::yield_now() }", "threads has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nuse std::time::{Duration, Instant};", "the clock has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nfn f() { std::time::SystemTime::now(); }", "the clock has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nuse std::collections::HashMap;", "an unordered map has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nuse std::collections::HashSet;", "an unordered set has no place in `exec`"),
        ("src/exec/a.rs", "//! x\nfn f() {\n    println!(\"x\") }", "a.rs:3: `println!`"),
        ("src/exec/a.rs", "//! x\nfn f() { x.unwrap() }", "`unwrap`"),
        ("src/exec/a.rs", "//! x\nfn f() { x.expect(\"y\") }", "`expect`"),
        ("src/exec/a.rs", "//! x\n#[cfg(test)]\nmod t { }\nfn f() { x.unwrap() }", "a.rs:4: `unwrap`"),
        ("src/exec/a.rs", "//! x\nfn f() { todo!() }", "`todo!`"),
        ("src/exec/a.rs", "//! x\nfn f() { unimplemented!() }", "`unimplemented!`"),
        ("src/exec/a.rs", "//! x\n// FIXME later", "`FIXME`"),
        ("src/exec/a.rs", "//! x\n// XXX later", "`XXX`"),
        ("src/exec/a.rs", "//! x\nconst P: &str = \"/home/me/x\";", "the path of one machine"),
        ("src/exec/a.rs", "use x;\n", "a.rs:1: does not begin with `//!`"),
        ("src/exec/a.rs", &long_line, "a.rs:2: 123 columns"),
        ("src/exec/a.rs", &long_file, "901 lines"),
        ("src/exec/a.rs", &long_function, "a.rs:2: `f` has 72 lines"),
    ];
    for (path, text, wanted) in samples {
        let complaints = inspect(path, text);
        assert!(complaints.iter().any(|found| found.contains(wanted)), "wanted `{wanted}`, got {complaints:?}");
    }
    assert!(inspect_script("runbooks/a.rhai", "// no title").iter().any(|found| found.contains("`//!`")));
}

#[test]
fn what_is_allowed_passes() {
    let sample = "//! About x: println!() and x.unwrap() in words.\nuse crate::error::Kind;\n\
                  const HELP: &str = \"std::fs::read(x).unwrap()\";\nfn f(c: char) -> bool { c == '\"' }\n\
                  fn g<'a>(x: &'a str) -> &'a str { r#\"dbg!(\"x\")\"#; x.unwrap_or(\"\") }\n\
                  #[cfg(test)]\nmod tests {\n    use super::f;\n    fn t() { f('x').unwrap(); }\n}\n";
    assert_eq!(inspect("src/model/a.rs", sample), Vec::<String>::new());
}

/// Every complaint about one file of `src/`, with its place.
fn inspect(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut found = Vec::new();
    let mut complain = |line: usize, what: String| found.push(format!("{path}:{line}: {what}"));
    let module = module_path(path);
    let room = module.first().map_or("lib", String::as_str).to_owned();
    let Some(floor) = floor_of(&room) else {
        return vec![format!("{path}:1: unlisted room `{room}`: give it a floor in tests/tidy.rs")];
    };
    judge_text(text, &mut complain);
    for used in source.paths() {
        judge_import(&used, &module, floor, &mut complain);
        judge_confined(&used, &room, &mut complain);
    }
    for (line, name) in source.macros() {
        let fails_only_in_product = ["panic", "print", "println", "eprint", "eprintln"].contains(&name.as_str());
        if MACROS.contains(&name.as_str()) && !(fails_only_in_product && source.in_test(line)) {
            complain(line, format!("`{name}!` is not allowed here"));
        }
    }
    for (line, name) in source.calls(&["unwrap", "expect"]) {
        if !source.in_test(line) {
            complain(line, format!("`{name}` outside tests: return an error instead"));
        }
    }
    for (line, name, length) in source.functions() {
        if length > FUNCTION_LINES {
            complain(line, format!("`{name}` has {length} lines, more than {FUNCTION_LINES}"));
        }
    }
    found
}

fn inspect_script(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//!") { Vec::new() } else { vec![format!("{path}:1: does not begin with `//!`")] }
}

/// What can be told from the lines themselves, comments and strings included.
fn judge_text(text: &str, complain: &mut impl FnMut(usize, String)) {
    if !text.starts_with("//!") {
        complain(1, "does not begin with `//!`: say what the file is for and what it must not do".into());
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        complain(lines, format!("{lines} lines, more than {FILE_LINES}: one subject a file"));
    }
    for (index, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS {
            complain(index + 1, format!("{columns} columns, more than {COLUMNS}"));
        }
        for word in WORDS.iter().filter(|word| line.contains(**word)) {
            complain(index + 1, format!("`{word}`: do it or drop it"));
        }
        for place in MACHINE_PATHS.iter().filter(|place| line.contains(**place)) {
            complain(index + 1, format!("`{place}` is the path of one machine"));
        }
    }
}

fn judge_import(used: &Path, module: &[String], floor: u8, complain: &mut impl FnMut(usize, String)) {
    let Some(target) = target_room(used, module) else { return };
    match floor_of(&target) {
        Some(above) if above > floor => complain(used.line, format!("imports upward: `{target}` is on floor {above}")),
        Some(_) => {}
        None => complain(used.line, format!("uses the unlisted room `{target}`")),
    }
}

fn judge_confined(used: &Path, room: &str, complain: &mut impl FnMut(usize, String)) {
    for (path, rooms, what) in CONFINED {
        let parts: Vec<&str> = used.parts.iter().map(String::as_str).collect();
        let hit = match path {
            [one] if one.starts_with(char::is_uppercase) => parts.contains(one),
            [one] => parts.first() == Some(one) && parts.len() > 1,
            _ => parts.starts_with(path),
        };
        if hit && !rooms.contains(&room) {
            complain(used.line, format!("{what} has no place in `{room}`, only in {}", rooms.join(", ")));
        }
    }
}

/// The room a path leads to, if it begins at the root of the crate or climbs up to it.
fn target_room(used: &Path, module: &[String]) -> Option<String> {
    let first = used.parts.first()?;
    if first == "crate" {
        return used.parts.get(1).cloned();
    }
    let climbs = used.parts.iter().take_while(|part| *part == "super").count();
    (climbs > 0 && climbs == module.len() + used.depth).then(|| used.parts.get(climbs).cloned()).flatten()
}

/// `src/cli/commands/run.rs` → `cli, commands, run`; `src/cli/mod.rs` → `cli`; `src/lib.rs` → nothing.
fn module_path(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts = inner.split('/').map(str::to_owned);
    parts.filter(|part| part != "mod" && part != "lib").collect()
}

fn floor_of(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Every file below `folder` with this ending, by path, with its text.
fn files(root: &str, folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(root).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
