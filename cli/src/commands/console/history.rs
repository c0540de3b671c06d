//! What was typed in earlier sessions: lines alone, no answers. Nobody but the user can read it.

use crate::env::Env;
use std::{
    fs::{DirBuilder, OpenOptions, Permissions, set_permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The file of the history, made where there was none; `None` where it can't be kept.
pub(super) fn open(env: &Env) -> Option<PathBuf> {
    let folder = env.state_home()?.join("weir");
    make(&folder).ok()
}

fn make(folder: &Path) -> io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let path = folder.join("console_history");
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)?;
    set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_reads_it() {
        let home = tempfile::tempdir().unwrap();
        let path = make(&home.path().join("weir")).unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let path = make(path.parent().unwrap()).unwrap();
        let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}
