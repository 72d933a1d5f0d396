//! Reading syntax trees without running them: imports, calls, literals. It must not judge what it finds.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use rhai::{AST, ASTNode, Dynamic, Expr, FnCallExpr, FnPtr, Map, Position, Stmt, StmtBlock};
use std::collections::{BTreeMap, BTreeSet};

/// One `import`.
pub(crate) struct Import {
    /// The name, if it is written out.
    pub(crate) name: Option<String>,
    /// What the file calls it; empty without `as`.
    pub(crate) alias: String,
    /// Where the name stands.
    pub(crate) position: Position,
}

/// All imports of a tree, in order.
pub(crate) fn imports(ast: &AST) -> Vec<Import> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last() {
            let (expr, alias) = &**import;
            let name = literal(expr).and_then(|value| value.into_immutable_string().ok()).map(|name| name.to_string());
            found.push(Import { name, alias: alias.name.to_string(), position: expr.position() });
        }
        true
    });
    found
}

/// One call of a function.
pub(crate) struct CallSite<'a> {
    /// The function's name.
    pub(crate) name: &'a str,
    /// The module it is looked up in, as this file calls it.
    pub(crate) namespace: Option<&'a str>,
    /// Its arguments; without the object of a method call.
    pub(crate) args: &'a [Expr],
    /// Where it stands.
    pub(crate) position: Position,
    /// Whether it is written `object.name(…)`: the object is one argument more.
    pub(crate) method: bool,
}

impl CallSite<'_> {
    /// How many arguments the function gets.
    pub(crate) fn arity(&self) -> usize {
        self.args.len() + usize::from(self.method)
    }
}

/// The call that a node is, unless it is an operator.
pub(crate) fn call_site<'a>(node: &'a ASTNode<'_>) -> Option<CallSite<'a>> {
    let (call, position, method): (&FnCallExpr, Position, bool) = match node {
        ASTNode::Expr(Expr::FnCall(call, position)) => (call, *position, false),
        ASTNode::Stmt(Stmt::FnCall(call, position)) => (call, *position, false),
        ASTNode::Expr(Expr::MethodCall(call, position)) => (call, *position, true),
        _ => return None,
    };
    if call.op_token.is_some() {
        return None;
    }
    let namespace = (!call.namespace.is_empty()).then(|| call.namespace.root());
    Some(CallSite { name: &call.name, namespace, args: &call.args, position, method })
}

/// The function of no module that an expression calls, and the object where it is written behind a dot.
pub(crate) fn called(expr: &Expr) -> Option<(&FnCallExpr, Option<&Expr>)> {
    let (call, object) = match expr {
        Expr::FnCall(call, _) => (call, None),
        Expr::Dot(parts, ..) => match &parts.rhs {
            Expr::MethodCall(call, _) => (call, Some(&parts.lhs)),
            _ => return None,
        },
        _ => return None,
    };
    (call.op_token.is_none() && call.namespace.is_empty()).then_some((&**call, object))
}

/// Which variables of a `for` each closure captures, by the name Rhai gives the closure: their places among all it
/// captures. Rhai has one such variable for all rounds.
pub(crate) fn captured_in_rounds(ast: &AST) -> BTreeMap<String, BTreeSet<usize>> {
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    ast.walk(&mut |path| {
        let Some(site) = capture(path) else { return true };
        let Some((closure, captured)) = site.args.split_first() else { return true };
        let Some(closure) = literal(closure).and_then(|value| value.try_cast::<FnPtr>()) else { return true };
        for (index, variable) in captured.iter().enumerate() {
            if let Expr::Variable(variable, ..) = variable
                && is_of_rounds(path, &variable.1, site.position)
            {
                found.entry(closure.fn_name().to_owned()).or_default().insert(index);
            }
        }
        true
    });
    found
}

/// What the closure at the end of this path captures, if one that captures anything ends it: Rhai writes a `curry` for
/// it. A `curry` that somebody has written copies what it is given.
pub(crate) fn capture<'a>(path: &'a [ASTNode<'_>]) -> Option<CallSite<'a>> {
    let site = path.last().and_then(call_site).filter(|site| site.name == "curry" && !site.method)?;
    let block = path.iter().rev().find_map(|node| blocks(node).into_iter().next())?;
    matches!(block.statements().first(), Some(Stmt::Share(_))).then_some(site)
}

/// What stands around the closure that ends this path.
pub(crate) fn around_capture<'a, 'n>(path: &'a [ASTNode<'n>]) -> &'a [ASTNode<'n>] {
    let at = path.iter().rposition(|node| !blocks(node).is_empty());
    &path[..at.unwrap_or_default()]
}

