//! `baton completions`: a script that teaches a shell baton's words.

use super::{CommandLine, Desk};
use crate::error::Result;
use clap::CommandFactory;

/// Print a script that completes baton's words in a shell
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// For which shell
    shell: clap_complete::Shell,
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(words.shell, &mut CommandLine::command(), "baton", &mut text);
    desk.screen.out.print(&String::from_utf8_lossy(&text));
    Ok(0)
}
