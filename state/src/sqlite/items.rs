//! The rows of the state: resources and outputs, now and in the past.

use super::{
    fault::Fault,
    head::{Head, Sum, seal, signed, toggle, unsigned},
    journal,
    work::Work,
};
use crate::{StateError, Target, Verdict, fold, format};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use weir_core::{
    Address,
    plan::Op,
    snapshot::{Removal, Resource, Serial, Snapshot, Status},
};

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Resource,
    Output,
}

impl Kind {
    pub(super) fn text(self) -> &'static str {
        match self {
            Kind::Resource => "resource",
            Kind::Output => "output",
        }
    }
}

/// A row of `item`.
#[derive(Debug, Clone)]
struct Row {
    kind: String,
    key: String,
    serial: u64,
    body: String,
    sum: Sum,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
        Ok(Row {
            kind: row.get(0)?,
            key: row.get(1)?,
            serial: unsigned(row.get(2)?),
            body: row.get(3)?,
            sum: row.get(4)?,
        })
    }
    fn seal(&self) -> Sum {
        seal(
            "item",
            &[
                self.kind.as_bytes(),
                self.key.as_bytes(),
                &self.serial.to_be_bytes(),
                self.body.as_bytes(),
            ],
        )
    }
    fn is_whole(&self) -> bool {
        self.seal() == self.sum
    }
    /// The sum of the row once it is of the past.
    fn seal_past(&self, until: u64) -> Sum {
        seal("past", &[&self.seal(), &until.to_be_bytes()])
    }
}

pub(super) const SELECT_ONE: &str =
    "SELECT kind, key, serial, body, sum FROM item WHERE kind = ? AND key = ?";
pub(super) const UPSERT: &str = "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?)";
pub(super) const DELETE: &str = "DELETE FROM item WHERE kind = ? AND key = ?";
pub(super) const TO_PAST: &str = "INSERT INTO past VALUES (?, ?, ?, ?, ?, ?)";

/// Stores a row (`None` drops it) at the serial after the current one. Says whether that changed
/// anything; the caller raises the serial then.
pub(super) fn put(
    work: &mut Work<'_>,
    kind: Kind,
    key: &str,
    body: Option<&str>,
) -> Result<bool, Fault> {
    let old = work
        .conn
        .prepare_cached(SELECT_ONE)?
        .query_row([kind.text(), key], Row::read)
        .optional()?;
    if old.as_ref().map(|r| r.body.as_str()) == body {
        return Ok(false);
    }
    let serial = work.head.serial + 1;
    if let Some(old) = old {
        if !old.is_whole() {
            return Err(damaged_row(&old));
        }
        work.conn.prepare_cached(TO_PAST)?.execute(params![
            old.kind,
            old.key,
            signed(old.serial),
            signed(serial),
            old.body,
            old.seal_past(serial)
        ])?;
        work.conn
            .prepare_cached(DELETE)?
            .execute([kind.text(), key])?;
        toggle(&mut work.head.digest, &old.sum);
    }
    if let Some(body) = body {
        let mut row = Row {
            kind: kind.text().into(),
            key: key.into(),
            serial,
            body: body.into(),
            sum: [0; 32],
        };
        row.sum = row.seal();
        work.conn.prepare_cached(UPSERT)?.execute(params![
            row.kind,
            row.key,
            signed(serial),
            row.body,
            row.sum
        ])?;
        toggle(&mut work.head.digest, &row.sum);
    }
    Ok(true)
}

