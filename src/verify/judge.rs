//! What speaks against a play: broken invariants of the product, promises of baton that were not kept, sentences that
//! were not true, ends that are none. It looks at the site and at the record, never at what the run believed.

use super::play::Play;
use super::violation::{Oracle, Violation};
use crate::error::Kind;
use crate::model::run::record::{Ending, Fact, Record};
use crate::model::text::lines_shown;
use crate::session::Finished;
use crate::sim::{Harm, oracle};

/// What speaks against a play whose last runner has lived, and ended like this.
pub(super) fn of_end(play: &Play<'_>, finished: &Finished) -> Vec<Violation> {
    let mut wrong = so_far(play);
    match finished.ending {
        Ending::Bug => wrong.extend(mistake(finished)),
        Ending::Refused | Ending::Interrupted => {
            wrong.extend(finished.error.as_ref().map(|error| Violation::not_taken_up(error)));
        }
        Ending::Done | Ending::RolledBack if was_looked_at(play) => wrong.extend(left_behind(play, finished.ending)),
        Ending::Done | Ending::RolledBack | Ending::Held | Ending::Failed | Ending::Unmet => {}
        Ending::Suspended | Ending::Doubt | Ending::Aborted => {}
    }
    if finished.ending == Ending::Failed && play.situation.goes_back() && play.situation.estate.struck().is_empty() {
        wrong.push(Violation::stuck(&format!("its way back, {}", failure(play).unwrap_or_default())));
    }
    if finished.error.as_ref().is_some_and(|error| error.kind == Kind::Internal) {
        let text = finished.error.as_ref().map_or_else(String::new, |error| error.message.clone());
        wrong.push(Violation::new(Oracle::Promise, format!("a defect of baton showed: {text}")));
    }
    wrong
}

/// Why the run failed last, if it did.
pub(super) fn failure(play: &Play<'_>) -> Option<String> {
    let failed = |record: Record| {
        let Fact::Ended { ending: Ending::Failed, message, .. } = record.fact else { return None };
        Some(lines_shown(&message))
    };
    play.situation.records().into_iter().rev().find_map(failed)
}

/// What speaks against a play, however far it has come.
pub(super) fn so_far(play: &Play<'_>) -> Vec<Violation> {
    let ledger = play.situation.estate.ledger();
    let records = play.situation.records();
    let once = oracle::once_verbs(&records);
    let once: Vec<(&str, &str)> = once.iter().map(|(verb, service)| (verb.as_str(), service.as_str())).collect();
    let mut wrong: Vec<Violation> =
        ledger.violations.iter().map(|(_, text)| Violation::new(Oracle::Invariant, text.clone())).collect();
    let promises = oracle::done_too_often(&ledger, &once, &records)
        .into_iter()
        .chain(oracle::done_without_intent(&ledger, &records).into_iter().map(|text| untimed(&text)));
    wrong.extend(promises.map(|text| Violation::new(Oracle::Promise, text)));
    wrong.extend(play.situation.heard());
    wrong
}

/// A sentence without the time in it.
fn untimed(text: &str) -> String {
    let is_time = |word: &str| word.len() >= 20 && word.starts_with("20") && word.ends_with('Z');
    text.split(' ').filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")
}

fn mistake(finished: &Finished) -> Option<Violation> {
    let error = finished.error.as_ref()?;
    let place = error.snippet.as_ref().map(|snippet| &snippet.place).or(error.place.as_ref());
    let at = place.map_or_else(String::new, |place| format!("{place}: "));
    Some(Violation::new(Oracle::Mistake, format!("{at}{}", error.message)))
}

/// Whether whatever the last fault befell was looked at after it: what nobody could see, nobody can be blamed for.
fn was_looked_at(play: &Play<'_>) -> bool {
    let struck = play.situation.estate.struck();
    let Some(last) = struck.last() else { return true };
    let looked_at = play.situation.estate.looked_at();
    let services = &play.scene.prepared.inventory.services;
    let on = |host: &str| services.iter().any(|(name, s)| s.host == host && looked_at.contains(name));
    if let Harm::HostDies { host, .. } | Harm::LinkCut { host, .. } = &last.fault.harm {
        return on(host);
    }
    if let Harm::Suffers { service, .. } = &last.fault.harm { looked_at.contains(service) } else { true }
}

/// What is left although the run says that all is done, or undone.
fn left_behind(play: &Play<'_>, ending: Ending) -> Vec<Violation> {
    let before = play.situation.estate.ledger().violations.len();
    play.situation.estate.look_over_at_the_end();
    let ledger = play.situation.estate.ledger();
    let said = if ending == Ending::Done { "done" } else { "rolled back" };
    let broken = ledger.violations.iter().skip(before).map(|(_, text)| text.clone());
    let open = ledger.intervals.iter().filter(|interval| interval.to.is_none() && ending == Ending::Done);
    let open = open.map(|interval| format!("{} of {} is not over", interval.kind, interval.who));
    broken.chain(open).map(|text| Violation::new(Oracle::Left, format!("the run says {said}, but: {text}"))).collect()
}
