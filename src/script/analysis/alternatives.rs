//! Variables that are one known value after the other: the rounds of a loop over a list that is written out, the items
//! of `parallel` and `rolling`, what a function of the file is called with. A variable that the script decides by is
//! passed over: which of its values comes where is then not certain.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use super::values_so_far::ValuesSoFar;
use crate::script::analysis::guarded::ProductBranches;
use crate::script::analysis::scopes::{ScopedName, Scopes};
use crate::script::compile::tree::{self, CallSite};
use crate::script::primitives;
use crate::script::values::unwritten::Unwritten;
use rhai::{ASTNode, Array, Dynamic, Expr, Stmt, StmtBlock};
use std::collections::{BTreeMap, BTreeSet};

/// What some variables are at the same time.
pub(crate) type Together = BTreeMap<ScopedName, Dynamic>;
/// How many combinations of values are looked at for one place.
const COMBINATIONS_MAX: usize = 64;

/// What is given to variables of which there is one round, item or call after the other.
#[derive(Default)]
pub(crate) struct Given {
    /// How often each name is bound so, with what the last time.
    bound: BTreeMap<ScopedName, (usize, Vec<Dynamic>)>,
    /// The items that are handed to closures.
    items: BTreeMap<String, Vec<Dynamic>>,
    /// What functions of the file are called with, as far as it is known.
    calls: BTreeMap<(String, usize), Vec<Vec<Dynamic>>>,
    /// What the script decides by.
    asked: BTreeSet<ScopedName>,
}

