//! The trait that every store implements.

use crate::encryption::Keyring;
use crate::{
    Applied, ApplyRecord, Archive, Begin, Bundle, ClosedEntry, Content, Encryption, Entry, EntryId,
    Holder, Lease, LeaseRecord, Outcome, Pruned, Retention, Scope, StateError,
};
use async_trait::async_trait;
use std::{collections::BTreeMap, time::Duration};
use weir_core::{
    Address, Known,
    references::References,
    snapshot::{Lineage, Resource, Serial, Snapshot},
};

/// How long to wait for a lease that someone else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    None,
    /// At most so long.
    UpTo(Duration),
}

/// Keeps one line of states.
///
/// Every method that takes a [`Lease`] fails with [`StateError::LeaseLost`], and changes nothing,
/// when that lease is not held any more, and with [`StateError::Invalid`] when it does not cover what
/// is written. A write that returned `Ok` is durable; one
/// that returned an error changed nothing, save that after an error of the disk or the network
/// only re-opening the store tells. A reader sees the state before a write or after it.
#[async_trait]
pub trait Store: Send + Sync {
    /// The identity of this line of states, made when the store was.
    fn lineage(&self) -> Lineage;

    /// The state at the latest serial; its invariants hold ([`Snapshot::verify`]).
    ///
    /// A dependency on an instance that is not there (its replacement was cut between delete and
    /// create) is left out here and kept in the store: it is back when the instance is.
    ///
    /// # Errors
    /// [`StateError::Damaged`] when what is stored can't be trusted.
    async fn snapshot(&self) -> Result<Snapshot, StateError>;

    /// The state as it was at an earlier serial.
    ///
    /// # Errors
    /// [`StateError::NoSuchSerial`] when it lies in the future; [`StateError::Damaged`].
    async fn snapshot_at(&self, serial: Serial) -> Result<Snapshot, StateError>;

    /// Whether there is no resource, no output and no open entry: nothing is left to manage.
    ///
    /// # Errors
    /// Those of reading.
    async fn is_empty(&self) -> Result<bool, StateError>;

    /// Takes the lease on the whole state; see [`Store::acquire_scope`].
    ///
    /// # Errors
    /// [`StateError::Locked`] when someone else still holds a lease after `wait`.
    async fn acquire(&self, holder: Holder, wait: Wait) -> Result<Lease, StateError> {
        self.acquire_scope(holder, Scope::Whole, wait).await
    }

    /// Takes a lease on all of the state or on a part of it. A holder that is dead (its process on
    /// this host is gone, or its lease expired) is taken over, and that is recorded. The lease is
    /// kept alive by the store until it is released or dropped.
    ///
    /// # Errors
    /// [`StateError::Locked`] when someone else still holds a lease that meets this one
    /// ([`Scope::meets`]) after `wait`.
    async fn acquire_scope(
        &self,
        holder: Holder,
        scope: Scope,
        wait: Wait,
    ) -> Result<Lease, StateError>;

    /// Makes sure that nobody holds the whole state, and keeps nobody out: for who only looks.
    /// Dead holders of leases are taken over; without any, nothing is written.
    ///
    /// # Errors
    /// [`StateError::Locked`] when someone still holds the whole state after `wait`.
    async fn visit(&self, by: Holder, wait: Wait) -> Result<(), StateError>;

    /// Gives the lease back. Dropping a lease does the same without telling whether it worked.
    ///
    /// # Errors
    /// [`StateError::LeaseLost`] when it was lost before.
    async fn release(&self, lease: Lease) -> Result<(), StateError>;

    /// Makes sure that the lease is still held, and changes nothing.
    ///
    /// # Errors
    /// [`StateError::LeaseLost`].
    async fn confirm(&self, lease: &Lease) -> Result<(), StateError>;

    /// Ends the lease of this epoch, for `by`, and returns it; `None` when it is not held. For
    /// people who know that the holder will not come back.
    ///
    /// # Errors
    /// Those of writing.
    async fn unlock(&self, epoch: u64, by: Holder) -> Result<Option<LeaseRecord>, StateError>;

