//! Whose files and folders are: whether what lies at a path can only have been put there by this account or root. Read
//! before anything in it is believed or written. It only looks.

use super::accounts::account;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The permission bits that let others than the owner write.
pub(crate) const OTHERS_WRITE: u32 = 0o022;
/// The permission bit that lets anyone on the machine write.
const ANYONE_WRITES: u32 = 0o002;
/// The bit of a folder in which nobody can touch what is another's.
const STICKY: u32 = 0o1000;

/// Why a path is not to be trusted, and the command that puts it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// As a sentence without its full stop: `` `…` belongs to the account `bob` ``.
    pub(crate) why: String,
    /// What to type, once it was looked at.
    pub(crate) command: String,
}

/// What speaks against a folder in which only this account is to write: its owner, others that may write it, or a
/// stranger's folder above it. Nothing when it is not there, or is sound.
pub(crate) fn private_folder(path: &Path) -> Option<Doubt> {
    let data = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return above(path),
        Err(_) => return None,
        Ok(data) => data,
    };
    owner(path, &data).or_else(|| writers(path, &data, OTHERS_WRITE)).or_else(|| above(path))
}

/// What speaks against a text below `folder`, at `inner`: the text itself, or a folder on the way to it, that is a
/// stranger's or that anyone may write. A group may: it is the site's to say who is in it.
pub(crate) fn text(folder: &Path, inner: &Path) -> Option<Doubt> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut path = here.to_path_buf();
    let mut ways = vec![path.clone()];
    for part in inner.components() {
        path.push(part);
        ways.push(path.clone());
    }
    // A link may lead anywhere: what it leads to counts, and so does the folder that is in.
    if let Ok(real) = fs::canonicalize(&path) {
        ways.extend(real.parent().map(Path::to_path_buf));
        ways.push(real);
    }
    ways.iter().find_map(|path| {
        let link = fs::symlink_metadata(path).ok()?;
        let data = fs::metadata(path).ok()?;
        let open = if data.is_dir() && data.mode() & STICKY != 0 { 0 } else { ANYONE_WRITES };
        owner(path, &link).or_else(|| owner(path, &data)).or_else(|| writers(path, &data, open))
    })
}

/// What speaks against the folders above a path: in a stranger's, or in one that anyone may write, it can be exchanged
/// for another.
fn above(path: &Path) -> Option<Doubt> {
    let mut there = std::path::absolute(path).ok()?;
    let real = loop {
        there = there.parent()?.to_path_buf();
        if let Ok(real) = fs::canonicalize(&there) {
            break real;
        }
    };
    let folders: Vec<PathBuf> = real.ancestors().map(Path::to_path_buf).collect();
    folders.iter().find_map(|path| {
        let data = fs::metadata(path).ok()?;
        let open = if data.mode() & STICKY != 0 { 0 } else { ANYONE_WRITES };
        owner(path, &data).or_else(|| writers(path, &data, open))
    })
}

fn owner(path: &Path, data: &Metadata) -> Option<Doubt> {
    // Who has `/` is root, even where a namespace shows root as nobody.
    let system = fs::metadata("/").map_or(0, |data| data.uid());
    foreign(path, data.uid(), rustix::process::geteuid().as_raw(), system)
}

/// What speaks against what belongs to the account `owner`, where `me` looks and `system` is root.
fn foreign(path: &Path, owner: u32, me: u32, system: u32) -> Option<Doubt> {
    if [me, system, 0].contains(&owner) {
        return None;
    }
    let shown = path.display();
    Some(Doubt {
        why: format!("`{shown}` belongs to another account, {}", account(owner)),
        command: format!("chown {} {shown}", account(me)),
    })
}

fn writers(path: &Path, data: &Metadata, bits: u32) -> Option<Doubt> {
    // The group of an account by itself, with the number of that account, lets nobody else in.
    let own_group = if data.gid() == data.uid() { 0o020 } else { 0 };
    let open = data.mode() & bits & !own_group;
    if open == 0 {
        return None;
    }
    let who = if open & ANYONE_WRITES == 0 { "its group" } else { "anyone on this machine" };
    let shown = path.display();
    let command = if bits == OTHERS_WRITE { format!("chmod go-w {shown}") } else { format!("chmod o-w {shown}") };
    Some(Doubt { why: format!("{who} may change `{shown}`"), command })
}

#[cfg(test)]
mod tests {
    use super::{foreign, private_folder, text};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
    }

    #[test]
    fn a_folder_that_others_may_write_is_told_with_what_closes_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        assert_eq!(private_folder(&path), None, "it is not there yet");
        fs::create_dir(&path).expect("a folder");
        mode(&path, 0o755);
        assert_eq!(private_folder(&path), None);
        mode(&path, 0o777);
        let doubt = private_folder(&path).expect("anyone may write it");
        assert!(doubt.why.starts_with("anyone on this machine may change"), "{doubt:?}");
        assert_eq!(doubt.command, format!("chmod go-w {}", path.display()));
        mode(&path, 0o700);
        mode(folder.path(), 0o777);
        assert!(private_folder(&path).is_some(), "it can be exchanged in the folder above");
        mode(folder.path(), 0o1777);
        assert_eq!(private_folder(&path), None, "as in /tmp");
    }

    #[test]
    fn a_text_counts_with_every_folder_and_link_on_the_way_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let inner = Path::new("stdlib/products/x.toml");
        fs::create_dir_all(at.join("stdlib/products")).expect("folders");
        fs::write(at.join(inner), "").expect("a file");
        assert_eq!(text(at, inner), None);
        for part in ["stdlib/products/x.toml", "stdlib/products", "stdlib"] {
            mode(&at.join(part), 0o777);
            assert!(text(at, inner).is_some_and(|doubt| doubt.why.contains(part)), "{part}");
            mode(&at.join(part), 0o755);
        }
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("y.toml"), "").expect("a file");
        symlink(outside.path().join("y.toml"), at.join("stdlib/products/y.toml")).expect("a link");
        assert_eq!(text(at, Path::new("stdlib/products/y.toml")), None);
        mode(outside.path(), 0o777);
        assert!(text(at, Path::new("stdlib/products/y.toml")).is_some(), "what the link leads to can be exchanged");
    }

    #[test]
    fn what_is_a_strangers_is_told_with_what_makes_it_ones_own() {
        let path = Path::new("/srv/state");
        assert_eq!(foreign(path, 1000, 1000, 0), None);
        assert_eq!(foreign(path, 0, 1000, 0), None, "root may do anything anyway");
        assert_eq!(foreign(path, 65_534, 1000, 65_534), None, "root as a namespace shows it");
        let doubt = foreign(path, 4_000_000_000, 0, 0).expect("it is a stranger's");
        assert_eq!(doubt.why, "`/srv/state` belongs to another account, 4000000000");
        assert_eq!(doubt.command, "chown root /srv/state");
    }
}
