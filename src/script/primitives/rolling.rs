//! Rolling work: batch after batch, each item of a batch on a track of its own. What is done next follows from what is
//! on record alone: the outcomes of the batches so far. How a track is run is the affair of `parallel`.

use super::parallel::{EndedTrack, run_tracks};
use super::primitive::Primitive;
use super::waits;
use crate::model::run::effect::{Class, FailureKind};
use crate::model::run::record::EffectId;
use crate::model::span::Span;
use crate::script::calls::call::Call;
use crate::script::calls::context::{Fallible, terminated};
use crate::script::calls::doc::{ClosureArg, ClosurePlace, VerbDoc};
use crate::script::calls::failure;
use crate::script::calls::options::Options;
use crate::script::compile::diagnostic;
use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map};
use std::collections::VecDeque;

pub(super) const PRIMITIVES: &[Primitive] = &[Primitive {
    doc: VerbDoc {
        name: "rolling",
        closures: &[ClosureArg { place: ClosurePlace::Argument(2), values: 1, tells: false, only_reads: false }],
        signatures: &["rolling(items, options, body)"],
        class: Some(Class::Meta),
        summary: "Calls the body for every item, batch after batch, the items of a batch at the same time, as \
                  `parallel` does. Gives a map for each item, in their order: `#{ item, ok, value, error, tries }`. A \
                  host that cannot be reached is not one that failed: unless the options say otherwise, no further \
                  batch begins and `unreachable` is raised with the names. When more items have failed than may, the \
                  failure of the first one is raised with the names of all; the array `failed` in it holds them. A \
                  resumed run tries what failed in the last batch again.",
        limit: "",
        options: &[
            ("batch", "how many items at a time: `2`, or a part of all, `\"25%\"` (1)"),
            ("max_failures", "how many items may fail before no further batch begins (0)"),
            ("requeue", "how often an item that took too long (kind `limit`) is put at the back of the queue (0)"),
            ("pause", "how long to wait between batches: `\"2min\"`"),
            (
                "unreachable",
                "what a host that cannot be reached means: `\"stop\"`, `\"fail\"`: as any failure, or \
                             `\"skip\"`: it is left out (`\"stop\"`)",
            ),
        ],
        errors: &["unreachable", "exit", "limit", "goal", "missing", "declined", "guard", "unreadable"],
        example: r#"
            let nodes = [host("cfg-a"), host("cfg-b")];
            let done = rolling(nodes, #{ batch: "25%", requeue: 1, pause: "1min" }, |node| run(node, ["true"]));
            for one in done { note(`${one.item.name}: ${one.tries} tries`); }"#,
        ..VerbDoc::NONE
    },
    body: rolling,
}];

/// What the options say.
struct RollingOptions {
    batch: usize,
    max_failures: usize,
    requeue: usize,
    pause: Option<Span>,
    unreachable: Unreachable,
}

/// What a host means that cannot be reached.
#[derive(Clone, Copy, PartialEq)]
enum Unreachable {
    Stop,
    Fail,
    Skip,
}

impl RollingOptions {
    fn of(call: &Call<'_>, options: &Options<'_, '_>, items: usize) -> Fallible<Self> {
        let unreachable = match options.text("unreachable")?.as_deref() {
            None | Some("stop") => Unreachable::Stop,
            Some("fail") => Unreachable::Fail,
            Some("skip") => Unreachable::Skip,
            Some(other) => {
                let message = format!("option `unreachable` is `stop`, `fail` or `skip`, not `{other}`");
                return Err(call.bug(message));
            }
        };
        Ok(Self {
            batch: batch(call, options, items)?,
            max_failures: options.count("max_failures")?.unwrap_or(0),
            requeue: options.count("requeue")?.unwrap_or(0),
            pause: options.span("pause")?.filter(|pause| pause.0 > 0),
            unreachable,
        })
    }
}

/// How many items a batch has; a part of all is rounded up.
fn batch(call: &Call<'_>, options: &Options<'_, '_>, items: usize) -> Fallible<usize> {
    let Some(given) = options.get("batch") else { return Ok(1) };
    let wrong = || call.bug("option `batch` is a number from 1 on, or a part such as `\"25%\"`");
    let Some(text) = given.read_lock::<ImmutableString>() else {
        return options.count("batch")?.filter(|count| *count > 0).ok_or_else(wrong);
    };
    let percent: Option<usize> = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    match percent {
        Some(percent @ 1..=100) => Ok((items * percent).div_ceil(100).max(1)),
        Some(_) | None => Err(wrong()),
    }
}

/// An item and what came of it so far.
struct RollingItem {
    item: Dynamic,
    tries: usize,
    outcome: Option<Result<Dynamic, Dynamic>>,
}

impl RollingItem {
    fn kind(&self) -> Option<String> {
        let Some(Err(error)) = &self.outcome else { return None };
        let map = error.read_lock::<Map>()?;
        map.get("kind").and_then(|kind| kind.read_lock::<ImmutableString>().map(|kind| kind.to_string()))
    }

    fn is_unreachable(&self) -> bool {
        self.kind().as_deref() == Some(FailureKind::Unreachable.word())
    }

    fn failed(&self, plan: &RollingOptions) -> bool {
        match &self.outcome {
            Some(Err(_)) => plan.unreachable == Unreachable::Fail || !self.is_unreachable(),
            Some(Ok(_)) | None => false,
        }
    }

    /// As a script sees it.
    fn told(self) -> Dynamic {
        let (value, error) = match self.outcome {
            Some(Ok(value)) => (value, Dynamic::UNIT),
            Some(Err(error)) => (Dynamic::UNIT, error),
            None => (Dynamic::UNIT, Dynamic::UNIT),
        };
        let mut map = Map::new();
        map.insert("item".into(), self.item);
        map.insert("ok".into(), error.is_unit().into());
        map.insert("value".into(), value);
        map.insert("error".into(), error);
        map.insert("tries".into(), i64::try_from(self.tries).unwrap_or(i64::MAX).into());
        map.into()
    }
}

/// `rolling(items, #{ … }, |item| …)`.
fn rolling(call: &Call<'_>) -> Fallible<Dynamic> {
    let (items, body) = (call.list(0)?, call.closure(2)?);
    let plan = RollingOptions::of(call, &Options::of(call, 1)?, items.len())?;
    let mut items: Vec<RollingItem> =
        items.into_iter().map(|item| RollingItem { item, tries: 0, outcome: None }).collect();
    let mut queue: VecDeque<usize> = (0..items.len()).collect();
    let mut batches = 0;
    while !queue.is_empty() {
        if let Some(pause) = plan.pause.filter(|_| batches > 0) {
            waits::rest(call, format!("sleep({pause}) between batches"), pause)?;
        }
        batches += 1;
        let batch: Vec<usize> = queue.drain(..plan.batch.min(queue.len())).collect();
        let given = batch.iter().filter_map(|index| items.get(*index)).map(|item| item.item.clone()).collect();
        let children = run_tracks(call, given, &body)?;
        let mut failures = Vec::new();
        for (&index, ended) in batch.iter().zip(gather(call, children)?) {
            let Some(item) = items.get_mut(index) else { continue };
            item.tries += 1;
            failures.extend(ended.as_ref().err().and_then(|(_, effect)| effect.clone()));
            item.outcome = Some(ended.map_err(|(error, _)| error));
            if item.kind().as_deref() == Some(FailureKind::Limit.word()) && item.tries <= plan.requeue {
                item.outcome = None;
                queue.push_back(index);
            }
        }
        judge(call, &plan, &items, &batch, failures)?;
    }
    Ok(items.into_iter().map(RollingItem::told).collect::<Array>().into())
}

/// A value, or the thrown error and the effect that failed.
type Ended = Result<Dynamic, (Dynamic, Option<EffectId>)>;

/// What came of the tracks of a batch. What is no failure of an item ends the whole call, as a hold does.
fn gather(call: &Call<'_>, children: Vec<EndedTrack>) -> Fallible<Vec<Ended>> {
    let track = call.track()?;
    let mut ended = Vec::new();
    let mut held = None;
    for (child, slot) in children {
        let of_child = child.held.take();
        let was_held = of_child.is_some();
        held = held.or(of_child);
        match slot.take() {
            Some(Ok(value)) => ended.push(Ok(value.flatten())),
            Some(Err(_)) | None if was_held => {}
            Some(Err(raised)) => {
                let effect = failure::effect_of(&raised);
                let (_, innermost) = diagnostic::innermost("", &raised);
                let EvalAltResult::ErrorRuntime(thrown, _) = innermost else { return Err(raised) };
                ended.push(Err((thrown.clone(), effect)));
            }
            None => return Err(terminated(call.position())),
        }
    }
    if held.is_some() {
        track.held.replace(held);
        return Err(terminated(call.position()));
    }
    Ok(ended)
}

/// Whether the next batch may begin. `failures` are the effects that failed in the last one: what is tried again.
fn judge(
    call: &Call<'_>,
    plan: &RollingOptions,
    items: &[RollingItem],
    batch: &[usize],
    failures: Vec<EffectId>,
) -> Fallible<()> {
    let failed = names(items.iter().filter(|item| item.failed(plan)));
    let unreached = names(items.iter().filter(|item| item.is_unreachable()));
    let (all, done) = (items.len(), items.iter().filter(|item| item.outcome.is_some()).count());
    let begun = format!("{} of {all} not begun", all - done);
    let mut last = batch.iter().filter_map(|index| items.get(*index));
    let (first, names, message) = if failed.len() > plan.max_failures {
        let message = format!("{} of {all} failed: {}; {begun}", failed.len(), failed.join(", "));
        (last.find(|item| item.failed(plan)), failed, message)
    } else if plan.unreachable == Unreachable::Stop && !unreached.is_empty() {
        let message = format!("{} cannot be reached; {begun}", unreached.join(", "));
        (last.find(|item| item.is_unreachable()), unreached, message)
    } else {
        return Ok(());
    };
    call.track()?.run.failed_beside.replace(failures);
    let thrown = first.and_then(|item| item.outcome.clone()).and_then(Result::err).unwrap_or_default();
    let mut map = thrown.try_cast::<Map>().unwrap_or_default();
    if !map.contains_key("kind") {
        map.insert("kind".into(), FailureKind::Goal.word().into());
    }
    map.insert("message".into(), message.into());
    map.insert("failed".into(), names.into_iter().map(Dynamic::from).collect::<Array>().into());
    Err(Box::new(EvalAltResult::ErrorRuntime(map.into(), call.position())))
}

/// What items are called.
fn names<'a>(items: impl Iterator<Item = &'a RollingItem>) -> Vec<String> {
    items.map(|item| diagnostic::shown(&item.item)).collect()
}
