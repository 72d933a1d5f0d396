//! Reading syntax trees without running them: imports, calls, literals. It must not judge what it finds.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::model::step_name::StepNames;
use rhai::{AST, ASTNode, Dynamic, Expr, FnCallExpr, Map, Position, Stmt};
use std::collections::BTreeSet;

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

/// Adds the names of the steps that a tree begins.
pub(crate) fn step_names(ast: &AST, names: &mut StepNames) {
    ast.walk(&mut |path| {
        let begins = |site: &CallSite<'_>| matches!(site.name, "step" | "ensure") && site.namespace.is_none();
        if let Some(site) = path.last().and_then(call_site).filter(begins) {
            match site.args.first().and_then(literal_text) {
                Some(name) if names.written.contains(&name) => {}
                Some(name) => names.written.push(name),
                None => names.computed = true,
            }
        }
        true
    });
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

/// The value of an expression that is written out.
pub(crate) fn literal(expr: &Expr) -> Option<Dynamic> {
    expr.get_literal_value(None)
}

/// The text of an expression that is written out as text.
pub(crate) fn literal_text(expr: &Expr) -> Option<String> {
    literal(expr).and_then(|value| value.into_immutable_string().ok()).map(|text| text.to_string())
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
