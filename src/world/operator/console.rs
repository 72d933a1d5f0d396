//! Where the operator of baton types what is to be done next: the words of stepwise execution and the lines of the
//! REPL. Questions of a runbook go elsewhere: to a [`Person`](super::person::Person). It must not judge a line.

use super::line_editor::LineEditor;
use super::terminal::Terminal;
use crate::world::Line;
use std::sync::Arc;

/// Who types.
#[derive(Debug, Clone)]
pub enum Console {
    /// Nobody; the text says why.
    Nobody(String),
    /// Whoever sits at the terminal.
    Terminal(Arc<Terminal>),
    /// Whoever types lines of the REPL.
    Editor(Arc<LineEditor>),
}

impl Console {
    /// Shows a prompt and waits for a line.
    pub(in crate::world) async fn line(&self, prompt: &str) -> Line {
        match self {
            Self::Nobody(why) => Line::Closed(why.clone()),
            Self::Terminal(terminal) => terminal.line(prompt).await,
            Self::Editor(editor) => editor.line(prompt).await,
        }
    }
}
