//! What is written in a script and can never be: words that a probe never reads, properties that nothing has, closures
//! that are no closures or take the wrong number of values. It calls nothing; what is not certain it passes over.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::convert;
use crate::model::text::did_you_mean;
use crate::model::value::Value;
use crate::script::doc;
use crate::script::handles::{PairHandle, ServiceHandle};
use crate::script::tree::{self, CallSite};
use crate::script::written::KnownValues;
use rhai::{AST, ASTNode, Dynamic, Expr, FnCallExpr, FnPtr, Position, Stmt};

/// What is wrong, what to do, and where.
pub(crate) type Impossible = (String, Option<String>, Position);

/// Verbs of the language that give what a probe reads.
const READS: [(&str, &str); 6] = [
    ("status", "status"),
    ("role", "role"),
    ("version", "version"),
    ("running_version", "running_version"),
    ("clients", "clients"),
    ("is_readonly", "readonly"),
];
/// Which argument of a verb must be a closure, and how many values it is given.
const BODIES: [(&str, usize, usize); 5] =
    [("step", 1, 0), ("ensure", 1, 0), ("parallel", 1, 1), ("rolling", 2, 1), ("wait_until", 1, 0)];
/// The same of options.
const IN_OPTIONS: [(&str, &str, usize); 4] =
    [("step", "undo", 0), ("ensure", "harm", 0), ("manual", "check", 0), ("reboot", "ready", 1)];
/// Verbs that have no class and do something nevertheless.
const ACT: [&str; 3] = ["guard", "hold", "ensure"];
/// What hosts and services have behind a dot.
const PROPERTIES: [(&str, &[&str]); 3] = [
    ("host", &["name", "address"]),
    ("service", &["name", "host", "product"]),
    ("pair", &["name", "configured_primary", "configured_backup", "members"]),
];

/// A word that is compared with a reading and that the reading never is.
pub(crate) fn compared(written: &KnownValues<'_>, node: &ASTNode<'_>) -> Vec<Impossible> {
    let call: &FnCallExpr = match node {
        ASTNode::Expr(Expr::FnCall(call, _)) => call,
        ASTNode::Stmt(Stmt::FnCall(call, _)) => call,
        _ => return Vec::new(),
    };
    if call.op_token.is_none() || !["==", "!="].contains(&call.name.as_str()) {
        return Vec::new();
    }
    let [left, right] = &*call.args else { return Vec::new() };
    let (service, probe, other) = match (reading(written, left), reading(written, right)) {
        (Some((service, probe)), None) => (service, probe, right),
        (None, Some((service, probe))) => (service, probe, left),
        _ => return Vec::new(),
    };
    let value = written.value(other);
    let found = convert::to_value(&value).ok().and_then(|value| never(&service, &probe, &value));
    found.map(|message| (message, None, other.position())).into_iter().collect()
}

/// Labels of a `switch` that what it looks at never is.
pub(crate) fn labels(
    written: &KnownValues<'_>,
    subject: &Expr,
    labels: &[String],
    position: Position,
) -> Vec<Impossible> {
    let Some((service, probe)) = reading(written, subject) else { return Vec::new() };
    let texts = labels.iter().filter_map(|label| label.strip_prefix('"')?.strip_suffix('"'));
    texts.filter_map(|text| Some((never(&service, &probe, &text.into())?, None, position))).collect()
}

/// The service and the probe that an expression reads.
fn reading(written: &KnownValues<'_>, expr: &Expr) -> Option<(ServiceHandle, String)> {
    let (call, object) = tree::called(expr).filter(|(call, _)| !written.is_own(&call.name))?;
    let mut args = object.into_iter().chain(call.args.iter());
    let service = written.value(args.next()?).read_lock::<ServiceHandle>().map(|service| service.clone())?;
    let probe = match READS.iter().find(|(verb, _)| *verb == call.name) {
        Some((_, probe)) => (*probe).to_owned(),
        None if call.name == "probe" => written.value(args.next()?).into_immutable_string().ok()?.to_string(),
        None => return None,
    };
    Some((service, probe))
}

