//! What the stores that keep rows have in common: what the rows are, what every write does to
//! them, and the one thread that does it. A database says with [`Rows`] how it keeps them, and with
//! [`Transact`] how it makes a transaction; nothing else differs between one and another.

mod archive;
mod batch;
pub(crate) mod cipher;
mod fault;
mod handle;
mod head;
pub(crate) mod items;
pub(crate) mod journal;
pub(crate) mod leases;
mod prune;
pub(crate) mod reading;
mod whole;
mod work;
pub(crate) mod writer;

pub use archive::Archive;
pub(crate) use batch::RowRef;
pub(crate) use cipher::{Cipher, KeyRow};
pub(crate) use fault::{BUSY_SECONDS, Fault};
pub use handle::Stats;
pub(crate) use handle::{Handle, Rowed};
pub(crate) use head::{Head, Sum, seal, signed, unsigned};
pub(crate) use items::{ItemRow, Kind, PastRow};
pub(crate) use journal::{ApplyRow, ClosedRow, OpenRow};
pub(crate) use leases::{LeaseRow, Pass, ScopeRow};
pub(crate) use prune::Old;

use std::{path::Path, time::SystemTime};
use weir_core::snapshot::Snapshot;

/// The rows of one store. Within a write they are as this transaction leaves them so far.
pub(crate) trait Rows {
    fn head(&self) -> Result<Head, Fault>;

