//! What is written in a script and can never be: words that a probe never reads, properties that nothing has, closures
//! that are no closures or take the wrong number of values. It calls nothing; what is not certain it passes over.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use super::values_so_far::ValuesSoFar;
use crate::convert;
use crate::model::text::did_you_mean;
use crate::script::analysis::written::KnownValues;
use crate::script::calls::doc::ClosureArg;
use crate::script::calls::doc::ClosurePlace;
use crate::script::compile::tree::{self, CallSite};
use crate::script::primitives;
use crate::script::values::handles::PairHandle;
use crate::script::values::sort::Sort;
use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, Stmt};

/// What is wrong, what to do, and where.
pub(crate) type Impossible = (String, Option<String>, Position);

/// What hosts and services have behind a dot.
const PROPERTIES: [(&str, &[&str]); 3] = [
    ("host", &["name", "address", "tags"]),
    ("service", &["name", "host", "product", "tags"]),
    ("pair", &["name", "configured_primary", "configured_backup", "members"]),
];

/// A word that is compared with a reading and that the reading never is.
pub(crate) fn compared(written: &KnownValues<'_>, node: &ASTNode<'_>) -> Vec<Impossible> {
    let call: &FnCallExpr = match node {
        ASTNode::Expr(Expr::FnCall(call, _)) => call,
        ASTNode::Stmt(Stmt::FnCall(call, _)) => call,
        _ => return Vec::new(),
    };
    if call.op_token.is_none() || !["==", "!=", "<", "<=", ">", ">="].contains(&call.name.as_str()) {
        return Vec::new();
    }
    let [left, right] = &*call.args else { return Vec::new() };
    let found = match (written.possible(left), written.possible(right)) {
        (Some(possible), None) => Some((possible, right)),
        (None, Some(possible)) => Some((possible, left)),
        _ => None,
    };
    let never = found.and_then(|(possible, other)| {
        let value = convert::to_value(&written.value(other)).ok()?;
        Some((possible.never(&value)?, None, other.position()))
    });
    never.or_else(|| unlike(written, &call.name, left, right)).into_iter().collect()
}

/// Two of different kinds that are compared: the run would end there.
fn unlike(written: &KnownValues<'_>, operator: &str, left: &Expr, right: &Expr) -> Option<Impossible> {
    let (one, other) = (written.sort(left)?, written.sort(right)?);
    let why = if ["==", "!="].contains(&operator) { "they are never equal" } else { "neither is more than the other" };
    let message = format!("`{operator}` compares {one} with {other}: {why}");
    (!one.is_like(other)).then(|| (message, hint_of(one).or(hint_of(other)), right.position()))
}

/// How a value of this kind is decided by.
fn hint_of(sort: Sort) -> Option<String> {
    match sort {
        Sort::Map(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`.{key}`")).collect();
            Some(format!("it has {}", keys.join(", ")))
        }
        Sort::Flag => Some("`confirm` and its like are true or false: write `if confirm(…) { … }`".to_owned()),
        Sort::Text | Sort::Number | Sort::List | Sort::Host | Sort::Service | Sort::Pair | Sort::Closure => None,
    }
}

/// A condition that is not true or false.
pub(crate) fn condition(written: &KnownValues<'_>, node: &ASTNode<'_>) -> Vec<Impossible> {
    let (word, conditions): (_, Vec<&Expr>) = match node {
        ASTNode::Stmt(Stmt::If(flow, _)) => ("if", vec![&flow.expr]),
        ASTNode::Stmt(Stmt::While(flow, _) | Stmt::Do(flow, ..)) => ("while", vec![&flow.expr]),
        ASTNode::Expr(Expr::And(parts, _)) => ("&&", parts.iter().collect()),
        ASTNode::Expr(Expr::Or(parts, _)) => ("||", parts.iter().collect()),
        _ => return Vec::new(),
    };
    let wrong = |condition: &Expr| {
        let sort = written.sort(condition).filter(|sort| *sort != Sort::Flag)?;
        Some((format!("`{word}` wants true or false, not {sort}"), hint_of(sort), condition.position()))
    };
    conditions.into_iter().filter_map(wrong).collect()
}

