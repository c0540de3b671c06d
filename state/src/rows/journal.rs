//! The journal's rows.

use super::{
    Rows,
    cipher::{Again, Cipher, Part},
    fault::Fault,
    head::{Sum, seal, toggle},
    items::{self, Kind},
    leases::Pass,
    work::{Work, check_address},
};
use crate::{
    Applied, ApplyRecord, Begin, ClosedEntry, Entry, EntryId, Outcome, StateError, Target, Verdict,
    fold::Effect, format,
};
use std::rc::Rc;
use weir_core::{Address, snapshot::Serial};

/// A row of `open_entry`.
#[derive(Debug, Clone)]
pub(crate) struct OpenRow {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    pub(crate) begun: u64,
    pub(crate) address: String,
    pub(crate) message: Option<String>,
    pub(crate) body: String,
    pub(crate) sum: Sum,
}

/// A row of `closed_entry`.
#[derive(Debug, Clone)]
pub(crate) struct ClosedRow {
    pub(crate) epoch: u64,
    pub(crate) id: u64,
    pub(crate) body: String,
    pub(crate) sum: Sum,
}

/// A row of `apply`.
#[derive(Debug, Clone)]
pub(crate) struct ApplyRow {
    pub(crate) body: String,
    pub(crate) sum: Sum,
}

impl ApplyRow {
    pub(super) fn new(body: String) -> ApplyRow {
        let sum = seal("apply", &[body.as_bytes()]);
        ApplyRow { body, sum }
    }
    fn check(&self) -> Result<(), Fault> {
        if seal("apply", &[self.body.as_bytes()]) == self.sum {
            return Ok(());
        }
        Err(Fault::damage("a row of the history fails its checksum"))
    }
}

impl OpenRow {
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
    pub(super) fn write(&self, work: &mut Work<'_>) -> Result<(), Fault> {
        let row = OpenRow {
            sum: self.seal(),
            ..self.clone()
        };
        work.rows.put_open(&row)?;
        toggle(&mut work.head.digest, &row.sum);
        Ok(())
    }
    fn entry(self, cipher: &Cipher) -> Result<Entry, Fault> {
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
            message: self
                .message
                .map(|m| cipher.open(Part::Message(self.id), m))
                .transpose()?,
            begin: format::begin_from_text(
                address,
                &cipher.open(Part::Entry(self.id), self.body)?,
            )?,
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
    let found: Rc<[Entry]> = open_before(work.rows, epoch)?.into();
    work.unsettled = Some((epoch, Rc::clone(&found)));
    Ok(found)
}

fn damaged_entry(id: u64) -> Fault {
    Fault::damage(format!("journal entry {id} fails its checksum"))
}

/// Opens entries; their bodies were encoded before.
pub(crate) fn begin(
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
        let row = OpenRow {
            id: work.head.entries,
            epoch,
            begun: format::millis(work.now),
            address: begin.address.to_string(),
            message: None,
            body: work
                .rows
                .cipher()
                .seal(Part::Entry(work.head.entries), body.clone())?,
            sum: [0; 32],
        };
        row.write(work)?;
        ids.push(EntryId(row.id));
    }
    Ok(ids)
}

/// Which leases' entries may be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This lease's.
    Own,
    /// Any lease's.
    Any,
}

/// What is to become of an entry, its resource already encoded.
pub(crate) struct Closing {
    pub(crate) entry: EntryId,
    pub(crate) whose: Whose,
    pub(crate) outcome: Outcome,
    /// The row of the resource in `outcome`.
    pub(crate) body: Option<String>,
}

