//! What a file that is replaced hands on to the one that takes its place: owner, group, access lists and other extended
//! attributes. What cannot be handed on is said, and then nothing is replaced. It must not touch what is in a file.

use crate::world::Trouble;
use rustix::fs::{Gid, Stat, Uid, XattrFlags};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The longest list of names and the longest value that the kernel gives.
const LONGEST: usize = 64 * 1024;
/// The access list: a new file may have one from its folder that the former file had not.
const ACCESS_LIST: &str = "system.posix_acl_access";
/// Seals over the content: those of the former content would be wrong.
const SEALS: [&str; 2] = ["security.ima", "security.evm"];

/// Gives `file` the owner, the group and the attributes of the one at `path`, of which `there` was read.
///
/// # Errors
/// `Refused` when this account may not.
pub(in crate::world) fn keep(path: &Path, there: &Stat, file: &File) -> Result<(), Trouble> {
    let new = file.metadata().map_err(|error| refused(path, "its owner", error))?;
    let uid = (there.st_uid != new.uid()).then(|| Uid::from_raw(there.st_uid));
    let gid = (there.st_gid != new.gid()).then(|| Gid::from_raw(there.st_gid));
    if uid.is_some() || gid.is_some() {
        let what = format!("its owner (account {}, group {})", there.st_uid, there.st_gid);
        rustix::fs::fchown(file, uid, gid).map_err(|error| refused(path, &what, error.into()))?;
    }
    let attribute = |name: &str, error: Errno| refused(path, &format!("its attribute `{name}`"), error.into());
    let former = names(|list| rustix::fs::llistxattr(path, list)).map_err(|error| attribute("…", error))?;
    for name in former.iter().filter(|name| !SEALS.contains(&name.as_str())) {
        let value = value(|buffer| rustix::fs::lgetxattr(path, name.as_str(), buffer));
        let value = value.map_err(|error| attribute(name, error))?;
        if self::value(|buffer| rustix::fs::fgetxattr(file, name.as_str(), buffer)).ok() != Some(value.clone()) {
            let set = rustix::fs::fsetxattr(file, name.as_str(), &value, XattrFlags::empty());
            set.map_err(|error| attribute(name, error))?;
        }
    }
    if !former.contains(ACCESS_LIST) {
        match rustix::fs::fremovexattr(file, ACCESS_LIST) {
            Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => {}
            Err(error) => return Err(attribute(ACCESS_LIST, error)),
        }
    }
    Ok(())
}

fn names(list: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Result<BTreeSet<String>, Errno> {
    let listed = match value(list) {
        // A file system without attributes.
        Err(Errno::NOTSUP | Errno::NOSYS) => Vec::new(),
        listed => listed?,
    };
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

fn value(get: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; LONGEST];
    let length = get(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

fn refused(path: &Path, what: &str, error: std::io::Error) -> Trouble {
    let path = path.display();
    Trouble::Refused(format!("cannot replace `{path}` and keep {what}: {error}; it is as it was"))
}
