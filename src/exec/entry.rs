//! Whether a job that has ended was begun as the account that it was to be done as. Nothing but what came first on its
//! outputs proves that, whatever its exit code. What follows is for the job to say.

use crate::exec::calls::words;
use crate::exec::output::{OUTPUT_PATIENCE, read_part};
use crate::model::site::account::{self, AccountEntry};
use crate::world::{JobId, Link, Stopped, Stream};

/// Whether it was.
#[derive(Debug, PartialEq)]
pub(super) enum Entered {
    /// It was, or it is done as the login account.
    Yes,
    /// Something else came in place of the proof.
    Refused {
        /// What, and what to do about it.
        why: String,
    },
    /// Neither is proved.
    Unproved {
        /// Why not.
        why: String,
    },
}

/// Finds out whether the job `id` on `host`, of this command as it was sent, was begun.
pub(super) fn entered(link: &dyn Link, (host, id): (&str, &JobId), command: &[String]) -> Result<Entered, Stopped> {
    if account::program(command).is_none() {
        return Ok(Entered::Yes);
    }
    let give_up = link.now().mono + OUTPUT_PATIENCE;
    let head = |stream| read_part(link, (host, id, stream), (0, account::PROOF_WITHIN as u64), give_up);
    Ok(match (head(Stream::Out)?, head(Stream::Err)?) {
        (Ok(out), Ok(err)) => match account::entry(command, &out, &err) {
            AccountEntry::Begun => Entered::Yes,
            AccountEntry::Refused => Entered::Refused { why: account::refusal(command, &out, &err) },
            AccountEntry::Unknown => Entered::Unproved { why: "its outputs do not tell".into() },
        },
        (Err(trouble), _) | (_, Err(trouble)) => {
            Entered::Unproved { why: format!("what it wrote cannot be read: {}", words(&trouble)) }
        }
    })
}
