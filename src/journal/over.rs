//! Whether a run is over, told by as few of its records as that takes: for whoever looks at many runs. It must decide
//! nothing about a run that is not.

use super::{Store, StoreResult};
use crate::model::run::record::{Ending, Fact, RollbackScope};

/// Whether a run is over for good by its last records. Where they do not say so, all of its records may.
///
/// # Errors
/// When the store cannot be read.
pub fn is_over(store: &dyn Store, run: &str) -> StoreResult<bool> {
    let Some(last) = store.latest(run, &mut |_| true)? else { return Ok(false) };
    let Fact::Ended { ending, .. } = last.record.fact else { return Ok(false) };
    let all_undone = ending == Ending::RolledBack && {
        let way = store.latest(run, &mut |record| matches!(record.fact, Fact::Rollback { .. }))?;
        // Taken back to a step, it goes on from there.
        way.is_some_and(|way| {
            matches!(way.record.fact, Fact::Rollback { way: RollbackScope::All | RollbackScope::Abort })
        })
    };
    Ok(ending.is_final(all_undone))
}
