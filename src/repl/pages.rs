//! What commands list: steps, variables, hosts, help. Every foreign text passes through [`shown`]. It must not change
//! anything.

use super::command::COMMANDS;
use super::session::ReplSession;
use super::stop::{Ahead, Stop};
use super::timeline::{Open, StepStanding, TimelineStep};
use crate::error::{Error, Kind, Result};
use crate::model::run::record::TrackId;
use crate::model::site::inventory::Inventory;
use crate::model::text::{did_you_mean, shown};
use crate::report::layout::{Badge, badge, folded, hung, paragraphs};
use crate::report::operator_actions::{ALREADY, NOT_REACHED, SKIPPED};
use crate::report::style::Tone;
use crate::script::analysis::outline::{OutlineLine, WrittenStep};
use crate::script::evaluate::repl::can_be_read;
use crate::script::primitives;

/// With fewer columns than this there is no room for words beside the commands.
const NARROW: usize = 56;

/// Where the run stands.
pub(crate) fn place(session: &ReplSession, stop: &Stop) -> String {
    let mut text = format!("run {}\n", session.run);
    match &stop.ahead {
        Ahead::Step { words, .. } | Ahead::Effect { words, .. } => text += &format!("{words}\n"),
        Ahead::Nothing if session.written.has_runbook() => {
            if session.standing.is_over() {
                text += "the run has come to its end\n";
            } else {
                text += &format!("stands at {}\n", stop.place());
            }
            if let Some(former) = session.standing.former().filter(|former| !former.message.is_empty()) {
                text += &format!("stopped: {}\n", shown(former.message.lines().next().unwrap_or_default()));
            }
            text.extend(stop.words().map(|words| format!("{words}\n")));
        }
        Ahead::Nothing => text += "no runbook: lines are typed by hand\n",
    }
    for step in session.timeline.steps().iter().filter(|step| step.standing == StepStanding::UnderWay) {
        text += &format!("inside step {} `{}`\n", step.number, shown(&step.name));
    }
    text.push_str(&under_way(session));
    text
}

/// What goes on on hosts without anybody waiting for it.
pub(crate) fn under_way(session: &ReplSession) -> String {
    let on = |host: Option<String>| host.map_or_else(String::new, |host| format!(" on {host}"));
    let mut text = String::new();
    for Open { label, host, job } in session.timeline.open() {
        let what = if job { "was begun and goes on there" } else { "was being waited for" };
        text += &format!("`{}`{} {what}; :redo takes it up again\n", shown(&label), on(host));
    }
    text
}

fn standing(step: &TimelineStep) -> Badge {
    match step.standing {
        StepStanding::UnderWay => badge('…', "begun", Tone::Wait),
        StepStanding::Done => badge('✓', "done", Tone::Good),
        StepStanding::Same => ALREADY,
        StepStanding::Failed => badge('✗', "failed", Tone::Bad),
        StepStanding::Skipped => SKIPPED,
    }
}

/// The steps: those that have begun, then those that are written and were not reached, in the order in which they can
/// happen.
pub(crate) fn steps(session: &ReplSession, width: usize) -> String {
    let mut begun = session.timeline.steps();
    begun.sort_by_key(|step| step.number.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u32>>());
    let mut text = String::new();
    for step in &begun {
        let mark = standing(step);
        text += &row(&format!("{} {:<7} {:<6} ", mark.symbol, mark.word, step.number), &shown(&step.name), width);
    }
    let reached = |written: &WrittenStep| -> Option<String> {
        let here = |step: &TimelineStep| match &step.place {
            Some((_, at)) => *at == written.place.line,
            None => !written.computed,
        };
        let same = |step: &&TimelineStep| here(step) && (written.computed || step.name == written.name);
        begun.iter().find(same).map(|step| step.number.clone())
    };
    text += &ahead(session.written.outline(), reached, width);
    if text.is_empty() { "no steps\n".to_owned() } else { text }
}

