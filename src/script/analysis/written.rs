//! The values of expressions that are known without running the script: what is written out, what a primitive makes of
//! it without asking the world, and variables that can mean nothing else. It must not guess: in doubt a value is
//! [`Unwritten`].

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use super::values_so_far::ValuesSoFar;
use crate::model::site::inventory::Inventory;
use crate::script::analysis::alternatives::{Given, Together, combinations};
use crate::script::analysis::guarded::ProductBranches;
use crate::script::analysis::possible::{self, Possible};
use crate::script::analysis::scopes::{ScopedName, Scopes};
use crate::script::compile::program::{Program, Unit};
use crate::script::compile::tree::{self, CLOSURE};
use crate::script::evaluate::trial::{Tried, tried};
use crate::script::primitives;
use crate::script::values::handles::ServiceHandle;
use crate::script::values::sort::Sort;
use crate::script::values::unwritten::Unwritten;
use rhai::{ASTNode, Array, Dynamic, Expr, FnCallExpr, FnPtr, Map, Position, Stmt};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a run is begun with tells what these give.
const OF_THE_RUN: [&str; 3] = ["param", "former_run", "run_id"];
/// How deep expressions are followed.
const DEPTH_MAX: usize = 32;

/// What is known of the values in one file.
pub(crate) struct KnownValues<'a> {
    program: &'a Rc<Program>,
    inventory: Option<&'a Rc<Inventory>>,
    nothing: Rc<Inventory>,
    /// Functions of the file itself: they win over primitives of the same name.
    own: BTreeSet<&'a str>,
    /// The functions by where they stand.
    pub(crate) scopes: Scopes,
    variables: BTreeMap<ScopedName, ValueFacts>,
    /// Those of them that a method may change.
    changed: BTreeSet<ScopedName>,
    /// Variables that are one known value after the other.
    alternatives: Vec<Vec<Together>>,
    /// Which of these values is looked at now.
    assumed: RefCell<Together>,
    /// The keys that maps are given after they were made.
    put: BTreeMap<ScopedName, Vec<PutKey>>,
}

/// A key that a map is given after it was made: `options.limit = …`.
#[derive(Clone)]
struct PutKey {
    key: String,
    position: Position,
    /// Whether nothing decides if it is reached.
    certain: bool,
}

/// What gives something of the inventory.
const THINGS: [&str; 3] = ["host", "service", "pair"];
/// Methods of lists, maps and texts that leave them as they are.
const LEAVE: [&str; 12] = [
    "len",
    "contains",
    "is_empty",
    "starts_with",
    "ends_with",
    "split",
    "to_string",
    "keys",
    "values",
    "index_of",
    "get",
    "to_int",
];

/// What is known of what a variable is set to.
#[derive(Clone)]
struct ValueFacts {
    /// Its value; [`Unwritten`] where only the run will tell.
    value: Dynamic,
    /// What of the inventory it is, where that is all that is known of it.
    thing: Option<&'static str>,
    /// Of which kind it is.
    sort: Option<Sort>,
    /// What it can be.
    possible: Option<Possible>,
}

/// What happens to the variables of a file.
#[derive(Default)]
struct Assignments {
    /// What each is set to where it begins.
    set: BTreeMap<ScopedName, Vec<ValueFacts>>,
    /// Those that may be something else later.
    unsteady: BTreeSet<ScopedName>,
    /// Those that a method or a function may change.
    changed: BTreeSet<ScopedName>,
    /// What each closure captures.
    captured: BTreeMap<String, BTreeSet<String>>,
    /// Where each closure stands.
    closures: Vec<(String, Position)>,
    /// What is one value after the other.
    given: Given,
    /// The keys that maps are given.
    put: BTreeMap<ScopedName, Vec<PutKey>>,
}

impl ValuesSoFar for KnownValues<'_> {
    fn value(&self, expr: &Expr) -> Dynamic {
        self.at_depth(expr, 0).unwrap_or_else(Unwritten::unknown)
    }

    fn name_of(&self, expr: &Expr) -> Option<ScopedName> {
        match expr {
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                Some((self.scopes.at(*position), variable.1.to_string()))
            }
            _ => None,
        }
    }

    fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    fn is_own(&self, name: &str) -> bool {
        self.own.contains(name)
    }
}

