//! Letting a person edit the runbook of a run: their own file, or a copy of what the run is made of. It takes nothing
//! over: that is done by [`adopt`](super::adopt).

use super::site::Site;
use crate::error::Result;
use crate::library::Shelf;
use crate::model::run::source_name::SourceName;
use crate::platform::{desk, editor};
use crate::session::Texts;
use std::path::PathBuf;

/// Opens the runbook in the person's editor, and gives its path. Where there is no file of it, the site gets one.
///
/// # Errors
/// When the file cannot be written, or the editor is missing or does not end well.
pub(in crate::cli) fn edit(texts: &Texts) -> Result<PathBuf> {
    let path = match Site::here().file_of(&texts.runbook)? {
        Some(path) => path,
        None => {
            let path = PathBuf::from(Shelf::Runbooks.path(&texts.runbook));
            if let Some(text) = texts.files.get(&SourceName::Runbook(texts.runbook.clone())) {
                desk::write_new(&path, text)?;
            }
            path
        }
    };
    editor::edit(&path)?;
    Ok(path)
}
