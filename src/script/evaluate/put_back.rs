//! Putting back what a change recorded: the former value, unless somebody else has changed it since; or, of a change
//! that is made once, the verb that undoes it. It must not decide in which order.

use crate::dispatch::{Door, Halted};
use crate::error::{Error, Kind};
use crate::journal::happened::Happened;
use crate::journal::rollback_plan::Change;
use crate::model::run::effect::{Action, Ask, Effect, Failure, Goal, Job, Outcome, Probe, Undo, Until};
use crate::model::run::record::EffectId;
use crate::model::site::inventory::{Inventory, Service};
use crate::model::span::Span;
use crate::model::text;
use crate::model::value::{Fields, Value};
use crate::script::calls::lower;
use crate::script::evaluate::script_end::ScriptEnd;
use crate::script::primitives::{answer_word, in_order, labelled};
use std::collections::{BTreeMap, BTreeSet};

/// A part of the way back: done, or why it broke off.
pub(super) type RestoreResult = std::result::Result<(), ScriptEnd>;

/// What a probe reads when it does not know.
const UNKNOWN: &str = "unknown";

/// Whoever puts things back.
pub(super) struct Restorer<'a> {
    /// The way to the world.
    pub(super) door: &'a dyn Door,
    /// The site.
    pub(super) inventory: &'a Inventory,
}

impl Restorer<'_> {
    /// Undoes a change by what it recorded.
    pub(super) fn put_back(&self, change: &Change) -> RestoreResult {
        let (Action::Job(job), Some(undo)) = (&change.effect.action, &change.effect.undo) else { return Ok(()) };
        let wanted = match &job.goal {
            Some(goal) => self.is_ours(change, goal, undo)?,
            None => self.happened(change, job)?,
        };
        if !wanted {
            return Ok(());
        }
        let service = self.service(&change.effect)?;
        let job = lower::job(service, &undo.verb, &undo.args, None).map_err(|why| self.not_offered(why))?;
        let label = put_back_label(&undo.verb, &service.name, &job.args);
        self.perform(lower::on_service(service, label, Action::Job(job))).map(drop)
    }

    /// Looks whether what steps have undone as they say themselves is as it was before. `all` are the changes that were
    /// taken back, newest first, `own` those of such steps: what was changed more than once has to be as it was before
    /// the first time. What is on its way there is waited for.
    pub(super) fn compare(&self, all: &[&Change], own: &[&Change]) -> RestoreResult {
        for (change, goal, former) in formers(all, own) {
            let (_, now) = self.read(change, &goal.probe)?;
            if goal.wants.contains(&now) && now != *former {
                return Err(failed(Error::new(Kind::Failed, otherwise(change, goal, &now, former)), None));
            }
            if now != *former {
                self.await_former(change, goal, former)?;
            }
        }
        Ok(())
    }

    /// Waits until something is as it was before.
    fn await_former(&self, change: &Change, goal: &Goal, former: &Value) -> RestoreResult {
        let limit = if let Action::Job(job) = &change.effect.action { job.limit } else { Span::secs(60) };
        let (probe, wants) = (goal.probe.clone(), vec![former.clone()]);
        let action = Action::Until(Until { probe, wants, every: Span::secs(5), stays: Span(0), limit });
        let label = format!("{} to be {} as before", reading(change, goal), told(former));
        self.perform(Effect { action, label, undo: None, before: None, ..change.effect.clone() }).map(drop)
    }

    /// Looks whether what stands there now is what this run made of it.
    fn is_ours(&self, change: &Change, goal: &Goal, undo: &Undo) -> std::result::Result<bool, ScriptEnd> {
        let former = undo.args.get("former").cloned().unwrap_or_default();
        let (_, now) = self.read(change, &goal.probe)?;
        let label = &change.effect.label;
        let read = labelled(&goal.probe.what, change.effect.service.as_deref().unwrap_or_default(), [].into_iter());
        if now == former {
            self.note(format!("{label} needs no undoing: {read} reads {} as before", told(&now)))?;
            return Ok(false);
        }
        if goal.wants.contains(&now) {
            return Ok(true);
        }
        if now.as_text() == Some(UNKNOWN) {
            let message = format!("{read} cannot tell how it stands, so {label} is not undone");
            return Err(failed(Error::new(Kind::Failed, message), None));
        }
        let made: Vec<String> = goal.wants.iter().map(told).collect();
        let values = format!(
            "{read} reads {}; this run made it {}, before it was {}",
            told(&now),
            made.join(" or "),
            told(&former)
        );
        if change.fate != Happened::Happened {
            return self.word_on(change, &format!("{values}, and {label} did not end well"));
        }
        self.warn(format!("kept, somebody else has changed it since {label}: {values}"))?;
        Ok(false)
    }

    /// Whether a change that is made once happened; one that failed is settled by its check.
    fn happened(&self, change: &Change, job: &Job) -> std::result::Result<bool, ScriptEnd> {
        if change.fate == Happened::Happened {
            return Ok(true);
        }
        let label = &change.effect.label;
        let Some(check) = &job.check else {
            return self.word_on(change, &format!("{label} did not end well, and no check tells whether it happened"));
        };
        let (_, answer) = self.read(change, check)?;
        match answer.as_text() {
            Some("yes") => Ok(true),
            Some("no") => {
                self.note(format!("{label} needs no undoing: its check says that it did not happen"))?;
                Ok(false)
            }
            Some(_) | None => self
                .word_on(change, &format!("{label} did not end well, and its check cannot tell whether it happened")),
        }
    }

    fn word_on(&self, change: &Change, reason: &str) -> std::result::Result<bool, ScriptEnd> {
        self.door.word_on(&change.id, reason).map_err(|Halted| ScriptEnd::Halted)
    }

    fn read(&self, change: &Change, probe: &Probe) -> std::result::Result<(EffectId, Value), ScriptEnd> {
        let name = change.effect.service.as_deref().or(change.effect.host.as_deref()).unwrap_or_default();
        let label = labelled(&probe.what, name, std::iter::empty());
        let action = Action::Probe(probe.clone());
        self.perform(Effect { action, label, undo: None, before: None, ..change.effect.clone() })
    }

    /// Asks a person to do something; fails when they say that it failed.
    pub(super) fn ask(&self, ask: Ask) -> RestoreResult {
        let text = ask.text.clone();
        let effect = Effect {
            label: format!("manual({text})"),
            action: Action::Ask(ask),
            host: None,
            service: None,
            undo: None,
            before: None,
        };
        let (id, answer) = self.perform(effect)?;
        if answer_word(&answer) == "failed" {
            return Err(failed(Error::new(Kind::Failed, format!("a person says that it failed: {text}")), Some(id)));
        }
        Ok(())
    }

    /// Notes something on record.
    pub(super) fn note(&self, text: String) -> RestoreResult {
        let (action, label) = (Action::Note { text, warning: false }, "note".to_owned());
        self.perform(Effect { action, label, host: None, service: None, undo: None, before: None }).map(drop)
    }

    fn warn(&self, text: String) -> RestoreResult {
        let (action, label) = (Action::Note { text, warning: true }, "warn".to_owned());
        self.perform(Effect { action, label, host: None, service: None, undo: None, before: None }).map(drop)
    }

    fn perform(&self, effect: Effect) -> std::result::Result<(EffectId, Value), ScriptEnd> {
        match self.door.perform(effect, None) {
            Ok((id, Outcome::Done { value, .. })) => Ok((id, value)),
            Ok((id, Outcome::Skipped { .. })) => Ok((id, Value::Null)),
            Ok((id, Outcome::Failed(why))) => Err(failed(in_words(&why), Some(id))),
            Err(Halted) => Err(ScriptEnd::Halted),
        }
    }

    fn service(&self, effect: &Effect) -> std::result::Result<&Service, ScriptEnd> {
        let name = effect.service.as_deref().unwrap_or_default();
        self.inventory.services.get(name).ok_or_else(|| self.not_offered(format!("there is no service `{name}`")))
    }

    fn not_offered(&self, why: String) -> ScriptEnd {
        failed(Error::new(Kind::Failed, why), None)
    }
}

