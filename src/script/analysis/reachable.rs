//! What of a runbook and its modules a run can come to: their statements, and the functions that it can call at all. A
//! module is there for many runbooks, and no run of this one calls what only others want. In doubt a function can be
//! called. It must not know what was come to, nor run anything.

use crate::script::compile::blocks::{FileBlocks, Mention, StatementBlock};
use crate::script::compile::program::{Program, Unit};
use crate::script::compile::tree;
use std::collections::BTreeMap;

/// The runbook and its modules.
pub(crate) struct Reachable<'a> {
    /// The runbook first.
    pub(crate) files: Vec<ReachableFile<'a>>,
}

/// One of them.
pub(crate) struct ReachableFile<'a> {
    /// Its text and its name.
    pub(crate) unit: &'a Unit,
    /// Its statements.
    pub(crate) blocks: FileBlocks,
    /// How each function is used, as they stand in `blocks`.
    pub(crate) uses: Vec<FunctionUse>,
    /// The other files by what this one calls them.
    aliases: BTreeMap<String, usize>,
}

/// Whether a run can call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionUse {
    /// It can.
    Called,
    /// Only what a module does when it is loaded calls it, which is before any run.
    WhenLoaded,
    /// Nothing calls it.
    Never,
}

/// A function by the numbers of its file and in it.
type FunctionId = (usize, usize);

impl<'a> Reachable<'a> {
    /// What there is in this program. A function that was `seen` to be called is called, in whatever way.
    pub(crate) fn of(program: &'a Program, seen: impl Fn(&Unit, &StatementBlock) -> bool) -> Self {
        let modules: BTreeMap<&str, usize> = program.module_names().zip(1..).collect();
        let file = |unit: &'a Unit| {
            let alias = |import: tree::Import| Some((import.alias, *modules.get(import.name?.as_str())?));
            let aliases = tree::imports(&unit.ast).into_iter().filter_map(alias).collect();
            let blocks = FileBlocks::of(&unit.ast);
            let uses = blocks.functions.iter().map(|_| FunctionUse::Never).collect();
            ReachableFile { unit, blocks, uses, aliases }
        };
        let mut all = Self { files: program.units().map(file).collect() };
        let (mut called, mut when_loaded) = (Vec::new(), Vec::new());
        for (number, file) in all.files.iter().enumerate() {
            let functions = file.blocks.functions.iter().enumerate();
            let seen = functions.filter(|(_, function)| seen(file.unit, &function.block));
            called.extend(seen.map(|(function, _)| (number, function)));
            for statement in &file.blocks.own.statements {
                let own = if number == 0 { &mut called } else { &mut when_loaded };
                own.extend(all.functions(number, &statement.mentions));
                // A closure that a module has made is called by whoever has got it.
                statement.each(&mut |inner| called.extend(all.functions(number, &inner.mentions)));
            }
        }
        all.spread(called, FunctionUse::Called);
        all.spread(when_loaded, FunctionUse::WhenLoaded);
        all
    }

    /// Marks these functions, and those that they call in their turn.
    fn spread(&mut self, from: Vec<FunctionId>, how: FunctionUse) {
        let mut next = from;
        while let Some((file, function)) = next.pop() {
            let known = &mut self.files[file].uses[function];
            if *known != FunctionUse::Never {
                continue;
            }
            *known = how;
            let mut mentioned = Vec::new();
            self.files[file].blocks.functions[function]
                .block
                .each(&mut |statement| mentioned.extend(self.functions(file, &statement.mentions)));
            next.extend(mentioned);
        }
    }

    /// The functions that these can be, where they are mentioned in this file.
    fn functions(&self, file: usize, mentions: &[Mention]) -> Vec<FunctionId> {
        mentions.iter().flat_map(|mention| self.meant(file, mention)).collect()
    }

    fn meant(&self, file: usize, mention: &Mention) -> Vec<FunctionId> {
        let mut home = Some(file);
        for alias in &mention.namespace {
            home = home.and_then(|file| self.files[file].aliases.get(alias).copied());
        }
        let Some(home) = home else { return Vec::new() };
        let found = self.named(home, mention);
        // What a module does not have itself is looked up in the runbook.
        if found.is_empty() && mention.namespace.is_empty() { self.named(0, mention) } else { found }
    }

    fn named(&self, file: usize, mention: &Mention) -> Vec<FunctionId> {
        let functions = self.files[file].blocks.functions.iter().enumerate();
        let fits = functions.filter(|(_, function)| {
            let takes = |(from, to)| (from..=to).contains(&function.arity);
            function.name == mention.name && mention.arity.is_none_or(takes)
        });
        fits.map(|(number, _)| (file, number)).collect()
    }
}