impl<'a> KnownValues<'a> {
    /// Reads the file. Without an inventory, what it would name is not known.
    pub(crate) fn of(
        program: &'a Rc<Program>,
        unit: &'a Unit,
        inventory: Option<&'a Rc<Inventory>>,
        guarded: &ProductBranches,
    ) -> Self {
        let own = unit.ast.iter_functions().map(|function| function.name).collect();
        let (variables, alternatives, nothing) = (BTreeMap::new(), Vec::new(), Rc::default());
        let (scopes, assumed, changed) = (Scopes::of(&unit.ast), RefCell::default(), BTreeSet::new());
        let put = BTreeMap::new();
        let mut written =
            Self { program, inventory, nothing, own, scopes, variables, changed, alternatives, assumed, put };
        // What is set by a variable that is known is known as well.
        for _ in 0..2 {
            written.settle(unit, guarded);
        }
        written
    }

    /// What is known of a variable where it stands.
    fn facts(&self, expr: &Expr) -> Option<&ValueFacts> {
        self.variables.get(&self.name_of(expr)?)
    }

    /// What the variables in these expressions are one after the other; nothing where they are no such variables.
    pub(crate) fn alternatives_in(&self, expressions: &[&Expr]) -> Vec<Together> {
        combinations(self, &self.alternatives, expressions)
    }

    /// From here on these variables are these.
    pub(crate) fn assume(&self, variables: Together) {
        self.assumed.replace(variables);
    }

    /// What a call or a variable can be, where that is certain.
    pub(crate) fn possible(&self, expr: &Expr) -> Option<Possible> {
        match expr {
            Expr::Variable(..) => self.facts(expr)?.possible.clone(),
            other => possible::of_call(self, other),
        }
    }

    /// What comes of calling a primitive with these arguments, as far as it can be known.
    pub(crate) fn call(&self, name: &str, args: Vec<Dynamic>) -> Tried {
        let names_things = primitives::reads_inventory(name) && self.inventory.is_none();
        let ours = primitives::find(name).is_some() && !self.own.contains(name);
        if !ours || names_things || OF_THE_RUN.contains(&name) {
            return Tried::Open;
        }
        tried(self.program, self.inventory.unwrap_or(&self.nothing), name, args)
    }

    /// Of which kind an expression is, where that is certain.
    pub(crate) fn sort(&self, expr: &Expr) -> Option<Sort> {
        match expr {
            Expr::FnCall(..) | Expr::Dot(..) => {
                let (call, object) = tree::called(expr)?;
                self.sort_of_call(call, object)
            }
            Expr::InterpolatedString(..) => Some(Sort::Text),
            Expr::Array(..) => Some(Sort::List),
            Expr::Variable(..) => {
                let assumed = self.name_of(expr).and_then(|name| self.assumed.borrow().get(&name).cloned());
                let facts = self.facts(expr);
                let known = assumed.or_else(|| facts.map(|facts| facts.value.clone()));
                facts.and_then(|facts| facts.sort).or_else(|| Sort::of(&known?))
            }
            other => Sort::of(&tree::literal(other)?),
        }
    }

    /// Of which kind what a statement gives is.
    pub(crate) fn sort_of_stmt(&self, stmt: &Stmt) -> Option<Sort> {
        match stmt {
            Stmt::Expr(expr) => self.sort(expr),
            Stmt::FnCall(call, _) if call.op_token.is_none() && call.namespace.is_empty() => {
                self.sort_of_call(call, None)
            }
            _ => None,
        }
    }

    fn sort_of_call(&self, call: &FnCallExpr, object: Option<&Expr>) -> Option<Sort> {
        if self.own.contains(call.name.as_str()) {
            return None;
        }
        if call.name != "probe" {
            // A method of something unknown may be a closure in a map.
            let is_ours = object.is_none_or(|object| self.thing(object).is_some());
            let thing = Sort::of_thing(&call.name).filter(|_| object.is_none() && call.args.len() == 1);
            return thing.or_else(|| primitives::of_verb(&call.name).filter(|sort| is_ours || sort.is_single()));
        }
        let mut args = object.into_iter().chain(&call.args);
        let service = self.value(args.next()?).try_cast::<ServiceHandle>()?;
        let name = self.value(args.next()?).into_immutable_string().ok()?;
        primitives::of_probe(&service.get().profile.probes.get(name.as_str())?.reads)
    }