/// A part of the way back has failed.
pub(super) fn failed(error: Box<Error>, effect: Option<EffectId>) -> ScriptEnd {
    ScriptEnd::Failed { error, effect, beside: Vec::new(), guard: false, owed: Vec::new() }
}

fn in_words(why: &Failure) -> Box<Error> {
    let error = Error::new(Kind::Failed, why.message.clone());
    match why.output.trim_end().lines().last().map(text::shown).filter(|last| !last.is_empty()) {
        Some(last) => error.cause(last),
        None => error,
    }
}

/// What has to be as it was before: of `all` changes that are taken back, newest first, what the `own` ones concern,
/// with the goal that reads it and the value it had before the first of them.
pub(super) fn formers<'a>(all: &[&'a Change], own: &[&Change]) -> Vec<(&'a Change, &'a Goal, &'a Value)> {
    let mut first: BTreeMap<String, (&Change, &Goal, &Value)> = BTreeMap::new();
    for change in all {
        let (Some((digest, goal)), Some(undo)) = (goal_of(change), &change.effect.undo) else { continue };
        let Some(former) = undo.args.get("former") else { continue };
        first.insert(digest, (change, goal, former));
    }
    let concerned: BTreeSet<String> = own.iter().filter_map(|change| Some(goal_of(change)?.0)).collect();
    first.retain(|digest, _| concerned.contains(digest));
    let is_known = |former: &Value| *former != Value::Null && former.as_text() != Some(UNKNOWN);
    first.into_values().filter(|(_, _, former)| is_known(former)).collect()
}

/// What tells the state that a change has made from others, and that state: what is read of whom, whatever it is set
/// to.
fn goal_of(change: &Change) -> Option<(String, &Goal)> {
    let Action::Job(job) = &change.effect.action else { return None };
    let goal = job.goal.as_ref()?;
    Some((format!("{:?} {}", change.effect.host, reading(change, goal)), goal))
}

fn reading(change: &Change, goal: &Goal) -> String {
    let args = without_values(&goal.probe.args);
    let service = change.effect.service.as_deref().unwrap_or_default();
    labelled(&goal.probe.what, service, in_order(&args, &[]).into_iter())
}

fn otherwise(change: &Change, goal: &Goal, now: &Value, former: &Value) -> String {
    let read = reading(change, goal);
    let (now, former, label) = (told(now), told(former), &change.effect.label);
    format!("what was undone is not as it was before: {read} reads {now}, as {label} has made it, and was {former}")
}

/// What is put back, as a person reads it: the value it is set to comes last.
fn put_back_label(verb: &str, service: &str, args: &Fields) -> String {
    let what = without_values(args);
    let former = args.get("former").filter(|_| args.contains_key("value"));
    let back = former.map(|former| Value::Text(format!("back to {}", told(former))));
    labelled(verb, service, in_order(&what, &[]).into_iter().chain(&back))
}

/// The arguments that say what is changed, without those that say into what.
fn without_values(args: &Fields) -> Fields {
    let says_what = |name: &str| !matches!(name, "former" | "value");
    args.iter().filter(|(name, _)| says_what(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A value for people, in back-ticks.
fn told(value: &Value) -> String {
    match value.to_string() {
        text if text.is_empty() => "nothing".to_owned(),
        text => format!("`{text}`"),
    }
}
