//! A file as what can be carried out of it: statements, the blocks in them, the statements in those. Closures are in
//! the statement that makes them. It reads syntax trees; what was carried out, or should be, it does not know.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::script::compile::tree::CLOSURE;
use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, Stmt, StmtBlock};
use std::collections::BTreeMap;

/// What a file consists of.
pub(crate) struct FileBlocks {
    /// What stands outside of all functions.
    pub(crate) own: StatementBlock,
    /// Its functions, in the order in which they stand.
    pub(crate) functions: Vec<FunctionBlock>,
}

/// A function of a file.
pub(crate) struct FunctionBlock {
    /// What it is called.
    pub(crate) name: String,
    /// How many arguments it takes.
    pub(crate) arity: usize,
    /// What it does.
    pub(crate) block: StatementBlock,
}

/// Statements of which one follows the other. None has no statements but bodies of functions and closures.
pub(crate) struct StatementBlock {
    /// What makes it one.
    pub(crate) kind: BlockKind,
    /// Where it begins.
    pub(crate) at: Position,
    /// What it does.
    pub(crate) statements: Vec<Statement>,
}

/// What makes something a block.
pub(crate) enum BlockKind {
    /// A file does, with what stands outside of all functions.
    File,
    /// A function of this name.
    Function(String),
    /// A closure: the name Rhai gives it.
    Closure(String),
    /// `if`.
    Then,
    /// `else`.
    Else,
    /// An arm of a `switch`, which may be no more than an expression.
    Arm,
    /// `catch`.
    Catch,
    /// `for`, `while`, `loop`, `do`.
    Loop,
    /// Braces, those of `try` among them.
    Braces,
}

/// One statement. `fn`, `import` and `export` are none: nothing is done when they are come to.
pub(crate) struct Statement {
    /// Where it begins. No other one of its file does, unless both are always come to together.
    pub(crate) at: Position,
    /// Which node of the tree is evaluated first when it is come to.
    pub(crate) first: NodeId,
    /// The blocks in it, but not those in these.
    pub(crate) blocks: Vec<StatementBlock>,
    /// The functions that it calls or names, but not those that only its blocks do.
    pub(crate) mentions: Vec<Mention>,
}

/// A function that is called or named.
pub(crate) struct Mention {
    /// The modules it is looked up in, one in the other, as the file calls them.
    pub(crate) namespace: Vec<String>,
    /// Its name.
    pub(crate) name: String,
    /// With how many arguments, from and to; unknown where it is only named.
    pub(crate) arity: Option<(usize, usize)>,
}

/// Which node of a program's trees one is: where it lies in memory. It lies there as long as the program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) usize);

impl NodeId {
    /// Of this node.
    pub(crate) fn of(node: &ASTNode<'_>) -> Option<Self> {
        match node {
            ASTNode::Stmt(stmt) => Some(Self(std::ptr::from_ref::<Stmt>(stmt).addr())),
            ASTNode::Expr(expr) => Some(Self(std::ptr::from_ref::<Expr>(expr).addr())),
            _ => None,
        }
    }
}

impl FileBlocks {
    /// Those of this tree.
    pub(crate) fn of(ast: &AST) -> Self {
        let bodies: Vec<FunctionPart> = ast.iter_fn_def().map(|function| FunctionPart::of(function)).collect();
        let mut statements: Vec<Vec<Statement>> = bodies.iter().map(|_| Vec::new()).collect();
        // First comes what stands outside of functions.
        let (mut own, mut outside) = (Vec::new(), ast.statements().len());
        ast.walk(&mut |path| {
            let [ASTNode::Stmt(stmt)] = path else { return true };
            if outside > 0 {
                outside -= 1;
                own.extend(Statement::of(stmt));
            } else if let Some(index) = innermost(&bodies, stmt.position()) {
                statements[index].extend(Statement::of(stmt));
            }
            true
        });
        let (mut functions, mut closures) = (Vec::new(), BTreeMap::new());
        for (FunctionPart { name, arity, from, .. }, statements) in bodies.into_iter().zip(statements) {
            if name.starts_with(CLOSURE) {
                closures.insert(name, statements);
            } else {
                let block = StatementBlock { kind: BlockKind::Function(name.clone()), at: from, statements };
                functions.push(FunctionBlock { name, arity, block });
            }
        }
        let at = own.first().map_or(Position::NONE, |statement: &Statement| statement.at);
        let mut own = StatementBlock { kind: BlockKind::File, at, statements: own };
        own.take_in(&mut closures);
        functions.iter_mut().for_each(|function| function.block.take_in(&mut closures));
        functions.sort_by_key(|function| function.block.at);
        Self { own, functions }
    }
}

