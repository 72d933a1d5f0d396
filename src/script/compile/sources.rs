//! The texts a run may read: the runbook and every module it imports, found by reading its `import`s. What is not in
//! here does not exist for the script. It must not touch files: a caller says how a module is read.

use crate::error::{Error, Kind, Result};
use crate::model::run::source_name::SourceName;
use crate::model::text::did_you_mean;
use crate::script::compile::script_engine;
use crate::script::compile::{diagnostic, tree};
use rhai::{Engine, Position};
use std::collections::BTreeMap;

/// The most modules a runbook may import, all told.
const MODULES_MAX: usize = 100;

/// The scripts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The runbook's name.
    pub runbook: String,
    /// Its text and those of its modules.
    pub files: BTreeMap<SourceName, String>,
}

impl Sources {
    /// The runbook with every module it needs, directly or not.
    ///
    /// # Errors
    /// `Script`, with the line: a syntax error; an import that is not written out, not a plain name, missing or
    /// circular; more than 100 modules.
    pub fn collect(runbook: &str, text: &str, read_module: &mut dyn FnMut(&str) -> Option<String>) -> Result<Self> {
        let key = SourceName::Runbook(runbook.to_owned());
        let files = BTreeMap::from([(key.clone(), text.to_owned())]);
        let sources = Self { runbook: runbook.to_owned(), files };
        let mut collector = Collector { engine: script_engine::parser(), sources, read_module, open: Vec::new() };
        collector.visit(&key).map_err(|error| diagnostic::finish(error, runbook))?;
        Ok(collector.sources)
    }

    /// The runbook's text.
    #[must_use]
    pub fn runbook_text(&self) -> &str {
        self.files.get(&SourceName::Runbook(self.runbook.clone())).map_or("", String::as_str)
    }

    /// The text of a module.
    #[must_use]
    pub fn module_text(&self, name: &str) -> Option<&str> {
        self.files.get(&SourceName::Module(name.to_owned())).map(String::as_str)
    }

    /// The names of the modules.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|key| if let SourceName::Module(name) = key { Some(name.as_str()) } else { None })
    }
}

/// The file that people know under a key: `genesys/confserv-ha.rhai`, `stdlib/genesys/confserv.rhai`.
pub(crate) fn file_of(key: &SourceName) -> String {
    let (folder, name) = if let SourceName::Module(name) = key { ("stdlib/", name.as_str()) } else { ("", key.bare()) };
    let ending = if name.ends_with(".rhai") { "" } else { ".rhai" };
    format!("{folder}{name}{ending}")
}

/// The file of the runbook called `name`.
pub(crate) fn runbook_file(name: &str) -> String {
    file_of(&SourceName::Runbook(name.to_owned()))
}

/// The file of the module called `name`.
pub(crate) fn module_file(name: &str) -> String {
    file_of(&SourceName::Module(name.to_owned()))
}

struct Collector<'a> {
    engine: Engine,
    sources: Sources,
    read_module: &'a mut dyn FnMut(&str) -> Option<String>,
    /// The keys on the way to the one that is read, to see circles.
    open: Vec<SourceName>,
}

impl Collector<'_> {
    fn visit(&mut self, key: &SourceName) -> Result<()> {
        let text = self.sources.files.get(key).cloned().unwrap_or_default();
        let file = file_of(key);
        let ast = self.engine.compile(&text).map_err(|error| diagnostic::syntax(&error, &file, &text))?;
        self.open.push(key.clone());
        for import in tree::imports(&ast) {
            let next = self.import(import.name.as_deref());
            let wrong = |message| point(message, &file, &text, import.position);
            if let Some(key) = next.map_err(wrong)? {
                self.visit(&key)?;
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Takes the text of an imported module in. Gives its key, or nothing when it is there already; fails with a
    /// message.
    fn import(&mut self, name: Option<&str>) -> std::result::Result<Option<SourceName>, String> {
        let name = name.ok_or("`import` wants a name that is written out: `import \"vendor/name\" as n`")?;
        if !is_plain(name) {
            return Err(format!(
                "`{name}` is not the name of a module; names look like `vendor/name`, never like paths"
            ));
        }
        let key = SourceName::Module(name.to_owned());
        if let Some(index) = self.open.iter().position(|open| *open == key) {
            let way: Vec<String> = self.open[index..].iter().map(|key| format!("`{}`", file_of(key))).collect();
            return Err(format!("module `{name}` imports itself, by way of {}", way.join(", ")));
        }
        if self.sources.files.contains_key(&key) {
            return Ok(None);
        }
        if self.sources.files.len() > MODULES_MAX {
            return Err(format!("the runbook imports more than {MODULES_MAX} modules"));
        }
        let text = (self.read_module)(name).ok_or_else(|| self.missing(name))?;
        self.sources.files.insert(key.clone(), text);
        Ok(Some(key))
    }

    fn missing(&self, name: &str) -> String {
        let near = did_you_mean(name, self.sources.modules()).map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("there is no module `{name}`, that is, no file `{}`{near}", module_file(name))
    }
}

fn point(message: String, file: &str, text: &str, position: Position) -> Box<Error> {
    diagnostic::pointing(Error::new(Kind::Script, message), file, text, position)
}

/// Whether a name is made of parts of small letters, digits, `_` and `-`, with `/` between them.
fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    name.split('/').all(|part| !part.is_empty() && part.chars().all(fits))
}
