//! What can be seen to be wrong with a program without running it. Errors are certain; warnings are likely mistakes. It
//! reads syntax trees and the inventory, and evaluates nothing.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use super::values_so_far::ValuesSoFar;
use crate::error::{Error, Kind};
use crate::model::site::inventory::Inventory;
use crate::model::text::{did_you_mean, shown};
use crate::model::versions;
use crate::script::analysis::alternatives::{Together, conditions};
use crate::script::analysis::guarded::{PRODUCT, ProductBranches};
use crate::script::analysis::labels::{labels, unlike};
use crate::script::analysis::written::KnownValues;
use crate::script::analysis::{kept, never};
use crate::script::calls::doc;
use crate::script::calls::gate_name;
use crate::script::calls::options;
use crate::script::compile::diagnostic;
use crate::script::compile::program::{Program, Unit};
use crate::script::compile::regions::regions;
use crate::script::compile::scanner::{At, Lookalike, Scanned, at};
use crate::script::compile::tree::CLOSURE;
use crate::script::compile::tree::{self, CallSite};
use crate::script::evaluate::surface::Functions;
use crate::script::evaluate::trial::Tried;
use crate::script::primitives;
use crate::script::values::handles::{PairHandle, ServiceHandle};
use crate::script::values::unwritten::Unwritten;
use rhai::{ASTNode, Dynamic, Expr, FnAccess, ImmutableString, Position, Stmt};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is wrong: the call would fail.
    Error,
    /// It is likely not what was meant.
    Warning,
}

/// Something found in a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How sure it is.
    pub severity: Severity,
    /// What, where, and what to do.
    pub error: Box<Error>,
}

/// Everything found in a program, file by file, in the order of the lines. Without an inventory the names of hosts,
/// services and pairs are not looked at.
#[must_use]
pub fn lint(program: &Rc<Program>, inventory: Option<&Rc<Inventory>>) -> Vec<Finding> {
    let mut all = Vec::new();
    let keys = program.units().flat_map(|unit| tree::keys(&unit.ast)).collect();
    let of_all = Functions::of_engine(&program.engine());
    for unit in program.units() {
        let mut functions = of_all.clone();
        functions.add(&unit.ast);
        let regions = regions(&unit.text);
        let (guarded, labels) = (ProductBranches::of(&unit.text, &regions), labels(&regions));
        let written = KnownValues::of(program, unit, inventory, &guarded);
        let (loops, keys, findings) = (loops(unit), &keys, Vec::new());
        let mut linter =
            Linter { program, inventory, unit, written, functions, loops, labels, guarded, keys, findings };
        unit.ast.walk(&mut |path| {
            linter.node(path);
            true
        });
        linter.lookalikes();
        linter.findings.sort_by(|a, b| a.error.place.cmp(&b.error.place));
        all.append(&mut linter.findings);
    }
    all
}

/// The text from where to where each loop's body goes. Closures are separate trees: only their place tells that they
/// stand in a loop.
fn loops(unit: &Unit) -> Vec<(Position, Position)> {
    let mut found = Vec::new();
    unit.ast.walk(&mut |path| {
        let body = match path.last() {
            Some(ASTNode::Stmt(Stmt::For(parts, _))) => Some(&parts.2.body),
            Some(ASTNode::Stmt(Stmt::While(flow, _) | Stmt::Do(flow, ..))) => Some(&flow.body),
            _ => None,
        };
        found.extend(body.map(|body| (body.position(), body.end_position())));
        true
    });
    found
}

