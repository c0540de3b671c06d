//! What went wrong inside, before it is known for which file.

use crate::{StateError, encryption::EncryptionError, format::FormatError};
use rusqlite::ErrorCode;
use std::path::Path;
use weir_core::snapshot::Serial;

/// How long a transaction waits for another process's transaction, in seconds.
pub(crate) const BUSY_SECONDS: u64 = 20;

#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    State(StateError),
    Key(EncryptionError),
    Damage {
        cause: String,
        last_good: Option<Serial>,
    },
}

impl Fault {
    pub(crate) fn damage(cause: impl Into<String>) -> Fault {
        Fault::Damage {
            cause: cause.into(),
            last_good: None,
        }
    }

    /// The error to tell for the store at `path`.
    pub(crate) fn at(self, path: &Path) -> StateError {
        let path = path.to_owned();
        let error = match self {
            Fault::State(e) => return e,
            // The keys are right, and what they opened is not.
            Fault::Key(
                e @ (EncryptionError::Changed { .. } | EncryptionError::NotSealed { .. }),
            ) => {
                return StateError::Damaged {
                    path,
                    cause: e.to_string(),
                    last_good: None,
                };
            }
            Fault::Key(cause) => return StateError::Key { path, cause },
            Fault::Damage { cause, last_good } => {
                return StateError::Damaged {
                    path,
                    cause,
                    last_good,
                };
            }
            Fault::Sql(e) => e,
        };
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StateError::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                StateError::ReadOnly { path, cause }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StateError::Busy {
                path,
                seconds: BUSY_SECONDS,
            },
            Some(ErrorCode::NotADatabase) => StateError::NotAState { path, cause },
            Some(ErrorCode::DatabaseCorrupt) => StateError::Damaged {
                path,
                cause,
                last_good: None,
            },
            // SQLite sees some failures to grow a file as any failure of the disk.
            Some(ErrorCode::SystemIoFailure) if is_full(&path) => StateError::Full { path },
            Some(_) => StateError::Io { path, cause },
            // What is not SQLite's own is a column of a wrong type, or a row that is not there.
            None => StateError::Damaged {
                path,
                cause,
                last_good: None,
            },
        }
    }
}

/// Whether the file system has no block left for this file.
fn is_full(path: &Path) -> bool {
    nix::sys::statvfs::statvfs(path).is_ok_and(|fs| fs.blocks_available() == 0)
}

impl From<rusqlite::Error> for Fault {
    fn from(e: rusqlite::Error) -> Self {
        Fault::Sql(e)
    }
}
impl From<EncryptionError> for Fault {
    fn from(e: EncryptionError) -> Self {
        Fault::Key(e)
    }
}
impl From<StateError> for Fault {
    fn from(e: StateError) -> Self {
        Fault::State(e)
    }
}
impl From<FormatError> for Fault {
    fn from(e: FormatError) -> Self {
        Fault::damage(format!("a row can't be read: {e}"))
    }
}
