//! Finding a state far away, and making what is not there.

use super::{Blob, Loaded, Trouble, session::Remote};
use crate::{
    Options, StateError,
    rows::{Cipher, Fault, Head, Rows as _, Transact as _},
    sqlite::WorkingCopy,
};
use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};
use weir_core::snapshot::Lineage;

/// What is done where there is no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It is made.
    Make,
    /// That is the answer.
    Tell,
}

/// For how long a server that gives no answer is asked for a state that is not open yet.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session for the state that is there, and where it stands; `None` where there is none and none
/// is to be made.
pub(crate) fn open<B: Blob>(
    blob: B,
    options: Options,
    absent: Absent,
) -> Result<Option<(Remote<B>, Head)>, StateError> {
    let place = blob.place().to_owned();
    let Options { expiry, encryption } = options;
    let remote = Remote {
        blob,
        copy: WorkingCopy::new().map_err(|e| e.at(&place))?,
        base: RefCell::default(),
        before: RefCell::default(),
        noted: RefCell::default(),
        part: Cell::new(0),
        expiry,
        encryption,
        key: Cell::new(0),
        taken: Cell::new(None),
    };
    let found = remote.find(absent).map_err(|e| e.at(&place))?;
    Ok(found.map(|head| (remote, head)))
}

impl<B: Blob> Remote<B> {
    fn find(&self, absent: Absent) -> Result<Option<Head>, Fault> {
        let told = |e: Trouble| e.fault(self.blob.place());
        let patience = PATIENCE.min(self.expiry);
        let deadline = Instant::now() + patience;
        // Somebody else may make it, or remove it, at the same moment.
        for _ in 0..3 {
            let there = self.patiently(deadline, || self.blob.load(None));
            match there.map_err(told)? {
                Loaded::Absent if absent == Absent::Tell => return Ok(None),
                Loaded::Absent => match self.make() {
                    Err(Fault::State(StateError::Raced { .. })) => continue,
                    made => made?,
                },
                Loaded::Same | Loaded::Found(..) => {}
            }
            match self.follow(deadline) {
                Err(Trouble::Removed) => {}
                followed => {
                    followed.map_err(told)?;
                    return Ok(Some(self.copy.head()?));
                }
            }
        }
        Err(told(Trouble::Raced))
    }

    /// Makes an empty state, if nothing is there.
    fn make(&self) -> Result<(), Fault> {
        let probed = self.patiently(self.deadline(), || self.blob.probe());
        probed.map_err(|e| e.fault(self.blob.place()))?;
        let head = Head::new(Lineage(uuid::Uuid::new_v4().to_string()));
        let (_, key) = Cipher::new(&self.encryption)?;
        self.copy.clear()?;
        self.before.replace(None);
        self.copy.run("BEGIN IMMEDIATE")?;
        if let Some(key) = &key {
            self.put_data_key(key)?;
        }
        self.commit(&head)?;
        self.unlock()
    }
}