    fn item(&self, kind: Kind, key: &str) -> Result<Option<ItemRow>, Fault>;
    /// The keys of all rows of a kind.
    fn keys(&self, kind: Kind) -> Result<Vec<String>, Fault>;
    /// The state as it was read when the store was opened, where it still stands at this head. It
    /// is given away: whoever asks again reads the rows.
    fn take_examined(&self, _head: &Head) -> Option<Snapshot> {
        None
    }
    /// Gives every row in turn, until one is refused; the texts of configurations without their
    /// bodies, of which there may be far more than of state.
    fn each_of_state(
        &self,
        f: &mut dyn FnMut(RowRef<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault>;
    /// Gives every row in turn, until one is refused.
    fn each_item(&self, f: &mut dyn FnMut(ItemRow) -> Result<(), Fault>) -> Result<(), Fault>;
    /// The rows that stand since this serial or before.
    fn items_until(&self, serial: u64) -> Result<Vec<ItemRow>, Fault>;
    /// The rows that stood at this serial and stand no more.
    fn past_at(&self, serial: u64) -> Result<Vec<PastRow>, Fault>;
    /// Whether there is neither a resource, nor an output, nor an open entry.
    fn is_empty(&self) -> Result<bool, Fault>;
    /// Writes a row where there is none with its key.
    fn put_item(&self, row: &ItemRow) -> Result<(), Fault>;
    fn drop_item(&self, kind: Kind, key: &str) -> Result<(), Fault>;
    fn add_past(&self, row: &PastRow) -> Result<(), Fault>;
    /// Every row that stands no more.
    fn past(&self) -> Result<Vec<PastRow>, Fault>;
    fn drop_past(&self) -> Result<(), Fault>;
    /// Rows that stood no more at this serial: at most so many, the oldest first.
    fn past_until(&self, serial: u64, most: usize) -> Result<Vec<Old>, Fault>;
    /// Drops one old row.
    fn drop_old(&self, row: Old) -> Result<(), Fault>;
    /// Says that the rows with these keys will be read: a database that is far away brings them in
    /// one go.
    fn bring_items(&self, _kind: Kind, _keys: &[String]) -> Result<(), Fault> {
        Ok(())
    }

    fn open(&self, id: u64) -> Result<Option<OpenRow>, Fault>;
    /// The open entries of leases before this one, by their ids.
    fn open_before(&self, epoch: u64) -> Result<Vec<OpenRow>, Fault>;
    /// Writes a row, new or in place of the one with its id.
    fn put_open(&self, row: &OpenRow) -> Result<(), Fault>;
    fn drop_open(&self, id: u64) -> Result<(), Fault>;
    /// The closed entries of a lease, by their ids.
    fn closed(&self, epoch: u64) -> Result<Vec<ClosedRow>, Fault>;
    fn add_closed(&self, row: &ClosedRow) -> Result<(), Fault>;
    /// The ids of closed entries of a lease: at most so many.
    fn closed_ids(&self, epoch: u64, most: usize) -> Result<Vec<u64>, Fault>;
    /// The closed entries of all leases, by epoch and id.
    fn all_closed(&self) -> Result<Vec<ClosedRow>, Fault>;
    fn drop_closed(&self) -> Result<(), Fault>;

    fn lease(&self, epoch: u64) -> Result<Option<LeaseRow>, Fault>;
    /// All of them, oldest first.
    fn leases(&self) -> Result<Vec<LeaseRow>, Fault>;
    /// At most so many, oldest first.
    fn oldest_leases(&self, most: usize) -> Result<Vec<LeaseRow>, Fault>;
    /// Those without an end, oldest first.
    fn live_leases(&self) -> Result<Vec<LeaseRow>, Fault>;
    /// Writes a row, new or in place of the one with its epoch.
    fn put_lease(&self, row: &LeaseRow) -> Result<(), Fault>;
    /// Whether several leases on parts of the state can be held: those of a store that is written
    /// as one piece are on everything.
    fn has_parts(&self) -> bool {
        true
    }
    /// What a lease covers; `None` where that is everything.
    fn scope(&self, epoch: u64) -> Result<Option<ScopeRow>, Fault>;
    /// Writes a row where there is none with its epoch.
    fn put_scope(&self, row: &ScopeRow) -> Result<(), Fault>;
    fn drop_scope(&self, epoch: u64) -> Result<(), Fault>;

    /// All of them, oldest first.
    fn applies(&self) -> Result<Vec<ApplyRow>, Fault>;
    /// How many there are.
    fn count_applies(&self) -> Result<usize, Fault>;
    /// At most so many, oldest first.
    fn oldest_applies(&self, most: usize) -> Result<Vec<ApplyRow>, Fault>;
    fn add_apply(&self, row: &ApplyRow) -> Result<(), Fault>;
    fn drop_applies(&self) -> Result<(), Fault>;

    /// The keys that bodies are sealed with, oldest first; none where they are not.
    fn data_keys(&self) -> Result<Vec<KeyRow>, Fault>;
    fn put_data_key(&self, row: &KeyRow) -> Result<(), Fault>;
    fn drop_data_keys(&self) -> Result<(), Fault>;
    /// What seals and opens bodies here.
    fn cipher(&self) -> Cipher;
    /// From now on this does. A transaction that is taken back puts the one of before back.
    fn set_cipher(&self, cipher: Cipher);
}

/// How a database makes a transaction of one store.
pub(crate) trait Transact: Rows {
    /// What the store is called in messages.
    fn place(&self) -> &Path;
    /// Begins a write, which excludes every other until it ends: the head, and the time. `needs`
    /// says what will be read: a database that is far away brings it in one go.
    fn begin(&self, needs: &Needs) -> Result<(Head, SystemTime), Fault>;
    /// Begins a part of a write that may be taken back by itself.
    fn begin_part(&self) -> Result<(), Fault>;
    /// Takes back the part.
    fn undo_part(&self) -> Result<(), Fault>;
    /// Keeps the part.
    fn keep_part(&self) -> Result<(), Fault>;
    /// Whether a transaction is under way: a failure may have ended it.
    fn is_in_transaction(&self) -> bool;
    /// Ends the write with this head; it is durable then.
    fn commit(&self, head: &Head) -> Result<(), Fault>;
    /// Ends whatever is under way, and changes nothing.
    fn rollback(&self);
    /// Begins a read, which sees one instant until [`Transact::rollback`].
    fn begin_read(&self) -> Result<(), Fault>;
    /// Ends the connection.
    fn close(self);
}

/// What a write will read, as far as it is known before. It may read more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    /// Resources, by their addresses.
    pub(crate) resources: Vec<String>,
    /// Open entries, and the resources that they are about.
    pub(crate) entries: Vec<u64>,
    /// Every output.
    pub(crate) outputs: bool,
    /// The open entries of leases before this one.
    pub(crate) open_before: Option<u64>,
    /// Leases, by their epochs.
    pub(crate) leases: Vec<u64>,
}

impl Needs {
    /// Those of a write that is made under this lease.
    pub(crate) fn of_lease(epoch: u64) -> Needs {
        Needs {
            leases: vec![epoch],
            ..Needs::default()
        }
    }

    pub(crate) fn add(&mut self, other: &Needs) {
        self.resources.extend(other.resources.iter().cloned());
        self.entries.extend(&other.entries);
        self.outputs |= other.outputs;
        self.open_before = self.open_before.max(other.open_before);
        for epoch in &other.leases {
            if !self.leases.contains(epoch) {
                self.leases.push(*epoch);
            }
        }
    }
}
