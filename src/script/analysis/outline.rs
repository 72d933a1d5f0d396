//! The steps that a runbook has, found by reading it: what is still ahead of a run. It must not evaluate anything; of a
//! name that is computed it knows what is written out.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::error::Place;
use crate::model::run::step_name::StepNames;
use crate::script::compile::program::{Program, Unit};
use crate::script::compile::regions::{Region, RegionKind, regions};
use crate::script::compile::scanner::At;
use crate::script::compile::{diagnostic, tree};
use rhai::{AST, ASTNode, Expr, Stmt, StmtBlock};
use std::collections::{BTreeMap, BTreeSet};

/// How many lines an outline may have: functions that call others often make it long.
const LINES_MAX: usize = 500;
/// A function with no more lines is written anew at each place that calls it.
const SHORT: usize = 3;

/// A step that is written in a runbook or one of its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStep {
    /// Its name, with `…` where only the run tells.
    pub name: String,
    /// Whether only the run tells its whole name. Of several that are written out it bears one.
    pub computed: bool,
    /// Where it stands.
    pub place: Place,
    /// Whether it is owed at the end.
    pub owed: bool,
    /// Whether it may come more than once.
    pub repeats: bool,
}

/// A line of an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutlineLine {
    /// What follows, deeper than this, happens only under this condition, or as often as this says.
    Only(String),
    /// The same, and what comes behind it does not happen then.
    Instead(String),
    /// A step.
    Step(WrittenStep),
    /// The steps that already stand further up, from this one on.
    Again(WrittenStep),
}

/// What can happen, in the order in which it can: each line with how deep it stands. A function's steps stand where it
/// is called, those of a long one at further places only with the first; what nothing seems to call stands at the end.
#[must_use]
pub fn outline(program: &Program) -> Vec<(usize, OutlineLine)> {
    let sheets = sheets(program);
    let mut writer = Writer { sheets: &sheets, ..Writer::default() };
    if let Some(sheet) = sheets.first() {
        writer.part(sheet, None);
    }
    let seen: BTreeSet<Place> = writer.lines.iter().filter_map(|(_, line)| place_of(line)).collect();
    let written = sheets.iter().flat_map(|sheet| &sheet.items).flat_map(|item| match &item.what {
        What::Step(names) => names.as_slice(),
        What::Call { .. } => &[],
    });
    let missing = written.filter(|step| !seen.contains(&step.place));
    let missing: Vec<(usize, OutlineLine)> = missing.map(|step| (1, OutlineLine::Step(step.clone()))).collect();
    let mut lines = writer.lines;
    if !missing.is_empty() {
        lines.push((0, OutlineLine::Only("on the way back, or where the text does not show it".to_owned())));
        lines.extend(missing);
    }
    lines
}

/// The runbook, then its modules.
fn sheets(program: &Program) -> Vec<Sheet<'_>> {
    let modules = program.modules.iter().map(|(name, unit)| (name.as_str(), unit));
    let (units, flags) = (std::iter::once(("", &program.main)).chain(modules), Flags::of(&program.main.ast));
    units.map(|(name, unit)| Sheet::of(name, unit, &flags)).collect()
}

fn place_of(line: &OutlineLine) -> Option<Place> {
    match line {
        OutlineLine::Step(step) => Some(step.place.clone()),
        OutlineLine::Only(_) | OutlineLine::Instead(_) | OutlineLine::Again(_) => None,
    }
}

/// The names of a program's steps, and how many there can be at the most.
#[must_use]
pub fn step_names(program: &Program) -> StepNames {
    let sheets = sheets(program);
    let most = sheets.first().and_then(|sheet| Counter { sheets: &sheets, calls: Vec::new() }.of_part(sheet, None));
    let mut names = StepNames { most, ..StepNames::default() };
    for WrittenStep { name, computed, .. } in steps(program) {
        let known = if computed { &mut names.computed } else { &mut names.written };
        if !known.contains(&name) {
            known.push(name);
        }
    }
    names
}

/// The words under which the names stand of which a step bears one.
const ONE_NAME: &str = "by one of these names";

/// Which of its flags the runbook sets, and to what: the key of a map, and the values written out for it. A flag that
/// is also set to what only the run tells has both.
struct Flags(BTreeMap<String, BTreeSet<bool>>);

