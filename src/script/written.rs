//! The values of expressions that are known without running the script: what is written out, what a primitive makes of
//! it without asking the world, and variables that can mean nothing else. It must not guess: in doubt a value is
//! [`Unwritten`].

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::model::site::inventory::Inventory;
use crate::script::handles::ServiceHandle;
use crate::script::labels::Sort;
use crate::script::program::{CLOSURE, Program, Unit};
use crate::script::trial::{Tried, Unwritten, tried};
use crate::script::{doc, primitives, tree};
use rhai::{ASTNode, Array, Dynamic, Expr, FnPtr, Map, Stmt};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a run is begun with tells what these give.
const OF_THE_RUN: [&str; 2] = ["param", "former_run"];
/// How deep expressions are followed.
const DEPTH_MAX: usize = 32;

/// What is known of the values in one file.
pub(crate) struct KnownValues<'a> {
    program: &'a Rc<Program>,
    inventory: Option<&'a Rc<Inventory>>,
    nothing: Rc<Inventory>,
    /// Functions of the file itself: they win over primitives of the same name.
    own: BTreeSet<&'a str>,
    variables: BTreeMap<String, Dynamic>,
    /// Of which kind variables are whose values are not known.
    sorts: BTreeMap<String, Sort>,
    /// What of the inventory a variable is, where that is all that is known of it.
    things: BTreeMap<String, &'static str>,
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

