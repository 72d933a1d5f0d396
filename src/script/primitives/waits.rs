//! Waiting for states and for time to pass. All of it goes through the door: a resumed run waits on with its first
//! deadline, and a simulated one costs no time.

use super::primitive::Primitive;
use super::secrets::SECRET;
use crate::model::run::effect::{Action, Capture, Class, Effect, FailureKind, Looks, Probe, Until};
use crate::model::run::record::Moment;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::script::calls::call::{Call, STDIN};
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{ClosureArg, ClosurePlace, ProbeLook, VerbDoc};
use crate::script::calls::options::Options;
use crate::script::calls::{failure, lower};
use crate::script::compile::diagnostic;
use crate::script::values::sort::Sort;
use rhai::{Dynamic, FnPtr};

const ROLE_LIMIT: Span = Span::mins(2);
const STATE_LIMIT: Span = Span::mins(5);
const UNTIL_LIMIT: Span = Span::mins(30);
const EVERY: Span = Span::secs(2);

const LIMIT: (&str, &str) = ("limit", "how long to wait: `\"10min\"`");
const EVERY_KEY: (&str, &str) = ("every", "how often to look (2s)");
const STAYS: (&str, &str) = ("stays", "how long the value must go on holding");
const WAIT: VerbDoc = VerbDoc {
    class: Some(Class::Wait),
    options: &[LIMIT, EVERY_KEY, STAYS],
    errors: &["limit", "unreachable"],
    ..VerbDoc::NONE
};

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "wait_role",
            looks_at: Some(ProbeLook::Decides("role")),
            signatures: &["wait_role(service, role)", "wait_role(service, role, options)"],
            summary: "Waits until the service runs in a role: `primary`, `backup` or `none`.",
            limit: "2min",
            example: r#"wait_role(service("c2"), "primary", #{ limit: "60s" });"#,
            ..WAIT
        },
        body: |call| named(call, "role", ROLE_LIMIT),
    },
    Primitive {
        doc: VerbDoc {
            name: "wait_status",
            looks_at: Some(ProbeLook::Decides("status")),
            signatures: &["wait_status(service, status)", "wait_status(service, status, options)"],
            summary: "Waits until the service is `stopped`, `starting`, `initializing` or `running`.",
            limit: "5min",
            example: r#"wait_status(service("c2"), "running", #{ limit: "30min", stays: "10s" });"#,
            ..WAIT
        },
        body: |call| named(call, "status", STATE_LIMIT),
    },
    Primitive {
        doc: VerbDoc {
            name: "wait_probe",
            signatures: &["wait_probe(service, name, value)", "wait_probe(service, name, value, options)"],
            summary: "Waits until a probe of the service's profile reads a value, or one of a list of values.",
            limit: "5min",
            options: &[LIMIT, EVERY_KEY, STAYS, SECRET],
            example: r#"wait_probe(service("c1"), "clients", 0, #{ limit: "30min", every: "10s" });"#,
            ..WAIT
        },
        body: wait_probe,
    },
    Primitive {
        doc: VerbDoc {
            name: "wait_until",
            closures: &[ClosureArg { place: ClosurePlace::Argument(1), values: 0, tells: true, only_reads: false }],
            signatures: &["wait_until(what, condition)", "wait_until(what, condition, options)"],
            summary: "Waits until a closure gives true. `what` says in words what is waited for.",
            limit: "30min",
            options: &[LIMIT, EVERY_KEY],
            errors: &["limit"],
            example: r#"
                let c1 = service("c1");
                wait_until("all clients have left c1", || clients(c1) == 0, #{ every: "10s", limit: "30min" });"#,
            ..WAIT
        },
        body: wait_until,
    },
    Primitive {
        doc: VerbDoc {
            name: "sleep",
            signatures: &["sleep(span)"],
            summary: "Lets time pass. A resumed run only sleeps for what is left.",
            limit: "a length of time such as `\"10s\"`",
            options: &[],
            errors: &[],
            example: r#"sleep("10s");"#,
            ..WAIT
        },
        body: sleep,
    },
    Primitive {
        doc: VerbDoc {
            name: "now",
            gives: Some(Sort::Number),
            signatures: &["now()"],
            class: Some(Class::Meta),
            summary: "The time, in milliseconds since 1970. Recorded: a replay sees the same time.",
            example: r#"let began = now(); note(`took ${(now() - began) / 1000} s`);"#,
            ..VerbDoc::NONE
        },
        body: |call| Ok(now(call)?.into()),
    },
];

fn named(call: &Call<'_>, probe: &str, limit: Span) -> Fallible<Dynamic> {
    until(call, probe, vec![call.text(1)?.into()], &Options::of(call, 2)?, limit)
}