/// Closes an entry and changes the state.
pub(crate) fn close(work: &mut Work<'_>, pass: &Pass, closing: Closing) -> Result<Serial, Fault> {
    let epoch = pass.epoch;
    let Closing {
        entry: id,
        whose,
        outcome,
        body,
    } = closing;
    let row = work
        .rows
        .open(id.0)?
        .filter(|row| whose == Whose::Any || row.epoch == epoch)
        .ok_or(Fault::State(StateError::NoSuchEntry(id)))?;
    if row.epoch != epoch {
        work.look_again();
    }
    if row.seal() != row.sum {
        return Err(damaged_entry(row.id));
    }
    let address: Address =
        (row.address.parse()).map_err(|e| Fault::damage(format!("a row can't be read: {e}")))?;
    pass.owns(&address)?;
    let cipher = work.rows.cipher();
    let begun = format::begun_from_text(&cipher.open(Part::Entry(id.0), row.body.clone())?)?;
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
            OpenRow {
                message: Some(cipher.seal(Part::Message(id.0), message)?),
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
    let closed = ClosedEntry {
        id,
        epoch: row.epoch,
        begun: format::time(row.begun),
        closed_by: epoch,
        closed: work.now,
        address,
        op: begun.op,
        token: begun.token,
        serial: work.head.serial(),
        verdict,
    };
    work.rows.drop_open(id.0)?;
    toggle(&mut work.head.digest, &row.sum);
    let body = cipher.seal(Part::Closed(id.0), format::closed_to_text(&closed))?;
    work.rows.add_closed(&ClosedRow {
        epoch: closed.epoch,
        id: id.0,
        sum: seal_closed(closed.epoch, id.0, &body),
        body,
    })?;
    Ok(work.head.serial())
}

pub(super) fn seal_closed(epoch: u64, id: u64, body: &str) -> Sum {
    seal(
        "closed_entry",
        &[&epoch.to_be_bytes(), &id.to_be_bytes(), body.as_bytes()],
    )
}

/// All open entries.
pub(crate) fn open(rows: &dyn Rows) -> Result<Vec<Entry>, Fault> {
    open_before(rows, u64::MAX)
}

/// The open entries of leases before this one.
fn open_before(rows: &dyn Rows, epoch: u64) -> Result<Vec<Entry>, Fault> {
    let found = rows.open_before(epoch)?;
    let cipher = rows.cipher();
    found.into_iter().map(|row| row.entry(&cipher)).collect()
}

/// Checks every open entry against its sum, and returns the digest of them all.
pub(crate) fn check(rows: &dyn Rows) -> Result<Sum, Fault> {
    let mut digest = [0; 32];
    for row in rows.open_before(u64::MAX)? {
        if row.seal() != row.sum {
            return Err(damaged_entry(row.id));
        }
        toggle(&mut digest, &row.sum);
    }
    Ok(digest)
}

/// The closed entries of a lease.
pub(crate) fn closed(rows: &dyn Rows, epoch: u64) -> Result<Vec<ClosedEntry>, Fault> {
    let cipher = rows.cipher();
    rows.closed(epoch)?
        .into_iter()
        .map(|row| {
            if seal_closed(epoch, row.id, &row.body) != row.sum {
                return Err(damaged_entry(row.id));
            }
            let body = cipher.open(Part::Closed(row.id), row.body)?;
            Ok(format::closed_from_text(EntryId(row.id), epoch, &body)?)
        })
        .collect()
}

/// Adds an apply to the history.
pub(crate) fn finish(work: &mut Work<'_>, epoch: u64, record: ApplyRecord) -> Result<(), Fault> {
    let body = format::applied_to_text(&Applied {
        serial: work.head.serial(),
        epoch,
        finished: work.now,
        record,
    });
    let body = work.rows.cipher().seal(Part::Apply, body)?;
    let sum = seal("apply", &[body.as_bytes()]);
    work.rows.add_apply(&ApplyRow { body, sum })
}

/// The history.
pub(crate) fn history(rows: &dyn Rows) -> Result<Vec<Applied>, Fault> {
    let cipher = rows.cipher();
    rows.applies()?
        .into_iter()
        .map(|row| open_applied(&cipher, row))
        .collect()
}

/// A line of the history.
pub(super) fn applied(rows: &dyn Rows, row: ApplyRow) -> Result<Applied, Fault> {
    open_applied(&rows.cipher(), row)
}

fn open_applied(cipher: &Cipher, row: ApplyRow) -> Result<Applied, Fault> {
    row.check()?;
    let body = cipher.open(Part::Apply, row.body)?;
    Ok(format::applied_from_text(&body)?)
}

/// Writes the body of every row anew.
pub(crate) fn rewrite(work: &mut Work<'_>, again: &Again<'_>) -> Result<(), Fault> {
    for row in work.rows.open_before(u64::MAX)? {
        if row.seal() != row.sum {
            return Err(damaged_entry(row.id));
        }
        toggle(&mut work.head.digest, &row.sum);
        let message = row.message.clone().map(|m| again(Part::Message(row.id), m));
        OpenRow {
            message: message.transpose()?,
            body: again(Part::Entry(row.id), row.body.clone())?,
            ..row
        }
        .write(work)?;
    }
    let closed = work.rows.all_closed()?;
    work.rows.drop_closed()?;
    for mut row in closed {
        if seal_closed(row.epoch, row.id, &row.body) != row.sum {
            return Err(damaged_entry(row.id));
        }
        row.body = again(Part::Closed(row.id), row.body)?;
        row.sum = seal_closed(row.epoch, row.id, &row.body);
        work.rows.add_closed(&row)?;
    }
    let applies = work.rows.applies()?;
    work.rows.drop_applies()?;
    for mut row in applies {
        row.check()?;
        row.body = again(Part::Apply, row.body)?;
        row.sum = seal("apply", &[row.body.as_bytes()]);
        work.rows.add_apply(&row)?;
    }
    Ok(())
}