/// What is known of what a variable is set to: its value, what of the inventory it is, its kind.
type VariableFacts = (Dynamic, Option<&'static str>, Option<Sort>);

/// What happens to the variables of a file.
#[derive(Default)]
struct Assignments {
    /// What each is set to where it begins.
    set: BTreeMap<String, Vec<VariableFacts>>,
    /// Those that may be something else later.
    unsteady: BTreeSet<String>,
    /// Those that a method or a function may change.
    changed: BTreeSet<String>,
    /// What each closure captures.
    captured: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> KnownValues<'a> {
    /// Reads the file. Without an inventory, what it would name is not known.
    pub(crate) fn of(program: &'a Rc<Program>, unit: &'a Unit, inventory: Option<&'a Rc<Inventory>>) -> Self {
        let own = unit.ast.iter_functions().map(|function| function.name).collect();
        let (variables, sorts, things, nothing) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), Rc::default());
        let mut written = Self { program, inventory, nothing, own, variables, sorts, things };
        written.settle(unit);
        // What is set by a variable that is known is known as well.
        written.settle(unit);
        written
    }

    /// What comes of calling a primitive with these arguments, as far as it can be known.
    pub(crate) fn call(&self, name: &str, args: Vec<Dynamic>) -> Tried {
        let names_things = primitives::reads_inventory(name) && self.inventory.is_none();
        let ours = doc::find(name).is_some() && !self.own.contains(name);
        if !ours || names_things || OF_THE_RUN.contains(&name) {
            return Tried::Open;
        }
        tried(self.program, self.inventory.unwrap_or(&self.nothing), name, args)
    }

    /// The value of an expression; [`Unwritten`] where only the run will tell. A map keeps the entries that are known.
    pub(crate) fn value(&self, expr: &Expr) -> Dynamic {
        self.at_depth(expr, 0).unwrap_or_else(|| Dynamic::from(Unwritten))
    }

    /// Of which kind an expression is, where that is certain.
    pub(crate) fn sort(&self, expr: &Expr) -> Option<Sort> {
        let (call, object) = match expr {
            Expr::FnCall(..) | Expr::Dot(..) => tree::called(expr)?,
            Expr::InterpolatedString(..) => return Some(Sort::Text),
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                let name = variable.1.as_str();
                return self.sorts.get(name).copied().or_else(|| sort_of(self.variables.get(name)?));
            }
            other => return sort_of(&tree::literal(other)?),
        };
        if self.own.contains(call.name.as_str()) {
            return None;
        }
        if call.name != "probe" {
            return primitives::of_verb(&call.name);
        }
        let mut args = object.into_iter().chain(&call.args);
        let service = self.value(args.next()?).try_cast::<ServiceHandle>()?;
        let name = tree::literal(args.next()?)?.into_immutable_string().ok()?;
        primitives::of_probe(&service.get().profile.probes.get(name.as_str())?.reads)
    }

    fn at_depth(&self, expr: &Expr, depth: usize) -> Option<Dynamic> {
        if depth > DEPTH_MAX {
            return None;
        }
        let known = |part: &Expr| self.at_depth(part, depth + 1);
        match expr {
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                let gaps = |map: &Map| depth > 0 && map.values().any(|value| value.is::<Unwritten>());
                let whole = |value: &&Dynamic| !value.read_lock::<Map>().is_some_and(|map| gaps(&map));
                self.variables.get(variable.1.as_str()).filter(whole).cloned()
            }
            Expr::Array(items, _) => items.iter().map(known).collect::<Option<Array>>().map(Into::into),
            // At the top an entry that is not known leaves the others to be looked at.
            Expr::Map(parts, _) => {
                let entry = |part: &Expr| known(part).or((depth == 0).then(|| Dynamic::from(Unwritten)));
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

    /// Whether the file has a function of this name itself.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    /// What of the inventory an expression gives, if that is certain: `service`, `host` or `pair`.
    pub(crate) fn thing(&self, expr: &Expr) -> Option<&'static str> {
        match expr {
            Expr::Variable(variable, ..) if variable.2.is_empty() => self.things.get(variable.1.as_str()).copied(),
            Expr::FnCall(call, _) if call.namespace.is_empty() && call.args.len() == 1 => {
                THINGS.into_iter().find(|thing| *thing == call.name && !self.own.contains(thing))
            }
            _ => None,
        }
    }

    /// Finds the variables that are set once in the whole file, by something known, and are never anything else.
    fn settle(&mut self, unit: &Unit) {
        let mut seen = Assignments::default();
        unit.ast.walk(&mut |path| {
            self.look(&mut seen, path);
            true
        });
        for function in unit.ast.iter_functions() {
            let shared = seen.captured.get(function.name).filter(|_| function.name.starts_with(CLOSURE));
            let own = function.params.iter().filter(|name| shared.is_none_or(|shared| !shared.contains(**name)));
            seen.unsteady.extend(own.map(ToString::to_string));
        }
        let Assignments { set, unsteady, changed, .. } = seen;
        let once = set.into_iter().filter(|(name, _)| !unsteady.contains(name));
        for (name, mut values) in once {
            let Some((value, thing, sort)) = values.pop().filter(|_| values.is_empty()) else { continue };
            if let Some(thing) = thing {
                self.things.insert(name.clone(), thing);
            }
            if let Some(sort) = sort {
                self.sorts.insert(name.clone(), sort);
            }
            // Lists, maps and texts have methods that change them.
            let can_change = value.is_array() || value.is_map() || value.is_string();
            if !(value.is::<Unwritten>() || can_change && changed.contains(&name)) {
                self.variables.insert(name, value);
            }
        }
    }

    /// Looks at what the node at the end of this path does to variables.
    fn look(&self, seen: &mut Assignments, path: &[ASTNode<'_>]) {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(parts, ..))) => {
                let told = (self.value(&parts.1), self.thing(&parts.1), self.sort(&parts.1));
                seen.set.entry(parts.0.name.to_string()).or_default().push(told);
            }
            Some(ASTNode::Stmt(Stmt::Assignment(parts))) => seen.unsteady.extend(root(&parts.1.lhs)),
            Some(ASTNode::Stmt(Stmt::For(parts, _))) => {
                seen.unsteady.insert(parts.0.name.to_string());
                seen.unsteady.extend(parts.1.as_ref().map(|counter| counter.name.to_string()));
            }
            Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => seen.unsteady.extend(root(&flow.expr)),
            Some(ASTNode::Expr(Expr::Dot(parts, ..) | Expr::Index(parts, ..))) if self.may_change(&parts.rhs) => {
                seen.changed.extend(root(&parts.lhs));
            }
            Some(node) => {
                if tree::capture(path).is_none()
                    && let Some(site) = tree::call_site(node)
                {
                    // Functions of the language may change what they get first.
                    let leaves = self.own.contains(site.name) || doc::find(site.name).is_some();
                    seen.changed.extend(site.args.first().and_then(root).filter(|_| !site.method && !leaves));
                } else if let ASTNode::Expr(Expr::FnCall(call, _)) = node
                    && let Some(name) = call.args.first().and_then(closure_name)
                {
                    seen.captured.entry(name).or_default().extend(call.args.iter().filter_map(root));
                }
            }
            None => {}
        }
    }

    /// Whether what stands behind the dot after something may change it.
    fn may_change(&self, behind: &Expr) -> bool {
        match behind {
            Expr::MethodCall(call, _) => {
                let primitive = doc::find(&call.name).is_some() && !self.own.contains(call.name.as_str());
                !primitive && !LEAVE.contains(&call.name.as_str())
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => self.may_change(&parts.lhs) || self.may_change(&parts.rhs),
            _ => false,
        }
    }
}

fn sort_of(value: &Dynamic) -> Option<Sort> {
    match value {
        value if value.is_string() || value.is_char() => Some(Sort::Text),
        value if value.is_int() || value.is_float() => Some(Sort::Number),
        value if value.is_bool() => Some(Sort::Flag),
        _ => None,
    }
}

/// The variable that an expression begins with.
fn root(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => root(&parts.lhs),
        _ => None,
    }
}

fn closure_name(expr: &Expr) -> Option<String> {
    tree::literal(expr)?.try_cast::<FnPtr>().map(|function| function.fn_name().to_owned())
}
