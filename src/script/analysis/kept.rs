//! What becomes of a closure that is made in the round of a loop: whether it can outlive its round, and would then see
//! what the rounds share as the last one left it. It reads syntax trees, and knows nothing of what closures are for.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::script::analysis::scopes::Scopes;
use crate::script::compile::tree::{self, CallSite};
use crate::script::primitives;
use rhai::{AST, ASTNode, Expr, Position, Stmt, StmtBlock};

/// What becomes of a closure, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ClosureFate {
    /// It is called at once; or a primitive keeps it, with what it has captured as it is in this round.
    CalledAtOnce,
    /// Nobody can tell from here.
    Unknown,
    /// It is put into something that outlives the loop, and that nothing else in the loop touches.
    Collected,
}

/// A variable that a closure keeps and that its round shares with the others.
pub(crate) struct Shared {
    /// Its name.
    pub(crate) name: String,
    /// Where it is used.
    pub(crate) position: Position,
    /// Whether the closure is certain to see the last one.
    pub(crate) certain: bool,
}

/// Functions of the language that call a closure at once and do not keep it.
const CALLED_AT_ONCE: [&str; 13] = [
    "map",
    "filter",
    "for_each",
    "find",
    "find_map",
    "index_of",
    "some",
    "all",
    "reduce",
    "reduce_rev",
    "sort",
    "retain",
    "call",
];
/// Methods that put a closure into a list or a map.
const COLLECT: [&str; 3] = ["push", "insert", "set"];

/// What is shared that the closure at the end of this path keeps past its round, or may keep.
pub(crate) fn shared(ast: &AST, path: &[ASTNode<'_>]) -> Vec<Shared> {
    let Some(site) = tree::capture(path) else { return Vec::new() };
    let mut found = Vec::new();
    for arg in site.args {
        let Expr::Variable(variable, _, position) = arg else { continue };
        let name = variable.1.as_str();
        let round = tree::round_of(path, name, site.position);
        let changed = || tree::changes_in_rounds(path, name, site.position);
        if round.is_none() && !changed() {
            continue;
        }
        let certain = match (fate(ast, path, round), round) {
            (ClosureFate::CalledAtOnce, _) => continue,
            (ClosureFate::Collected, Some(_)) => true,
            (ClosureFate::Unknown, _) | (ClosureFate::Collected, None) => false,
        };
        found.push(Shared { name: name.to_owned(), position: *position, certain });
    }
    found
}

/// What an obligation at the end of this path keeps as it is now, although the script sets it later: each variable with
/// the place where that is done. One that is still `()` is looked up when the obligation is met.
pub(crate) fn set_later(ast: &AST, scopes: &Scopes, path: &[ASTNode<'_>]) -> Vec<(String, Position)> {
    let Some(site) = tree::capture(path).filter(|_| is_owed(ast, tree::around_capture(path))) else {
        return Vec::new();
    };
    let scope = scopes.at(site.position);
    let mut found = Vec::new();
    for arg in site.args {
        let Expr::Variable(variable, ..) = arg else { continue };
        let name = variable.1.as_str();
        // Each round owes its own.
        if tree::changes_in_rounds(path, name, site.position) {
            continue;
        }
        let (mut is_empty, mut set) = (false, None);
        ast.walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(parts, _, at))) if parts.0.name == name && scopes.at(*at) == scope => {
                    is_empty |= *at < site.position && matches!(parts.1, Expr::Unit(_));
                }
                Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                    let at = parts.1.lhs.start_position();
                    let is_it = root(&parts.1.lhs).is_some_and(|root| root == name) && scopes.at(at) == scope;
                    set = set.or((is_it && site.position < at).then_some(at));
                }
                _ => {}
            }
            true
        });
        found.extend(set.filter(|_| !is_empty).map(|at| (name.to_owned(), at)));
    }
    found
}

/// Whether the closure that stands in the last of these nodes is owed.
fn is_owed(ast: &AST, around: &[ASTNode<'_>]) -> bool {
    let holds = |node: &&ASTNode<'_>| !matches!(node, ASTNode::Expr(Expr::Map(..) | Expr::Array(..)));
    let call = around.iter().rev().find(holds).and_then(tree::call_site);
    call.is_some_and(|call| {
        let own = call.namespace.is_some() || ast.iter_functions().any(|function| function.name == call.name);
        call.name == "ensure" && !own
    })
}

/// The variable that an expression is, or is a part of.
fn root(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(variable, ..) => Some(variable.1.as_str()),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => root(&parts.lhs),
        _ => None,
    }
}