struct Linter<'a> {
    program: &'a Program,
    inventory: Option<&'a Rc<Inventory>>,
    unit: &'a Unit,
    written: KnownValues<'a>,
    functions: Functions,
    loops: Vec<(Position, Position)>,
    labels: BTreeMap<At, Vec<String>>,
    /// What is run only for some products.
    guarded: ProductBranches,
    /// Under which keys maps of the program may hold something.
    keys: &'a BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Linter<'_> {
    /// What in a text is not what it looks like.
    fn lookalikes(&mut self) {
        for &((line, column), ref what) in Scanned::of(&self.unit.text).lookalikes() {
            let (Ok(line), Ok(column)) = (u16::try_from(line), u16::try_from(column)) else { continue };
            let (message, hint) = match what {
                Lookalike::Escape => (
                    "`\\n` is two characters here: texts in back-ticks know no escapes".to_owned(),
                    "break the line itself, or write `${\"\\n\"}`".to_owned(),
                ),
                Lookalike::Value(value) => (
                    format!("`${{{value}}}` stays as it is here: plain quotes put no values in"),
                    format!("write the text in back-ticks: `… ${{{value}}} …`"),
                ),
            };
            self.found(Severity::Warning, message, Some(hint), Position::new(line, column));
        }
    }

    /// The labels of a `switch` beside what it decides by.
    fn switch(&mut self, path: &[ASTNode<'_>], subject: &Expr, position: Position) {
        let labels = self.labels.get(&at(position)).map(Vec::as_slice).unwrap_or_default();
        if let Some((certain, message, hint)) = unlike(self.written.sort(subject), labels) {
            let severity = if certain { Severity::Error } else { Severity::Warning };
            return self.found(severity, message, Some(hint), position);
        }
        let found = never::labels(&self.written, subject, labels, position);
        self.never(path, found);
    }

    /// Looks at the node at the end of this path with all that its variables are one after the other.
    fn node(&mut self, path: &[ASTNode<'_>]) {
        let Some(node) = path.last() else { return };
        let mut expressions = conditions(node);
        match node {
            ASTNode::Expr(Expr::FnCall(call, _) | Expr::MethodCall(call, _)) => expressions.extend(&call.args),
            ASTNode::Stmt(Stmt::FnCall(call, _)) => expressions.extend(&call.args),
            ASTNode::Expr(Expr::Dot(parts, ..)) => expressions.push(&parts.lhs),
            _ => {}
        }
        expressions.extend(tree::object(path));
        let alternatives = self.written.alternatives_in(&expressions);
        if alternatives.is_empty() {
            return self.node_as_it_is(path);
        }
        let before = self.findings.len();
        for variables in alternatives {
            self.written.assume(variables);
            self.node_as_it_is(path);
        }
        self.written.assume(Together::new());
        let mut found: Vec<Finding> = self.findings.split_off(before);
        let mut seen: Vec<Finding> = Vec::new();
        found.retain(|finding| {
            let is_new = !seen.contains(finding);
            seen.push(finding.clone());
            is_new
        });
        self.findings.append(&mut found);
    }

    fn node_as_it_is(&mut self, path: &[ASTNode<'_>]) {
        let Some(node) = path.last() else { return };
        if let ASTNode::Stmt(Stmt::Switch(parts, position)) = node {
            self.switch(path, &parts.0, *position);
        }
        self.never(path, never::compared(&self.written, node));
        self.never(path, never::condition(&self.written, node));
        if let Some((message, hint, position)) = never::property(&self.written, node) {
            self.found(Severity::Error, message, hint, position);
        }
        if let Some((certain, (message, hint, position))) = never::set(&self.written, node) {
            self.found(if certain { Severity::Error } else { Severity::Warning }, message, hint, position);
        }
        let Some(site) = tree::call_site(node) else { return };
        if tree::capture(path).is_some() {
            return self.capture(path);
        }
        if site.name.starts_with(CLOSURE) {
            return;
        }
        match site.namespace {
            Some(alias) => self.module_call(&site, alias),
            None => self.plain_call(&site, path),
        }
    }

    /// What a reading can never be, unless it is compared only for some products.
    fn never(&mut self, path: &[ASTNode<'_>], found: Vec<never::Impossible>) {
        for (message, hint, position) in found {
            let severity = if self.is_guarded(path, position) { Severity::Warning } else { Severity::Error };
            self.found(severity, message, hint, position);
        }
    }

    /// Whether a place is reached only for some products.
    fn is_guarded(&self, path: &[ASTNode<'_>], position: Position) -> bool {
        let asks = |node: &ASTNode<'_>| match node {
            ASTNode::Expr(Expr::And(parts, _) | Expr::Or(parts, _)) => {
                parts.iter().any(|part| tree::reads_property(part, PRODUCT))
            }
            _ => false,
        };
        self.guarded.has(position) || path.iter().any(asks)
    }

    /// How sure can be what is said of a call of this name; nothing where it may be a call of something else. A map may
    /// hold a closure under any name: `map.name()` calls it.
    fn sure(&self, site: &CallSite<'_>, path: &[ASTNode<'_>]) -> Option<Severity> {
        if !site.method {
            return Some(Severity::Error);
        }
        let certain = tree::object(path).is_some_and(|object| {
            let value = self.written.value(object);
            self.written.thing(object).is_some() || !(value.is::<Unwritten>() || value.is_map())
        });
        match certain {
            true => Some(Severity::Error),
            false => (!self.keys.contains(site.name)).then_some(Severity::Warning),
        }
    }

    fn plain_call(&mut self, site: &CallSite<'_>, path: &[ASTNode<'_>]) {
        let Some(sure) = self.sure(site, path) else { return };
        let (known, wrong) = match site.method {
            true => (
                self.functions.knows_method(site.name, site.args.len()),
                self.functions.wrong_method(site.name, site.args.len()),
            ),
            false => {
                (self.functions.knows(site.name, site.arity()), self.functions.wrong_arity(site.name, site.arity()))
            }
        };
        if !known {
            let (message, hint) = match wrong {
                Some((message, hint)) => (message, Some(hint)),
                None => (format!("unknown function `{}`", site.name), did_you_mean(site.name, self.functions.names())),
            };
            return self.found(sure, message, hint, site.position);
        }
        if let Some((message, hint, position)) = never::called(&self.written, &self.unit.ast, site, tree::object(path))
        {
            self.found(Severity::Error, message, hint, position);
        }
        let own = self.written.is_own(site.name);
        if let Some(doc) = primitives::find(site.name).filter(|_| !own) {
            let before = self.findings.len();
            self.options(site, doc);
            self.verb(site);
            if doc.asks.is_some() {
                self.gate_name(site);
            }
            for (message, hint, position) in never::closures(&self.written, &self.unit.ast, site) {
                self.found(Severity::Error, message, hint, position);
            }
            // The primitive would say the same once more.
            if !self.findings[before..].iter().any(|finding| finding.severity == Severity::Error) {
                self.trial(site, path);
            }
            for finding in &mut self.findings[before..] {
                finding.severity = finding.severity.max(sure);
            }
        }
    }

    /// A call such as `cs::finish(…)`: the module must have that function.
    fn module_call(&mut self, site: &CallSite<'_>, alias: &str) {
        let imports = tree::imports(&self.unit.ast);
        let name = imports.iter().find(|import| import.alias == alias).and_then(|import| import.name.as_deref());
        let Some(module) = name.and_then(|name| self.program.modules.get(name)) else { return };
        let mut public: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for function in module.ast.iter_functions() {
            if function.access == FnAccess::Public && !function.name.starts_with(CLOSURE) {
                public.entry(function.name).or_default().push(function.params.len());
            }
        }
        let (message, hint) = match public.get(site.name) {
            Some(arities) if arities.contains(&site.arity()) => return,
            Some(arities) => {
                let arities: Vec<String> = arities.iter().map(ToString::to_string).collect();
                let message = format!("`{alias}::{}` does not take {} arguments", site.name, site.arity());
                (message, Some(format!("it takes {}", arities.join(" or "))))
            }
            None => {
                let near = did_you_mean(site.name, public.keys().copied());
                (format!("module `{alias}` has no function `{}`", site.name), near)
            }
        };
        self.found(Severity::Error, message, hint, site.position);
    }

    /// The keys of an options map that is written out.
    fn options(&mut self, site: &CallSite<'_>, doc: &doc::VerbDoc) {
        let signature = doc.signatures.iter().find(|one| doc::arity(one) == site.arity());
        let options = signature.and_then(|one| doc::parameters(one).position(|parameter| parameter == "options"));
        let before = usize::from(site.method);
        let options = options.and_then(|index| index.checked_sub(before)).and_then(|index| site.args.get(index));
        let entries = options.and_then(tree::map_entries);
        let written = entries.into_iter().flatten().map(|(key, _, position)| (key, position, true));
        let put = options.map(|options| self.written.keys_put(options, site.position)).unwrap_or_default();
        for (key, position, certain) in written.chain(put).collect::<Vec<_>>() {
            if !doc.option_keys().any(|known| known == key) {
                let severity = if certain { Severity::Error } else { Severity::Warning };
                self.found(severity, options::unknown_option(doc, &key), None, position);
            }
        }
    }

    /// What is special about some verbs.
    fn verb(&mut self, site: &CallSite<'_>) {
        match site.name {
            "wait_until" if !self.has_option(site, "limit") => {
                let hint = "say how long, for example `#{ limit: \"10min\" }`".to_owned();
                self.found(
                    Severity::Warning,
                    "`wait_until` without a limit waits 30min".into(),
                    Some(hint),
                    site.position,
                );
            }
            "run" if self.in_a_loop(site.position) && !self.has_option(site, "check") => {
                let message =
                    "a command without `check` in a loop: after a crash nobody can tell how often it ran".into();
                let hint = "say which command tells whether it happened: `#{ check: [\"test\", \"-e\", \"/done\"] }`";
                self.found(Severity::Warning, message, Some(hint.to_owned()), site.position);
            }
            "wait_for_log" => self.event_numbers(site),
            "older" | "same_version" => self.versions(site),
            _ => {}
        }
    }

    /// What the primitive itself is certain to refuse, as far as its arguments are written out.
    fn trial(&mut self, site: &CallSite<'_>, path: &[ASTNode<'_>]) {
        let known = |arg: &Expr| match self.written.value(arg) {
            value if value.is::<Unwritten>() => Unwritten::of(self.written.sort(arg)),
            value => value,
        };
        let object = site.method.then(|| tree::object(path).map_or_else(Unwritten::unknown, known));
        let args: Vec<Dynamic> = object.into_iter().chain(site.args.iter().map(known)).collect();
        if let Some((message, hint)) = self.offered_by_none(site.name, &args) {
            let guarded = self.is_guarded(path, site.position);
            let severity = if guarded { Severity::Warning } else { Severity::Error };
            return self.found(severity, message, hint, site.position);
        }
        let of_product = args.iter().any(|arg| arg.is::<ServiceHandle>() || arg.is::<PairHandle>());
        if let Tried::Refused(error) = self.written.call(site.name, args) {
            let guarded = of_product && self.is_guarded(path, site.position);
            let severity = if guarded { Severity::Warning } else { Severity::Error };
            self.found(severity, error.message, error.hints.into_iter().next(), site.position);
        }
    }

    /// A verb or a probe that no product of the site has, where it is not known of which service it is asked.
    fn offered_by_none(&self, name: &str, args: &[Dynamic]) -> Option<(String, Option<String>)> {
        let services = &self.inventory?.services;
        let [service, asked, ..] = args else { return None };
        let asked = asked.read_lock::<ImmutableString>()?;
        let profiles = services.values().map(|service| &service.profile);
        let (word, known): (_, BTreeSet<&String>) = match name {
            "change" => ("verb", profiles.flat_map(|profile| profile.verbs.keys()).collect()),
            "probe" | "wait_probe" => ("probe", profiles.flat_map(|profile| profile.probes.keys()).collect()),
            _ => return None,
        };
        let is_there = known.iter().any(|one| one.as_str() == asked.as_str());
        if !service.is::<Unwritten>() || services.is_empty() || is_there {
            return None;
        }
        let near = did_you_mean(&asked, known.iter().map(|one| one.as_str()));
        Some((format!("no product of the site has a {word} `{}`", asked.as_str()), near))
    }

    fn gate_name(&mut self, site: &CallSite<'_>) {
        for (key, value, position) in site.args.last().and_then(tree::map_entries).unwrap_or_default() {
            let name = value.filter(|_| key == "gate").and_then(|value| value.into_immutable_string().ok());
            if let Some(message) = name.and_then(|name| gate_name::wrong_name(&name)) {
                self.found(Severity::Error, message, None, position);
            }
        }
    }

    /// Texts that are compared as versions and are none.
    fn versions(&mut self, site: &CallSite<'_>) {
        for arg in site.args {
            let text = self.written.value(arg).into_immutable_string();
            if let Some(text) = text.ok().filter(|text| !versions::is_version(text)) {
                let message = format!("`{}`: `{}` is no version", site.name, shown(&text));
                let hint = "a version is numbers with dots between them, as 8.5.101".to_owned();
                self.found(Severity::Error, message, Some(hint), arg.position());
            }
        }
    }

    fn event_numbers(&mut self, site: &CallSite<'_>) {
        let Some(what) = site.args.get(usize::from(!site.method)).and_then(tree::literal) else { return };
        let items = what.clone().into_array().unwrap_or_else(|_| vec![what]);
        let is_number =
            |text: &Dynamic| text.clone().into_immutable_string().is_ok_and(|text| text.parse::<i64>().is_ok());
        for item in items.iter().filter(|item| is_number(item)) {
            let message = format!("`\"{item}\"` is text: it matches these digits anywhere in a line, not event {item}");
            self.found(Severity::Warning, message, Some(format!("write the number: {item}")), site.position);
        }
    }

    /// A closure that captures a variable which all rounds of a loop share: wrong when it is kept past its round.
    fn capture(&mut self, path: &[ASTNode<'_>]) {
        for kept::Shared { name, position, certain } in kept::shared(&self.unit.ast, path) {
            let (severity, then) = match certain {
                true => (Severity::Error, "it will see the last one"),
                false => (Severity::Warning, "called after its round, it would see the last one"),
            };
            let message = format!("the closure keeps `{name}`, which all rounds of the loop share: {then}");
            let hint = format!("copy it first: `let this_{name} = {name};`, and use `this_{name}` in the closure");
            self.found(severity, message, Some(hint), position);
        }
        for (name, position) in kept::set_later(&self.unit.ast, &self.written.scopes, path) {
            let message = format!("`{name}` is set here, and an obligation above has kept it as it was before");
            let hint = format!("declare it without a value, `let {name};`: then it is looked up when that is done");
            self.found(Severity::Error, message, Some(hint), position);
        }
    }

    fn has_option(&self, site: &CallSite<'_>, key: &str) -> bool {
        match site.args.last() {
            Some(Expr::Map(..) | Expr::DynamicConstant(..)) => site
                .args
                .last()
                .and_then(tree::map_entries)
                .is_some_and(|entries| entries.iter().any(|(k, ..)| k == key)),
            // Options that are not written out may hold anything.
            Some(Expr::Variable(..)) => true,
            Some(_) | None => false,
        }
    }

    fn in_a_loop(&self, position: Position) -> bool {
        let at = |position: Position| (position.line().unwrap_or(0), position.position().unwrap_or(0));
        self.loops.iter().any(|(from, to)| at(*from) <= at(position) && at(position) <= at(*to))
    }

    fn found(&mut self, severity: Severity, message: String, hint: Option<String>, position: Position) {
        let error = Error::new(Kind::Script, message);
        let mut error = diagnostic::pointing(error, &self.unit.file, &self.unit.text, position);
        error.hints.extend(hint);
        self.findings.push(Finding { severity, error });
    }
}
