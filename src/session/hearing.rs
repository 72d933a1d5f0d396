//! Hearing a person's word on something that failed or is in doubt: what can be looked at is looked at, before the word
//! is taken. It writes nothing, changes nothing and decides nothing: the word stays the person's.

use super::opening::look_into;
use super::replaying::stand;
use super::texts::Prepared;
use super::verdict::{OperatorRuling, RulingSubject, happened_at};
use crate::dispatch::{Dispatcher, Door};
use crate::error::{Error, Kind, Result};
use crate::exec::{self, Evidence, Order, Scanners};
use crate::journal::history::{History, Past};
use crate::model::run::effect::Effect;
use crate::model::run::record::{EffectId, Fact, Moment, Record, StepId, Who};
use crate::script::evaluate::rollback::FormerState;
use crate::world::{self, Link, World};
use std::cell::RefCell;
use std::rc::Rc;

/// What was seen when a person said a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSeen {
    /// For people, a sentence without its full stop.
    pub text: String,
    /// Whether it is against the word; else it does not bear it out.
    pub against: bool,
}

/// What the word is about, as it has to be looked at.
enum Subject {
    /// An effect that, as they say, happened or did not.
    Effect { label: String, of: Box<RecordedEffect>, happened: bool },
    /// The step of a way back that, as they say, is undone by hand.
    Undo { name: String, formers: Vec<FormerState> },
}

/// An effect on record.
struct RecordedEffect {
    id: EffectId,
    attempt: u32,
    base: u32,
    effect: Effect,
}

/// Looks at what a person speaks of in a run that stopped; `back` when it is about to begin its way back with this
/// word. Gives what is against the word, or does not bear it out: nothing when it is as they say, or when there is
/// nothing that tells.
///
/// # Errors
/// `Interrupted` when the person does not wait for it; when the script cannot be replayed.
pub fn hear(
    prepared: &Prepared,
    world: Box<dyn World>,
    (run, history): (&str, &History),
    verdict: &OperatorRuling,
    back: bool,
) -> Result<Vec<StateSeen>> {
    // Of what is over nothing can be said, which is for others to tell.
    if history.is_final() && !back {
        return Ok(Vec::new());
    }
    let happened = match verdict {
        OperatorRuling::Happened(_) => true,
        OperatorRuling::NotHappened(_) => false,
        OperatorRuling::Retry | OperatorRuling::Skip(_) => return Ok(Vec::new()),
    };
    let door = look_into(prepared, world, run, history)?;
    let Some(subject) = subject(prepared, &door, run, (happened, back))? else { return Ok(Vec::new()) };
    let slot: Rc<RefCell<Option<Vec<StateSeen>>>> = Rc::default();
    let (found, link, run) = (Rc::clone(&slot), Rc::clone(&door), run.to_owned());
    door.drive(Box::new(move || {
        found.replace(look(link.link(), &run, &subject).ok());
    }));
    match (slot.take(), door.halt_reason()) {
        (Some(seen), None) => Ok(seen),
        (_, Some(halt)) => Err(halt.error),
        (None, None) => Err(Error::new(Kind::Internal, "the look was stopped for no recorded reason")),
    }
}

fn subject(
    prepared: &Prepared,
    door: &Rc<Dispatcher>,
    run: &str,
    (happened, back): (bool, bool),
) -> Result<Option<Subject>> {
    let history = door.history();
    let of = |past: Past<'_>| {
        let label = past.effect.label.clone();
        let (id, attempt, base, effect) = (past.id, past.attempt, past.base, past.effect.clone());
        Subject::Effect { label, of: Box::new(RecordedEffect { id, attempt, base, effect }), happened }
    };
    if back || !happened {
        let any = || history.any_doubt().map(|(past, _)| past.id);
        let doubted = if back { any() } else { history.doubted().map(|(id, _)| id) };
        return Ok(doubted.and_then(|id| history.spoken_of(&id)).map(of));
    }
    let (step, name) = match happened_at(run, history) {
        Ok(RulingSubject::Effect(id, _)) => return Ok(history.spoken_of(&id).map(of)),
        Ok(RulingSubject::Undo(step, name)) => (step, name.to_owned()),
        // Why nothing can be said of it is told when it is said.
        Err(_) => return Ok(None),
    };
    let Some(since) = history.way_back().map(|way| history.since(way)).transpose()?.flatten() else { return Ok(None) };
    let nth = before(history, &step, &name);
    let params = prepared.program.kept_params(&history.begun().params);
    let formers = stand(prepared, door, params)?.formers(history, since, (&name, nth));
    Ok(Some(Subject::Undo { name, formers }))
}

/// How many steps of this name its track has before this one.
fn before(history: &History, step: &StepId, name: &str) -> usize {
    use Fact::{StepBegun, StepSkipped};
    let mut numbers: Vec<&str> = Vec::new();
    for stored in history.records() {
        let fact = &stored.record.fact;
        if let StepBegun { track, number, name: other, .. } | StepSkipped { track, number, name: other, .. } = fact
            && *track == step.track
            && other == name
            && !numbers.contains(&number.as_str())
        {
            numbers.push(number);
        }
    }
    numbers.iter().position(|number| *number == step.number).unwrap_or(0)
}

fn look(link: &dyn Link, run: &str, subject: &Subject) -> std::result::Result<Vec<StateSeen>, world::Stopped> {
    match subject {
        Subject::Effect { label, of, happened } => {
            let (RecordedEffect { id, attempt, base, effect }, scanners) = (&**of, Scanners::default());
            // A limit that is over long since is no reason not to look.
            let since: Moment = link.now();
            let (since, attempt, base) = (&since, *attempt, *base);
            let (kept_in, scanners) = (Ok(None), &scanners);
            let order = Order { run, id, attempt, base, effect, since, recovering: true, kept_in, scanners };
            let what = format!("`{label}` {}", if *happened { "happened" } else { "did not happen" });
            Ok(exec::evidence(link, order, *happened)?.and_then(|found| told(found, &what)).into_iter().collect())
        }
        Subject::Undo { name, formers } => {
            let mut seen = Vec::new();
            for FormerState { effect, probe, value } in formers {
                let found = exec::is_former(link, effect, probe, value)?;
                seen.extend(found.and_then(|found| told(found, &format!("`{name}` is done"))));
            }
            Ok(seen)
        }
    }
}

fn told(found: Evidence, what: &str) -> Option<StateSeen> {
    match found {
        Evidence::Agrees => None,
        Evidence::Contradicts(seen) => {
            Some(StateSeen { text: format!("{seen}: that is against the word that {what}"), against: true })
        }
        Evidence::Unclear(why) => {
            Some(StateSeen { text: format!("nothing bears out the word that {what}: {why}"), against: false })
        }
    }
}

/// The records of what was seen, and of the word that was taken all the same.
pub(super) fn records(seen: Vec<StateSeen>, verdict: &OperatorRuling, at: &Moment, by: &Who) -> Vec<Record> {
    let reason = match verdict {
        OperatorRuling::Happened(reason) | OperatorRuling::NotHappened(reason) | OperatorRuling::Skip(reason) => {
            reason.as_str()
        }
        OperatorRuling::Retry => "",
    };
    let record = |seen: StateSeen| {
        let what = format!("{}; it was taken all the same", seen.text);
        Fact::Deviation { what, reason: reason.to_owned(), hosts: Vec::new() }.by(by.clone(), at.clone())
    };
    seen.into_iter().map(record).collect()
}