    /// The leases that were taken, oldest first, as far back as they are kept; those that are held
    /// have no ending.
    ///
    /// # Errors
    /// Those of reading.
    async fn leases(&self) -> Result<Vec<LeaseRecord>, StateError>;

    /// The leases that are held, oldest first. Their holders may be dead.
    ///
    /// # Errors
    /// Those of reading.
    async fn held(&self) -> Result<Vec<LeaseRecord>, StateError>;

    /// Records that these operations are about to be done; all or none. Durable when it returns:
    /// call the provider only then. For a replacement that creates first, begin the `Create` and
    /// the `Delete` (with [`Target::Deposed`](crate::Target::Deposed)) in one call: the entry of
    /// the `Delete` is what remembers the old object once the new one has its place.
    ///
    /// # Errors
    /// [`StateError::Unsettled`] when an earlier run's entry for one of the addresses is still
    /// open; [`StateError::Invalid`] when an address can't be in a snapshot.
    async fn begin(&self, lease: &Lease, entries: Vec<Begin>) -> Result<Vec<EntryId>, StateError>;

    /// Closes an entry of this lease and changes the state as [`fold::fold`](crate::fold::fold)
    /// says. Returns the serial afterwards.
    ///
    /// # Errors
    /// [`StateError::NoSuchEntry`] when it is not open, or was begun under another lease.
    async fn commit(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError>;

    /// Entries begun and not closed, in the order they were begun. With no lease held, all of
    /// them are left from runs that ended early.
    ///
    /// # Errors
    /// Those of reading.
    async fn open_entries(&self) -> Result<Vec<Entry>, StateError>;

    /// As [`Store::commit`], for an entry of any lease: what became of an operation was found out
    /// later.
    ///
    /// # Errors
    /// [`StateError::NoSuchEntry`] when it is not open.
    async fn settle(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError>;

    /// The entries that were begun under the lease of this epoch and are closed, in the order
    /// they were begun: what that apply did.
    ///
    /// # Errors
    /// Those of reading.
    async fn closed_entries(&self, epoch: u64) -> Result<Vec<ClosedEntry>, StateError>;

    /// Replaces all of the root module's outputs. Returns the serial afterwards: raised if one
    /// differs.
    ///
    /// # Errors
    /// Those of writing.
    async fn set_outputs(
        &self,
        lease: &Lease,
        outputs: BTreeMap<String, Known>,
    ) -> Result<Serial, StateError>;

    /// Changes some of the root module's outputs; `None` drops one. Returns the serial afterwards:
    /// raised if one differs.
    ///
    /// # Errors
    /// Those of writing.
    async fn change_outputs(
        &self,
        lease: &Lease,
        changes: BTreeMap<String, Option<Known>>,
    ) -> Result<Serial, StateError>;

    /// As [`Store::set_references`], under any lease, if they are still these. `None`, and nothing
    /// is changed, where they are not: someone else recorded theirs.
    ///
    /// # Errors
    /// Those of writing.
    async fn change_references(
        &self,
        lease: &Lease,
        before: References,
        after: References,
    ) -> Result<Option<Serial>, StateError>;

    /// Replaces what the blocks behind objects refer to. Returns the serial afterwards: raised if it
    /// differs.
    ///
    /// # Errors
    /// Those of writing.
    async fn set_references(
        &self,
        lease: &Lease,
        references: References,
    ) -> Result<Serial, StateError>;

    /// Records what a refresh found: the resource as it is, or `None` where it is gone. All in
    /// one; raises the serial once if anything differs. Dependencies that changed without the
    /// resource changing are recorded this way too.
    ///
    /// # Errors
    /// [`StateError::Invalid`] when an address can't be in a snapshot.
    async fn record_refresh(
        &self,
        lease: &Lease,
        found: Vec<(Address, Option<Resource>)>,
    ) -> Result<Serial, StateError>;

    /// Drops a resource from the state; it stays in the world. No error where there is none.
    ///
    /// # Errors
    /// Those of writing.
    async fn forget(&self, lease: &Lease, address: &Address) -> Result<Serial, StateError>;

    /// Takes a whole state in place of the one that is there, all or nothing, with its line in the
    /// history, and gives the lease back. The serial afterwards is that of `content`, or the one
    /// after the present where that is greater; where nothing changes, neither it nor the history
    /// does. The lineage may change: other handles of the store are of no use then.
    ///
    /// # Errors
    /// [`StateError::Unsettled`] when an operation of an earlier run is open;
    /// [`StateError::Invalid`] when it can't be a snapshot.
    async fn replace(
        &self,
        lease: Lease,
        content: Content,
        record: ApplyRecord,
    ) -> Result<Serial, StateError>;

    /// Keeps the configuration of an apply; [`ApplyRecord::bundle`] names it by its digest.
    ///
    /// # Errors
    /// Those of writing.
    async fn keep_bundle(&self, lease: &Lease, bundle: Bundle) -> Result<(), StateError>;

    /// The configuration of that digest; `None` where it is not kept.
    ///
    /// # Errors
    /// Those of reading.
    async fn bundle(&self, digest: &str) -> Result<Option<Bundle>, StateError>;

    /// Drops what only states before this serial need: their resources, the applies that left
    /// them and those applies' configurations. The latest apply stays.
    ///
    /// # Errors
    /// Those of writing.
    async fn prune(&self, lease: &Lease, before: Serial) -> Result<Pruned, StateError>;

    /// Drops what only states that are older than `keep` need: their resources, their applies with
    /// what was done and the configurations, and leases that are over. A piece of it in one
    /// transaction, which is larger only where this lease wrote much; the rest goes the next time.
    /// Nothing is dropped while somebody else holds a lease, nor what an open entry is about, and
    /// nothing is written before a tenth of the history is too old.
    ///
    /// # Errors
    /// Those of writing.
    async fn retain(&self, lease: &Lease, keep: Retention) -> Result<Pruned, StateError>;

    /// All that is kept, to be taken to another store: the state and its past, the journal, leases
    /// and history, with lineage and serial.
    ///
    /// # Errors
    /// [`StateError::Damaged`]; [`StateError::Invalid`] where a store can't give it.
    async fn export(&self, _lease: &Lease) -> Result<Archive, StateError> {
        Err(StateError::Invalid(
            "it can't be moved out of a store of this kind".into(),
        ))
    }

    /// Takes what another store gave, all or nothing; nobody has a lease on it then. A second time
    /// it takes the place of what came the first time.
    ///
    /// # Errors
    /// [`StateError::Invalid`] when something else is here, or when what came was used since;
    /// [`StateError::Locked`].
    async fn import(&self, _archive: Archive) -> Result<Serial, StateError> {
        Err(StateError::Invalid(
            "it can't be moved into a store of this kind".into(),
        ))
    }

    /// Gives the lease back and notes that the state goes on at another place: from now on nobody
    /// gets a lease here ([`StateError::Moved`]). What is here stays and can be looked at.
    ///
    /// # Errors
    /// [`StateError::LeaseLost`].
    async fn move_away(&self, _lease: Lease, _to: String) -> Result<(), StateError> {
        Err(StateError::Invalid(
            "it can't be moved out of a store of this kind".into(),
        ))
    }

    /// Adds an apply to the history.
    ///
    /// # Errors
    /// Those of writing.
    async fn finish_apply(&self, lease: &Lease, record: ApplyRecord) -> Result<(), StateError>;

    /// Encrypts everything anew, history and journal too: with a new data key that the primary
    /// source of `encryption` wraps, or not at all where it has none. All or nothing; the serial
    /// stays. What was sealed outside of the store, such as a plan file, still opens with the
    /// source it was sealed for.
    ///
    /// # Errors
    /// [`StateError::Key`] when the primary source can't be used; those of writing.
    async fn rekey(&self, lease: &Lease, encryption: Encryption) -> Result<(), StateError>;

    /// What seals what belongs to this state and lies outside of it, such as a plan file; `None`
    /// where nothing is encrypted.
    ///
    /// # Errors
    /// Those of reading.
    async fn keyring(&self) -> Result<Option<Keyring>, StateError>;

    /// Every apply, oldest first.
    ///
    /// # Errors
    /// Those of reading.
    async fn history(&self) -> Result<Vec<Applied>, StateError>;
}
