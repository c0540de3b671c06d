//! The journal's rows.

use super::{
    fault::Fault,
    head::{Sum, seal, signed, toggle, unsigned},
    items::{self, Kind},
    work::{Work, check_address},
};
use crate::{
    Applied, ApplyRecord, Begin, ClosedEntry, Entry, EntryId, Lease, Outcome, StateError, Target,
    Verdict, fold::Effect, format,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::rc::Rc;
use weir_core::{Address, snapshot::Serial};

/// A row of `open_entry`.
struct Row {
    id: u64,
    epoch: u64,
    begun: u64,
    address: String,
    message: Option<String>,
    body: String,
    sum: Sum,
}

pub(super) const SELECT_OPEN: &str =
    "SELECT id, epoch, begun, address, message, body, sum FROM open_entry WHERE id = ?";
pub(super) const INSERT_OPEN: &str =
    "INSERT OR REPLACE INTO open_entry VALUES (?, ?, ?, ?, ?, ?, ?)";
pub(super) const DELETE_OPEN: &str = "DELETE FROM open_entry WHERE id = ?";
pub(super) const INSERT_CLOSED: &str = "INSERT INTO closed_entry VALUES (?, ?, ?, ?)";

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
        Ok(Row {
            id: unsigned(row.get(0)?),
            epoch: unsigned(row.get(1)?),
            begun: unsigned(row.get(2)?),
            address: row.get(3)?,
            message: row.get(4)?,
            body: row.get(5)?,
            sum: row.get(6)?,
        })
    }
    fn seal(&self) -> Sum {
        seal(
            "open_entry",
            &[
                &self.id.to_be_bytes(),
                &self.epoch.to_be_bytes(),
                &self.begun.to_be_bytes(),
                self.address.as_bytes(),
                &[u8::from(self.message.is_some())],
                self.message.as_deref().unwrap_or_default().as_bytes(),
                self.body.as_bytes(),
            ],
        )
    }
    /// Writes the row, new or in place of the one with its id.
    fn write(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        let sum = self.seal();
        work.conn.prepare_cached(INSERT_OPEN)?.execute(params![
            signed(self.id),
            signed(self.epoch),
            signed(self.begun),
            self.address,
            self.message,
            self.body,
            sum
        ])?;
        toggle(&mut work.head.digest, &sum);
        Ok(())
    }
    fn entry(self) -> Result<Entry, Fault> {
        if self.seal() != self.sum {
            return Err(damaged_entry(self.id));
        }
        let address: Address = self
            .address
            .parse()
            .map_err(|e| Fault::damage(format!("a row can't be read: {e}")))?;
        Ok(Entry {
            id: EntryId(self.id),
            epoch: self.epoch,
            begun: format::time(self.begun),
            message: self.message,
            begin: format::begin_from_text(address, &self.body)?,
        })
    }
}

/// The open entries of leases before this one: looked up once in a transaction, which may begin
/// hundreds of operations.
fn unsettled(work: &mut Work<'_>, epoch: u64) -> Result<Rc<[Entry]>, Fault> {
    if let Some((of, found)) = &work.unsettled
        && *of == epoch
    {
        return Ok(Rc::clone(found));
    }
    let found: Rc<[Entry]> = open_before(work.conn, epoch)?.into();
    work.unsettled = Some((epoch, Rc::clone(&found)));
    Ok(found)
}

fn damaged_entry(id: u64) -> Fault {
    Fault::damage(format!("journal entry {id} fails its checksum"))
}

/// Opens entries; their bodies were encoded before.
pub(super) fn begin(
    work: &mut Work<'_>,
    epoch: u64,
    entries: &[(Begin, String)],
) -> Result<Vec<EntryId>, Fault> {
    let unsettled = unsettled(work, epoch)?;
    let mut ids = Vec::with_capacity(entries.len());
    for (begin, body) in entries {
        check_address(&begin.address)?;
        if let Some(old) = unsettled
            .iter()
            .find(|e| e.begin.address == begin.address && e.begin.target == Target::Current)
        {
            return Err(Fault::State(StateError::Unsettled {
                address: begin.address.clone(),
                entry: old.id,
            }));
        }
        work.head.entries += 1;
        let row = Row {
            id: work.head.entries,
            epoch,
            begun: format::millis(work.now),
            address: begin.address.to_string(),
            message: None,
            body: body.clone(),
            sum: [0; 32],
        };
        row.write(work)?;
        ids.push(EntryId(row.id));
    }
    Ok(ids)
}

/// Which leases' entries may be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// This lease's.
    Own,
    /// Any lease's.
    Any,
}

/// What is to become of an entry, its resource already encoded.
pub(super) struct Closing {
    pub(super) entry: EntryId,
    pub(super) whose: Whose,
    pub(super) outcome: Outcome,
    /// The row of the resource in `outcome`.
    pub(super) body: Option<String>,
}

