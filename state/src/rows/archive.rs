//! All that a store keeps, on its way to another store.

use super::{
    ApplyRow, ClosedRow, Head, ItemRow, LeaseRow, OpenRow, PastRow, Rows,
    cipher::Part,
    fault::Fault,
    head::toggle,
    items::{self, Kind},
    journal, leases,
    work::Work,
};
use crate::{Ending, LeaseRecord, StateError};
use std::time::SystemTime;
use weir_core::snapshot::{Lineage, Serial};

/// A whole store: its rows, decrypted. See [`Store::export`](crate::Store::export).
#[derive(Debug, Clone)]
pub struct Archive {
    head: Head,
    items: Vec<ItemRow>,
    past: Vec<PastRow>,
    open: Vec<OpenRow>,
    closed: Vec<ClosedRow>,
    leases: Vec<LeaseRow>,
    applies: Vec<ApplyRow>,
}

impl Archive {
    /// The line of states that it is of.
    pub fn lineage(&self) -> &Lineage {
        &self.head.lineage
    }
    /// The serial that it is at.
    pub fn serial(&self) -> Serial {
        self.head.serial()
    }
    /// How many resources are in it.
    pub fn resources(&self) -> usize {
        let of_kind = |row: &&ItemRow| row.kind == Kind::Resource.text();
        self.items.iter().filter(of_kind).count()
    }
    /// How many operations are open in it.
    pub fn open_entries(&self) -> usize {
        self.open.len()
    }
    /// How many applies are in its history.
    pub fn applies(&self) -> usize {
        self.applies.len()
    }
}

/// Everything, if it is whole. The lease that is held ends with it: there nobody holds it.
pub(crate) fn export(rows: &dyn Rows, head: &Head, now: SystemTime) -> Result<Archive, Fault> {
    items::check_digest(rows, head)?;
    journal::history(rows)?;
    leases::log(rows)?;
    let cipher = rows.cipher();
    let mut archive = Archive {
        head: head.clone(),
        items: Vec::new(),
        past: rows.past()?,
        open: rows.open_before(u64::MAX)?,
        closed: rows.all_closed()?,
        leases: rows.leases()?,
        applies: rows.applies()?,
    };
    rows.each_item(&mut |row| {
        archive.items.push(row);
        Ok(())
    })?;
    let past = archive.past.iter_mut().map(|row| &mut row.item);
    for row in archive.items.iter_mut().chain(past) {
        let part = Part::Item(&row.kind, &row.key);
        row.body = cipher.open(part, std::mem::take(&mut row.body))?;
    }
    for row in &mut archive.open {
        row.body = cipher.open(Part::Entry(row.id), std::mem::take(&mut row.body))?;
        if let Some(message) = row.message.take() {
            row.message = Some(cipher.open(Part::Message(row.id), message)?);
        }
    }
    for row in &mut archive.closed {
        row.body = cipher.open(Part::Closed(row.id), std::mem::take(&mut row.body))?;
    }
    for row in &mut archive.applies {
        row.body = cipher.open(Part::Apply, std::mem::take(&mut row.body))?;
    }
    for row in &mut archive.leases {
        row.end(now, &Ending::Released);
    }
    Ok(archive)
}

/// Takes everything in place of what is there, which must be nothing, or what an earlier export of
/// the same line of states left and nobody has used since.
pub(crate) fn import(work: &mut Work<'_>, archive: Archive) -> Result<Serial, Fault> {
    check_place(work, &archive)?;
    let mut keys = Vec::new();
    work.rows.each_item(&mut |row| {
        keys.push((Kind::of(&row.kind)?, row.key));
        Ok(())
    })?;
    for (kind, key) in keys {
        work.rows.drop_item(kind, &key)?;
    }
    for row in work.rows.open_before(u64::MAX)? {
        work.rows.drop_open(row.id)?;
    }
    work.rows.drop_past()?;
    work.rows.drop_closed()?;
    work.rows.drop_applies()?;
    work.look_again();
    work.head = Head {
        digest: [0; 32],
        commits: work.head.commits.max(archive.head.commits),
        ..archive.head
    };
    let cipher = work.rows.cipher();
    for mut row in archive.items {
        let part = Part::Item(&row.kind, &row.key);
        row.body = cipher.seal(part, std::mem::take(&mut row.body))?;
        row.sum = row.seal();
        work.rows.put_item(&row)?;
        toggle(&mut work.head.digest, &row.sum);
    }
    for PastRow { mut item, until } in archive.past {
        let part = Part::Item(&item.kind, &item.key);
        item.body = cipher.seal(part, std::mem::take(&mut item.body))?;
        item.sum = item.seal_past(until);
        work.rows.add_past(&PastRow { item, until })?;
    }
    for mut row in archive.open {
        row.body = cipher.seal(Part::Entry(row.id), row.body)?;
        let message = row.message.map(|m| cipher.seal(Part::Message(row.id), m));
        row.message = message.transpose()?;
        row.write(work)?;
    }
    for row in archive.closed {
        let body = cipher.seal(Part::Closed(row.id), row.body)?;
        work.rows.add_closed(&ClosedRow {
            sum: journal::seal_closed(row.epoch, row.id, &body),
            body,
            ..row
        })?;
    }
    for row in archive.applies {
        let body = cipher.seal(Part::Apply, row.body)?;
        work.rows.add_apply(&ApplyRow::new(body))?;
    }
    for row in &archive.leases {
        work.rows.put_lease(row)?;
    }
    Ok(work.head.serial())
}

fn check_place(work: &Work<'_>, archive: &Archive) -> Result<(), Fault> {
    let here = leases::log(work.rows)?;
    if let Some(held) = here.iter().find(|lease| lease.ended.is_none()) {
        let (by, over) = (Box::new(held.clone()), None);
        return Err(Fault::State(StateError::Locked { by, over }));
    }
    let head = &work.head;
    if here.is_empty() && head.serial == 0 && head.entries == 0 {
        return Ok(());
    }
    let mut theirs = Vec::new();
    for row in &archive.leases {
        theirs.push(row.clone().record(None)?);
    }
    // Whoever used it since took a lease that the other does not know. Old ones it may have dropped.
    let oldest = theirs.iter().map(|their| their.epoch).min().unwrap_or(0);
    let known = |lease: &LeaseRecord| {
        let same = |their: &LeaseRecord| {
            (their.epoch, &their.holder, their.since) == (lease.epoch, &lease.holder, lease.since)
        };
        lease.epoch < oldest || theirs.iter().any(same)
    };
    let same = head.lineage == archive.head.lineage && head.serial <= archive.head.serial;
    if same && here.iter().all(known) {
        return Ok(());
    }
    Err(Fault::State(StateError::Invalid(format!(
        "there is a state already, of lineage {} at serial {}, and what comes is of lineage {} at \
         serial {}. Name an empty place, or remove what is there",
        head.lineage, head.serial, archive.head.lineage, archive.head.serial
    ))))
}
