//! Which run is meant: `latest`, or the first characters of an identity if they fit one run only.

use super::typed::disagrees;
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::acted;
use crate::journal::history::History;
use crate::journal::{self, RunId, Store, StoreError};
use crate::model::run::record::Ending;
use crate::model::text::shown;
use crate::world::operator::terminal::Terminal;
use std::collections::BTreeMap;

/// The word for the run that was begun last, of those that did something or wait for a person.
const LATEST: &str = "latest";

/// What a run is wanted for: it decides which ones `latest` may pass over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Purpose {
    /// To look at it, or to answer what it asks.
    Look,
    /// To carry it on or to give it up: one that is over is of no use, and one that was refused or never began is
    /// begun by its name only.
    GoOn,
    /// To open it for whoever types there what happens: as to carry it on, and any run will do if there is no such one.
    Steer,
    /// To take back what it changed: one that has changed nothing is of no use.
    TakeBack {
        /// Whether that begins without a question.
        at_once: bool,
    },
    /// To begin another run that follows it: one that has changed nothing is of no use.
    Follow,
}

/// The run that `given` means, for a command that only looks. Where `latest` passes over runs that did nothing, that
/// is said.
///
/// # Errors
/// `Usage` when there is no such run, or several; the message names them.
pub(in crate::cli) fn find_run(store: &dyn Store, given: &str, context: &Context) -> Result<RunId> {
    let meant = meant(store, given, Purpose::Look)?;
    meant.tell(store, context);
    Ok(meant.run)
}

/// The run that `given` means. Where `latest` passes over runs that did nothing, that is said and, on a terminal, a
/// person is asked.
///
/// # Errors
/// As above; `Refused` when it would act on a run that is over, later ones were passed over, and nobody is asked;
/// `Suspended` when the person does not want it, `Interrupted` when they press Ctrl-C.
pub(in crate::cli) fn find_run_to_act_on(
    store: &dyn Store,
    given: &str,
    aim: Purpose,
    context: &Context,
) -> Result<RunId> {
    let meant = meant(store, given, aim)?;
    meant.tell(store, context);
    let Meant { run, passed } = meant;
    if given == LATEST && aim == Purpose::GoOn && is_over(store, &run) {
        unfinished(store).iter().for_each(|(run, told)| context.screen.remark(&format!("{told}: baton resume {run}")));
    }
    let Some(last) = passed.last() else { return Ok(run) };
    let named = match aim {
        Purpose::Look | Purpose::GoOn | Purpose::Steer => None,
        Purpose::TakeBack { at_once } => {
            (at_once || !Terminal::is_there()).then(|| format!("take it back: baton rollback {run}"))
        }
        Purpose::Follow => (!Terminal::is_there()).then(|| format!("name it: --from-run {run}")),
    };
    if let Some(named) = named.filter(|_| is_over(store, &run)) {
        let message = format!("run {run} is over and others came after it: it is taken only by its name");
        return Err(Error::new(Kind::Refused, message).hint("nothing was done").hint(named));
    }
    let question = format!("type `yes` to go on with run {run}, anything else to leave it\n> ");
    if let Some(left) = Terminal::is_there().then(|| disagrees(&question, context)).transpose()?.flatten() {
        return Err(Error::new(left.kind(), "nothing was done: it was not confirmed")
            .hint(format!("name the run, and nothing is asked: {run}, or {last}"))
            .hint("see which runs there are: baton runs"));
    }
    Ok(run)
}

/// The run that is meant, and the later ones that were passed over, oldest first.
struct Meant {
    run: RunId,
    passed: Vec<RunId>,
}

impl Meant {
    /// The run that stands here among these.
    fn at(runs: &[RunId], at: usize) -> Option<Self> {
        Some(Self { run: runs.get(at)?.clone(), passed: runs.get(at + 1..)?.to_vec() })
    }

    /// Says which runs were passed over, and which one is taken.
    fn tell(&self, store: &dyn Store, context: &Context) {
        let Self { run, passed } = self;
        let Some(last) = passed.last() else { return };
        let history = History::read(store, run);
        let runbook = history.map(|history| history.begun().runbook.clone()).unwrap_or_default();
        let why = if passed.iter().any(|run| is_of_other_format(store, run)) {
            "did nothing or are of another version of baton"
        } else {
            "did nothing"
        };
        let came = match passed.len() {
            1 if is_of_other_format(store, last) => format!("run {last} came later and is of another version of baton"),
            1 => format!("run {last} came later and did nothing"),
            count => format!("{count} runs came later and {why}, the last of them {last}"),
        };
        context.screen.remark(&format!("{came} (see it: baton show {last}); taking run {run}, {}", shown(&runbook)));
    }
}

