//! What can go wrong with state.

use crate::{EntryId, Holder, Item, LeaseRecord, encryption::EncryptionError};
use std::path::PathBuf;
use weir_core::{
    Address,
    snapshot::{Serial, SnapshotError},
};

/// What went wrong, and what to do next. After any of these nothing in the store is overwritten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The lease with which a write came is not held any more.
    #[error("the lease on the state was lost{}: nothing was recorded. Run the command again: it finds out what was done and continues", taken_by(.by))]
    LeaseLost {
        /// Who has it now; `None` if nobody.
        by: Option<Box<Holder>>,
    },
    /// Someone else holds a lease on it, or on something that is needed here.
    #[error("{} locked by {}. Wait for it to end, or pass -lock-timeout to wait here", what_is(.over), .by.holder)]
    Locked {
        /// The lease.
        by: Box<LeaseRecord>,
        /// What both need; `None` where one of them needs the whole state.
        over: Option<Item>,
    },
    /// The entry is not open, or not this lease's.
    #[error("journal entry {0} is not open under this lease")]
    NoSuchEntry(EntryId),
    /// An earlier run's operation on this instance is still open.
    #[error(
        "{address} has an operation of an earlier run (journal entry {entry}) that is not settled: its outcome must be found out before another one begins"
    )]
    Unsettled {
        /// The instance.
        address: Address,
        /// The entry.
        entry: EntryId,
    },
    /// It would break an invariant of the snapshot, or of the journal.
    #[error("the state can't take this change: {0}")]
    Invalid(String),
    /// It goes on at another place.
    #[error(
        "this state was moved to {to}. What is here is what it was then, and nothing more is written to it. Name the new place in the stack's settings"
    )]
    Moved {
        /// Where it is now.
        to: String,
    },
    /// There is no such serial yet.
    #[error("serial {asked} is not in the state's past: it is at {latest}")]
    NoSuchSerial {
        /// The serial asked for.
        asked: Serial,
        /// The latest.
        latest: Serial,
    },
    /// It was dropped from the past.
    #[error("serial {asked} is not kept any more: the past begins at serial {since}")]
    Pruned {
        /// The serial asked for.
        asked: Serial,
        /// The first that is kept.
        since: Serial,
    },
    /// What is stored can't be trusted.
    #[error("{path} is damaged: {cause}. Nothing was changed. {}", last_good_text(.last_good))]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What is wrong.
        cause: String,
        /// The latest serial that reads back whole, where that can be known.
        last_good: Option<Serial>,
    },
    /// The file is something else.
    #[error(
        "{path} is not a weir state: {cause}. Nothing was changed. Name another file, or move this one away"
    )]
    NotAState {
        /// The file.
        path: PathBuf,
        /// What it is.
        cause: String,
    },
    /// A newer weir wrote it.
    #[error(
        "{path} has state format {found}, and this weir knows formats up to {known}. Use the weir that wrote it, or a newer one"
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// It is encrypted, and can't be decrypted with the keys that were given.
    #[error("{path} can't be decrypted: {cause}")]
    Key {
        /// The store.
        path: PathBuf,
        /// Why.
        cause: EncryptionError,
    },
    /// There is no room.
    #[error(
        "{path} can't grow: the disk is full. What was recorded before is safe. Free some space and run the command again"
    )]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// It can't be written.
    #[error(
        "{path} can't be written: {cause}. What was recorded before is safe. Make the file and its folder writable and run the command again"
    )]
    ReadOnly {
        /// The store.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// Its server does not answer.
    #[error(
        "{path} can't be reached: {cause}. What was recorded before is safe. Make sure that the server runs and that its address is right, and run the command again"
    )]
    Unreachable {
        /// The store.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// Its server answered, and will not have us.
    #[error("{path} can't be used: {cause}. {next}")]
    Refused {
        /// The store.
        path: PathBuf,
        /// What the server said.
        cause: String,
        /// What to do.
        next: String,
    },
    /// Another process kept it locked for too long.
    #[error(
        "{path} is busy: another process kept it locked for {seconds} s. Run the command again"
    )]
    Busy {
        /// The store.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// Another program wrote at the same moment, and was quicker.
    #[error(
        "another program wrote {path} at the same moment, and nothing was recorded. Run the command again"
    )]
    Raced {
        /// The store.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("{path}: {cause}")]
    Io {
        /// The store.
        path: PathBuf,
        /// What failed.
        cause: String,
    },
    /// The store was closed.
    #[error("the state was closed while it was in use")]
    Closed,
}

impl From<SnapshotError> for StateError {
    fn from(e: SnapshotError) -> Self {
        StateError::Invalid(e.to_string())
    }
}

fn taken_by(by: &Option<Box<Holder>>) -> String {
    by.as_ref().map(|h| format!(" to {h}")).unwrap_or_default()
}

fn what_is(over: &Option<Item>) -> String {
    match over {
        Some(item) => format!("{item} is"),
        None => "the state is".into(),
    }
}

fn last_good_text(serial: &Option<Serial>) -> String {
    match serial {
        Some(serial) => format!(
            "The last serial that reads back whole is {serial}: restore the file and its -wal from a backup, or go back to that serial"
        ),
        None => "Restore the file and its -wal from a backup".into(),
    }
}
