//! The texts a run is made of, and what comes of them: a program that is compiled and a site that is checked. Nothing
//! here knows of a run that was begun but by its snapshot; it carries nothing out.

use crate::error::Result;
use crate::exec::Scanners;
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::run::source_name::SourceName;
use crate::model::site::inventory::Inventory;
use crate::script::compile::program::Program;
use crate::script::compile::sources::Sources;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The texts a run is made of, by name: what its snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The runbook's name.
    pub runbook: String,
    /// The runbook, its modules, the inventory and the profiles it names.
    pub files: BTreeMap<SourceName, String>,
}

impl Texts {
    /// The inventory: its file and its text.
    #[must_use]
    pub fn inventory(&self) -> Option<(&str, &str)> {
        self.files.iter().find_map(|(name, text)| Some((name.inventory()?, text.as_str())))
    }
}

/// A run that could be carried out: compiled, its inventory checked. Clones share all but the texts.
#[derive(Clone)]
pub struct Prepared {
    /// What it is made of.
    pub texts: Texts,
    /// The compiled runbook.
    pub program: Rc<Program>,
    /// The site.
    pub inventory: Rc<Inventory>,
    /// The scanners of logs it has needed so far.
    pub scanners: Rc<Scanners>,
}

/// Collects everything a runbook and an inventory refer to.
///
/// # Errors
/// `Script` or `Inventory` errors with their place; nothing is touched.
pub fn gather(
    runbook: &str,
    text: &str,
    inventory: (&str, &str),
    read_module: &mut dyn FnMut(&str) -> Option<String>,
    read_profile: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Texts> {
    let mut files = Sources::collect(runbook, text, read_module)?.files;
    let (file, inventory_text) = inventory;
    let mut profiles = BTreeMap::new();
    Inventory::parse(inventory_text, file, &mut |product| {
        let text = read_profile(product)?;
        profiles.insert(SourceName::Profile(product.to_owned()), text.clone());
        Some(text)
    })?;
    files.append(&mut profiles);
    files.insert(SourceName::Inventory(file.to_owned()), inventory_text.to_owned());
    Ok(Texts { runbook: runbook.to_owned(), files })
}

/// Compiles and checks the texts of a run.
///
/// # Errors
/// `Script` or `Inventory` errors with their place.
pub fn prepare(texts: Texts) -> Result<Prepared> {
    let scripts = texts.files.iter().filter(|(name, _)| name.is_script());
    let files = scripts.map(|(name, text)| (name.clone(), text.clone())).collect();
    let program = crate::script::program(&Sources { runbook: texts.runbook.clone(), files })?;
    let inventory = Rc::new(site(&texts)?);
    Ok(Prepared { texts, program, inventory, scanners: Rc::default() })
}

/// The site that the texts of a run describe.
///
/// # Errors
/// `Inventory` errors with their place.
pub fn site(texts: &Texts) -> Result<Inventory> {
    match texts.inventory() {
        Some((file, text)) => Inventory::parse(text, file, &mut |product| {
            texts.files.get(&SourceName::Profile(product.to_owned())).cloned()
        }),
        None => Ok(Inventory::default()),
    }
}

/// The texts of a run: as they were when it began, or those adopted since.
///
/// # Errors
/// `Refused` when one of them is missing or damaged.
pub fn snapshot(store: &dyn Store, history: &History) -> Result<Texts> {
    let mut files = BTreeMap::new();
    for (name, digest) in history.sources() {
        files.insert(name.clone(), store.source(digest)?);
    }
    Ok(Texts { runbook: history.begun().runbook.clone(), files })
}
