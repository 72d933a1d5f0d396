//! What baton asks of the world and what comes back, told on standard error for whoever has to find out why.
//! For people with a problem, not for programs: the record of a run is its journal.

use crate::error::{Error, Kind, Result};
use tracing_subscriber::EnvFilter;

/// Begins to tell, for what `filter` lets through: `debug`, or `baton::world=debug`.
///
/// # Errors
/// `Usage` when it is no filter.
pub fn begin(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Error::new(Kind::Usage, format!("`{filter}` is not a filter for `--trace`"))
            .cause(error)
            .hint("write: --trace debug")
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second one in the same process would change nothing.
    let _ = subscriber.try_init();
    Ok(())
}
