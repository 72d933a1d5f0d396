//! What has happened in a run so far, kept beside the record while somebody steers it. It must not decide anything.

use crate::model::run::effect::{Action, Outcome};
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{EffectId, Fact, Record, ScriptPoint, TrackId};
use crate::model::value::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The records so far. Clones are the same timeline.
#[derive(Clone, Default)]
pub(crate) struct Timeline(Rc<RefCell<Vec<Rc<Record>>>>);

impl Sink for Timeline {
    fn event(&mut self, event: &Event) {
        if let Event::Recorded { record, .. } = event {
            self.0.borrow_mut().push(Rc::clone(record));
        }
    }
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepStanding {
    /// It is being done.
    UnderWay,
    /// It was done, and something was changed or read.
    Done,
    /// Everything it was to change was so already.
    Same,
    /// It failed.
    Failed,
    /// A person had it left out.
    Skipped,
}

/// A step that has begun, or was left out.
#[derive(Debug, Clone)]
pub(crate) struct TimelineStep {
    pub(crate) track: TrackId,
    pub(crate) number: String,
    pub(crate) name: String,
    /// File and line, if known.
    pub(crate) place: Option<(String, u32)>,
    pub(crate) standing: StepStanding,
    /// Which record began it, counted from 0.
    pub(crate) record: usize,
    /// Which record ended it; 0 when none did.
    pub(crate) ended: usize,
}

/// An effect that was asked for and has no outcome.
pub(crate) struct Open {
    pub(crate) label: String,
    pub(crate) host: Option<String>,
    /// Whether it is a change, which goes on by itself.
    pub(crate) job: bool,
}

/// A line that was typed.
#[derive(Debug, Clone)]
pub(crate) struct TimelineLine {
    pub(crate) n: u32,
    pub(crate) point: ScriptPoint,
    pub(crate) text: String,
}

impl Timeline {
    /// Forgets all, before it is told anew.
    pub(crate) fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// The lines typed so far.
    pub(crate) fn lines(&self) -> Vec<TimelineLine> {
        let mut lines = Vec::new();
        for record in self.0.borrow().iter() {
            if let Fact::Typed { n, point, text } = &record.fact {
                lines.push(TimelineLine { n: *n, point: point.clone(), text: text.clone() });
            }
        }
        lines
    }

    /// The effect that ended the run, as the record has it.
    pub(crate) fn fatal(&self) -> Option<EffectId> {
        let records = self.0.borrow();
        let ended = records.iter().rev().find(|record| matches!(record.fact, Fact::Ended { .. }));
        if let Some(Fact::Ended { effect, .. }) = ended.map(|record| &record.fact) { effect.clone() } else { None }
    }

    /// Effects that were asked for and have no outcome.
    pub(crate) fn open(&self) -> Vec<Open> {
        let mut open: BTreeMap<EffectId, Open> = BTreeMap::new();
        for record in self.0.borrow().iter() {
            if let Fact::Intent { id, effect, .. } = &record.fact {
                let job = matches!(effect.action, Action::Job(_));
                open.insert(id.clone(), Open { label: effect.label.clone(), host: effect.host.clone(), job });
            }
            if let Fact::Outcome { id, .. } | Fact::Doubt { id, .. } | Fact::Skipped { id, .. } = &record.fact {
                open.remove(id);
            }
        }
        open.into_values().collect()
    }

    /// Number and name of the step that comes next because it was undone, unless one has begun since.
    pub(crate) fn undone(&self) -> Option<(String, String)> {
        let records = self.0.borrow();
        let last = records.iter().rev().find(|record| {
            if let Fact::StepBegun { track, .. } | Fact::StepSkipped { track, .. } = &record.fact {
                return track.is_scripts();
            }
            matches!(record.fact, Fact::Undone { .. })
        })?;
        let Fact::Undone { since } = &last.fact else { return None };
        // Records are counted from 1.
        let at = usize::try_from(*since).ok()?.checked_sub(1)?;
        let Fact::StepBegun { number, name, .. } = &records.get(at)?.fact else { return None };
        Some((number.clone(), name.clone()))
    }

