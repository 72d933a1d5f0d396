//! The shipped texts: runbooks, modules, product profiles, models and labs, embedded when the program is built.
//! Nothing here reads a file when the program runs: what a site puts in their place is looked up elsewhere.

use include_dir::{Dir, include_dir};

static RUNBOOKS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/runbooks");
static STDLIB: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// What kind of text it is; fixes where it lies and how its file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// `runbooks/<vendor>/<name>.rhai`
    Runbooks,
    /// `stdlib/<vendor>/<module>.rhai`, imported as `vendor/module`
    Modules,
    /// `stdlib/products/<product>.toml`
    Products,
    /// `stdlib/models/<model>.rhai`
    Models,
    /// `stdlib/labs/<lab>.toml`
    Labs,
}

impl Shelf {
    /// The path of a text below the program's, or a site's, folder.
    #[must_use]
    pub fn path(self, name: &str) -> String {
        let (folder, ending) = self.place();
        format!("{folder}/{name}.{ending}")
    }

    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Runbooks => ("runbooks", "rhai"),
            Self::Modules => ("stdlib", "rhai"),
            Self::Products => ("stdlib/products", "toml"),
            Self::Models => ("stdlib/models", "rhai"),
            Self::Labs => ("stdlib/labs", "toml"),
        }
    }

    /// The name of the text that lies at this path, if it lies on this shelf.
    fn name_of(self, path: &str) -> Option<&str> {
        let (folder, ending) = self.place();
        let name = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(ending)?.strip_suffix('.')?;
        (self != Self::Modules || !is_reserved(name)).then_some(name)
    }
}

/// Whether a name below `stdlib/` belongs to another shelf than the modules.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    ["products/", "models/", "labs/"].iter().any(|folder| name.starts_with(folder))
}

/// A shipped text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShippedText {
    /// Its name, as it is typed and imported.
    pub name: &'static str,
    /// The whole text.
    pub text: &'static str,
}

impl ShippedText {
    /// What it is, in one line.
    #[must_use]
    pub fn title(&self) -> &'static str {
        title(self.text)
    }

    /// Where the procedure comes from, as its `//! source:` line says.
    #[must_use]
    pub fn source(&self) -> Option<&'static str> {
        source(self.text)
    }
}

/// The title of a text: its first `//!` line, or the `title` of a TOML file.
#[must_use]
pub fn title(text: &str) -> &str {
    let from_toml = |line: &'_ str| line.starts_with("title") && line.contains('"');
    let line = text.lines().find(|line| line.starts_with("//!") || from_toml(line)).unwrap_or("");
    match line.strip_prefix("//!") {
        Some(rest) => rest.trim(),
        None => line.split('"').nth(1).unwrap_or(""),
    }
}

/// What a text names as its source: the rest of its `//! source:` line.
#[must_use]
pub fn source(text: &str) -> Option<&str> {
    let head = text.lines().take_while(|line| line.starts_with("//!"));
    head.filter_map(|line| line.trim_start_matches("//!").trim().strip_prefix("source:")).map(str::trim).next()
}

/// The shipped text of this name.
#[must_use]
pub fn find(shelf: Shelf, name: &str) -> Option<&'static str> {
    all(shelf).into_iter().find(|entry| entry.name == name).map(|entry| entry.text)
}

/// Everything that is shipped on a shelf, by name.
#[must_use]
pub fn all(shelf: Shelf) -> Vec<ShippedText> {
    let mut found = Vec::new();
    for (prefix, root) in [("runbooks", &RUNBOOKS), ("stdlib", &STDLIB)] {
        if shelf.place().0.starts_with(prefix) {
            collect(root, shelf, prefix, &mut found);
        }
    }
    found.sort_by_key(|entry| entry.name);
    found
}

fn collect(folder: &'static Dir<'static>, shelf: Shelf, prefix: &str, found: &mut Vec<ShippedText>) {
    for file in folder.files() {
        let Some(path) = file.path().to_str() else { continue };
        let Some(wanted) = shelf.name_of(&format!("{prefix}/{path}")).map(str::len) else { continue };
        let Some(text) = file.contents_utf8() else { continue };
        let end = path.len() - shelf.place().1.len() - 1;
        found.push(ShippedText { name: &path[end - wanted..end], text });
    }
    for inner in folder.dirs() {
        collect(inner, shelf, prefix, found);
    }
}

/// The shipped runbook of this name, such as `genesys/confserv-ha`.
#[must_use]
pub fn runbook(name: &str) -> Option<&'static str> {
    find(Shelf::Runbooks, name)
}

/// The shipped module of this name, such as `genesys/confserv`.
#[must_use]
pub fn module(name: &str) -> Option<&'static str> {
    find(Shelf::Modules, name)
}

/// The shipped profile of this product.
#[must_use]
pub fn product(name: &str) -> Option<&'static str> {
    find(Shelf::Products, name)
}

/// The shipped model of this name.
#[must_use]
pub fn model(name: &str) -> Option<&'static str> {
    find(Shelf::Models, name)
}

/// The shipped lab of this name.
#[must_use]
pub fn lab(name: &str) -> Option<&'static str> {
    find(Shelf::Labs, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_text_has_a_title_and_is_found_by_its_name() {
        for shelf in [Shelf::Runbooks, Shelf::Modules, Shelf::Products, Shelf::Models, Shelf::Labs] {
            for entry in all(shelf) {
                assert!(!entry.title().is_empty(), "{} has no title", shelf.path(entry.name));
                assert_eq!(find(shelf, entry.name), Some(entry.text));
            }
        }
        assert!(all(Shelf::Modules).iter().all(|entry| !entry.name.starts_with("products/")));
        assert!(lab("genesys").is_some() && product("genesys-confserv").is_some());
    }

    #[test]
    fn the_head_of_a_text_names_title_and_source() {
        let text = "//! Upgrade a pair\n//!\n//! source: Migration Guide\nstep();\n";
        assert_eq!((title(text), source(text)), ("Upgrade a pair", Some("Migration Guide")));
        assert_eq!(title("# words\ntitle = \"a server\"\n"), "a server");
    }
}
