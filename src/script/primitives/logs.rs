//! Following a service's log. A wait reads from the service's mark and consumes what it matched; what was written
//! before is never looked at. What the log is and how its events are told stands in the profile.

use super::primitive::Primitive;
use super::{changes, table};
use crate::convert;
use crate::model::run::automaton::{DecisionTable, Symbol};
use crate::model::run::effect::{Action, Class, LogWait, Want};
use crate::model::run::mark::Mark;
use crate::model::span::Span;
use crate::model::text::{did_you_mean, shown};
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{ProbeLook, VerbDoc};
use crate::script::calls::lower;
use crate::script::calls::options::Options;
use crate::script::compile::diagnostic;
use crate::script::values::handles::ServiceHandle;
use regex::Regex;
use regex_syntax::hir::{Hir, HirKind};
use rhai::{Array, Dynamic, ImmutableString};

const LOG_LIMIT: Span = Span::mins(30);
const WATCH_LIMIT: Span = Span::mins(60);
const FROM_HELP: &str = "where reading begins: `\"mark\"`, as ever, or `\"start\"`, with the oldest line that there is";

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "mark",
            log: true,
            signatures: &["mark(service)"],
            class: Some(Class::Meta),
            summary: "Notes where the service's log stands: the next wait reads from here. `start` does it by itself.",
            errors: &["unreachable"],
            example: r#"mark(service("c1")); shutdown(service("c2")); wait_for_log(service("c1"), "promoted");"#,
            ..VerbDoc::NONE
        },
        body: |call| changes::mark(call, &call.service(0)?).map(|_| Dynamic::UNIT),
    },
    Primitive {
        doc: VerbDoc {
            name: "wait_for_log",
            looks_at: Some(ProbeLook::Decides("status")),
            log: true,
            signatures: &["wait_for_log(service, what)", "wait_for_log(service, what, options)"],
            class: Some(Class::Wait),
            summary: "Waits for a record after the mark: an event number, a regular expression, or a list of those. \
                      Gives `#{ event, meaning, line, captures }`.",
            limit: "30min",
            options: &[
                ("limit", "how long to wait: `\"10min\"`"),
                ("from", FROM_HELP),
                ("exit", "true: the wait fails at once when the service has exited"),
            ],
            errors: &["limit", "exit", "unreachable"],
            example: r#"
                start(service("c2"));
                let seen = wait_for_log(service("c2"), [22170, 22172], #{ limit: "30min" });"#,
            ..VerbDoc::NONE
        },
        body: wait_for_log,
    },
    Primitive {
        doc: VerbDoc {
            name: "watch_log",
            looks_at: Some(ProbeLook::Decides("status")),
            log: true,
            signatures: &["watch_log(service, table)", "watch_log(service, table, options)"],
            class: Some(Class::Wait),
            summary: "Feeds the events after the mark to a decision table until it ends. Gives \
                      `#{ outcome, state, events, counts, told, warnings }`; `told` has the events in words.",
            limit: "1h",
            options: &[
                ("limit", "how long to watch; then the table gets the symbol `limit`"),
                ("contact", "how long it may take until the first event; then the table gets the symbol `limit`"),
                ("from", FROM_HELP),
                (
                    "exit",
                    "whether the table gets `exit` when the service has exited; by default, when it has such a row",
                ),
            ],
            errors: &["unreachable"],
            example: r#"
                let seen = watch_log(service("c2"), #{ start: "W0", settle: #{ WS: "10s" }, rows: [
                    ["W0", 22911, "WS"],
                    ["WS", "settled", end("READY")],
                    ["any", ["exit", "limit"], end("FAILED")],
                    ["any", "other", "same"],
                ] }, #{ limit: "1h", contact: "5min" });
                note(seen.outcome);"#,
            ..VerbDoc::NONE
        },
        body: watch_log,
    },
];

fn wait_for_log(call: &Call<'_>) -> Fallible<Dynamic> {
    let options = Options::of(call, 2)?;
    let limit = options.span("limit")?.unwrap_or(LOG_LIMIT);
    let watches_exit = options.flag("exit")?.unwrap_or(false);
    let from = reading_from(call, &options)?;
    let (want, shown) = wanted(call, call.any(1))?;
    let service = call.service(0)?;
    let label = format!("wait_for_log({}, {shown})", service.name());
    wait(call, &service, label, WaitTerms { want, from, limit, contact: None, watches_exit })
}

fn watch_log(call: &Call<'_>) -> Fallible<Dynamic> {
    let options = Options::of(call, 2)?;
    let contact = options.span("contact")?;
    let limit = options.span("limit")?.unwrap_or(WATCH_LIMIT);
    let from = reading_from(call, &options)?;
    let table = table::read(call, &call.value(1)?)?;
    let service = call.service(0)?;
    refuse_unknown(call, &service, &table)?;
    let watches_exit = options.flag("exit")?.unwrap_or_else(|| table::knows_exit(&table));
    let label = format!("watch_log({})", service.name());
    wait(call, &service, label, WaitTerms { want: Want::Table(table), from, limit, contact, watches_exit })
}

