//! The checks every performance of a shipped runbook has to pass, however often its runners died. They complain instead
//! of panicking, so that seeded bugs (tests/seeded.rs) are caught by the same code as the ordinary suite runs.

use crate::support::simulation::{Between, Moment, Play, Scene, unlike};
use baton::model::run::effect::{Action, Outcome};
use baton::model::run::record::{EffectId, Ending, Fact, Record};
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

/// A scene that was played without a death, with every moment at which its runner could have died.
pub struct Trial<'a> {
    between: Between,
    play: Play<'a>,
    moments: Vec<Moment>,
    undisturbed: Option<End>,
    complaints: Vec<Complaint>,
}

impl<'a> Trial<'a> {
    /// The ordinary trial: no fault, nothing in between.
    pub fn of(scene: &'a Scene, expected: Ending) -> Self {
        Self::with(scene, expected, &FaultPlan::default(), Between::nothing())
    }

    /// Plays the scene once without a death.
    pub fn with(scene: &'a Scene, expected: Ending, plan: &FaultPlan, between: Between) -> Self {
        let play = scene.play_with(1, plan);
        let (finished, moments) = play.watched(|clock| play.runner(clock, &between));
        let (end, mut complaints) = performed(&play, finished, &[]);
        if let Some(found) = end.as_ref().map(|end| end.ending).filter(|ending| *ending != expected) {
            complaints.push(complaint(Check::Ending, format!("it ended {found:?}, not {expected:?}")));
        }
        Self { between, play, moments, undisturbed: end, complaints }
    }

    /// What speaks against the run that nobody disturbed.
    pub fn undisturbed(&self) -> &[Complaint] {
        &self.complaints
    }

    /// At how many points a runner could have died.
    pub fn points(&self) -> usize {
        self.moments.len()
    }

    /// The points at which it leaves something else than at the point before.
    pub fn deaths(&self) -> impl Iterator<Item = usize> {
        unlike(&self.moments).map(|(point, _)| point)
    }

    /// What speaks against the run when its runner dies at this point, counted from 1, and the next one lives.
    pub fn died_at(&self, point: usize) -> Vec<Complaint> {
        self.goes_on(&self.play.died_at(&self.moments[point - 1]), &[point])
    }

    /// The same when the next one dies as well: at each of its points at which it leaves something else.
    pub fn died_again(&self, point: usize) -> Vec<Vec<Complaint>> {
        let left = self.play.died_at(&self.moments[point - 1]);
        let (_, moments) = left.watched(|clock| left.runner(clock, &self.between));
        let deaths = unlike(&moments);
        deaths.map(|(second, moment)| self.goes_on(&left.died_at(moment), &[point, second])).collect()
    }

    /// All complaints, the undisturbed run's first, then those of the runs that died at every `stride`-th of the points
    /// that are not alike: as lazily as they are asked for.
    pub fn explore(&self, stride: usize) -> impl Iterator<Item = Complaint> {
        let deaths = self.deaths().step_by(stride).flat_map(|point| self.died_at(point));
        self.complaints.iter().cloned().chain(deaths)
    }

    /// A runner that lives takes up what dead ones have left.
    fn goes_on(&self, left: &Play<'_>, deaths: &[usize]) -> Vec<Complaint> {
        let finished = left.runner(&CrashClock::never(), &self.between);
        let (end, mut complaints) = performed(left, finished, deaths);
        if end.is_some() && end != self.undisturbed {
            let text = format!("died at {deaths:?}: {end:#?}, undisturbed {:#?}", self.undisturbed);
            complaints.push(complaint(Check::SameEnd, text));
        }
        complaints
    }
}

/// How a performance ended whose last runner lived, and what speaks against it.
fn performed(
    play: &Play<'_>,
    finished: Result<Option<Finished>, String>,
    deaths: &[usize],
) -> (Option<End>, Vec<Complaint>) {
    let Finished { ending, error, .. } = match finished {
        Ok(finished) => finished.expect("it lives"),
        Err(refusal) => return (None, vec![complaint(Check::Resume, format!("died at {deaths:?}: {refusal}"))]),
    };
    let mut complaints = judge(play, ending);
    if ending == Ending::Bug {
        complaints.push(complaint(Check::Ending, error.map_or_else(String::new, |error| error.to_string())));
    }
    complaints.iter_mut().for_each(|found| found.text = format!("died at {deaths:?}: {}", found.text));
    (Some(End { ending, summary: play.summary(), deeds: play.deeds() }), complaints)
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
    let once = oracle::once_verbs(records);
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
        match &record.fact {
            Fact::Outcome { id, outcome: Outcome::Done { value, .. }, .. } if questions.contains(id) => {
                allowed = matches!(value, Value::Map(answer) if answer.get("word") == Some(&Value::from("yes")));
            }
            Fact::Intent { id, effect, .. } => match (&effect.action, effect.service.as_deref()) {
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
