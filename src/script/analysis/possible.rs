//! What an expression can come to although only the run tells which: what a probe reads, what a person is offered. It
//! must not guess: what is not certain has no entry here.

use super::values_so_far::ValuesSoFar;
use crate::model::text::did_you_mean;
use crate::model::value::Value;
use crate::script::calls::doc::ProbeLook;
use crate::script::compile::tree;
use crate::script::primitives;
use crate::script::values::handles::ServiceHandle;
use rhai::{Array, Expr, ImmutableString};

/// What something can be.
#[derive(Clone)]
pub(crate) enum Possible {
    /// What this probe of a service can read.
    Probe(ServiceHandle, String),
    /// One of the words that a person is offered.
    Words(Vec<String>),
}

/// What the call that an expression is can give.
pub(crate) fn of_call(written: &impl ValuesSoFar, expr: &Expr) -> Option<Possible> {
    let (call, object) = tree::called(expr).filter(|(call, _)| !written.is_own(&call.name))?;
    let mut args = object.into_iter().chain(call.args.iter());
    if call.name == "choose" {
        let words = written.value(args.nth(1)?).try_cast::<Array>()?;
        let words: Option<Vec<String>> =
            words.iter().map(|word| word.read_lock::<ImmutableString>().map(|word| word.to_string())).collect();
        return words.map(Possible::Words);
    }
    let service = written.value(args.next()?).read_lock::<ServiceHandle>().map(|service| service.clone())?;
    let looks_at = primitives::find(&call.name).and_then(|doc| doc.looks_at);
    let probe = match looks_at {
        Some(ProbeLook::Gives(probe)) => probe.to_owned(),
        None if call.name == "probe" => written.value(args.next()?).into_immutable_string().ok()?.to_string(),
        Some(ProbeLook::Decides(_)) | None => return None,
    };
    Some(Possible::Probe(service, probe))
}

impl Possible {
    /// Why it is never this.
    pub(crate) fn never(&self, value: &Value) -> Option<String> {
        // What is nothing is compared with to ask whether something is there.
        if matches!(value, Value::Null | Value::List(_) | Value::Map(_)) {
            return None;
        }
        match self {
            Self::Probe(service, probe) => never_reads(service, probe, value),
            Self::Words(words) => {
                let text = value.as_text()?;
                if words.iter().any(|word| word == text) {
                    return None;
                }
                let all: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                let near = did_you_mean(text, words.iter().map(String::as_str)).map(|hint| format!("; {hint}"));
                let near = near.unwrap_or_default();
                Some(format!("`choose` never gives `{text}`: it offers {}{near}", all.join(", ")))
            }
        }
    }
}

fn never_reads(service: &ServiceHandle, probe: &str, value: &Value) -> Option<String> {
    let reads = &service.get().profile.probes.get(probe)?.reads;
    if let Err(why) = reads.can_give(value) {
        return Some(format!("probe `{probe}` {why}"));
    }
    let typed = reads.typed(&value.to_string());
    let unlike = matches!(value, Value::Text(_)) && !matches!(typed, Value::Text(_));
    unlike.then(|| format!("probe `{probe}` reads {}: it is never the text `{value}`", typed.kind_name()))
}