/// The run that `given` means, for this.
fn meant(store: &dyn Store, given: &str, aim: Purpose) -> Result<Meant> {
    // In this order: another runner may begin a run meanwhile.
    let written = store.written();
    let runs = store.runs()?;
    let lost = |run: &&RunId| if given == LATEST { runs.last() < Some(*run) } else { run.starts_with(given) };
    if let Some(run) = written.keys().rev().filter(|run| !runs.contains(run)).find(lost) {
        return Err(not_there(run));
    }
    let Some(last) = runs.last() else {
        return Err(Error::new(Kind::Usage, "there are no runs yet").hint("see what could be run: baton list"));
    };
    if given == LATEST {
        return match aim {
            Purpose::GoOn => to_go_on_with(store, &runs, last),
            Purpose::Steer => {
                to_go_on_with(store, &runs, last).or_else(|_| Ok(Meant { run: last.clone(), passed: vec![] }))
            }
            Purpose::Look | Purpose::TakeBack { .. } | Purpose::Follow => Ok(latest(store, &runs, last, aim)),
        };
    }
    let fitting: Vec<&RunId> = runs.iter().filter(|run| run.starts_with(given)).collect();
    match fitting.as_slice() {
        [one] => Ok(Meant { run: (*one).clone(), passed: Vec::new() }),
        [] => {
            Err(Error::new(Kind::Usage, format!("there is no run `{given}`"))
                .hint("see which runs there are: baton runs"))
        }
        several => {
            let names: Vec<String> = several.iter().map(|run| format!("`{run}`")).collect();
            let message = format!("`{given}` may mean {}", names.join(" or "));
            Err(Error::new(Kind::Usage, message).hint("type more of its characters, or see them all: baton runs"))
        }
    }
}

/// The last of these runs, or the one before those at the end that did nothing.
fn latest(store: &dyn Store, runs: &[RunId], last: &RunId, aim: Purpose) -> Meant {
    let at = runs.iter().rposition(|run| !did_nothing(store, run, aim));
    at.and_then(|at| Meant::at(runs, at)).unwrap_or_else(|| Meant { run: last.clone(), passed: Vec::new() })
}

/// The run of these that stands in the midst of something: the last that did something, if it is not over; else the
/// last one after it that stopped at something else than its own beginning.
fn to_go_on_with(store: &dyn Store, runs: &[RunId], last: &RunId) -> Result<Meant> {
    let acted = runs.iter().rposition(|run| !did_nothing(store, run, Purpose::GoOn));
    let stands = acted.filter(|at| runs.get(*at).is_some_and(|run| !is_over(store, run)));
    let later = || (acted.map_or(0, |at| at + 1)..runs.len()).rev();
    let is_open = |run| !is_over(store, run) && never_began(store, run).is_none() && !is_of_other_format(store, run);
    let open = |at: &usize| runs.get(*at).is_some_and(is_open);
    if let Some(meant) = stands.or_else(|| later().find(open)).and_then(|at| Meant::at(runs, at)) {
        return Ok(meant);
    }
    let refused = later().find_map(|at| runs.get(at).and_then(|run| Some((run, never_began(store, run)?))));
    let Some((run, how)) = refused else { return Ok(Meant { run: last.clone(), passed: Vec::new() }) };
    let unfinished = unfinished(store);
    let message = if unfinished.is_empty() {
        "there is no run to go on with"
    } else {
        "it is not clear which run is to go on: give its name"
    };
    let error = Error::new(Kind::Usage, message)
        .cause(format!("run {run} {how}; such a run is begun by its name only"))
        .hint("nothing was done");
    let error = unfinished.iter().fold(error, |error, (run, told)| error.hint(format!("{told}: baton resume {run}")));
    Err(error.hint(format!("see why: baton show {run}")).hint(format!("take it up all the same: baton resume {run}")))
}

/// How many runs that are not over are named at the most, the latest first.
const NAMED_MAX: usize = 3;
/// Among how many of the latest they are looked for.
const LOOKED_AT_MAX: usize = 100;

/// Runs that began and are not over, the latest first, with a sentence about each.
fn unfinished(store: &dyn Store) -> Vec<(RunId, String)> {
    let runs = store.runs().unwrap_or_default();
    let latest = runs.iter().rev().take(LOOKED_AT_MAX);
    let told = |run: &RunId| {
        // Most runs are over, which their last records tell.
        if journal::is_over(store, run).unwrap_or(true) {
            return None;
        }
        let history = History::read(store, run).ok()?;
        let is_open = !history.is_final() && how_it_never_began(&history).is_none();
        is_open.then(|| (run.clone(), format!("run {run}, {}, is not over", shown(&history.begun().runbook))))
    };
    latest.filter_map(told).take(NAMED_MAX).collect()
}

