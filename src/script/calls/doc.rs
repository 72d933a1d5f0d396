//! What is said about each primitive. The one source for `baton doc`, "did you mean", lint and messages about
//! arguments: it stands beside the function it describes, in `primitives/`. It must not know how anything is done.

use crate::model::run::effect::Class;
use crate::script::values::sort::Sort;

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
    /// Of which kind what it gives always is, where it is always of one.
    pub(crate) gives: Option<Sort>,
    /// The probe of its service that it reads.
    pub(crate) looks_at: Option<ProbeLook>,
    /// Whether it looks at the log of its service.
    pub(crate) log: bool,
    /// The closures it takes.
    pub(crate) closures: &'static [ClosureArg],
    /// Whether it does something although nothing is promised of it: it must not stand where a closure belongs.
    pub(crate) acts: bool,
    /// How it asks a person.
    pub(crate) asks: Option<Asking>,
}

/// What becomes of the reading of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeLook {
    /// It is what the verb gives.
    Gives(&'static str),
    /// The verb decides by it.
    Decides(&'static str),
}

/// A closure that a verb takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosureArg {
    /// Where it stands.
    pub(crate) place: ClosurePlace,
    /// How many values it is given.
    pub(crate) values: usize,
    /// Whether it says if something holds: true or false.
    pub(crate) tells: bool,
    /// Whether it may read and do nothing else.
    pub(crate) only_reads: bool,
}

/// Where a closure stands in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosurePlace {
    /// As this argument, from 0; the object of a method call is the first.
    Argument(usize),
    /// As this option.
    Option(&'static str),
}

/// How a verb asks a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Yes or no.
    Confirm,
    /// To do something, and to say when it is done.
    Manual,
    /// For one of some words, which are its second argument.
    Choose,
    /// For something of the kind that the option `kind` says.
    Write,
    /// Yes or no, where the option `harm` says that doing it now could do harm.
    IfHarm,
}

/// What a change gives.
pub(crate) const CHANGE_RESULT: Sort = Sort::Map(&["changed", "former", "output", "skipped"]);

impl ProbeLook {
    /// The probe's name.
    pub(crate) fn probe(self) -> &'static str {
        match self {
            Self::Gives(probe) | Self::Decides(probe) => probe,
        }
    }
}

impl VerbDoc {
    /// Nothing said yet; for `..VerbDoc::NONE`.
    pub const NONE: Self = Self {
        name: "",
        signatures: &[],
        class: None,
        summary: "",
        limit: "",
        options: &[],
        errors: &[],
        example: "",
        gives: None,
        looks_at: None,
        log: false,
        closures: &[],
        acts: false,
        asks: None,
    };

    /// Whether it reads at the most: it asks nothing of a host or a person that could change anything, and lets no time
    /// pass.
    pub(crate) fn only_reads(&self) -> bool {
        !self.acts && self.closures.is_empty() && matches!(self.class, None | Some(Class::Probe | Class::Meta))
    }

    /// The numbers of arguments it takes.
    pub fn arities(&self) -> impl Iterator<Item = usize> {
        self.signatures.iter().map(|signature| arity(signature))
    }

    /// The keys of its options map.
    pub fn option_keys(&self) -> impl Iterator<Item = &'static str> {
        self.options.iter().map(|(key, _)| *key)
    }

    /// How many arguments stand before its options.
    pub(crate) fn before_options(&self) -> Option<usize> {
        self.signatures.iter().find_map(|one| parameters(one).position(|parameter| parameter == "options"))
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