/// Labels of a `switch` that what it looks at never is.
pub(crate) fn labels(
    written: &KnownValues<'_>,
    subject: &Expr,
    labels: &[String],
    position: Position,
) -> Vec<Impossible> {
    let Some(possible) = written.possible(subject) else { return Vec::new() };
    let texts = labels.iter().filter_map(|label| label.strip_prefix('"')?.strip_suffix('"'));
    texts.filter_map(|text| Some((possible.never(&text.into())?, None, position))).collect()
}

/// A property that a host, a service or a pair does not have, or what a verb gives.
pub(crate) fn property(written: &KnownValues<'_>, node: &ASTNode<'_>) -> Option<Impossible> {
    let ASTNode::Expr(Expr::Dot(parts, ..)) = node else { return None };
    let property = match &parts.rhs {
        Expr::Dot(inner, ..) | Expr::Index(inner, ..) => &inner.lhs,
        other => other,
    };
    let Expr::Property(name, position) = property else { return None };
    let name = name.2.as_str();
    if let Some(sort @ Sort::Map(keys)) = written.sort(&parts.lhs).filter(|_| !written.is_changed(&parts.lhs)) {
        let near = did_you_mean(name, keys.iter().copied()).or_else(|| hint_of(sort));
        let message = format!("what this gives has no `.{name}`");
        return (!keys.contains(&name)).then_some((message, near, *position));
    }
    property_of_thing(written, &parts.lhs, name, *position)
}

/// A property that a host, a service or a pair of the inventory does not have.
fn property_of_thing(written: &KnownValues<'_>, object: &Expr, name: &str, position: Position) -> Option<Impossible> {
    let thing = written.thing(object)?;
    let (_, known) = PROPERTIES.iter().find(|(of, _)| *of == thing)?;
    let mut known: Vec<String> = known.iter().map(ToString::to_string).collect();
    if thing == "pair" {
        // Which services a pair is related to only an inventory tells.
        known.extend(written.value(object).read_lock::<PairHandle>()?.get().related.keys().cloned());
    }
    if known.iter().any(|one| one == name) {
        return None;
    }
    let dotted: Vec<String> = known.iter().map(|one| format!(".{one}")).collect();
    let near = did_you_mean(&format!(".{name}"), dotted.iter().map(String::as_str));
    let all = || format!("it has {}", dotted.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "));
    Some((format!("a {thing} has no `.{name}`"), near.or_else(|| Some(all())), position))
}

/// A property that is set and cannot be, or that looks like one of what a verb gives and is none of it. The first is
/// certain.
pub(crate) fn set(written: &KnownValues<'_>, node: &ASTNode<'_>) -> Option<(bool, Impossible)> {
    let ASTNode::Stmt(Stmt::Assignment(assignment)) = node else { return None };
    let Expr::Dot(parts, ..) = &assignment.1.lhs else { return None };
    let Expr::Property(name, position) = &parts.rhs else { return None };
    let (name, position) = (name.2.as_str(), *position);
    if let Some(thing) = written.thing(&parts.lhs) {
        // What it does not have at all is said where it is read.
        let is_there = property_of_thing(written, &parts.lhs, name, position).is_none();
        let message = format!("`.{name}` of a {thing} cannot be set: the inventory says what it is");
        return is_there.then_some((true, (message, None, position)));
    }
    let Some(Sort::Map(keys)) = written.sort(&parts.lhs) else { return None };
    if keys.contains(&name) {
        return None;
    }
    let near = did_you_mean(name, keys.iter().copied());
    if assignment.0.is_op_assignment() && written.is_put(&parts.lhs, name) {
        return None;
    }
    if assignment.0.is_op_assignment() {
        return Some((true, (format!("what this gives has no `.{name}`"), near, position)));
    }
    let message = format!("what this gives has no `.{name}`: it is set beside what was given");
    Some((false, (message, Some(near?), position)))
}

/// A closure that is known and called with another number of values than it takes.
pub(crate) fn called(
    written: &KnownValues<'_>,
    ast: &AST,
    site: &CallSite<'_>,
    object: Option<&Expr>,
) -> Option<Impossible> {
    let object = object.filter(|_| site.name == "call" && site.method)?;
    let function = written.value(object).try_cast::<FnPtr>()?;
    let takes = ast.iter_functions().find(|one| one.name == function.fn_name())?.params.len();
    let takes = takes.checked_sub(function.iter_curry().count())?;
    let message = format!("this closure takes {}, and is called with {}", count(takes), count(site.args.len()));
    (takes != site.args.len()).then_some((message, None, site.position))
}

/// So many values, in words.
fn count(values: usize) -> String {
    match values {
        0 => "no value".to_owned(),
        1 => "1 value".to_owned(),
        more => format!("{more} values"),
    }
}

/// Arguments and options of a call that must be closures and are none, or closures that take another number of values.
pub(crate) fn closures(written: &KnownValues<'_>, ast: &AST, site: &CallSite<'_>) -> Vec<Impossible> {
    let mut found = Vec::new();
    let taken = primitives::find(site.name).map_or(&[][..], |doc| doc.closures);
    for arg in taken {
        let (of, given) = match arg.place {
            ClosurePlace::Argument(at) => {
                let at = at.checked_sub(usize::from(site.method));
                (site.name, at.and_then(|at| site.args.get(at)))
            }
            ClosurePlace::Option(key) => (key, option(site, key)),
        };
        found.extend(given.and_then(|given| closure(written, ast, (of, arg), given)));
    }
    found
}

/// An option of a call, if its options are written out.
fn option<'e>(site: &CallSite<'e>, key: &str) -> Option<&'e Expr> {
    let Some(Expr::Map(options, _)) = site.args.last() else { return None };
    options.0.iter().find(|(name, _)| name.name == key).map(|(_, given)| given)
}

