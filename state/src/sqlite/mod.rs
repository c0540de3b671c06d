//! The embedded store: one SQLite file.
//!
//! The file is in WAL mode with `synchronous = FULL`, so a transaction that was answered survives
//! a power cut, and one that was not is there wholly or not at all. A resource is one row: what a
//! commit costs does not depend on how many there are. Several processes may have the file open;
//! the lease is a row, and every write reads it in its own `BEGIN IMMEDIATE` transaction.

mod mark;
mod memory;
mod open;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

pub(crate) use memory::WorkingCopy;

use crate::{
    Encryption, StateError,
    rows::{Handle, Rowed, Stats},
};
use rows::Database;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// A lease that was not renewed for so long may be taken over. It is renewed every third of
    /// that. All programs that use one store should agree.
    pub expiry: Duration,
    /// What a new store is encrypted with, and what opens one that is there.
    pub encryption: Encryption,
}

impl Default for Options {
    /// 30 seconds; not encrypted.
    fn default() -> Self {
        Options {
            expiry: Duration::from_secs(30),
            encryption: Encryption::default(),
        }
    }
}

/// A store in one SQLite file. See the module's page in the source for how it works.
pub struct SqliteStore {
    handle: Handle,
}

impl SqliteStore {
    /// Opens the store in this file, and makes it (mode 0600, with its folder) if nothing is
    /// there. Every page and row is checked. Blocks while it does.
    ///
    /// # Errors
    /// [`StateError::Damaged`], [`StateError::NotAState`], [`StateError::Newer`],
    /// [`StateError::Key`], and those of the disk. None of them changes the file.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, StateError> {
        SqliteStore::open_with(path, Options::default())
    }

    /// As [`SqliteStore::open`], with options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StateError> {
        let path: PathBuf = path.as_ref().to_owned();
        let at = path.clone();
        let Options { expiry, encryption } = options;
        let handle = Handle::start(&path, expiry, move || {
            Database::open(&at, &encryption).map(Some)
        })?;
        let handle = handle.ok_or(StateError::Closed)?;
        Ok(SqliteStore { handle })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.handle.path()
    }

    /// How much was written through this handle.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }
}

impl Rowed for SqliteStore {
    fn handle(&self) -> &Handle {
        &self.handle
    }
}
