//! What the names and first bytes of a log's files tell: which are the log's, which are packed, and in which order
//! files that come together were written. Pure.

use crate::world::{FileKind, FileStat};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Endings of names of packed files, whose bytes are no lines.
const PACKED: [&str; 9] = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma", ".zip", ".z", ".br"];
/// What packed files begin with.
const MAGIC: [&[u8]; 6] = [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"PK\x03\x04"];

/// Whether a name is that of a packed file.
pub(super) fn is_packed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PACKED.iter().any(|ending| name.ends_with(ending))
}

/// Whether a file that begins with `bytes` is a packed one.
pub(super) fn begins_packed(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// Orders files that came together by age, oldest first: when they were last written, then what rotation makes of
/// names.
pub(super) type Age = (i64, Reverse<u64>, String);

/// The age of a file.
pub(super) fn age(stat: &FileStat) -> Age {
    (stat.modified, Reverse(rotation(&stat.name)), stat.name.clone())
}

/// How often a file was rotated away, by the short plain number at the end of its name: `app.log.2` is older than
/// `app.log.1`, and `app.log` is the newest. Dates and numbers with leading zeros grow with time: they are none.
fn rotation(name: &str) -> u64 {
    let digits = name.len() - name.trim_end_matches(|char: char| char.is_ascii_digit()).len();
    let number = &name[name.len() - digits..];
    if digits > 4 || number.starts_with('0') { 0 } else { number.parse().unwrap_or(0) }
}

/// The files of a listing that are those of the log, oldest first, each once whatever names it has.
pub(super) fn log_files<'l>(listing: &'l [FileStat], glob: &str) -> Vec<&'l FileStat> {
    let readable = |stat: &&FileStat| matches!(stat.kind, FileKind::File | FileKind::Link);
    let fits = |stat: &&FileStat| glob_match::glob_match(glob, &stat.name) && !is_packed(&stat.name);
    let mut met = BTreeSet::new();
    let mut files: Vec<&FileStat> =
        listing.iter().filter(readable).filter(fits).filter(|stat| met.insert(stat.identity)).collect();
    files.sort_by_key(|stat| age(stat));
    files
}

/// Why a name that fits cannot be read.
pub(super) fn unfit(stat: &FileStat) -> String {
    match stat.kind {
        FileKind::Nowhere => format!("`{}` is a symbolic link that leads nowhere", stat.name),
        FileKind::Other => format!("`{}` is a folder, a pipe or the like, and no regular file", stat.name),
        FileKind::File | FileKind::Link | FileKind::Unnamed => format!("`{}` is no name in UTF-8", stat.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::mark::Identity;
    use crate::world::FileKind;

    #[test]
    fn files_of_one_moment_are_ordered_as_rotation_names_them() {
        let stat = |name: &str| FileStat {
            name: name.into(),
            identity: Identity { device: 1, inode: 1 },
            len: 0,
            modified: 5,
            kind: FileKind::File,
        };
        let sorted = |names: &[&str]| {
            let mut stats: Vec<FileStat> = names.iter().map(|name| stat(name)).collect();
            stats.sort_by_key(age);
            stats.into_iter().map(|stat| stat.name).collect::<Vec<_>>()
        };
        assert_eq!(
            sorted(&["app.log", "app.log.1", "app.log.10", "app.log.2"]),
            ["app.log.10", "app.log.2", "app.log.1", "app.log"]
        );
        assert_eq!(sorted(&["a-20261129", "a-20261128"]), ["a-20261128", "a-20261129"]);
        assert_eq!(sorted(&["a.20261129_000.log", "a.20261129_001.log"]), ["a.20261129_000.log", "a.20261129_001.log"]);
    }

    #[test]
    fn packed_files_are_known_by_name_and_by_content() {
        assert!(is_packed("app.log.1.gz") && is_packed("APP.ZIP") && !is_packed("app.log") && !is_packed("gz.log"));
        assert!(begins_packed(b"\x1f\x8b\x08rest") && !begins_packed(b"2026-11-29") && !begins_packed(b""));
    }
}