/// The keys of all rows of a kind.
pub(super) fn keys(conn: &Connection, kind: Kind) -> Result<Vec<String>, Fault> {
    let mut statement = conn.prepare_cached("SELECT key FROM item WHERE kind = ?")?;
    let keys = statement.query_map([kind.text()], |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Checks every row of the state against its sum, and returns the digest of them all.
fn check(conn: &Connection) -> Result<Sum, Fault> {
    let mut digest = [0; 32];
    let mut damaged: Vec<Row> = Vec::new();
    let mut statement = conn.prepare("SELECT kind, key, serial, body, sum FROM item")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let row = Row::read(row)?;
        toggle(&mut digest, &row.sum);
        if !row.is_whole() {
            damaged.push(row);
        }
    }
    let Some(first) = damaged.first() else {
        return Ok(digest);
    };
    let Fault::Damage { cause, .. } = damaged_row(first) else {
        return Err(damaged_row(first));
    };
    let more = match damaged.len() {
        1 => String::new(),
        n => format!(", and {} more rows do", n - 1),
    };
    Err(Fault::Damage {
        cause: format!("{cause}{more}"),
        last_good: last_good(conn, &damaged),
    })
}

/// The latest serial before all damage, if every row of that time is still there and whole.
fn last_good(conn: &Connection, damaged: &[Row]) -> Option<Serial> {
    let head = Head::read(conn).ok()?;
    let before = damaged.iter().map(|r| r.serial).min()?.checked_sub(1)?;
    if before >= head.serial {
        // No row is written after the head: this one lies about when it was.
        return None;
    }
    let serial = Serial(before);
    at(conn, &head, serial).ok().map(|_| serial)
}

fn damaged_row(row: &Row) -> Fault {
    Fault::damage(format!(
        "the row of {} {} fails its checksum",
        row.kind, row.key
    ))
}

/// The state at the latest serial, if all rows together are what the head says.
pub(super) fn snapshot(conn: &Connection) -> Result<Snapshot, Fault> {
    let head = Head::read(conn)?;
    let mut digest = journal::check(conn)?;
    let mut statement =
        conn.prepare_cached("SELECT kind, key, serial, body, sum FROM item ORDER BY kind, key")?;
    let rows = statement.query_map([], Row::read)?;
    let counted = rows.inspect(|row| {
        if let Ok(row) = row {
            toggle(&mut digest, &row.sum);
        }
    });
    let built = build(&head, head.serial(), counted);
    if built.is_err() || digest != head.digest {
        // Says which rows they are, and how far back the state is good.
        check_digest(conn, &head)?;
    }
    let mut snapshot = built?;
    put_aside(conn, &mut snapshot)?;
    Ok(snapshot)
}

/// Adds the objects that replacements put aside: the journal holds them. One whose replacement is
/// in flight, or was never made, is still the one in its place.
fn put_aside(conn: &Connection, snapshot: &mut Snapshot) -> Result<(), Fault> {
    let open = journal::open(conn)?;
    for entry in open.iter().filter(|e| e.begin.target == Target::Deposed) {
        let begin = &entry.begin;
        let in_flight = open.iter().any(|e| {
            e.epoch == entry.epoch
                && e.begin.target == Target::Current
                && e.begin.address == begin.address
        });
        let Some(prior) = begin.prior.as_ref().filter(|_| !in_flight) else {
            continue;
        };
        let current = snapshot.resources.get(&begin.address).map(|r| &r.value);
        let made = journal::closed(conn, entry.epoch)?
            .into_iter()
            .any(|c| c.address == begin.address && c.op == Op::Create && c.verdict == Verdict::Put);
        if !made && current == Some(prior) {
            continue;
        }
        let resource = Resource {
            provider: begin.provider.clone(),
            schema_version: begin.schema_version,
            value: prior.clone(),
            private: begin.private.clone(),
            dependencies: begin.dependencies.clone(),
            status: Status::Ready,
            removal: Removal::default(),
        };
        snapshot
            .deposed
            .entry(begin.address.clone())
            .or_default()
            .insert(entry.id.deposed_key(), resource);
    }
    Ok(())
}

/// Checks that no row of the state or the open journal is damaged, missing, doubled or old.
pub(super) fn check_digest(conn: &Connection, head: &Head) -> Result<(), Fault> {
    let mut digest = check(conn)?;
    toggle(&mut digest, &journal::check(conn)?);
    if digest == head.digest {
        return Ok(());
    }
    Err(Fault::damage(format!(
        "rows are missing or out of date at serial {}",
        head.serial
    )))
}

/// The state at a serial.
pub(super) fn at(conn: &Connection, head: &Head, serial: Serial) -> Result<Snapshot, Fault> {
    if serial == head.serial() {
        return snapshot(conn);
    }
    if serial.0 > head.serial {
        return Err(Fault::State(StateError::NoSuchSerial {
            asked: serial,
            latest: head.serial(),
        }));
    }
    let mut rows = Vec::new();
    let mut statement =
        conn.prepare("SELECT kind, key, serial, body, sum FROM item WHERE serial <= ?")?;
    for row in statement.query_map([signed(serial.0)], Row::read)? {
        rows.push(Ok(row?));
    }
    let mut statement = conn.prepare(
        "SELECT kind, key, serial, body, sum, until FROM past WHERE serial <= ?1 AND until > ?1",
    )?;
    let past = statement.query_map([signed(serial.0)], |row| {
        Ok((Row::read(row)?, unsigned(row.get(5)?)))
    })?;
    for item in past {
        let (mut row, until) = item?;
        if row.seal_past(until) != row.sum {
            return Err(damaged_row(&row));
        }
        row.sum = row.seal();
        rows.push(Ok(row));
    }
    build(head, serial, rows.into_iter())
}

fn build(
    head: &Head,
    serial: Serial,
    rows: impl Iterator<Item = rusqlite::Result<Row>>,
) -> Result<Snapshot, Fault> {
    let mut snapshot = Snapshot::empty(head.lineage.clone());
    snapshot.serial = serial;
    let mut recorded: BTreeMap<Address, Serial> = BTreeMap::new();
    for row in rows {
        let row = row?;
        if !row.is_whole() {
            return Err(damaged_row(&row));
        }
        if row.kind == Kind::Output.text() {
            let value = format::output_from_text(&row.body)?;
            snapshot.outputs.insert(row.key, value);
            continue;
        }
        let address: Address = row
            .key
            .parse()
            .map_err(|e| Fault::damage(format!("a row can't be read: {e}")))?;
        let resource = format::resource_from_text(&row.body)?;
        recorded.insert(address.clone(), Serial(row.serial));
        snapshot.resources.insert(address, resource);
    }
    fold::settle_edges(&mut snapshot, &recorded);
    snapshot
        .verify()
        .map_err(|e| Fault::damage(e.to_string()))?;
    Ok(snapshot)
}
