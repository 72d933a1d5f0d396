//! What leaves the world leaves it without the secrets: which parts of a reply are said by somebody outside, and where
//! they may have been cut. How values are hidden is the mask's affair.

use super::redactor::{Cut, Redactor};
use crate::world::request::{ReadFile, ReadOutput};
use crate::world::{Answer, CameBack, JobState, PROBE_BYTES_MAX, Probed, Reply, Request, Trouble};

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
            Request::ReadOutput(ReadOutput { from, max, .. }) => Self { inside: *from > 0, full: *max },
            // Its writer may be in the midst of a line.
            Request::ReadFile(ReadFile { from, .. }) => Self { inside: *from > 0, full: 0 },
            Request::StartJob(_)
            | Request::EnterHost(_)
            | Request::LookAtJob(_)
            | Request::AwaitJob(_)
            | Request::EndJob(_)
            | Request::RunProbe(_)
            | Request::ListFolder(_)
            | Request::AwaitChange(_)
            | Request::WorkOnFile(_)
            | Request::TakeLease(_)
            | Request::ReleaseLease(_)
            | Request::ExpectNewKey(_)
            | Request::WaitUntil(_)
            | Request::AskPerson(_)
            | Request::ReadLine(_) => Self { inside: false, full: PROBE_BYTES_MAX as u64 },
        }
    }

    fn cut(self, bytes: &[u8]) -> Cut {
        Cut { start: self.inside, end: bytes.len() as u64 >= self.full }
    }
}

/// Whether something of what came back was said by a host or by a person.
pub(in crate::world) fn may_show(came: &CameBack) -> bool {
    let Ok(reply) = came else { return true };
    match reply {
        Reply::Bytes(_) | Reply::Probed(_) | Reply::Answer(_) => true,
        Reply::Job(JobState::Lost(_)) => true,
        Reply::Job(JobState::Absent | JobState::Running | JobState::Exited(_) | JobState::Foreign) => false,
        // What is carried is shown to nobody, and would be another file without its secrets.
        Reply::File(_) | Reply::Block(_) | Reply::Entered(_) => false,
        Reply::Listing(_) | Reply::Line(_) | Reply::Lease(_) | Reply::Done(()) => false,
    }
}

/// What came back, with all secrets hidden.
pub(in crate::world) fn hushed(came: CameBack, window: Window, mask: &Redactor) -> CameBack {
    came.map(|reply| hushed_reply(reply, window, mask)).map_err(|trouble| hushed_trouble(trouble, mask))
}

fn hushed_trouble(trouble: Trouble, mask: &Redactor) -> Trouble {
    match trouble {
        Trouble::Unreachable(why) => Trouble::Unreachable(mask.text(why)),
        Trouble::Missing(why) => Trouble::Missing(mask.text(why)),
        Trouble::Refused(why) => Trouble::Refused(mask.text(why)),
        Trouble::Lost(why) => Trouble::Lost(mask.text(why)),
        Trouble::Leased(why) => Trouble::Leased(why.hidden(&|text| mask.text(text))),
        Trouble::Late => Trouble::Late,
    }
}

fn hushed_reply(reply: Reply, window: Window, mask: &Redactor) -> Reply {
    let hide = |bytes: Vec<u8>| {
        let cut = window.cut(&bytes);
        mask.bytes(bytes, cut)
    };
    match reply {
        Reply::Bytes(bytes) => Reply::Bytes(hide(bytes)),
        Reply::Probed(Probed { exit, out, err }) => Reply::Probed(Probed { exit, out: hide(out), err: hide(err) }),
        Reply::Answer(Answer::Given { word, note, by }) => {
            Reply::Answer(Answer::Given { word, note: mask.text(note), by })
        }
        Reply::Job(JobState::Lost(why)) => Reply::Job(JobState::Lost(mask.text(why))),
        other @ (Reply::Job(_) | Reply::Answer(_) | Reply::Listing(_)) => other,
        other @ (Reply::File(_) | Reply::Block(_) | Reply::Entered(_)) => other,
        other @ (Reply::Line(_) | Reply::Lease(_) | Reply::Done(())) => other,
    }
}
