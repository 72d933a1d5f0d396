//! The shipped runbooks, as far as they can be looked at without running them.

use baton::library::{self, Shelf};
use baton::script::analysis::lint::lint;
use baton::script::compile::sources::Sources;

#[test]
fn every_shipped_runbook_compiles_without_findings() {
    for entry in library::all(Shelf::Runbooks) {
        let mut read = |name: &str| library::module(name).map(str::to_owned);
        let program =
            Sources::collect(entry.name, entry.text, &mut read).and_then(|sources| baton::script::program(&sources));
        let program = program.unwrap_or_else(|error| panic!("{error}"));
        let findings: Vec<String> = lint(&program, None).iter().map(|finding| finding.error.to_string()).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }
}
