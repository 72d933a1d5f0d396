//! What is said to an agent and what its answers mean. Pure. It must not guess: what is no answer is a trouble.

use super::frames::{bytes_of, shown, shown_up_to};
use crate::world::{JobId, JobState, Trouble};

/// The longest reason that a host gives, in bytes.
const REASON_MAX: usize = 4_096;

/// Why a job is lost of which there is no record where one would be.
const RECORDS_GONE: &str =
    "the folder in which the host kept what it knew of this run's jobs is gone, or was put back from a copy";

/// The words that name a job to the agent: its run, its effect and its attempt.
pub(super) fn name(job: &JobId) -> Result<String, Trouble> {
    let effect = format!("{}.{}.{}", job.effect.track, job.effect.n, job.attempt);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match [&job.run, &effect]
        .iter()
        .find(|part| part.starts_with(['.', '-']) || part.is_empty() || !part.chars().all(plain))
    {
        Some(odd) => Err(Trouble::Refused(format!("`{odd}` cannot be the name of a job's record"))),
        None => Ok(format!("{} {effect}", job.run)),
    }
}

/// Every answer was spoken over.
pub(super) fn spoiled() -> Trouble {
    Trouble::Lost("others speak over the host's answers: something that a start-up file of the login has left".into())
}

/// The answer is none.
pub(super) fn senseless() -> Trouble {
    Trouble::Lost("the host's answer makes no sense".into())
}

/// The state of a job that the agent of `host` tells.
pub(super) fn state_of(host: &str, answer: &str) -> Result<JobState, Trouble> {
    match answer.split_once(' ').unwrap_or((answer, "")) {
        ("absent", _) => Ok(JobState::Absent),
        ("gone", _) => Ok(JobState::Lost(RECORDS_GONE.into())),
        ("running", _) => Ok(JobState::Running),
        ("foreign", _) => Ok(JobState::Foreign),
        ("exited", code) => match code.trim().parse() {
            Ok(code) => Ok(JobState::Exited(code)),
            Err(_) => Ok(JobState::Lost("its exit record holds no exit code".into())),
        },
        ("lost", why) => Ok(JobState::Lost(why.to_owned())),
        _ => Err(refusal(host, answer)),
    }
}

/// Why a piece of work on a file was not done, that the agent tells; nothing where something else is the matter.
pub(super) fn file_trouble(answer: &str) -> Option<Trouble> {
    let why = |hex: &str| {
        let bytes = bytes_of(hex, REASON_MAX)?;
        let lines = bytes.rsplit(|&byte| byte == b'\n');
        Some(lines.map(shown).find_map(|line| line).unwrap_or_else(|| "no reason is given".to_owned()))
    };
    if let Some(hex) = answer.strip_prefix("missing ") {
        return why(hex).map(Trouble::Missing);
    }
    answer.strip_prefix("refused ").and_then(why).map(Trouble::Refused)
}

/// Why the agent of `host` would not.
pub(super) fn refusal(host: &str, answer: &str) -> Trouble {
    match answer.strip_prefix("refused ") {
        Some(words) => {
            let why = bytes_of(words, REASON_MAX).and_then(|bytes| shown_up_to(&bytes, REASON_MAX));
            Trouble::Refused(format!("host `{host}` {}", why.unwrap_or_default()))
        }
        None => senseless(),
    }
}
