//! The shape of a run: parameters, steps, obligations, guards, and handing over to a person.

use super::parallel;
use super::primitive::Primitive;
use crate::convert;
use crate::dispatch::{Halted, StepEntry};
use crate::model::run::effect::{Action, Class, Effect, FailureKind};
use crate::model::run::record::FROM_RUN;
use crate::script::calls::call::Call;
use crate::script::calls::context::{Fallible, Obligation, OnHold, ScriptTrack, terminated};
use crate::script::calls::doc::{Asking, ClosureArg, ClosurePlace, VerbDoc};
use crate::script::calls::failure;
use crate::script::calls::options::Options;
use crate::script::compile::diagnostic;
use crate::script::values::sort::Sort;
use rhai::{Dynamic, EvalAltResult, Position};

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "param",
            signatures: &["param(name)", "param(name, options)"],
            summary: "A parameter of the runbook, given as `-p name=value`. Without a default it must be given. What \
                      is given becomes the type of the default.",
            options: &[
                ("help", "what it is, for `baton run RUNBOOK --help`"),
                ("default", "its value when it is not given"),
                ("choices", "the values it may have, as a list"),
                ("kind", "`\"span\"`: it is a length of time, and what is none is refused before anything is done"),
            ],
            example: r#"
                let new_version = param("new_version", #{ help: "version to install" });
                let start_limit = param("start_limit", #{ default: "10min", kind: "span" });
                let db_upgrade = param("db_upgrade", #{ default: false, help: "is the schema migrated?" });"#,
            ..VerbDoc::NONE
        },
        body: param,
    },
    Primitive {
        doc: VerbDoc {
            name: "former_run",
            signatures: &["former_run()"],
            summary: "What the run given with `--from-run` found and did, or `()`: a map of `run`, `runbook`, `ended`, \
                      `params`, `roles` and `versions` (the first reading of each service), and `changes`, a list of \
                      `#{ verb, service, args, done, at }` in order; `at` is when it was begun, as `now()` tells it.",
            example: r#"
                let former = former_run();
                if former != () { note(`run ${former.run} was ${former.ended}`); }"#,
            ..VerbDoc::NONE
        },
        body: former_run,
    },
    Primitive {
        doc: VerbDoc {
            name: "run_id",
            gives: Some(Sort::Text),
            signatures: &["run_id()"],
            summary: "The name of the run, as `baton runs` lists it: what is made tonight can bear it.",
            example: r#"backup(service("confdb"), `before-${run_id()}`);"#,
            ..VerbDoc::NONE
        },
        body: |call| Ok(call.track()?.run.door.run().to_owned().into()),
    },
    Primitive {
        doc: VerbDoc {
            name: "step",
            closures: &[
                ClosureArg { place: ClosurePlace::Argument(1), values: 0, tells: false, only_reads: false },
                ClosureArg { place: ClosurePlace::Option("undo"), values: 0, tells: false, only_reads: false },
            ],
            signatures: &["step(name, body)", "step(name, body, options)"],
            summary: "A named part of the runbook; gives what its body gives. Steps may contain steps. A rollback \
                      undoes it by calling `undo`, once for all that the step and the steps in it changed; without \
                      `undo`, what each of its changes recorded is put back, newest first.",
            options: &[("undo", "a closure that undoes the step, also when it broke off: `|| start(c1)`")],
            example: r#"
                let c1 = service("c1");
                step("Stop c1", || shutdown(c1), #{ undo: || { start(c1); wait_role(c1, "primary"); } });"#,
            ..VerbDoc::NONE
        },
        body: step,
    },
    Primitive {
        doc: VerbDoc {
            name: "ensure",
            closures: &[
                ClosureArg { place: ClosurePlace::Argument(1), values: 0, tells: false, only_reads: false },
                ClosureArg { place: ClosurePlace::Option("harm"), values: 0, tells: false, only_reads: false },
            ],
            acts: true,
            asks: Some(Asking::IfHarm),
            signatures: &["ensure(name, body)", "ensure(name, body, options)"],
            summary: "A step that is owed: it runs when the runbook has come to its end or was held, and when the run \
                      is rolled back or given up; newest first. Where acting then could do harm, `harm` says so: a \
                      person is asked before it is done. What the closures capture is kept as it is here; a variable \
                      that is still `()` is looked up when it is done.",
            options: &[("harm", "a closure that gives the harm it could do now as text, or `\"\"`")],
            example: r#"
                let c1 = service("c1");
                let c2 = service("c2");
                ensure("Lift read-only", || unset_readonly(c1), #{
                    harm: || if status(c2) == "running" { "" } else { "c2 does not run." }
                });"#,
            ..VerbDoc::NONE
        },
        body: ensure,
    },
    Primitive {
        doc: VerbDoc {
            name: "point_of_no_return",
            signatures: &["point_of_no_return(why)"],
            class: Some(Class::Meta),
            summary: "From here on the run cannot be rolled back to what was before; steps after it still can.",
            example: r#"point_of_no_return("the old database is no longer kept up to date");"#,
            ..VerbDoc::NONE
        },
        body: point_of_no_return,
    },
    Primitive {
        doc: VerbDoc {
            name: "parallel",
            closures: &[ClosureArg { place: ClosurePlace::Argument(1), values: 1, tells: false, only_reads: false }],
            signatures: &["parallel(items, body)"],
            summary: "Calls the body for every item at the same time, each on a track of its own, and waits for all. \
                      Gives the results in the order of the items. What the body captures is copied: tracks share \
                      nothing. When some fail, the first failure in the order of the items is raised.",
            example: r#"let seen = parallel([service("c1"), service("c2")], |s| version(s));"#,
            ..VerbDoc::NONE
        },
        body: parallel::parallel,
    },
    Primitive {
        doc: VerbDoc {
            name: "guard",
            acts: true,
            signatures: &["guard(condition, message)"],
            summary: "Fails unless the condition holds. The message says what should hold.",
            errors: &["guard"],
            example: r#"guard(status(service("c1")) == "running", "c1 must run");"#,
            ..VerbDoc::NONE
        },
        body: guard,
    },
    Primitive {
        doc: VerbDoc {
            name: "hold",
            acts: true,
            signatures: &["hold(reason)", "hold(reason, instructions)"],
            summary: "Ends the run and hands over to a person; what `ensure` owes is done first. Never returns.",
            example: r#"hold("c2 started in an unexpected way", "read its log, then decide");"#,
            ..VerbDoc::NONE
        },
        body: hold,
    },
];

