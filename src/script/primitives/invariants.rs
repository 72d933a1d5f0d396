//! What must hold as long as a run goes on. When it is looked at is the door's business; here is how.

use super::flow;
use super::primitive::Primitive;
use crate::dispatch::{Breach, InvariantReading, RunInvariant};
use crate::error::{Error, Kind, Place};
use crate::model::run::effect::Class;
use crate::model::span::Span;
use crate::model::text::shown;
use crate::script::calls::call::Call;
use crate::script::calls::calling;
use crate::script::calls::closure::Closure;
use crate::script::calls::context::{Fallible, Run, ScriptTrack};
use crate::script::calls::doc::{ClosureArg, ClosurePlace, VerbDoc};
use crate::script::calls::options::Options;
use crate::script::compile::diagnostic;
use rhai::Dynamic;
use std::rc::{Rc, Weak};

/// How often it is looked at while something is waited for, when the runbook does not say.
const EVERY: Span = Span::secs(10);
/// The most often.
const EVERY_LEAST: Span = Span::secs(1);
/// How many a run may have: each is looked at before each change.
const MOST: usize = 100;
/// How long a look may take.
const LOOK_LIMIT: Span = Span::secs(30);

pub(super) const PRIMITIVES: &[Primitive] = &[Primitive {
    doc: VerbDoc {
        name: "invariant",
        closures: &[ClosureArg { place: ClosurePlace::Argument(1), values: 0, tells: true, only_reads: true }],
        acts: true,
        signatures: &["invariant(name, body)", "invariant(name, body, options)"],
        class: Some(Class::Meta),
        summary: "Says what must hold from here on until the run is over, on the way back as well. The body only \
                  reads. It is looked at before everything that may change something, while something is waited for, \
                  when the run is taken up again and before it is done. Where it gives false or cannot read, the run \
                  stops before its next change. What does not hold already when the run goes back, or does what it \
                  owes, is told and does not stop that. What it reads is not recorded; that it does not hold is.",
        limit: "30s for a look",
        options: &[
            ("every", "how often it is looked at during a wait (10s)"),
            ("breach", "`\"stop\"` the run, which is usual, or `\"warn\"` people and go on"),
        ],
        example: r#"
                let c1 = service("c1");
                let c2 = service("c2");
                invariant("one of them runs",
                    || status(c1) == "running" || status(c2) == "running", #{ every: "5s" });"#,
        ..VerbDoc::NONE
    },
    body: invariant,
}];

fn invariant(call: &Call<'_>) -> Fallible<Dynamic> {
    let (name, body) = (call.text(0)?, call.closure(1)?);
    let options = Options::of(call, 2)?;
    let every = options.span("every")?.unwrap_or(EVERY).max(EVERY_LEAST);
    let breach = match options.text("breach")?.as_deref() {
        None | Some("stop") => Breach::Stop,
        Some("warn") => Breach::Warn,
        Some(other) => return Err(call.bug(format!("option `breach` is `stop` or `warn`, not `{}`", shown(other)))),
    };
    let body = call.keep(&body)?.settled();
    let run = &call.track()?.run;
    if run.door.step_id().track.is_typed() {
        return Err(call.bug("an invariant belongs into a runbook: a line that was typed is over when it is done"));
    }
    run.invariants.set(run.invariants.get() + 1);
    if run.invariants.get() > MOST {
        return Err(call.bug(format!("a run has {MOST} invariants at the most: say in one what all of a list must be")));
    }
    // The door must not keep the run that keeps the door.
    let (weak, place) = (Rc::downgrade(run), call.place());
    let at = place.clone();
    let look = Rc::new(move || look(&weak, &body, at.as_ref()));
    run.door.invariant(RunInvariant { name, every, breach, place, look });
    Ok(Dynamic::UNIT)
}

/// Looks whether it holds, on a track of its own.
fn look(run: &Weak<Run>, body: &Closure, place: Option<&Place>) -> InvariantReading {
    let Some(run) = run.upgrade() else { return InvariantReading::Over };
    let Some(engine) = run.engine.get().and_then(Weak::upgrade) else { return InvariantReading::Over };
    let track = ScriptTrack::that_only_reads(&run, LOOK_LIMIT);
    let given = calling::call(body, &engine, &track, vec![]);
    track.holdings.ended();
    if let Some(mistake) = run.bug.take() {
        return InvariantReading::Mistake(mistake);
    }
    if track.is_over() {
        return InvariantReading::Over;
    }
    let readings = track.readings_of_wait.take();
    let read = readings.iter().map(|one| format!("{} reads `{}`", one.label, shown(&one.value.to_string()))).collect();
    let given = match given {
        Ok(given) => given.flatten(),
        Err(error) => return InvariantReading::Broken(vec![flow::message(&error)]),
    };
    match given.as_bool() {
        Ok(true) => InvariantReading::Holds,
        Ok(false) => InvariantReading::Broken(read),
        Err(_) => {
            let kind = diagnostic::kind_of(&given);
            let mut error = Error::new(Kind::Script, format!("an invariant gives {kind}, not true or false"));
            error.place = place.cloned();
            error.snippet = place.and_then(|place| run.program.snippet(place)).map(Box::new);
            InvariantReading::Mistake(error)
        }
    }
}
