//! `baton completions`: a script that teaches a shell baton's words.

use super::{CommandLine, Context};
use crate::error::Result;
use clap::CommandFactory;

/// Print a script that completes baton's words in a shell
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// For which shell
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &CompletionsArgs, context: &Context) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "baton", &mut text);
    context.screen.out.print(&String::from_utf8_lossy(&text));
    Ok(0)
}
