//! The steps that a runbook has, found by reading it: what is still ahead of a run. It must not evaluate anything; of a
//! name that is computed it knows what is written out.

use crate::error::Place;
use crate::script::program::Program;
use crate::script::{diagnostic, tree};

/// A step that is written in a runbook or one of its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name, with `…` where only the run tells.
    pub name: String,
    /// Whether only the run tells its whole name.
    pub computed: bool,
    /// Where it stands.
    pub place: Place,
    /// Whether it is owed at the end.
    pub owed: bool,
}

/// The steps of a program: those of the runbook in the order of its lines, then those of its modules.
#[must_use]
pub fn steps(program: &Program) -> Vec<Written> {
    let mut all = Vec::new();
    for unit in program.units() {
        let mut found = Vec::new();
        unit.ast.walk(&mut |path| {
            let site = path.last().and_then(tree::call_site);
            let site = site.filter(|site| matches!(site.name, "step" | "ensure") && site.namespace.is_none());
            if let Some(site) = site
                && let Some(given) = site.args.first()
                && let Some(place) = diagnostic::place(&unit.file, site.position)
            {
                let (name, computed) = match tree::literal_text(given) {
                    Some(name) => (name, false),
                    None => (tree::template_text(given), true),
                };
                found.push(Written { name, computed, place, owed: site.name == "ensure" });
            }
            true
        });
        found.sort_by_key(|step: &Written| (step.place.line, step.place.column));
        all.append(&mut found);
    }
    all
}
