//! Files carried in a simulated site. A source that nobody has laid down is made up: a rehearsal has no files of its
//! own to carry. It must not decide what is carried.

use crate::model::digest::sha256;
use crate::sim::estate::{EstateState, LATENCY_MS};
use crate::sim::fault::Harm;
use crate::sim::files::MemoryFiles;
use crate::sim::world::Due;
use crate::world::transfer::{Block, FileSeen, FileWork, RUNNER, Role};
use crate::world::{Reply, Ticket, Trouble};

impl EstateState {
    /// Does what is asked about a file, and whatever strikes there.
    pub(super) fn file_work(&mut self, ticket: Ticket, host: &str, work: FileWork) {
        let verb = match &work {
            FileWork::Write { .. } => Some("write"),
            FileWork::Install { .. } => Some("install_file"),
            FileWork::Digest { .. } | FileWork::Read { .. } => None,
        };
        let harm = verb.filter(|_| host != RUNNER).and_then(|verb| self.strike(verb, host));
        let lost = || Trouble::Lost("the link broke before the reply".into());
        let trouble = match &harm {
            None | Some(Harm::LogLate { .. } | Harm::Nobody | Harm::SaysNo) => None,
            Some(Harm::FailsBefore) => Some(Trouble::Refused("no space left on device".into())),
            Some(Harm::HostDown { .. }) => Some(Trouble::Unreachable(format!("`{host}` does not answer"))),
            Some(Harm::FailsAfter | Harm::ReplyLost | Harm::JobLost { .. } | Harm::HostRestarts { .. }) => Some(lost()),
        };
        let idle = matches!(harm, Some(Harm::FailsBefore | Harm::HostDown { .. } | Harm::JobLost { happened: false }));
        let reply = if idle { Ok(Reply::Kept) } else { done(&self.files, host, work) };
        let now = self.now;
        match (harm, self.hosts.get_mut(host)) {
            (Some(Harm::HostDown { ms }), Some(host)) => host.down_until = now + ms,
            (Some(Harm::HostRestarts { ms }), Some(host)) => host.restart(now, now + ms),
            (_, _) => {}
        }
        let reply = trouble.map_or_else(|| reply.unwrap_or_else(Reply::Trouble), Reply::Trouble);
        let from = (host != RUNNER).then(|| host.to_owned());
        self.schedule(now + LATENCY_MS, ticket, Due::Ready(from, reply));
    }
}

fn done(files: &MemoryFiles, host: &str, work: FileWork) -> Result<Reply, Trouble> {
    let missing = |path: &str| Trouble::Missing(format!("`{path}` is not there"));
    match work {
        FileWork::Digest { path, first, role } => {
            if role == Role::Source && files.content(host, &path).is_none() {
                files.write_at(host, &path, 0, format!("made up for {path}\n").as_bytes());
            }
            let Some(content) = files.content(host, &path) else { return Ok(Reply::File(None)) };
            let first = usize::try_from(first).unwrap_or(usize::MAX).min(content.len());
            let (len, mode) = (content.len() as u64, files.mode(host, &path));
            Ok(Reply::File(Some(FileSeen { len, mode, sha256: sha256(&content[..first]) })))
        }
        FileWork::Read { path, from, max } => {
            let content = files.content(host, &path).ok_or_else(|| missing(&path))?;
            let bytes = content.into_iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
            Ok(Reply::Block(Block(bytes.take(usize::try_from(max).unwrap_or(usize::MAX)).collect())))
        }
        FileWork::Write { path, at, block } => {
            let kept = files.write_at(host, &path, at, &block.0);
            if kept { Ok(Reply::Kept) } else { Err(missing(&path)) }
        }
        FileWork::Install { part, path, mode, over } => {
            if !over && files.content(host, &path).is_some() {
                return Err(Trouble::Refused(format!("`{path}` is there already")));
            }
            if files.install(host, &part, &path, mode) { Ok(Reply::Kept) } else { Err(missing(&part)) }
        }
    }
}