/// A function or a closure before it is known where it belongs.
struct FunctionPart {
    name: String,
    arity: usize,
    from: Position,
    to: Position,
}

impl FunctionPart {
    fn of(function: &rhai::ScriptFuncDef) -> Self {
        Self {
            name: function.name.to_string(),
            arity: function.params.len(),
            from: function.body.start_position(),
            to: function.body.end_position(),
        }
    }

    /// A closure without braces has no end, and only one statement.
    fn has(&self, at: Position) -> bool {
        self.from <= at && (at <= self.to || self.to.is_none() && at == self.from)
    }
}

/// The body that a place stands in; of those around each other the inner one.
fn innermost(bodies: &[FunctionPart], at: Position) -> Option<usize> {
    let around = bodies.iter().enumerate().filter(|(_, body)| body.has(at));
    around.max_by_key(|(_, body)| body.from).map(|(index, _)| index)
}

impl StatementBlock {
    /// The block of this kind, unless there is nothing in it.
    fn of(kind: BlockKind, block: &StmtBlock) -> Option<Self> {
        let statements: Vec<Statement> = block.statements().iter().filter_map(Statement::of).collect();
        let first = statements.first()?.at;
        // Without braces, as in `else if`, it begins where its statement does.
        let at = if block.end_position().is_none() { first } else { block.position() };
        Some(Self { kind, at, statements })
    }

    /// Puts closures where they are made: Rhai keeps them as functions of the file.
    fn take_in(&mut self, closures: &mut BTreeMap<String, Vec<Statement>>) {
        if let BlockKind::Closure(name) = &self.kind {
            self.statements = closures.remove(name).unwrap_or_default();
        }
        for block in self.statements.iter_mut().flat_map(|statement| &mut statement.blocks) {
            block.take_in(closures);
        }
    }

    /// Calls `look` with every statement in it, however deep.
    pub(crate) fn each(&self, look: &mut impl FnMut(&Statement)) {
        for statement in &self.statements {
            look(statement);
            statement.each(look);
        }
    }
}

impl Statement {
    fn of(stmt: &Stmt) -> Option<Self> {
        let nothing_to_do = match stmt {
            Stmt::Noop(_) | Stmt::Share(_) | Stmt::Import(..) | Stmt::Export(..) => true,
            Stmt::Block(block) => block.is_empty(),
            _ => false,
        };
        let first = first_node(stmt).filter(|_| !nothing_to_do)?;
        let mut inside = Inside::default();
        inside.stmt(stmt);
        Some(Self { at: begin_of_stmt(stmt), first, blocks: inside.blocks, mentions: inside.mentions })
    }

    /// Calls `look` with every statement in the blocks of this one, however deep.
    pub(crate) fn each(&self, look: &mut impl FnMut(&Self)) {
        self.blocks.iter().for_each(|block| block.each(look));
    }

    fn of_expr(expr: &Expr) -> Option<Self> {
        let mut inside = Inside::default();
        inside.expr(expr);
        let (at, first) = (begin_of_expr(expr), first_node_of_expr(expr)?);
        Some(Self { at, first, blocks: inside.blocks, mentions: inside.mentions })
    }
}

/// What is found in a statement.
#[derive(Default)]
struct Inside {
    blocks: Vec<StatementBlock>,
    mentions: Vec<Mention>,
}

