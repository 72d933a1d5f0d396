//! The programs that a runbook calls by their names, seen without running it. It must not judge whether they may be.

use crate::error::Place;
use crate::script::compile::program::Program;
use crate::script::compile::tree::{self, CallSite};

/// A command that a script gives itself, or a restart of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptCommand {
    /// The program: of a restart, nothing.
    pub program: Option<String>,
    /// Where it is called.
    pub place: Place,
}

/// The commands of a runbook and its modules whose program is written out, in the order of their files.
#[must_use]
pub fn commands(program: &Program) -> Vec<ScriptCommand> {
    let mut found = Vec::new();
    for unit in program.units() {
        unit.ast.walk(&mut |path| {
            if let Some(site) = path.last().and_then(tree::call_site).filter(|site| site.namespace.is_none()) {
                let line = site.position.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
                let column = site.position.position().and_then(|column| u32::try_from(column).ok()).unwrap_or(1);
                let place = Place { file: unit.file.clone(), line, column };
                match site.name {
                    "reboot" => found.push(ScriptCommand { program: None, place }),
                    "run" => found.extend(first_word(&site).map(|word| ScriptCommand { program: Some(word), place })),
                    _ => {}
                }
            }
            true
        });
    }
    found
}

/// The first word of the command of a `run`, if it is written out.
fn first_word(site: &CallSite<'_>) -> Option<String> {
    tree::first_text(site.args.get(1 - usize::from(site.method))?)
}