fn closure(written: &KnownValues<'_>, ast: &AST, (of, arg): (&str, &ClosureArg), given: &Expr) -> Option<Impossible> {
    let values = arg.values;
    let way = if values == 0 { "||" } else { "|item|" };
    if let Some(name) = acts(written, given) {
        let message = format!("`{of}` wants a closure here: `{name}` is done before it, and gives none");
        return Some((message, Some(format!("write `{way} {name}(…)`")), given.position()));
    }
    if matches!(given, Expr::FnCall(call, _) if call.op_token.is_some())
        || matches!(given, Expr::And(..) | Expr::Or(..))
    {
        let message = format!("`{of}` wants a closure here, and this is worked out before it");
        return Some((message, Some(format!("write `{way} …` before it")), given.position()));
    }
    let (function, captured) = tree::closure_literal(given)?;
    if arg.tells {
        let sort = written.scopes.last_of(ast, &function, |stmt| written.sort_of_stmt(stmt));
        if let Some(sort) = sort.filter(|sort| *sort != Sort::Flag) {
            let message = format!("the closure of `{of}` gives {sort}, not true or false");
            return Some((message, hint_of(sort), given.position()));
        }
    }
    if arg.only_reads
        && let Some((name, position)) = written.scopes.call_in(ast, &function, |site| more_than_reads(written, site))
    {
        return Some((format!("`{name}` in `{of}`: its closure only reads"), None, position));
    }
    let function = ast.iter_functions().find(|one| one.name == function)?;
    let takes = function.params.len().checked_sub(captured)?;
    let message = format!("`{of}` gives its closure {}, and this one takes {}", count(values), count(takes));
    (takes != values).then(|| (message, Some(format!("write it as `{way} …`")), given.position()))
}

/// A call that does more than read.
fn more_than_reads(written: &KnownValues<'_>, site: &CallSite<'_>) -> Option<(String, Position)> {
    let is_ours = site.namespace.is_none() && !written.is_own(site.name);
    let acts = is_ours && primitives::find(site.name).is_some_and(|doc| !doc.only_reads());
    acts.then(|| (site.name.to_owned(), site.position))
}

/// The verb that an expression calls, if that is one that does something or reads, and gives no closure.
fn acts<'e>(written: &KnownValues<'_>, expr: &'e Expr) -> Option<&'e str> {
    let (call, object) = tree::called(expr)?;
    if object.is_some_and(|object| written.thing(object).is_none()) {
        return None;
    }
    let name = call.name.as_str();
    let acts = primitives::find(name).is_some_and(|doc| doc.class.is_some() || doc.acts);
    (acts && !written.is_own(name)).then_some(name)
}
