//! The rows of a state far away: read in the working copy, written to it and noted.

use super::{Blob, document::Op, session::Remote};
use crate::{
    StateError,
    rows::{
        ApplyRow, Cipher, ClosedRow, Fault, Head, ItemRow, KeyRow, Kind, LeaseRow, Old, OpenRow,
        PastRow, RowRef, Rows, ScopeRow,
    },
};
use weir_core::snapshot::Snapshot;

impl<B: Blob> Remote<B> {
    /// Notes what was written to the copy.
    fn note(&self, written: Result<(), Fault>, op: impl Into<Op>) -> Result<(), Fault> {
        written?;
        self.noted.borrow_mut().push(op.into());
        Ok(())
    }
}

impl<B: Blob> Rows for Remote<B> {
    fn head(&self) -> Result<Head, Fault> {
        self.copy.head()
    }

    fn item(&self, kind: Kind, key: &str) -> Result<Option<ItemRow>, Fault> {
        self.copy.item(kind, key)
    }
    fn take_examined(&self, head: &Head) -> Option<Snapshot> {
        self.copy.take_examined(head)
    }
    fn keys(&self, kind: Kind) -> Result<Vec<String>, Fault> {
        self.copy.keys(kind)
    }
    fn each_item(&self, f: &mut dyn FnMut(ItemRow) -> Result<(), Fault>) -> Result<(), Fault> {
        self.copy.each_item(f)
    }
    fn each_of_state(
        &self,
        f: &mut dyn FnMut(RowRef<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.copy.each_of_state(f)
    }
    fn items_until(&self, serial: u64) -> Result<Vec<ItemRow>, Fault> {
        self.copy.items_until(serial)
    }
    fn past_at(&self, serial: u64) -> Result<Vec<PastRow>, Fault> {
        self.copy.past_at(serial)
    }
    fn is_empty(&self) -> Result<bool, Fault> {
        self.copy.is_empty()
    }
    fn put_item(&self, row: &ItemRow) -> Result<(), Fault> {
        self.note(self.copy.put_item(row), row)
    }
    fn drop_item(&self, kind: Kind, key: &str) -> Result<(), Fault> {
        let op = Op::DropItem {
            kind: kind.text().to_owned(),
            key: key.to_owned(),
        };
        self.note(self.copy.drop_item(kind, key), op)
    }
    fn add_past(&self, row: &PastRow) -> Result<(), Fault> {
        self.note(self.copy.add_past(row), row)
    }
    fn past(&self) -> Result<Vec<PastRow>, Fault> {
        self.copy.past()
    }
    fn drop_past(&self) -> Result<(), Fault> {
        self.note(self.copy.drop_past(), Op::DropPast)
    }

    fn past_until(&self, serial: u64, most: usize) -> Result<Vec<Old>, Fault> {
        self.copy.past_until(serial, most)
    }
    fn drop_old(&self, row: Old) -> Result<(), Fault> {
        let op = Op::from(&row);
        self.note(self.copy.drop_old(row), op)
    }

    fn open(&self, id: u64) -> Result<Option<OpenRow>, Fault> {
        self.copy.open(id)
    }
    fn open_before(&self, epoch: u64) -> Result<Vec<OpenRow>, Fault> {
        self.copy.open_before(epoch)
    }
    fn put_open(&self, row: &OpenRow) -> Result<(), Fault> {
        self.note(self.copy.put_open(row), row)
    }
    fn drop_open(&self, id: u64) -> Result<(), Fault> {
        self.note(self.copy.drop_open(id), Op::DropOpen(id))
    }
    fn closed(&self, epoch: u64) -> Result<Vec<ClosedRow>, Fault> {
        self.copy.closed(epoch)
    }
    fn add_closed(&self, row: &ClosedRow) -> Result<(), Fault> {
        self.note(self.copy.add_closed(row), row)
    }
    fn closed_ids(&self, epoch: u64, most: usize) -> Result<Vec<u64>, Fault> {
        self.copy.closed_ids(epoch, most)
    }
    fn all_closed(&self) -> Result<Vec<ClosedRow>, Fault> {
        self.copy.all_closed()
    }
    fn drop_closed(&self) -> Result<(), Fault> {
        self.note(self.copy.drop_closed(), Op::DropClosed)
    }

    fn lease(&self, epoch: u64) -> Result<Option<LeaseRow>, Fault> {
        self.copy.lease(epoch)
    }
    fn leases(&self) -> Result<Vec<LeaseRow>, Fault> {
        self.copy.leases()
    }
    fn oldest_leases(&self, most: usize) -> Result<Vec<LeaseRow>, Fault> {
        self.copy.oldest_leases(most)
    }
    fn live_leases(&self) -> Result<Vec<LeaseRow>, Fault> {
        self.copy.live_leases()
    }
    fn has_parts(&self) -> bool {
        false
    }
    fn scope(&self, _: u64) -> Result<Option<ScopeRow>, Fault> {
        Ok(None)
    }
    fn put_scope(&self, _: &ScopeRow) -> Result<(), Fault> {
        Err(Fault::State(StateError::Invalid(
            "it is written as one piece, and has no leases on parts".into(),
        )))
    }
    fn drop_scope(&self, _: u64) -> Result<(), Fault> {
        Ok(())
    }
    fn put_lease(&self, row: &LeaseRow) -> Result<(), Fault> {
        self.note(self.copy.put_lease(row), row)
    }

    fn applies(&self) -> Result<Vec<ApplyRow>, Fault> {
        self.copy.applies()
    }
    fn count_applies(&self) -> Result<usize, Fault> {
        self.copy.count_applies()
    }
    fn oldest_applies(&self, most: usize) -> Result<Vec<ApplyRow>, Fault> {
        self.copy.oldest_applies(most)
    }
    fn add_apply(&self, row: &ApplyRow) -> Result<(), Fault> {
        self.note(self.copy.add_apply(row), row)
    }
    fn drop_applies(&self) -> Result<(), Fault> {
        self.note(self.copy.drop_applies(), Op::DropApplies)
    }

    fn data_keys(&self) -> Result<Vec<KeyRow>, Fault> {
        self.copy.data_keys()
    }
    fn put_data_key(&self, row: &KeyRow) -> Result<(), Fault> {
        self.note(self.copy.put_data_key(row), row)
    }
    fn drop_data_keys(&self) -> Result<(), Fault> {
        self.note(self.copy.drop_data_keys(), Op::DropDataKeys)
    }
    fn cipher(&self) -> Cipher {
        self.copy.cipher()
    }
    fn set_cipher(&self, cipher: Cipher) {
        self.copy.set_cipher(cipher);
    }
}
