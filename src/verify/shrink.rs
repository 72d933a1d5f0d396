//! A counterexample with nothing in it that it does not need: parts are left out one by one as long as the same is
//! found. It looks for nothing new.

use super::judge;
use super::play::{Play, PlayEnd, Watch};
use super::scene::Scene;
use super::schedule::Schedule;
use super::violation::Violation;
use super::witness::Witness;
use crate::error::Result;
use std::rc::Rc;

/// The schedule with every part left out that the finding does not need.
///
/// # Errors
/// The defect of a model.
pub fn shrink(scene: &Scene, schedule: &Schedule, finding: &Violation) -> Result<Schedule> {
    let mut smallest = schedule.clone();
    'smaller: loop {
        for smaller in smallest.smaller().collect::<Vec<_>>() {
            if found_by(scene, &smaller)?.contains(finding) {
                smallest = smaller;
                continue 'smaller;
            }
        }
        return Ok(smallest);
    }
}

/// Everything that speaks against a schedule.
///
/// # Errors
/// The defect of a model.
pub(super) fn found_by(scene: &Scene, schedule: &Schedule) -> Result<Vec<Violation>> {
    let play = Play::new(scene, schedule, Witness::default());
    let nobody: Watch = Rc::new(|_| false);
    let end = play.go(schedule, false, &nobody)?;
    judged(&play, &end)
}

/// What speaks against a play that came to this end.
///
/// # Errors
/// The defect of a model that shows only when it is asked what holds.
pub(super) fn judged(play: &Play<'_>, end: &PlayEnd) -> Result<Vec<Violation>> {
    let wrong = match end {
        PlayEnd::Over(finished) => judge::of_end(play, finished),
        PlayEnd::Left | PlayEnd::Refused => judge::so_far(play),
        PlayEnd::Endless => {
            let mut wrong = judge::so_far(play);
            wrong.push(Violation::endless());
            wrong
        }
    };
    play.situation.estate.defect().map_or(Ok(wrong), Err)
}
