//! The editor of the person at the terminal: it is given the terminal until it ends. It must not look at what was
//! written.

use crate::error::{Error, Kind, Result};
use std::path::Path;
use std::process::Command;

/// What is started where the environment names no editor.
const USUAL: &str = "vi";

/// Lets a person edit a file with `$VISUAL`, else `$EDITOR`, else `vi`, and waits until they are done.
///
/// # Errors
/// `Failed` when the editor is missing or does not end well; what it wrote is not looked at then.
pub fn edit(path: &Path) -> Result<()> {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| USUAL.to_owned());
    let mut words = editor.split_whitespace();
    let status = Command::new(words.next().unwrap_or(USUAL)).args(words).arg(path).status();
    let failed = |what: String| Error::new(Kind::Failed, what);
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("the editor `{editor}` did not end well: {status}"))
            .hint("what it wrote is not taken over; edit again, or leave it")),
        Err(error) => Err(failed(format!("cannot start the editor `{editor}`"))
            .cause(error)
            .hint("name one that is here: export EDITOR=vi")),
    }
}
