//! What is said about each primitive. The one source for `baton doc`, "did you mean", lint and messages about
//! arguments: it stands beside the function it describes, in `primitives/`. It must not know how anything is done.

use crate::model::run::effect::Class;

/// What is said about one primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerbDoc {
    /// Its name.
    pub name: &'static str,
    /// Every way to call it, shortest first: `backup(service, label)`. One for each number of arguments.
    pub signatures: &'static [&'static str],
    /// What is promised when the runner dies in its midst; none for what never leaves the script.
    pub class: Option<Class>,
    /// What it does, in one or two sentences.
    pub summary: &'static str,
    /// How long it may take when the runbook says nothing, or what its unit is. May be empty.
    pub limit: &'static str,
    /// The keys of its options map with their meaning.
    pub options: &'static [(&'static str, &'static str)],
    /// The kinds of failure a script can catch.
    pub errors: &'static [&'static str],
    /// A script that uses it and compiles.
    pub example: &'static str,
}

impl VerbDoc {
    /// Nothing said yet; for `..VerbDoc::NONE`.
    pub const NONE: Self =
        Self { name: "", signatures: &[], class: None, summary: "", limit: "", options: &[], errors: &[], example: "" };

    /// The numbers of arguments it takes.
    pub fn arities(&self) -> impl Iterator<Item = usize> {
        self.signatures.iter().map(|signature| arity(signature))
    }

    /// The keys of its options map.
    pub fn option_keys(&self) -> impl Iterator<Item = &'static str> {
        self.options.iter().map(|(key, _)| *key)
    }

    /// All ways to call it, in back-ticks: "`mark(service)`".
    #[must_use]
    pub fn usage(&self) -> String {
        let ways: Vec<String> = self.signatures.iter().map(|signature| format!("`{signature}`")).collect();
        ways.join(" or ")
    }
}

/// How many arguments a signature such as `backup(service, label)` lists.
pub(crate) fn arity(signature: &str) -> usize {
    parameters(signature).count()
}

/// The names of the arguments that a signature lists.
pub(crate) fn parameters(signature: &str) -> impl Iterator<Item = &str> {
    let inside = signature.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    inside.split(", ").filter(|name| !name.is_empty())
}
