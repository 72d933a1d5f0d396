//! Files carried to or from a host: digests, blocks and the last step are asked of an agent, the bytes behind the
//! words; what is fetched is read by a script. A change is refused by the host itself when the runner's lease does not
//! count any more. It must not decide what is carried.

use super::answers::{file_trouble, senseless, spoiled};
use super::fields::fits;
use super::jobs::Jobs;
use super::resident::AgentWord;
use super::script::{self, OutputForm, Script, within};
use super::transport::Transport;
use crate::world::lease::Runner;
use crate::world::request::WorkOnFile;
use crate::world::transfer::{Block, DigestFile, FileSeen, FileWork, InstallFile, ReadBlock, Role, WriteBlock};
use crate::world::{HasReply, Reply, Trouble};
use std::time::Duration;
use tokio::time::Instant;

/// How long a block may take, and the last step, which no limit of the runbook cuts short.
const BLOCK_LIMIT: Duration = Duration::from_secs(10 * 60);

const READ: &str = include_str!("transfer/read.sh");

/// Does what is asked about a file, until `until` at the latest.
pub(in crate::world) async fn work(
    jobs: &Jobs,
    runner: &Runner,
    work: FileWork,
    until: Instant,
) -> Result<Reply, Trouble> {
    let soon = until.min(within(BLOCK_LIMIT));
    match work {
        FileWork::DigestFile(DigestFile { path, first, role }) => {
            digest(jobs, &path, first, role, until).await.map(WorkOnFile::<DigestFile>::answered)
        }
        FileWork::ReadBlock(ReadBlock { path, from, max }) => {
            read(jobs.transport(), &path, from, max, soon).await.map(WorkOnFile::<ReadBlock>::answered)
        }
        FileWork::WriteBlock(WriteBlock { path, at, block }) => {
            let number = jobs.fence(runner, within(BLOCK_LIMIT)).await?;
            let words = format!("block - - {number} {at} {}", block.0.len());
            change(jobs, runner, &words, (&[&path], &block.0), soon).await.map(WorkOnFile::<WriteBlock>::answered)
        }
        FileWork::InstallFile(InstallFile { part, path, mode, over }) => {
            let number = jobs.fence(runner, within(BLOCK_LIMIT)).await?;
            let words = format!("install - - {number} {mode:o} {}", if over { "over" } else { "-" });
            change(jobs, runner, &words, (&[&part, &path], &[]), soon).await.map(WorkOnFile::<InstallFile>::answered)
        }
    }
}

async fn digest(jobs: &Jobs, path: &str, first: u64, role: Role, until: Instant) -> Result<Option<FileSeen>, Trouble> {
    let first = if first == u64::MAX { "-".to_owned() } else { first.to_string() };
    let role_word = match role {
        Role::Source => "source",
        Role::Target => "target",
        Role::Part => "part",
    };
    // It is ended there as well: nobody waits for it any more.
    let seconds = until.saturating_duration_since(Instant::now()).as_secs() + 1;
    let words = format!("digest - - {role_word} {first} {seconds}");
    let late = |trouble| if Instant::now() < until { trouble } else { Trouble::Late };
    let answer = ask(jobs, &words, (&[path], &[]), until).await.map_err(late)?;
    match (file_trouble(&answer), answer.strip_prefix("done ")) {
        (_, Some(told)) => seen(told).map(Some).ok_or_else(senseless),
        (Some(Trouble::Missing(_)), None) if role != Role::Source => Ok(None),
        (Some(Trouble::Missing(_)), None) => Err(Trouble::Missing(format!("`{path}` is not there"))),
        (trouble, None) => Err(trouble.unwrap_or_else(senseless)),
    }
}

/// Something that is changed, under the lease of the run.
async fn change(
    jobs: &Jobs,
    runner: &Runner,
    words: &str,
    (paths, body): (&[&str], &[u8]),
    until: Instant,
) -> Result<(), Trouble> {
    let answer = ask(jobs, words, (paths, body), until).await?;
    match answer.as_str() {
        "leased" => Err(jobs.taken_over(runner).await),
        done if done.starts_with("done ") => Ok(()),
        other => Err(file_trouble(other).unwrap_or_else(senseless)),
    }
}

/// Asks an agent; which one may not be asked for more when bytes of this were left over.
async fn ask(jobs: &Jobs, words: &str, (paths, body): (&[&str], &[u8]), until: Instant) -> Result<String, Trouble> {
    if !fits(paths) {
        return Err(Trouble::Refused("a zero byte cannot be part of a path".into()));
    }
    let mut agent = jobs.agents().free(until).await?;
    let fields: Vec<&[u8]> = paths.iter().map(|path| path.as_bytes()).collect();
    let heard = agent.work(words, &fields, body, until).await;
    if heard.is_err() {
        jobs.transport().check().await;
    }
    let AgentWord::Said(answer) = heard? else { return Err(spoiled()) };
    if body.is_empty() || answer.starts_with("done ") {
        jobs.agents().rest(agent);
    }
    Ok(answer)
}

/// What the host tells: length, mode, digest.
fn seen(told: &str) -> Option<FileSeen> {
    let mut words = told.split_whitespace();
    let (len, mode) = (words.next()?.parse().ok()?, u32::from_str_radix(words.next()?, 8).ok()?);
    Some(FileSeen { len, mode, sha256: words.next()?.to_owned() })
}

async fn read(transport: &dyn Transport, path: &str, from: u64, max: u64, until: Instant) -> Result<Block, Trouble> {
    let numbers = [from, max].map(|number| number.to_string());
    let values: [&[u8]; 3] = [path.as_bytes(), numbers[0].as_bytes(), numbers[1].as_bytes()];
    let most = usize::try_from(max).unwrap_or(usize::MAX);
    let script = Script { text: READ, values: &values, body: &[], form: OutputForm::All, most, until };
    let printed = script::run(transport, script).await?;
    match printed.exit {
        0 => Ok(Block(printed.out)),
        3 => Err(Trouble::Missing(format!("`{path}` is not there"))),
        _ => Err(Trouble::Refused(printed.complaint())),
    }
}
