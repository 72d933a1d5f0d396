//! Judges an ended simulation by its truth ledger and its journal, never by what the run said of itself.
//! Every function returns sentences for people; none means nothing is wrong.

use crate::model::run::effect::{Action, Class, Job};
use crate::model::run::instant::Wall;
use crate::model::run::record::{EffectId, Fact, Record};
use crate::sim::ledger::{Ledger, LedgerEntry};
use std::collections::{BTreeMap, BTreeSet};

/// A verb of which one start an attempt is the most, and its service.
pub type OnceVerb<'a> = (&'a str, &'a str);

/// Everything that is wrong with a run that came to its end. A run that was held may leave intervals open: judge it
/// by the other functions.
#[must_use]
pub fn judge(ledger: &Ledger, once: &[OnceVerb<'_>], records: &[Record]) -> Vec<String> {
    let mut wrong = broken_invariants(ledger);
    wrong.extend(open_intervals(ledger));
    wrong.extend(done_too_often(ledger, once, records));
    wrong.extend(done_without_intent(ledger, records));
    wrong
}

/// The invariants of the product that the model saw broken.
#[must_use]
pub fn broken_invariants(ledger: &Ledger) -> Vec<String> {
    ledger.violations.iter().map(|(at, text)| format!("{text} (at {})", time(*at))).collect()
}

/// Outages and gaps that nobody ended.
#[must_use]
pub fn open_intervals(ledger: &Ledger) -> Vec<String> {
    let open = ledger.intervals.iter().filter(|interval| interval.to.is_none());
    open.map(|i| format!("{} of {} began at {} and never ended", i.kind, i.who, time(i.from))).collect()
}

/// The verbs of a record of which one start an attempt is the most, each with its service.
#[must_use]
pub fn once_verbs(records: &[Record]) -> BTreeSet<(String, String)> {
    let once = intents(records).filter(|intent| intent.job.class == Class::Once);
    once.map(|intent| (intent.job.verb.clone(), intent.service.to_owned())).collect()
}

/// Verbs that reached a service more often than people and journal allowed: once for every effect, and once more
/// each time a person had it retried or settled that it had not happened.
#[must_use]
pub fn done_too_often(ledger: &Ledger, once: &[OnceVerb<'_>], records: &[Record]) -> Vec<String> {
    let again = |id: &EffectId| {
        let releases = |record: &&Record| {
            let (Fact::Retry { id: again } | Fact::Settled { id: again, happened: false, .. }) = &record.fact else {
                return false;
            };
            again == id
        };
        records.iter().filter(releases).count()
    };
    let judged = once.iter().filter_map(|(verb, service)| {
        let ids: BTreeSet<&EffectId> = intents(records)
            .filter(|intent| intent.service == *service && intent.job.verb == *verb)
            .map(|intent| intent.id)
            .collect();
        let allowed = ids.iter().map(|id| 1 + again(id)).sum::<usize>();
        let done = ledger.count(verb, service);
        (done > allowed).then(|| format!("{verb}({service}) reached the product {done} times, {allowed} were allowed"))
    });
    judged.collect()
}

/// Verbs that reached a service although the journal held no intent for them at that time.
#[must_use]
pub fn done_without_intent(ledger: &Ledger, records: &[Record]) -> Vec<String> {
    let intended: Vec<JobIntent<'_>> = intents(records).collect();
    let mut so_far: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for LedgerEntry { at, service, verb, .. } in &ledger.effects {
        let key = (verb.as_str(), service.as_str());
        let count = so_far.entry(key).or_default();
        *count += 1;
        let fits = |intent: &&JobIntent<'_>| (intent.job.verb.as_str(), intent.service) == key && intent.at <= *at;
        let before: BTreeSet<_> = intended.iter().filter(fits).map(|intent| (intent.id, intent.attempt)).collect();
        if *count > before.len() {
            wrong.push(format!("{verb}({service}) reached the product at {} without an intent", time(*at)));
        }
    }
    wrong
}

/// The intent of a job.
struct JobIntent<'a> {
    id: &'a EffectId,
    attempt: u32,
    service: &'a str,
    job: &'a Job,
    at: Wall,
}

fn intents(records: &[Record]) -> impl Iterator<Item = JobIntent<'_>> {
    records.iter().filter_map(|record| {
        let Fact::Intent { id, attempt, effect, .. } = &record.fact else { return None };
        let Action::Job(job) = &effect.action else { return None };
        let service = effect.service.as_deref()?;
        Some(JobIntent { id, attempt: *attempt, service, job, at: record.at.wall })
    })
}

fn time(wall: Wall) -> String {
    wall.timestamp().map_or_else(|| wall.0.to_string(), |time| time.to_string())
}
