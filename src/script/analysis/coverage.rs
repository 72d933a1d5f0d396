//! What many plays of a runbook have come to, of all there is in it and its modules: what no play has reached, with the
//! reasons that the texts give for it, and reasons that are not true. It plays nothing, and of what was reached it only
//! knows what it is given.

use crate::error::Place;
use crate::script::analysis::reachable::{FunctionUse, Reachable, ReachableFile};
use crate::script::analysis::reasons::{self, Reason};
use crate::script::compile::blocks::{BlockKind, StatementBlock};
use crate::script::compile::diagnostic;
use crate::script::compile::program::Program;
use crate::script::compile::reached::Reached;
use crate::script::compile::scanner::at;
use rhai::Position;
use std::collections::{BTreeMap, BTreeSet};

/// What plays have come to, and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many statements there are in the runbook and in all functions that it can call. An arm of a `switch` that is
    /// an expression is one, and so is a closure that is one.
    pub statements: usize,
    /// How many of them were reached.
    pub reached: usize,
    /// What was not: `statements` that were not reached are in exactly one of these each.
    pub unreached: Vec<Unreached>,
    /// Reasons for something that was reached, or for nothing.
    pub false_reasons: Vec<FalseReason>,
    /// Functions that nothing in this runbook calls.
    pub unused_functions: Vec<UnusedFunction>,
}

impl Coverage {
    /// How much of all there is was reached, in whole percent: all of it only when nothing is missing.
    #[must_use]
    pub fn percent(&self) -> usize {
        (self.reached * 100).checked_div(self.statements).unwrap_or(100)
    }
}

/// Statements in a row that were not reached, to the end of their block, with all that is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// Where they begin: with their block, if nothing of it was reached, else with the first of them.
    pub place: Place,
    /// The line there, as it is written.
    pub line: String,
    /// What they are, in words.
    pub what: String,
    /// How many statements they are, those in blocks and closures among them.
    pub statements: usize,
    /// The line on which the last of them begins.
    pub last_line: u32,
    /// Why they are not reached, if the text says it.
    pub reason: Option<String>,
}

/// A reason that is not true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FalseReason {
    /// Where the comment is.
    pub place: Place,
    /// The line there, as it is written.
    pub line: String,
    /// What it says.
    pub reason: String,
    /// What is wrong with it and what to do, in words.
    pub fault: &'static str,
}

/// A function that nothing in this runbook calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedFunction {
    /// Where its body begins.
    pub place: Place,
    /// What it is called.
    pub name: String,
    /// How many statements it has.
    pub statements: usize,
}

/// Joins what there is with what was reached.
#[must_use]
pub fn coverage(program: &Program, reached: &Reached) -> Coverage {
    let was_entered = |file: &str, block: &StatementBlock| {
        let mut entered = false;
        block.each(&mut |statement| entered |= reached.has(file, at(statement.at)));
        entered
    };
    let reachable = Reachable::of(program, |unit, block| was_entered(&unit.file, block));
    let mut coverage = Coverage::default();
    for (number, file) in reachable.files.iter().enumerate() {
        FileLook::of(file, reached, &mut coverage).look(number > 0);
    }
    coverage
}

/// A look at one file.
struct FileLook<'a> {
    file: &'a ReachableFile<'a>,
    reached: &'a Reached,
    coverage: &'a mut Coverage,
    reasons: BTreeMap<u32, Reason>,
    /// The lines on which something begins that was reached.
    reached_lines: BTreeSet<u32>,
    /// Those on which something begins that was not.
    unreached_lines: BTreeSet<u32>,
}

impl<'a> FileLook<'a> {
    fn of(file: &'a ReachableFile<'a>, reached: &'a Reached, coverage: &'a mut Coverage) -> Self {
        let reasons = reasons::of(&file.unit.text);
        let (reached_lines, unreached_lines) = (BTreeSet::new(), BTreeSet::new());
        Self { file, reached, coverage, reasons, reached_lines, unreached_lines }
    }

    /// What a module does outside of its functions it does when it is loaded, before any run.
    fn look(mut self, is_module: bool) {
        let (blocks, from) = (&self.file.blocks, self.coverage.unreached.len());
        if is_module {
            blocks.own.statements.iter().for_each(|statement| self.loaded(&statement.blocks));
        } else {
            self.block(&blocks.own);
        }
        for (function, used) in blocks.functions.iter().zip(&self.file.uses) {
            match used {
                FunctionUse::Called => self.block(&function.block),
                FunctionUse::WhenLoaded => self.not_looked_for(&function.block),
                FunctionUse::Never => {
                    self.not_looked_for(&function.block);
                    let (name, statements) = (function.name.clone(), count(&function.block));
                    let place = diagnostic::place(&self.file.unit.file, function.block.at);
                    let unused = place.map(|place| UnusedFunction { place, name, statements });
                    self.coverage.unused_functions.extend(unused);
                }
            }
        }
        self.coverage.unreached[from..].sort_by_key(|missed| (missed.place.line, missed.place.column));
        self.judge_reasons();
    }