fn is_over(store: &dyn Store, run: &RunId) -> bool {
    History::read(store, run).is_ok_and(|history| history.is_final())
}

/// How a run stopped at its very beginning; nothing when it came further, or cannot be read.
fn never_began(store: &dyn Store, run: &RunId) -> Option<&'static str> {
    how_it_never_began(&History::read(store, run).ok()?)
}

fn how_it_never_began(history: &History) -> Option<&'static str> {
    let how = match history.last_ending()? {
        Ending::Refused => "was refused before it had changed anything",
        Ending::Unmet => "did not begin: what it needs did not hold",
        Ending::Done | Ending::Failed | Ending::Held | Ending::Suspended | Ending::Doubt => return None,
        Ending::Interrupted | Ending::Bug | Ending::RolledBack | Ending::Aborted => return None,
    };
    (!acted::has_acted(history)).then_some(how)
}

/// Whether a run has come to an end or a stop before anything happened because of it. One that waits for a person is
/// theirs to go on with; one that cannot be read, or may be under way, must not be passed over unseen. One in another
/// format is of no use here, and that is said where it is passed over.
fn did_nothing(store: &dyn Store, run: &RunId, aim: Purpose) -> bool {
    let Ok(history) = History::read(store, run) else { return is_of_other_format(store, run) };
    let stopped = match history.last_ending() {
        Some(Ending::Refused | Ending::Unmet | Ending::Bug | Ending::Failed | Ending::Interrupted) => true,
        Some(Ending::Doubt | Ending::RolledBack | Ending::Aborted) => true,
        Some(Ending::Done | Ending::Held) => aim != Purpose::Look,
        Some(Ending::Suspended) | None => false,
    };
    stopped && !acted::has_acted(&history)
}

/// Whether a run is written in a format that only another version of baton reads. One that is damaged is not, whatever
/// its first record says.
fn is_of_other_format(store: &dyn Store, run: &RunId) -> bool {
    let says = matches!(store.first(run), Err(StoreError::OtherFormat(_)));
    says && matches!(store.read(run), Err(StoreError::OtherFormat(_)))
}

/// A run that was written to the journal, which does not have it.
fn not_there(run: &str) -> Box<Error> {
    Error::new(Kind::Refused, format!("the journal has no record of run {run}, though some were written"))
        .cause("its last part is gone: an older copy was put back, or `journal.db-wal` was removed")
        .hint("nothing was done: put the journal back from a backup that has the run")
        .hint("see which runs are there, and name one: baton runs")
}

/// What is to be said of a run of which the journal has fewer records than were written.
/// `written` was read before the records.
pub(in crate::cli) fn shortfall(written: &BTreeMap<RunId, u64>, run: &str, records: u64) -> Option<String> {
    let written = written.get(run).filter(|written| **written > records)?;
    Some(format!(
        "the journal of run {run} ends at record {records}, but {written} were written: its last part is gone (an \
         older copy was put back, or `journal.db-wal` was removed); what is missing is asked of the hosts again"
    ))
}

#[cfg(test)]
mod tests {
    use super::{Purpose, meant};
    use crate::error::Result;
    use crate::journal::memory::MemoryStore;
    use crate::journal::{RunId, Store};
    use crate::model::run::record::{Ending, Fact, Moment};

    fn store(runs: &[&str]) -> MemoryStore {
        let mut store = MemoryStore::new();
        for run in runs {
            let record =
                Fact::Ended { ending: Ending::Done, message: String::new(), effect: None }.at(Moment::default());
            store.append(run, 0, &[record.into()]).expect("a new run");
        }
        store
    }

    fn run_of(store: &dyn Store, given: &str) -> Result<RunId> {
        meant(store, given, Purpose::Look).map(|meant| meant.run)
    }

    #[test]
    fn a_run_is_found_by_what_tells_it_from_the_others() {
        let store = store(&["aa01", "aa02", "bb01"]);
        assert_eq!(run_of(&store, "b").expect("one").as_str(), "bb01");
        assert_eq!(run_of(&store, "latest").expect("the last").as_str(), "bb01");
        let wrong = run_of(&store, "aa").expect_err("two fit");
        assert!(wrong.message.contains("`aa01` or `aa02`"), "{}", wrong.message);
        assert!(run_of(&store, "cc").expect_err("none fits").message.contains("no run `cc`"));
    }

    #[test]
    fn without_runs_the_next_command_is_named() {
        assert!(run_of(&store(&[]), "latest").expect_err("none").hints.concat().contains("baton list"));
    }
}