fn param(call: &Call<'_>) -> Fallible<Dynamic> {
    let name = call.text(0)?;
    Options::of(call, 1)?;
    match call.track()?.run.params.get(&name) {
        Some(value) => Ok(convert::to_dynamic(value)),
        None => Err(call.bug(format!("parameter `{name}` is not declared in the runbook itself, at its top"))),
    }
}

fn former_run(call: &Call<'_>) -> Fallible<Dynamic> {
    Ok(call.track()?.run.params.get(FROM_RUN).map_or(Dynamic::UNIT, convert::to_dynamic))
}

fn step(call: &Call<'_>) -> Fallible<Dynamic> {
    let (name, body) = (call.text(0)?, call.closure(1)?);
    let undo = Options::of(call, 2)?.closure("undo")?;
    let track = call.track()?;
    match track.run.door.step_begin(&name, call.place(), false) {
        Ok(StepEntry::Enter) => {}
        Ok(StepEntry::Skip) => return Ok(Dynamic::UNIT),
        Err(Halted) => return Err(track.leave(call.position())),
    }
    let id = track.run.door.step_id();
    if let Some(undo) = undo {
        let undo = call.keep(&undo)?;
        track.run.undos.borrow_mut().closures.insert(id.clone(), undo);
    }
    let result = call.invoke(&body, vec![]);
    // The body may have set what its undo needs; what the script does with those variables later is another matter.
    if let Some(undo) = track.run.undos.borrow_mut().closures.get_mut(&id) {
        *undo = undo.settled();
    }
    end_step(track, result, call.position())
}

/// Tells the door how a step's body ended, and hands its result on.
pub(crate) fn end_step(track: &ScriptTrack, result: Fallible<Dynamic>, position: Position) -> Fallible<Dynamic> {
    if track.run.door.is_halted() {
        return Err(terminated(position));
    }
    let held = track.held.borrow().as_ref().map(|held| format!("held: {}", held.reason));
    let bug = track.run.bug.borrow().as_ref().map(|error| error.message.clone());
    let failed = bug.or(held).or_else(|| result.as_ref().err().map(|error| message(error)));
    track.run.door.step_end(failed).map_err(|Halted| track.leave(position))?;
    if track.is_over() { Err(result.err().unwrap_or_else(|| terminated(position))) } else { result }
}

/// An error in one line, for the record of a step.
pub(super) fn message(error: &EvalAltResult) -> String {
    let (_, inner) = diagnostic::innermost("", error);
    if let EvalAltResult::ErrorRuntime(thrown, _) = inner {
        return failure::uncaught(thrown).error.message;
    }
    diagnostic::reworded(inner)
}

fn ensure(call: &Call<'_>) -> Fallible<Dynamic> {
    let (name, body) = (call.text(0)?, call.closure(1)?);
    // What the script does with these variables later is another matter, as it is for what undoes a step.
    let kept = |closure| call.keep(&closure).map(|kept| kept.settled());
    let harm = Options::of(call, 2)?.closure("harm")?.map(kept).transpose()?;
    let body = kept(body)?;
    call.track()?.obligations.borrow_mut().push(Obligation { name, place: call.place(), body, harm });
    Ok(Dynamic::UNIT)
}

fn point_of_no_return(call: &Call<'_>) -> Fallible<Dynamic> {
    let (action, label) = (Action::NoReturn { why: call.text(0)? }, call.doc.name.to_owned());
    call.perform(Effect { action, label, host: None, service: None, undo: None, before: None })?;
    Ok(Dynamic::UNIT)
}

fn guard(call: &Call<'_>) -> Fallible<Dynamic> {
    let (holds, message) = (call.flag(0)?, call.text(1)?);
    if holds {
        if let Ok(track) = call.track() {
            track.run.door.guarded(&message);
        }
        return Ok(Dynamic::UNIT);
    }
    Err(call.raise(&failure::plain(FailureKind::Guard, message), None, None, None))
}

fn hold(call: &Call<'_>) -> Fallible<Dynamic> {
    let reason = call.text(0)?;
    let instructions = if call.len() > 1 { call.text(1)? } else { String::new() };
    call.track()?.held.replace(Some(OnHold { reason, instructions }));
    Err(terminated(call.position()))
}
