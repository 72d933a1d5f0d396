//! What the engines of a program come to, kept while they evaluate it thousands of times. A node is known by where it
//! lies in memory, and not by the file and position that Rhai says: its file is wrong where a closure is called by
//! another file. Whatever is evaluated, it must cost next to nothing and change nothing.

use crate::script::compile::blocks::{FileBlocks, NodeId};
use crate::script::compile::reached::Reached;
use crate::script::compile::scanner::{At, at};
use rhai::debugger::DebuggerCommand;
use rhai::{AST, ASTNode, Engine};
use std::cell::Cell;
use std::rc::Rc;

/// The statements of a program and which of them were come to. It is good only as long as the trees stay where they
/// are.
pub(crate) struct Footprints {
    files: Vec<String>,
    /// Where each statement is: the number of its file, and where it begins.
    statements: Vec<(usize, At)>,
    by_node: NodeTable,
    /// By the number of the statement.
    reached: Box<[Cell<bool>]>,
}

impl Footprints {
    /// Nothing was come to yet in these files.
    pub(crate) fn of<'a>(files: impl Iterator<Item = (&'a str, &'a AST)>) -> Self {
        let (mut names, mut statements, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (file, ast)) in files.enumerate() {
            names.push(file.to_owned());
            let blocks = FileBlocks::of(ast);
            for block in blocks.functions.iter().map(|function| &function.block).chain([&blocks.own]) {
                block.each(&mut |statement| {
                    nodes.push(statement.first);
                    statements.push((number, at(statement.at)));
                });
            }
        }
        let reached = statements.iter().map(|_| Cell::new(false)).collect();
        Self { files: names, by_node: NodeTable::of(&nodes), statements, reached }
    }

    /// A node is about to be evaluated.
    pub(crate) fn tread(&self, node: &ASTNode<'_>) {
        let statement = NodeId::of(node).and_then(|id| self.by_node.find(id));
        if let Some(reached) = statement.and_then(|number| self.reached.get(number)) {
            reached.set(true);
        }
    }

    /// Keeps what scripts of this engine come to. It takes the one place that an engine has for somebody who looks on.
    #[allow(deprecated, reason = "marked as open to change, not as bad; Rhai's version is pinned")]
    pub(crate) fn watch(self: &Rc<Self>, engine: &mut Engine) {
        let footprints = Rc::clone(self);
        engine.register_debugger(
            |_, debugger| debugger,
            move |_, _, node, _, _| {
                footprints.tread(&node);
                Ok(DebuggerCommand::StepInto)
            },
        );
    }

    /// What was come to so far.
    pub(crate) fn reached(&self) -> Reached {
        let mut reached = Reached::default();
        for ((file, at), _) in self.statements.iter().zip(&self.reached).filter(|(_, reached)| reached.get()) {
            reached.add(&self.files[*file], *at);
        }
        reached
    }
}

/// Numbers by nodes. Half of it is empty, so that a look finds what it wants at once, or that it is not there.
struct NodeTable {
    /// A node that is none has the address 0.
    slots: Box<[(usize, usize)]>,
}

impl NodeTable {
    /// The nodes with their places in this list.
    fn of(nodes: &[NodeId]) -> Self {
        let size = (nodes.len() * 2).next_power_of_two().max(2);
        let mut table = Self { slots: vec![(0, 0); size].into() };
        for (number, NodeId(address)) in nodes.iter().enumerate() {
            let mut slot = table.begin(*address);
            while table.slots[slot].0 != 0 && table.slots[slot].0 != *address {
                slot = (slot + 1) & (size - 1);
            }
            table.slots[slot] = (*address, number);
        }
        table
    }

    fn find(&self, NodeId(address): NodeId) -> Option<usize> {
        let mut slot = self.begin(address);
        loop {
            match self.slots[slot] {
                (0, _) => return None,
                (known, number) if known == address => return Some(number),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// Where the search for an address begins. Those of one block lie at equal distances: their bits are mixed.
    fn begin(&self, address: usize) -> usize {
        let mixed = (address >> 3).wrapping_mul(0x9E37_79B9);
        (mixed >> 12) & (self.slots.len() - 1)
    }
}