    fn at_depth(&self, expr: &Expr, depth: usize) -> Option<Dynamic> {
        if depth > DEPTH_MAX {
            return None;
        }
        let known = |part: &Expr| self.at_depth(part, depth + 1);
        match expr {
            Expr::Variable(..) => {
                let gaps = |map: &Map| depth > 0 && map.values().any(|value| value.is::<Unwritten>());
                let whole = |value: &Dynamic| !value.read_lock::<Map>().is_some_and(|map| gaps(&map));
                let assumed = self.assumed.borrow().get(&self.name_of(expr)?).cloned();
                let known = assumed.or_else(|| Some(self.facts(expr)?.value.clone()));
                known.filter(|value| !value.is::<Unwritten>() && whole(value))
            }
            // What a closure has captured makes it no less a closure.
            Expr::Stmt(_) => tree::is_closure(expr).then(|| FnPtr::new("closure").ok().map(Into::into)).flatten(),
            Expr::Array(items, _) => items.iter().map(known).collect::<Option<Array>>().map(Into::into),
            // At the top an entry that is not known leaves the others to be looked at.
            Expr::Map(parts, _) => {
                let entry = |part: &Expr| known(part).or((depth == 0).then(Unwritten::unknown));
                let entries = parts.0.iter().map(|(key, part)| Some((key.name.as_str().into(), entry(part)?)));
                entries.collect::<Option<Map>>().map(Into::into)
            }
            Expr::FnCall(call, _) if call.name == "curry" => FnPtr::new("closure").ok().map(Into::into),
            Expr::FnCall(call, _) if call.op_token.is_none() && call.namespace.is_empty() => {
                let args = call.args.iter().map(known).collect::<Option<Vec<_>>>()?;
                match self.call(&call.name, args) {
                    Tried::Gives(value) => Some(value),
                    Tried::Refused(_) | Tried::Open => None,
                }
            }
            other => tree::literal(other),
        }
    }

    /// Whether a variable may have got other parts than those it began with.
    pub(crate) fn is_changed(&self, expr: &Expr) -> bool {
        self.name_of(expr).is_some_and(|name| self.changed.contains(&name))
    }