/// What was not reached, with what decides whether it is. A heading is shown above the first step under it that is
/// still ahead. `reached` gives the number of a step that has begun.
fn ahead(outline: &[(usize, OutlineLine)], reached: impl Fn(&WrittenStep) -> Option<String>, width: usize) -> String {
    let mut text = String::new();
    let mut headings: Vec<(usize, &str, bool)> = Vec::new();
    let mut numbers = NumbersAhead::new();
    for (depth, line) in outline {
        headings.retain(|(of, ..)| of < depth);
        let (written, more) = match line {
            OutlineLine::Only(words) => {
                headings.push((*depth, words, false));
                continue;
            }
            OutlineLine::Instead(words) => {
                headings.push((*depth, words, true));
                continue;
            }
            OutlineLine::Step(written) if written.owed => (written, " (owed at the end)"),
            OutlineLine::Step(written) => (written, ""),
            OutlineLine::Again(written) => (written, ", and so on, as further up"),
        };
        if let Some(number) = reached(written) {
            numbers.began(*depth, &number);
            continue;
        }
        let leaves = headings.iter().any(|(.., leaves)| *leaves);
        let number = match line {
            OutlineLine::Step(step) if headings.is_empty() && !step.owed => numbers.next(*depth),
            // What is owed is done at the end, and what leaves the others is not followed by them.
            OutlineLine::Step(step) if step.owed || leaves => None,
            OutlineLine::Step(_) | OutlineLine::Again(_) | OutlineLine::Only(_) | OutlineLine::Instead(_) => {
                numbers.lost();
                None
            }
        };
        for (depth, words, _) in headings.iter_mut().filter(|(_, words, _)| !words.is_empty()) {
            text += &row(&format!("{:1$}", "", 17 + *depth * 2), &format!("{}:", shown(words)), width);
            *words = "";
        }
        let head = format!("{} {:<7} {:<6} ", NOT_REACHED.symbol, NOT_REACHED.word, number.unwrap_or_default());
        text += &row(&format!("{head}{:1$}", "", *depth * 2), &format!("{}{more}", shown(&written.name)), width);
    }
    text
}

/// The numbers that steps ahead will have, as long as nothing decides whether they come.
struct NumbersAhead {
    /// The number of the last step at each depth of the outline, by its parts.
    last: Vec<Option<Vec<u32>>>,
    /// How many steps that are part of no other one have come; nothing once that is not certain.
    outer: Option<u32>,
}

impl NumbersAhead {
    fn new() -> Self {
        Self { last: Vec::new(), outer: Some(0) }
    }

    fn set(&mut self, depth: usize, number: Vec<u32>) {
        self.outer = number.first().copied();
        self.last.truncate(depth);
        self.last.resize(depth, None);
        self.last.push(Some(number));
    }

    /// A step at this depth has this number.
    fn began(&mut self, depth: usize, number: &str) {
        let parts: Option<Vec<u32>> = number.split('.').map(|part| part.parse().ok()).collect();
        match parts {
            Some(parts) => self.set(depth, parts),
            None => self.lost(),
        }
    }

    /// Nothing is certain any more until a step has begun.
    fn lost(&mut self) {
        self.last.clear();
        self.outer = None;
    }

    /// The number of the next step at this depth, if it is certain.
    fn next(&mut self, depth: usize) -> Option<String> {
        let sibling = || {
            self.last.get(depth).cloned().flatten().map(|mut parts| {
                parts.last_mut().into_iter().for_each(|last| *last += 1);
                parts
            })
        };
        let child = || {
            let parent = self.last.get(depth.checked_sub(1)?).cloned().flatten()?;
            Some([parent, vec![1]].concat())
        };
        let number = if depth == 0 { self.outer.map(|outer| vec![outer + 1]) } else { sibling().or_else(child) };
        match number {
            Some(number) => {
                let told = number.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
                self.set(depth, number);
                Some(told)
            }
            None => {
                self.lost();
                None
            }
        }
    }
}

/// Words behind a margin, which further lines keep.
fn row(margin: &str, words: &str, width: usize) -> String {
    format!("{}\n", hung(margin, words, width))
}

/// The variables in sight.
pub(crate) fn variables(session: &ReplSession, track: &TrackId, width: usize) -> String {
    let (runbooks, typed) = (session.lines.runbooks_variables(track), session.lines.own_variables());
    let line = |(name, value): &(String, String)| {
        format!("{}\n", folded(&format!("  {} = {}", shown(name), shown(value)), width))
    };
    let mut text = String::new();
    if !runbooks.is_empty() {
        text += "of the runbook\n";
        text.extend(runbooks.iter().map(line));
    }
    if !typed.is_empty() {
        text += "typed\n";
        text.extend(typed.iter().map(line));
    }
    if text.is_empty() { "no variables\n".to_owned() } else { text }
}