impl Flags {
    fn of(ast: &AST) -> Self {
        let mut flags: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
        let mut set = |key: &str, value: &Expr| {
            let value = tree::literal(value).and_then(|value| value.as_bool().ok());
            let all = flags.entry(key.to_owned()).or_default();
            all.extend(value.map_or_else(|| vec![true, false], |value| vec![value]));
        };
        ast.walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Expr(Expr::Map(entries, _))) => {
                    entries.0.iter().for_each(|(key, value)| set(&key.name, value));
                }
                Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                    if let Expr::Dot(to, ..) = &parts.1.lhs
                        && let Expr::Property(key, _) = &to.rhs
                    {
                        set(&key.2, &parts.1.rhs);
                    }
                }
                _ => {}
            }
            true
        });
        Self(flags)
    }

    /// Whether a condition can come to this, as far as the runbook shows: it is asked of flags behind a dot.
    fn can_be(&self, condition: &Expr, value: bool) -> bool {
        let Expr::Dot(parts, ..) = condition else { return true };
        let Expr::Property(key, _) = &parts.rhs else { return true };
        self.0.get(key.2.as_str()).is_none_or(|values| values.contains(&value))
    }

    /// The names that are written out as the name of a step: one, or those of an `if`; nothing where it is computed.
    fn names(&self, given: &Expr) -> Option<Vec<String>> {
        if let Some(name) = tree::literal_text(given) {
            return Some(vec![name]);
        }
        let Expr::Stmt(block) = given else { return None };
        self.names_of_block(block)
    }

    fn names_of_block(&self, block: &StmtBlock) -> Option<Vec<String>> {
        let flow = match block.statements() {
            [Stmt::Expr(name)] => return self.names(name),
            [Stmt::If(flow, _)] => flow,
            _ => return None,
        };
        let mut names = Vec::new();
        for (branch, value) in [(&flow.body, true), (&flow.branch, false)] {
            let of_branch = self.names_of_block(branch)?;
            names.extend(of_branch.into_iter().filter(|_| self.can_be(&flow.expr, value)));
        }
        Some(names)
    }
}

/// The steps of a program, each once, in the order in which they can happen.
#[must_use]
pub fn steps(program: &Program) -> Vec<WrittenStep> {
    let mut seen = BTreeSet::new();
    let all = outline(program).into_iter().filter_map(|(_, line)| match line {
        OutlineLine::Step(step) => Some(step),
        OutlineLine::Only(_) | OutlineLine::Instead(_) | OutlineLine::Again(_) => None,
    });
    all.filter(|step| seen.insert((step.place.clone(), step.name.clone()))).collect()
}

/// A file, with what an outline needs of it.
struct Sheet<'a> {
    /// The module's name; nothing for the runbook.
    name: &'a str,
    file: &'a str,
    regions: Vec<Region>,
    /// In the order of the lines.
    items: Vec<OutlineItem>,
    /// The modules it imports, by what it calls them.
    modules: BTreeMap<String, String>,
}

struct OutlineItem {
    at: At,
    what: What,
}

#[derive(PartialEq, Eq)]
enum What {
    /// By each of the names that it can bear.
    Step(Vec<WrittenStep>),
    Call {
        namespace: Option<String>,
        name: String,
        arity: usize,
    },
}

impl<'a> Sheet<'a> {
    fn of(name: &'a str, unit: &'a Unit, flags: &Flags) -> Self {
        let mut items = Vec::new();
        unit.ast.walk(&mut |path| {
            if let Some(site) = path.last().and_then(tree::call_site)
                && let Some(place) = diagnostic::place(&unit.file, site.position)
            {
                let at = (place.line, place.column);
                let begins = matches!(site.name, "step" | "ensure") && site.namespace.is_none();
                let what = match site.args.first().filter(|_| begins) {
                    Some(given) => {
                        let (owed, repeats) = (site.name == "ensure", false);
                        let step = |name, computed| {
                            let place = place.clone();
                            WrittenStep { name, computed, place, owed, repeats }
                        };
                        What::Step(match flags.names(given) {
                            Some(names) => names.into_iter().map(|name| step(name, false)).collect(),
                            None => vec![step(tree::template_text(given), true)],
                        })
                    }
                    None => What::Call {
                        namespace: site.namespace.map(str::to_owned),
                        name: site.name.to_owned(),
                        arity: site.arity(),
                    },
                };
                items.push(OutlineItem { at, what });
            }
            true
        });
        items.sort_by_key(|item| item.at);
        // An arm of a `switch` that has several words is visited for each of them.
        items.dedup_by(|a, b| a.at == b.at && a.what == b.what);
        let regions = regions(&unit.text);
        items.retain(|item| !regions.iter().any(|region| region.kind == RegionKind::Undo && region.has(item.at)));
        let modules = tree::imports(&unit.ast).into_iter().filter_map(|import| Some((import.alias, import.name?)));
        Self { name, file: &unit.file, regions, items, modules: modules.collect() }
    }

    /// The innermost function around a place.
    fn function_at(&self, at: At) -> Option<usize> {
        let is_function = |region: &Region| matches!(region.kind, RegionKind::Function(..)) && region.has(at);
        self.regions.iter().rposition(is_function)
    }