impl Given {
    /// Looks at the node at the end of this path.
    pub(crate) fn look(&mut self, known: &impl ValuesSoFar, path: &[ASTNode<'_>], guarded: &ProductBranches) {
        let Some(node) = path.last() else { return };
        for condition in conditions(node) {
            self.asks(known, condition);
        }
        if let ASTNode::Stmt(Stmt::For(parts, position)) = node {
            let mut values = listed(known, &parts.2.expr);
            if leaves(&parts.2.body) {
                values.truncate(1);
            }
            let bound = self.bound.entry((known.scopes().at(*position), parts.0.name.to_string())).or_default();
            *bound = (bound.0 + 1, values);
        }
        if let Some(site) = tree::call_site(node).filter(|site| site.namespace.is_none() && !site.method) {
            self.call(known, &site, guarded);
        }
    }

    fn call(&mut self, known: &impl ValuesSoFar, site: &CallSite<'_>, guarded: &ProductBranches) {
        if known.is_own(site.name) {
            // What is done only for some products is called with what these have.
            if !guarded.has(site.position) {
                let args = site.args.iter().map(|arg| known.value(arg)).collect();
                self.calls.entry((site.name.to_owned(), site.args.len())).or_default().push(args);
            }
        } else if matches!(site.name, "parallel" | "rolling")
            && let (Some(items), Some(closure)) = (site.args.first(), site.args.last().and_then(tree::closure_literal))
        {
            self.items.insert(closure.0, listed(known, items));
        }
    }

    /// Which variables a condition asks for. What it reads of a host with their help is another matter.
    fn asks(&mut self, known: &impl ValuesSoFar, condition: &Expr) {
        let reads = |name: &str| primitives::find(name).is_some_and(|doc| doc.class.is_some()) && !known.is_own(name);
        condition.walk(&mut Vec::new(), &mut |path| {
            let (Some(ASTNode::Expr(variable)), around) = (path.last(), &path[..path.len().saturating_sub(1)]) else {
                return true;
            };
            let Some(name) = known.name_of(variable) else { return true };
            let in_reading = around.iter().filter_map(tree::call_site).any(|site| reads(site.name));
            let is_object = around.last().is_some_and(|node| match node {
                ASTNode::Expr(Expr::Dot(parts, ..)) => {
                    std::ptr::eq(&parts.lhs, *variable)
                        && matches!(&parts.rhs, Expr::MethodCall(call, _) if reads(&call.name))
                }
                _ => false,
            });
            if !in_reading && !is_object {
                self.asked.insert(name);
            }
            true
        });
    }

    /// A closure has a parameter of this name.
    pub(crate) fn bind(&mut self, name: ScopedName, closure: &str) {
        let items = self.items.get(closure).cloned().unwrap_or_default();
        let bound = self.bound.entry(name).or_default();
        *bound = (bound.0 + 1, items);
    }

    /// The names that are bound so.
    pub(crate) fn names(&self, scopes: &Scopes) -> BTreeSet<ScopedName> {
        let params = scopes
            .functions()
            .flat_map(|(index, _, params)| params.iter().map(move |param| (Some(index), param.clone())));
        self.bound.keys().cloned().chain(params).collect()
    }

    /// What is certain: groups of what variables are one after the other. `disturbed` may be something else as well.
    pub(crate) fn settled(&self, scopes: &Scopes, disturbed: impl Fn(&ScopedName) -> bool) -> Vec<Vec<Together>> {
        let mut groups = Vec::new();
        for (name, (times, values)) in &self.bound {
            let is_param =
                scopes.functions().any(|(index, _, params)| name.0 == Some(index) && params.contains(&name.1));
            if *times == 1 && !is_param && !disturbed(name) && !self.asked.contains(name) && !values.is_empty() {
                groups.push(values.iter().map(|value| BTreeMap::from([(name.clone(), value.clone())])).collect());
            }
        }
        for (index, function, params) in scopes.functions() {
            let name = |param: &String| (Some(index), param.clone());
            let is_sure =
                |name: &ScopedName| !disturbed(name) && !self.asked.contains(name) && !self.bound.contains_key(name);
            let Some(calls) = self.calls.get(&(function.to_owned(), params.len())) else { continue };
            let row = |args: &Vec<Dynamic>| {
                let known = params.iter().map(name).zip(args).filter(|(_, value)| !value.is::<Unwritten>());
                known.filter(|(name, _)| is_sure(name)).map(|(name, value)| (name, value.clone())).collect()
            };
            groups.push(calls.iter().map(row).filter(|row: &Together| !row.is_empty()).collect());
        }
        groups
    }
}

/// The combinations of values of these groups in which the variables of some expressions can be; none where there is
/// nothing to choose.
pub(crate) fn combinations(known: &impl ValuesSoFar, groups: &[Vec<Together>], expressions: &[&Expr]) -> Vec<Together> {
    let mut names = BTreeSet::new();
    for expr in expressions {
        expr.walk(&mut Vec::new(), &mut |path| {
            if let Some(ASTNode::Expr(expr)) = path.last() {
                names.extend(known.name_of(expr));
            }
            true
        });
    }
    let mut all: Vec<Together> = Vec::new();
    for group in groups {
        let of_names = |row: &Together| {
            row.iter().filter(|(name, _)| names.contains(*name)).map(|(n, v)| (n.clone(), v.clone())).collect()
        };
        let rows: Vec<Together> = group.iter().map(of_names).filter(|row: &Together| !row.is_empty()).collect();
        if rows.is_empty() {
            continue;
        }
        let before = if all.is_empty() { vec![Together::new()] } else { std::mem::take(&mut all) };
        let both = |row: &Together| {
            let rows = rows.iter().map(|other| row.iter().chain(other).map(|(n, v)| (n.clone(), v.clone())).collect());
            rows.collect::<Vec<Together>>()
        };
        all = before.iter().flat_map(both).take(COMBINATIONS_MAX).collect();
    }
    all
}

/// The items of a list that is known.
fn listed(known: &impl ValuesSoFar, expr: &Expr) -> Vec<Dynamic> {
    let items = known.value(expr).try_cast::<Array>().unwrap_or_default();
    if items.iter().any(|item| item.is::<Unwritten>()) { Vec::new() } else { items }
}

/// What decides about the way a script goes at this node.
pub(crate) fn conditions<'a>(node: &'a ASTNode<'_>) -> Vec<&'a Expr> {
    match node {
        ASTNode::Stmt(Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..)) => vec![&flow.expr],
        ASTNode::Stmt(Stmt::Switch(parts, _)) => vec![&parts.0],
        ASTNode::Expr(Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _)) => parts.iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether a loop may end before its last round.
fn leaves(body: &StmtBlock) -> bool {
    let mut found = false;
    for stmt in body.statements() {
        stmt.walk(&mut Vec::new(), &mut |path| {
            found |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::BreakLoop(..) | Stmt::Return(..))));
            !found
        });
    }
    found
}
