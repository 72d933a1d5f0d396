//! Sessions: a run put together from texts, a store, a world and sinks, carried out, and said how it ended. The room
//! where the concrete parts meet; no decision about a step is taken here.
//!
//! - [`texts`]: what a run is made of, compiled and checked
//! - [`opening`]: the one way to open a run, for whatever is done with it
//! - [`carrying`]: a run begins or is taken up; [`rollback`]: it goes back
//! - [`replaying`]: the script, run through an open door
//! - [`ending`]: how it ended, in words and as an exit code
//! - [`verdict`]: what a person says of a run that stopped, [`hearing`] what is seen of it then
//! - [`adoption`]: other texts for a run that is under way
//! - [`takeover`], [`write_off`]: its hosts taken over, its end written down where they are gone
//! - [`said`], [`kept_values`]: words of its texts, values of its parameters

pub mod adoption;
mod carrying;
mod ending;
mod hearing;
mod kept_values;
mod opening;
mod replaying;
mod rollback;
mod said;
mod takeover;
mod texts;
mod verdict;
mod write_off;

pub use carrying::{ResumeTerms, begin, resume, resume_on};
pub use ending::{Finished, over};
pub(crate) use ending::{finish, stopped, undone_in_part};
pub use hearing::{StateSeen, hear};
pub use opening::RunParts;
pub(crate) use opening::{first_record, open, tell_again};
pub use rollback::{PreparedRollback, RollbackRequest, rollback, way_back};
pub use said::{log_of, said};
pub use takeover::Takeover;
pub use texts::{Prepared, Texts, gather, prepare, site, snapshot};
pub(crate) use verdict::reopening;
pub use verdict::{OperatorRuling, admits};
pub use write_off::write_off;