    /// The number of the step an effect belongs to.
    pub(crate) fn step_of(&self, wanted: &EffectId) -> Option<String> {
        let records = self.0.borrow();
        let mut asked = records.iter().rev().filter_map(|record| {
            if let Fact::Intent { id, step, .. } | Fact::Read { id, step, .. } = &record.fact {
                return Some((id, step));
            }
            None
        });
        asked.find(|(id, _)| *id == wanted).map(|(_, step)| step.clone())
    }

    /// The steps of the script that have begun, in order.
    pub(crate) fn steps(&self) -> Vec<TimelineStep> {
        let mut reading = TimelineReader::default();
        self.0.borrow().iter().enumerate().for_each(|(at, record)| reading.take(at, record));
        reading.steps
    }
}

/// Steps as they are read from records.
#[derive(Default)]
struct TimelineReader {
    /// The record that is read.
    at: usize,
    steps: Vec<TimelineStep>,
    /// By step: what came of its changes.
    changes: BTreeMap<String, BTreeMap<EffectId, Came>>,
    /// The steps of changes.
    asked: BTreeMap<EffectId, String>,
}

impl TimelineReader {
    fn take(&mut self, at: usize, record: &Record) {
        self.at = at;
        if let Fact::StepBegun { track, number, name, place, .. } = &record.fact
            && track.is_scripts()
        {
            let place = place.as_ref().map(|place| (place.file.clone(), place.line));
            self.begin(track, number, name, place, StepStanding::UnderWay);
        }
        if let Fact::Undone { since } = &record.fact {
            // Records are counted from 1.
            self.steps.retain(|step| (step.record as u64) + 1 < *since);
        }
        if let Fact::StepSkipped { track, number, name, .. } = &record.fact {
            self.begin(track, number, name, None, StepStanding::Skipped);
        }
        if let Fact::StepEnded { track, number, failed } = &record.fact {
            let most = self.changes.get(number).and_then(|changes| changes.values().max());
            let standing = match (failed, most) {
                (Some(_), _) => StepStanding::Failed,
                (None, Some(Came::New) | None) => StepStanding::Done,
                (None, Some(Came::Same)) => StepStanding::Same,
                (None, Some(Came::LeftOut)) => StepStanding::Skipped,
            };
            let of = self.steps.iter_mut().find(|step| step.number == *number && step.track == *track);
            of.into_iter().for_each(|step| (step.standing, step.ended) = (standing, at));
        }
        if let Fact::Intent { id, step, effect, .. } = &record.fact
            && effect.is_change()
        {
            self.asked.insert(id.clone(), step.clone());
        }
        if let Fact::Outcome { id, outcome, .. } = &record.fact
            && let Some(step) = self.asked.get(id)
        {
            note_change(&mut self.changes, step, (id, came(outcome)));
        }
        if let Fact::Skipped { id, .. } = &record.fact
            && let Some(step) = self.asked.get(id)
        {
            note_change(&mut self.changes, step, (id, Came::LeftOut));
        }
    }

    fn begin(
        &mut self,
        track: &TrackId,
        number: &str,
        name: &str,
        place: Option<(String, u32)>,
        standing: StepStanding,
    ) {
        self.steps.retain(|step| !(step.number == number && step.track == *track));
        let (track, number, name) = (track.clone(), number.to_owned(), name.to_owned());
        self.steps.push(TimelineStep { track, number, name, place, standing, record: self.at, ended: 0 });
    }
}

/// What came of a change; the last of these tells of its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    LeftOut,
    Same,
    New,
}

fn came(outcome: &Outcome) -> Came {
    match outcome {
        Outcome::Done { value, .. } if value.get("changed").and_then(Value::as_bool) == Some(false) => Came::Same,
        Outcome::Done { .. } | Outcome::Failed(_) => Came::New,
        Outcome::Skipped { .. } => Came::LeftOut,
    }
}

/// A change counts for its step and for those around it.
fn note_change(changes: &mut BTreeMap<String, BTreeMap<EffectId, Came>>, step: &str, (id, came): (&EffectId, Came)) {
    let ends = step.match_indices('.').map(|(at, _)| at).chain([step.len()]);
    for number in ends.map(|end| &step[..end]) {
        changes.entry(number.to_owned()).or_default().insert(id.clone(), came);
    }
}

/// That a line was not carried through.
pub(crate) fn cut_off(n: u32) -> String {
    format!("line {n} was given up in its midst; :redo takes it up again\n")
}