/// Whether a variable that is captured at the end of this path belongs to a `for` around, and to no `let` in it.
pub(crate) fn is_of_rounds(path: &[ASTNode<'_>], name: &str, at: Position) -> bool {
    round_of(path, name, at).is_some()
}

/// The body of that `for`.
pub(crate) fn round_of<'a>(path: &'a [ASTNode<'_>], name: &str, at: Position) -> Option<&'a StmtBlock> {
    for node in path.iter().rev() {
        if blocks(node).into_iter().any(|block| declares(block, name, at)) {
            return None;
        }
        if let ASTNode::Stmt(Stmt::For(parts, _)) = node {
            let counter = parts.1.as_ref().is_some_and(|counter| counter.name == name);
            if parts.0.name == name || counter {
                return Some(&parts.2.body);
            }
        }
    }
    None
}

/// Whether a variable that is captured at the end of this path is declared outside a loop around and changed in it.
pub(crate) fn changes_in_rounds(path: &[ASTNode<'_>], name: &str, at: Position) -> bool {
    for node in path.iter().rev() {
        if blocks(node).into_iter().any(|block| declares(block, name, at)) {
            return false;
        }
        let body = match node {
            ASTNode::Stmt(Stmt::For(parts, _)) => &parts.2.body,
            ASTNode::Stmt(Stmt::While(flow, _) | Stmt::Do(flow, ..)) => &flow.body,
            _ => continue,
        };
        if body.statements().iter().any(|stmt| assigns(stmt, name)) {
            return true;
        }
    }
    false
}

/// Whether a statement, or one in it, gives the variable another value.
fn assigns(stmt: &Stmt, name: &str) -> bool {
    let mut found = false;
    stmt.walk(&mut Vec::new(), &mut |path| {
        if let Some(ASTNode::Stmt(Stmt::Assignment(parts))) = path.last() {
            found |= matches!(&parts.1.lhs, Expr::Variable(variable, ..) if variable.1 == name);
        }
        !found
    });
    found
}

/// Whether a loop of the file works on `this`.
pub(crate) fn this_in_loops(ast: &AST) -> bool {
    let mut found = false;
    ast.walk(&mut |path| {
        let is_this = matches!(path.last(), Some(ASTNode::Expr(Expr::ThisPtr(_))));
        let is_loop =
            |node: &ASTNode<'_>| matches!(node, ASTNode::Stmt(Stmt::For(..) | Stmt::While(..) | Stmt::Do(..)));
        found |= is_this && path.iter().any(is_loop);
        !found
    });
    found
}

/// The blocks that a node consists of.
pub(crate) fn blocks<'a>(node: &'a ASTNode<'_>) -> Vec<&'a StmtBlock> {
    match node {
        ASTNode::Stmt(Stmt::Block(block)) => vec![block],
        ASTNode::Expr(Expr::Stmt(block)) => vec![block],
        ASTNode::Stmt(Stmt::For(parts, _)) => vec![&parts.2.body],
        ASTNode::Stmt(Stmt::If(flow, _) | Stmt::TryCatch(flow, _)) => vec![&flow.body, &flow.branch],
        ASTNode::Stmt(Stmt::While(flow, _) | Stmt::Do(flow, ..)) => vec![&flow.body],
        _ => Vec::new(),
    }
}

/// Whether a block around this place declares the variable before it.
fn declares(block: &StmtBlock, name: &str, at: Position) -> bool {
    let (from, to) = (block.position(), block.end_position());
    let around = from <= at && (to.is_none() || at <= to);
    let declares = |stmt: &Stmt| matches!(stmt, Stmt::Var(parts, _, place) if parts.0.name == name && *place < at);
    around && block.statements().iter().any(declares)
}

/// The keys of maps that are written in a tree, and those that are read with a dot.
pub(crate) fn keys(ast: &AST) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Map(parts, _))) => {
                found.extend(parts.0.iter().map(|(key, _)| key.name.to_string()))
            }
            Some(ASTNode::Expr(Expr::Property(property, _))) => {
                found.insert(property.2.to_string());
            }
            _ => {}
        }
        true
    });
    found
}

/// Whether an expression reads this with a dot.
pub(crate) fn reads_property(expr: &Expr, name: &str) -> bool {
    let mut found = false;
    expr.walk(&mut Vec::new(), &mut |path| {
        found |= matches!(path.last(), Some(ASTNode::Expr(Expr::Property(property, _))) if property.2 == name);
        !found
    });
    found
}

