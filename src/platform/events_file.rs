//! The file that a run's events are written into. It must not be anything else: what does not begin as such a file does
//! is not touched, and a pipe that nobody reads is not waited for.

use crate::error::{Error, Kind, Result};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Opens it to be written on: what is in it may be what somebody must prove. `begins` is what such a file begins with.
///
/// # Errors
/// `Usage` when it cannot be opened, holds something else, or is a pipe that nobody reads.
pub fn open(path: &Path, begins: &str) -> Result<Box<dyn Write>> {
    let failed = |error: io::Error| Error::new(Kind::Usage, format!("cannot write `{}`: {error}", path.display()));
    let found = std::fs::metadata(path).ok();
    if found.as_ref().is_some_and(|found| found.file_type().is_fifo()) {
        return pipe(path);
    }
    if found.is_some_and(|found| found.is_file() && found.len() > 0) && !is_ours(path, begins).map_err(failed)? {
        let message = format!("`{}` holds something else than events: it is not touched", path.display());
        return Err(Error::new(Kind::Usage, message).hint("nothing was done; name another file with --events"));
    }
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    Ok(Box::new(file))
}

/// Whether the file begins as a file of events does.
fn is_ours(path: &Path, begins: &str) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(begins.len() as u64).read_to_end(&mut start)?;
    Ok(start == begins.as_bytes())
}

fn pipe(path: &Path) -> Result<Box<dyn Write>> {
    let no_reader = |error: io::Error| {
        Error::new(Kind::Usage, format!("cannot write into the pipe `{}`: {error}", path.display()))
            .hint("nothing was done; begin to read from it first")
    };
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().write(true).custom_flags(flags).open(path).map_err(no_reader)?;
    let now = rustix::fs::fcntl_getfl(&file).map_err(io::Error::from).map_err(no_reader)?;
    rustix::fs::fcntl_setfl(&file, now - OFlags::NONBLOCK).map_err(io::Error::from).map_err(no_reader)?;
    Ok(Box::new(file))
}
