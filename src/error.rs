//! The one error type of the program: a kind (which fixes the exit code), a place in the runbook,
//! what happened, and what to do next. It must not depend on any other room and never prints.

use std::fmt;

/// What sort of ending an error means for the person at the keyboard. Fixes the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The words on the command line cannot be carried out.
    Usage,
    /// The inventory or a product profile is wrong.
    Inventory,
    /// The runbook has a bug: nothing was asked of any host because of it.
    Script,
    /// A precondition did not hold and nothing was touched.
    Precondition,
    /// A step failed; the run is stopped and can be resumed.
    Failed,
    /// A person has to decide; the run is waiting.
    Suspended,
    /// An effect may or may not have happened; a person has to look.
    InDoubt,
    /// A run went back: what it had changed is undone.
    RolledBack,
    /// A run could not go back all the way; it can be taken up again.
    RollbackIncomplete,
    /// baton refuses to act: locked, diverged, damaged or newer journal.
    Refused,
    /// A defect of baton itself.
    Internal,
    /// The operator interrupted the run; it can be resumed.
    Interrupted,
}

impl Kind {
    /// The process exit code, as the README's table lists it.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage | Self::Inventory | Self::Script => 2,
            Self::Precondition => 3,
            Self::Suspended => 4,
            Self::InDoubt => 5,
            Self::RolledBack => 6,
            Self::RollbackIncomplete => 7,
            Self::Refused => 8,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }
}

/// A position in a runbook or module. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user knows it, for example `genesys/confserv-ha.rhai`.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One line of source with the characters a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Where it points.
    pub place: Place,
    /// The whole source line, without its newline.
    pub line: String,
    /// How many characters are underlined, at least 1.
    pub length: usize,
    /// What stands beside the caret, may be empty.
    pub label: String,
}

/// Everything that goes wrong, in the shape it is shown: kind, message, place, chain, hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit code.
    pub kind: Kind,
    /// A lower-case fragment without a full stop; names stand in back-ticks.
    pub message: String,
    /// The source line it points at, when it has a place in a script.
    pub snippet: Option<Box<Snippet>>,
    /// The place, when there is one but its source line is not at hand.
    pub place: Option<Place>,
    /// The chain of calls that led there, innermost first.
    pub trace: Vec<String>,
    /// What it was caused by, outermost first.
    pub causes: Vec<String>,
    /// What to do next, most useful last: it is the line the reader sees above the prompt.
    pub hints: Vec<String>,
}

/// The result of anything that can end in an [`Error`].
pub type Result<T> = std::result::Result<T, Box<Error>>;

impl Error {
    /// An error of `kind` with a `message` and nothing else yet.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind,
            message: message.into(),
            snippet: None,
            place: None,
            trace: Vec::new(),
            causes: Vec::new(),
            hints: Vec::new(),
        })
    }

    /// The same error with one more hint at the end.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hints.push(hint.into());
        self
    }

    /// The same error with one more cause at the end.
    #[must_use]
    pub fn cause(mut self: Box<Self>, cause: impl fmt::Display) -> Box<Self> {
        self.causes.push(cause.to_string());
        self
    }

    /// The same error, pointing at `place`.
    #[must_use]
    pub fn at(mut self: Box<Self>, place: Place) -> Box<Self> {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for Error {
    /// Plain text without colours; `report::diagnostic` draws the caret frame.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(place) = self.snippet.as_ref().map(|s| &s.place).or(self.place.as_ref()) {
            write!(f, "\n  at {place}")?;
        }
        for call in &self.trace {
            write!(f, "\n  in {call}")?;
        }
        for cause in &self.causes {
            write!(f, "\n  caused by: {cause}")?;
        }
        for hint in &self.hints {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