/// The object of the method call at the end of this path, unless that is what another method gives.
pub(crate) fn object<'a>(path: &'a [ASTNode<'_>]) -> Option<&'a Expr> {
    let [.., around, ASTNode::Expr(call)] = path else { return None };
    match around {
        ASTNode::Expr(Expr::Dot(parts, ..)) if std::ptr::eq(&parts.rhs, *call) => chain_begin(&path[..path.len() - 1]),
        ASTNode::Expr(Expr::Dot(parts, ..)) if std::ptr::eq(&parts.lhs, *call) => {
            let [.., ASTNode::Expr(Expr::Dot(outer, ..)), ASTNode::Expr(inner), _] = path else { return None };
            (std::ptr::eq(&outer.rhs, *inner)).then(|| chain_begin(&path[..path.len() - 2])).flatten()
        }
        _ => None,
    }
}

/// What stands before the dot that ends this path, unless that is itself behind a dot.
fn chain_begin<'a>(path: &'a [ASTNode<'_>]) -> Option<&'a Expr> {
    let Some(ASTNode::Expr(dot @ Expr::Dot(parts, ..))) = path.last() else { return None };
    let behind = match path.iter().rev().nth(1) {
        Some(ASTNode::Expr(Expr::Dot(outer, ..) | Expr::Index(outer, ..))) => std::ptr::eq(&outer.rhs, *dot),
        _ => false,
    };
    (!behind).then_some(&parts.lhs)
}

/// The value of an expression that is written out.
pub(crate) fn literal(expr: &Expr) -> Option<Dynamic> {
    expr.get_literal_value(None)
}

/// The text of an expression that is written out as text.
pub(crate) fn literal_text(expr: &Expr) -> Option<String> {
    literal(expr).and_then(|value| value.into_immutable_string().ok()).map(|text| text.to_string())
}

/// What is written out of a text that is put together, with `…` in place of the rest.
pub(crate) fn template_text(expr: &Expr) -> String {
    let parts: &[Expr] = match expr {
        Expr::InterpolatedString(parts, _) => parts,
        Expr::FnCall(call, _) if call.name == "+" => &call.args,
        _ => return literal_text(expr).unwrap_or_else(|| "…".to_owned()),
    };
    parts.iter().map(template_text).collect::<String>().replace("……", "…")
}

/// The first text of a list, if it is written out; the others need not be.
pub(crate) fn first_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Array(items, _) => items.first().and_then(literal_text),
        Expr::DynamicConstant(value, _) => {
            let items = value.read_lock::<rhai::Array>()?;
            items.first()?.clone().into_immutable_string().ok().map(|text| text.to_string())
        }
        _ => None,
    }
}

/// The entries of a map that is written out, each with its value if that is written out as well.
pub(crate) fn map_entries(expr: &Expr) -> Option<Vec<(String, Option<Dynamic>, Position)>> {
    match expr {
        Expr::Map(parts, _) => {
            Some(parts.0.iter().map(|(key, value)| (key.name.to_string(), literal(value), key.pos)).collect())
        }
        Expr::DynamicConstant(value, position) => {
            let map = value.read_lock::<Map>()?;
            Some(map.iter().map(|(key, value)| (key.to_string(), Some(value.clone()), *position)).collect())
        }
        _ => None,
    }
}

/// Whether an expression is a closure that is written out.
pub(crate) fn is_closure(expr: &Expr) -> bool {
    closure_literal(expr).is_some()
}

/// The function of a closure that is written out, and how many of what it takes it has captured.
pub(crate) fn closure_literal(expr: &Expr) -> Option<(String, usize)> {
    let (function, captured) = match expr {
        Expr::Stmt(block) => match block.statements() {
            [Stmt::Share(_), Stmt::Expr(inner)] => match &**inner {
                Expr::FnCall(call, _) => (call.args.first()?, call.args.len().saturating_sub(1)),
                _ => return None,
            },
            [Stmt::Share(_), Stmt::FnCall(call, _)] => (call.args.first()?, call.args.len().saturating_sub(1)),
            _ => return None,
        },
        other => (other, 0),
    };
    let function: Dynamic = literal(function)?;
    Some((function.try_cast::<FnPtr>()?.fn_name().to_owned(), captured))
}

/// What the names of closures begin with.
pub(crate) const CLOSURE: &str = "anon$";