impl Inside {
    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::If(flow, _) => {
                self.expr(&flow.expr);
                self.block(BlockKind::Then, &flow.body);
                self.block(BlockKind::Else, &flow.branch);
            }
            Stmt::Switch(parts, _) => {
                self.expr(&parts.0);
                for arm in &parts.1.expressions {
                    self.expr(&arm.lhs);
                    self.arm(&arm.rhs);
                }
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.expr(&flow.expr);
                self.block(BlockKind::Loop, &flow.body);
            }
            Stmt::For(parts, _) => {
                self.expr(&parts.2.expr);
                self.block(BlockKind::Loop, &parts.2.body);
            }
            Stmt::TryCatch(flow, _) => {
                self.block(BlockKind::Braces, &flow.body);
                self.block(BlockKind::Catch, &flow.branch);
            }
            Stmt::Block(block) => self.block(BlockKind::Braces, block),
            Stmt::Var(parts, ..) => self.expr(&parts.1),
            Stmt::Assignment(parts) => {
                self.expr(&parts.1.lhs);
                self.expr(&parts.1.rhs);
            }
            Stmt::FnCall(call, _) => self.call(call, false),
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::BreakLoop(Some(expr), ..) | Stmt::Return(Some(expr), ..) => self.expr(expr),
            _ => {}
        }
    }

    fn block(&mut self, kind: BlockKind, block: &StmtBlock) {
        self.blocks.extend(StatementBlock::of(kind, block));
    }

    fn arm(&mut self, expr: &Expr) {
        match expr {
            Expr::Stmt(block) => self.block(BlockKind::Arm, block),
            other => {
                let statement = Statement::of_expr(other);
                let block = |one: Statement| StatementBlock { kind: BlockKind::Arm, at: one.at, statements: vec![one] };
                self.blocks.extend(statement.map(block));
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::DynamicConstant(value, position) => {
                let Some(name) = value.read_lock::<FnPtr>().map(|function| function.fn_name().to_owned()) else {
                    return;
                };
                if name.starts_with(CLOSURE) {
                    let kind = BlockKind::Closure(name);
                    self.blocks.push(StatementBlock { kind, at: *position, statements: Vec::new() });
                } else {
                    self.named(Vec::new(), name);
                }
            }
            // Values in texts and expressions such as `if` are blocks of one statement: to come to it is to come to
            // them.
            Expr::Stmt(block) => {
                let written = |stmt: &&Stmt| !matches!(stmt, Stmt::Noop(_) | Stmt::Share(_));
                match block.statements().iter().filter(written).collect::<Vec<_>>().as_slice() {
                    [only] => self.stmt(only),
                    _ => self.block(BlockKind::Braces, block),
                }
            }
            Expr::InterpolatedString(parts, _) => parts.iter().for_each(|part| self.expr(part)),
            Expr::Array(parts, _) => parts.iter().for_each(|part| self.expr(part)),
            Expr::Map(parts, _) => parts.0.iter().for_each(|(_, part)| self.expr(part)),
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
                parts.iter().for_each(|part| self.expr(part));
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.expr(&parts.lhs);
                self.expr(&parts.rhs);
            }
            Expr::FnCall(call, _) => self.call(call, false),
            Expr::MethodCall(call, _) => self.call(call, true),
            Expr::Variable(variable, ..) => {
                let namespace = variable.2.path.iter().map(|part| part.name.to_string()).collect();
                self.named(namespace, variable.1.to_string());
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, method: bool) {
        call.args.iter().for_each(|arg| self.expr(arg));
        if call.op_token.is_some() {
            return;
        }
        if let ("Fn", Some(Expr::StringConstant(name, _))) = (call.name.as_str(), call.args.first()) {
            self.named(Vec::new(), name.to_string());
        }
        let namespace = call.namespace.path.iter().map(|part| part.name.to_string()).collect();
        let (name, args) = (call.name.to_string(), call.args.len());
        // A function may take the object of a method call as `this` or as its first argument.
        self.mentions.push(Mention { namespace, name, arity: Some((args, args + usize::from(method))) });
    }

    fn named(&mut self, namespace: Vec<String>, name: String) {
        self.mentions.push(Mention { namespace, name, arity: None });
    }
}

/// The first node of which a debugger hears when a statement is carried out: of those that only hold others it does
/// not.
fn first_node(stmt: &Stmt) -> Option<NodeId> {
    match stmt {
        Stmt::Expr(expr) => first_node_of_expr(expr),
        other => NodeId::of(&other.into()),
    }
}

fn first_node_of_expr(expr: &Expr) -> Option<NodeId> {
    match expr {
        Expr::Stmt(block) => block.statements().first().and_then(first_node),
        other => NodeId::of(&other.into()),
    }
}

/// Where a statement begins: Rhai says where its sign is, as `=`.
fn begin_of_stmt(stmt: &Stmt) -> Position {
    match stmt {
        Stmt::Expr(expr) => begin_of_expr(expr),
        Stmt::Assignment(parts) => begin_of_expr(&parts.1.lhs),
        Stmt::FnCall(call, position) => earlier(begin_of_name(call), *position),
        other => other.position(),
    }
}

fn begin_of_expr(expr: &Expr) -> Position {
    let inner = match expr {
        Expr::FnCall(call, _) if call.op_token.is_some() => call.args.first().map(begin_of_expr),
        Expr::FnCall(call, _) => Some(begin_of_name(call)),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => Some(begin_of_expr(&parts.lhs)),
        Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => parts.first().map(begin_of_expr),
        Expr::Stmt(block) if block.end_position().is_none() => block.statements().last().map(begin_of_stmt),
        _ => None,
    };
    earlier(inner.unwrap_or(Position::NONE), expr.start_position())
}

/// Where the module of a function is named, if one is.
fn begin_of_name(call: &FnCallExpr) -> Position {
    if call.namespace.is_empty() { Position::NONE } else { call.namespace.position() }
}

fn earlier(one: Position, other: Position) -> Position {
    if one.is_none() || !other.is_none() && other < one { other } else { one }
}
