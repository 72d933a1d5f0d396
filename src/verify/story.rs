//! A counterexample told: what the site was, then in order what the run did, what happened to it, what it had last read
//! and what was true. It plays the schedule once more, and explains nothing that it did not see.

use super::play::{Play, Watch};
use super::scene::Scene;
use super::schedule::Schedule;
use super::shrink::judged;
use super::violation::Violation;
use super::witness::{Heard, Witness};
use crate::error::{Place, Result};
use crate::model::run::effect::{Action, Effect, Outcome};
use crate::model::run::instant::Wall;
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Fact, Record};
use crate::model::value::Value;
use crate::report::ending::ending_badge;
use crate::sim::{Fault, Struck};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What sort of line of a story it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A step of the run.
    Step,
    /// Something that the run did or asked inside a step.
    Deed,
    /// What happened to it.
    Fault,
    /// What is wrong.
    Wrong,
    /// What it had last read, and what was true.
    Aside,
    /// How it ended.
    End,
}

/// A line of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryLine {
    /// When; nothing where that is the line's before it.
    pub when: Option<Wall>,
    /// What sort it is.
    pub told: Told,
    /// What is told.
    pub text: String,
    /// Where in the runbook or its library.
    pub place: Option<Place>,
}

/// A story.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// How the site was at the beginning, a line a service or pair.
    pub site: Vec<String>,
    /// What happened, in order.
    pub lines: Vec<StoryLine>,
    /// Everything that speaks against the play, at its end.
    pub findings: Vec<Violation>,
    /// What the schedule had in store for it and what never came to pass.
    pub missed: Vec<String>,
}

/// Plays a schedule and tells what happens.
///
/// # Errors
/// The defect of a model.
pub fn tell(scene: &Scene, schedule: &Schedule) -> Result<Story> {
    let witness = Witness::remembering();
    let play = Play::new(scene, schedule, witness.clone());
    let site = stands(&play.situation.estate.summary()?);
    let nobody: Watch = Rc::new(|_| false);
    let end = play.go(schedule, false, &nobody)?;
    let findings = judged(&play, &end)?;
    witness.catch_up(&play.situation.estate);
    let mut teller = Teller::default();
    for heard in witness.story() {
        teller.hear(heard);
    }
    let told: Vec<&Violation> = teller.told.iter().collect();
    let late: Vec<Violation> = findings.iter().filter(|finding| !told.contains(finding)).cloned().collect();
    let truth = stands(&play.situation.estate.summary()?);
    for finding in late {
        teller.wrong(&finding, &truth);
    }
    let missed = missed(&play, schedule, &witness.story());
    Ok(Story { site, lines: teller.lines, findings, missed })
}

/// What a schedule had in store for a play and what never came to pass.
fn missed(play: &Play<'_>, schedule: &Schedule, heard: &[Heard]) -> Vec<String> {
    let struck = play.situation.estate.struck();
    let never = |fault: &&Fault| !struck.iter().any(|struck| struck.fault == **fault);
    let faults = schedule.faults.iter().filter(never).cloned().map(|fault| Schedule::of(vec![fault]));
    let died = |of: usize| heard.iter().any(|heard| matches!(heard, Heard::Died { runner, .. } if *runner == of));
    let deaths = schedule.deaths.iter().filter(|(runner, _)| !died(**runner));
    let deaths = deaths.map(|(runner, death)| Schedule::default().dying(*runner, *death));
    faults.chain(deaths).map(|part| part.to_string()).collect()
}

/// Turns what was heard into lines.
#[derive(Default)]
struct Teller {
    lines: Vec<StoryLine>,
    told: Vec<Violation>,
    labels: BTreeMap<EffectId, (String, Option<Place>)>,
    /// What was last read of what, and when.
    read: BTreeMap<String, (String, Wall)>,
}

