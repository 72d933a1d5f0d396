//! The checks every performance of a shipped runbook has to pass, however often its runners died. They complain instead
//! of panicking, so that seeded bugs (tests/seeded.rs) are caught by the same code as the ordinary suite runs.

use crate::support::simulation::{Between, Play, Scene};
use baton::model::effect::{Action, Class, Outcome};
use baton::model::record::{EffectId, Ending, Record};
use baton::model::value::Value;
use baton::session::Finished;
use baton::sim::{CrashClock, FaultPlan, oracle};
use std::collections::{BTreeMap, BTreeSet};

/// Who complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The truth ledger and the journal: nothing done twice or without an intent, no invariant of the product broken,
    /// nobody left without service when all is done.
    Oracle,
    /// What a person was shown as recorded stands in the journal.
    Shown,
    /// Upgrade mode is forced only after a person has allowed it.
    Consent,
    /// The scenario ends as its description says.
    Ending,
    /// Whenever runners die, the end is that of a run that nobody disturbed.
    SameEnd,
    /// A run can be taken up again.
    Resume,
}

/// Something that speaks against a performance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    pub check: Check,
    pub text: String,
}

/// How a performance ended, in what must not depend on when runners died.
#[derive(Debug, PartialEq)]
struct End {
    ending: Ending,
    summary: Value,
    deeds: BTreeMap<String, usize>,
}

/// A scene, what stands between the run and its parts, and the end that it comes to when nobody disturbs it.
pub struct Trial<'a> {
    scene: &'a Scene,
    plan: FaultPlan,
    between: Between,
    undisturbed: Option<End>,
    complaints: Vec<Complaint>,
}

impl<'a> Trial<'a> {
    /// The ordinary trial: no fault, nothing in between.
    pub fn of(scene: &'a Scene, expected: Ending) -> Self {
        Self::with(scene, expected, FaultPlan::default(), Between::nothing())
    }

    /// Plays the scene once without a death.
    pub fn with(scene: &'a Scene, expected: Ending, plan: FaultPlan, between: Between) -> Self {
        let mut trial = Self { scene, plan, between, undisturbed: None, complaints: Vec::new() };
        let Some((end, mut complaints)) = trial.perform(&[]) else { unreachable!("nobody was to die") };
        if let Some(found) = end.as_ref().map(|end| end.ending).filter(|ending| *ending != expected) {
            complaints.push(complaint(Check::Ending, format!("it ended {found:?}, not {expected:?}")));
        }
        (trial.undisturbed, trial.complaints) = (end, complaints);
        trial
    }

    /// What speaks against the run that nobody disturbed.
    pub fn undisturbed(&self) -> &[Complaint] {
        &self.complaints
    }

    /// Plays with runners that die at these points in turn, then one that lives. None when one of them ended alive.
    pub fn died_at(&self, points: &[u64]) -> Option<Vec<Complaint>> {
        let (end, mut complaints) = self.perform(points)?;
        if end.is_some() && end != self.undisturbed {
            let text = format!("died at {points:?}: {end:#?}, undisturbed {:#?}", self.undisturbed);
            complaints.push(complaint(Check::SameEnd, text));
        }
        Some(complaints)
    }

    /// All complaints, the undisturbed run's first, then those of the runs that died at every `stride`-th point: as
    /// lazily as they are asked for.
    pub fn explore(&self, stride: usize) -> impl Iterator<Item = Complaint> {
        let deaths = (1..).step_by(stride).map_while(|point| self.died_at(&[point]));
        self.complaints.iter().cloned().chain(deaths.flatten())
    }

