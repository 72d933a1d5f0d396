//! Which function of a file a place stands in. A function sees nothing of what is around it, so that a name in one has
//! nothing to do with the same name elsewhere. It reads syntax trees and judges nothing.

use crate::script::compile::tree::{self, CLOSURE, CallSite};
use rhai::{AST, ASTNode, Position, Stmt};

/// A function of a file by its number; none for what stands outside of all.
pub(crate) type Scope = Option<usize>;

/// A name where it stands.
pub(crate) type ScopedName = (Scope, String);

/// The functions of a file.
pub(crate) struct Scopes {
    functions: Vec<FunctionBody>,
    closures: Vec<FunctionBody>,
}

struct FunctionBody {
    name: String,
    params: Vec<String>,
    from: Position,
    to: Position,
}

impl FunctionBody {
    fn has(&self, at: Position) -> bool {
        self.from <= at && (at <= self.to || self.to.is_none() && at == self.from)
    }
}

impl Scopes {
    /// Those of this tree.
    pub(crate) fn of(ast: &AST) -> Self {
        let bodies = ast.iter_fn_def().map(|function| FunctionBody {
            name: function.name.to_string(),
            params: function.params.iter().map(ToString::to_string).collect(),
            from: function.body.start_position(),
            to: function.body.end_position(),
        });
        let (closures, functions) = bodies.partition(|body| body.name.starts_with(CLOSURE));
        Self { functions, closures }
    }

    /// The function that a place stands in.
    pub(crate) fn at(&self, place: Position) -> Scope {
        self.functions.iter().position(|body| body.has(place))
    }

    /// Whether a place stands in a closure: it may never be called.
    pub(crate) fn in_closure(&self, place: Position) -> bool {
        self.closures.iter().any(|body| body.has(place))
    }

    /// The functions with their parameters.
    pub(crate) fn functions(&self) -> impl Iterator<Item = (usize, &str, &[String])> {
        self.functions.iter().enumerate().map(|(index, body)| (index, body.name.as_str(), body.params.as_slice()))
    }

    /// What a closure is called with, what it has captured among it.
    pub(crate) fn params_of(&self, closure: &str) -> &[String] {
        self.closures.iter().find(|body| body.name == closure).map_or(&[], |body| &body.params)
    }

    /// The first call in a closure of which `look` gives something.
    pub(crate) fn call_in<T>(&self, ast: &AST, closure: &str, look: impl Fn(&CallSite<'_>) -> Option<T>) -> Option<T> {
        let own = self.closures.iter().find(|body| body.name == closure)?;
        let mut found = None;
        ast.walk(&mut |path| {
            if let Some(site) = path.last().and_then(tree::call_site).filter(|site| own.has(site.position)) {
                found = found.take().or_else(|| look(&site));
            }
            found.is_none()
        });
        found
    }

    /// Calls `look` with the last statement of a closure: what it gives.
    pub(crate) fn last_of<T>(&self, ast: &AST, closure: &str, look: impl Fn(&Stmt) -> Option<T>) -> Option<T> {
        let own = self.closures.iter().find(|body| body.name == closure)?;
        let inside = |at: Position| self.closures.iter().filter(|body| body.has(at) && own.from < body.from).count();
        let mut last = (Position::NONE, None);
        ast.walk(&mut |path| {
            if let [ASTNode::Stmt(stmt)] = path
                && own.has(stmt.position())
                && inside(stmt.position()) == 0
                && (last.0.is_none() || last.0 < stmt.position())
            {
                last = (stmt.position(), look(stmt));
            }
            true
        });
        last.1
    }
}
