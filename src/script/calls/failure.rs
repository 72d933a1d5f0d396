//! Failures as scripts catch them: maps with `kind`, `message` and where it happened. The way there and back lies
//! here and nowhere else. It must not decide what is a failure.

use crate::error::{Error, Kind, Place};
use crate::model::run::effect::{Failure, FailureKind};
use crate::model::run::record::EffectId;
use crate::model::text;
use crate::script::compile::diagnostic;
use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Position};

/// What a script sees if it catches one of its own bugs, before the run ends.
#[derive(Clone)]
pub(crate) struct Bug;

/// Where a failure is raised: the call, and the innermost step it belongs to.
pub(crate) struct RaisedAt {
    /// The step's number; empty outside steps.
    pub(crate) step: String,
    /// The call, for people.
    pub(crate) place: Option<Place>,
    /// The same as Rhai counts.
    pub(crate) position: Position,
}

/// A failure as an error that a script can catch; `host` and `service` are whose it is, `effect` is what failed.
pub(crate) fn thrown(
    at: RaisedAt,
    why: &Failure,
    host: Option<String>,
    service: Option<String>,
    effect: Option<&EffectId>,
) -> Box<EvalAltResult> {
    let or_nothing = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    let mut map = Map::new();
    map.insert("kind".into(), why.kind.word().into());
    map.insert("message".into(), why.message.clone().into());
    map.insert("host".into(), or_nothing(host));
    map.insert("service".into(), or_nothing(service));
    map.insert("exit".into(), why.exit.map_or(Dynamic::UNIT, |exit| i64::from(exit).into()));
    map.insert("output".into(), why.output.clone().into());
    map.insert("step".into(), at.step.into());
    map.insert("effect".into(), or_nothing(effect.map(ToString::to_string)));
    if let Some(place) = at.place {
        map.insert("file".into(), place.file.into());
        map.insert("line".into(), i64::from(place.line).into());
        map.insert("column".into(), i64::from(place.column).into());
    }
    Box::new(EvalAltResult::ErrorRuntime(map.into(), at.position))
}

/// A failure that belongs to no effect.
pub(crate) fn plain(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into(), exit: None, output: String::new() }
}

/// What an uncaught error value says of itself.
pub(crate) struct Uncaught {
    /// The message and what it was caused by.
    pub(crate) error: Box<Error>,
    /// The effect that failed.
    pub(crate) effect: Option<EffectId>,
    /// Whether a guard did not hold.
    pub(crate) guard: bool,
    /// Where the failing call stands: file, line, column.
    pub(crate) place: Option<(String, u32, u32)>,
}

/// Reads an error value that no `try` caught: one of ours, or whatever the script threw.
pub(crate) fn uncaught(thrown: &Dynamic) -> Uncaught {
    let Some(map) = thrown.read_lock::<Map>() else {
        return Uncaught {
            error: Error::new(Kind::Failed, format!("the runbook gave up: {}", diagnostic::shown(thrown))),
            effect: None,
            guard: false,
            place: None,
        };
    };
    let word = |key: &str| map.get(key).and_then(|value| value.read_lock::<ImmutableString>().map(|t| t.to_string()));
    let number = |key: &str| map.get(key).and_then(|value| value.as_int().ok()).and_then(|n| u32::try_from(n).ok());
    let guard = word("kind").as_deref() == Some(FailureKind::Guard.word());
    let message = word("message").unwrap_or_else(|| diagnostic::shown(thrown));
    let mut error = Error::new(Kind::Failed, message);
    if let Some(last) = word("output").and_then(|output| output.trim_end().lines().last().map(text::shown))
        && !last.is_empty()
    {
        error = error.cause(last);
    }
    let place =
        word("file").zip(number("line")).zip(number("column")).map(|((file, line), column)| (file, line, column));
    Uncaught { error, effect: word("effect").and_then(|id| id.parse().ok()), guard, place }
}

/// The effect whose failure was raised, if it was one.
pub(crate) fn effect_of(raised: &EvalAltResult) -> Option<EffectId> {
    let (_, inner) = diagnostic::innermost("", raised);
    if let EvalAltResult::ErrorRuntime(thrown, _) = inner { uncaught(thrown).effect } else { None }
}
