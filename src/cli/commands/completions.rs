//! `baton completions`: a script that teaches a shell baton's words.

use crate::cli::context::Context;
use crate::error::Result;

/// Print a script that completes baton's words in a shell
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// For which shell
    shell: clap_complete::Shell,
}

/// `line` is the whole command line that is to be completed.
pub(in crate::cli) fn run(args: &CompletionsArgs, mut line: clap::Command, context: &Context) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut line, "baton", &mut text);
    context.screen.out.print(&String::from_utf8_lossy(&text));
    Ok(0)
}