/// Hosts, services and pairs.
pub(crate) fn hosts(site: &Inventory) -> String {
    let mut text = String::new();
    for (name, host) in &site.hosts {
        let here = site.services.values().filter(|service| service.host == *name);
        let services: Vec<String> =
            here.map(|service| format!("{} ({})", service.name, service.profile.product)).collect();
        text += &format!("{name}  {}  {}\n", shown(&host.address), services.join(", "));
    }
    for (name, pair) in &site.pairs {
        text += &format!("pair {name}: {} / {}\n", pair.primary, pair.backup);
    }
    if text.is_empty() { "no hosts\n".to_owned() } else { text }
}

/// A list of words, or what to type to have one.
pub(crate) fn words(words: &[String], none: &str) -> String {
    if words.is_empty() { format!("{none}\n") } else { format!("{}\n", shown(&words.join("  "))) }
}

/// Everything a breakpoint can name: steps, verbs, hosts, services.
pub(crate) fn breakable(session: &ReplSession) -> Vec<String> {
    let site = &session.inventory;
    let steps = session.written.plain_names();
    let verbs = primitives::docs().into_iter().map(|doc| doc.name.to_owned());
    let own = site.services.values().flat_map(|service| service.profile.verbs.keys().cloned());
    steps.chain(verbs).chain(own).chain(site.hosts.keys().cloned()).chain(site.services.keys().cloned()).collect()
}

/// All commands, one of them, or a verb.
pub(crate) fn help(of: Option<&str>, width: usize) -> Result<String> {
    let Some(word) = of else { return Ok(overview(width)) };
    let name = word.trim_start_matches(':');
    if let Some(doc) = COMMANDS.iter().find(|doc| doc.name == name) {
        return Ok(format!(":{} {}\n  {}\n", doc.name, doc.args, doc.summary));
    }
    let Some(doc) = primitives::find(name) else {
        let names = COMMANDS.iter().map(|doc| doc.name).chain(primitives::docs().into_iter().map(|doc| doc.name));
        let error = Error::new(Kind::Usage, format!("there is no command and no verb `{word}`"));
        return Err(did_you_mean(name, names).into_iter().fold(error, |error, near| error.hint(near)).hint(":help"));
    };
    let mut text = doc.signatures.iter().map(|signature| format!("{signature}\n")).collect::<String>();
    text.extend(paragraphs(doc.summary, width.saturating_sub(2)).iter().map(|line| format!("  {line}\n")));
    text.extend(doc.options.iter().map(|(key, about)| format!("  #{{ {key}: … }}  {about}\n")));
    Ok(text)
}

fn overview(width: usize) -> String {
    let mut text = String::new();
    for doc in COMMANDS {
        let usage = format!(":{} {}", doc.name, doc.args);
        text += &match width < NARROW {
            true => format!("  {}\n{}", usage.trim_end(), row("      ", doc.summary, width)),
            false => row(&format!("  {:<26}", usage.trim_end()), doc.summary, width),
        };
    }
    text + "Anything else is a line of script, such as `status(service(\"c1\"))`. About a verb: :help VERB\n"
}

/// The lines that worked, as a runbook.
pub(crate) fn runbook(session: &ReplSession) -> Result<String> {
    let worked = session.lines.worked();
    if worked.is_empty() {
        return Err(Error::new(Kind::Usage, "no line has worked yet: there is nothing to save"));
    }
    let (run, by) = (&session.run, session.typist.by());
    let mut text = format!("//! What was typed by hand in run {run}, by {}\n//! source: typed\n\n", by.user);
    for line in &worked {
        let end = if line.ends_with(';') || line.starts_with("fn ") { "" } else { ";" };
        text += &format!("{line}{end}\n");
    }
    if can_be_read(&text) {
        return Ok(text);
    }
    // Lines that need variables of the runbook they were typed in stand by themselves no more.
    Ok(text.replacen(
        "\n\n",
        "\n//! Mend it first: some of its lines use variables of the runbook they were typed in.\n\n",
        1,
    ))
}
