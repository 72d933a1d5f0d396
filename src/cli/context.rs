//! What every command is given: where it writes, where runs are kept, where a person types. It must not know any
//! command.

use super::screen::Screen;
use crate::error::Result;
use crate::journal::Store;
use crate::journal::sqlite::SqliteStore;
use crate::model::run::record::Who;
use crate::platform::desk;
use crate::world::operator::terminal::Terminal;
use std::path::PathBuf;
use std::sync::Arc;

/// What every command is given.
#[derive(Clone)]
pub(super) struct Context {
    /// Where it writes.
    pub(super) screen: Screen,
    /// Where runs and labs are kept.
    pub(super) state: PathBuf,
    /// Where the lease of this machine is kept.
    pub(super) leases: PathBuf,
    /// Where a person types. One for the whole command: two would take each other's lines.
    pub(super) terminal: Arc<Terminal>,
}

impl Context {
    /// The journal of this state folder, made if need be.
    pub(super) fn store(&self) -> Result<Box<dyn Store>> {
        Ok(Box::new(SqliteStore::open(&self.state)?))
    }

    /// The person, the machine and the state folder that this command acts for.
    pub(super) fn who(&self) -> Who {
        Who { state: desk::state_folder(&self.state), ..desk::who() }
    }
}
