//! What the pages for engineers say of the sources is so: the files they name are there, and the lists of what to touch for a new
//! piece are followed with pieces that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const CONTRIBUTING: &str = include_str!("../docs/contributing.md");

/// Paths of the project that a text names between back-ticks.
fn named(text: &str) -> BTreeSet<&str> {
    let rooms = ["src/", "tests/", "docs/", "benches/"];
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|word| rooms.iter().any(|room| word.starts_with(room)));
    paths.filter_map(|words| words.split_whitespace().next()).collect()
}

/// The files of `src/` that say this.
fn sources_with(said: &str) -> BTreeSet<String> {
    let mut folders = vec![Path::new(ROOT).join("src")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("reads") {
            let path = entry.expect("reads").path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).expect("reads").contains(said) {
                found.insert(path.strip_prefix(ROOT).expect("below").display().to_string());
            }
        }
    }
    found
}

/// The list of what is to be touched for a new piece of this kind.
fn list(heading: &str) -> &'static str {
    let (_, rest) = CONTRIBUTING.split_once(&format!("### {heading}\n")).expect("the list is there");
    rest.split("\n### ").next().unwrap_or_default()
}

#[test]
fn the_files_that_pages_name_are_there() {
    let pages = fs::read_dir(Path::new(ROOT).join("docs")).expect("reads").map(|entry| entry.expect("reads").path());
    for page in pages.chain([Path::new(ROOT).join("README.md")]) {
        let text = fs::read_to_string(&page).expect("reads");
        for path in named(&text) {
            assert!(Path::new(ROOT).join(path).exists(), "{} names `{path}`, which is not there", page.display());
        }
    }
}

#[test]
fn whoever_follows_a_list_of_what_to_touch_finds_every_place() {
    for (heading, said, elsewhere) in [
        ("a verb of the language", "\"wait_until\"", &["src/script/analysis/lint.rs"][..]),
        ("a kind of effect", "Action::Put", &["src/script/primitives/files.rs", "src/script/calls/call.rs"]),
        ("a kind of effect", "Action::NoReturn", &["src/script/primitives/flow.rs", "src/script/calls/call.rs"]),
        ("a request to the world", "EndJob", &["src/exec/job.rs"]),
    ] {
        let listed = named(list(heading));
        let is_listed = |file: &String| {
            listed.iter().any(|path| file == path || (path.ends_with('/') && file.starts_with(path)))
                || elsewhere.contains(&file.as_str())
        };
        let places = sources_with(said);
        let missed: Vec<&String> = places.iter().filter(|file| !is_listed(file)).collect();
        assert!(places.len() > 1, "{heading}: {said} stands in {places:?} only");
        assert_eq!(missed, [] as [&String; 0], "{heading}: {said} stands there as well");
    }
}
