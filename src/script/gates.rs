//! The names of gates: which are allowed, and which a program gives to its questions, seen without running it. It must
//! not ask anything.

use crate::script::program::Program;
use crate::script::tree;
use std::collections::BTreeSet;

/// The questions of scripts, and what begins the names of gates that have none of their own.
const FORMS: [&str; 4] = ["confirm", "manual", "choose", "severe"];

/// The names of the gates of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateNames {
    /// Those that are written out.
    own: BTreeSet<String>,
    /// Whether there are names that only a run knows.
    computed: bool,
}

/// What is wrong with a name for a gate, if something is.
pub(crate) fn wrong_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain);
    (!good).then(|| format!("`{name}` is no name for a gate: use letters, digits and dashes, a letter first"))
}

impl GateNames {
    /// The names in a runbook and its modules.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut names = Self { own: BTreeSet::new(), computed: false };
        for unit in program.units() {
            unit.ast.walk(&mut |path| {
                let site = path.last().and_then(tree::call_site);
                if let Some(site) = site.filter(|site| site.namespace.is_none() && FORMS.contains(&site.name)) {
                    names.take(&site);
                }
                true
            });
        }
        names
    }

    fn take(&mut self, site: &tree::CallSite<'_>) {
        let entries = site.args.last().and_then(tree::map_entries).unwrap_or_default();
        for (_, value, _) in entries.into_iter().filter(|(key, ..)| key == "gate") {
            match value.and_then(|value| value.into_immutable_string().ok()) {
                Some(name) => {
                    self.own.insert(name.to_string());
                }
                None => self.computed = true,
            }
        }
    }

    /// Whether a run may come to a gate of this name: one of its own, the second and third of that name (`drain-2`), or
    /// one that is named by its form (`confirm-2`).
    #[must_use]
    pub fn may_be(&self, name: &str) -> bool {
        let numbered = name.rsplit_once('-').filter(|(_, n)| n.parse::<u32>().is_ok_and(|n| n > 0));
        let base = numbered.map(|(base, _)| base);
        self.computed
            || self.own.contains(name)
            || base.is_some_and(|base| self.own.contains(base) || FORMS.contains(&base))
    }

    /// The names that are written out.
    #[must_use]
    pub fn own(&self) -> Vec<&str> {
        self.own.iter().map(String::as_str).collect()
    }
}
