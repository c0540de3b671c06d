//! Every write to the store, with a look-out before and after it.

use std::collections::BTreeMap;
use weir_core::{
    Address, Known,
    references::References,
    snapshot::{Resource, Serial},
};
use weir_state::{ApplyRecord, Begin, EntryId, Lease, Outcome, StateError, Store};

/// Is told of every record, before it is written and after. A test of crashes ends the process
/// there; everybody else uses [`NoProbe`].
pub trait Probe: Send + Sync {
    /// A record is about to be written, or was.
    fn at(&self, point: Point<'_>);
}

/// A moment at which a crash would be telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    /// Before the record is written, or after.
    pub moment: Moment,
    /// Which record.
    pub record: Record,
    /// The instance it is of (of a batch: the first).
    pub address: Option<&'a Address>,
}

/// Before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is about to be written.
    Before,
    /// It is durable.
    After,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// An operation of an earlier run was settled.
    Settle,
    /// What refresh found.
    Refresh,
    /// An operation begins.
    Begin,
    /// What became of it.
    Commit,
    /// An instance leaves state.
    Forget,
    /// The outputs.
    Outputs,
    /// What the blocks behind objects refer to.
    References,
    /// The line in the history.
    History,
}

/// Does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbe;
impl Probe for NoProbe {
    fn at(&self, _: Point<'_>) {}
}

/// The store under a lease.
pub(crate) struct Journal<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) lease: &'a Lease,
    pub(crate) probe: &'a dyn Probe,
}

impl Journal<'_> {
    async fn record<T>(
        &self,
        record: Record,
        address: Option<&Address>,
        write: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        self.probe.at(Point {
            moment: Moment::Before,
            record,
            address,
        });
        let written = write.await?;
        self.probe.at(Point {
            moment: Moment::After,
            record,
            address,
        });
        Ok(written)
    }

    pub(crate) async fn begin(&self, entries: Vec<Begin>) -> Result<Vec<EntryId>, StateError> {
        let address = entries.first().map(|e| e.address.clone());
        let write = self.store.begin(self.lease, entries);
        self.record(Record::Begin, address.as_ref(), write).await
    }
    /// Makes sure that the lease is still held, where a provider is called for an entry that is
    /// open already.
    pub(crate) async fn confirm(&self) -> Result<(), StateError> {
        self.store.confirm(self.lease).await
    }
    pub(crate) async fn commit(
        &self,
        address: &Address,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        let write = self.store.commit(self.lease, entry, outcome);
        self.record(Record::Commit, Some(address), write).await
    }
    pub(crate) async fn settle(
        &self,
        address: &Address,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        let write = self.store.settle(self.lease, entry, outcome);
        self.record(Record::Settle, Some(address), write).await
    }
    pub(crate) async fn refresh(
        &self,
        found: Vec<(Address, Option<Resource>)>,
    ) -> Result<Serial, StateError> {
        let write = self.store.record_refresh(self.lease, found);
        self.record(Record::Refresh, None, write).await
    }
    pub(crate) async fn forget(&self, address: &Address) -> Result<Serial, StateError> {
        let write = self.store.forget(self.lease, address);
        self.record(Record::Forget, Some(address), write).await
    }
    pub(crate) async fn outputs(
        &self,
        changes: BTreeMap<String, Option<Known>>,
    ) -> Result<Serial, StateError> {
        let write = self.store.change_outputs(self.lease, changes);
        self.record(Record::Outputs, None, write).await
    }
    /// `None` where someone else recorded other ones than `before`.
    pub(crate) async fn references(
        &self,
        before: References,
        after: References,
    ) -> Result<Option<Serial>, StateError> {
        let write = self.store.change_references(self.lease, before, after);
        self.record(Record::References, None, write).await
    }
    /// The line in the history, with the configuration that it names.
    pub(crate) async fn history(
        &self,
        apply: ApplyRecord,
        bundle: weir_state::Bundle,
    ) -> Result<(), StateError> {
        self.store.keep_bundle(self.lease, bundle).await?;
        let write = self.store.finish_apply(self.lease, apply);
        self.record(Record::History, None, write).await
    }
}
