//! The high-water mark: a small file beside the database that says how far it had come.
//!
//! SQLite can't tell that its write-ahead log was removed or cut, or that an older copy of the file
//! was put back: the database then is whole, and old. The mark is written after each transaction
//! and never forced to the disk, so it costs nothing and is never ahead of the database; after a
//! power cut it may be behind, which says nothing.

use crate::rows::Head;
use sha2::{Digest as _, Sha256};
use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) lineage: String,
    pub(super) commits: u64,
    pub(super) serial: u64,
}

/// The path with something added to the file's name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The mark of the store at this path; `None` where there is none that can be read.
pub(super) fn read(path: &Path) -> Option<Mark> {
    let text = std::fs::read_to_string(beside(path, "-mark")).ok()?;
    let (line, _) = text.split_once('\n')?;
    let (said, sum) = line.rsplit_once(' ')?;
    if sum != short_sum(said) {
        return None;
    }
    let mut words = said.split(' ');
    let mut next = || words.next();
    (next()? == "weir-mark-1").then_some(())?;
    Some(Mark {
        lineage: next()?.to_owned(),
        commits: next()?.parse().ok()?,
        serial: next()?.parse().ok()?,
    })
}

/// Keeps the mark of one store.
pub(super) struct Marker(Option<File>);

impl Marker {
    /// Opens the mark's file, making it where there is none. Where that can't be done there is no
    /// mark, and nothing else is worse for it.
    pub(super) fn open(path: &Path) -> Marker {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(beside(path, "-mark"));
        Marker(file.inspect_err(|e| tracing::debug!(%e, "no mark")).ok())
    }

    /// Takes the mark away, on the disk: what is to be committed is of another lineage.
    pub(super) fn clear(&self) {
        let Some(file) = &self.0 else { return };
        if let Err(e) = file.set_len(0).and_then(|()| file.sync_all()) {
            tracing::debug!(%e, "the mark was not cleared");
        }
    }

    /// Sets the mark to what was just committed. Two processes may overtake each other here: a
    /// mark that is behind says nothing wrong. Always the same number of bytes.
    pub(super) fn set(&self, head: &Head) {
        let Some(file) = &self.0 else { return };
        let said = format!(
            "weir-mark-1 {} {:020} {:020}",
            head.lineage, head.commits, head.serial
        );
        let line = format!("{said} {}\n", short_sum(&said));
        if let Err(e) = file.write_all_at(line.as_bytes(), 0) {
            tracing::debug!(%e, "the mark was not set");
        }
    }
}

fn short_sum(said: &str) -> String {
    Sha256::digest(said.as_bytes())
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect()
}