/// Closes an entry and changes the state.
pub(super) fn close(work: &mut Work<'_>, epoch: u64, closing: Closing) -> Result<Serial, Fault> {
    let Closing {
        entry: id,
        whose,
        outcome,
        body,
    } = closing;
    let row = work
        .conn
        .prepare_cached(SELECT_OPEN)?
        .query_row([signed(id.0)], Row::read)
        .optional()?
        .filter(|row| whose == Whose::Any || row.epoch == epoch)
        .ok_or(Fault::State(StateError::NoSuchEntry(id)))?;
    if row.epoch < epoch {
        work.look_again();
    }
    if row.seal() != row.sum {
        return Err(damaged_entry(row.id));
    }
    let begun = format::begun_from_text(&row.body)?;
    let verdict = outcome.verdict();
    if begun.target == Target::Deposed {
        if verdict == Verdict::Put {
            return Err(Fault::State(StateError::Invalid(format!(
                "{} was put aside by its replacement and can't be stored in its place",
                row.address
            ))));
        }
        if let Verdict::Failed(message) = verdict {
            toggle(&mut work.head.digest, &row.sum);
            Row {
                message: Some(message),
                ..row
            }
            .write(work)?;
            return Ok(work.head.serial());
        }
    }
    let changed = match crate::fold::effect(begun.target, outcome) {
        Effect::Nothing => false,
        Effect::Store(_) => items::put(work, Kind::Resource, &row.address, body.as_deref())?,
        Effect::Drop => items::put(work, Kind::Resource, &row.address, None)?,
    };
    if changed {
        work.raise();
    }
    let address = row.address.parse();
    let closed = ClosedEntry {
        id,
        epoch: row.epoch,
        begun: format::time(row.begun),
        closed_by: epoch,
        closed: work.now,
        address: address.map_err(|e| Fault::damage(format!("a row can't be read: {e}")))?,
        op: begun.op,
        token: begun.token,
        serial: work.head.serial(),
        verdict,
    };
    work.conn
        .prepare_cached(DELETE_OPEN)?
        .execute([signed(id.0)])?;
    toggle(&mut work.head.digest, &row.sum);
    let body = format::closed_to_text(&closed);
    work.conn.prepare_cached(INSERT_CLOSED)?.execute(params![
        signed(closed.epoch),
        signed(id.0),
        body,
        seal_closed(closed.epoch, id.0, &body)
    ])?;
    Ok(work.head.serial())
}

fn seal_closed(epoch: u64, id: u64, body: &str) -> Sum {
    seal(
        "closed_entry",
        &[&epoch.to_be_bytes(), &id.to_be_bytes(), body.as_bytes()],
    )
}

/// All open entries.
pub(super) fn open(conn: &Connection) -> Result<Vec<Entry>, Fault> {
    open_before(conn, u64::MAX)
}

/// The open entries of leases before this one.
fn open_before(conn: &Connection, epoch: u64) -> Result<Vec<Entry>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT id, epoch, begun, address, message, body, sum FROM open_entry
         WHERE epoch < ? ORDER BY id",
    )?;
    let rows = statement.query_map([signed(epoch)], Row::read)?;
    rows.map(|row| row?.entry()).collect()
}

/// Checks every open entry against its sum, and returns the digest of them all.
pub(super) fn check(conn: &Connection) -> Result<Sum, Fault> {
    let mut digest = [0; 32];
    let mut statement =
        conn.prepare("SELECT id, epoch, begun, address, message, body, sum FROM open_entry")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let row = Row::read(row)?;
        if row.seal() != row.sum {
            return Err(damaged_entry(row.id));
        }
        toggle(&mut digest, &row.sum);
    }
    Ok(digest)
}

/// The closed entries of a lease.
pub(super) fn closed(conn: &Connection, epoch: u64) -> Result<Vec<ClosedEntry>, Fault> {
    let mut statement =
        conn.prepare_cached("SELECT id, body, sum FROM closed_entry WHERE epoch = ? ORDER BY id")?;
    let rows = statement.query_map([signed(epoch)], |row| {
        let (id, body, sum) = (unsigned(row.get(0)?), row.get(1)?, row.get(2)?);
        Ok::<(u64, String, Sum), _>((id, body, sum))
    })?;
    rows.map(|row| {
        let (id, body, sum) = row?;
        if seal_closed(epoch, id, &body) != sum {
            return Err(damaged_entry(id));
        }
        Ok(format::closed_from_text(EntryId(id), epoch, &body)?)
    })
    .collect()
}

/// Adds an apply to the history.
pub(super) fn finish(work: &mut Work<'_>, epoch: u64, record: ApplyRecord) -> Result<(), Fault> {
    let body = format::applied_to_text(&Applied {
        serial: work.head.serial(),
        epoch,
        finished: work.now,
        record,
    });
    let sum = seal("apply", &[body.as_bytes()]);
    work.conn
        .prepare_cached("INSERT INTO apply (body, sum) VALUES (?, ?)")?
        .execute(params![body, sum])?;
    Ok(())
}

/// The history.
pub(super) fn history(conn: &Connection) -> Result<Vec<Applied>, Fault> {
    let mut statement = conn.prepare_cached("SELECT body, sum FROM apply ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok::<(String, Sum), _>((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (body, sum) = row?;
        if seal("apply", &[body.as_bytes()]) != sum {
            return Err(Fault::damage("a row of the history fails its checksum"));
        }
        Ok(format::applied_from_text(&body)?)
    })
    .collect()
}

/// The parts of a lease that a write carries.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) epoch: u64,
    pub(super) lineage: weir_core::snapshot::Lineage,
}

impl From<&Lease> for Pass {
    fn from(lease: &Lease) -> Self {
        Pass {
            epoch: lease.epoch(),
            lineage: lease.lineage().clone(),
        }
    }
}
