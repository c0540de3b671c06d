//! What a transaction found in the database, and what it is about to change there.
//!
//! A write works on this alone; the database is told at the end, in one go. Each change notes how
//! to take it back, so that a part of the transaction can be.

use crate::rows::{
    ApplyRow, ClosedRow, ItemRow, KeyRow, LeaseRow, Old, OpenRow, PastRow, ScopeRow, Sum, seal,
};
use std::collections::{BTreeMap, BTreeSet};

/// Names a row of `item` or `past`: the sum of its kind and key.
pub(super) type ItemId = Sum;

/// What was read in this transaction.
#[derive(Default)]
pub(super) struct Found {
    pub(super) items: BTreeMap<ItemId, Option<ItemRow>>,
    /// Whether every output is in `items`.
    pub(super) outputs: bool,
    pub(super) open: BTreeMap<u64, Option<OpenRow>>,
    /// Of which epoch all earlier open entries are in `open`.
    pub(super) open_before: Option<u64>,
    pub(super) leases: BTreeMap<u64, Option<LeaseRow>>,
}

/// What will be written; `None` drops a row.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) items: BTreeMap<ItemId, Option<ItemRow>>,
    pub(super) past: Vec<(ItemId, PastRow)>,
    pub(super) open: BTreeMap<u64, Option<OpenRow>>,
    pub(super) closed: Vec<ClosedRow>,
    pub(super) leases: BTreeMap<u64, LeaseRow>,
    pub(super) scopes: BTreeMap<u64, Option<ScopeRow>>,
    pub(super) applies: Vec<ApplyRow>,
    pub(super) keys: Vec<KeyRow>,
    /// Tables of which every row is dropped before those above are written.
    pub(super) cleared: BTreeSet<Table>,
    /// Old rows that are dropped from those that were found.
    pub(super) old: Aged,
    undo: Vec<Undo>,
}

/// Old rows, by what names them.
#[derive(Default)]
pub(super) struct Aged {
    pub(super) past: BTreeSet<(ItemId, u64)>,
    pub(super) closed: BTreeSet<(u64, u64)>,
    pub(super) leases: BTreeSet<u64>,
    /// How many lines of the history, the oldest first.
    pub(super) applies: usize,
}

/// A table that can be cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Past,
    Closed,
    Applies,
    Keys,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Table::Past => "past",
            Table::Closed => "closed_entry",
            Table::Applies => "apply",
            Table::Keys => "data_key",
        }
    }
}

enum Undo {
    Item(ItemId, Option<Option<ItemRow>>),
    Past,
    Open(u64, Option<Option<OpenRow>>),
    Closed,
    Lease(u64, Option<LeaseRow>),
    Scope(u64, Option<Option<ScopeRow>>),
    Apply,
    Key,
    PastCleared(Vec<(ItemId, PastRow)>, bool),
    ClosedCleared(Vec<ClosedRow>, bool),
    AppliesCleared(Vec<ApplyRow>, bool),
    KeysCleared(Vec<KeyRow>, bool),
    OldPast((ItemId, u64)),
    OldClosed((u64, u64)),
    OldLease(u64),
    OldApply,
}

impl Changes {
    /// From here on changes can be taken back together.
    pub(super) fn begin_part(&mut self) {
        self.undo.clear();
    }

    /// Takes back what was changed since [`Changes::begin_part`].
    pub(super) fn undo_part(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Item(id, before) => restore(&mut self.items, id, before),
                Undo::Open(id, before) => restore(&mut self.open, id, before),
                Undo::Lease(epoch, before) => restore(&mut self.leases, epoch, before),
                Undo::Scope(epoch, before) => restore(&mut self.scopes, epoch, before),
                Undo::Past => drop(self.past.pop()),
                Undo::Closed => drop(self.closed.pop()),
                Undo::Apply => drop(self.applies.pop()),
                Undo::Key => drop(self.keys.pop()),
                Undo::OldPast(row) => drop(self.old.past.remove(&row)),
                Undo::OldClosed(row) => drop(self.old.closed.remove(&row)),
                Undo::OldLease(epoch) => drop(self.old.leases.remove(&epoch)),
                Undo::OldApply => self.old.applies -= 1,
                Undo::PastCleared(rows, fresh) => {
                    self.past = rows;
                    self.unclear(Table::Past, fresh);
                }
                Undo::ClosedCleared(rows, fresh) => {
                    self.closed = rows;
                    self.unclear(Table::Closed, fresh);
                }
                Undo::AppliesCleared(rows, fresh) => {
                    self.applies = rows;
                    self.unclear(Table::Applies, fresh);
                }
                Undo::KeysCleared(rows, fresh) => {
                    self.keys = rows;
                    self.unclear(Table::Keys, fresh);
                }
            }
        }
    }

    fn unclear(&mut self, table: Table, fresh: bool) {
        if fresh {
            self.cleared.remove(&table);
        }
    }

    /// Drops every row of a table, those that were to be written as well.
    pub(super) fn clear(&mut self, table: Table) {
        let fresh = self.cleared.insert(table);
        self.undo.push(match table {
            Table::Past => Undo::PastCleared(std::mem::take(&mut self.past), fresh),
            Table::Closed => Undo::ClosedCleared(std::mem::take(&mut self.closed), fresh),
            Table::Applies => Undo::AppliesCleared(std::mem::take(&mut self.applies), fresh),
            Table::Keys => Undo::KeysCleared(std::mem::take(&mut self.keys), fresh),
        });
    }

    /// Drops a row that was found.
    pub(super) fn old(&mut self, row: Old) {
        let undo = match row {
            Old::Past {
                kind, key, serial, ..
            } => {
                let row = (seal("key", &[kind.as_bytes(), key.as_bytes()]), serial);
                self.old.past.insert(row).then_some(Undo::OldPast(row))
            }
            Old::Closed { epoch, id } => {
                let row = (epoch, id);
                self.old.closed.insert(row).then_some(Undo::OldClosed(row))
            }
            Old::Lease(epoch) => self
                .old
                .leases
                .insert(epoch)
                .then_some(Undo::OldLease(epoch)),
            Old::Apply => {
                self.old.applies += 1;
                Some(Undo::OldApply)
            }
        };
        self.undo.extend(undo);
    }

    pub(super) fn key(&mut self, row: KeyRow) {
        self.keys.push(row);
        self.undo.push(Undo::Key);
    }

    pub(super) fn item(&mut self, id: ItemId, row: Option<ItemRow>) {
        let before = self.items.insert(id, row);
        self.undo.push(Undo::Item(id, before));
    }
    pub(super) fn past(&mut self, id: ItemId, row: PastRow) {
        self.past.push((id, row));
        self.undo.push(Undo::Past);
    }
    pub(super) fn open(&mut self, id: u64, row: Option<OpenRow>) {
        let before = self.open.insert(id, row);
        self.undo.push(Undo::Open(id, before));
    }
    pub(super) fn closed(&mut self, row: ClosedRow) {
        self.closed.push(row);
        self.undo.push(Undo::Closed);
    }
    pub(super) fn lease(&mut self, row: LeaseRow) {
        let epoch = row.epoch;
        let before = self.leases.insert(epoch, row);
        self.undo.push(Undo::Lease(epoch, before));
    }
    pub(super) fn scope(&mut self, epoch: u64, row: Option<ScopeRow>) {
        let before = self.scopes.insert(epoch, row);
        self.undo.push(Undo::Scope(epoch, before));
    }
    pub(super) fn apply(&mut self, row: ApplyRow) {
        self.applies.push(row);
        self.undo.push(Undo::Apply);
    }
}

fn restore<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
