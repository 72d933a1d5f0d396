//! Where the texts of a run come from: the site's own `runbooks/` and `stdlib/` in the current folder win over the
//! shipped ones of the same name, and where they differ that is said. It must not judge what a text says.

use crate::error::{Error, Kind, Result};
use crate::library::{self, Shelf};
use crate::model::text::{did_you_mean, typed};
use crate::platform::desk;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A folder with texts of its own in front of the shipped library.
pub(in crate::cli) struct Site {
    folder: PathBuf,
    /// The first thing that went wrong in a look-up that could not say so.
    trouble: RefCell<Option<Box<Error>>>,
    /// What differs from the shipped text of the same name.
    differing: RefCell<BTreeSet<String>>,
}

impl Site {
    /// The current folder.
    pub(in crate::cli) fn here() -> Self {
        Self::at(Path::new(""))
    }

    /// This folder.
    pub(in crate::cli) fn at(folder: &Path) -> Self {
        let (trouble, differing) = (RefCell::new(None), RefCell::new(BTreeSet::new()));
        Self { folder: folder.to_path_buf(), trouble, differing }
    }

    /// The text of this name, the site's own first.
    pub(in crate::cli) fn text(&self, shelf: Shelf, name: &str) -> Result<Option<String>> {
        let shipped = library::find(shelf, name);
        let path = shelf.path(name);
        if name.split('/').any(|part| part == ".." || part.is_empty()) {
            return Ok(None);
        }
        let Some(own) = desk::read_own(&self.folder, Path::new(&path))? else { return Ok(shipped.map(str::to_owned)) };
        if shipped.is_some_and(|text| text != own) {
            self.differing.borrow_mut().insert(path);
        }
        Ok(Some(own))
    }

    /// The same for callers that can only hear yes or no; what went wrong is kept for [`check`](Self::check).
    pub(in crate::cli) fn lookup(&self, shelf: Shelf, name: &str) -> Option<String> {
        self.text(shelf, name).unwrap_or_else(|error| {
            self.trouble.borrow_mut().get_or_insert(error);
            None
        })
    }

    /// What went wrong in a [`lookup`](Self::lookup), if anything did: it explains better what followed.
    pub(in crate::cli) fn check<T>(&self, result: Result<T>) -> Result<T> {
        match self.trouble.borrow_mut().take() {
            Some(error) => Err(error),
            None => result,
        }
    }

    /// The files of the site that were used and differ from the shipped text of the same name.
    pub(in crate::cli) fn differing(&self) -> Vec<String> {
        self.differing.borrow().iter().cloned().collect()
    }

    /// The name that a runbook goes by which was given by its name or its path.
    pub(in crate::cli) fn name(given: &str) -> &str {
        let name = given.strip_suffix(".rhai").unwrap_or(given);
        let name = name.strip_prefix("./").unwrap_or(name);
        name.strip_prefix("runbooks/").unwrap_or(name)
    }

    /// A runbook by its name, or by the path of its file: the name it goes by, and its text.
    pub(in crate::cli) fn runbook(&self, given: &str) -> Result<(String, String)> {
        let name = Self::name(given);
        if let Some(text) = self.text(Shelf::Runbooks, name)? {
            return Ok((name.to_owned(), text));
        }
        if given.ends_with(".rhai") {
            if let Some(text) = desk::read_text(&self.folder.join(given))? {
                return Ok((name.to_owned(), text));
            }
            return Err(
                Error::new(Kind::Usage, format!("there is no file `{given}`")).hint("see what is here: baton list")
            );
        }
        let known = self.names(Shelf::Runbooks);
        let mut error = Error::new(Kind::Usage, format!("there is no runbook `{given}`"));
        if given.ends_with(".toml") {
            return Err(error
                .hint(format!("a site is named with `-i`: -i {}", typed(given)))
                .hint("see which runbooks there are: baton list"));
        }
        // A runbook of a folder may be meant by its last word.
        let last = |known: &String| known.rsplit_once('/').map(|(_, last)| last.to_owned());
        let meant: Vec<String> = known.iter().filter(|known| last(known).as_deref() == Some(given)).cloned().collect();
        let near = match &*meant {
            [] => did_you_mean(given, known.iter().map(String::as_str)),
            meant => Some(format!("did you mean `{}`?", meant.join("` or `"))),
        };
        error.hints.extend(near);
        Err(error.hint("see which there are: baton list"))
    }

    /// The file from which [`runbook`](Self::runbook) takes a runbook of this name, if it is the site's own.
    pub(in crate::cli) fn file_of(&self, name: &str) -> Result<Option<PathBuf>> {
        let beside = format!("{name}.rhai");
        if self.own_names(Shelf::Runbooks).iter().any(|own| own == name) {
            return Ok(Some(PathBuf::from(Shelf::Runbooks.path(name))));
        }
        if self.text(Shelf::Runbooks, name)?.is_some() || desk::read_text(&self.folder.join(&beside))?.is_none() {
            return Ok(None);
        }
        Ok(Some(PathBuf::from(beside)))
    }

    /// The names on a shelf, the site's and the shipped ones.
    pub(in crate::cli) fn names(&self, shelf: Shelf) -> Vec<String> {
        let mut names: BTreeSet<String> = library::all(shelf).iter().map(|entry| entry.name.to_owned()).collect();
        names.extend(self.own_names(shelf));
        names.into_iter().collect()
    }

    /// The names of the site's own texts on a shelf.
    pub(in crate::cli) fn own_names(&self, shelf: Shelf) -> Vec<String> {
        let sample = shelf.path("x");
        let (folder, ending) = sample.rsplit_once("/x.").unwrap_or((&sample, ""));
        let files = desk::files_below(&self.folder.join(folder), ending);
        let names = files.iter().filter_map(|path| path.with_extension("").to_str().map(str::to_owned));
        let inner = |name: &String| shelf != Shelf::Modules || !library::is_reserved(name);
        names.filter(inner).collect()
    }
}