    /// The function of this name.
    fn function(&self, name: &str, arity: usize) -> Option<usize> {
        self.regions.iter().position(
            |region| matches!(&region.kind, RegionKind::Function(own, count) if own == name && *count == arity),
        )
    }
}

/// The function of a script that a call in `sheet` means, with its file.
fn called<'a>(
    sheets: &'a [Sheet<'a>],
    sheet: &'a Sheet<'a>,
    namespace: Option<&str>,
    name: &str,
    arity: usize,
) -> Option<(&'a Sheet<'a>, usize)> {
    let home = match namespace {
        None => sheet,
        Some(alias) => {
            let module = sheet.modules.get(alias)?;
            sheets.iter().find(|sheet| sheet.name == *module)?
        }
    };
    Some((home, home.function(name, arity)?))
}

/// Writes the lines, headings only above steps.
#[derive(Default)]
struct Writer<'a> {
    sheets: &'a [Sheet<'a>],
    /// The headings that are open: what they belong to, and how deep they stand.
    path: Vec<Heading>,
    /// The functions under way: a function that calls itself is written once.
    calls: Vec<StepCall>,
    /// How many calls there were: the same branch is another one in another call.
    calling: usize,
    /// The first steps of the long functions that stand already.
    written: BTreeMap<(String, usize), WrittenStep>,
    lines: Vec<(usize, OutlineLine)>,
}

#[derive(Clone, PartialEq, Eq)]
struct Heading {
    /// The call and the place it belongs to.
    of: (usize, At),
    /// Nothing for the body of a step.
    words: Option<String>,
    /// Whether what stands under it may come more than once.
    repeats: bool,
    /// Whether what comes behind does not happen then.
    leaves: bool,
}

struct StepCall {
    file: String,
    function: usize,
    /// The headings around it.
    around: Vec<Heading>,
}

impl<'a> Writer<'a> {
    /// The lines of a file, or of one of its functions.
    fn part(&mut self, sheet: &'a Sheet<'a>, function: Option<usize>) {
        let call = self.calling;
        let around = self.calls.last().map(|call| call.around.clone()).unwrap_or_default();
        for item in sheet.items.iter().filter(|item| sheet.function_at(item.at) == function) {
            if self.lines.len() >= LINES_MAX {
                return;
            }
            let mut headings = around.clone();
            headings.extend(headings_of(sheet, function, item.at, call));
            match &item.what {
                What::Step(names) => self.step(&headings, names),
                What::Call { namespace, name, arity } => {
                    if let Some((home, function)) = called(self.sheets, sheet, namespace.as_deref(), name, *arity) {
                        self.call(home, function, headings);
                    }
                }
            }
        }
    }

    fn call(&mut self, sheet: &'a Sheet<'a>, function: usize, around: Vec<Heading>) {
        if self.calls.iter().any(|call| call.file == sheet.file && call.function == function) {
            return;
        }
        let key = (sheet.file.to_owned(), function);
        if let Some(first) = self.written.get(&key) {
            return self.line(&around, OutlineLine::Again(first.clone()));
        }
        let from = self.lines.len();
        self.calling += 1;
        self.calls.push(StepCall { file: sheet.file.to_owned(), function, around });
        self.part(sheet, Some(function));
        self.calls.pop();
        let lines = &self.lines[from..];
        let first = lines.iter().find_map(|(_, line)| match line {
            OutlineLine::Step(step) | OutlineLine::Again(step) => Some(step.clone()),
            OutlineLine::Only(_) | OutlineLine::Instead(_) => None,
        });
        if let Some(first) = first.filter(|_| lines.len() > SHORT) {
            self.written.insert(key, first);
        }
    }

    /// A step, by the names that it can bear.
    fn step(&mut self, headings: &[Heading], names: &[WrittenStep]) {
        let [first, others @ ..] = names else { return };
        if others.is_empty() {
            return self.line(headings, OutlineLine::Step(first.clone()));
        }
        let at = (first.place.line, first.place.column);
        let words = Some(ONE_NAME.to_owned());
        let under = Heading { of: (self.calling, at), words, repeats: false, leaves: false };
        let headings: Vec<Heading> = headings.iter().cloned().chain([under]).collect();
        names.iter().for_each(|step| self.line(&headings, OutlineLine::Step(step.clone())));
    }