/// What becomes of the closure at the end of this path.
fn fate(ast: &AST, path: &[ASTNode<'_>], round: Option<&StmtBlock>) -> ClosureFate {
    let around = tree::around_capture(path);
    let held = match around {
        [.., node, ASTNode::Stmt(Stmt::Var(parts, ..))] => Some((parts.0.name.as_str(), tree::blocks(node))),
        [.., ASTNode::Stmt(Stmt::For(parts, _)), ASTNode::Expr(Expr::Array(..))] => {
            Some((parts.0.name.as_str(), vec![&parts.2.body]))
        }
        _ => None,
    };
    match held {
        Some((_, blocks)) if blocks.is_empty() => ClosureFate::Unknown,
        Some((name, blocks)) => {
            uses(&blocks, name, |path| of_use(ast, path)).max().unwrap_or(ClosureFate::CalledAtOnce)
        }
        None if round.is_some_and(|round| is_collected(around, round)) => ClosureFate::Collected,
        None => handed(ast, around),
    }
}

/// What each use of a variable in these blocks comes to.
fn uses<T>(blocks: &[&StmtBlock], name: &str, mut judge: impl FnMut(&[ASTNode<'_>]) -> T) -> std::vec::IntoIter<T> {
    let mut found = Vec::new();
    for stmt in blocks.iter().flat_map(|block| block.statements()) {
        stmt.walk(&mut Vec::new(), &mut |path| {
            if matches!(path.last(), Some(ASTNode::Expr(Expr::Variable(variable, ..))) if variable.1 == name) {
                found.push(judge(path));
            }
            true
        });
    }
    found.into_iter()
}

/// What becomes of a closure where the variable that holds it is used.
fn of_use(ast: &AST, path: &[ASTNode<'_>]) -> ClosureFate {
    let around = &path[..path.len().saturating_sub(1)];
    if around.last().and_then(tree::call_site).is_none_or(|site| site.name != "curry") {
        // `u.call()` has it as its object; anything else as an argument, or in a map that is one.
        let is_object = |parts: &rhai::BinaryExpr| is_same(&parts.lhs, path);
        return match around.last() {
            Some(ASTNode::Expr(Expr::Dot(parts, ..))) if is_object(parts) => called(&parts.rhs),
            _ => handed(ast, around),
        };
    }
    match tree::capture(around) {
        // Another closure holds it: what becomes of that one.
        Some(_) if handed(ast, tree::around_capture(around)) == ClosureFate::CalledAtOnce => ClosureFate::CalledAtOnce,
        Some(_) | None => ClosureFate::Unknown,
    }
}

fn is_same(expr: &Expr, path: &[ASTNode<'_>]) -> bool {
    matches!(path.last(), Some(ASTNode::Expr(last)) if std::ptr::eq(*last, expr))
}

/// What becomes of a closure of which this is asked behind a dot.
fn called(behind: &Expr) -> ClosureFate {
    match behind {
        Expr::MethodCall(call, _) if call.name == "call" => ClosureFate::CalledAtOnce,
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => called(&parts.lhs),
        _ => ClosureFate::Unknown,
    }
}

/// What becomes of a closure that stands in the last of these nodes, in a call or not.
fn handed(ast: &AST, around: &[ASTNode<'_>]) -> ClosureFate {
    for node in around.iter().rev() {
        match node {
            ASTNode::Expr(Expr::Map(..) | Expr::Array(..)) => {}
            ASTNode::Expr(Expr::Dot(parts, ..)) if matches!(parts.lhs, Expr::Stmt(_)) => return called(&parts.rhs),
            _ => return tree::call_site(node).map_or(ClosureFate::Unknown, |call| of_call(ast, &call)),
        }
    }
    ClosureFate::Unknown
}

/// What becomes of a closure that is handed to this call.
fn of_call(ast: &AST, call: &CallSite<'_>) -> ClosureFate {
    let own = call.namespace.is_some() || ast.iter_functions().any(|function| function.name == call.name);
    match call.name {
        _ if own => ClosureFate::Unknown,
        name if CALLED_AT_ONCE.contains(&name) || primitives::find(name).is_some() => ClosureFate::CalledAtOnce,
        _ => ClosureFate::Unknown,
    }
}

/// Whether a closure is put into something that was there before the loop, in each of the rounds, and nothing else in
/// the loop touches.
fn is_collected(around: &[ASTNode<'_>], round: &StmtBlock) -> bool {
    let holder = match around {
        [.., ASTNode::Expr(Expr::Dot(parts, ..)), ASTNode::Expr(Expr::MethodCall(call, _))]
            if COLLECT.contains(&call.name.as_str()) =>
        {
            &parts.lhs
        }
        [.., ASTNode::Stmt(Stmt::Assignment(parts))] => match &parts.1.lhs {
            Expr::Index(place, ..) => &place.lhs,
            _ => return false,
        },
        _ => return false,
    };
    let Expr::Variable(holder, ..) = holder else { return false };
    let (mut declared, mut leaves) = (false, false);
    for stmt in round.statements() {
        stmt.walk(&mut Vec::new(), &mut |path| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(parts, ..))) => declared |= parts.0.name == holder.1,
                Some(ASTNode::Stmt(Stmt::BreakLoop(..) | Stmt::Return(..))) => leaves = true,
                _ => {}
            }
            true
        });
    }
    !declared && !leaves && uses(&[round], &holder.1, |_| ()).count() == 1
}
