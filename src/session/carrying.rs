//! Carrying a run out: from its beginning, or from where its record stands. It takes no decision about steps.

use super::adoption::Adoption;
use super::ending::{Finished, finish, over};
use super::hearing::{self, StateSeen};
use super::kept_values;
use super::opening::{RunParts, departures, first_record, not_begun, open, tell_again};
use super::replaying::perform;
use super::rollback::{RollbackRequest, way_back_with};
use super::texts::Prepared;
use super::verdict::{self, OperatorRuling};
use crate::dispatch::{Dispatcher, DriftCheck};
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::reopening;
use crate::model::run::estate::EstateId;
use crate::model::run::record::{Ending, Fact, Moment, Record, Who};
use crate::model::value::Fields;
use std::rc::Rc;

/// Carries out a new run.
///
/// # Errors
/// When its first records cannot be written: nothing was touched then.
pub fn begin(prepared: &Prepared, mut parts: RunParts, params: Fields, estate: &EstateId) -> Result<Finished> {
    let begun = first_record(prepared, &mut parts, &params, estate)?;
    let at = parts.world.now();
    let opening: Vec<Record> = std::iter::once(begun).chain(departures(&parts, &at)).collect();
    let (run, door) = (parts.run.clone(), open(prepared, parts, None, &opening, DriftCheck::default())?);
    carry_out(prepared, (run, door), opening, params).map_err(not_begun)
}

/// Takes a run up again where its record stands. `verdict` is what a person says of the effect at which it stopped.
///
/// # Errors
/// `Refused` when its record is damaged; `Usage` when there is nothing to give such a verdict on.
pub fn resume(prepared: &Prepared, parts: RunParts, verdict: OperatorRuling) -> Result<Finished> {
    resume_on(prepared, parts, ResumeTerms { verdict, ..ResumeTerms::default() })
}

/// On what terms a run is taken up again.
#[derive(Debug, Default)]
pub struct ResumeTerms {
    /// What a person says of the effect at which it stopped.
    pub verdict: OperatorRuling,
    /// What was seen when they said it, and does not bear it out.
    pub seen: Vec<StateSeen>,
    /// Why a person goes on although a guard was decided by something that is otherwise now.
    pub drift: Option<String>,
    /// The texts it is prepared from are others than those on record, and fit them.
    pub adoption: Option<Adoption>,
}

/// Takes a run up again on these terms.
///
/// # Errors
/// As above; `Usage` also when nothing has drifted, `Refused` when what is given up still runs.
pub fn resume_on(prepared: &Prepared, mut parts: RunParts, terms: ResumeTerms) -> Result<Finished> {
    let history = History::read(&*parts.store, &parts.run)?;
    if let Some(way) = history.way_back().filter(|_| !history.is_final()) {
        let wish = RollbackRequest { verdict: terms.verdict, seen: terms.seen, ..RollbackRequest::of(way.clone()) };
        return way_back_with(prepared, parts, wish, terms.adoption)?.go();
    }
    tell_again(history.records(), &mut parts.sinks);
    if let Some(finished) = over(&parts.run, &history) {
        return Ok(finished);
    }
    let params = prepared.program.kept_params(&history.begun().params);
    let (at, by) = (parts.world.now(), parts.by.clone());
    let seen = hearing::records(terms.seen, &terms.verdict, &at, &by);
    let reopening = if terms.adoption.is_some() { verdict::reopening_edited } else { verdict::reopening };
    let mut opening = reopening(&parts.run, &history, terms.verdict, &at, &by)?;
    opening.extend(seen);
    opening.extend(departures(&parts, &at));
    let drift = DriftCheck::new(prepared.inventory.pairs.values(), terms.drift.is_some());
    if let Some(reason) = terms.drift {
        opening.push(accepted_drift(&parts.run, &history, reason, &at, &by)?);
    }
    if let Some(adoption) = terms.adoption.filter(|adoption| adoption.differs) {
        adoption.check_given_up(&mut *parts.world, &parts.run)?;
        opening.push(adoption.record(prepared, &mut *parts.store, at, by)?);
    }
    let (run, door) = (parts.run.clone(), open(prepared, parts, Some(history), &opening, drift)?);
    carry_out(prepared, (run, door), opening, params)
}

/// The record of a person who goes on in spite of a drift.
fn accepted_drift(run: &str, history: &History, reason: String, at: &Moment, by: &Who) -> Result<Record> {
    let Some(past) = reopening::drifted(history) else {
        let error = Error::new(Kind::Usage, format!("nothing in run {run} has drifted"));
        return Err(verdict::again(run, history, error));
    };
    let what = format!("accepted that {} is not what a guard was decided by", past.effect.label);
    Ok(Fact::Deviation { what, reason, hosts: Vec::new() }.by(by.clone(), at.clone()))
}

fn carry_out(
    prepared: &Prepared,
    (run, door): (String, Rc<Dispatcher>),
    opening: Vec<Record>,
    params: Fields,
) -> Result<Finished> {
    door.write(opening)?;
    let end = perform(prepared, &door, params.clone());
    let mut finished = finish(run, &door, end);
    // Where a host failed the value is most likely sound, and whoever is in the midst of a change must not give up.
    if let (Ending::Unmet | Ending::Bug, Some(error)) = (finished.ending, &mut finished.error) {
        kept_values::tell(error, &params, &finished.run);
    }
    Ok(finished)
}