    fn perform(&self, points: &[u64]) -> Option<(Option<End>, Vec<Complaint>)> {
        let play = self.scene.play_with(1, &self.plan);
        let clocks = points.iter().map(|point| CrashClock::at(*point)).chain([CrashClock::never()]);
        let mut finished = None;
        for (clock, lives) in clocks.zip((0..=points.len()).map(|runner| runner == points.len())) {
            match play.runner(&clock, &self.between) {
                Err(refusal) => return Some((None, vec![complaint(Check::Resume, format!("{points:?}: {refusal}"))])),
                Ok(Some(_)) if !lives => return None,
                Ok(end) => finished = end,
            }
        }
        let Finished { ending, error, .. } = finished?;
        let mut complaints = judge(&play, ending);
        if ending == Ending::Bug {
            complaints.push(complaint(Check::Ending, error.map_or_else(String::new, |error| error.to_string())));
        }
        complaints.iter_mut().for_each(|found| found.text = format!("died at {points:?}: {}", found.text));
        Some((Some(End { ending, summary: play.summary(), deeds: play.deeds() }), complaints))
    }
}

/// Everything that can be said against a performance by itself.
pub fn judge(play: &Play<'_>, ending: Ending) -> Vec<Complaint> {
    let records = play.records();
    let mut complaints: Vec<Complaint> =
        verdict(play, ending, &records).into_iter().map(|text| complaint(Check::Oracle, text)).collect();
    complaints.extend(unrecorded(play, &records).map(|text| complaint(Check::Shown, text)));
    complaints.extend(forced_unasked(&records).into_iter().map(|text| complaint(Check::Consent, text)));
    complaints
}

fn verdict(play: &Play<'_>, ending: Ending, records: &[Record]) -> Vec<String> {
    let once = once_verbs(records);
    let once: Vec<(&str, &str)> = once.iter().map(|(verb, service)| (verb.as_str(), service.as_str())).collect();
    let ledger = play.estate.ledger();
    if ending == Ending::Done {
        return oracle::judge(&ledger, &once, records);
    }
    let mut wrong = oracle::broken_invariants(&ledger);
    wrong.extend(oracle::done_too_often(&ledger, &once, records));
    wrong.extend(oracle::done_without_intent(&ledger, records));
    wrong
}

fn once_verbs(records: &[Record]) -> BTreeSet<(String, String)> {
    let once = |record: &Record| {
        let Record::Intent { effect, .. } = record else { return None };
        let (Action::Job(job), Some(service)) = (&effect.action, &effect.service) else { return None };
        (job.class == Class::Once).then(|| (job.verb.clone(), service.clone()))
    };
    records.iter().filter_map(once).collect()
}

/// Records that a screen showed and that are not in the journal.
fn unrecorded(play: &Play<'_>, records: &[Record]) -> impl Iterator<Item = String> {
    let at = |seq: u64| usize::try_from(seq).ok().and_then(|seq| records.get(seq.checked_sub(1)?));
    let shown = play.shown().into_iter().filter(move |(seq, record)| at(*seq) != Some(record));
    shown.map(|(seq, record)| format!("record {seq} was shown and is not in the journal: {record:?}"))
}

/// Starts of a server with upgrade mode forced that no person had allowed.
fn forced_unasked(records: &[Record]) -> Vec<String> {
    let mut questions: BTreeSet<&EffectId> = BTreeSet::new();
    let mut forced: BTreeSet<&str> = BTreeSet::new();
    let (mut allowed, mut wrong) = (false, Vec::new());
    for record in records {
        match record {
            Record::Outcome { id, outcome: Outcome::Done { value, .. }, .. } if questions.contains(id) => {
                allowed = matches!(value, Value::Map(answer) if answer.get("word") == Some(&Value::from("yes")));
            }
            Record::Intent { id, effect, .. } => match (&effect.action, effect.service.as_deref()) {
                (Action::Ask(ask), _) if ask.text.contains("force upgrade mode") => {
                    questions.insert(id);
                }
                (Action::Job(job), Some(service)) if job.args.get("key") == Some(&Value::from("upgrade-mode")) => {
                    if job.verb == "set_option" {
                        forced.insert(service)
                    } else {
                        forced.remove(service)
                    };
                }
                (Action::Job(job), Some(service)) if job.verb == "start" && forced.remove(service) && !allowed => {
                    wrong.push(format!("{service} was started with upgrade mode forced, and nobody had allowed it"));
                }
                _ => {}
            },
            _ => {}
        }
    }
    wrong
}

fn complaint(check: Check, text: impl Into<String>) -> Complaint {
    Complaint { check, text: text.into() }
}
