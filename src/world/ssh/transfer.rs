//! Files carried to or from a host over SSH: fixed scripts, the values as data, the bytes behind them. A change is
//! refused by the host itself when the runner's lease does not count any more. It must not decide what is carried.

use super::connection::Connection;
use super::jobs::Jobs;
use super::script::{self, OutputForm, Printed, Script, within};
use crate::world::lease::{Lease, Runner};
use crate::world::request::WorkOnFile;
use crate::world::transfer::{Block, DigestFile, FileSeen, FileWork, InstallFile, ReadBlock, Role, WriteBlock};
use crate::world::{HasReply, Reply, Trouble};
use std::time::Duration;
use tokio::time::Instant;

/// How long a block may take, and the last step, which no limit of the runbook cuts short.
const BLOCK_LIMIT: Duration = Duration::from_secs(10 * 60);
/// The most that is kept of what a script says, in bytes.
const WORDS_MAX: usize = 4_096;

const DIGEST: &str = concat!(include_str!("transfer/part.sh"), include_str!("transfer/digest.sh"));
const READ: &str = include_str!("transfer/read.sh");
const WRITE: &str = concat!(
    include_str!("lease.sh"),
    include_str!("transfer/fence.sh"),
    include_str!("transfer/part.sh"),
    include_str!("transfer/write.sh")
);
const INSTALL: &str = concat!(
    include_str!("lease.sh"),
    include_str!("transfer/fence.sh"),
    include_str!("transfer/part.sh"),
    include_str!("transfer/keep.sh"),
    include_str!("transfer/install.sh")
);

/// Does what is asked about a file, until `until` at the latest.
pub(super) async fn work(jobs: &Jobs, runner: &Runner, work: FileWork, until: Instant) -> Result<Reply, Trouble> {
    let connection = &*jobs.connection;
    let soon = until.min(within(BLOCK_LIMIT));
    match work {
        FileWork::DigestFile(DigestFile { path, first, role }) => {
            digest(connection, &path, first, role, until).await.map(WorkOnFile::<DigestFile>::answered)
        }
        FileWork::ReadBlock(ReadBlock { path, from, max }) => {
            read(connection, &path, from, max, soon).await.map(WorkOnFile::<ReadBlock>::answered)
        }
        FileWork::WriteBlock(WriteBlock { path, at, block }) => {
            let (at, length) = (at.to_string(), block.0.len().to_string());
            change(jobs, runner, WRITE, (&[&path, &at, &length], &block.0), soon)
                .await
                .map(WorkOnFile::<WriteBlock>::answered)
        }
        FileWork::InstallFile(InstallFile { part, path, mode, over }) => {
            let (mode, over) = (format!("{mode:o}"), if over { "over" } else { "-" });
            change(jobs, runner, INSTALL, (&[&part, &path, &mode, over], &[]), soon)
                .await
                .map(WorkOnFile::<InstallFile>::answered)
        }
    }
}

async fn digest(
    connection: &Connection,
    path: &str,
    first: u64,
    role: Role,
    until: Instant,
) -> Result<Option<FileSeen>, Trouble> {
    let first = if first == u64::MAX { "-".to_owned() } else { first.to_string() };
    let role_word: &[u8] = match role {
        Role::Source => b"source",
        Role::Target => b"target",
        Role::Part => b"part",
    };
    let values: [&[u8]; 3] = [path.as_bytes(), first.as_bytes(), role_word];
    let script = Script { text: DIGEST, values: &values, body: &[], form: OutputForm::Marked, most: WORDS_MAX, until };
    let printed = script::run(connection, script).await?;
    match printed.exit {
        0 => seen(&printed.out).map(Some).ok_or_else(|| Trouble::Refused(format!("`{path}` has no digest there"))),
        3 if role != Role::Source => Ok(None),
        3 => Err(Trouble::Missing(format!("`{path}` is not there"))),
        _ => Err(Trouble::Refused(printed.complaint())),
    }
}

/// What the script tells: length, mode, digest.
fn seen(line: &[u8]) -> Option<FileSeen> {
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    let (len, mode) = (words.next()?.parse().ok()?, u32::from_str_radix(words.next()?, 8).ok()?);
    Some(FileSeen { len, mode, sha256: words.next()?.to_owned() })
}

async fn read(connection: &Connection, path: &str, from: u64, max: u64, until: Instant) -> Result<Block, Trouble> {
    let numbers = [from, max].map(|number| number.to_string());
    let values: [&[u8]; 3] = [path.as_bytes(), numbers[0].as_bytes(), numbers[1].as_bytes()];
    let most = usize::try_from(max).unwrap_or(usize::MAX);
    let script = Script { text: READ, values: &values, body: &[], form: OutputForm::All, most, until };
    let printed = script::run(connection, script).await?;
    match printed.exit {
        0 => Ok(Block(printed.out)),
        3 => Err(Trouble::Missing(format!("`{path}` is not there"))),
        _ => Err(Trouble::Refused(printed.complaint())),
    }
}

/// A script that changes something, under the lease of the run.
async fn change(
    jobs: &Jobs,
    runner: &Runner,
    text: &'static str,
    (values, body): (&[&str], &[u8]),
    until: Instant,
) -> Result<(), Trouble> {
    let number = Lease::file_name(jobs.lease(runner, false, within(BLOCK_LIMIT)).await?.number);
    let fence = [jobs.folder.as_str(), &number];
    let values: Vec<&[u8]> = fence.iter().chain(values).map(|value| value.as_bytes()).collect();
    let script = Script { text, values: &values, body, form: OutputForm::All, most: WORDS_MAX, until };
    let printed: Printed = script::run(&jobs.connection, script).await?;
    match printed.exit {
        0 => Ok(()),
        3 => Err(Trouble::Missing(printed.complaint())),
        5 => Err(jobs.taken_over(runner).await),
        _ => Err(Trouble::Refused(printed.complaint())),
    }
}
