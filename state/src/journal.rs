//! The journal: what is about to be done, and what became of it.

use std::{collections::BTreeSet, fmt, time::SystemTime};
use weir_core::{
    Address, Known, Value,
    address::ProviderRef,
    plan::Op,
    snapshot::{DeposedKey, Foreign, Resource, Serial},
};

/// Names an entry within its store; rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// One operation that is about to be done: all that it takes to find out later whether it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Begin {
    /// On which instance.
    pub address: Address,
    /// What.
    pub op: Op,
    /// On which of the instance's objects.
    pub target: Target,
    /// The provider configuration that does it.
    pub provider: ProviderRef,
    /// The type under which the provider serves it.
    pub type_name: String,
    /// The version of the type's schema.
    pub schema_version: u32,
    /// The idempotency token, as text.
    pub token: String,
    /// The step of the token; its epoch is the lease's.
    pub step: u64,
    /// The value it shall have; `None` at deletion. May hold unknowns. Ephemeral values are
    /// stored as null.
    pub planned: Option<Value>,
    /// The value it had; `None` at creation.
    pub prior: Option<Known>,
    /// The provider's opaque data for the operation.
    pub private: Vec<u8>,
    /// The instances it depends on, direct ones only.
    pub dependencies: BTreeSet<Address>,
    /// What came with the object from another program's state.
    pub foreign: Option<Foreign>,
}

/// Which object of an instance an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The one in the snapshot (or that will be).
    Current,
    /// The old one that a replacement has put aside (`create_before_destroy`). The snapshot does
    /// not hold it: the open entry's `prior` and `private` are the only record of it.
    Deposed,
}

/// What became of an operation.
///
/// | outcome | [`Target::Current`] | [`Target::Deposed`] |
/// |---|---|---|
/// | `Put` | the resource is stored, entry closed | refused |
/// | `Gone` | the resource is dropped, entry closed | entry closed |
/// | `Failed` with leftover | the leftover is stored, entry closed | entry stays open, with the message |
/// | `Failed` without | state as before, entry closed | entry stays open, with the message |
/// | `Kept` | state as before, entry closed | entry closed: it never was put aside |
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is there, and this is what it is.
    Put(Resource),
    /// It is not there.
    Gone,
    /// It failed.
    Failed {
        /// Why.
        message: String,
        /// What of it is there now; `None` leaves in the state what was there before.
        leftover: Option<Resource>,
    },
    /// Nothing was done.
    Kept,
}

/// An entry that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// The epoch of the lease under which it was begun.
    pub epoch: u64,
    /// When.
    pub begun: SystemTime,
    /// Why the last attempt at it failed, for an object put aside that could not be deleted.
    pub message: Option<String>,
    /// What was begun.
    pub begin: Begin,
}

/// An entry that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedEntry {
    /// Its name.
    pub id: EntryId,
    /// The epoch of the lease under which it was begun.
    pub epoch: u64,
    /// When it was begun.
    pub begun: SystemTime,
    /// The epoch of the lease under which it was closed: a later one if it was settled.
    pub closed_by: u64,
    /// When it was closed.
    pub closed: SystemTime,
    /// On which instance.
    pub address: Address,
    /// What was done.
    pub op: Op,
    /// The idempotency token, as text.
    pub token: String,
    /// The serial afterwards.
    pub serial: Serial,
    /// How it ended.
    pub verdict: Verdict,
}

/// How a closed entry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// See [`Outcome::Put`].
    Put,
    /// See [`Outcome::Gone`].
    Gone,
    /// See [`Outcome::Failed`]: why.
    Failed(String),
    /// See [`Outcome::Kept`].
    Kept,
}

impl EntryId {
    /// The key of the old object whose only record the entry is; see [`Target::Deposed`].
    pub fn deposed_key(self) -> DeposedKey {
        DeposedKey(format!("{:08x}", self.0))
    }
}

impl Outcome {
    /// The outcome without the resource.
    pub fn verdict(&self) -> Verdict {
        match self {
            Outcome::Put(_) => Verdict::Put,
            Outcome::Gone => Verdict::Gone,
            Outcome::Failed { message, .. } => Verdict::Failed(message.clone()),
            Outcome::Kept => Verdict::Kept,
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