    /// What of the inventory an expression gives, if that is certain: `service`, `host` or `pair`.
    pub(crate) fn thing(&self, expr: &Expr) -> Option<&'static str> {
        match expr {
            Expr::Variable(..) => self.facts(expr)?.thing,
            Expr::FnCall(call, _) if call.namespace.is_empty() && call.args.len() == 1 => {
                THINGS.into_iter().find(|thing| *thing == call.name && !self.own.contains(thing))
            }
            _ => None,
        }
    }

    /// Finds the variables that are set once in their function, by something known, and are never anything else.
    fn settle(&mut self, unit: &Unit, guarded: &ProductBranches) {
        let mut seen = Assignments::default();
        unit.ast.walk(&mut |path| {
            self.look(&mut seen, path);
            seen.given.look(self, path, guarded);
            true
        });
        for (closure, position) in &seen.closures {
            let scope = self.scopes.at(*position);
            let captured = seen.captured.get(closure);
            for param in self.scopes.params_of(closure) {
                if captured.is_none_or(|captured| !captured.contains(param)) {
                    seen.given.bind((scope, param.clone()), closure);
                }
            }
        }
        let Assignments { set, unsteady, changed, given, put, .. } = seen;
        self.put = put.into_iter().filter(|(name, _)| !unsteady.contains(name)).collect();
        self.alternatives = given
            .settled(&self.scopes, |name| set.contains_key(name) || unsteady.contains(name) || changed.contains(name));
        let bound: BTreeSet<ScopedName> = given.names(&self.scopes);
        self.variables.clear();
        for (name, mut all) in set.into_iter().filter(|(name, _)| !unsteady.contains(name) && !bound.contains(name)) {
            let Some(mut facts) = all.pop().filter(|_| all.is_empty()) else { continue };
            // Lists, maps and texts have methods that change them.
            let value = &facts.value;
            if (value.is_array() || value.is_map() || value.is_string()) && changed.contains(&name) {
                facts.value = Unwritten::unknown();
                facts.possible = None;
            }
            self.variables.insert(name, facts);
        }
        self.changed = changed;
    }

    /// Looks at what the node at the end of this path does to variables.
    fn look(&self, seen: &mut Assignments, path: &[ASTNode<'_>]) {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(parts, _, position))) => {
                let given = &parts.1;
                let (value, thing) = (self.value(given), self.thing(given));
                let facts = ValueFacts { value, thing, sort: self.sort(given), possible: self.possible(given) };
                let at = if position.is_none() { given.position() } else { *position };
                seen.set.entry((self.scopes.at(at), parts.0.name.to_string())).or_default().push(facts);
            }
            Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                // What is added to must have been there: it is not put there by that.
                let puts = !parts.0.is_op_assignment();
                self.assigned(seen, &parts.1.lhs, puts.then_some(path.len() == 1));
            }
            Some(ASTNode::Stmt(Stmt::For(parts, position))) => {
                let counter = parts.1.as_ref().map(|counter| (self.scopes.at(*position), counter.name.to_string()));
                seen.unsteady.extend(counter);
            }
            Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => seen.unsteady.extend(self.root(&flow.expr)),
            Some(ASTNode::Expr(Expr::Dot(parts, ..) | Expr::Index(parts, ..))) if self.may_change(&parts.rhs) => {
                seen.changed.extend(self.root(&parts.lhs));
            }
            Some(ASTNode::Expr(expr @ Expr::DynamicConstant(_, position))) => {
                seen.closures.extend(closure_name(expr).map(|name| (name, *position)));
            }
            Some(node) => {
                if tree::capture(path).is_none()
                    && let Some(site) = tree::call_site(node)
                {
                    // Functions of the language may change what they get first.
                    let leaves = self.own.contains(site.name) || primitives::find(site.name).is_some();
                    let first = site.args.first().and_then(|first| self.root(first));
                    seen.changed.extend(first.filter(|_| !site.method && !leaves));
                } else if let ASTNode::Expr(Expr::FnCall(call, _)) = node
                    && let Some(name) = call.args.first().and_then(closure_name)
                {
                    let names = call.args.iter().filter_map(|arg| self.root(arg)).map(|(_, name)| name);
                    seen.captured.entry(name).or_default().extend(names);
                }
            }
            None => {}
        }
    }

    /// A variable is set, or a part of what it is; `puts` tells whether it is certain that a new part is put there.
    fn assigned(&self, seen: &mut Assignments, to: &Expr, puts: Option<bool>) {
        let Some(root) = self.root(to) else { return };
        let (Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = to else {
            seen.unsteady.insert(root);
            return;
        };
        let key = match &parts.rhs {
            Expr::Property(name, _) => Some(name.2.to_string()),
            other => tree::literal_text(other),
        };
        if let (Expr::Variable(..), Some(key), Some(certain)) = (&parts.lhs, key, puts) {
            let position = parts.rhs.position();
            let certain = certain && !self.scopes.in_closure(position);
            seen.put.entry(root.clone()).or_default().push(PutKey { key, position, certain });
        }
        seen.changed.insert(root);
    }

    /// The keys that a variable with a map is given before this place: where, and whether that is certain.
    pub(crate) fn keys_put(&self, expr: &Expr, before: Position) -> Vec<(String, Position, bool)> {
        // Of several variables of one name nobody can tell here which of them is meant.
        let name = self.name_of(expr).filter(|name| self.variables.contains_key(name));
        let put = name.and_then(|name| self.put.get(&name)).into_iter().flatten();
        put.filter(|put| put.position < before).map(|put| (put.key.clone(), put.position, put.certain)).collect()
    }

    /// Whether a map that a variable holds is given this key anywhere.
    pub(crate) fn is_put(&self, expr: &Expr, key: &str) -> bool {
        let put = self.name_of(expr).and_then(|name| self.put.get(&name));
        put.is_some_and(|all| all.iter().any(|put| put.key == key))
    }

    /// The variable that an expression begins with.
    fn root(&self, expr: &Expr) -> Option<ScopedName> {
        match expr {
            Expr::Variable(variable, _, position) => Some((self.scopes.at(*position), variable.1.to_string())),
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => self.root(&parts.lhs),
            _ => None,
        }
    }

    /// Whether what stands behind the dot after something may change it.
    fn may_change(&self, behind: &Expr) -> bool {
        match behind {
            Expr::MethodCall(call, _) => {
                let primitive = primitives::find(&call.name).is_some() && !self.own.contains(call.name.as_str());
                !primitive && !LEAVE.contains(&call.name.as_str())
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => self.may_change(&parts.lhs) || self.may_change(&parts.rhs),
            _ => false,
        }
    }
}

/// The closure that an expression is, by the name Rhai gives it.
pub(crate) fn closure_name(expr: &Expr) -> Option<String> {
    tree::literal(expr)?
        .try_cast::<FnPtr>()
        .map(|function| function.fn_name().to_owned())
        .filter(|name| name.starts_with(CLOSURE))
}
