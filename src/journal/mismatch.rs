//! How a script that asks for something else than what is recorded is told so: field by field, in the words
//! `recorded` and `attempted`. It only describes; the dispatcher stops the run.

use super::history::Past;
use crate::error::{Error, Kind};
use crate::model::run::effect::Effect;
use crate::model::text::shown;
use serde_json::Value as Json;

/// The most differences that are listed; the rest are counted.
const LISTED: usize = 8;

/// The refusal when the script attempts `attempted` in step number `step` where `recorded` stands.
#[must_use]
pub fn mismatch(recorded: &Past<'_>, attempted: &Effect, step: &str) -> Box<Error> {
    let message = format!(
        "the runbook departs from its journal: recorded `{}`, attempted `{}`",
        shown(&recorded.effect.label),
        shown(&attempted.label)
    );
    let differences = differences(recorded, attempted, step);
    let mut error = Error::new(Kind::Refused, message);
    for difference in differences.iter().take(LISTED) {
        error = error.cause(difference);
    }
    if differences.len() > LISTED {
        error = error.cause(format!("{} more differences", differences.len() - LISTED));
    }
    error.hint("nothing was done: a resumed runbook must first ask for what is recorded, in the same order")
}

fn differences(recorded: &Past<'_>, attempted: &Effect, step: &str) -> Vec<String> {
    let mut found = Vec::new();
    let text = |text: &str| Json::String(text.to_owned());
    let name = |name: &Option<String>| name.as_deref().map_or(Json::Null, text);
    compare(&mut found, "step", &text(recorded.step), &text(step));
    compare(&mut found, "host", &name(&recorded.effect.host), &name(&attempted.host));
    compare(&mut found, "service", &name(&recorded.effect.service), &name(&attempted.service));
    let (before, now) = (recorded.effect.kind(), attempted.kind());
    compare(&mut found, "kind", &text(before), &text(now));
    if before == now {
        let inner = |effect: &Effect| {
            let action = serde_json::to_value(&effect.action).unwrap_or_default();
            action.get(before).cloned().unwrap_or_default()
        };
        compare(&mut found, "", &inner(recorded.effect), &inner(attempted));
    }
    found
}

/// Walks down both sides and tells where they part.
fn compare(found: &mut Vec<String>, path: &str, recorded: &Json, attempted: &Json) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (recorded, attempted) {
        (Json::Object(before), Json::Object(now)) => {
            let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let side = |map: &serde_json::Map<String, Json>| map.get(key).cloned().unwrap_or_default();
                compare(found, &below(key), &side(before), &side(now));
            }
        }
        (Json::Array(before), Json::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                compare(found, &format!("{path}[{index}]"), before, now);
            }
        }
        (before, now) if before == now => {}
        (before, now) => found.push(format!("{path}: recorded {}, attempted {}", quoted(before), quoted(now))),
    }
}

fn quoted(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) if text.is_empty() => "nothing".to_owned(),
        Json::String(text) => format!("`{}`", shown(text)),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            format!("`{}`", shown(&value.to_string()))
        }
    }
}
