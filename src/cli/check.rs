//! `baton check`: compiles runbooks and says what can be seen to be wrong without running them. It touches nothing.

use super::Desk;
use super::site::Site;
use crate::error::Result;
use crate::library::Shelf;
use crate::report::style::Tone;
use crate::script::program::Program;
use crate::script::sources::Sources;

/// Check runbooks without running them
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// Names from `baton list`, or paths of .rhai files; without any, all of them
    runbooks: Vec<String>,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let site = Site::here();
    let all = if words.runbooks.is_empty() { site.names(Shelf::Runbooks) } else { words.runbooks.clone() };
    let style = desk.screen.out_style;
    let mut worst = 0;
    for given in &all {
        match check(given, &site) {
            Ok(()) => desk.screen.out.say(&format!("{} {given}\n", style.paint(Tone::Good, "✓ sound "))),
            Err(error) => {
                desk.screen.complain(&error);
                worst = worst.max(error.kind.exit_code());
            }
        }
    }
    Ok(worst)
}

fn check(given: &str, site: &Site) -> Result<()> {
    let (name, text) = site.runbook(given)?;
    let mut read_module = |module: &str| site.lookup(Shelf::Modules, module);
    let sources = site.check(Sources::collect(&name, &text, &mut read_module))?;
    Program::compile(&sources).map(|_| ())
}