fn wait_probe(call: &Call<'_>) -> Fallible<Dynamic> {
    let probe = call.text(1)?;
    let wants = match call.value(2)? {
        Value::List(wants) if !wants.is_empty() => wants,
        Value::Null | Value::Map(_) | Value::List(_) => {
            let kind = diagnostic::kind_of(call.any(2));
            return Err(call.bug(format!("`wait_probe` wants a value to wait for, or a list of some, not {kind}")));
        }
        one @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_)) => vec![one],
    };
    until(call, &probe, wants, &Options::of(call, 3)?, STATE_LIMIT)
}

fn until(call: &Call<'_>, name: &str, wants: Vec<Value>, options: &Options<'_, '_>, limit: Span) -> Fallible<Dynamic> {
    let every = options.span("every")?.unwrap_or(EVERY);
    let stays = options.span("stays")?.unwrap_or_default();
    let limit = options.span("limit")?.unwrap_or(limit);
    let service = call.service(0)?;
    let probe = call.sound(lower::probe(service.get(), name, Fields::new()))?;
    let probe = Probe { secret: options.secret(STDIN)?.or(probe.secret.clone()), ..probe };
    for want in &wants {
        let possible = probe.reads.can_give(want);
        call.sound(possible.map_err(|why| format!("`{}`: probe `{name}` {why}", call.doc.name)))?;
    }
    let shown = wants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let until = Until { probe, wants, every, stays, limit };
    let label = format!("wait until {name} of {} is {shown}", service.name());
    let done = call.perform(lower::on_service(service.get(), label, Action::Until(until)))?;
    Ok(crate::convert::to_dynamic(&done.value))
}

/// Looks once more after the deadline: a wait never fails without one fresh look.
fn wait_until(call: &Call<'_>) -> Fallible<Dynamic> {
    let options = Options::of(call, 2)?;
    let limit = options.span("limit")?.unwrap_or(UNTIL_LIMIT);
    let every = options.span("every")?.unwrap_or(EVERY);
    let (what, condition) = (call.text(0)?, call.closure(1)?);
    until_true(call, &what, &condition, vec![], every, limit).map(|()| Dynamic::UNIT)
}

/// Calls a closure with these arguments until it gives true.
pub(super) fn until_true(
    call: &Call<'_>,
    what: &str,
    condition: &FnPtr,
    args: Vec<Dynamic>,
    every: Span,
    limit: Span,
) -> Fallible<()> {
    let began = instant(call)?;
    loop {
        let left = limit.0.saturating_sub(instant(call)?.elapsed(&began).0);
        let holds = call.within(Span(left), |call| call.invoke(condition, args.clone()))?;
        match holds.as_bool() {
            Ok(true) => return Ok(()),
            Ok(false) if left == 0 => {
                let why = failure::plain(FailureKind::Limit, format!("still waiting after {limit}: {what}"));
                return Err(call.raise(&why, None, None, None));
            }
            Ok(false) => {
                let waited = Span(limit.0.saturating_sub(left));
                let readings = call.track()?.readings_of_wait.take();
                let (span, within) = (every.min(Span(left)), Some(Looks { readings, waited, left: Span(left) }));
                call.perform(ours(what.to_owned(), Action::Sleep { span, pause: true, within }))?;
            }
            Err(_) => {
                let kind = diagnostic::kind_of(&holds);
                return Err(call.bug(format!("the condition of `{}` gives {kind}, not true or false", call.doc.name)));
            }
        }
    }
}

fn sleep(call: &Call<'_>) -> Fallible<Dynamic> {
    let span = Span::parse(&call.text(0)?).map_err(|why| call.bug(format!("`sleep`: {why}")))?;
    rest(call, format!("sleep({span})"), span).map(|()| Dynamic::UNIT)
}

/// Lets time pass; `why` is what a person reads meanwhile.
pub(super) fn rest(call: &Call<'_>, why: String, span: Span) -> Fallible<()> {
    call.perform(ours(why, Action::Sleep { span, pause: false, within: None })).map(|_| ())
}

fn now(call: &Call<'_>) -> Fallible<i64> {
    let done = call.perform(ours("now()".into(), Action::Capture(Capture::Now)))?;
    Ok(done.value.as_int().unwrap_or_default())
}

/// The instant by which limits are counted: a wall clock that is set changes nothing.
fn instant(call: &Call<'_>) -> Fallible<Moment> {
    let done = call.perform(ours("look at the clock".into(), Action::Capture(Capture::Clocks)))?;
    Ok(Moment::of_value(&done.value).unwrap_or_default())
}

/// An effect that concerns no host.
fn ours(label: String, action: Action) -> Effect {
    Effect { action, label, host: None, service: None, undo: None, before: None }
}