/// A row about an event that the profile does not list would wait for ever: nobody looks for it.
fn refuse_unknown(call: &Call<'_>, service: &ServiceHandle, table: &DecisionTable) -> Fallible<()> {
    let profile = &service.get().profile;
    let listed = |number: &i64| profile.events.contains_key(&number.to_string());
    let symbols = table.rows.iter().flat_map(|row| &row.symbols);
    let unknown = symbols.filter_map(|symbol| match symbol {
        Symbol::Event(number) => Some(*number),
        Symbol::Exit | Symbol::Limit | Symbol::Settled | Symbol::Other => None,
    });
    let Some(number) = unknown.filter(|number| !listed(number)).min() else { return Ok(()) };
    let text = number.to_string();
    let near = did_you_mean(&text, profile.events.keys().map(String::as_str));
    let near = near.map(|hint| format!("; {hint}")).unwrap_or_default();
    Err(call.bug(format!(
        "in the decision table: event {number} is not in [events] of the profile of `{}`, so it would never be \
         seen{near}",
        profile.product
    )))
}

/// What a wait is for and what ends it.
struct WaitTerms {
    want: Want,
    from: ReadFrom,
    limit: Span,
    contact: Option<Span>,
    watches_exit: bool,
}

fn wait(call: &Call<'_>, service: &ServiceHandle, label: String, terms: WaitTerms) -> Fallible<Dynamic> {
    let WaitTerms { want, from, limit, contact, watches_exit } = terms;
    let exit = if watches_exit { Some(call.sound(lower::exit_watch(service.get()))?) } else { None };
    let source = call.sound(lower::log(service.get()))?;
    let from = match from {
        ReadFrom::Mark => mark_of(call, service)?,
        // No file is known to have been read.
        ReadFrom::Start => Mark::default(),
    };
    let wait = LogWait { source, from, want, limit, contact, exit };
    let done = call.perform(lower::on_service(service.get(), label, Action::Log(wait)))?;
    Ok(convert::to_dynamic(&done.value))
}

/// Where reading begins.
#[derive(Debug, Clone, Copy)]
enum ReadFrom {
    /// At the service's mark.
    Mark,
    /// At the beginning of its oldest file.
    Start,
}

fn reading_from(call: &Call<'_>, options: &Options<'_, '_>) -> Fallible<ReadFrom> {
    match options.text("from")?.as_deref() {
        None | Some("mark") => Ok(ReadFrom::Mark),
        Some("start") => Ok(ReadFrom::Start),
        Some(other) => Err(call.bug(format!(
            "option `from` of `{}` is `\"mark\"` or `\"start\"`, not `{}`",
            call.doc.name,
            shown(other)
        ))),
    }
}

/// Where reading begins: at the service's mark; without one at the end of its log as it is now.
fn mark_of(call: &Call<'_>, service: &ServiceHandle) -> Fallible<Mark> {
    match call.track()?.run.door.mark_of(service.name()) {
        Some(mark) => Ok(mark),
        None => Ok(changes::mark(call, service)?.unwrap_or_default()),
    }
}

/// What to look for, and how people read it.
fn wanted(call: &Call<'_>, given: &Dynamic) -> Fallible<(Want, String)> {
    let items = given.read_lock::<Array>().map_or_else(|| vec![given.clone()], |items| items.clone());
    let (mut events, mut patterns, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for item in &items {
        if let Ok(number) = item.as_int() {
            if number < 0 {
                return Err(call.bug(format!("`wait_for_log`: {number} is never the number of an event")));
            }
            events.push(number);
            shown.push(number.to_string());
        } else if let Some(pattern) = item.read_lock::<ImmutableString>() {
            if pattern.is_empty() {
                return Err(call.bug("`wait_for_log`: an empty expression is found in every line"));
            }
            if let Err(why) = Regex::new(&pattern) {
                let why = why.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                return Err(call.bug(format!("`{}` is not a regular expression: {why}", pattern.as_str())));
            }
            if needs_line_end(&pattern) {
                return Err(call.bug(format!(
                    "`{}` can never match: it wants a line end, and a log is read line by line",
                    pattern.escape_debug()
                )));
            }
            shown.push(format!("\"{}\"", pattern.as_str()));
            patterns.push(pattern.to_string());
        } else {
            let kind = diagnostic::kind_of(item);
            return Err(call.bug(format!("`wait_for_log` wants event numbers or regular expressions, not {kind}")));
        }
    }
    if items.is_empty() {
        return Err(call.bug("`wait_for_log` has nothing to wait for: the list is empty"));
    }
    Ok((Want::Match { events, patterns }, shown.join(" or ")))
}

/// Whether every text that the pattern matches has a line end in it: no line of a log does.
fn needs_line_end(pattern: &str) -> bool {
    regex_syntax::parse(pattern).is_ok_and(|hir| wants_line_end(&hir))
}

fn wants_line_end(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(class) => class.literal().is_some_and(|only| only.contains(&b'\n')),
        HirKind::Repetition(repetition) => repetition.min > 0 && wants_line_end(&repetition.sub),
        HirKind::Capture(capture) => wants_line_end(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(wants_line_end),
        HirKind::Alternation(parts) => parts.iter().all(wants_line_end),
    }
}