/// Why a probe never reads this.
fn never(service: &ServiceHandle, probe: &str, value: &Value) -> Option<String> {
    let reads = &service.get().profile.probes.get(probe)?.reads;
    // What is nothing is compared with to ask whether something is there.
    if matches!(value, Value::Null | Value::List(_) | Value::Map(_)) {
        return None;
    }
    if let Err(why) = reads.can_give(value) {
        return Some(format!("probe `{probe}` {why}"));
    }
    let typed = reads.typed(&value.to_string());
    let unlike = matches!(value, Value::Text(_)) && !matches!(typed, Value::Text(_));
    unlike.then(|| format!("probe `{probe}` reads {}: it is never the text `{value}`", typed.kind_name()))
}

/// A property that a host, a service or a pair does not have.
pub(crate) fn property(written: &KnownValues<'_>, node: &ASTNode<'_>) -> Option<Impossible> {
    let ASTNode::Expr(Expr::Dot(parts, ..)) = node else { return None };
    let thing = written.thing(&parts.lhs)?;
    let property = match &parts.rhs {
        Expr::Dot(inner, ..) | Expr::Index(inner, ..) => &inner.lhs,
        other => other,
    };
    let Expr::Property(name, position) = property else { return None };
    let name = name.2.as_str();
    let (_, known) = PROPERTIES.iter().find(|(of, _)| *of == thing)?;
    let mut known: Vec<String> = known.iter().map(ToString::to_string).collect();
    if thing == "pair" {
        // Which services a pair is related to only an inventory tells.
        known.extend(written.value(&parts.lhs).read_lock::<PairHandle>()?.get().related.keys().cloned());
    }
    if known.iter().any(|one| one == name) {
        return None;
    }
    let dotted: Vec<String> = known.iter().map(|one| format!(".{one}")).collect();
    let near = did_you_mean(&format!(".{name}"), dotted.iter().map(String::as_str));
    let all = || format!("it has {}", dotted.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "));
    Some((format!("a {thing} has no `.{name}`"), near.or_else(|| Some(all())), *position))
}

/// Arguments and options of a call that must be closures and are none, or closures that take another number of values.
pub(crate) fn closures(written: &KnownValues<'_>, ast: &AST, site: &CallSite<'_>) -> Vec<Impossible> {
    let mut found = Vec::new();
    if let Some((_, at, values)) = BODIES.iter().find(|(verb, ..)| *verb == site.name) {
        let given = at.checked_sub(usize::from(site.method)).and_then(|at| site.args.get(at));
        found.extend(given.and_then(|given| closure(written, ast, site.name, given, *values)));
    }
    let Some(Expr::Map(options, _)) = site.args.last() else { return found };
    for (key, given) in &options.0 {
        let known = IN_OPTIONS.iter().find(|(verb, option, _)| *verb == site.name && *option == key.name);
        found.extend(known.and_then(|(.., values)| closure(written, ast, key.name.as_str(), given, *values)));
    }
    found
}

fn closure(written: &KnownValues<'_>, ast: &AST, of: &str, given: &Expr, values: usize) -> Option<Impossible> {
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
    let (function, captured) = literal(given)?;
    let function = ast.iter_functions().find(|one| one.name == function)?;
    let takes = function.params.len().checked_sub(captured)?;
    let count = |values: usize| match values {
        0 => "no value".to_owned(),
        1 => "1 value".to_owned(),
        more => format!("{more} values"),
    };
    let message = format!("`{of}` gives its closure {}, and this one takes {}", count(values), count(takes));
    (takes != values).then(|| (message, Some(format!("write it as `{way} …`")), given.position()))
}

/// The verb that an expression calls, if that is one that does something or reads, and gives no closure.
fn acts<'e>(written: &KnownValues<'_>, expr: &'e Expr) -> Option<&'e str> {
    let (call, object) = tree::called(expr)?;
    if object.is_some_and(|object| written.thing(object).is_none()) {
        return None;
    }
    let name = call.name.as_str();
    let acts = doc::find(name).is_some_and(|doc| doc.class.is_some() || ACT.contains(&name));
    (acts && !written.is_own(name)).then_some(name)
}

/// The function of a closure that is written out, and how many of what it takes it has captured.
fn literal(expr: &Expr) -> Option<(String, usize)> {
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
    let function: Dynamic = tree::literal(function)?;
    Some((function.try_cast::<FnPtr>()?.fn_name().to_owned(), captured))
}