impl Teller {
    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Record(record) => self.record(&record),
            Heard::Struck(Struck { fault, when }) => {
                let at = format!("{} {}", fault.at.verb, fault.at.subject);
                let text = format!("{} ({})", fault.harm, at.trim());
                self.line(Some(when), Told::Fault, text, None);
            }
            Heard::Wrong { finding, truth } => self.wrong(&finding, &stands(&truth)),
            Heard::Died { back, .. } => {
                let then = if back { "the next one takes the run back" } else { "the next one takes it up" };
                self.line(None, Told::Fault, format!("the runner dies; {then}"), None);
            }
        }
    }

    fn record(&mut self, record: &Record) {
        let when = Some(record.at.wall);
        match &record.fact {
            Fact::StepBegun { number, name, place, .. } => {
                self.line(when, Told::Step, format!("{number}  {name}"), place.as_ref().map(Place::from));
            }
            Fact::Intent { id, effect, place, attempt, .. } => self.intent(id, effect, place.as_ref(), *attempt, when),
            Fact::Outcome { id, outcome, .. } => self.outcome(id, outcome, when),
            Fact::Read { id, effect, outcome, place, .. } => {
                self.labels.insert(id.clone(), (effect.label.clone(), place.as_ref().map(Place::from)));
                match outcome {
                    Outcome::Done { value, .. } if matches!(effect.action, Action::Probe(_)) => {
                        self.read.insert(effect.label.clone(), (value.to_string(), record.at.wall));
                    }
                    Outcome::Done { .. } | Outcome::Skipped { .. } => self.said(id, effect, when),
                    Outcome::Failed(_) => self.outcome(id, outcome, when),
                }
            }
            Fact::Doubt { id, reason, .. } => {
                let text = format!("{} is in doubt: {reason}", self.label(id));
                self.line(when, Told::Deed, text, None);
            }
            Fact::Ended { ending, message, .. } => {
                let text = format!("{}: {message}", ending_badge(Some(*ending)).word);
                self.line(when, Told::End, text.trim_end_matches(": ").to_owned(), None);
            }
            Fact::Rollback { .. } => self.line(when, Told::Step, "the way back begins".to_owned(), None),
            Fact::Begun { .. } | Fact::Opened | Fact::StepEnded { .. } | Fact::Settled { .. } | Fact::Retry { .. } => {}
            Fact::Answered { .. } | Fact::Skipped { .. } | Fact::StepSkipped { .. } | Fact::Adopted { .. } => {}
            Fact::Undone { .. } | Fact::Steered { .. } | Fact::Typed { .. } | Fact::Deviation { .. } => {}
        }
    }

    fn said(&mut self, id: &EffectId, effect: &Effect, when: Option<Wall>) {
        if let Action::Note { text, .. } = &effect.action {
            let place = self.labels.get(id).and_then(|(_, place)| place.clone());
            self.line(when, Told::Deed, format!("says: {text}"), place);
        }
    }

    fn intent(&mut self, id: &EffectId, effect: &Effect, place: Option<&PlaceData>, attempt: u32, when: Option<Wall>) {
        let place = place.map(Place::from);
        self.labels.insert(id.clone(), (effect.label.clone(), place.clone()));
        let again = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
        let text = if let Action::Ask(ask) = &effect.action {
            format!("asks: {}", ask.text)
        } else {
            format!("{}{again}", effect.label)
        };
        self.line(when, Told::Deed, text, place);
    }

    fn outcome(&mut self, id: &EffectId, outcome: &Outcome, when: Option<Wall>) {
        let (label, place) = self.labels.get(id).cloned().unwrap_or_default();
        match outcome {
            Outcome::Failed(failure) => {
                self.line(when, Told::Deed, format!("{label} failed: {}", failure.message), place);
            }
            Outcome::Done { value, .. } => {
                if let Some(word) = value.get("word").and_then(Value::as_text) {
                    self.line(when, Told::Deed, format!("is answered: {word}"), None);
                }
            }
            Outcome::Skipped { .. } => {}
        }
    }

    fn wrong(&mut self, finding: &Violation, truth: &[String]) {
        if self.told.contains(finding) {
            return;
        }
        self.told.push(finding.clone());
        self.line(None, Told::Wrong, format!("{}: {}", finding.oracle.title(), finding.text), None);
        let about = |label: &&String| ["role(", "status("].iter().any(|what| label.starts_with(what));
        let read: Vec<String> = self
            .read
            .iter()
            .filter(|(label, _)| about(label))
            .map(|(label, (value, at))| format!("{label} {value} at {}", time(*at)))
            .collect();
        if !read.is_empty() {
            self.line(None, Told::Aside, format!("last read: {}", read.join(", ")), None);
        }
        for line in truth {
            self.line(None, Told::Aside, format!("true then: {line}"), None);
        }
    }

    fn label(&self, id: &EffectId) -> String {
        self.labels.get(id).map_or_else(|| "a call".to_owned(), |(label, _)| label.clone())
    }

    fn line(&mut self, when: Option<Wall>, told: Told, text: String, place: Option<Place>) {
        self.lines.push(StoryLine { when, told, text, place });
    }
}

/// The time of day of a simulated night.
#[must_use]
pub fn time(at: Wall) -> String {
    at.timestamp().map_or_else(String::new, |time| time.strftime("%H:%M:%S").to_string())
}

/// How a site stands, by what its models say of themselves: a line each.
fn stands(summary: &Value) -> Vec<String> {
    let Value::Map(models) = summary else { return Vec::new() };
    let parts = models.values().filter_map(|model| if let Value::Map(parts) = model { Some(parts) } else { None });
    let line = |(name, part): (&String, &Value)| {
        let Value::Map(fields) = part else { return format!("{name} {part}") };
        let shown = fields.iter().filter(|(_, value)| !matches!(value, Value::Text(text) if text.is_empty()));
        let words: Vec<String> = shown.map(|(key, value)| format!("{key} {value}")).collect();
        format!("{name}: {}", words.join(", "))
    };
    parts.flat_map(|parts| parts.iter().map(line)).collect()
}
