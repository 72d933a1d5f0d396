//! What a lab's hosts have in place of a product's tools: finds out which verb or probe a command line means and asks
//! the lab to do it. It must not do anything by itself.

use crate::error::{Error, Kind, Result};
use crate::lab::calls::{Calls, ToolCall};
use crate::lab::place::LabPaths;
use crate::platform::desk;
use crate::platform::lab_link::{JobRecorder, LabReply, LabRequest, lab_call};
use crate::platform::processes;
use std::path::Path;

/// Asks the lab in `folder` to carry out a command line. The reply holds what the command prints and its exit code.
///
/// # Errors
/// When the lab does not know the command, or is not there.
pub fn call(folder: &Path, argv: &[String]) -> Result<LabReply> {
    let place = LabPaths::at(folder);
    let text = desk::read_text(&place.calls())?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no lab in `{}`", folder.display())).hint("begin one: baton list")
    })?;
    let calls: Calls = serde_json::from_str(&text).map_err(|error| {
        Error::new(Kind::Internal, format!("`{}` is damaged", place.calls().display())).cause(error)
    })?;
    let Some(asked) = calls.find(argv) else {
        let message = format!("the lab has no command `{}`", argv.join(" "));
        return Err(Error::new(Kind::Usage, message).hint("its commands are those of the product profiles: baton list"));
    };
    lab_call(&place.socket(), &request(asked), None)
}

/// Asks the lab in `folder` to carry out a job that it has admitted; how it ends is written into `record` by whoever
/// has started this process.
///
/// # Errors
/// When it is not there.
pub fn job(folder: &Path, job: &str, record: &Path) -> Result<LabReply> {
    let recorder = JobRecorder { process: processes::parent(), record: record.to_path_buf() };
    let request = LabRequest::Job { job: job.to_owned(), recorder };
    lab_call(&LabPaths::at(folder).socket(), &request, None)
}

fn request(asked: ToolCall) -> LabRequest {
    let ToolCall { service, changes, name, args } = asked;
    if changes {
        LabRequest::Verb { service, verb: name, args }
    } else {
        LabRequest::Probe { service, what: name, args }
    }
}
