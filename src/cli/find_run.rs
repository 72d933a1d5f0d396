//! Which run is meant: `latest`, or the first characters of an identity if they fit one run only.

use crate::error::{Error, Kind, Result};
use crate::journal::{RunId, Store};
use std::collections::BTreeMap;

/// The run that `given` means.
///
/// # Errors
/// `Usage` when there is no such run, or several; the message names them.
pub(super) fn find_run(store: &dyn Store, given: &str) -> Result<RunId> {
    // In this order: another runner may begin a run meanwhile.
    let written = store.written();
    let runs = store.runs()?;
    let lost = |run: &&RunId| if given == "latest" { runs.last() < Some(*run) } else { run.starts_with(given) };
    if let Some(run) = written.keys().rev().filter(|run| !runs.contains(run)).find(lost) {
        return Err(not_there(run));
    }
    let Some(latest) = runs.last() else {
        return Err(Error::new(Kind::Usage, "there are no runs yet").hint("see what could be run: baton list"));
    };
    if given == "latest" {
        return Ok(latest.clone());
    }
    let fitting: Vec<&RunId> = runs.iter().filter(|run| run.starts_with(given)).collect();
    match fitting.as_slice() {
        [one] => Ok((*one).clone()),
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

/// A run that was written to the journal, which does not have it.
fn not_there(run: &str) -> Box<Error> {
    Error::new(Kind::Refused, format!("the journal has no record of run {run}, though some were written"))
        .cause("its last part is gone: an older copy was put back, or `journal.db-wal` was removed")
        .hint("nothing was done: put the journal back from a backup that has the run")
        .hint("see which runs are there, and name one: baton runs")
}

/// What is to be said of a run of which the journal has fewer records than were written.
/// `written` was read before the records.
pub(super) fn shortfall(written: &BTreeMap<RunId, u64>, run: &str, records: u64) -> Option<String> {
    let written = written.get(run).filter(|written| **written > records)?;
    Some(format!(
        "the journal of run {run} ends at record {records}, but {written} were written: its last part is gone (an older \
         copy was put back, or `journal.db-wal` was removed); what is missing is asked of the hosts again"
    ))
}

#[cfg(test)]
mod tests {
    use super::find_run;
    use crate::journal::Store;
    use crate::journal::memory::MemoryStore;
    use crate::model::record::{Ending, Moment, Record};

    fn store(runs: &[&str]) -> MemoryStore {
        let mut store = MemoryStore::new();
        for run in runs {
            let record =
                Record::Ended { ending: Ending::Done, message: String::new(), effect: None, at: Moment::default() };
            store.append(run, 0, &[record]).expect("a new run");
        }
        store
    }

    #[test]
    fn a_run_is_found_by_what_tells_it_from_the_others() {
        let store = store(&["aa01", "aa02", "bb01"]);
        assert_eq!(find_run(&store, "b").expect("one").as_str(), "bb01");
        assert_eq!(find_run(&store, "latest").expect("the last").as_str(), "bb01");
        let wrong = find_run(&store, "aa").expect_err("two fit");
        assert!(wrong.message.contains("`aa01` or `aa02`"), "{}", wrong.message);
        assert!(find_run(&store, "cc").expect_err("none fits").message.contains("no run `cc`"));
    }

    #[test]
    fn without_runs_the_next_command_is_named() {
        assert!(find_run(&store(&[]), "latest").expect_err("none").hints.concat().contains("baton list"));
    }
}
