//! What leaves the world leaves it without the secrets: which parts of a reply are said by somebody outside, and where
//! they may have been cut. How values are hidden is the mask's affair.

use super::redactor::{Cut, Redactor};
use crate::world::{Answer, JobState, PROBE_BYTES_MAX, Reply, Request, Trouble};

/// Which part of something longer a reply brings.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Window {
    /// Whether it begins in its midst.
    inside: bool,
    /// From how many bytes on there may be more behind it.
    full: u64,
}

impl Window {
    /// The part that a request asks for.
    pub(in crate::world) fn of(request: &Request) -> Self {
        match request {
            Request::JobOutput { from, max, .. } => Self { inside: *from > 0, full: *max },
            // Its writer may be in the midst of a line.
            Request::Read { from, .. } => Self { inside: *from > 0, full: 0 },
            Request::Start { .. }
            | Request::Enter { .. }
            | Request::Look { .. }
            | Request::JobEnd { .. }
            | Request::EndJob { .. }
            | Request::Probe { .. }
            | Request::List { .. }
            | Request::Changed { .. }
            | Request::File { .. }
            | Request::TakeLease { .. }
            | Request::Release { .. }
            | Request::ExpectNewKey { .. }
            | Request::WaitUntil { .. }
            | Request::Ask { .. }
            | Request::Line { .. } => Self { inside: false, full: PROBE_BYTES_MAX as u64 },
        }
    }

    fn cut(self, bytes: &[u8]) -> Cut {
        Cut { start: self.inside, end: bytes.len() as u64 >= self.full }
    }
}

/// Whether something of a reply was said by a host or by a person.
pub(in crate::world) fn may_show(reply: &Reply) -> bool {
    match reply {
        Reply::Bytes(_) | Reply::Probed { .. } | Reply::Answer(_) | Reply::Trouble(_) => true,
        Reply::Job(JobState::Lost(_)) => true,
        Reply::Job(JobState::Absent | JobState::Running | JobState::Exited(_) | JobState::Foreign) => false,
        // What is carried is shown to nobody, and would be another file without its secrets.
        Reply::File(_) | Reply::Block(_) | Reply::Kept | Reply::Entered(_) => false,
        Reply::Listing(_) | Reply::Woke | Reply::Line(_) | Reply::Lease(_) | Reply::Noted => false,
    }
}

/// A reply with all secrets hidden.
pub(in crate::world) fn hushed(reply: Reply, window: Window, mask: &Redactor) -> Reply {
    let hide = |bytes: Vec<u8>| {
        let cut = window.cut(&bytes);
        mask.bytes(bytes, cut)
    };
    match reply {
        Reply::Bytes(bytes) => Reply::Bytes(hide(bytes)),
        Reply::Probed { exit, out, err } => Reply::Probed { exit, out: hide(out), err: hide(err) },
        Reply::Answer(Answer::Given { word, note, by }) => {
            Reply::Answer(Answer::Given { word, note: mask.text(note), by })
        }
        Reply::Trouble(trouble) => Reply::Trouble(match trouble {
            Trouble::Unreachable(why) => Trouble::Unreachable(mask.text(why)),
            Trouble::Missing(why) => Trouble::Missing(mask.text(why)),
            Trouble::Refused(why) => Trouble::Refused(mask.text(why)),
            Trouble::Lost(why) => Trouble::Lost(mask.text(why)),
            Trouble::Leased(why) => Trouble::Leased(why.hidden(&|text| mask.text(text))),
            Trouble::Late => Trouble::Late,
        }),
        Reply::Job(JobState::Lost(why)) => Reply::Job(JobState::Lost(mask.text(why))),
        other @ (Reply::Job(_) | Reply::Answer(_) | Reply::Listing(_)) => other,
        other @ (Reply::File(_) | Reply::Block(_) | Reply::Kept | Reply::Entered(_)) => other,
        other @ (Reply::Woke | Reply::Line(_) | Reply::Lease(_) | Reply::Noted) => other,
    }
}
