//! What a far side must be able to do.

use crate::{
    LeaseRecord, StateError,
    rows::{Fault, Head},
};
use std::{path::Path, time::SystemTime};

/// Names what an object holds, as its server does: it changes with every change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(pub(crate) String);

/// What an object is now.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// There is none.
    Absent,
    /// What the tag that was given stands for.
    Same,
    /// This.
    Found(Vec<u8>, Tag),
}

/// What is to be stored.
#[derive(Debug)]
#[allow(
    dead_code,
    reason = "where the state stands is for a far side that locks"
)]
pub(crate) struct Put<'a> {
    /// The document.
    pub(crate) body: &'a [u8],
    /// Of what it takes the place; `None` where nothing may be there.
    pub(crate) expect: Option<&'a Tag>,
    /// Where the state stood, for a far side that locks; `None` where there was none.
    pub(crate) before: Option<&'a Standing>,
    /// Where it stands with this document.
    pub(crate) after: &'a Standing,
}

/// Where a state stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Lineage, serial and the latest lease's epoch.
    pub(crate) head: Head,
    /// The lease that is held.
    pub(crate) lease: Option<LeaseRecord>,
}

/// What went wrong on the way.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The object is not the one that was expected; nothing was stored.
    Raced,
    /// There is no object any more.
    Removed,
    /// No answer came, or one that may be another in a moment. What was asked may have been done.
    Lost(String),
    /// Told as it is.
    Fault(Fault),
}

impl From<StateError> for Trouble {
    fn from(e: StateError) -> Trouble {
        Trouble::Fault(Fault::State(e))
    }
}
impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Fault(fault)
    }
}

impl Trouble {
    pub(crate) fn fault(self, place: &Path) -> Fault {
        match self {
            Trouble::Fault(fault) => fault,
            Trouble::Raced => Fault::State(StateError::Raced { path: place.into() }),
            Trouble::Removed => Fault::State(StateError::Io {
                path: place.into(),
                cause: "the state is not there any more: it was removed".into(),
            }),
            Trouble::Lost(cause) => Fault::State(StateError::Unreachable {
                path: place.into(),
                cause,
            }),
        }
    }
}

/// One object far away, and the parts that it names. Each call blocks, asks once and has a limit of
/// time of its own; who calls asks again after [`Trouble::Lost`].
pub(crate) trait Blob {
    /// What the store is called in messages.
    fn place(&self) -> &Path;

    /// The object, unless it is what `known` stands for.
    fn load(&self, known: Option<&Tag>) -> Result<Loaded, Trouble>;

    /// Stores the object if it is still the one that is expected ([`Trouble::Raced`] otherwise).
    /// Asked again with the same body, it must not be stored over what another has stored since.
    fn store(&self, put: &Put<'_>) -> Result<Tag, Trouble>;

    /// The object before it is made for the first time: whether the server can do what is needed.
    fn probe(&self) -> Result<(), Trouble> {
        Ok(())
    }

    /// Whether there are parts; without them everything is in the document.
    fn has_parts(&self) -> bool;
    /// Stores a part. A name is used once.
    fn put_part(&self, name: &str, body: &[u8]) -> Result<(), Trouble>;
    /// A part; `None` where it is gone.
    fn part(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble>;
    /// The names of all parts that are there, those that nothing names among them.
    fn parts(&self) -> Result<Vec<String>, Trouble>;
    /// Drops a part that nothing names.
    fn drop_part(&self, name: &str) -> Result<(), Trouble>;

    /// The time: the server's where it tells, so that all who share a lease agree on it.
    fn now(&self) -> SystemTime;
}