    fn line(&mut self, headings: &[Heading], line: OutlineLine) {
        let same = self.path.iter().zip(headings).take_while(|(a, b)| a == b).count();
        for (depth, heading) in headings.iter().enumerate().skip(same) {
            let line = if heading.leaves { OutlineLine::Instead } else { OutlineLine::Only };
            self.lines.extend(heading.words.clone().map(|words| (depth, line(words))));
        }
        self.path = headings.to_vec();
        let repeats = headings.iter().any(|heading| heading.repeats);
        let line = match line {
            OutlineLine::Step(step) => OutlineLine::Step(WrittenStep { repeats, ..step }),
            OutlineLine::Only(_) | OutlineLine::Instead(_) | OutlineLine::Again(_) => line,
        };
        self.lines.push((headings.len(), line));
    }
}

/// The headings that a place in a file or a function stands under, outermost first.
fn headings_of(sheet: &Sheet<'_>, function: Option<usize>, at: At, call: usize) -> Vec<Heading> {
    let inside = |region: &Region| function.is_none_or(|outer| sheet.regions[outer].has(region.from));
    let heading =
        |at: At, words: Option<String>, repeats: bool| Heading { of: (call, at), words, repeats, leaves: false };
    let mut headings = Vec::new();
    for region in sheet.regions.iter().filter(|region| region.has(at) && inside(region)) {
        match &region.kind {
            RegionKind::Function(..) | RegionKind::Undo => {}
            RegionKind::Step => headings.push(heading(region.from, None, false)),
            RegionKind::Rounds(words) => headings.push(heading(region.from, Some(words.clone()), true)),
            RegionKind::Branch { group, when, by, leaves } => {
                let by = by.as_ref().map(|by| format!("one of these, by {by}"));
                headings.extend(by.map(|words| heading(*group, Some(words), false)));
                let instead = if *leaves { ", instead of what follows" } else { "" };
                let branch = heading(region.from, Some(format!("{when}{instead}")), false);
                headings.push(Heading { leaves: *leaves, ..branch });
            }
        }
    }
    headings
}

/// The regions around a place, outermost first, and how many steps can begin there.
type Enclosing<'a> = (Vec<&'a Region>, u32);

/// Counts the steps that are part of no other one.
struct Counter<'a> {
    sheets: &'a [Sheet<'a>],
    /// The functions under way.
    calls: Vec<(&'a str, usize)>,
}

impl<'a> Counter<'a> {
    /// How many a file or a function can come to at the most; nothing where the text sets no limit.
    fn of_part(&mut self, sheet: &'a Sheet<'a>, function: Option<usize>) -> Option<u32> {
        let mut items = Vec::new();
        for item in sheet.items.iter().filter(|item| sheet.function_at(item.at) == function) {
            let inside = |region: &&Region| function.is_none_or(|outer| sheet.regions[outer].has(region.from));
            let around = sheet.regions.iter().filter(|region| region.has(item.at)).filter(inside);
            let around: Vec<&Region> =
                around.filter(|region| !matches!(region.kind, RegionKind::Function(..))).collect();
            if around.iter().any(|region| region.kind == RegionKind::Step) {
                continue;
            }
            let count = match &item.what {
                What::Step(_) => 1,
                What::Call { namespace, name, arity } => {
                    match called(self.sheets, sheet, namespace.as_deref(), name, *arity) {
                        Some((home, function)) => self.of_call(home, function)?,
                        None => 0,
                    }
                }
            };
            if count > 0 {
                items.push((around, count));
            }
        }
        most(&items, 0)
    }

    fn of_call(&mut self, sheet: &'a Sheet<'a>, function: usize) -> Option<u32> {
        let call = (sheet.file, function);
        if self.calls.contains(&call) {
            return None;
        }
        self.calls.push(call);
        let count = self.of_part(sheet, Some(function));
        self.calls.pop();
        count
    }
}

/// How many of these can come, of which those in different branches of one group exclude each other; nothing when some
/// stand in rounds. `depth` regions around them are dealt with.
fn most(items: &[Enclosing<'_>], depth: usize) -> Option<u32> {
    let mut total = 0_u32;
    let mut groups: BTreeMap<At, BTreeMap<At, Vec<Enclosing<'_>>>> = BTreeMap::new();
    for (around, count) in items {
        match around.get(depth).map(|region| (&region.kind, region.from)) {
            None => total = total.checked_add(*count)?,
            Some((RegionKind::Branch { group, .. }, from)) => {
                groups.entry(*group).or_default().entry(from).or_default().push((around.clone(), *count));
            }
            Some((RegionKind::Function(..) | RegionKind::Step | RegionKind::Undo | RegionKind::Rounds(_), _)) => {
                return None;
            }
        }
    }
    for branches in groups.values() {
        let counts: Option<Vec<u32>> = branches.values().map(|items| most(items, depth + 1)).collect();
        total = total.checked_add(counts?.into_iter().max().unwrap_or_default())?;
    }
    Some(total)
}
