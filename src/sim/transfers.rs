//! Files carried in a simulated site. A source that nobody has laid down is made up: a rehearsal has no files of its
//! own to carry. It must not decide what is carried.

use crate::model::digest::sha256;
use crate::sim::files::MemoryFiles;
use crate::world::request::WorkOnFile;
use crate::world::transfer::{Block, DigestFile, FileSeen, FileWork, InstallFile, ReadBlock, Role, WriteBlock};
use crate::world::{HasReply, Reply, Trouble};

/// What comes of the work on a file, if nothing strikes.
///
/// # Errors
/// `Missing` when it is not there, `Refused` when it is and must not be.
pub(super) fn done(files: &MemoryFiles, host: &str, work: FileWork) -> Result<Reply, Trouble> {
    let missing = |path: &str| Trouble::Missing(format!("`{path}` is not there"));
    match work {
        FileWork::DigestFile(DigestFile { path, first, role }) => {
            if role == Role::Source && files.content(host, &path).is_none() {
                files.write_at(host, &path, 0, format!("made up for {path}\n").as_bytes());
            }
            let Some(content) = files.content(host, &path) else {
                return Ok(WorkOnFile::<DigestFile>::answered(None));
            };
            let first = usize::try_from(first).unwrap_or(usize::MAX).min(content.len());
            let (len, mode) = (content.len() as u64, files.mode(host, &path));
            let seen = FileSeen { len, mode, sha256: sha256(&content[..first]) };
            Ok(WorkOnFile::<DigestFile>::answered(Some(seen)))
        }
        FileWork::ReadBlock(ReadBlock { path, from, max }) => {
            let content = files.content(host, &path).ok_or_else(|| missing(&path))?;
            let bytes = content.into_iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
            let block = Block(bytes.take(usize::try_from(max).unwrap_or(usize::MAX)).collect());
            Ok(WorkOnFile::<ReadBlock>::answered(block))
        }
        FileWork::WriteBlock(WriteBlock { path, at, block }) => {
            let kept = files.write_at(host, &path, at, &block.0);
            if kept { Ok(WorkOnFile::<WriteBlock>::answered(())) } else { Err(missing(&path)) }
        }
        FileWork::InstallFile(InstallFile { part, path, mode, over }) => {
            if !over && files.content(host, &path).is_some() {
                return Err(Trouble::Refused(format!("`{path}` is there already")));
            }
            let kept = files.install(host, &part, &path, mode);
            if kept { Ok(WorkOnFile::<InstallFile>::answered(())) } else { Err(missing(&part)) }
        }
    }
}
