//! Runs that stand in the midst of something on hosts that another run is about to use: told before its first step,
//! which may fail because of how they left a host. It refuses nothing: only a change there is refused.

use crate::cli::context::Context;
use crate::dispatch::hosts_changed;
use crate::journal::acted;
use crate::journal::history::History;
use crate::journal::{RunId, Store, is_over};
use crate::model::run::record::{Ending, Fact, Record};
use crate::model::site::inventory::Inventory;
use crate::model::text::shown;
use crate::report::layout::date_and_time;
use crate::script::analysis::uses::Uses;
use crate::session::{self, Prepared};
use std::collections::BTreeSet;

/// How many runs are looked at, from the last one back.
const RUNS_MAX: usize = 200;

/// Says which runs of this journal hold hosts that a run made of this can use, and what can be done about it.
pub(in crate::cli) fn tell(prepared: &Prepared, follows: Option<&str>, store: &dyn Store, context: &Context) {
    let wanted = wanted(prepared);
    for Unfinished { run, history, site } in unfinished(store, follows) {
        if !acted::has_acted(&history) {
            continue;
        }
        let same = |host: &String| wanted.contains(host) && is_same(host, &site, &prepared.inventory);
        let held: Vec<String> =
            hosts_changed(&history).into_iter().filter(same).map(|host| format!("`{}`", shown(&host))).collect();
        if !held.is_empty() {
            let worked_on = store.is_worked_on(&run);
            context.screen.remark(&words(&run, &history, (&held, worked_on), context));
        }
    }
}

/// Says which changes of other runs of this journal have no end on record, on hosts of this site that `run` is about to
/// act on: whether they run still only a look at the host tells.
pub(in crate::cli) fn tell_of_jobs(run: &str, here: &Inventory, context: &Context) {
    let Ok(store) = context.store() else { return };
    for Unfinished { run: other, history, site } in unfinished(&*store, Some(run)) {
        for past in acted::may_run_yet(&history).iter().filter_map(|id| history.recorded(id)) {
            if let Some(host) = past.effect.host.as_ref().filter(|host| is_same(host, here, &site)) {
                context.screen.remark(&format!(
                    "`{}` of run {other} on `{}` has no end on record: it may run yet, and nothing waits for it; \
                     look there, and see what it is: baton show {other}",
                    shown(&past.effect.label),
                    shown(host)
                ));
            }
        }
    }
}

/// A run on a site that is not over.
struct Unfinished {
    run: RunId,
    history: History,
    site: Inventory,
}

/// Those of the latest runs of a journal, but one.
fn unfinished(store: &dyn Store, but: Option<&str>) -> impl Iterator<Item = Unfinished> {
    let runs = store.runs().unwrap_or_default().into_iter().rev().take(RUNS_MAX);
    let runs: Vec<RunId> = runs.filter(|run| but != Some(run.as_str())).collect();
    runs.into_iter().filter_map(move |run| {
        // Most runs are over, and what they did is told by their last record.
        if is_over(store, &run).unwrap_or(false) || is_rehearsed(store, &run) {
            return None;
        }
        let history = History::read(store, &run).ok().filter(|history| !history.is_final())?;
        let site = session::snapshot(store, &history).and_then(|texts| session::site(&texts)).unwrap_or_default();
        Some(Unfinished { run, history, site })
    })
}

/// Whether a host is known to both sites, and the same.
fn is_same(host: &str, one: &Inventory, other: &Inventory) -> bool {
    let address = |site: &Inventory| site.hosts.get(host).map(|host| host.address.clone());
    address(one).is_some() && address(one) == address(other)
}

/// Whether a run is of a lab: its hosts are nobody's.
fn is_rehearsed(store: &dyn Store, run: &str) -> bool {
    let first = store.first(run).ok().flatten();
    first.is_some_and(|first| matches!(&first.record.fact, Fact::Begun { estate, .. } if estate.lab().is_some()))
}

/// The hosts that the runbook can use.
fn wanted(prepared: &Prepared) -> BTreeSet<String> {
    let (uses, site) = (Uses::of(&prepared.program), &prepared.inventory);
    let of_services = uses.services(site).into_iter().map(|service| service.host.clone());
    site.hosts.keys().filter(|host| uses.host(host)).cloned().chain(of_services).collect()
}

/// What is said of a run that has acted on these hosts; `worked_on` is whether somebody works on it at this moment, as
/// far as that can be told.
fn words(run: &RunId, history: &History, (held, worked_on): (&[String], Option<bool>), context: &Context) -> String {
    let records = || history.records().iter().rev();
    let step = records().find_map(|stored| {
        let Fact::StepBegun { number, name, .. } = &stored.record.fact else { return None };
        Some(format!(" at step {number} `{}`", shown(name)))
    });
    let when = records().find_map(|stored| {
        let Record { at, fact: Fact::Ended { .. } | Fact::Intent { .. }, .. } = &*stored.record else { return None };
        Some(date_and_time(at.wall, &context.screen.zone))
    });
    let (how, next) = match (worked_on, history.last_ending()) {
        (Some(true), _) => ("is under way", format!("wait for it to end: baton show {run}")),
        (_, Some(Ending::Suspended)) => ("waits for a person", format!("go on with it first: baton resume {run}")),
        (Some(false), _) => ("has stopped", format!("go on with it first: baton resume {run}")),
        (None, _) => ("is not over", format!("see how it stands: baton show {run}")),
    };
    format!(
        "run {run} has acted on {} and {how}{}, {}: what is read there may be its doing; {next}",
        held.join(", "),
        step.unwrap_or_default(),
        when.unwrap_or_default()
    )
}