    /// Of what was done when the module was loaded only closures can be come to in a run.
    fn loaded(&mut self, blocks: &[StatementBlock]) {
        for block in blocks {
            if let BlockKind::Closure(_) = block.kind {
                self.block(block);
            } else {
                block.statements.iter().for_each(|statement| self.loaded(&statement.blocks));
            }
        }
    }

    fn block(&mut self, block: &StatementBlock) {
        for (index, statement) in block.statements.iter().enumerate() {
            if !self.reached.has(&self.file.unit.file, at(statement.at)) {
                return self.unreached(block, index);
            }
            self.coverage.statements += 1;
            self.coverage.reached += 1;
            self.reached_lines.extend([line_of(block.at), line_of(statement.at)]);
            statement.blocks.iter().for_each(|inner| self.block(inner));
        }
    }

    /// Nothing of a block was reached from this statement on.
    fn unreached(&mut self, block: &StatementBlock, from: usize) {
        let rest = &block.statements[from..];
        let (mut statements, mut last_line) = (0, 0);
        for statement in rest {
            let mut look = |line: u32| {
                statements += 1;
                last_line = last_line.max(line);
                self.unreached_lines.insert(line);
            };
            look(line_of(statement.at));
            statement.each(&mut |inner| look(line_of(inner.at)));
            statement.blocks.iter().for_each(|inner| self.not_looked_for(inner));
        }
        self.coverage.statements += statements;
        let begin = if from == 0 { block.at } else { rest.first().map_or(block.at, |first| first.at) };
        self.unreached_lines.insert(line_of(begin));
        let Some(place) = diagnostic::place(&self.file.unit.file, begin) else { return };
        let what = if from == 0 { words(&block.kind) } else { words(&BlockKind::File) };
        let line = line_at(&self.file.unit.text, &place);
        let reason = self.reasons.get(&place.line).map(|reason| reason.why.clone());
        self.coverage.unreached.push(Unreached { place, line, what, statements, last_line, reason });
    }

    /// A reason in a block of which nobody wants to know whether it was reached is true.
    fn not_looked_for(&mut self, block: &StatementBlock) {
        self.unreached_lines.insert(line_of(block.at));
        for statement in &block.statements {
            self.unreached_lines.insert(line_of(statement.at));
            statement.blocks.iter().for_each(|inner| self.not_looked_for(inner));
        }
    }

    fn judge_reasons(&mut self) {
        for (line, Reason { at, why }) in &self.reasons {
            if self.unreached_lines.contains(line) {
                continue;
            }
            let fault = if self.reached_lines.contains(line) {
                "what begins on this line is reached: remove the reason"
            } else {
                "nothing begins on this line that could be reached: put the reason where it belongs, or remove it"
            };
            let place = Place { file: self.file.unit.file.clone(), line: at.0, column: at.1 };
            let line = line_at(&self.file.unit.text, &place);
            self.coverage.false_reasons.push(FalseReason { place, line, reason: why.clone(), fault });
        }
    }
}

/// How many statements are in a block.
fn count(block: &StatementBlock) -> usize {
    let mut statements = 0;
    block.each(&mut |_| statements += 1);
    statements
}

fn line_of(position: Position) -> u32 {
    at(position).0
}

fn line_at(text: &str, place: &Place) -> String {
    diagnostic::snippet(text, place).map_or_else(String::new, |snippet| snippet.line.trim().to_owned())
}

/// What is not reached, where that is all of a block; of a file it is some statement and what follows it.
fn words(kind: &BlockKind) -> String {
    match kind {
        BlockKind::File => "this and what follows it".to_owned(),
        BlockKind::Function(name) => format!("the function `{name}`"),
        BlockKind::Closure(_) => "the closure".to_owned(),
        BlockKind::Then => "the branch of `if`".to_owned(),
        BlockKind::Else => "the branch of `else`".to_owned(),
        BlockKind::Arm => "the arm of `switch`".to_owned(),
        BlockKind::Catch => "the block of `catch`".to_owned(),
        BlockKind::Loop => "the body of the loop".to_owned(),
        BlockKind::Braces => "the block".to_owned(),
    }
}
