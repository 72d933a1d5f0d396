//! Paths below a folder that is the whole world to whoever names them: a lab's. It judges a path, and never what
//! lies there.

use std::path::{Component, Path, PathBuf};

/// The path, if it is a full one below `root`, and no link on the way to it leads anywhere else.
///
/// # Errors
/// What is wrong with it, as a fragment.
pub fn beneath(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let outside = || format!("`{}` is not below `{}`", path.display(), root.display());
    let inner = path.strip_prefix(root).map_err(|_| outside())?;
    let mut whole = root.to_path_buf();
    for part in inner.components() {
        let Component::Normal(name) = part else { return Err(outside()) };
        whole.push(name);
        if whole.is_symlink() {
            return Err(format!("`{}` is a symbolic link", whole.display()));
        }
    }
    if whole == root { Err(outside()) } else { Ok(whole) }
}

#[cfg(test)]
mod tests {
    use super::beneath;
    use std::path::Path;

    #[test]
    fn nothing_but_what_lies_below_the_folder_is_below_it() {
        let root = Path::new("/lab/genesys");
        assert!(beneath(root, Path::new("/lab/genesys/cfg-a/x")).is_ok());
        for path in ["/lab/genesys", "/lab/genesys/", "/lab/genesys/../x", "/lab/genesys/a/../../x", "/lab/genesys-2/x"]
        {
            assert!(beneath(root, Path::new(path)).is_err(), "{path}");
        }
        for path in ["x", "./x", "cfg-a/x", "", "/", "lab/genesys/x"] {
            assert!(beneath(root, Path::new(path)).is_err(), "{path}");
        }
    }
}
